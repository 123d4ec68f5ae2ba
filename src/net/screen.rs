//! Domains and hosts on the blocklist are not even looked up.

use super::gate::Blocklist;
use crate::model::{DomainFacts, Failure, Kind, Phase, Subject, Target};
use crate::stage::Lookup;

/// A lookup that answers for listed names itself: `input: blocklisted`.
pub struct ScreenedLookup<L> {
    blocklist: Blocklist,
    inner: L,
}

impl<L> ScreenedLookup<L> {
    /// Puts the list before `inner`.
    pub fn new(blocklist: Blocklist, inner: L) -> Self {
        Self { blocklist, inner }
    }

    /// What there is to say of a listed target; `None` if it may be asked for.
    pub fn refusal(&self, target: &Target) -> Option<DomainFacts> {
        let listed = match &target.subject {
            Subject::Domain(name) | Subject::Host { name, .. } => self.blocklist.has_name(name.as_str()),
            Subject::Endpoint { .. } => false,
        };
        listed.then(|| DomainFacts::failed(target.clone(), Failure::new(Phase::Input, Kind::Blocklisted)))
    }

    /// The lookup behind the list; it asks for everything.
    pub fn inner(&self) -> &L {
        &self.inner
    }
}

impl<L: Lookup> Lookup for ScreenedLookup<L> {
    async fn lookup(&self, target: Target) -> DomainFacts {
        match self.refusal(&target) {
            Some(facts) => facts,
            None => self.inner.lookup(target).await,
        }
    }
}
