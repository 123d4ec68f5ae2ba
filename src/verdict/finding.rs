//! What a verdict needs of an observation, cut out of it.

use super::attempt::{judged, judged_open};
use super::looks;
use super::profile::SenderProfile;
use crate::ask::enumeration;
use crate::model::{
    EndpointRecord, Failure, Finding, HelloFinding, JudgedEndpoint, Kind, Observation, Phase, Reason,
    TlsFinding,
};
use crate::trust::names;
use crate::trust::pkix::{Assessed, Assessments};

/// What a probe comes to by itself: its record, and what verdicts of domains
/// rest on.
pub fn endpoint(
    profile: &SenderProfile,
    observation: Observation,
    assessments: &Assessments,
) -> (EndpointRecord, JudgedEndpoint) {
    let assessed = assessments.handshake.as_deref();
    let found = finding(&observation, assessments);
    let open = gave_up_early(&observation).map(Reason::from).or_else(|| looks::open(&observation));
    let judged = match open {
        Some(reason) => judged_open(profile, found, reason),
        None => judged(profile, found),
    };
    let record = EndpointRecord {
        name: assessed.map(|assessed| names::endpoint_status(&assessed.leaf, &observation.key)),
        assessment: assessed.map(|assessed| assessed.assessment.clone()),
        hello_assessments: assessments
            .hellos
            .iter()
            .map(|assessed| assessed.as_ref().map(|assessed| assessed.assessment.clone()))
            .collect(),
        enumeration: enumeration::of(&observation).map(Box::new),
        observation,
        outcome: judged.outcome.clone(),
    };
    (record, judged)
}

/// Time after which it is believed that TCP does not open, in microseconds: by
/// then a SYN was sent three times (RFC 6298 §2).
const CONNECT_PATIENCE_US: u64 = 4_000_000;

/// A connection that was given too little time says nothing of the host.
fn gave_up_early(observation: &Observation) -> Option<&Failure> {
    let timed_out = |failure: &&Failure| (failure.phase, failure.kind) == (Phase::Connect, Kind::Timeout);
    let early = observation.timings.total_us < CONNECT_PATIENCE_US;
    observation.failure.as_ref().filter(timed_out).filter(|_| early)
}

/// Reduces an observation and its assessed chains to what verdicts rest on.
pub fn finding(observation: &Observation, assessments: &Assessments) -> Finding {
    let assessed = assessments.handshake.as_deref();
    let tls = observation.tls.as_ref().map(|tls| TlsFinding {
        version: tls.version,
        suite: tls.suite,
        group: tls.group,
        signature_scheme: tls.signature_scheme,
        signature: tls.signature.clone(),
        chain: assessed.map(|assessed| assessed.assessment.chain),
        root: assessed.and_then(|assessed| assessed.assessment.root.clone()),
        dates: assessed.map(|assessed| assessed.assessment.dates),
        key: assessed.map(|assessed| assessed.assessment.key),
        expectations: assessed.map(|assessed| assessed.assessment.expectations.clone()).unwrap_or_default(),
        leaf: assessed.map(|assessed| assessed.leaf.clone()),
        disputed: assessed.is_some_and(|assessed| assessed.disputed),
        downgrade_mark: tls.downgrade_mark,
        renegotiation_info: tls.renegotiation_info,
    });
    Finding {
        key: observation.key.clone(),
        failure: observation.failure.clone(),
        tls,
        hellos: hellos(observation, assessments),
    }
}

/// What verdicts rest on of the further hellos.
fn hellos(observation: &Observation, assessments: &Assessments) -> Box<[HelloFinding]> {
    let chains = assessments.hellos.iter().map(Option::as_deref).chain(std::iter::repeat(None));
    let kept = observation.hellos.iter().zip(chains).filter(|(hello, _)| hello.purpose.is_judged());
    kept.map(|(hello, assessed)| HelloFinding {
        purpose: hello.purpose,
        offer: hello.offer.clone(),
        offered_version: hello.offered_version,
        offered_suites: hello.offered_suites,
        end: hello.end,
        hello_retry: hello.hello_retry,
        alert: hello.alert,
        version: hello.version,
        suite: hello.suite,
        group: hello.group,
        signature_scheme: hello.signature_scheme,
        signature: hello.signature.clone(),
        presented: assessed.map(Assessed::presented),
        downgrade_mark: hello.downgrade_mark,
        dh_bits: hello.dh_bits,
        renegotiation_info: hello.renegotiation_info,
        client_certificate_requested: hello.client_certificate_requested,
    })
    .collect()
}
