//! `mxray merge`: the shards of a run made one run.
//!
//! Nothing that grows with the list is held in memory but where each line stands,
//! some tens of bytes. What the DNS said of a target is taken from the shard that
//! keeps it, or, where the DNS told that one something of which no shard asked all,
//! from another. Then all is judged as by `mxray judge`.

mod endpoints;
mod joined;
mod targets;

use super::own_folder::in_folder;
use super::{CommandError, colour, summary};
use crate::cli::{JudgingArgs, MergeArgs};
use crate::model::text::counted;
use crate::model::{DomainRecord, Record};
use crate::plan;
use crate::report::Summary;
use crate::run_dir::read::StoredRun;
use crate::run_dir::{RunCounts, RunDirectory, RunInfo};
use crate::verdict::Policy;
use anyhow::anyhow;
use endpoints::Endpoints;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use targets::Targets;

/// Joins runs. Everything that can be refused is refused before a run directory is
/// made.
pub(super) fn run(args: MergeArgs) -> Result<ExitCode, CommandError> {
    let shards = in_order(&args.runs)?;
    let named: Vec<(&Path, &RunInfo)> =
        shards.iter().map(|(path, run)| (path.as_path(), run.info())).collect();
    let Some((first, mut info)) = named.first().copied().zip(joined::run_info(&named)) else {
        return Err(anyhow!("no shard was named").into());
    };
    let judging = plan::judging_again(&JudgingArgs::default(), Some(info.judged_by.at), first.0, first.1)?;
    super::warn(&judging.warnings);
    let policy = Policy::new(judging.judge, judging.sender).with_connectors(judging.connectors);
    let mut endpoints = Endpoints::open(&shards)?;
    let mut targets = Targets::open(&shards, |facts| endpoints.note_tlsa(facts, info.port))?;
    let directory =
        in_folder(args.output.as_deref(), "mxray-merged", |path| RunDirectory::create(path, &info))?;
    let path = directory.path().to_path_buf();
    let mut joining = Joining { directory, summary: Summary::default(), counts: RunCounts::default() };
    let written = joining.write(&shards, &named, (&policy, info.port), (&mut endpoints, &mut targets));
    let Joining { directory, summary: whole, counts } = joining;
    if let Err(error) = written {
        directory.give_up(&std::io::Error::other(error.to_string()));
        return Err(error);
    }
    joined::finish(&mut info, &named, counts, endpoints.suspects().to_vec());
    directory.finish(&info, &whole.told()).map_err(|error| unwritten(&error))?;
    let kind = args.summary.summary;
    let notes: Vec<String> = told_differently(targets.told_differently())
        .into_iter()
        .chain([summary::written_to(&path, kind)])
        .collect();
    let text = summary::text((&whole, kind), &info.sender, endpoints.reach(), &notes);
    super::tell(colour::for_stdout(&text))?;
    Ok(ExitCode::SUCCESS)
}

fn told_differently(targets: u64) -> Option<String> {
    let of = counted(targets, "target");
    (targets > 0)
        .then(|| format!("of {of} the DNS told the shards different addresses, of which some were not asked"))
}

/// The shards in their order, if they are all there and belong together.
fn in_order(paths: &[PathBuf]) -> Result<Vec<(PathBuf, StoredRun)>, CommandError> {
    let open = |path: &PathBuf| Ok((path.clone(), StoredRun::open(path)?));
    let runs = paths.iter().map(open).collect::<Result<Vec<_>, CommandError>>()?;
    let named: Vec<_> = runs.iter().map(|(path, run)| (path.as_path(), run.info())).collect();
    let order = plan::shards_in_order(&named)?;
    let mut runs: Vec<Option<(PathBuf, StoredRun)>> = runs.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|place| runs.get_mut(place)?.take()).collect())
}

fn unwritten(error: &std::io::Error) -> CommandError {
    anyhow!("cannot write the results: {error}").into()
}

/// A run on its way to its directory.
struct Joining {
    directory: RunDirectory,
    summary: Summary,
    counts: RunCounts,
}

impl Joining {
    fn write(
        &mut self,
        shards: &[(PathBuf, StoredRun)],
        named: &[(&Path, &RunInfo)],
        (policy, port): (&Policy, u16),
        (endpoints, targets): (&mut Endpoints, &mut Targets),
    ) -> Result<(), CommandError> {
        self.write_rejects(shards)?;
        endpoints.find_reach(shards, named)?;
        for (_, run) in shards {
            let mut observations = run.observations()?.known_to_differ();
            while let Some(observation) = endpoints.next_whole(&mut observations)? {
                let (record, _) = endpoints.judge(policy, observation)?;
                self.counts.endpoints_written += 1;
                self.emit(&Record::Endpoint(Box::new(record)))?;
            }
        }
        while let Some(facts) = targets.read_next(endpoints, port)? {
            self.counts.targets_read += 1;
            let mut probes = Vec::new();
            for (exchange, key) in facts.probe_keys(port).filter(|_| facts.failure.is_none()) {
                if let Some(record) = endpoints.tell_unasked(policy, &key, &facts)? {
                    self.counts.endpoints_written += 1;
                    self.emit(&Record::Endpoint(Box::new(record)))?;
                }
                probes.push((exchange, endpoints.judged(policy, &key)?));
            }
            let verdict = policy.verdict(&facts, &probes);
            self.counts.domains_written += 1;
            self.emit(&Record::Domain(Box::new(DomainRecord { facts, verdict })))?;
        }
        Ok(())
    }

    /// Each shard read the whole list.
    fn write_rejects(&mut self, shards: &[(PathBuf, StoredRun)]) -> Result<(), CommandError> {
        let Some((_, first)) = shards.first() else { return Ok(()) };
        let mut rejects = first.rejects()?;
        while let Some(rejected) = rejects.read_next()? {
            self.counts.rejected += 1;
            self.emit(&Record::Rejected(rejected))?;
        }
        Ok(())
    }

    fn emit(&mut self, record: &Record) -> Result<(), CommandError> {
        self.summary.add(record);
        self.directory.write(record).map_err(|error| unwritten(&error))
    }
}

#[cfg(test)]
mod tests;
