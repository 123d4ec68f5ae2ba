//! What one of several shards of a run asks and keeps.

use super::{EngineError, Pipeline};
use crate::model::{DomainFacts, ProbeKey, Record, ShardPart};
use crate::stage::{Lookup, Probe};

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    /// What of a target lies in this shard.
    fn part_of(&self, facts: &DomainFacts) -> ShardPart {
        self.config.shard.map_or(ShardPart::Whole, |shard| shard.part_of(facts, self.config.port))
    }

    /// Whether a key is asked by this shard.
    pub(super) fn has_key(&self, key: &ProbeKey) -> bool {
        self.config.shard.is_none_or(|shard| shard.has_address(key.endpoint.ip))
    }

    /// Whether nothing of a target lies here; it is counted then.
    pub(super) fn leaves_to_others(&mut self, facts: &DomainFacts) -> bool {
        let leaves = self.part_of(facts) == ShardPart::Nothing;
        if leaves {
            self.counts.of_other_shards += 1;
            self.progress.domain_passed_on();
        }
        leaves
    }

    /// Records what the DNS said of a target that cannot be judged here, as some of it
    /// lies in another shard; gives any other back.
    pub(super) async fn keep_part(&mut self, facts: DomainFacts) -> Result<Option<DomainFacts>, EngineError> {
        if self.part_of(&facts) != ShardPart::Part {
            return Ok(Some(facts));
        }
        self.counts.parts += 1;
        self.progress.domain_passed_on();
        self.emit(Record::Part(Box::new(facts))).await?;
        Ok(None)
    }
}
