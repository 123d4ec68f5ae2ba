//! What several connections to an endpoint come to, as tables.

use super::*;
use crate::model::{
    AddressTls, AlertDescription, ClientCertificate, DowngradeMark, Endpoint, Failure, HelloEnd,
    HelloObservation, HelloPurpose, Kind, MxHost, OtherAttempt, Phase, ProbeKey, ProtocolVersion,
    SignatureCheck, TlsObservation,
};
use crate::verdict::fixtures::profile;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::LazyLock;

static EXCHANGE_ONLINE: LazyLock<SenderProfile> = LazyLock::new(|| profile("exchange-online"));
static POSTFIX: LazyLock<SenderProfile> = LazyLock::new(|| profile("postfix-may"));

/// What is open for a sender that keeps what is refused for now.
fn open(seen: &Observation) -> Option<Reason> {
    super::open(&EXCHANGE_ONLINE, seen)
}

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
const MARKED: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::DowngradeDetected));
const ILLEGAL: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::IllegalParameter));
const DEMANDED: Option<(Phase, Kind)> = Some((Phase::Tls, Kind::ClientCertificateRequired));
const AFTER_TLS: Option<(Phase, Kind)> = Some((Phase::AfterTls, Kind::Closed));
const OUT_OF_STEP: Option<(Phase, Kind)> = Some((Phase::Starttls, Kind::OutOfStep));

fn failure((phase, kind): (Phase, Kind)) -> Failure {
    Failure::new(phase, kind)
}

/// The first is the one that is kept.
fn seen(attempts: &[Option<(Phase, Kind)>]) -> Observation {
    let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
    let mut seen = Observation::failed(key, Timestamp::UNIX_EPOCH, 1, failure((Phase::Dns, Kind::Closed)));
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
        (&[ILLEGAL, OK], differs),
        (&[ILLEGAL, ILLEGAL], None),
        // What fails over the offer is looked at by further hellos, and so is what
        // is open without one in any case.
        (&[NO_VERSION], None),
        (&[ILLEGAL], None),
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
        // It says nothing of TLS, or, to who waits, that there is none now.
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
    host.extra_client_hellos.push(HelloObservation { failure: THROTTLED.map(failure), ..not_asked.clone() });
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
        (&[BAD_SIGNATURE], &fails, true, None),
        (&[BAD_SIGNATURE], &SignatureCheck::NotShown, true, once),
        (&[NO_VERSION], &fails, true, None),
        (&[OK], &SignatureCheck::NotShown, true, None),
        // Without a name it may have another certificate.
        (&[OK], &fails, false, None),
    ] {
        let mut host = seen(attempts);
        host.key.sni = Some(MxHost::new("mx.example.com"));
        let started = Timestamp::UNIX_EPOCH;
        let mut further =
            HelloObservation::new(HelloPurpose::Sender, ProtocolVersion::TLS12, started, HelloEnd::Agreed);
        further.signature = Some(hello.clone());
        further.names_host = Some(names_host);
        host.extra_client_hellos = vec![further];
        assert_eq!(open(&host), expected, "{attempts:?} {hello:?} {names_host}");
    }
}

#[test]
fn none_for_now_differs_from_tls_for_who_does_not_wait() {
    let (once, differs) = (Some(Reason::NoSecondLook), Some(Reason::SecondLookDiffers));
    for (attempts, waits, does_not) in [
        (&[NOT_NOW][..], once, once),
        (&[NOT_NOW, NOT_NOW], None, None),
        (&[OK, NOT_NOW], None, differs),
        (&[OK, NOT_NOW, NOT_NOW], None, differs),
        (&[TLS_CLOSED, NOT_NOW, NOT_NOW], None, differs),
        (&[NOT_NOW, SILENT, NOT_NOW], None, None),
        (&[REFUSED, NOT_NOW], differs, differs),
    ] {
        let seen = seen(attempts);
        let told = [&EXCHANGE_ONLINE, &POSTFIX].map(|sender| super::open(sender, &seen));
        assert_eq!(told, [waits, does_not], "{attempts:?}");
    }
}

