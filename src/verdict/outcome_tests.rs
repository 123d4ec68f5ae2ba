//! The rules of a sender, one table each.

use super::*;
use crate::model::{
    AcceptedGroups, AcceptedSuite, AlertDescription, CheckCause, Endpoint, Enumerated, Enumeration, Gap,
    HelloPurpose, Leaf, Preference, ProbeKey, Sha256, SignatureCheck, SignatureScheme, TlsFinding,
    VersionSuites,
};
use std::sync::Arc;

fn sender(name: &str) -> Sender {
    Sender::named(name).unwrap()
}

fn finding(failure: Option<Failure>, tls: Option<TlsFinding>) -> Finding {
    let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
    Finding::of(key, failure, tls)
}

fn leaf(key: &str, sha1: bool) -> Option<Arc<Leaf>> {
    Some(Arc::new(Leaf {
        sha256: Sha256([0; 32]),
        dns_names: Box::new([]),
        ip_addresses: Box::new([]),
        common_name: None,
        key_algorithm: Some(key.into()),
        subject: None,
        thumbprint: [0; 20],
        signed_with_sha1: Some(sha1),
    }))
}

/// A session of the scanner's, by names.
fn shaken(version: &str, suite: &str, group: &str, key: &str) -> Finding {
    let tls = TlsFinding {
        version: version.parse().ok(),
        suite: suite.parse().ok(),
        group: group.parse().ok(),
        signature_scheme: Some(SignatureScheme(0x0804)),
        signature: Some(SignatureCheck::Verified),
        leaf: leaf(key, false),
        renegotiation_info: Some(true),
        ..TlsFinding::default()
    };
    finding(None, Some(tls))
}

fn refused(hellos: Vec<HelloFinding>) -> Finding {
    let failure = Failure::new(Phase::Tls, Kind::Alert);
    Finding { extra_client_hellos: hellos.into(), ..finding(Some(failure), None) }
}

fn hello(
    purpose: HelloPurpose,
    sender: &Sender,
    end: HelloEnd,
    chosen: Option<(&str, &str)>,
) -> HelloFinding {
    HelloFinding {
        purpose,
        offer: (purpose == HelloPurpose::Sender).then(|| sender.offer().id().into()),
        offered_version: ProtocolVersion::TLS12,
        offered_suites: 0,
        end,
        hello_retry: false,
        alert: (end == HelloEnd::Alert).then_some(AlertDescription::HANDSHAKE_FAILURE),
        version: chosen.map(|(version, _)| version.parse().unwrap()),
        suite: chosen.map(|(_, suite)| suite.parse().unwrap()),
        group: None,
        signature_scheme: None,
        signature: Some(SignatureCheck::Verified),
        presented: None,
        downgrade_mark: Some(crate::model::DowngradeMark::None),
        dh_bits: None,
        renegotiation_info: Some(true),
        client_certificate_requested: false,
        names_host: true,
        handshake: None,
    }
}

/// Delivery, reason, basis, version, suite, steps down; what is absent is `-`.
fn told(outcome: &Outcome) -> String {
    let session = outcome.session.clone().unwrap_or_default();
    let word = |word: Option<String>| word.unwrap_or_else(|| "-".into());
    [
        outcome.delivery.to_string(),
        word(outcome.reason.map(|reason| reason.to_string())),
        word(outcome.basis.map(|basis| basis.name().into())),
        word(session.version.map(|version| version.to_string())),
        word(session.suite.map(|suite| suite.to_string())),
        word(session.steps_down.map(|steps| steps.to_string())),
    ]
    .join(" ")
}

const GCM: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
const GCM128: &str = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
const ECDSA: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";

