//! Whether all looks at an endpoint agree.
//!
//! One look is not enough for "no TLS": behind one address may stand several
//! servers, and one that thinks little of us may leave STARTTLS out. So a "no
//! TLS" is believed where two connections brought the same, and none another,
//! under whatever name. So is a handshake that fails with everyone.

use super::said_of_tls::{Word, denial, is_final, of_attempt, of_hello};
use crate::model::{
    AddressTls, Failure, HelloEnd, HelloObservation, Kind, Observation, Phase, Reason, SignatureCheck,
};

/// Why it is open what the endpoint gives: "no TLS" was said, or a handshake
/// failed that fails with everyone, and only once, or another look brought
/// something else.
pub(super) fn open(seen: &Observation) -> Option<Reason> {
    address_open(seen)
        .or_else(|| denial_open(seen))
        .or_else(|| handshake_open(seen))
        .or_else(|| proof_open(seen))
}

/// Why it is open whether the server owns its certificate: it proved that on one
/// connection and failed to on another. Only what was asked under the same name is
/// compared, for a server may have a certificate for each.
fn proof_open(seen: &Observation) -> Option<Reason> {
    let proofs = || attempts(seen).filter_map(proof_by_attempt).chain(alike(seen).filter_map(proof_by_hello));
    let differs = proofs().any(|holds| !holds) && proofs().any(|holds| holds);
    differs.then_some(Reason::SecondLookDiffers)
}

/// The further hellos that named the host as the probe did, those of an
/// enumeration left out.
fn alike(seen: &Observation) -> impl Iterator<Item = &HelloObservation> {
    let named = seen.key.sni.is_some();
    let hellos = seen.extra_client_hellos.iter().filter(|hello| hello.purpose.is_judged());
    hellos.filter(move |hello| hello.names_host.unwrap_or(named) == named)
}

/// Whether the server proved that it owns its certificate, by how a probe ended;
/// `None` where it did not come so far.
fn proof_by_attempt(failure: Option<&Failure>) -> Option<bool> {
    match failure {
        None => Some(true),
        Some(failure) if failure.phase > Phase::Tls => Some(true),
        Some(Failure { phase: Phase::Tls, kind: Kind::SignatureFailed | Kind::BadCertificate, .. }) => {
            Some(false)
        }
        Some(_) => None,
    }
}

/// The same of a further hello.
fn proof_by_hello(hello: &HelloObservation) -> Option<bool> {
    match (hello.end, &hello.signature) {
        (HelloEnd::BadCertificate, _) | (_, Some(SignatureCheck::Failed)) => Some(false),
        (_, Some(SignatureCheck::Verified)) => Some(true),
        _ => None,
    }
}

/// Why it is open whether there is TLS at the address: connections to it under
/// another name were told otherwise.
fn address_open(seen: &Observation) -> Option<Reason> {
    let differs = seen.tls_at_address == Some(AddressTls::Both);
    let speaks = |word| AddressTls::from(word) != AddressTls::Nothing;
    (differs && words(seen).any(speaks)).then_some(Reason::SecondLookDiffers)
}

/// Why it is open whether every handshake fails there. Runs that do not tell of
/// other attempts come from before a second look was made at that.
fn handshake_open(seen: &Observation) -> Option<Reason> {
    seen.other_attempts.as_ref()?;
    let failed = attempts(seen).flatten().find(|failure| failure.fails_with_everyone())?;
    let same = |failure: &Failure| (failure.phase, failure.kind) == (failed.phase, failed.kind);
    let differs = |end: Option<&Failure>| end.is_none_or(|failure| answers_tls(failure) && !same(failure));
    if attempts(seen).any(differs) {
        return Some(Reason::SecondLookDiffers);
    }
    let looks = attempts(seen).flatten().filter(|failure| same(failure)).count();
    (looks < 2).then_some(Reason::NoSecondLook)
}

/// Whether the handshake was answered before the attempt ended by this.
fn answers_tls(failure: &Failure) -> bool {
    failure.phase > Phase::Tls || failure.phase == Phase::Tls && !failure.kind.is_transient()
}

/// How each attempt at the probe ended.
fn attempts(seen: &Observation) -> impl Iterator<Item = Option<&Failure>> {
    let others = seen.other_attempts.iter().flatten().map(|attempt| attempt.failure.as_ref());
    std::iter::once(seen.failure.as_ref()).chain(others)
}