#[test]
fn so_it_does_where_another_name_of_the_address_was_told_so() {
    use AddressTls::{Both, NoTls, Nothing, Tls};
    let differs = Some(Reason::SecondLookDiffers);
    for (attempts, address, refused, does_not) in [
        (&[OK][..], Tls, false, None),
        (&[OK], Tls, true, differs),
        (&[TLS_CLOSED], Tls, true, differs),
        (&[NOT_NOW, NOT_NOW], Tls, true, differs),
        (&[NOT_NOW, NOT_NOW], Nothing, true, None),
        (&[NOT_NOW, NOT_NOW], NoTls, true, None),
        (&[ABSENT, ABSENT], Both, true, differs),
        (&[THROTTLED], Tls, true, None),
    ] {
        let mut seen = seen(attempts);
        seen.tls_at_address = Some(address);
        let alone = open(&seen);
        seen.refused_temporarily_at_address = Some(refused);
        assert_eq!(super::open(&POSTFIX, &seen), does_not, "{attempts:?} {address:?} {refused}");
        assert_eq!(open(&seen), alone, "who waits has TLS later: {attempts:?} {address:?} {refused}");
    }
}

/// A host with a name whose probe ended so, each time.
fn host(attempts: &[Option<(Phase, Kind)>]) -> Observation {
    let mut host = seen(attempts);
    host.key.sni = Some(MxHost::new("mx.example.com"));
    host
}

/// How a further hello ended.
#[derive(Clone, Copy, Debug)]
enum OwnEnd {
    Good,
    /// In TLS 1.3, which shows no more.
    Tls13,
    Marked,
    Illegal,
    NoCertificate,
    BadSignature,
    Refused,
    Closed,
}

/// What the sender's own offer met, at looks that are recorded.
fn own(look: u8, said: OwnEnd) -> HelloObservation {
    let ends = match said {
        OwnEnd::Good | OwnEnd::Tls13 | OwnEnd::Marked | OwnEnd::BadSignature => HelloEnd::Agreed,
        OwnEnd::Illegal => HelloEnd::IllegalParameter,
        OwnEnd::NoCertificate => HelloEnd::BadCertificate,
        OwnEnd::Refused => HelloEnd::Alert,
        OwnEnd::Closed => HelloEnd::Closed,
    };
    let tls13 = matches!(said, OwnEnd::Tls13);
    let (version, started) = (ProtocolVersion::TLS13, Timestamp::UNIX_EPOCH);
    let verified =
        if matches!(said, OwnEnd::BadSignature) { SignatureCheck::Failed } else { SignatureCheck::Verified };
    let mark = if matches!(said, OwnEnd::Marked) { DowngradeMark::Tls12 } else { DowngradeMark::None };
    HelloObservation {
        offer: Some(EXCHANGE_ONLINE.offer_id.clone()),
        look: Some(look),
        names_host: Some(true),
        alert: matches!(said, OwnEnd::Refused).then_some(AlertDescription::HANDSHAKE_FAILURE),
        version: (ends == HelloEnd::Agreed).then_some(if tls13 { version } else { ProtocolVersion::TLS12 }),
        signature: Some(if tls13 { SignatureCheck::NotShown } else { verified }),
        downgrade_mark: Some(mark).filter(|_| !tls13),
        ..HelloObservation::new(HelloPurpose::Sender, version, started, ends)
    }
}

