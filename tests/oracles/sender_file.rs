//! Sender files: within their limits and consistent, or refused by one line;
//! and what such a sender would do is what it offers.

use super::{Seed, message};
use mxray::internals::model::{
    CipherSuite, Delivery, Endpoint, Failure, Finding, Kind, NamedGroup, Outcome, Phase, ProbeKey,
    ProtocolVersion, SignatureCheck, TlsFinding,
};
use mxray::internals::sender::{SENDER_LIST_MAX, SENDER_TEXT_BYTES_MAX, Sender};
use mxray::internals::verdict::outcome::outcome;

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let sender = match Sender::parse(text) {
        Ok(sender) => sender,
        Err(error) => return message::check(&error.to_string()),
    };
    assert_eq!(Sender::parse(text).as_ref(), Ok(&sender), "read the same again");
    check_limits(&sender);
    check_offer(&sender);
    for finding in findings() {
        let judged = outcome(&sender, &finding);
        check_outcome(&sender, &finding, &judged);
        assert_eq!(judged, outcome(&sender, &finding), "judged the same again");
    }
}

fn check_limits(sender: &Sender) {
    let lists = [
        sender.versions.value.len(),
        sender.suites_tls13.value.len(),
        sender.suites.value.len(),
        sender.groups.value.len(),
        sender.signature_schemes.value.len(),
    ];
    assert!(lists.into_iter().all(|length| length <= SENDER_LIST_MAX));
    let codes = sender.codes.values().flat_map(|code| [&code.code, &code.text, &code.source]);
    for text in codes.chain([&sender.name, &sender.title]) {
        assert!((1..=SENDER_TEXT_BYTES_MAX).contains(&text.len()));
    }
    for (source, assumption) in [
        (&sender.versions.source, &sender.versions.assumption),
        (&sender.suites.source, &sender.suites.assumption),
        (&sender.after_tls_failure.source, &sender.after_tls_failure.assumption),
    ] {
        assert!(source.is_some() || assumption.is_some(), "every value has its source");
    }
}

fn check_offer(sender: &Sender) {
    let offer = sender.offer();
    assert_eq!(offer.id(), sender.offer().id());
    assert!(offer.versions.is_sorted_by(|newer, older| newer > older) && !offer.versions.is_empty());
    for (rank, suite) in offer.suites.iter().enumerate() {
        let found = offer.rank(*suite).expect("what is offered has a rank");
        assert!(found <= rank && offer.suites[found] == *suite);
    }
}

/// One in clear, one that timed out, sessions of both versions, and the same
/// with a signature that fails.
fn findings() -> Vec<Finding> {
    let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
    let failed = |phase, kind| Finding {
        key: key.clone(),
        failure: Some(Failure::new(phase, kind)),
        tls: None,
        extra_client_hellos: [].into(),
        enumerated: None,
        starttls_forms: Default::default(),
        reply_forms: Default::default(),
    };
    let shaken = |version, suite, signature| Finding {
        tls: Some(TlsFinding {
            version: Some(version),
            suite: Some(CipherSuite(suite)),
            group: Some(NamedGroup(29)),
            signature: Some(signature),
            ..TlsFinding::default()
        }),
        failure: None,
        ..failed(Phase::Tls, Kind::Timeout)
    };
    vec![
        failed(Phase::Starttls, Kind::NotOffered),
        failed(Phase::Tls, Kind::Timeout),
        shaken(ProtocolVersion::TLS13, 0x1302, SignatureCheck::Verified),
        shaken(ProtocolVersion::TLS12, 0xc02f, SignatureCheck::Verified),
        shaken(ProtocolVersion::TLS13, 0x1302, SignatureCheck::Failed),
        shaken(ProtocolVersion::TLS12, 0xc02f, SignatureCheck::Failed),
    ]
}

fn check_outcome(sender: &Sender, finding: &Finding, outcome: &Outcome) {
    assert_eq!(outcome.reason.is_none(), outcome.delivery == Delivery::Encrypted, "{outcome:?}");
    assert_eq!(outcome.session.is_some(), outcome.delivery == Delivery::Encrypted, "{outcome:?}");
    assert!(
        !(sender.requires_tls.value && outcome.delivery == Delivery::Plaintext),
        "it sends through TLS only"
    );
    let timed_out = finding.failure.as_ref().is_some_and(|failure| failure.kind == Kind::Timeout);
    assert!(!timed_out || outcome.delivery == Delivery::Undetermined, "silence is no answer: {outcome:?}");
    let failed = finding.tls.as_ref().is_some_and(|tls| tls.signature == Some(SignatureCheck::Failed));
    assert!(!failed || outcome.delivery != Delivery::Encrypted, "no client goes on after that: {outcome:?}");
    let Some(session) = &outcome.session else { return };
    let offer = sender.offer();
    assert!(session.version.is_none_or(|version| offer.versions.contains(&version)), "{session:?}");
    assert!(session.group.is_none_or(|group| offer.groups.contains(&group)), "{session:?}");
    let rank = session.suite.map(|suite| offer.rank(suite).expect("no suite that it does not offer"));
    assert_eq!(session.steps_down.map(usize::from), rank);
    assert_eq!(session.declined_suites, offer.suites[..rank.unwrap_or(0)]);
}

pub fn seeds() -> Vec<Seed> {
    let short = b"name = 's'\ntitle = 't'\nversions = { value = ['TLSv1.2'], source = 'a' }\n\
        suites_tls13 = { value = [], source = 'a' }\n\
        suites = { value = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'], assumption = 'b' }\n\
        groups = { value = ['x25519'], source = 'a' }\n\
        signature_schemes = { value = ['rsa_pkcs1_sha256'], source = 'a' }\n\
        refuses_sha1_certificates = { value = false, source = 'a' }\nrequires_tls = { value = true, source = 'a' }\n\
        after_tls_failure = { value = 'defer', source = 'a' }\n\
        wildcard_covers_apex = { value = false, source = 'a' }\n\
        address_families = { value = ['ipv4'], source = 'a' }\nretry_hours = { value = 24, source = 'a' }\n\
        [codes]\ntls_failed = { code = '450 4.4.317', text = 'x', source = 'a' }\n";
    let odd_key = b"name = 's'\n\"t\\u001b\\ntle\" = 't'\n".to_vec();
    let twice = String::from_utf8(short.to_vec()).unwrap().replace("['x25519']", "['x25519', 'x25519']");
    vec![
        ("exchange-online", include_bytes!("../../datasets/senders/exchange-online.toml").to_vec()),
        ("rfc9325", include_bytes!("../../datasets/senders/rfc9325.toml").to_vec()),
        ("short", short.to_vec()),
        ("key-with-an-escape", odd_key),
        ("group-twice", twice.into_bytes()),
    ]
}

#[test]
fn the_short_sender_is_one() {
    let (_, text) = seeds().swap_remove(2);
    assert_eq!(Sender::parse(std::str::from_utf8(&text).unwrap()).map(|sender| sender.name), Ok("s".into()));
}
