//! What may stand in `weakest_outcome`: how the scanner's own attempt ends at
//! hosts that take the sender's mail. Every failure of `docs/outcomes.md` is
//! played, the further hellos that the host is worth are answered in each way,
//! and all senders are judged for.

use jiff::Timestamp;
use mxray::internals::model::{
    AlertDescription, ClientCertificate, ClientHelloSpec, Delivery, DowngradeMark, Endpoint, Failure,
    HelloEnd, HelloObservation, HelloPurpose, Kind, MxHost, Observation, OtherAttempt, Phase, ProbeKey,
    ProtocolVersion, SignatureCheck, SignatureScheme, TlsObservation,
};
use mxray::internals::sender::Sender;
use mxray::internals::trust::{Assessments, Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeSet;
use std::path::Path;

/// The phases that the first cell of a row names.
fn phases(cell: &str) -> Vec<Phase> {
    let known = |name: &str| Phase::ALL.into_iter().find(|phase| phase.name() == name);
    let (from, to) = cell.split_once(" to ").unwrap_or((cell, cell));
    match (known(from), known(to)) {
        (Some(from), Some(to)) => {
            Phase::ALL.into_iter().filter(|phase| (from..=to).contains(phase)).collect()
        }
        _ => cell.split(", ").map(|name| known(name).unwrap_or_else(|| panic!("no phase {name}"))).collect(),
    }
}

/// Which kinds occur in which phase.
pub fn table() -> Vec<(Phase, Kind)> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/outcomes.md")).unwrap();
    let rows =
        text.lines().filter_map(|line| line.strip_prefix("| ")).skip_while(|row| row.starts_with("phase"));
    let rows = rows.take_while(|row| row.split(" | ").count() == 3);
    let mut all = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        for word in cells[1].split('`').skip(1).step_by(2) {
            let kind = Kind::ALL.iter().find(|kind| kind.name() == word);
            let kind = *kind.unwrap_or_else(|| panic!("no outcome {word}"));
            all.extend(phases(cells[0]).into_iter().map(|phase| (phase, kind)));
        }
    }
    all
}

/// What was seen of TLS in a handshake that ended so: nothing, or a choice.
fn handshakes(phase: Phase, kind: Kind) -> Vec<Option<TlsObservation>> {
    if phase < Phase::Tls {
        return vec![None];
    }
    let chose = TlsObservation {
        established: phase > Phase::Tls,
        version: Some(ProtocolVersion::TLS13),
        suite: "TLS_AES_256_GCM_SHA384".parse().ok(),
        group: "secp384r1".parse().ok(),
        signature_scheme: Some(SignatureScheme(0x0804)),
        signature: Some(SignatureCheck::Verified),
        client_certificate: match kind {
            Kind::ClientCertificateRequired => ClientCertificate::NotShown,
            Kind::ClientCertificateRefused => ClientCertificate::Refused(AlertDescription(48)),
            _ => ClientCertificate::NeverAsked,
        },
        ..TlsObservation::default()
    };
    match (phase, kind) {
        (Phase::Tls, Kind::ClientCertificateRequired | Kind::ClientCertificateRefused) => vec![Some(chose)],
        (Phase::Tls, Kind::SignatureFailed) => {
            vec![Some(TlsObservation { signature: Some(SignatureCheck::Failed), ..chose })]
        }
        (Phase::Tls, _) => vec![Some(TlsObservation::default()), Some(chose)],
        _ => vec![Some(chose)],
    }
}

/// A host that said so, twice where that is what it takes to be believed.
fn seen(failure: &Failure, tls: Option<TlsObservation>) -> Observation {
    let key = ProbeKey {
        endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 },
        sni: Some(MxHost::new("mx.example.com")),
    };
    let mut seen = Observation::failed(key, Timestamp::UNIX_EPOCH, 2, failure.clone());
    let again = OtherAttempt {
        number: 1,
        started: Timestamp::UNIX_EPOCH,
        failure: Some(failure.clone()),
        total_us: 10_000_000,
    };
    (seen.tls, seen.other_attempts, seen.timings.total_us) = (tls, Some(vec![again]), 10_000_000);
    seen
}

