//! Whether a server must answer a sender as it answered the scanner.
//!
//! A server chooses by its own order or by the client's, of versions, suites,
//! groups and signature schemes. So its answer to one offer is its answer to
//! another only where both orders come to the same. All of these must hold, and
//! `docs/senders.md` lists them:
//!
//! - *version*: the sender offers the one that was chosen. The scanner offers
//!   the newest, so none that the sender prefers was left out.
//! - *suite*: the sender offers no suite of that version that the scanner did
//!   not; all that it prefers to the one chosen stood before it in the scanner's
//!   hello, too, and were refused; and it does not put ChaCha20 before AES,
//!   which makes some servers change their own order.
//! - *group*: the sender offers no group that the scanner did not, and prefers
//!   the one chosen to all others. It is then the best by the order of either,
//!   and the one for which a share comes with the hello.
//! - *signature*: the sender offers the very scheme under which the server
//!   signed. Up to TLS 1.2, where the suite is bound to the key, it offers none
//!   that the scanner did not.
//! - *length*: the sender's hello is not of the class over which servers are
//!   known to stumble; see [`HelloLength`].
//! - *SNI*: the handshake named the host exactly if the sender does; see `form`.
//! - *client certificate*: the server asked for none; or it asked, was shown none,
//!   and the sender shows none.
//! - *a whole answer*: the handshake went through, or failed after all of these
//!   were chosen. Of a further hello a HelloRetryRequest alone is none.

use super::form::HandshakeForm;
use super::profile::SenderProfile;
use super::scanner_offer::SCANNER_SUITES;
use super::scheme;
use crate::model::registry::ProtocolVersion;
use crate::model::{CipherSuite, NamedGroup, SignatureScheme, TlsFinding};
use crate::sender::offer::{HelloLength, Offer};
use crate::x509::handshake::OFFERED_SCHEMES;

/// Whether the server, which chose `version` and `suite` of the scanner's
/// offer, must choose both of the sender's too, with the same group, and be
/// taken by it. `tls` is the scanner's handshake in the `form` that counts.
pub(super) fn must_be_answered_alike(
    profile: &SenderProfile,
    tls: &TlsFinding,
    form: HandshakeForm,
    version: ProtocolVersion,
    suite: CipherSuite,
) -> bool {
    form.alike
        && HelloLength::of(&profile.offer) != HelloLength::Stumbling
        && suite_is_alike(profile, version, suite)
        && tls.group.is_some_and(|group| group_is_alike(&profile.offer, group, form.groups))
        && tls.signature_scheme.is_some_and(|shown| scheme_is_alike(&profile.offer, shown, version))
}

fn suite_is_alike(profile: &SenderProfile, version: ProtocolVersion, suite: CipherSuite) -> bool {
    let sender = &profile.sender;
    let tls13 = version == ProtocolVersion::TLS13;
    let offered = if tls13 { &sender.suites_tls13.value } else { &sender.suites.value };
    let Some(place) = SCANNER_SUITES.iter().position(|known| *known == suite) else { return false };
    let mut before = offered.iter().take_while(|better| **better != suite);
    let refused = |better: &CipherSuite| SCANNER_SUITES.iter().take(place).any(|known| known == better);
    offered.contains(&suite)
        && offered.iter().all(|suite| SCANNER_SUITES.contains(suite))
        && before.all(refused)
        && !puts_chacha20_first(&profile.offer)
}

/// Whether the first suite of AES-GCM or ChaCha20 is one of ChaCha20: servers
/// take that for a client without AES in hardware, and prefer ChaCha20 then.
fn puts_chacha20_first(offer: &Offer) -> bool {
    let names = offer.suites.iter().map(|suite| suite.name());
    let mut telling = names.filter(|name| name.contains("_GCM_") || name.contains("CHACHA20"));
    telling.next().is_some_and(|first| first.contains("CHACHA20"))
}

fn group_is_alike(offer: &Offer, group: NamedGroup, offered: &[NamedGroup]) -> bool {
    offer.groups.first() == Some(&group) && offer.groups.iter().all(|group| offered.contains(group))
}

fn scheme_is_alike(offer: &Offer, shown: SignatureScheme, version: ProtocolVersion) -> bool {
    offer.signature_schemes.contains(&shown)
        && (version >= ProtocolVersion::TLS13 || has_no_other_scheme(offer))
}

fn has_no_other_scheme(offer: &Offer) -> bool {
    offer.signature_schemes.iter().all(|scheme| OFFERED_SCHEMES.contains(scheme))
}

/// Whether the server, where it has several certificates, must show the sender
/// the one that it showed to the scanner: by its own order, as the sender
/// offers no scheme besides the scanner's, and by the client's, as the sender's
/// first is one of that key. Up to TLS 1.2 the suite decides of which kind it
/// is.
pub(super) fn must_be_shown_alike(offer: &Offer, tls: &TlsFinding, version: ProtocolVersion) -> bool {
    let Some(shown) = tls.signature_scheme else { return false };
    let first = offer.signature_schemes.first();
    version < ProtocolVersion::TLS13
        || (has_no_other_scheme(offer)
            && first.is_some_and(|first| scheme::is_of_the_same_key(shown, *first, version)))
}

/// Whether the key that the server showed signs under a scheme of the sender's
/// in a handshake of `version`; `None` where its scheme is not known. Before
/// TLS 1.2 no scheme is named.
pub(super) fn key_signs_for(offer: &Offer, tls: &TlsFinding, version: ProtocolVersion) -> Option<bool> {
    let shown = tls.signature_scheme?;
    if version < ProtocolVersion::TLS12 {
        return Some(true);
    }
    let fits = |offered: &SignatureScheme| scheme::is_of_the_same_key(shown, *offered, version);
    Some(offer.signature_schemes.iter().any(fits))
}

#[cfg(test)]
#[path = "alike_tests.rs"]
mod tests;