#[test]
fn what_one_further_hello_meets_is_believed_where_two_looks_agree_and_none_differs() {
    use OwnEnd::{BadSignature, Closed, Good, Illegal, Marked, NoCertificate, Refused, Tls13};
    let (once, differs) = (Some(Reason::NoSecondLook), Some(Reason::SecondLookDiffers));
    for (attempts, said, expected) in [
        (&[OK][..], &[Good][..], None),
        (&[OK], &[Marked], differs),
        (&[OK], &[Illegal], differs),
        (&[OK], &[NoCertificate], differs),
        (&[AFTER_TLS], &[Marked], differs),
        (&[MARKED, MARKED], &[Good], differs),
        (&[MARKED, MARKED], &[Tls13], differs),
        (&[MARKED, MARKED], &[Marked], None),
        (&[ILLEGAL, ILLEGAL], &[Good], differs),
        (&[ILLEGAL, ILLEGAL], &[Illegal], None),
        // What broke the handshake comes after what TLS 1.3 shows.
        (&[ILLEGAL, ILLEGAL], &[Tls13], None),
        (&[ILLEGAL, ILLEGAL], &[Refused], None),
        (&[NO_VERSION], &[Marked], once),
        (&[NO_VERSION], &[Illegal, Illegal], None),
        (&[NO_VERSION], &[BadSignature], once),
        (&[NO_VERSION], &[BadSignature, Closed], once),
        (&[NO_VERSION], &[BadSignature, Good], differs),
        (&[NO_VERSION], &[BadSignature, BadSignature], None),
        (&[NO_VERSION], &[NoCertificate, Refused], differs),
        // Another offer may be refused, but not once alone by who was seen to shake hands.
        (&[NO_VERSION], &[Refused], None),
        (&[OK], &[Refused], once),
        (&[OK], &[Refused, Refused], None),
        (&[OK], &[Refused, Good], differs),
        (&[OK], &[Closed], None),
    ] {
        let mut host = host(attempts);
        let looks = (1..).zip(said).map(|(look, said)| own(look, *said));
        host.extra_client_hellos = looks.collect();
        assert_eq!(open(&host), expected, "{attempts:?} {said:?}");
        // A run from before there were second looks at hellos has what it had, unless
        // it holds both.
        host.extra_client_hellos.iter_mut().for_each(|hello| hello.look = None);
        let before = expected.filter(|reason| *reason == Reason::SecondLookDiffers);
        assert_eq!(open(&host), before, "before: {attempts:?} {said:?}");
    }
}

/// A second handshake that ended so, without the host's name.
fn handshake(end: Option<(Phase, Kind)>, names_host: bool) -> HelloObservation {
    let (version, started) = (ProtocolVersion::TLS13, Timestamp::UNIX_EPOCH);
    HelloObservation {
        look: Some(1),
        names_host: Some(names_host),
        failure: end.map(failure),
        ..HelloObservation::new(HelloPurpose::Handshake, version, started, HelloEnd::Agreed)
    }
}

#[test]
fn what_a_second_handshake_meets_is_of_those_that_name_the_host_alike() {
    let (once, differs) = (Some(Reason::NoSecondLook), Some(Reason::SecondLookDiffers));
    for (attempts, handshakes, names_host, expected) in [
        (&[OK][..], &[OK][..], false, None),
        (&[OK], &[DEMANDED], false, once),
        (&[OK], &[DEMANDED, DEMANDED], false, None),
        (&[OK], &[DEMANDED, OK], false, differs),
        (&[OK], &[DEMANDED, TLS_CLOSED], false, once),
        (&[OK], &[BAD_SIGNATURE], false, once),
        (&[OK], &[BAD_SIGNATURE, BAD_CERTIFICATE], false, differs),
        (&[OK], &[DEMANDED, DEMANDED], true, differs),
        (&[TLS_CLOSED], &[BAD_SIGNATURE], true, once),
        (&[TLS_CLOSED], &[BAD_SIGNATURE, BAD_SIGNATURE], true, None),
        // The sender's own offer decides after these.
        (&[OK], &[ILLEGAL], false, None),
        (&[OK], &[NO_VERSION], false, None),
    ] {
        let mut host = host(attempts);
        host.extra_client_hellos = handshakes.iter().map(|end| handshake(*end, names_host)).collect();
        assert_eq!(super::open(&POSTFIX, &host), expected, "{attempts:?} {handshakes:?} {names_host}");
    }
}

/// A server may well demand a certificate of who shows none, and take the one that
/// is shown.
#[test]
fn a_certificate_that_was_shown_makes_another_form() {
    for (shown, expected) in [
        (ClientCertificate::Accepted, None),
        (ClientCertificate::NotShown, Some(Reason::SecondLookDiffers)),
        (ClientCertificate::NeverAsked, Some(Reason::SecondLookDiffers)),
    ] {
        let mut host = host(&[OK]);
        host.tls = Some(TlsObservation { client_certificate: shown, ..TlsObservation::default() });
        host.extra_client_hellos = vec![handshake(DEMANDED, true); 2];
        assert_eq!(open(&host), expected, "{shown:?}");
    }
}

