//! Which hello follows from which answers, as a table.

use super::*;
use crate::model::{
    AlertDescription, CipherSuite, Endpoint, Failure, ProbeKey, SignatureScheme, TlsObservation,
};
use jiff::Timestamp;

const ALERT: HelloEnd = HelloEnd::Alert;

fn sender() -> ClientHelloSpec {
    ClientHelloSpec {
        versions: vec![ProtocolVersion::TLS12],
        suites: vec![CipherSuite(0xc030)],
        ..ClientHelloSpec::of(HelloPurpose::Sender)
    }
}

/// Of a handshake that ended so.
fn ended(phase: Phase, kind: Kind) -> Observation {
    let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
    let mut seen = Observation::failed(key, Timestamp::UNIX_EPOCH, 1, Failure::new(phase, kind));
    seen.tls = (phase >= Phase::Tls).then(TlsObservation::default);
    seen
}

fn succeeded() -> Observation {
    let mut seen = ended(Phase::Tls, Kind::Alert);
    seen.failure = None;
    seen.tls = Some(TlsObservation { established: true, ..TlsObservation::default() });
    seen
}

fn short(spec: &ClientHelloSpec) -> String {
    match spec.purpose {
        HelloPurpose::Sender => "sender".to_string(),
        _ => spec.version().to_string(),
    }
}

/// The hellos sent if these are the answers, in their order.
fn hellos(plan: HelloPlan, mut seen: Observation, ends: &[HelloEnd]) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(spec) = next(&plan, &sender(), &seen) {
        let mut answer = HelloObservation::not_asked(&spec, Timestamp::UNIX_EPOCH, None);
        answer.end = ends.get(sent.len()).copied().unwrap_or(HelloEnd::Closed);
        sent.push(short(&spec));
        seen.extra_client_hellos.push(answer);
        assert!(sent.len() <= 100, "no end");
    }
    sent
}

#[test]
fn a_refusal_is_followed_down_until_the_server_agrees() {
    let down = ["sender", "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3"];
    let agreed = HelloEnd::Agreed;
    for (ends, expected) in [
        (&[][..], &down[..]),
        (&[agreed], &down[..1]),
        (&[ALERT, agreed], &down[..2]),
        (&[HelloEnd::Timeout, HelloEnd::Malformed, agreed], &down[..3]),
        (&[ALERT, ALERT, HelloEnd::NotTls, HelloEnd::Sslv2, agreed], &down[..5]),
        (&[HelloEnd::NotAsked], &down[..1]),
        (&[HelloEnd::IllegalParameter], &down[..1]),
        (&[ALERT, HelloEnd::NotAsked], &down[..2]),
    ] {
        let seen = ended(Phase::Tls, Kind::NoCommonVersion);
        assert_eq!(hellos(HelloPlan::default(), seen, ends), expected, "{ends:?}");
    }
}

#[test]
fn only_want_of_a_version_or_suite_is_followed() {
    for kind in Kind::ALL {
        let expected = matches!(kind.name(), "alert" | "no_common_version" | "no_common_suite")
            || matches!(kind.name(), "not_tls" | "malformed" | "closed" | "timeout" | "downgrade_detected")
            || kind.name() == "illegal_parameter";
        let seen = ended(Phase::Tls, *kind);
        assert_eq!(!hellos(HelloPlan::default(), seen, &[]).is_empty(), expected, "tls: {kind}");
        for phase in [Phase::Connect, Phase::Greeting, Phase::Ehlo, Phase::Starttls] {
            let seen = ended(phase, *kind);
            assert!(hellos(HelloPlan::default(), seen, &[]).is_empty(), "{phase}: {kind}");
        }
    }
}

