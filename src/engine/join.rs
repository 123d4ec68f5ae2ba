//! Brings findings back to the domains that wait for them.

use super::coalesce::{DomainId, KeyId};
use crate::model::DomainFacts;
use slab::Slab;

/// A domain whose endpoints are being probed.
pub struct Pending {
    /// What the DNS said.
    pub facts: DomainFacts,
    /// Its endpoints, in the order in which a sender tries them: index into
    /// [`DomainFacts::exchanges`], and the key.
    pub probes: Vec<(usize, KeyId)>,
    missing: usize,
}

/// All domains that wait.
#[derive(Default)]
pub struct Joiner {
    pending: Slab<Pending>,
}

impl Joiner {
    /// Takes a domain in; it waits for nothing yet.
    pub fn admit(&mut self, facts: DomainFacts) -> DomainId {
        self.pending.insert(Pending { facts, probes: Vec::new(), missing: 0 })
    }

    /// Notes that a domain rests on a key, and whether that is still to come.
    pub fn rest_on(&mut self, domain: DomainId, exchange: usize, key: KeyId, missing: bool) {
        if let Some(pending) = self.pending.get_mut(domain) {
            pending.probes.push((exchange, key));
            pending.missing += usize::from(missing);
        }
    }

    /// Notes that one thing a domain waited for is there. Gives the domain
    /// back when it was the last.
    pub fn arrived(&mut self, domain: DomainId) -> Option<Pending> {
        let pending = self.pending.get_mut(domain)?;
        pending.missing = pending.missing.saturating_sub(1);
        self.take_if_complete(domain)
    }

    /// Gives the domain back if it waits for nothing.
    pub fn take_if_complete(&mut self, domain: DomainId) -> Option<Pending> {
        let complete = self.pending.get(domain).is_some_and(|pending| pending.missing == 0);
        complete.then(|| self.pending.remove(domain))
    }

    /// What the DNS said of a domain that waits.
    pub fn facts(&self, domain: DomainId) -> Option<&DomainFacts> {
        self.pending.get(domain).map(|pending| &pending.facts)
    }

    /// Domains that wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
