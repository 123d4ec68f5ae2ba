//! The rules of the opportunistic sender, one table each.

use super::*;
use crate::model::registry::CipherSuite;
use crate::model::{
    DomainName, Endpoint, Exchange, Failure, HelloEnd, HelloFinding, HelloPurpose, Kind, Leaf, MxHost, Phase,
    Presented, ProbeKey, Sha256, SignatureCheck, Subject, Target,
};
use std::net::IpAddr;

fn sender() -> Sender {
    Sender::named("exchange-online").unwrap()
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Facts of `example.com` with one exchange for each list of last octets.
fn facts(exchanges: &[&[u8]]) -> DomainFacts {
    let exchanges = exchanges.iter().enumerate().map(|(index, octets)| Exchange {
        preference: 10 * (u16::try_from(index).unwrap() + 1),
        host: Some(MxHost::new(&format!("mx{index}.example.com"))),
        addresses: octets.iter().map(|last| ip(*last)).collect(),
        addresses_excess: Some(0),
        failure: octets.is_empty().then(|| Failure::new(Phase::Dns, Kind::Nxdomain)),
    });
    DomainFacts {
        target: target(),
        exchanges: exchanges.collect(),
        implicit_mx: false,
        exchanges_excess: Some(0),
        smart_hosts: false,
        failure: None,
    }
}

#[test]
fn smart_hosts_that_are_not_to_be_found_say_nothing_of_the_domain() {
    let failure = Some(Failure::new(Phase::Dns, Kind::MxUnusable));
    for (smart_hosts, delivery, code) in
        [(false, Delivery::Undeliverable, None), (true, Delivery::Deferred, Some("450 4.4.312"))]
    {
        let facts = DomainFacts { smart_hosts, failure: failure.clone(), ..facts(&[]) };
        let outcome = verdict(&sender(), &Connectors::default(), &facts, &[]).outcome;
        let logged = outcome.logged.as_ref().map(|logged| &*logged.code);
        assert_eq!((outcome.delivery, logged), (delivery, code), "{smart_hosts}");
    }
}

fn target() -> Target {
    Target { line: 1, subject: Subject::Domain(DomainName::parse("example.com").unwrap()) }
}

fn probe(index: usize, last: u8, failure: Option<Failure>, tls: Option<TlsFinding>) -> (usize, Arc<Finding>) {
    let key = ProbeKey { endpoint: Endpoint { ip: ip(last), port: 25 }, sni: None };
    (index, Arc::new(Finding { key, failure, tls, hellos: Box::new([]) }))
}

fn failed(index: usize, last: u8, phase: Phase, kind: Kind) -> (usize, Arc<Finding>) {
    probe(index, last, Some(Failure::new(phase, kind)), None)
}

fn secure() -> TlsFinding {
    TlsFinding {
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1301)),
        signature: Some(SignatureCheck::Verified),
        chain: Some(ChainStatus::Valid),
        dates: Some(DateStatus::Valid),
        leaf: Some(leaf(&["*.example.com"])),
        ..TlsFinding::default()
    }
}

fn leaf(names: &[&str]) -> Arc<Leaf> {
    Arc::new(Leaf {
        sha256: Sha256([0; 32]),
        dns_names: names.iter().map(|name| (*name).into()).collect(),
        ip_addresses: Box::new([]),
        common_name: None,
        key_algorithm: Some("RSA".into()),
        subject: None,
        thumbprint: [0; 20],
        signed_with_sha1: None,
    })
}

fn encrypted(index: usize, last: u8) -> (usize, Arc<Finding>) {
    probe(index, last, None, Some(secure()))
}

/// Delivery, reason, and the last octets of best and weakest.
fn told(verdict: &Verdict) -> (String, Option<IpAddr>, Option<IpAddr>) {
    let text = match verdict.outcome.reason {
        Some(reason) => format!("{} {reason}", verdict.outcome.delivery),
        None => verdict.outcome.delivery.to_string(),
    };
    let at = |view: &Option<View>| view.as_ref().map(|view| view.finding.key.endpoint.ip);
    (text, at(&verdict.best), at(&verdict.weakest))
}

