//! What one connection to an endpoint says of TLS, and for every name there.

use crate::model::{AddressTls, Failure, HelloEnd, HelloObservation, Kind, Phase, SaidAtAddress};

/// What one connection says of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// STARTTLS was accepted.
    Accepted,
    /// It was offered, and the dialogue broke off before it was answered.
    Offered,
    /// There is none, by this.
    Denied(Phase, Kind),
}

impl Word {
    /// Whether it says that there is no TLS, not only that there is none now.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Word::Denied(_, kind) if kind != Kind::RefusedTemporarily)
    }
}

/// What counts of it for all names of the address.
impl From<Word> for SaidAtAddress {
    fn from(word: Word) -> Self {
        let tls = match word {
            Word::Accepted => AddressTls::Tls,
            word if word.is_final() => AddressTls::NoTls,
            _ => AddressTls::Nothing,
        };
        let refused_temporarily = matches!(word, Word::Denied(_, Kind::RefusedTemporarily));
        Self { tls, refused_temporarily, ..Self::default() }
    }
}

/// What a connection for the probe, which ended so, says for all names of the
/// address.
pub fn by_probe(failure: Option<&Failure>) -> SaidAtAddress {
    let said = of_attempt(failure).map(SaidAtAddress::from).unwrap_or_default();
    said.and(at_all(failure))
}

/// The same of one for a further hello.
pub fn by_hello(hello: &HelloObservation) -> SaidAtAddress {
    let said = of_hello(hello).map(SaidAtAddress::from).unwrap_or_default();
    said.and(at_all(hello.failure.as_ref()))
}

/// Whether anybody was there, by what ended the connection.
fn at_all(failure: Option<&Failure>) -> SaidAtAddress {
    let opened = failure.is_none_or(|failure| failure.phase > Phase::Connect);
    let unspoken = [Kind::Timeout, Kind::Closed, Kind::LocalError];
    let silent = |failure: &Failure| failure.phase == Phase::Greeting && unspoken.contains(&failure.kind);
    SaidAtAddress { opened, spoke: opened && !failure.is_some_and(silent), ..SaidAtAddress::default() }
}

/// What a connection for the probe says; `None` where it did not come so far.
pub(super) fn of_attempt(failure: Option<&Failure>) -> Option<Word> {
    failure.map_or(Some(Word::Accepted), word)
}

/// The same of one for a further hello.
pub(super) fn of_hello(hello: &HelloObservation) -> Option<Word> {
    match hello.end {
        HelloEnd::NotAsked => hello.failure.as_ref().and_then(word),
        _ => Some(Word::Accepted),
    }
}

/// What a connection says that ended by this; `None` where it did not come so
/// far, or nobody knows which reply answers what.
fn word(failure: &Failure) -> Option<Word> {
    match failure.phase {
        _ if failure.denies_tls() => Some(denial(failure)),
        _ if failure.kind == Kind::OutOfStep => None,
        phase if phase >= Phase::Tls => Some(Word::Accepted),
        Phase::Starttls => Some(Word::Offered),
        _ => None,
    }
}

pub(super) fn denial(failure: &Failure) -> Word {
    Word::Denied(failure.phase, failure.kind)
}
