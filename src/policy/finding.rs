//! What a verdict needs of an observation, cut out of it.

use super::pkix::Assessed;
use crate::model::{Finding, Observation, TlsFinding};

/// Reduces an observation and its assessed chain to what verdicts rest on.
pub fn finding(observation: &Observation, assessed: Option<&Assessed>) -> Finding {
    let tls = observation.tls.as_ref().map(|tls| TlsFinding {
        version: tls.version,
        suite: tls.suite,
        group: tls.group,
        chain: assessed.map(|assessed| assessed.assessment.chain),
        dates: assessed.map(|assessed| assessed.assessment.dates),
        key: assessed.map(|assessed| assessed.assessment.key),
        leaf: assessed.map(|assessed| assessed.leaf.clone()),
    });
    Finding { key: observation.key.clone(), failure: observation.failure.clone(), tls }
}
