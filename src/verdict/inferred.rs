//! An endpoint that was not asked under this name: what a sample of the names of its
//! address tells of it.
//!
//! What becomes of mail there is inferred from one of the sample. What hangs on the
//! certificate, and whether a demand for TLS is met, is not known: any name may have
//! its own.

use super::finding;
use crate::model::{
    Basis, Check, CheckCause, EndpointRecord, JudgedEndpoint, Observation, Outcome, Reason, Unproven,
};
use crate::trust::pkix::Assessments;

/// Cuts it out, as `stand_in` was found; not determined where that is not known.
pub(super) fn endpoint(
    observation: Observation,
    stand_in: Option<&JudgedEndpoint>,
) -> (EndpointRecord, JudgedEndpoint) {
    let outcome = stand_in.map_or(Outcome::undetermined(Reason::NotAsked), |other| of(&other.outcome));
    let open = CheckCause::NoAnswer(Reason::NotAsked);
    let judged = JudgedEndpoint {
        finding: finding::finding(&observation, &Assessments::default()),
        outcome: outcome.clone(),
        encryption: Check::Undetermined(open),
        certificate: Check::Undetermined(open),
        certificate_basis: Basis::Inferred,
        unproven: Unproven { session: Some(open), certificate: Some(open) },
        presented: None,
        chain: None,
        second_handshake: None,
        stand_in: observation.stand_in().map(Box::new),
    };
    let record = EndpointRecord {
        observation,
        name: None,
        assessment: None,
        hello_assessments: Vec::new(),
        enumeration: None,
        outcome,
    };
    (record, judged)
}

/// What becomes of mail, without the session in which it was seen.
fn of(other: &Outcome) -> Outcome {
    Outcome {
        basis: other.basis.map(|basis| basis.max(Basis::Inferred)),
        session: None,
        unproven: Some(CheckCause::NoAnswer(Reason::NotAsked)),
        ..other.clone()
    }
}