/// What the server has for mail that demands a certificate is asked once.
#[test]
fn a_suite_without_a_certificate_leads_to_the_offer_without_those() {
    let anonymous = CipherSuite(0xc019);
    let postfix = ClientHelloSpec { suites: vec![anonymous, CipherSuite(0xc030)], ..sender() };
    let mut seen = ended(Phase::Tls, Kind::Alert);
    let mut answer = HelloObservation::not_asked(&postfix, Timestamp::UNIX_EPOCH, None);
    (answer.end, answer.suite) = (HelloEnd::Agreed, Some(CipherSuite(0xc030)));
    for (suite, expected) in [(CipherSuite(0xc030), None), (anonymous, Some(vec![CipherSuite(0xc030)]))] {
        answer.suite = Some(suite);
        seen.extra_client_hellos = vec![answer.clone()];
        let spec = next(&HelloPlan::default(), &postfix, &seen);
        assert!(spec.iter().all(|spec| spec.purpose == HelloPurpose::Authenticated));
        assert_eq!(spec.map(|spec| spec.suites), expected, "{suite}");
    }
    let asked = ClientHelloSpec { purpose: HelloPurpose::Authenticated, ..postfix.clone() };
    seen.extra_client_hellos.push(HelloObservation::not_asked(&asked, Timestamp::UNIX_EPOCH, None));
    assert_eq!(next(&HelloPlan::default(), &postfix, &seen), None, "once is enough");
    let one = HelloPlan { hellos_max: 1, ..HelloPlan::default() };
    seen.extra_client_hellos.truncate(1);
    assert_eq!(next(&one, &postfix, &seen), None, "the budget holds");
}

/// The server chose a version and a suite, and something else went wrong.
#[test]
fn what_fails_after_the_choice_is_not_followed() {
    let mut seen = ended(Phase::Tls, Kind::Alert);
    seen.tls = Some(TlsObservation {
        suite: Some(CipherSuite(0x1301)),
        alert: Some(AlertDescription(80)),
        ..TlsObservation::default()
    });
    assert!(hellos(HelloPlan::default(), seen, &[]).is_empty());
}

#[test]
fn the_senders_offer_goes_to_everybody_if_asked_for() {
    let everybody = HelloPlan { sender_hello: true, ..HelloPlan::default() };
    for ends in [[HelloEnd::Agreed], [ALERT], [HelloEnd::NotAsked]] {
        assert_eq!(hellos(everybody, succeeded(), &ends), ["sender"], "{ends:?}");
    }
    assert!(hellos(HelloPlan::default(), succeeded(), &[]).is_empty());
    let mut after = ended(Phase::AfterTls, Kind::Closed);
    after.tls = succeeded().tls;
    assert_eq!(hellos(everybody, after, &[]), ["sender"], "TLS stood, whatever came then");
}

/// Our own timeouts are rare: who is silent to a short hello, too, is let be.
#[test]
fn a_silent_server_gets_the_senders_shorter_hello_and_no_more_if_it_is_silent_to_that() {
    let silent = || ended(Phase::Tls, Kind::Timeout);
    let plan = HelloPlan::default();
    assert_eq!(hellos(plan, silent(), &[HelloEnd::Timeout]), ["sender"]);
    assert_eq!(hellos(plan, silent(), &[HelloEnd::Agreed]), ["sender"]);
    let ends = [ALERT, HelloEnd::Agreed];
    assert_eq!(hellos(plan, silent(), &ends), ["sender", "TLSv1.3"], "it speaks, and of another version");
    assert_eq!(hellos(plan, silent(), &[ALERT, HelloEnd::Timeout]), ["sender", "TLSv1.3"]);
}

#[test]
fn the_budget_holds() {
    for hellos_max in 0..=8 {
        let plan = HelloPlan { sender_hello: true, hellos_max };
        let seen = ended(Phase::Tls, Kind::NoCommonSuite);
        assert_eq!(hellos(plan, seen, &[]).len(), hellos_max.min(6));
        assert_eq!(hellos(plan, succeeded(), &[]).len(), hellos_max.min(1));
    }
}