/// Of sessions of the scanner (sender, version, suite, group and algorithm of
/// the server's key) what the sender comes to.
const TAKEN_OVER: [(&str, &str, &str, &str, &str, &str); 12] = [
    // The same suite and a group of the sender's.
    (
        "exchange-online",
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        "secp384r1",
        "ECDSA",
        "encrypted - observed TLSv1.3 TLS_AES_256_GCM_SHA384 0",
    ),
    (
        "exchange-online",
        "TLSv1.3",
        "TLS_AES_128_GCM_SHA256",
        "secp256r1",
        "RSA",
        "encrypted - inferred TLSv1.3 TLS_AES_128_GCM_SHA256 1",
    ),
    // A group that the sender lacks: whether the server has another was not seen.
    (
        "exchange-online",
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        "X25519MLKEM768",
        "RSA",
        "undetermined no_published_group - - - -",
    ),
    // A suite that it lacks.
    (
        "exchange-online",
        "TLSv1.3",
        "TLS_CHACHA20_POLY1305_SHA256",
        "secp384r1",
        "RSA",
        "undetermined no_published_suite - - - -",
    ),
    // Below TLS 1.3 it offers CBC suites, which the server may prefer.
    (
        "exchange-online",
        "TLSv1.2",
        GCM,
        "secp384r1",
        "RSA",
        "encrypted - inferred TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 2",
    ),
    (
        "rfc9325",
        "TLSv1.2",
        GCM128,
        "x25519",
        "RSA",
        "encrypted - observed TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 3",
    ),
    // It prefers another group, which a server may take that follows the client.
    (
        "rfc9325",
        "TLSv1.2",
        GCM128,
        "secp256r1",
        "RSA",
        "encrypted - inferred TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 3",
    ),
    // The order of the two differs: by its own preference the server
    // would choose the same, by the client's perhaps not.
    (
        "rfc9325",
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        "x25519",
        "RSA",
        "encrypted - inferred TLSv1.3 TLS_AES_256_GCM_SHA384 1",
    ),
    // Only ECDSA was shown, and no published list has it.
    ("exchange-online", "TLSv1.2", ECDSA, "secp384r1", "ECDSA", "undetermined no_published_suite - - - -"),
    (
        "postfix-may",
        "TLSv1.2",
        ECDSA,
        "x25519",
        "ECDSA",
        "encrypted - inferred TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 9",
    ),
    // A sender without TLS 1.3: the server may have that alone.
    (
        "exchange-online-2020",
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        "secp384r1",
        "RSA",
        "undetermined no_published_version - - - -",
    ),
    (
        "exchange-online-2020",
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        "secp384r1",
        "ECDSA",
        "undetermined no_published_suite - - - -",
    ),
];

#[test]
fn what_the_scanner_negotiated_is_taken_over_only_where_it_must_be_the_same() {
    for (name, version, suite, group, key, expected) in TAKEN_OVER {
        let outcome = outcome(&sender(name), &shaken(version, suite, group, key));
        assert_eq!(told(&outcome), expected, "{name} {version} {suite}");
    }
}