fn answer(question: &ClientHelloSpec, end: HelloEnd) -> HelloObservation {
    let mut answer = HelloObservation::not_asked(question, Timestamp::UNIX_EPOCH, None);
    answer.end = end;
    answer.alert = (end == HelloEnd::Alert).then_some(AlertDescription::HANDSHAKE_FAILURE);
    let shaken = question.purpose == HelloPurpose::Handshake;
    if shaken && end != HelloEnd::Agreed {
        answer.failure = Some(Failure::new(Phase::Tls, Kind::Alert));
        answer.client_certificate = Some(ClientCertificate::NeverAsked);
    }
    if end == HelloEnd::Agreed {
        answer.version = Some(if shaken { ProtocolVersion::TLS13 } else { question.version() });
        let suite =
            if shaken { "TLS_AES_256_GCM_SHA384".parse().ok() } else { question.suites.first().copied() };
        answer.suite = suite;
        answer.group = "secp384r1".parse().ok();
        answer.signature_scheme = Some(SignatureScheme(0x0804));
        answer.signature = Some(SignatureCheck::Verified);
        answer.renegotiation_info = Some(true);
        answer.downgrade_mark = Some(DowngradeMark::None);
        let shown = if question.shows_certificate {
            ClientCertificate::NotShown
        } else {
            ClientCertificate::NeverAsked
        };
        answer.client_certificate = Some(shown);
    }
    answer
}

/// What comes of mail there, if second handshakes and other hellos end so.
fn delivery(policy: &Policy, mut seen: Observation, second: HelloEnd, other: HelloEnd) -> Delivery {
    while let Some(question) = policy.next_hello(&seen) {
        let end = if question.purpose == HelloPurpose::Handshake { second } else { other };
        seen.extra_client_hellos.push(answer(&question, end));
    }
    policy.endpoint(seen, &Assessments::default()).0.outcome.delivery
}

/// Every outcome at which a sender delivers nevertheless.
pub fn outcomes() -> BTreeSet<&'static str> {
    let policies = Sender::names().into_iter().map(|name| {
        let judge = Judge::new(Roots::default(), Timestamp::UNIX_EPOCH);
        Policy::new(judge, Sender::named(name).unwrap())
    });
    let ends = [HelloEnd::Agreed, HelloEnd::Alert, HelloEnd::Closed];
    let policies: Vec<Policy> = policies.collect();
    let mut found = BTreeSet::from(["ok"]);
    for (phase, kind) in table().into_iter().filter(|(phase, _)| *phase >= Phase::Connect) {
        for tls in handshakes(phase, kind) {
            let seen = seen(&Failure::new(phase, kind), tls);
            let takes = |policy: &Policy| {
                let both = ends.into_iter().flat_map(|one| ends.map(|other| (one, other)));
                let delivered = |(one, other)| delivery(policy, seen.clone(), one, other);
                both.map(delivered).any(|end| matches!(end, Delivery::Encrypted | Delivery::Plaintext))
            };
            if policies.iter().any(takes) {
                found.insert(kind.name());
            }
        }
    }
    found
}

/// What no scenario plays: the host refuses who does not name it, as Postfix
/// does not, or takes who shows no certificate.
#[test]
fn rare_ends_at_hosts_that_take_mail() {
    let judge = Judge::new(Roots::default(), Timestamp::UNIX_EPOCH);
    let postfix = Policy::new(judge, Sender::named("postfix-may").unwrap());
    let (agreed, alert) = (HelloEnd::Agreed, HelloEnd::Alert);
    let (encrypted, clear) = (Delivery::Encrypted, Delivery::Plaintext);
    for (phase, kind, end, expected) in [
        (Phase::Tls, Kind::Malformed, alert, clear),
        (Phase::Tls, Kind::ClientCertificateRefused, agreed, encrypted),
        (Phase::AfterTls, Kind::LocalError, alert, clear),
        (Phase::AfterTls, Kind::Throttled, alert, clear),
        (Phase::AfterTls, Kind::Tempfail, alert, clear),
        (Phase::AfterTls, Kind::UnexpectedCode, alert, clear),
        (Phase::AfterTls, Kind::TooLong, alert, clear),
        (Phase::AfterTls, Kind::TooManyBytes, alert, clear),
        (Phase::AfterTls, Kind::EhloRejected, alert, clear),
    ] {
        let tls = handshakes(phase, kind).remove(0);
        let found = delivery(&postfix, seen(&Failure::new(phase, kind), tls), end, end);
        assert_eq!(found, expected, "{phase} {kind}");
    }
}