#[test]
fn hellos_of_an_enumeration_are_passed_over() {
    let mut seen = ended(Phase::Tls, Kind::NoCommonVersion);
    let suites = ClientHelloSpec { purpose: HelloPurpose::Suites, offer: None, ..sender() };
    let mut answer = HelloObservation::not_asked(&suites, Timestamp::UNIX_EPOCH, None);
    answer.end = HelloEnd::Agreed;
    seen.extra_client_hellos = vec![answer; 10];
    assert_eq!(hellos(HelloPlan::default(), seen, &[]).len(), 6);
}

#[test]
fn a_step_offers_all_that_its_version_can_have() {
    let has = |spec: &ClientHelloSpec, name: &str| spec.suites.contains(&name.parse().unwrap());
    let newest = everything_of(ProtocolVersion::TLS13);
    assert_eq!(newest.versions, [ProtocolVersion::TLS13, ProtocolVersion::TLS12]);
    assert!(has(&newest, "TLS_AES_128_CCM_SHA256") && has(&newest, "TLS_RSA_WITH_RC4_128_MD5"));
    let oldest = everything_of(ProtocolVersion::SSL3);
    assert!(has(&oldest, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"));
    assert!(!has(&oldest, "TLS_RSA_WITH_AES_128_CBC_SHA256") && !has(&oldest, "TLS_PSK_WITH_RC4_128_SHA"));
    let mut groups = newest.groups.clone();
    groups.sort();
    groups.dedup();
    assert_eq!(groups.len(), newest.groups.len());
}

#[test]
fn a_server_that_goes_on_in_smtp_is_asked_nothing_more() {
    for (kind, code) in [(Kind::NotTls, 500), (Kind::Throttled, 421)] {
        let mut seen = ended(Phase::Tls, kind);
        seen.failure = seen.failure.map(|failure| failure.with_reply(code));
        assert_eq!(hellos(HelloPlan::default(), seen, &[]), [""; 0], "{kind}");
    }
    assert!(!hellos(HelloPlan::default(), ended(Phase::Tls, Kind::NotTls), &[]).is_empty());
}

#[test]
fn a_server_that_sends_without_end_is_asked_nothing_more() {
    let seen = ended(Phase::Tls, Kind::TooManyBytes);
    assert_eq!(hellos(HelloPlan::default(), seen, &[]), [""; 0]);
    assert!(!Kind::TooManyBytes.is_transient());
}

#[test]
fn every_hello_names_the_host_if_the_sender_does() {
    for names_host in [true, false] {
        let sender = ClientHelloSpec { names_host, ..sender() };
        let mut seen = ended(Phase::Tls, Kind::NoCommonVersion);
        seen.key.sni = Some(crate::model::MxHost::new("mx.example"));
        while let Some(spec) = next(&HelloPlan::default(), &sender, &seen) {
            assert_eq!(spec.names_host, names_host, "{spec:?}");
            let mut answer = HelloObservation::not_asked(&spec, Timestamp::UNIX_EPOCH, None);
            answer.end = ALERT;
            answer.failure = Some(Failure::new(Phase::Tls, Kind::Alert));
            seen.extra_client_hellos.push(answer);
        }
        assert!(seen.extra_client_hellos.len() > 5);
    }
}

#[test]
fn the_sender_is_asked_for_where_it_does_not_offer_what_was_chosen() {
    let mut seen = succeeded();
    let tls = seen.tls.as_mut().unwrap();
    (tls.version, tls.signature_scheme) = (Some(ProtocolVersion::TLS12), Some(SignatureScheme(0x0403)));
    for (suite, expected) in [(0xc030, &[][..]), (0xc02c, &["sender"])] {
        seen.tls.as_mut().unwrap().suite = Some(CipherSuite(suite));
        let sender = ClientHelloSpec { signature_schemes: vec![SignatureScheme(0x0403)], ..sender() };
        let spec = next(&HelloPlan::default(), &sender, &seen);
        assert_eq!(spec.iter().map(short).collect::<Vec<_>>(), expected, "{suite:#x}");
    }
}