#[test]
fn the_senders_own_hello_decides() {
    let exchange = sender("exchange-online");
    let mut found = shaken("TLSv1.2", GCM, "x25519", "RSA");
    let cbc = ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384");
    found.extra_client_hellos = [hello(HelloPurpose::Sender, &exchange, HelloEnd::Agreed, Some(cbc))].into();
    let answer = outcome(&exchange, &found);
    assert_eq!(told(&answer), format!("encrypted - observed TLSv1.2 {} 4", cbc.1));
    let declined: Vec<_> =
        answer.session.unwrap().declined_suites.iter().map(|suite| suite.to_string()).collect();
    assert_eq!(declined, ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", GCM, GCM128]);
    // To another sender it is no answer.
    assert_eq!(told(&outcome(&sender("rfc9325"), &found)), format!("encrypted - inferred TLSv1.2 {GCM} 4"));
}

#[test]
fn a_refused_offer_says_what_the_server_lacks() {
    let exchange = sender("exchange-online");
    let no = hello(HelloPurpose::Sender, &exchange, HelloEnd::Alert, None);
    let version = |chosen| hello(HelloPurpose::Version, &exchange, HelloEnd::Agreed, Some(chosen));
    let old = version(("TLSv1.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"));
    let camellia = version(("TLSv1.2", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"));
    for (hellos, reason) in [
        (vec![no.clone(), old.clone()], "no_published_version"),
        (vec![no.clone(), camellia, old], "no_published_suite"),
        (vec![no.clone()], "offer_refused"),
    ] {
        let found = refused(hellos);
        let answer = outcome(&exchange, &found);
        assert_eq!(told(&answer), format!("deferred {reason} assumed - - -"));
        let logged = answer.logged.unwrap();
        assert_eq!(&*logged.code, "450 4.4.317");
        assert!(logged.text.starts_with("451 4.4.0 TLS negotiation failed"));
        let plain = exchange.clone().with_after_tls_failure(AfterTlsFailure::Plaintext);
        assert_eq!(told(&outcome(&plain, &found)), format!("plaintext {reason} observed - - -"));
    }
    // A refusal that nobody looked into is not determined, and neither is one
    // in which the server only hung up.
    let closed = hello(HelloPurpose::Sender, &exchange, HelloEnd::Closed, None);
    for hellos in [vec![], vec![closed]] {
        assert_eq!(told(&outcome(&exchange, &refused(hellos))), "undetermined tls_alert - - - -");
    }
}

#[test]
fn an_alert_that_says_nothing_of_the_offer_refuses_nothing() {
    // close_notify, bad_record_mac, access_denied, internal_error, user_canceled.
    for alert in [0, 20, 49, 80, 90] {
        for name in ["exchange-online", "postfix-may"] {
            let sender = sender(name);
            let mut own = hello(HelloPurpose::Sender, &sender, HelloEnd::Alert, None);
            own.alert = Some(AlertDescription(alert));
            let mut newest = hello(HelloPurpose::Version, &sender, HelloEnd::Alert, None);
            newest.alert = own.alert;
            let told = told(&outcome(&sender, &refused(vec![own, newest])));
            assert_eq!(told, "undetermined tls_alert - - - -", "alert {alert}, {name}");
        }
    }
}

#[test]
fn only_a_host_that_says_so_takes_mail_in_clear() {
    let clear = ["ehlo_helo_only", "starttls_not_offered", "starttls_keyword_mangled", "starttls_refused"];
    for phase in Phase::ALL {
        for kind in Kind::ALL {
            let name = format!("{phase}_{kind}");
            let found = finding(Some(Failure::new(phase, *kind)), None);
            let says_so = clear.contains(&name.as_str());
            for (who, then) in [("exchange-online", "plaintext"), ("postfix-encrypt", "deferred")] {
                let expected = match name.as_str() {
                    // No client in the world goes on after them; after the last
                    // none that offers TLS 1.3.
                    "tls_signature_failed" | "tls_bad_certificate" | "tls_downgrade_detected" => "deferred",
                    // Nor comes any to it.
                    "connect_refused" | "connect_unreachable" | "connect_timeout" => "deferred",
                    _ if says_so => then,
                    _ => "undetermined",
                };
                assert_eq!(outcome(&sender(who), &found).delivery.name(), expected, "{who} {name}");
            }
        }
    }
}

#[test]
fn a_certificate_with_sha1_ends_the_handshake_of_a_sender_that_refuses_it() {
    let mut found = shaken("TLSv1.2", GCM, "secp384r1", "RSA");
    found.tls.as_mut().unwrap().leaf = leaf("RSA", true);
    assert_eq!(told(&outcome(&sender("exchange-online"), &found)), "deferred sha1_certificate assumed - - -");
    assert_eq!(outcome(&sender("postfix-may"), &found).delivery, Delivery::Encrypted);
}

/// Before TLS 1.2 a server signs under SHA-1 whatever it has; where nothing is
/// signed there is nothing to refuse.
#[test]
fn a_signature_with_sha1_ends_the_handshake_of_a_sender_that_refuses_it() {
    for (version, suite, refused) in [
        ("TLSv1.0", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", true),
        ("TLSv1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", true),
        ("TLSv1.0", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", true),
        ("TLSv1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", false),
        ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", false),
    ] {
        for who in ["opensmtpd", "exim", "postfix-may"] {
            let sender = sender(who);
            let agreed = hello(HelloPurpose::Sender, &sender, HelloEnd::Agreed, Some((version, suite)));
            let outcome = outcome(&sender, &self::refused(vec![agreed]));
            let expected = if refused && who == "opensmtpd" {
                (Delivery::Plaintext, Some(Reason::Sha1Signature))
            } else if sender.offer().rank(suite.parse().unwrap()).is_none() {
                (Delivery::Plaintext, Some(Reason::NoPublishedSuite))
            } else {
                (Delivery::Encrypted, None)
            };
            assert_eq!((outcome.delivery, outcome.reason), expected, "{who} {version} {suite}");
        }
    }
}

#[test]
fn what_is_logged_is_what_the_table_has() {
    let exchange = sender("exchange-online");
    for (phase, kind, code) in [
        (Phase::Dns, Kind::Servfail, Some("450 4.4.312")),
        (Phase::Connect, Kind::Timeout, Some("450 4.4.315")),
        (Phase::Connect, Kind::Refused, Some("450 4.4.316")),
        (Phase::Greeting, Kind::Rejected, Some("450 4.4.317")),
        (Phase::Ehlo, Kind::Closed, Some("450 4.4.318")),
        (Phase::Starttls, Kind::NotOffered, None),
        (Phase::Dns, Kind::LocalError, None),
        (Phase::Dns, Kind::Closed, None),
        (Phase::Dns, Kind::TooMany, None),
        (Phase::Connect, Kind::NoRoute, None),
    ] {
        let logged = outcome(&exchange, &finding(Some(Failure::new(phase, kind)), None)).logged;
        assert_eq!(logged.as_ref().map(|logged| &*logged.code), code, "{phase} {kind}");
    }
}

/// A key of Ed25519 signs for nobody who offers no scheme of it.
#[test]
fn a_key_that_signs_under_no_scheme_of_the_senders_fails_it() {
    let mut found = shaken("TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp384r1", "Ed25519");
    found.tls.as_mut().unwrap().signature_scheme = Some(SignatureScheme(0x0807));
    let exchange = sender("exchange-online");
    let lacks = "no_published_signature_scheme";
    // It may have another certificate.
    let open = format!("undetermined {lacks} - - - -");
    assert_eq!(told(&outcome(&exchange, &found)), open);
    assert_eq!(outcome(&sender("postfix-may"), &found).delivery, Delivery::Encrypted);
    // A HelloRetryRequest alone is no answer to that.
    let retry = HelloFinding {
        hello_retry: true,
        ..hello(
            HelloPurpose::Sender,
            &exchange,
            HelloEnd::Agreed,
            Some(("TLSv1.3", "TLS_AES_256_GCM_SHA384")),
        )
    };
    found.extra_client_hellos = [retry].into();
    assert_eq!(told(&outcome(&exchange, &found)), open);
    found.extra_client_hellos = [hello(HelloPurpose::Sender, &exchange, HelloEnd::Alert, None)].into();
    assert_eq!(told(&outcome(&exchange, &found)), format!("deferred {lacks} assumed - - -"));
}

#[test]
fn a_hello_retry_request_alone_is_no_whole_answer() {
    let exchange = sender("exchange-online");
    let mut found = shaken("TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519", "RSA");
    let own = |hello_retry| HelloFinding {
        hello_retry,
        signature: Some(SignatureCheck::NotShown),
        ..hello(
            HelloPurpose::Sender,
            &exchange,
            HelloEnd::Agreed,
            Some(("TLSv1.3", "TLS_AES_256_GCM_SHA384")),
        )
    };
    for (hello_retry, basis) in [(true, Basis::Inferred), (false, Basis::Observed)] {
        found.extra_client_hellos = [own(hello_retry)].into();
        assert_eq!(outcome(&exchange, &found).basis, Some(basis));
    }
}

/// The answer to a sender's own offer of TLS 1.3, in TLS 1.2, with a mark.
fn marked(sender: &Sender, mark: Option<DowngradeMark>) -> HelloFinding {
    let newest = sender.versions.value.iter().copied().max().unwrap();
    let answer = hello(HelloPurpose::Sender, sender, HelloEnd::Agreed, Some(("TLSv1.2", GCM)));
    HelloFinding { offered_version: newest, downgrade_mark: mark, ..answer }
}

#[test]
fn a_server_that_was_brought_down_ends_the_handshake_of_tls13() {
    let ended = Failure::new(Phase::Tls, Kind::DowngradeDetected);
    let found = |hellos: Vec<HelloFinding>| {
        let tls = TlsFinding {
            version: Some(ProtocolVersion::TLS12),
            suite: GCM.parse().ok(),
            ..TlsFinding::default()
        };
        Finding { extra_client_hellos: hellos.into(), ..finding(Some(ended.clone()), Some(tls)) }
    };
    let [new, old] = [sender("exchange-online"), sender("exchange-online-2020")];
    let failed = "deferred tls_downgrade_detected assumed - - -";
    let open = "undetermined tls_downgrade_detected - - - -";
    for (sender, mark, expected) in [
        (&new, Some(DowngradeMark::Tls12), failed),
        (&new, Some(DowngradeMark::Tls11), open),
        (
            &new,
            Some(DowngradeMark::None),
            "encrypted - observed TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 2",
        ),
        (
            &old,
            Some(DowngradeMark::Tls12),
            "encrypted - observed TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 0",
        ),
    ] {
        let outcome = outcome(sender, &found(vec![marked(sender, mark)]));
        assert_eq!(told(&outcome), expected, "{} {mark:?}", sender.name);
    }
    // No hello of the sender's own: one that offers TLS 1.3 fares like the scanner.
    assert_eq!(told(&outcome(&new, &found(Vec::new()))), failed);
    assert_eq!(told(&outcome(&old, &found(Vec::new()))), open);
    // What nobody looked at is not known.
    let unrecorded = outcome(&new, &found(vec![marked(&new, None)]));
    assert_eq!(unrecorded.unproven, Some(CheckCause::NotRecorded));
}

#[test]
fn a_mark_that_makes_no_sense_leaves_a_session_open() {
    let mut went_on = shaken("TLSv1.2", GCM, "secp384r1", "RSA");
    went_on.tls.as_mut().unwrap().downgrade_mark = Some(DowngradeMark::Tls11);
    let told_by = |name: &str| told(&outcome(&sender(name), &went_on));
    assert_eq!(told_by("exchange-online"), "undetermined tls_downgrade_detected - - - -");
    assert!(told_by("exchange-online-2020").starts_with("encrypted"), "{}", told_by("exchange-online-2020"));
}

#[test]
fn over_a_form_on_which_clients_differ_nothing_is_known() {
    let mut odd = shaken("TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp384r1", "RSA");
    odd.tls.as_mut().unwrap().chain = Some(crate::model::ChainStatus::Valid);
    odd.tls.as_mut().unwrap().dates = Some(crate::model::DateStatus::Valid);
    odd.tls.as_mut().unwrap().disputed = true;
    for name in Sender::names() {
        let outcome = outcome(&sender(name), &odd);
        if outcome.delivery != Delivery::Undetermined || outcome.reason != Some(Reason::CertificateForm) {
            panic!("{name}: {}", told(&outcome));
        }
    }
}

#[test]
fn a_certificate_that_is_none_is_decided_for_every_sender() {
    let failure = Failure::new(Phase::Tls, Kind::BadCertificate);
    let found = finding(Some(failure), Some(TlsFinding::default()));
    for name in Sender::names() {
        let outcome = outcome(&sender(name), &found);
        assert!(told(&outcome).contains(" tls_bad_certificate "), "{name}: {}", told(&outcome));
        assert_ne!(outcome.delivery, Delivery::Undetermined, "{name}");
    }
    let exchange = sender("exchange-online");
    let shown = hello(HelloPurpose::Sender, &exchange, HelloEnd::BadCertificate, Some(("TLSv1.2", GCM)));
    let outcome = outcome(&exchange, &refused(vec![shown]));
    assert_eq!(told(&outcome), "deferred tls_bad_certificate assumed - - -");
}

/// A server of TLS 1.2 with two certificates, that showed the one of ECDSA.
#[test]
fn what_an_enumeration_found_counts_for_a_sender_that_was_not_asked_for() {
    const ECDSA: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    let accepted = |suites: &[&str]| -> Vec<AcceptedSuite> {
        suites.iter().map(|suite| AcceptedSuite { suite: suite.parse().unwrap(), dh_bits: None }).collect()
    };
    let version = |version, suites: &[&str], gap| VersionSuites {
        version,
        suites: accepted(suites),
        preference: (suites.len() > 1).then_some(Preference::Server),
        gap,
        groups: (!suites.is_empty()).then(|| AcceptedGroups { groups: vec![NamedGroup(24)], gap: None }),
    };
    let (tls13, tls12) = (ProtocolVersion::TLS13, ProtocolVersion::TLS12);
    for (suites, gap, expected) in [
        (&[ECDSA, GCM][..], None, "encrypted - inferred TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 2"),
        (&[ECDSA], None, "deferred no_published_suite assumed - - -"),
        (&[ECDSA], Some(Gap::Budget), "undetermined no_published_suite - - - -"),
    ] {
        let versions = vec![version(tls13, &[], None), version(tls12, suites, gap)];
        let found = Enumeration { versions, sslv2: false, connections: 30 };
        let mut seen = shaken("TLSv1.2", ECDSA, "secp384r1", "ECDSA");
        seen.enumerated = Some(Box::new(Enumerated { found, names_host: true }));
        // Where the handshake failed, nobody knows of renegotiation, either.
        let failed = Finding { enumerated: seen.enumerated.clone(), ..refused(Vec::new()) };
        let open = "undetermined tls_alert - - - -".to_string();
        let then = if gap.is_some() { open } else { expected.replace("inferred", "assumed") };
        assert_eq!(told(&outcome(&sender("exchange-online"), &failed)), then, "{suites:?} {gap:?}");
        let outcome = outcome(&sender("exchange-online"), &seen);
        assert_eq!(told(&outcome), expected, "{suites:?} {gap:?}");
        let unproven = outcome.unproven;
        assert_eq!(unproven.is_some(), outcome.delivery == Delivery::Encrypted, "another key, not seen");
    }
}
