//! Records that tests write.

use super::run_info::{JudgedBy, RunCounts, RunInfo, RunLimits};
use crate::model::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::model::{
    AddressTls, Assessment, Basis, CertificateFacts, ChainStatus, Check, CheckFailure, ConnectorDelivery,
    ConnectorVerdict, DateStatus, Delivery, Deviation, Dialogue, DomainFacts, DomainName, DomainRecord,
    Endpoint, EndpointRecord, Exchange, Failure, Finding, ForcedBasis, ForcedTls, HelloEnd, HelloObservation,
    HelloPurpose, JudgedEndpoint, KeyStatus, Kind, Leaf, Logged, MxHost, NameStatus, NegotiatedTls,
    Observation, Outcome, Phase, ProbeKey, Reason, Rejected, Reply, Sha256, SignatureCheck, Subject, Target,
    Timings, TlsFinding, TlsObservation, Verdict, View,
};
use std::sync::Arc;

pub(super) const DIGEST: Sha256 = Sha256([0x5a; 32]);
/// That of a certificate shown to a further hello only.
const OLD_DIGEST: Sha256 = Sha256([0x5b; 32]);

pub(super) fn key(last: u8, host: &str) -> ProbeKey {
    let endpoint = Endpoint { ip: [192, 0, 2, last].into(), port: 25 };
    ProbeKey { endpoint, sni: Some(MxHost::new(host)) }
}

pub(super) fn target(line: u64, domain: &str) -> Target {
    Target { line, subject: Subject::Domain(DomainName::parse(domain).unwrap()) }
}

fn exchange(preference: u16, host: &str, last: &[u8], failure: Option<Failure>) -> Exchange {
    let addresses = last.iter().map(|last| [192, 0, 2, *last].into()).collect();
    Exchange { failure, ..Exchange::whole(preference, Some(MxHost::new(host)), addresses) }
}

/// One step down, with a code in the log.
fn encrypted() -> Outcome {
    let session = NegotiatedTls {
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1301)),
        group: None,
        steps_down: Some(1),
        declined_suites: vec![CipherSuite(0x1302)],
    };
    let logged = Logged { code: "450 4.4.317".into(), text: "451 5.7.3 STARTTLS is required".into() };
    Outcome { logged: Some(logged), ..Outcome::encrypted(Basis::Inferred, session) }
}

/// TLS with a certificate of an unknown root.
fn untrusted() -> TlsFinding {
    let leaf = Leaf {
        sha256: DIGEST,
        dns_names: Box::new([]),
        ip_addresses: Box::new([]),
        common_name: None,
        key_algorithm: None,
        subject: None,
        thumbprint: [0; 20],
        signed_with_sha1: Some(false),
    };
    TlsFinding {
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1302)),
        group: Some(NamedGroup(4588)),
        chain: Some(ChainStatus::UntrustedRoot),
        dates: Some(DateStatus::Valid),
        key: Some(KeyStatus::Strong),
        leaf: Some(Arc::new(leaf)),
        ..TlsFinding::default()
    }
}

/// Best encrypted, weakest plaintext, a third host without address.
pub(crate) fn domain() -> DomainRecord {
    let best = Finding::of(key(1, "mx1.a.example"), None, Some(untrusted()));
    let failure = Failure::new(Phase::Starttls, Kind::NotOffered).with_reply(250).with_detail("=1+1\r\n");
    let outcome = Outcome::without_tls(Delivery::Plaintext, &failure, Some(Basis::Observed));
    let weak = Finding::of(key(2, "mx2.a.example"), Some(failure), None);
    let dead = Failure::new(Phase::Dns, Kind::Nxdomain);
    let untrusted_root = ForcedTls::all(Check::Fail(CheckFailure::UntrustedRoot));
    let forced = ForcedTls { encryption_only: Check::Pass, ..untrusted_root };
    DomainRecord {
        facts: DomainFacts::whole(
            target(7, "a.example"),
            vec![
                exchange(5, "mx0.a.example", &[], Some(dead)),
                exchange(10, "mx1.a.example", &[1, 3], None),
                exchange(20, "mx2.a.example", &[2], None),
            ],
        ),
        verdict: Verdict {
            best: Some(View {
                preference: 10,
                host: Some(MxHost::new("mx1.a.example")),
                endpoint: Arc::new(JudgedEndpoint::of_outcome(best, encrypted())),
                name: Some(NameStatus::MxHost),
            }),
            weakest: Some(View {
                preference: 20,
                host: Some(MxHost::new("mx2.a.example")),
                endpoint: Arc::new(JudgedEndpoint::of_outcome(weak, outcome)),
                name: None,
            }),
            forced_basis: ForcedBasis { encryption_only: Some(Basis::Inferred), ..ForcedBasis::default() },
            connector: Some(ConnectorVerdict {
                name: "To A".into(),
                delivery: ConnectorDelivery::Deferred,
                reason: Some("untrusted_root".into()),
                logged: Some(Logged {
                    code: "450 4.7.320".into(),
                    text: "Certificate validation failed".into(),
                }),
            }),
            ..Verdict::of_outcome(encrypted(), forced)
        },
    }
}