/// Under a scheme that was not offered a server signs for who offers that.
#[test]
fn another_offer_may_have_the_scheme_of_a_signature() {
    let signed = |check| {
        let mut host = host(&[BAD_SIGNATURE, BAD_SIGNATURE]);
        host.tls = Some(TlsObservation { signature: Some(check), ..TlsObservation::default() });
        host.extra_client_hellos = vec![own(1, OwnEnd::Good)];
        open(&host)
    };
    assert_eq!(signed(SignatureCheck::NotOffered), None);
    assert_eq!(signed(SignatureCheck::Failed), Some(Reason::SecondLookDiffers));
}

/// What another sender's hello met counts where the sender's own was not sent.
#[test]
fn the_hello_that_counts_is_the_senders() {
    let mut host = host(&[NO_VERSION]);
    let of_another = HelloObservation { offer: Some("another".into()), ..own(1, OwnEnd::BadSignature) };
    host.extra_client_hellos = vec![of_another];
    assert_eq!(open(&host), Some(Reason::NoSecondLook));
    host.extra_client_hellos.push(own(1, OwnEnd::Refused));
    assert_eq!(open(&host), None);
}

/// Ends of a probe or a second handshake, by which servers of a pool may differ.
const ENDS: [Option<(Phase, Kind)>; 9] =
    [OK, AFTER_TLS, BAD_SIGNATURE, BAD_CERTIFICATE, MARKED, ILLEGAL, DEMANDED, TLS_CLOSED, NO_VERSION];

const SAID: [OwnEnd; 8] = [
    OwnEnd::Good,
    OwnEnd::Tls13,
    OwnEnd::Marked,
    OwnEnd::Illegal,
    OwnEnd::NoCertificate,
    OwnEnd::BadSignature,
    OwnEnd::Refused,
    OwnEnd::Closed,
];

/// Any connections to one host, all of one form.
fn connections() -> impl Strategy<Value = Observation> {
    let further = prop_oneof![
        select(&SAID[..]).prop_map(|said| own(1, said)),
        select(&ENDS[..]).prop_map(|end| handshake(end, true)),
    ];
    (vec(select(&ENDS[..]), 1..4), vec(further, 0..4)).prop_map(|(attempts, hellos)| {
        let mut host = host(&attempts);
        host.extra_client_hellos = hellos;
        host
    })
}

/// The ends of whole handshakes.
fn whole(seen: &Observation) -> Vec<Option<(Phase, Kind)>> {
    let hellos = seen.extra_client_hellos.iter();
    let second = hellos.filter(|hello| hello.purpose == HelloPurpose::Handshake);
    let second = second.map(|hello| hello.failure.as_ref());
    let others = seen.other_attempts.iter().flatten().map(|other| other.failure.as_ref());
    let ends = std::iter::once(seen.failure.as_ref()).chain(others).chain(second);
    ends.map(|failure| failure.map(|failure| (failure.phase, failure.kind))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Whichever connection met which: first, last, an attempt, a further hello.
    #[test]
    fn one_that_shakes_hands_and_one_that_fails_with_everyone_are_not_one_server(seen in connections()) {
        let ends = whole(&seen);
        let good = ends.iter().any(|end| [OK, AFTER_TLS].contains(end));
        let at_hello = seen.extra_client_hellos.iter().any(|hello| {
            hello.purpose == HelloPurpose::Sender
                && (hello.end == HelloEnd::IllegalParameter
                    || hello.end == HelloEnd::BadCertificate
                    || hello.signature == Some(SignatureCheck::Failed)
                    || hello.downgrade_mark == Some(DowngradeMark::Tls12))
        });
        let fails = |end: &Option<(Phase, Kind)>| {
            [BAD_SIGNATURE, BAD_CERTIFICATE, MARKED, ILLEGAL, DEMANDED].contains(end)
        };
        if good && (at_hello || ends.iter().any(fails)) {
            prop_assert_eq!(open(&seen), Some(Reason::SecondLookDiffers), "{:?}", seen);
        }
    }

    /// What contradicts each other does so whatever else is seen, and in any order.
    #[test]
    fn another_look_takes_no_contradiction_away(seen in connections(), more in connections()) {
        let mut both = seen.clone();
        both.extra_client_hellos.extend(more.extra_client_hellos);
        both.extra_client_hellos.reverse();
        if open(&seen) == Some(Reason::SecondLookDiffers) {
            prop_assert_eq!(open(&both), Some(Reason::SecondLookDiffers), "{:?}", both);
        }
    }
}
