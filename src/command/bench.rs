//! `mxray bench`: load on a server of one's own, told, saved and compared.

mod watch;

use super::descriptors::{self, Share};
use super::error::EXIT_FAILED_ON;
use super::signals::{Signals, Stop};
use super::{CommandError, start_logging};
use crate::cli::{BenchArgs, FormatArg};
use crate::load::{
    self, CONCURRENCY_MAX, Comparison, Job, KEPT_UP_SHARE_MIN, LoadChange, LoadModel, LoadProgress,
    LoadRecord, Round, Tolerance,
};
use crate::net::NetProbe;
use crate::plan::{self, UsageError};
use anyhow::{Context, anyhow};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use watch::LoadWatch;

/// Exit code where it cannot be told whether the load got worse.
const EXIT_NOT_TOLD: u8 = 4;

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
    if key.sni.is_some() {
        super::say(format_args!("mxray: the address of {} is {}", plan.settings.target, key.endpoint.ip));
    }
    let plan::LoadPlan { settings, bound, probe, .. } = plan;
    let progress = LoadProgress::default();
    let job = Job { probe: Arc::new(probe), key, settings: settings.clone(), bound, in_flight_max, progress };
    let stop = signals.watch("sessions under way are ended in order");
    let (rounds, interrupted) = make(job, args.rounds, &stop).await?;
    let record = LoadRecord::new(settings, args.rounds, rounds);
    // Saved before somebody has to read, told whatever became of that.
    let saved = args.save.as_deref().map(|path| save(path, &record)).transpose();
    let compared = match (interrupted, &baseline) {
        (None, Some(baseline)) => Some(compare(&args, baseline, &record)?),
        _ => None,
    };
    super::tell_until(&stop.token, told(args.telling.format, &record, compared.as_ref())?)?;
    saved?;
    if let Some(code) = interrupted {
        super::say("mxray: stopped early, so not compared");
        return Ok(ExitCode::from(code));
    }
    Ok(ended(&record, compared.as_ref()))
}

fn told(
    format: FormatArg,
    record: &LoadRecord,
    compared: Option<&Comparison>,
) -> Result<String, anyhow::Error> {
    if format == FormatArg::Json {
        return load::load_document(record, compared).context("the load cannot be written as JSON");
    }
    let compared = compared.map(|compared| format!("\n{}", load::comparison(compared)));
    Ok(load::report(record) + &compared.unwrap_or_default())
}

fn compare(
    args: &BenchArgs,
    baseline: &LoadRecord,
    record: &LoadRecord,
) -> Result<Comparison, anyhow::Error> {
    let tolerance = Tolerance { share: args.tolerance, least: args.least_change };
    Ok(load::compare(baseline, record, tolerance)?)
}

/// The exit code. A load that was not made as asked for comes before what it came to,
/// for it says nothing of that.
fn ended(record: &LoadRecord, compared: Option<&Comparison>) -> ExitCode {
    if !is_measured(record) {
        return ExitCode::FAILURE;
    }
    match compared.map(Comparison::verdict) {
        Some(LoadChange::Worse) => ExitCode::from(EXIT_FAILED_ON),
        Some(LoadChange::CannotBeTold) => ExitCode::from(EXIT_NOT_TOLD),
        Some(LoadChange::NotWorse) | None => ExitCode::SUCCESS,
    }
}

fn save(path: &Path, record: &LoadRecord) -> anyhow::Result<()> {
    let json = record.to_json().context("the load cannot be written as JSON")?;
    let written = File::create_new(path).and_then(|mut file| file.write_all(json.as_bytes()));
    written.with_context(|| format!("--save {}", path.display()))
}

/// A load of which no session came to its end has measured nothing, and one
/// that could not keep up with its rate something else than was asked for.
fn is_measured(record: &LoadRecord) -> bool {
    let kept_up = record.rounds.iter().all(Round::kept_up);
    if !kept_up {
        super::say(format_args!(
            "mxray: less than {} % of the planned sessions could be started: not the load that was asked for",
            KEPT_UP_SHARE_MIN * 100.0
        ));
    }
    kept_up && record.rounds.iter().all(|round| round.sessions.ok > 0)
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
/// missed after it. Nothing stays there until then, and what is there already stays as
/// it is.
fn check_writable(path: &Path) -> Result<(), UsageError> {
    let checked = File::create_new(path).and_then(|_| fs::remove_file(path));
    checked.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            UsageError(format!("--save {}: is there already; choose another name", path.display()))
        }
        _ => UsageError(format!("--save {}: {error}", path.display())),
    })
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
    let mut watch = LoadWatch::new(job.progress.clone(), rounds);
    while made.len() < rounds as usize && !stop.token.is_cancelled() {
        let number = made.len() + 1;
        let watched = watch.round(number);
        // On a worker: the thread that waits for the whole run is none.
        let round = tokio::spawn(load::run(job.clone(), stop.token.clone())).await;
        watched.end().await;
        let round = match round.map_err(|error| anyhow!("the load failed: {error}"))? {
            Ok(round) => round,
            Err(error) if made.is_empty() => return Err(anyhow::Error::from(error).into()),
            // What was measured before is told all the same.
            Err(error) => {
                super::say(format_args!("mxray: {error}"));
                return Ok((made, Some(stop.code().unwrap_or(EXIT_BROKEN_OFF))));
            }
        };
        watch.made(number, &round);
        made.push(round);
    }
    Ok((made, stop.code()))
}