/// A domain that the DNS does not know.
pub(super) fn missing_domain() -> DomainRecord {
    let failure = Failure::new(Phase::Dns, Kind::Nxdomain).with_detail("NXDOMAIN from 192.0.2.53");
    let reason = Reason::from(&failure);
    let outcome = Outcome::without_tls(Delivery::Undeliverable, &failure, Some(Basis::Observed));
    DomainRecord {
        facts: DomainFacts::failed(target(8, "b.example"), failure),
        verdict: Verdict::of_outcome(outcome, ForcedTls::all(Check::Fail(CheckFailure::NoTls(reason)))),
    }
}

pub(super) fn certificate() -> CertificateFacts {
    CertificateFacts {
        sha256: DIGEST,
        spki_sha256: Some(Sha256([1; 32])),
        version: Some(3),
        subject: Some("CN=mx1.a.example".into()),
        issuer: Some("CN=Lab, O=\"Lab\"".into()),
        common_name: Some("mx1.a.example".into()),
        dns_names: vec!["mx1.a.example".into(), "*.a.example".into()],
        ip_addresses: vec![[192, 0, 2, 1].into()],
        serial: Some("0a1b".into()),
        not_before: "2026-01-01T00:00:00Z".parse().ok(),
        not_after: "2026-12-31T23:59:59Z".parse().ok(),
        key_algorithm: Some("ECDSA".into()),
        key_bits: Some(256),
        signature_algorithm: Some("ecdsa-with-SHA256".into()),
        extended_key_usages: vec!["serverAuth".into(), "1.3.6.1.5.5.7.3.3".into()],
        is_ca: false,
        self_signed: false,
        ocsp_urls: vec!["http://ocsp.example/".into()],
        issuer_urls: vec![],
        crl_urls: vec![],
        defect: None,
    }
}

fn assessment() -> Assessment {
    Assessment {
        certificates: vec![Arc::new(certificate())],
        chain_detail: Some("unknown issuer".into()),
        ..Assessment::of_chain(ChainStatus::UntrustedRoot, DateStatus::Valid, KeyStatus::Strong)
    }
}

fn reply(code: u16, lines: &[&str], deviations: &[Deviation]) -> Option<Reply> {
    let lines = lines.iter().map(|line| line.to_string()).collect();
    Some(Reply { code, lines, deviations: deviations.to_vec() })
}

