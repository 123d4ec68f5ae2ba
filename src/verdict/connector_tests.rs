//! What connectors make of a domain, as tables.

use super::*;
use crate::model::{
    Basis, ChainStatus, DateStatus, Exchange, Failure, ForcedTls, JudgedEndpoint, Kind, Leaf, MxHost,
    NegotiatedTls, Sha256, Subject, Target, TlsFinding,
};
use crate::sender::connector::parse_toml;
use crate::verdict::fixtures::{at, ip, judge_of_nothing, profile};
use crate::verdict::{SenderProfile, attempt};
use std::sync::Arc;

const CONNECTORS: &str = r#"
[[connector]]
name = "none"
domains = ["none.example"]

[[connector]]
name = "encryption"
domains = ["encryption.example"]
tls_settings = "EncryptionOnly"

[[connector]]
name = "certificate"
domains = ["certificate.example"]
tls_settings = "CertificateValidation"

[[connector]]
name = "domain"
domains = ["domain.example"]
tls_settings = "DomainValidation"
tls_domain = "*.contoso.com"

[[connector]]
name = "relay"
domains = ["relay.example"]
tls_settings = "EncryptionOnly"
use_mx_record = false
smart_hosts = ["relay.contoso.com"]
"#;

fn connectors() -> Connectors {
    parse_toml(CONNECTORS).unwrap().in_force(Vec::new()).unwrap()
}

fn facts(domain: &str, smart_hosts: bool, failure: Option<Failure>) -> DomainFacts {
    let exchange = Exchange::whole(10, Some(MxHost::new("mx.example")), vec![[192, 0, 2, 1].into()]);
    DomainFacts {
        smart_hosts,
        failure,
        ..DomainFacts::whole(
            Target { line: 1, subject: Subject::Domain(DomainName::parse(domain).unwrap()) },
            vec![exchange],
        )
    }
}

fn tls(chain: ChainStatus, dates: DateStatus, common_name: &str) -> TlsFinding {
    TlsFinding {
        chain: Some(chain),
        dates: Some(dates),
        leaf: Some(Arc::new(Leaf {
            sha256: Sha256([0; 32]),
            dns_names: Box::new([]),
            ip_addresses: Box::new([]),
            common_name: Some(common_name.into()),
            subject: Some(format!("O=Contoso, CN={common_name}").into()),
            key_algorithm: None,
            thumbprint: [0xab; 20],
            signed_with_sha1: Some(false),
        })),
        ..TlsFinding::default()
    }
}

/// `delivery reason code detail` of the only endpoint of a domain.
fn told(domain: &str, delivery: Delivery, reason: Option<Reason>, tls: Option<&TlsFinding>) -> String {
    let (whole, endpoint) = met(delivery, reason, tls);
    text(verdict(&exchange_online(), &facts(domain, false, None), &whole, vec![endpoint]).as_ref())
}

fn exchange_online() -> SenderProfile {
    profile("exchange-online")
}

/// What becomes of mail, and the endpoint that says so.
fn met(delivery: Delivery, reason: Option<Reason>, tls: Option<&TlsFinding>) -> (Outcome, JudgedEndpoint) {
    let outcome = match reason {
        None => Outcome::encrypted(Basis::Observed, NegotiatedTls::default()),
        Some(reason) => Outcome::without_tls(delivery, reason, Some(Basis::Observed)),
    };
    let endpoint = attempt::of_parts(
        at(ip(1), None, tls.cloned()),
        outcome.clone(),
        tls.and_then(TlsFinding::presented),
    );
    (outcome, endpoint)
}

fn verdict(
    profile: &SenderProfile,
    facts: &DomainFacts,
    whole: &Outcome,
    endpoints: Vec<JudgedEndpoint>,
) -> Option<ConnectorVerdict> {
    let probes: Vec<_> = endpoints.into_iter().map(|endpoint| (0, Arc::new(endpoint))).collect();
    under(&Domain::new(profile, &judge_of_nothing(), facts, &probes), &connectors(), whole)
}

