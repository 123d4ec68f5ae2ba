//! Which second handshake follows from which first one, as a table.

use super::*;
use crate::model::{AlertDescription, Endpoint, MxHost, ProbeKey, TlsObservation};
use jiff::Timestamp;

fn sender(names_host: bool, shows_certificate: bool) -> ClientHelloSpec {
    ClientHelloSpec {
        versions: vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12],
        suites: vec![CipherSuite(0x1302), CipherSuite(0xc030)],
        groups: vec![NamedGroup(24), NamedGroup(23)],
        signature_schemes: vec![SignatureScheme(0x0804), SignatureScheme(0x0403)],
        names_host,
        shows_certificate,
        ..ClientHelloSpec::of(HelloPurpose::Sender)
    }
}

fn seen(name: Option<&str>, failure: Option<Failure>, tls: Option<TlsObservation>) -> Observation {
    let key =
        ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: name.map(MxHost::new) };
    let begun = Failure::new(Phase::Tls, Kind::Alert);
    Observation { failure, tls, ..Observation::failed(key, Timestamp::UNIX_EPOCH, 1, begun) }
}

fn session(version: ProtocolVersion, suite: u16, scheme: u16) -> Option<TlsObservation> {
    Some(TlsObservation {
        established: true,
        version: Some(version),
        suite: Some(CipherSuite(suite)),
        signature_scheme: Some(SignatureScheme(scheme)),
        ..TlsObservation::default()
    })
}

fn answer(purpose: HelloPurpose, end: HelloEnd, version: Option<ProtocolVersion>) -> HelloObservation {
    let offered = ProtocolVersion::TLS13;
    HelloObservation { version, ..HelloObservation::new(purpose, offered, Timestamp::UNIX_EPOCH, end) }
}

#[test]
fn a_second_handshake_is_made_where_the_first_had_another_form() {
    let tls13 = || session(ProtocolVersion::TLS13, 0x1302, 0x0804);
    let shown = |client_certificate| tls13().map(|tls| TlsObservation { client_certificate, ..tls });
    let host = Some("mx.example");
    for (seen, sender, expected) in [
        (seen(host, None, tls13()), sender(true, true), false),
        (seen(host, None, tls13()), sender(false, true), true),
        (seen(None, None, tls13()), sender(false, true), false),
        (seen(host, None, shown(ClientCertificate::Accepted)), sender(true, false), true),
        (seen(host, None, shown(ClientCertificate::Accepted)), sender(true, true), false),
        (seen(host, None, shown(ClientCertificate::NotShown)), sender(true, false), false),
        (seen(host, Some(Failure::new(Phase::Starttls, Kind::NotOffered)), None), sender(false, true), false),
    ] {
        let spec = second(&sender, &seen);
        assert_eq!(spec.is_some(), expected, "{seen:?}");
        let asked = spec.map(|spec| (spec.names_host, spec.shows_certificate));
        assert!(asked.is_none_or(|asked| asked == (sender.names_host, sender.shows_certificate)));
    }
}

#[test]
fn none_is_made_at_a_server_that_wants_to_be_left_alone() {
    let fails = |failure| seen(Some("mx.example"), Some(failure), Some(TlsObservation::default()));
    let failure = |kind| Failure::new(Phase::Tls, kind);
    for (failure, expected) in [
        (failure(Kind::Alert).with_alert(AlertDescription(112)), true),
        (failure(Kind::Timeout), true),
        (failure(Kind::Closed), true),
        (failure(Kind::NotTls), true),
        (failure(Kind::NotTls).with_reply(500), false),
        (failure(Kind::Throttled).with_reply(421), false),
        (failure(Kind::TooManyBytes), false),
        (failure(Kind::LocalError), false),
    ] {
        let made = second(&sender(false, true), &fails(failure.clone())).is_some();
        assert_eq!(made, expected, "{failure}");
    }
}

#[test]
fn a_certificate_that_no_hello_showed_is_asked_for_once() {
    let silent = || {
        let failure = Failure::new(Phase::Tls, Kind::Timeout);
        seen(Some("mx.example"), Some(failure), Some(TlsObservation::default()))
    };
    let after =
        |hellos: &[HelloObservation]| Observation { extra_client_hellos: hellos.to_vec(), ..silent() };
    let agreed = |version| answer(HelloPurpose::Sender, HelloEnd::Agreed, Some(version));
    let made = answer(HelloPurpose::Handshake, HelloEnd::NotAsked, None);
    let tls13 = agreed(ProtocolVersion::TLS13);
    for (hellos, expected) in [
        (&[][..], false),
        (&[answer(HelloPurpose::Sender, HelloEnd::Timeout, None)], false),
        (&[agreed(ProtocolVersion::TLS12)], false),
        (std::slice::from_ref(&tls13), true),
        (&[tls13.clone(), made], false),
    ] {
        assert_eq!(second(&sender(true, true), &after(hellos)).is_some(), expected, "{hellos:?}");
    }
}

#[test]
fn the_handshake_in_the_form_of_the_sender_counts() {
    let first = || seen(Some("mx.example"), None, session(ProtocolVersion::TLS13, 0x1302, 0x0804));
    let mut failed = first();
    failed.extra_client_hellos = vec![answer(HelloPurpose::Handshake, HelloEnd::Alert, None)];
    assert!(counting(&sender(true, true), &failed).unwrap().established);
    assert!(!counting(&sender(false, true), &failed).unwrap().established);
    failed.extra_client_hellos = vec![answer(HelloPurpose::Handshake, HelloEnd::NotAsked, None)];
    assert!(counting(&sender(false, true), &failed).unwrap().established, "there is no other");
}

#[test]
fn what_the_sender_does_not_offer_is_told_apart() {
    let (tls13, tls12) = (ProtocolVersion::TLS13, ProtocolVersion::TLS12);
    let without_tls13 = ClientHelloSpec { versions: vec![tls12], ..sender(true, true) };
    let tls13_only =
        ClientHelloSpec { versions: vec![tls13], suites: vec![CipherSuite(0x1302)], ..sender(true, true) };
    for (sender, version, suite, scheme, expected) in [
        (sender(true, true), tls13, 0x1302, 0x0804, false),
        (sender(true, true), tls13, 0x1303, 0x0804, true),
        (sender(true, true), tls13, 0x1302, 0x0807, true),
        (sender(true, true), tls12, 0xc030, 0x0804, false),
        (sender(true, true), tls12, 0xc02c, 0x0403, true),
        (without_tls13, tls13, 0x1302, 0x0804, true),
        (tls13_only, tls12, 0xc030, 0x0804, true),
    ] {
        let seen = seen(None, None, session(version, suite, scheme));
        let found = counting(&sender, &seen).unwrap().is_not_of(&sender);
        assert_eq!(found, expected, "{version} {suite:#x} {scheme:#x}");
        let mut of_another_group = seen;
        of_another_group.tls.as_mut().unwrap().group = Some(NamedGroup(29));
        assert!(counting(&sender, &of_another_group).unwrap().is_not_of(&sender));
    }
}
