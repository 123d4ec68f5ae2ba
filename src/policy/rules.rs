//! What a run is judged by: everything a verdict depends on besides what was
//! seen, in one place, so that the engine, `probe` and `judge` judge alike.

use super::pkix::{Assessed, Judge};
use super::{classify, finding, sender::Sender};
use crate::model::{DomainFacts, EndpointRecord, Finding, Observation, Verdict};
use std::sync::Arc;

/// The rules of a run.
#[derive(Debug)]
pub struct Policy {
    judge: Judge,
    sender: Sender,
}

impl Policy {
    /// Judges chains by `judge`, for mail that `sender` sends.
    pub fn new(judge: Judge, sender: Sender) -> Self {
        Self { judge, sender }
    }

    /// Whom verdicts are for.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Judges the chain of an observation; `None` without a certificate.
    pub fn assess(&self, observation: &Observation) -> Option<Arc<Assessed>> {
        observation.tls.as_ref().and_then(|tls| self.judge.assess(&tls.chain))
    }

    /// What a probe comes to by itself.
    pub fn endpoint(
        &self,
        observation: Observation,
        assessed: Option<&Assessed>,
    ) -> (EndpointRecord, Finding) {
        finding::endpoint(&self.sender, observation, assessed)
    }

    /// The answer for one domain, as [`classify::verdict`].
    pub fn verdict(&self, facts: &DomainFacts, probes: &[(usize, Arc<Finding>)]) -> Verdict {
        classify::verdict(&self.sender, facts, probes)
    }
}
