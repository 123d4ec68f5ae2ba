//! `mxray scan --resume`: goes on with a run that was stopped or killed.
//!
//! What is whole of the run is judged again as it was, written anew, and put in
//! place; then the scan goes on as if it had never ended. What is kept only shrinks
//! on the way: who is killed meanwhile has lost nothing that cannot be asked again.

use super::metrics::MetricsListener;
use super::scan_parts::{ScanPace, open_list, samples, survey};
use super::signals::Signals;
use super::survey::EarlierPart;
use super::writer::{Fold, Outputs};
use super::{CommandError, canaries, cool_downs, report, say, start_logging_as};
use crate::cli::ReportFormatArg;
use crate::engine::Earlier;
use crate::model::text::counted;
use crate::model::{Exchange, ProbeKey, Record, Shard};
use crate::plan;
use crate::run_dir::read::{StoreError, Stored, StoredFacts, StoredRun};
use crate::run_dir::{RewrittenRun, RunCounts, RunDirectory, RunInfo};
use crate::verdict::Policy;
use anyhow::anyhow;
use jiff::Timestamp;
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Goes on with a run. Everything that can be refused is refused before anything
/// of it is changed.
pub(super) async fn run(run: PathBuf) -> Result<ExitCode, CommandError> {
    let stored = StoredRun::open(&run)?;
    let given: Vec<_> = std::env::args_os().collect();
    let args = plan::resumed(&run, stored.info(), &given)?;
    stored.check_packing()?;
    start_logging_as(args.log, args.asking.dialogue.verbose);
    let mut signals = Signals::new();
    let list = match open_list(&args, &mut signals).await? {
        Ok(list) => list,
        Err(code) => return Ok(ExitCode::from(code)),
    };
    let mut pace = ScanPace::new(&args)?;
    pace.engine.sample = samples(&args, &list).await?;
    pace.engine.spill_dir = Some(run.clone());
    let judging = plan::judging_on(&run, stored.info())?;
    let stages = plan::stages_judging(&args.asking, &args.policies, &args.hellos, judging, pace.lookup)?;
    pace.engine.canaries = canaries::find(&stages, &args.canaries.canary, pace.engine.port).await?;
    pace.engine.canary_interval = args.canaries.canary_interval;
    let metrics = MetricsListener::bind_if(args.metrics).await?;
    let mut info = goes_on(stored.info());
    pace.engine.canary_pause = canaries::take_open(&mut info.canary_pauses);
    let port = pace.engine.port;
    let policy = stages.policy.clone();
    let (path, resumed) = (run.clone(), info.clone());
    let taking = tokio::task::spawn_blocking(move || {
        let directory = RunDirectory::go_on(&path, &resumed)?;
        let mut kept = KeptPart::new(directory, policy, (port, resumed.shard, path));
        kept.take_up(&stored.as_killed())?;
        kept.settle()
    });
    let (directory, fold, earlier) = tokio::select! {
        taken = taking => taken.map_err(|error| anyhow!("reading failed: {error}"))??,
        code = signals.next() => return Ok(ExitCode::from(code)),
    };
    let mut pages = report::take_away(&run);
    #[cfg(feature = "export")]
    let parquet = super::export::take_away(&run) || args.parquet;
    super::say_at_start(&stages.settings);
    pace.say();
    say(format_args!(
        "mxray: goes on with {}: done before: {} and {}{}; the rest of the list is asked now",
        run.display(),
        counted(fold.summary.domains.total, "domain"),
        counted(fold.summary.endpoints.total, "host"),
        earlier.broken_off_words()
    ));
    earlier.progress.set_places(cool_downs::read(info.cool_downs.clone().unwrap_or_default()));
    let progress = earlier.progress.clone();
    let _served = metrics.map(|metrics| metrics.serve(progress.clone())).transpose()?;
    let outputs = Outputs { directory: Some(directory), stream: None, earlier: fold, progress };
    let surveyed = survey(&args, list, (stages, pace), outputs, info, (signals, earlier)).run().await?;
    let code = surveyed.tell(false, args.summary.summary)?;
    if args.report {
        pages.push(ReportFormatArg::Html);
    }
    report::of_scan(&run, &pages)?;
    #[cfg(feature = "export")]
    if parquet {
        super::export::of_scan(&run)?;
    }
    Ok(code)
}

