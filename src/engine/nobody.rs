//! What was found at endpoints where nobody answers, for the names there that are
//! not asked any more.

use crate::interrogate::{ConnectionResult, Known};
use crate::model::{Endpoint, Failure, InferredFrom, ProbeKey};
use std::collections::HashMap;

/// The end of the last look, and whose it was.
struct LastLook {
    failure: Failure,
    inferred_from: InferredFrom,
}

/// The last looks at all endpoints that were given up because nobody answered.
#[derive(Default)]
pub(super) struct NobodyThere {
    looks: HashMap<Endpoint, LastLook>,
}

impl NobodyThere {
    /// Notes the last look, at this key.
    pub(super) fn note(&mut self, key: &ProbeKey, answer: &ConnectionResult) {
        let Some(failure) = answer.failure().cloned() else { return };
        let total_us = match answer {
            ConnectionResult::Probe(known) => known.observation.timings.total_us,
            ConnectionResult::Hello(hello, _) => hello.total_us,
        };
        let inferred_from = InferredFrom { sni: key.sni.clone(), total_us };
        self.looks.insert(key.endpoint, LastLook { failure, inferred_from });
    }

    /// What that look tells of a key there that was not asked.
    pub(super) fn known(&self, key: &ProbeKey) -> Option<Known> {
        let LastLook { failure, inferred_from } = self.looks.get(&key.endpoint)?;
        let mut known = Known::refused(key.clone(), failure.clone());
        known.observation.inferred_from = Some(inferred_from.clone());
        Some(known)
    }
}
