//! What the DNS said of the targets of all shards, in the order of the list.

use super::endpoints::Endpoints;
use crate::command::CommandError;
use crate::model::{DomainFacts, Shard};
use crate::run_dir::read::{FactsByLine, StoredRun};
use anyhow::anyhow;
use std::path::PathBuf;

/// The facts of one shard.
struct OfShard {
    path: PathBuf,
    shard: Shard,
    facts: FactsByLine,
}

/// The facts of all shards.
pub(super) struct Targets {
    shards: Vec<OfShard>,
    /// Targets of which no shard asked all that the DNS told it.
    told_differently: u64,
}

impl Targets {
    /// Notes where each line stands, and shows all facts to `see`.
    ///
    /// # Errors
    /// A file cannot be read, or does not hold what its run wrote.
    pub(super) fn open(
        shards: &[(PathBuf, StoredRun)],
        mut see: impl FnMut(&DomainFacts),
    ) -> Result<Self, CommandError> {
        let mut opened = Vec::new();
        let first = shards.first().map(|(_, run)| run.info().counts).unwrap_or_default();
        for (path, run) in shards {
            let counts = run.info().counts;
            let Some(shard) = run.info().shard else { continue };
            let facts = run.facts_by_line(&mut see)?;
            let (has, wrote) = (facts.left() as u64, counts.domains_written + counts.parts_written);
            if has != wrote {
                return Err(damaged(path, &format!("facts.jsonl has {has} lines, and {wrote} were written")));
            }
            if (counts.targets_read, counts.rejected) != (first.targets_read, first.rejected) {
                return Err(damaged(path, "it read another number of targets than the first shard"));
            }
            opened.push(OfShard { path: path.clone(), shard, facts });
        }
        Ok(Self { shards: opened, told_differently: 0 })
    }

    /// How many targets rest on what no shard asked.
    pub(super) fn told_differently(&self) -> u64 {
        self.told_differently
    }

    /// The next target: as the shard tells it that keeps it, or, where that has open
    /// questions or names what was not asked, as another does that has not.
    pub(super) fn read_next(
        &mut self,
        endpoints: &Endpoints,
        port: u16,
    ) -> Result<Option<DomainFacts>, CommandError> {
        let Some(line) = self.shards.iter().filter_map(|shard| shard.facts.next_line()).min() else {
            return Ok(None);
        };
        let (mut told, mut keeper, mut fetches) = (Vec::new(), None, Vec::new());
        for OfShard { facts, shard, path } in &mut self.shards {
            if facts.next_line() != Some(line) {
                continue;
            }
            let Some(facts) = facts.read_next()? else { continue };
            if told.first().is_some_and(|(_, one): &(_, DomainFacts)| one.target != facts.target) {
                return Err(damaged(
                    path,
                    &format!("line {line} of the list is another target than elsewhere"),
                ));
            }
            let keeps = shard.has_name(&facts.target.subject.label());
            keeper = keeper.or(keeps.then_some(*shard));
            fetches.extend(facts.policy_fetch().cloned());
            let lacks =
                facts.failure.is_none() && facts.probe_keys(port).any(|(_, key)| !endpoints.was_asked(&key));
            told.push(((lacks, facts.may_be_known_later(), !keeps), facts));
        }
        if keeper.is_none() {
            return Err(anyhow!("no shard keeps line {line} of the list, though one should").into());
        }
        told.sort_by_key(|(rank, _)| *rank);
        let Some(((lacks, ..), facts)) = told.into_iter().next() else { return Ok(None) };
        self.told_differently += u64::from(lacks);
        // The policy is fetched by one of them.
        Ok(Some(fetches.into_iter().fold(facts, |facts, fetch| facts.with_earlier_fetch(Some(fetch)))))
    }
}

fn damaged(path: &std::path::Path, cause: &str) -> CommandError {
    anyhow!("cannot join {}: {cause}", path.display()).into()
}
