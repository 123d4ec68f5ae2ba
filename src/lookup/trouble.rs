//! Why a question has no answer, and to which kinds of phase `dns` that comes.
//!
//! The line that matters runs between an answer ("there is no such name",
//! "there is no such record") and no answer: only the first says anything
//! about the domain.

use crate::dns::{NoAnswer, ResponseCode, Stray};
use crate::model::tlsa::Authenticity;
use crate::model::{Failure, Kind, Phase};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What came while a question was under way, and was not its reply.
#[derive(Default)]
pub(super) struct Strays(Mutex<Option<(Stray, u32)>>);

impl Strays {
    /// One more.
    pub(super) fn add(&self, stray: Stray) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = known.map_or(0, |(_, count)| count);
        *known = Some((stray, count.saturating_add(1)));
    }

    /// The last, and how many there were.
    pub(super) fn told(&self) -> Option<(Stray, u32)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is told of what contradicts its signatures.
const BOGUS: &str =
    "bogus: a resolver that validates refuses the answer, and gives it if it is not to check (CD)";

/// Why one resolver gave no answer.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It replied, with no answer.
    NoAnswer(NoAnswer),
    /// It validates and gives no answer, and does if it is not to check (CD): what
    /// stands there contradicts its signatures (RFC 4035 §4.3).
    Bogus,
    /// It replied to something else, over TCP.
    Stray(Stray),
    /// Its answer over TCP is truncated.
    Truncated,
    /// It did not reply in time; what came instead, and how often.
    Silence(Option<(Stray, u32)>),
    /// The transport failed, there or here.
    Io(Arc<io::Error>),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl Trouble {
    /// Nothing came but these.
    pub(super) fn silence(strays: Option<(Stray, u32)>) -> Self {
        Self::Silence(strays)
    }

    /// How a resolver refuses.
    pub(super) fn servfail() -> Self {
        Self::NoAnswer(NoAnswer::Code(ResponseCode::ServFail))
    }

    /// This machine cannot write the question down.
    pub(super) fn unsendable(error: impl fmt::Display) -> Self {
        io::Error::new(io::ErrorKind::InvalidInput, error.to_string()).into()
    }

    /// The failure of a lookup that it is.
    pub(super) fn failure(&self) -> Failure {
        let dns = |kind| Failure::new(Phase::Dns, kind);
        match self {
            Trouble::NoAnswer(none @ NoAnswer::Malformed(_)) => dns(Kind::Malformed).with_detail(none),
            Trouble::NoAnswer(none @ NoAnswer::TooManyRecords) => dns(Kind::TooLong).with_detail(none),
            Trouble::NoAnswer(none) => dns(Kind::Servfail).with_detail(none),
            Trouble::Bogus => dns(Kind::Servfail).with_detail(BOGUS),
            Trouble::Stray(stray) => dns(Kind::Servfail).with_detail(stray),
            Trouble::Truncated => dns(Kind::Malformed).with_detail("a truncated answer over TCP"),
            Trouble::Silence(None) => dns(Kind::Timeout),
            Trouble::Silence(Some((last, count))) => {
                let told = format_args!("instead came {count} that answered nothing; the last: {last}");
                dns(Kind::Timeout).with_detail(told)
            }
            Trouble::Io(error) => dns(io_kind(error.kind())).with_detail(error),
        }
    }

    /// Whether the same resolver may answer the same question a moment later.
    pub(super) fn may_pass(&self) -> bool {
        use ResponseCode::{BADVERS, FormErr, NotImp, Refused, ServFail};
        match self {
            Trouble::NoAnswer(NoAnswer::Code(code)) => {
                matches!(code, ServFail | Refused | NotImp | FormErr | BADVERS)
            }
            Trouble::NoAnswer(_) | Trouble::Bogus | Trouble::Stray(_) | Trouble::Truncated => false,
            Trouble::Silence(_) | Trouble::Io(_) => true,
        }
    }

    /// Whether a resolver replied, whatever it said.
    pub(super) fn is_reply(&self) -> bool {
        !matches!(self, Trouble::Silence(_) | Trouble::Io(_))
    }

    /// Who vouches for it.
    pub(super) fn authenticity(&self) -> Option<Authenticity> {
        matches!(self, Trouble::Bogus).then_some(Authenticity::Bogus)
    }

    /// Whether this is how a resolver refuses what it cannot validate (RFC 4035
    /// §5.5).
    pub(super) fn is_servfail(&self) -> bool {
        matches!(self, Trouble::NoAnswer(NoAnswer::Code(ResponseCode::ServFail)))
    }

    /// Whether the resolver says that it does not understand the question: maybe
    /// it is EDNS that it does not (RFC 6891 §7; servers before it say "not
    /// implemented").
    pub(super) fn blames_edns(&self) -> bool {
        use ResponseCode::{BADVERS, FormErr, NotImp};
        matches!(self, Trouble::NoAnswer(NoAnswer::Code(FormErr | NotImp | BADVERS)))
    }

    /// How little it tells, from 0: of several resolvers the cause is told that
    /// tells most.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Trouble::NoAnswer(_) | Trouble::Bogus | Trouble::Stray(_) | Trouble::Truncated => 0,
            Trouble::Io(error) if io_kind(error.kind()) == Kind::Closed => 1,
            Trouble::Silence(_) => 2,
            Trouble::Io(_) => 3,
        }
    }
}