fn text(verdict: Option<&ConnectorVerdict>) -> String {
    let Some(verdict) = verdict else { return "no connector".into() };
    let logged = verdict.logged.as_ref();
    let parts = [
        Some(verdict.delivery.name()),
        verdict.reason.as_deref(),
        logged.map(|logged| &*logged.code),
        logged.map(|logged| &*logged.text),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" | ")
}

fn reason(phase: Phase, kind: Kind) -> Option<Reason> {
    Some(Reason::from(&Failure::new(phase, kind)))
}

#[test]
fn each_failure_is_logged_by_the_code_of_exchange_online() {
    let thumbprint = "AB".repeat(20);
    let mismatch = format!(
        "deferred | name_mismatch | 450 4.4.317 | SubjectMismatch Expected Subject: *.contoso.com. \
        Presented Subject: O=Contoso, CN=contoso.com. Thumbprint: {thumbprint}."
    );
    let expired = format!(
        "deferred | expired | 450 4.4.317 | CertificateExpired Expected Subject: certificate.example. \
        Presented Subject: O=Contoso, CN=mx.contoso.com. Thumbprint: {thumbprint}."
    );
    let valid = (ChainStatus::Valid, DateStatus::Valid);
    for (domain, (chain, dates), name, expected) in [
        ("encryption.example", (ChainStatus::SelfSigned, DateStatus::Expired), "x", "delivered"),
        ("certificate.example", valid, "x", "delivered"),
        ("certificate.example", (ChainStatus::Valid, DateStatus::Expired), "mx.contoso.com", &expired),
        (
            "certificate.example",
            (ChainStatus::UntrustedRoot, DateStatus::Valid),
            "x",
            "deferred | untrusted_root | 450 4.7.320 | Certificate validation failed",
        ),
        ("domain.example", valid, "mx.contoso.com", "delivered"),
        ("domain.example", valid, "contoso.com", &mismatch),
        ("none.example", (ChainStatus::SelfSigned, DateStatus::Expired), "x", "delivered"),
        ("other.example", valid, "x", "no connector"),
    ] {
        let seen = tls(chain, dates, name);
        assert_eq!(told(domain, Delivery::Encrypted, None, Some(&seen)), expected, "{domain} {name}");
    }
}

#[test]
fn without_tls_it_depends_on_whether_the_connector_demands_it() {
    let not_offered = reason(Phase::Starttls, Kind::NotOffered);
    let required =
        "deferred | starttls_not_offered | 450 4.4.317 | 451 5.7.3 STARTTLS is required to send mail";
    assert_eq!(told("encryption.example", Delivery::Plaintext, not_offered, None), required);
    assert_eq!(told("domain.example", Delivery::Plaintext, not_offered, None), required);
    assert_eq!(told("none.example", Delivery::Plaintext, not_offered, None), "delivered");
    for (phase, kind, expected) in [
        (
            Phase::Greeting,
            Kind::Throttled,
            "greeting_throttled | 450 4.4.317 | Cannot connect to remote server",
        ),
        (Phase::Connect, Kind::Timeout, "connect_timeout | 450 4.4.315 | Connection timed out"),
        (
            Phase::Connect,
            Kind::Refused,
            "connect_refused | 450 4.4.316 | Connection refused [Message=Socket error code 10061]",
        ),
        (Phase::Greeting, Kind::Closed, "greeting_closed | 450 4.4.318 | Connection was closed abruptly"),
        (
            Phase::Tls,
            Kind::Alert,
            "tls_alert | 450 4.4.317 | 451 4.4.0 TLS negotiation failed with error SocketError",
        ),
        (Phase::Connect, Kind::LocalError, "connect_local_error"),
    ] {
        let found = told("encryption.example", Delivery::Undetermined, reason(phase, kind), None);
        assert_eq!(found, format!("undetermined | {expected}"));
    }
}