#[test]
fn dns_failures_decide_without_a_probe() {
    for (phase, kind, expected) in [
        (Phase::Dns, Kind::Nxdomain, "undeliverable dns_nxdomain"),
        (Phase::Dns, Kind::NoData, "undeliverable dns_no_data"),
        (Phase::Dns, Kind::NullMx, "undeliverable dns_null_mx"),
        (Phase::Dns, Kind::MxUnusable, "undeliverable dns_mx_unusable"),
        (Phase::Dns, Kind::Servfail, "undetermined dns_servfail"),
        (Phase::Dns, Kind::Timeout, "undetermined dns_timeout"),
        (Phase::Input, Kind::Blocklisted, "undetermined input_blocklisted"),
        (Phase::Input, Kind::InvalidName, "undetermined input_invalid_name"),
    ] {
        let facts = DomainFacts::failed(target(), Failure::new(phase, kind));
        assert_eq!(
            told(&verdict(&sender(), &Connectors::default(), &facts, &[])),
            (expected.into(), None, None)
        );
    }
}

#[test]
fn the_best_that_answers_decides() {
    let throttled = |index, last| failed(index, last, Phase::Greeting, Kind::Throttled);
    let refused = |index, last| failed(index, last, Phase::Connect, Kind::Refused);
    let clear = |index, last| failed(index, last, Phase::Starttls, Kind::NotOffered);
    let handshake = |index, last| failed(index, last, Phase::Tls, Kind::Alert);
    let facts = facts(&[&[], &[2, 1], &[3]]);
    for (probes, expected, best, weakest) in [
        (vec![encrypted(1, 2), clear(2, 3)], "encrypted", Some(2), Some(3)),
        (vec![clear(1, 2), encrypted(1, 1)], "plaintext starttls_not_offered", Some(2), Some(2)),
        // Address order is that of the facts, whatever the order of arrival.
        (vec![clear(1, 1), encrypted(1, 2)], "encrypted", Some(2), Some(1)),
        (vec![encrypted(2, 3), clear(1, 1)], "plaintext starttls_not_offered", Some(1), Some(1)),
        (vec![throttled(1, 2), encrypted(2, 3)], "encrypted", Some(3), Some(3)),
        (vec![refused(1, 2), handshake(1, 1), throttled(2, 3)], "undetermined tls_alert", Some(1), None),
        (vec![throttled(1, 1), throttled(1, 2)], "undetermined greeting_throttled", Some(2), None),
        (vec![], "undetermined", None, None),
    ] {
        let (text, found_best, found_weakest) =
            told(&verdict(&sender(), &Connectors::default(), &facts, &probes));
        assert_eq!(
            (text.as_str(), found_best, found_weakest),
            (expected, best.map(ip), weakest.map(ip)),
            "{probes:?}"
        );
    }
}

#[test]
fn the_view_of_an_endpoint_is_the_domains_own() {
    let facts = facts(&[&[1]]);
    for (names, expected) in [
        (&["mx0.example.com"][..], NameStatus::MxHost),
        (&["example.com"], NameStatus::Domain),
        (&["mx.example.net"], NameStatus::None),
    ] {
        let tls = TlsFinding { leaf: Some(leaf(names)), ..secure() };
        let view =
            verdict(&sender(), &Connectors::default(), &facts, &[probe(0, 1, None, Some(tls))]).best.unwrap();
        assert_eq!(view.name, Some(expected));
        assert_eq!((view.preference, view.host), (10, Some(MxHost::new("mx0.example.com"))));
    }
    let view =
        verdict(&sender(), &Connectors::default(), &facts, &[failed(0, 1, Phase::Starttls, Kind::Refused)])
            .best
            .unwrap();
    assert_eq!(view.name, None);
}

/// What the scanner's own handshake came to: one of its nine suites, in TLS 1.2
/// or 1.3, or nothing.
type Seen = (Option<Failure>, Option<TlsFinding>, Vec<HelloFinding>);

/// A session of the scanner's, but for `change`.
fn shaken(change: fn(&mut TlsFinding)) -> Seen {
    let mut tls = secure();
    change(&mut tls);
    assert!(tls.version >= Some(ProtocolVersion::TLS12), "no handshake of the scanner's");
    assert!(
        tls.suite.is_some_and(|suite| outcome::SCANNER_SUITES.contains(&suite)),
        "no suite of the scanner's"
    );
    (None, Some(tls), Vec::new())
}

