//! Whether all looks at an endpoint agree.
//!
//! One look is not enough for "no TLS": behind one address may stand several
//! servers, and one that thinks little of us may leave STARTTLS out. So a "no
//! TLS" is believed where two connections brought the same, and none another.

use crate::model::{Failure, HelloEnd, Kind, Observation, Phase, Reason};

/// What one connection says of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// STARTTLS was accepted.
    Accepted,
    /// It was offered, and the dialogue broke off before it was answered.
    Offered,
    /// There is none, by this.
    Denied(Phase, Kind),
}

/// Why it is open what the endpoint gives: "no TLS" was said, and only once, or
/// something else was said as well.
pub(super) fn open(seen: &Observation) -> Option<Reason> {
    let deciding = seen.failure.as_ref();
    let denied = words(seen).find(|word| is_final(*word));
    let denied = denied.or_else(|| deciding.filter(|failure| failure.denies_tls()).map(denial))?;
    if words(seen).any(|word| contradicts(word, denied)) {
        return Some(Reason::SecondLookDiffers);
    }
    let looks = words(seen).filter(|word| *word == denied).count();
    (looks < 2).then_some(Reason::NoSecondLook)
}

/// What every connection to it says, the further hellos included.
fn words(seen: &Observation) -> impl Iterator<Item = Word> {
    let others = seen.other_attempts.iter().flatten().map(|attempt| attempt.failure.as_ref());
    let attempts = std::iter::once(seen.failure.as_ref()).chain(others);
    let hellos = seen.extra_client_hellos.iter().filter_map(|hello| match hello.end {
        HelloEnd::NotAsked => hello.failure.as_ref().and_then(word),
        _ => Some(Word::Accepted),
    });
    attempts.filter_map(|failure| failure.map_or(Some(Word::Accepted), word)).chain(hellos)
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

fn denial(failure: &Failure) -> Word {
    Word::Denied(failure.phase, failure.kind)
}

/// Whether it says that there is no TLS, not only that there is none now.
fn is_final(word: Word) -> bool {
    matches!(word, Word::Denied(_, kind) if kind != Kind::RefusedTemporarily)
}

/// Whether both cannot be said of the same server. One that refuses STARTTLS
/// has offered it; one that has none for now may have it later.
fn contradicts(word: Word, denied: Word) -> bool {
    match word {
        Word::Denied(..) => word != denied,
        Word::Accepted => is_final(denied),
        Word::Offered => !matches!(denied, Word::Denied(_, Kind::Refused | Kind::RefusedTemporarily)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, HelloObservation, HelloPurpose, OtherAttempt, ProbeKey, ProtocolVersion};
    use jiff::Timestamp;

    const OK: Option<(Phase, Kind)> = None;
    const ABSENT: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::NotOffered));
    const MANGLED: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::KeywordMangled));
    const HELO: Option<(Phase, Kind)> = Some((Phase::Ehlo, Kind::HeloOnly));
    const REFUSED: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::Refused));
    const NOT_NOW: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::RefusedTemporarily));
    const SILENT: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::Timeout));
    const THROTTLED: Option<(Phase, Kind)> = Some((Phase::Greeting, Kind::Throttled));
    const TLS_CLOSED: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::Closed));
    const OUT_OF_STEP: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::OutOfStep));

    fn failure((phase, kind): (Phase, Kind)) -> Failure {
        Failure::new(phase, kind)
    }

    /// The first is the one that is kept.
    fn seen(attempts: &[Option<(Phase, Kind)>]) -> Observation {
        let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
        let mut seen =
            Observation::failed(key, Timestamp::UNIX_EPOCH, 1, failure((Phase::Dns, Kind::Closed)));
        seen.failure = attempts[0].map(failure);
        let other = |end: &Option<(Phase, Kind)>| OtherAttempt {
            number: 1,
            started: Timestamp::UNIX_EPOCH,
            failure: end.map(failure),
            total_us: 0,
        };
        seen.other_attempts = Some(attempts[1..].iter().map(other).collect());
        seen
    }

    #[test]
    fn no_tls_is_believed_where_two_looks_agree_and_none_differs() {
        let (once, differs) = (Some(Reason::NoSecondLook), Some(Reason::SecondLookDiffers));
        for (attempts, expected) in [
            (&[OK][..], None),
            (&[THROTTLED], None),
            (&[TLS_CLOSED, THROTTLED], None),
            (&[OUT_OF_STEP], None),
            (&[ABSENT], once),
            (&[ABSENT, ABSENT], None),
            (&[MANGLED, MANGLED], None),
            (&[HELO, HELO], None),
            (&[REFUSED, REFUSED], None),
            (&[REFUSED], once),
            (&[NOT_NOW], once),
            (&[NOT_NOW, NOT_NOW], None),
            (&[ABSENT, THROTTLED], once),
            (&[ABSENT, THROTTLED, ABSENT], None),
            (&[ABSENT, OUT_OF_STEP], once),
            (&[OK, ABSENT], differs),
            (&[OK, ABSENT, ABSENT], differs),
            (&[TLS_CLOSED, ABSENT, ABSENT], differs),
            (&[ABSENT, MANGLED], differs),
            (&[ABSENT, HELO], differs),
            (&[ABSENT, REFUSED], differs),
            (&[ABSENT, SILENT, ABSENT], differs),
            (&[REFUSED, SILENT, REFUSED], None),
            (&[REFUSED, NOT_NOW], differs),
            (&[OK, REFUSED], differs),
            // For now there was none, and then there is.
            (&[OK, NOT_NOW], None),
            (&[OK, NOT_NOW, NOT_NOW], None),
            (&[TLS_CLOSED, NOT_NOW, NOT_NOW], None),
        ] {
            assert_eq!(open(&seen(attempts)), expected, "{attempts:?}");
        }
    }

    #[test]
    fn what_an_old_run_looked_at_once_was_looked_at_once() {
        let mut old = seen(&[ABSENT]);
        old.other_attempts = None;
        assert_eq!(open(&old), Some(Reason::NoSecondLook));
        old.failure = None;
        assert_eq!(open(&old), None);
    }

    #[test]
    fn a_further_hello_that_meets_no_tls_differs() {
        let mut host = seen(&[OK]);
        let hello = |end| {
            let started = Timestamp::UNIX_EPOCH;
            HelloObservation::new(HelloPurpose::Sender, ProtocolVersion::TLS13, started, end)
        };
        let not_asked = HelloObservation { failure: ABSENT.map(failure), ..hello(HelloEnd::NotAsked) };
        host.extra_client_hellos = vec![hello(HelloEnd::Agreed)];
        assert_eq!(open(&host), None);
        host.extra_client_hellos
            .push(HelloObservation { failure: THROTTLED.map(failure), ..not_asked.clone() });
        assert_eq!(open(&host), None);
        host.extra_client_hellos.push(not_asked);
        assert_eq!(open(&host), Some(Reason::SecondLookDiffers));
    }
}