/// A probe that ran to its end and saw something of everything.
pub(super) fn endpoint(last: u8) -> EndpointRecord {
    let dialogue = Dialogue {
        greeting: reply(220, &["mx1.a.example ESMTP, ready", "second"], &[Deviation::EightBit]),
        ehlo: reply(250, &["mx1 STARTTLS hi", "SIZE 1000", "", "STARTTLS"], &[Deviation::BareLf]),
        starttls: reply(220, &["go"], &[Deviation::BareLf]),
        plaintext_after_starttls: "250 injected\\x0d\\x0a".into(),
        ehlo_tls: reply(250, &["mx1", "AUTH PLAIN"], &[]),
        ..Dialogue::default()
    };
    let tls = TlsObservation {
        established: true,
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1301)),
        group: Some(NamedGroup(0xfafa)),
        signature_scheme: Some(SignatureScheme(0x0403)),
        signature: Some(SignatureCheck::Unverifiable("mxray cannot check it".into())),
        chain: vec![Arc::from([1u8, 2, 3].as_slice())],
        chain_excess: 2,
        tickets: Some(2),
        ..TlsObservation::default()
    };
    EndpointRecord {
        observation: Observation {
            key: key(last, "mx1.a.example"),
            started: "2026-03-01T12:00:00.1234567Z".parse().unwrap(),
            attempts: 1,
            other_attempts: Some(Vec::new()),
            tls_at_address: Some(AddressTls::Nothing),
            refused_temporarily_at_address: Some(false),
            opened_at_address: Some(false),
            tlsa: Some(false),
            stopped: Some(false),
            inferred_from: None,
            failure: None,
            dialogue,
            tls: Some(tls),
            extra_client_hellos: Vec::new(),
            timings: Timings { connect_us: Some(120), total_us: 4000, ..Timings::default() },
            bytes_in: 3000,
            bytes_out: 900,
        },
        assessment: Some(Arc::new(assessment())),
        hello_assessments: Vec::new(),
        enumeration: None,
        name: Some(NameStatus::MxHost),
        outcome: encrypted(),
    }
}

/// What an old version on an old server learns, and nothing of a newer one.
fn hellos() -> Vec<HelloObservation> {
    let started = "2026-03-01T12:00:01Z".parse().unwrap();
    let refused = HelloObservation {
        offered_suites: 40,
        alert: Some(AlertDescription::PROTOCOL_VERSION),
        total_us: 3000,
        ..HelloObservation::new(HelloPurpose::Version, ProtocolVersion::TLS11, started, HelloEnd::Alert)
    };
    let agreed = HelloObservation {
        offered_version: ProtocolVersion::TLS10,
        end: HelloEnd::Agreed,
        version: Some(ProtocolVersion::TLS10),
        suite: Some(CipherSuite(0x0039)),
        dh_bits: Some(1024),
        chain: vec![Arc::from([4u8, 5, 6].as_slice())],
        alert: None,
        ..refused.clone()
    };
    vec![refused, agreed]
}

/// A probe that an alert ended, and what further hellos learnt.
pub(super) fn alerted(last: u8) -> EndpointRecord {
    let failure =
        Failure::new(Phase::Tls, Kind::Alert).with_alert(AlertDescription(40)).with_detail("alert 40");
    let started = "2026-03-01T12:00:00Z".parse().unwrap();
    let outcome = Outcome::undetermined(&failure);
    let mut observation = Observation::failed(key(last, "mx1.a.example"), started, 2, failure);
    observation.extra_client_hellos = hellos();
    let old = CertificateFacts { sha256: OLD_DIGEST, ..certificate() };
    let old = Assessment { certificates: vec![Arc::new(old)], ..assessment() };
    EndpointRecord {
        observation,
        assessment: None,
        hello_assessments: vec![None, Some(Arc::new(old))],
        enumeration: None,
        name: None,
        outcome,
    }
}

pub(crate) fn rejected() -> Rejected {
    Rejected {
        line: 3,
        text: "a b, \"c\"".into(),
        cause: "a character that is not allowed in a domain name".into(),
    }
}

pub(crate) fn run_info() -> RunInfo {
    RunInfo {
        mxray: "0.1.0".into(),
        commit: None,
        host: None,
        command: vec!["mxray".into(), "scan".into()],
        input: "list.csv".into(),
        resolver: "192.0.2.53:53".into(),
        resolvers: Vec::new(),
        ehlo_name: "scanner.example".into(),
        roots: vec!["mozilla".into()],
        sender: "exchange-online".into(),
        port: 25,
        judged_by: JudgedBy {
            at: "2026-06-01T00:00:00Z".parse().unwrap(),
            options: Default::default(),
            connectors_left_out: Vec::new(),
        },
        asked_by: None,
        resumed: Vec::new(),
        shard: None,
        merged_from: Vec::new(),
        judged_from: None,
        compress: None,
        seed: None,
        limits: RunLimits::default(),
        started: "2026-03-01T12:00:00Z".parse().unwrap(),
        ended: None,
        error: None,
        finished: None,
        interrupted: false,
        network_suspect: Some(Vec::new()),
        cool_downs: None,
        sample: None,
        blocklist: Vec::new(),
        canary_pauses: Vec::new(),
        counts: RunCounts::default(),
    }
}