/// Why it is open whether there is TLS.
fn denial_open(seen: &Observation) -> Option<Reason> {
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
    attempts(seen).filter_map(of_attempt).chain(seen.extra_client_hellos.iter().filter_map(of_hello))
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
    use crate::model::{
        Endpoint, HelloEnd, HelloObservation, HelloPurpose, OtherAttempt, ProbeKey, ProtocolVersion,
    };
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
    const BAD_SIGNATURE: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::SignatureFailed));
    const BAD_CERTIFICATE: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::BadCertificate));
    const NO_VERSION: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::NoCommonVersion));
    const AFTER_TLS: Option<(Phase, Kind)> = Some((Phase::AfterTls, Kind::Closed));
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
    fn a_handshake_that_fails_with_everyone_is_believed_where_two_looks_agree() {
        let (once, differs) = (Some(Reason::NoSecondLook), Some(Reason::SecondLookDiffers));
        for (attempts, expected) in [
            (&[BAD_SIGNATURE][..], once),
            (&[BAD_SIGNATURE, BAD_SIGNATURE], None),
            (&[BAD_SIGNATURE, TLS_CLOSED, BAD_SIGNATURE], None),
            (&[BAD_SIGNATURE, THROTTLED], once),
            (&[BAD_SIGNATURE, NOT_NOW], once),
            (&[OK, BAD_SIGNATURE], differs),
            (&[AFTER_TLS, BAD_SIGNATURE, BAD_SIGNATURE], differs),
            (&[BAD_SIGNATURE, BAD_CERTIFICATE], differs),
            (&[BAD_SIGNATURE, NO_VERSION], differs),
            (&[BAD_SIGNATURE, ABSENT, ABSENT], differs),
            // What fails over the offer is looked at by further hellos.
            (&[NO_VERSION], None),
        ] {
            assert_eq!(open(&seen(attempts)), expected, "{attempts:?}");
        }
    }

    #[test]
    fn what_an_old_run_looked_at_once_was_looked_at_once() {
        let mut old = seen(&[ABSENT]);
        old.other_attempts = None;
        assert_eq!(open(&old), Some(Reason::NoSecondLook));
        for believed in [OK, BAD_SIGNATURE, BAD_CERTIFICATE] {
            old.failure = believed.map(failure);
            assert_eq!(open(&old), None, "{believed:?}");
        }
    }

    #[test]
    fn what_another_name_of_the_address_was_told_differs() {
        use AddressTls::{Both, NoTls, Nothing, Tls};
        let differs = Some(Reason::SecondLookDiffers);
        for (attempts, address, expected) in [
            (&[OK][..], Tls, None),
            (&[OK], Both, differs),
            (&[TLS_CLOSED], Both, differs),
            (&[ABSENT, ABSENT], NoTls, None),
            (&[ABSENT, ABSENT], Both, differs),
            (&[ABSENT], Both, differs),
            (&[BAD_SIGNATURE], Both, differs),
            // It says nothing of TLS, or that there is none now.
            (&[THROTTLED], Both, None),
            (&[SILENT], Both, None),
            (&[NOT_NOW, NOT_NOW], Both, None),
            (&[OUT_OF_STEP], Both, None),
            (&[OK], Nothing, None),
        ] {
            let mut seen = seen(attempts);
            for (said, expected) in [(Some(address), expected), (None, open(&seen))] {
                seen.tls_at_address = said;
                assert_eq!(open(&seen), expected, "{attempts:?} {said:?}");
            }
        }
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

    #[test]
    fn a_server_that_proves_its_certificate_on_one_connection_alone_is_open() {
        let (once, differs) = (Some(Reason::NoSecondLook), Some(Reason::SecondLookDiffers));
        let (holds, fails) = (SignatureCheck::Verified, SignatureCheck::Failed);
        for (attempts, hello, names_host, expected) in [
            (&[OK][..], &holds, true, None),
            (&[OK], &fails, true, differs),
            (&[AFTER_TLS], &fails, true, differs),
            (&[BAD_SIGNATURE, BAD_SIGNATURE], &holds, true, differs),
            (&[BAD_SIGNATURE, BAD_SIGNATURE], &fails, true, None),
            (&[BAD_SIGNATURE], &fails, true, once),
            (&[NO_VERSION], &fails, true, None),
            (&[OK], &SignatureCheck::NotShown, true, None),
            // Without a name it may have another certificate.
            (&[OK], &fails, false, None),
        ] {
            let mut host = seen(attempts);
            host.key.sni = Some(crate::model::MxHost::new("mx.example.com"));
            let started = Timestamp::UNIX_EPOCH;
            let mut further = HelloObservation::new(
                HelloPurpose::Sender,
                ProtocolVersion::TLS12,
                started,
                HelloEnd::Agreed,
            );
            further.signature = Some(hello.clone());
            further.names_host = Some(names_host);
            host.extra_client_hellos = vec![further];
            assert_eq!(open(&host), expected, "{attempts:?} {hello:?} {names_host}");
        }
    }
}