/// What `run.json` says from now on: as before, and that the run goes on.
fn goes_on(before: &RunInfo) -> RunInfo {
    let mut info = before.clone();
    info.resumed.push(Timestamp::now());
    info.ended = None;
    info.finished = None;
    info.interrupted = false;
    info.error = None;
    info.network_suspect = None;
    info.counts = RunCounts::default();
    info
}

/// What is kept of a run.
struct KeptPart {
    directory: RewrittenRun,
    policy: Arc<Policy>,
    /// Port of the mail hosts.
    port: u16,
    fold: Fold,
    part: EarlierPart,
}

impl KeptPart {
    fn new(
        directory: RewrittenRun,
        policy: Arc<Policy>,
        (port, shard, path): (u16, Option<Shard>, PathBuf),
    ) -> Self {
        let found = Earlier::new(Some(path)).in_shard(shard);
        let part = EarlierPart { found, ..EarlierPart::default() };
        Self { directory, policy, port, fold: Fold::default(), part }
    }

    /// Takes up what is whole: observations with their certificates, and targets
    /// with all that their answers rest on.
    fn take_up(&mut self, stored: &StoredRun) -> Result<(), CommandError> {
        let mut broken = 0;
        let mut rejects = stored.rejects()?;
        while let Some(rejected) = StoreError::pass_over_broken(&mut broken, || rejects.read_next())? {
            self.part.done.insert(rejected.line);
            self.keep(&Record::Rejected(rejected))?;
        }
        let with_tlsa = self.with_tlsa(stored)?;
        let mut observations = stored.observations()?;
        while let Some(read) = StoreError::pass_over_broken(&mut broken, || observations.read_next())? {
            let Stored::Whole(seen) = read else { continue };
            // More was to be asked, so it is asked again.
            if seen.stopped == Some(true) {
                self.part.broken_off += 1;
                continue;
            }
            let tlsa = with_tlsa.contains(&seen.key);
            let EarlierPart { found, progress, .. } = &mut self.part;
            let record =
                found.endpoint(&self.policy, *seen, tlsa, progress).map_err(|error| unread(&error))?;
            self.keep(&Record::Endpoint(Box::new(record)))?;
        }
        let mut facts = stored.facts()?;
        while let Some(read) = StoreError::pass_over_broken(&mut broken, || facts.read_next())? {
            let StoredFacts::Whole(facts) = read else { continue };
            let line = facts.target.line;
            let EarlierPart { found, progress, .. } = &mut self.part;
            let taken = found.domain(&self.policy, *facts, self.port, progress);
            if let Some(record) = taken.map_err(|error| unread(&error))? {
                self.part.done.insert(line);
                self.keep(&record)?;
            }
        }
        if broken > 0 {
            say(format_args!(
                "mxray: damaged places that were left out: {broken}; what they told is asked again"
            ));
        }
        Ok(())
    }

    /// The keys whose certificates some domain holds against TLSA records.
    fn with_tlsa(&self, stored: &StoredRun) -> Result<HashSet<ProbeKey>, CommandError> {
        let mut with_tlsa = HashSet::new();
        let mut facts = stored.facts()?;
        while let Some(read) = StoreError::pass_over_broken(&mut 0, || facts.read_next())? {
            let facts = read.dns();
            let has_tlsa =
                |exchange: usize| facts.exchanges.get(exchange).is_some_and(Exchange::may_have_tlsa);
            let keys = facts.probe_keys(self.port).filter(|(exchange, _)| has_tlsa(*exchange));
            with_tlsa.extend(keys.map(|(_, key)| key));
        }
        Ok(with_tlsa)
    }

    fn keep(&mut self, record: &Record) -> Result<(), CommandError> {
        self.fold.add(record);
        self.directory.write(record).map_err(|error| unwritten(&error))
    }

    /// Puts it in place.
    fn settle(self) -> Result<(RunDirectory, Fold, EarlierPart), CommandError> {
        let directory = self.directory.settle().map_err(|error| unwritten(&error))?;
        Ok((directory, self.fold, self.part))
    }
}

fn unread(error: &io::Error) -> CommandError {
    anyhow!("what was found is lost from its file: {error}").into()
}

fn unwritten(error: &io::Error) -> CommandError {
    anyhow!("cannot write the results: {error}").into()
}

#[cfg(test)]
#[path = "resume_tests.rs"]
mod tests;
