//! `mxray bench`: load on a server of one's own, told, saved and compared.

use super::descriptors::{self, Share};
use super::signals::{Signals, Stop};
use super::{CommandError, start_logging};
use crate::cli::BenchArgs;
use crate::load::{self, CONCURRENCY_MAX, Job, KEPT_UP_SHARE_MIN, LoadModel, LoadRecord, Round, Tolerance};
use crate::net::NetProbe;
use crate::plan::{self, UsageError};
use anyhow::{Context, anyhow};
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Exit code where a round could not be made any more.
const EXIT_BROKEN_OFF: u8 = 1;

/// Makes the load, tells it, saves it and compares it. Everything that can be
/// refused is refused before the first session.
pub(super) async fn run(args: BenchArgs) -> Result<ExitCode, CommandError> {
    start_logging(args.dialogue.verbose);
    let signals = Signals::new();
    let plan = plan::load(&args)?;
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    if let (Some(path), Some(baseline)) = (&args.baseline, &baseline) {
        load::check_same(&baseline.settings, &plan.settings).map_err(|error| unusable(path, error))?;
    }
    args.save.as_deref().map(check_writable).transpose()?;
    let in_flight_max = room(plan.settings.pacing)?;
    let key = plan.key().await?;
    super::say(format_args!("mxray: {}; address {}", plan.settings, key.endpoint.ip));
    let plan::LoadPlan { settings, bound, probe, .. } = plan;
    let job = Job { probe: Arc::new(probe), key, settings: settings.clone(), bound, in_flight_max };
    let stop = signals.watch("sessions under way are ended in order");
    let (rounds, interrupted) = make(job, args.rounds, &stop).await?;
    let record = LoadRecord::new(settings, args.rounds, rounds);
    // Saved before somebody has to read, told whatever became of that.
    let saved = args.save.as_deref().map(|path| save(path, &record)).transpose();
    super::tell_until(&stop.token, load::report(&record))?;
    saved?;
    match (interrupted, baseline) {
        (Some(code), _) => {
            super::say("mxray: stopped early, so not compared");
            Ok(ExitCode::from(code))
        }
        (None, Some(baseline)) => compare(&args, &baseline, &record, &stop),
        (None, None) => Ok(measured(&record)),
    }
}

fn save(path: &Path, record: &LoadRecord) -> anyhow::Result<()> {
    let json = record.to_json().context("the load cannot be written as JSON")?;
    fs::write(path, json).with_context(|| format!("--save {}", path.display()))
}

/// A load of which no session came to its end has measured nothing, and one
/// that could not keep up with its rate something else than was asked for.
fn measured(record: &LoadRecord) -> ExitCode {
    if !record.rounds.iter().all(Round::kept_up) {
        super::say(format_args!(
            "mxray: less than {} % of the planned sessions could be started: not the load that was asked for",
            KEPT_UP_SHARE_MIN * 100.0
        ));
        return ExitCode::FAILURE;
    }
    if record.rounds.iter().all(|round| round.sessions.ok > 0) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn compare(
    args: &BenchArgs,
    baseline: &LoadRecord,
    record: &LoadRecord,
    stop: &Stop,
) -> Result<ExitCode, CommandError> {
    let tolerance = Tolerance { share: args.tolerance, least: args.least_change };
    let compared = load::compare(baseline, record, tolerance).map_err(anyhow::Error::from)?;
    super::tell_until(&stop.token, format_args!("\n{}", load::comparison(&compared)))?;
    if compared.is_worse() {
        super::say(format_args!(
            "mxray: worse than the baseline by more than {:.1} %",
            args.tolerance * 100.0
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(measured(record))
}

fn unusable(baseline: &Path, error: impl std::fmt::Display) -> UsageError {
    UsageError(format!("--baseline {}: {error}", baseline.display()))
}

fn read_baseline(path: &Path) -> Result<LoadRecord, UsageError> {
    let baseline = LoadRecord::from_json(&plan::read_file("--baseline", path)?);
    let baseline = baseline.map_err(|error| unusable(path, error))?;
    if baseline.is_interrupted() {
        return Err(unusable(path, "its measurement was stopped early; save another"));
    }
    Ok(baseline)
}

/// A place where the file can be written is better found before the load than
/// missed after it. What stands there stays until then.
fn check_writable(path: &Path) -> Result<(), UsageError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let checked = match path.exists() {
        true => File::options().append(true).open(path).map(drop),
        false => fs::read_dir(folder).map(drop),
    };
    checked.map_err(|error| UsageError(format!("--save {}: {error}", path.display())))
}

/// How many sessions fit into the open files that the system grants.
fn room(pacing: LoadModel) -> Result<u32, UsageError> {
    let wanted = Share { connections: CONCURRENCY_MAX as usize, slow: 0, questions: 1 };
    let fits = wanted.within(descriptors::raise()).connections;
    let fits = u32::try_from(fits).unwrap_or(CONCURRENCY_MAX);
    match pacing {
        LoadModel::Closed { concurrency } if concurrency > fits => Err(UsageError(format!(
            "--concurrency {concurrency}: the limit of open files (ulimit -n) allows only {fits}"
        ))),
        _ => Ok(fits),
    }
}

/// Makes the rounds, as many as there is time for before `stop`. Gives the exit
/// code of what ended them early.
async fn make(
    job: Job<NetProbe>,
    rounds: u32,
    stop: &Stop,
) -> Result<(Vec<Round>, Option<u8>), CommandError> {
    let mut made = Vec::new();
    while made.len() < rounds as usize && !stop.token.is_cancelled() {
        // On a worker: the thread that waits for the whole run is none.
        let round = tokio::spawn(load::run(job.clone(), stop.token.clone())).await;
        let round = match round.map_err(|error| anyhow!("the load failed: {error}"))? {
            Ok(round) => round,
            Err(error) if made.is_empty() => return Err(anyhow::Error::from(error).into()),
            // What was measured before is told all the same.
            Err(error) => {
                super::say(format_args!("mxray: {error}"));
                return Ok((made, Some(stop.code().unwrap_or(EXIT_BROKEN_OFF))));
            }
        };
        if rounds > 1 {
            super::say(format_args!("mxray: round {}: {}", made.len() + 1, load::round_line(&round)));
        }
        made.push(round);
    }
    Ok((made, stop.code()))
}
