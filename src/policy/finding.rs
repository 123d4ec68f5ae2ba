//! What a verdict needs of an observation, cut out of it.

use super::pkix::{Assessed, Assessments};
use super::{classify, enumeration, names};
use crate::model::{EndpointRecord, Finding, Observation, TlsFinding};

/// What a probe comes to by itself: its record, and the finding that verdicts
/// of domains rest on.
pub fn endpoint(observation: Observation, assessments: &Assessments) -> (EndpointRecord, Finding) {
    let assessed = assessments.handshake.as_deref();
    let finding = finding(&observation, assessed);
    let (delivery, reason) = classify::delivery(&finding);
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
        delivery,
        reason,
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
    Finding { key: observation.key.clone(), failure: observation.failure.clone(), tls }
}