#[test]
fn smart_hosts_count_only_where_they_were_probed() {
    let (whole, endpoint) = met(Delivery::Encrypted, None, None);
    for (domain, probed, expected) in [
        ("relay.example", true, "delivered"),
        ("relay.example", false, "undetermined | not_probed"),
        ("encryption.example", true, "undetermined | not_probed"),
    ] {
        let facts = facts(domain, probed, None);
        let verdict = verdict(&exchange_online(), &facts, &whole, vec![endpoint.clone()]);
        assert_eq!(text(verdict.as_ref()), expected, "{domain}");
    }
}

#[test]
fn what_the_dns_decides_is_decided() {
    for (domain, smart_hosts, kind, delivery, expected) in [
        ("encryption.example", false, Kind::NullMx, Delivery::Undeliverable, "undeliverable | dns_null_mx"),
        ("none.example", false, Kind::Nxdomain, Delivery::Undeliverable, "undeliverable | dns_nxdomain"),
        (
            "encryption.example",
            false,
            Kind::Timeout,
            Delivery::Undetermined,
            "undetermined | dns_timeout | 450 4.4.312 | DNS query failed",
        ),
        (
            "relay.example",
            true,
            Kind::MxUnusable,
            Delivery::Undeliverable,
            "deferred | dns_mx_unusable | 450 4.4.312 | DNS query failed",
        ),
    ] {
        let facts = facts(domain, smart_hosts, Some(Failure::new(Phase::Dns, kind)));
        let whole = Outcome::without_tls(delivery, reason(Phase::Dns, kind).unwrap(), None);
        let verdict = verdict(&exchange_online(), &facts, &whole, Vec::new());
        assert_eq!(text(verdict.as_ref()), expected, "{domain}");
    }
}

#[test]
fn the_strengths_are_known_without_any_connector() {
    let seen = tls(ChainStatus::Valid, DateStatus::Valid, "other.example");
    let (whole, endpoint) = met(Delivery::Encrypted, None, Some(&seen));
    let facts = facts("other.example", false, None);
    let (profile, probes) = (exchange_online(), [(0, Arc::new(endpoint))]);
    let judge = judge_of_nothing();
    let domain = Domain::new(&profile, &judge, &facts, &probes);
    assert_eq!(domain.forced(&whole).0, ForcedTls::all(Check::Pass));
    assert!(under(&domain, &Connectors::default(), &whole).is_none());
}

#[test]
fn a_sender_without_words_for_it_logs_none() {
    let not_offered = (Delivery::Deferred, reason(Phase::Starttls, Kind::NotOffered));
    let refused = (Delivery::Undetermined, reason(Phase::Connect, Kind::Refused));
    for (name, whole, expected) in [
        (
            "postfix-encrypt",
            not_offered,
            "deferred | starttls_not_offered | 4.7.4 | TLS is required, but was not offered by host",
        ),
        ("rfc9325", not_offered, "deferred | starttls_not_offered"),
        ("postfix-may", refused, "undetermined | connect_refused | 4.4.1 | Connection refused"),
        ("rfc9325", refused, "undetermined | connect_refused"),
    ] {
        let (whole, endpoint) = met(whole.0, whole.1, None);
        let facts = facts("encryption.example", false, None);
        let verdict = verdict(&profile(name), &facts, &whole, vec![endpoint]);
        assert_eq!(text(verdict.as_ref()), expected, "{name}");
    }
}

#[test]
fn what_may_come_of_a_handshake_is_not_logged() {
    let found = told("encryption.example", Delivery::Undetermined, Some(Reason::NoPublishedSuite), None);
    assert_eq!(found, "undetermined | no_published_suite");
    let found = told("encryption.example", Delivery::Deferred, Some(Reason::NoPublishedSuite), None);
    assert_eq!(
        found,
        "deferred | no_published_suite | 450 4.4.317 | 451 4.4.0 TLS negotiation failed with error SocketError"
    );
}
