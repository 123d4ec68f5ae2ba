//! Domains that ask to be left alone while they wait for their hosts.

use super::{EngineError, Pipeline};
use crate::engine::coalesce::KeyId;
use crate::engine::pace::{AskedPlace, Sign};
use crate::model::{DomainFacts, Failure, Kind, Phase};
use crate::stage::{Lookup, Probe};

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    /// What is told of a domain that is to be left alone now; else what is known of it.
    pub(super) fn as_wanted(&self, facts: DomainFacts) -> DomainFacts {
        match self.lookup.permit(&facts.target) {
            Ok(()) => facts,
            Err(failure) => DomainFacts::failed(facts.target, failure),
        }
    }

    /// Whether a domain waits for a key that is not to be left alone, or none is needed.
    pub(super) fn is_wanted(&self, id: KeyId) -> bool {
        let waiting = self.keys.waiting(id);
        let is_wanted = |domain: &usize| {
            self.joiner.facts(*domain).is_none_or(|facts| self.lookup.permit(&facts.target).is_ok())
        };
        waiting.is_empty() || waiting.iter().any(is_wanted)
    }

    /// Records a key whose turn it is and that nobody wants any more, with what is known
    /// of it.
    pub(super) async fn leave_alone(&mut self, id: KeyId, place: AskedPlace) -> Result<(), EngineError> {
        self.pacer.finished(id, place, Sign::Nothing);
        match self.under_way.take(id) {
            Some(known) => self.probed(id, known).await,
            None => self.refuse(id, Failure::new(Phase::Connect, Kind::Blocklisted)).await,
        }
    }
}
