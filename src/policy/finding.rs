//! What a verdict needs of an observation, cut out of it.

use super::pkix::{Assessed, Assessments};
use super::{Sender, enumeration, names, outcome};
use crate::model::{EndpointRecord, Finding, HelloFinding, HelloPurpose, Observation, TlsFinding};

/// What a probe comes to by itself: its record, and the finding that verdicts
/// of domains rest on.
pub fn endpoint(
    sender: &Sender,
    observation: Observation,
    assessments: &Assessments,
) -> (EndpointRecord, Finding) {
    let assessed = assessments.handshake.as_deref();
    let finding = finding(&observation, assessed);
    let outcome = outcome::outcome(sender, &finding);
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
        outcome,
    };
    (record, finding)
}

/// Reduces an observation and its assessed chain to what verdicts rest on.
pub fn finding(observation: &Observation, assessed: Option<&Assessed>) -> Finding {
    let tls = observation.tls.as_ref().map(|tls| TlsFinding {
        version: tls.version,
        suite: tls.suite,
        group: tls.group,
        chain: assessed.map(|assessed| assessed.assessment.chain),
        root: assessed.and_then(|assessed| assessed.assessment.root.clone()),
        dates: assessed.map(|assessed| assessed.assessment.dates),
        key: assessed.map(|assessed| assessed.assessment.key),
        expectations: assessed.map(|assessed| assessed.assessment.expectations.clone()).unwrap_or_default(),
        leaf: assessed.map(|assessed| assessed.leaf.clone()),
    });
    Finding {
        key: observation.key.clone(),
        failure: observation.failure.clone(),
        tls,
        hellos: hellos(observation),
    }
}

/// What verdicts rest on of the further hellos.
fn hellos(observation: &Observation) -> Box<[HelloFinding]> {
    let judged = |purpose| matches!(purpose, HelloPurpose::Sender | HelloPurpose::Version);
    let kept = observation.hellos.iter().filter(|hello| judged(hello.purpose));
    kept.map(|hello| HelloFinding {
        purpose: hello.purpose,
        offer: hello.offer.clone(),
        offered_version: hello.offered_version,
        end: hello.end,
        version: hello.version,
        suite: hello.suite,
        group: hello.group,
    })
    .collect()
}