/// A server that refused the scanner, and took this of the sender's offer.
fn agreed(sender: &Sender, version: ProtocolVersion, suite: &str, chain: ChainStatus) -> Seen {
    let offer = sender.offer();
    let leaf = secure().leaf.unwrap();
    let hello = HelloFinding {
        purpose: HelloPurpose::Sender,
        offer: Some(offer.id().into()),
        offered_version: ProtocolVersion::TLS13,
        offered_suites: offer.suites.len(),
        end: HelloEnd::Agreed,
        alert: None,
        version: Some(version),
        suite: suite.parse().ok(),
        group: None,
        signature_scheme: None,
        signature: Some(SignatureCheck::Verified),
        presented: Some(Presented { chain, dates: DateStatus::Valid, leaf, disputed: false }),
        downgrade_mark: Some(crate::model::DowngradeMark::None),
    };
    (Some(Failure::new(Phase::Tls, Kind::Alert)), None, vec![hello])
}

fn seen(index: usize, last: u8, (failure, tls, hellos): &Seen) -> (usize, Arc<Finding>) {
    let (index, finding) = probe(index, last, failure.clone(), tls.clone());
    (index, Arc::new(Finding { hellos: hellos.as_slice().into(), ..Finding::clone(&finding) }))
}

#[test]
fn the_weakest_has_lost_most() {
    // A sender that offers every version.
    let old = Sender::named("postfix-may").unwrap();
    let hello = |version, suite, chain| agreed(&old, version, suite, chain);
    let (ecdhe, rsa) = ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA");
    // Weakest first; each is weaker than all that follow.
    let ranked = [
        (Some(Failure::new(Phase::Starttls, Kind::NotOffered)), None, Vec::new()),
        hello(ProtocolVersion::TLS10, rsa, ChainStatus::Valid),
        hello(ProtocolVersion::TLS10, ecdhe, ChainStatus::SelfSigned),
        hello(ProtocolVersion::TLS10, ecdhe, ChainStatus::Valid),
        hello(ProtocolVersion::TLS11, ecdhe, ChainStatus::Valid),
        hello(ProtocolVersion::TLS12, rsa, ChainStatus::Valid),
        shaken(|tls| {
            tls.version = Some(ProtocolVersion::TLS12);
            tls.suite = Some(CipherSuite(0xc02f));
            tls.chain = Some(ChainStatus::SelfSigned);
        }),
        shaken(|tls| tls.chain = Some(ChainStatus::UntrustedRoot)),
        shaken(|tls| tls.dates = Some(DateStatus::Expired)),
        shaken(|tls| tls.leaf = Some(leaf(&["mx.example.net"]))),
        (None, Some(secure()), Vec::new()),
    ];
    let facts = facts(&[&[1], &[2]]);
    for (place, weaker) in ranked.iter().enumerate() {
        for stronger in &ranked[place + 1..] {
            let probes = [seen(0, 1, weaker), seen(1, 2, stronger)];
            let found = verdict(&old, &Connectors::default(), &facts, &probes);
            assert_eq!(told(&found).2, Some(ip(1)), "{weaker:?} {stronger:?}");
            let probes = [seen(0, 1, stronger), seen(1, 2, weaker)];
            let found = verdict(&old, &Connectors::default(), &facts, &probes);
            assert_eq!(told(&found).2, Some(ip(2)), "{weaker:?} {stronger:?}");
        }
    }
    let found = verdict(&old, &Connectors::default(), &facts, &[encrypted(1, 2), encrypted(0, 1)]);
    assert_eq!(told(&found).2, Some(ip(1)), "the first of equals");
}

#[test]
fn addresses_that_nobody_looked_at_count_as_unknown() {
    let refusing = |last| failed(0, last, Phase::Starttls, Kind::NotOffered);
    let mut cut = facts(&[&[1], &[2]]);
    cut.exchanges[1].addresses_excess = Some(3);
    let strict = Sender::named("postfix-encrypt").unwrap();
    for (facts, probes, expected) in [
        (&facts(&[&[1]]), vec![refusing(1)], "deferred starttls_not_offered"),
        (&cut, vec![refusing(1)], "undetermined dns_too_many"),
        (&cut, vec![failed(0, 1, Phase::Greeting, Kind::Throttled)], "undetermined greeting_throttled"),
        (&cut, vec![encrypted(0, 1)], "encrypted"),
    ] {
        assert_eq!(told(&verdict(&strict, &Connectors::default(), facts, &probes)).0, expected);
    }
}