/// Whether the nameserver ended the connection or this machine failed.
fn io_kind(kind: io::ErrorKind) -> Kind {
    match kind {
        io::ErrorKind::TimedOut => Kind::Timeout,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Kind::Closed,
        _ => Kind::LocalError,
    }
}

/// No exchanger of a domain can be used; why.
pub(super) fn unusable(detail: &str) -> Failure {
    Failure::new(Phase::Dns, Kind::MxUnusable).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(none: NoAnswer) -> Trouble {
        Trouble::NoAnswer(none)
    }

    #[test]
    fn no_answers_are_told_by_whose_they_are() {
        let io = |kind: io::ErrorKind| Trouble::from(io::Error::from(kind));
        for (trouble, expected) in [
            (none(NoAnswer::Code(ResponseCode::ServFail)), Kind::Servfail),
            (none(NoAnswer::Code(ResponseCode::Unknown(3841))), Kind::Servfail),
            (none(NoAnswer::Lame), Kind::Servfail),
            (none(NoAnswer::Referral), Kind::Servfail),
            (none(NoAnswer::OtherRecords), Kind::Servfail),
            (none(NoAnswer::Contradiction), Kind::Servfail),
            (none(NoAnswer::Malformed("so".into())), Kind::Malformed),
            (none(NoAnswer::TooManyRecords), Kind::TooLong),
            (Trouble::Bogus, Kind::Servfail),
            (Trouble::Stray(Stray::OtherQuestion), Kind::Servfail),
            (Trouble::Truncated, Kind::Malformed),
            (Trouble::silence(None), Kind::Timeout),
            (io(io::ErrorKind::TimedOut), Kind::Timeout),
            (io(io::ErrorKind::ConnectionRefused), Kind::Closed),
            (io(io::ErrorKind::ConnectionReset), Kind::Closed),
            (io(io::ErrorKind::UnexpectedEof), Kind::Closed),
            (io(io::ErrorKind::NetworkUnreachable), Kind::LocalError),
            // EMFILE: no descriptor left.
            (io::Error::from_raw_os_error(24).into(), Kind::LocalError),
            (Trouble::unsendable("long"), Kind::LocalError),
        ] {
            let failure = trouble.failure();
            assert_eq!((failure.phase, failure.kind), (Phase::Dns, expected), "{trouble:?}");
        }
    }

    #[test]
    fn the_cause_stands_in_the_detail() {
        let detail = |trouble: Trouble| trouble.failure().detail.unwrap_or_default().to_string();
        assert_eq!(detail(none(NoAnswer::Code(ResponseCode::Refused))), "Query Refused");
        assert_eq!(detail(Trouble::silence(None)), "");
        let strays = Strays::default();
        strays.add(Stray::Short);
        strays.add(Stray::OtherId);
        assert_eq!(
            detail(Trouble::silence(strays.told())),
            "instead came 2 that answered nothing; the last: a reply under another number"
        );
    }
}
