//! Whether there is TLS at all, over all connections.

use super::super::profile::SenderProfile;
use super::super::said_of_tls::{Word, denial, of_hello};
use super::look::attempts;
use crate::model::{AddressTls, Kind, Observation, Reason};
use crate::verdict::said_of_tls::of_attempt;

/// Why it is open whether there is TLS at the address: connections to it under
/// another name were told otherwise.
pub(super) fn at_address(profile: &SenderProfile, seen: &Observation) -> Option<Reason> {
    let tls = seen.tls_at_address?;
    let both = tls == AddressTls::Both && words(seen).any(|word| word == Word::Accepted || word.is_final());
    let now_and_then = tls != AddressTls::NoTls
        && tls != AddressTls::Nothing
        && seen.refused_temporarily_at_address == Some(true)
        && words(seen).any(|word| word == Word::Accepted || ends_in_clear(profile, word));
    let differs = both || (now_and_then && profile.goes_in_clear_after_4xx());
    differs.then_some(Reason::SecondLookDiffers)
}

/// Why it is open whether there is TLS.
pub(super) fn open(profile: &SenderProfile, seen: &Observation) -> Option<Reason> {
    let deciding = seen.failure.as_ref();
    let denied = words(seen).find(|word| ends_in_clear(profile, *word));
    let denied = denied.or_else(|| deciding.filter(|failure| failure.denies_tls()).map(denial))?;
    if words(seen).any(|word| contradicts(profile, word, denied)) {
        return Some(Reason::SecondLookDiffers);
    }
    let looks = words(seen).filter(|word| *word == denied).count();
    (looks < 2).then_some(Reason::NoSecondLook)
}

/// What every connection to it says, the further hellos included.
fn words(seen: &Observation) -> impl Iterator<Item = Word> {
    attempts(seen).filter_map(of_attempt).chain(seen.extra_client_hellos.iter().filter_map(of_hello))
}

/// Whether the sender has no TLS then: of one that is refused for now, and tries
/// again, that is not said.
fn ends_in_clear(profile: &SenderProfile, word: Word) -> bool {
    word.is_final() || matches!(word, Word::Denied(..)) && profile.goes_in_clear_after_4xx()
}

/// Whether both cannot be said of the same server. One that refuses STARTTLS
/// has offered it; one that has none for now may have it later, which is
/// another answer to whoever does not wait.
fn contradicts(profile: &SenderProfile, word: Word, denied: Word) -> bool {
    match word {
        Word::Denied(..) => word != denied,
        Word::Accepted => ends_in_clear(profile, denied),
        Word::Offered => !matches!(denied, Word::Denied(_, Kind::Refused | Kind::RefusedTemporarily)),
    }
}
