//! A survey from open list to closed run directory: what `scan` and `demo`
//! share.

use super::display::{self, Style};
use super::signals::Signals;
use super::writer::{self, Outputs, Written};
use super::{CommandError, reader};
use crate::engine::{self, EngineConfig, Progress, RunCounts};
use crate::input::{InputList, InputOptions};
use crate::output::{self, RunInfo, RunLimits};
use crate::plan::{Stages, Told};
use crate::report::Summary;
use anyhow::anyhow;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Targets read ahead of the lookups.
const TARGETS_QUEUED_MAX: usize = 1024;

/// Records on their way to the disk. Each holds one probe's certificates and
/// replies, some kilobytes.
const RECORDS_QUEUED_MAX: usize = 256;

/// Everything a survey needs.
pub(super) struct Survey {
    pub(super) list: InputList,
    /// How `list` was opened, to count it ahead.
    pub(super) list_name: String,
    pub(super) list_options: InputOptions,
    pub(super) stages: Stages,
    pub(super) engine: EngineConfig,
    pub(super) outputs: Outputs,
    pub(super) style: Style,
    pub(super) info: RunInfo,
    /// Listening since before the list was opened.
    pub(super) signals: Signals,
}

/// How a survey went.
pub(super) struct Surveyed {
    pub(super) summary: Summary,
    pub(super) counts: RunCounts,
    /// Exit code of the signal that broke it off.
    pub(super) interrupted: Option<u8>,
    /// Why the list was not read to its end.
    pub(super) list_error: Option<String>,
    /// Whoever read the rows has enough, and wants no last words.
    pub(super) quiet: bool,
    /// The run directory, if one was written.
    pub(super) path: Option<PathBuf>,
}

impl Survey {
    /// Runs to the end of the list, or until somebody stops it.
    pub(super) async fn run(self) -> Result<Surveyed, CommandError> {
        let stop = CancellationToken::new();
        let interrupted = Arc::new(OnceLock::new());
        let _watch = watch_signals(self.signals, stop.clone(), interrupted.clone());
        let progress = Arc::new(Progress::default());
        reader::count_ahead(&self.list_name, self.list_options, progress.clone());

        let (targets_in, targets) = mpsc::channel(TARGETS_QUEUED_MAX);
        let (records_in, records) = mpsc::channel(RECORDS_QUEUED_MAX);
        let reading = reader::start(self.list, targets_in, records_in.downgrade());
        let unwanted = CancellationToken::new();
        let writing = writer::start(self.outputs, records, stop.clone(), unwanted.clone());
        let shown = CancellationToken::new();
        let showing = tokio::spawn(display::show(progress.clone(), self.style, shown.clone()));

        let stages = (self.stages.lookup, self.stages.probe, self.stages.policy);
        // On a worker: the thread that waits for the whole run is none, and
        // every event would have to wake it.
        let mut engine =
            tokio::spawn(engine::run(self.engine, stages, targets, records_in, progress, stop.clone()));
        let counted = tokio::select! {
            counted = &mut engine => counted.map_err(|error| anyhow!("the engine broke down: {error}"))?,
            // Nobody is left to hear how the open connections end.
            () = unwanted.cancelled() => {
                engine.abort();
                Ok(RunCounts::default())
            }
        };
        shown.cancel();
        let _ = showing.await;
        let written = writing.await.map_err(|error| anyhow!("writing broke down: {error}"))?;
        // A reader that still waits for standard input is left behind.
        let list_error = if stop.is_cancelled() && !reading.is_finished() {
            None
        } else {
            reading.await.map_err(|error| anyhow!("reading broke down: {error}"))?
        };
        finish(self.info, written, list_error, counted, interrupted.get().copied())
    }
}

fn finish(
    mut info: RunInfo,
    written: Written,
    list_error: Option<io::Error>,
    counted: Result<RunCounts, engine::EngineError>,
    interrupted: Option<u8>,
) -> Result<Surveyed, CommandError> {
    let list_error = list_error.map(|error| format!("the list could not be read to its end: {error}"));
    let counts = counted.map_err(anyhow::Error::from)?;
    let failed = |error: &io::Error| anyhow!("cannot write the results: {error}");
    info.ended = Some(Timestamp::now());
    info.interrupted = interrupted.is_some();
    let unread = written.pipe_closed.then(|| "the reader of standard output went away".to_string());
    let unwritten = written.error.as_ref().map(|error| failed(error).to_string());
    info.error = list_error.clone().or(unwritten).or(unread);
    info.finished = Some(counts.unfinished == 0 && interrupted.is_none() && info.error.is_none());
    info.counts = output::RunCounts {
        targets_read: counts.targets,
        rejected: written.summary.rejected,
        connections: counts.connections,
        domains_written: counts.domains,
        endpoints_written: counts.endpoints,
        unfinished: counts.unfinished,
    };
    let mut path = None;
    if let Some(directory) = written.directory {
        path = Some(directory.path().to_path_buf());
        directory.finish(&info, &written.summary).map_err(|error| failed(&error))?;
    }
    if let Some(error) = written.error {
        return Err(failed(&error).into());
    }
    let (summary, quiet) = (written.summary, written.pipe_closed);
    Ok(Surveyed { summary, counts, interrupted, list_error, quiet, path })
}

/// The first Ctrl-C (or SIGTERM) lets open connections end and the results be
/// written; the second ends at once.
fn watch_signals(
    mut signals: Signals,
    stop: CancellationToken,
    interrupted: Arc<OnceLock<u8>>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let code = signals.next().await;
        super::say("mxray: stopping; open connections are ended in order (again: stop at once)");
        let _ = interrupted.set(code);
        stop.cancel();
        std::process::exit(i32::from(signals.next().await));
    })
}

/// What `run.json` says before the first packet.
pub(super) fn run_info(input: &str, told: &Told, engine: &EngineConfig, seed: Option<u64>) -> RunInfo {
    RunInfo {
        mxray: env!("CARGO_PKG_VERSION").to_string(),
        command: std::env::args().collect(),
        input: input.to_string(),
        resolver: if told.resolvers.is_empty() { "system".to_string() } else { told.resolvers.join(" ") },
        ehlo_name: told.ehlo_name.clone(),
        roots: told.roots.clone(),
        sender: told.sender.clone(),
        port: engine.port,
        judged_by: told.judged_by.clone(),
        judged_from: None,
        seed,
        limits: RunLimits {
            rate: engine.limits.rate.map_or(0, |rate| rate.get()),
            per_ip_interval_ms: millis(engine.limits.per_ip_interval),
            per_ip_connections: engine.limits.per_ip_connections.map_or(0, |most| most.get()),
            in_flight: engine.limits.in_flight,
            lookups_in_flight: engine.lookups_in_flight,
            retries: engine.retries,
            retry_delay_ms: millis(engine.retry_delay),
            sender_hello: told.hellos.sender_hello,
            hellos_per_host: told.hellos.hellos_max,
            enumeration_connections: told.enumeration_connections,
            timeouts_ms: timeouts(told),
        },
        started: Timestamp::now(),
        ended: None,
        error: None,
        finished: None,
        interrupted: false,
        counts: output::RunCounts::default(),
    }
}

fn timeouts(told: &Told) -> BTreeMap<String, u64> {
    let phases = &told.timeouts;
    [
        ("dns", told.dns_timeout),
        ("connect", phases.connect),
        ("greeting", phases.greeting),
        ("ehlo", phases.ehlo),
        ("starttls", phases.starttls),
        ("tls", phases.tls),
        ("after_tls", phases.after_tls),
        ("quit", phases.quit),
        ("session", phases.session),
    ]
    .map(|(phase, time)| (phase.to_string(), millis(time)))
    .into()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A run directory named after the moment (UTC), under the current folder.
pub(super) fn default_directory(prefix: &str) -> PathBuf {
    PathBuf::from(format!("{prefix}-{}", Timestamp::now().strftime("%Y%m%d-%H%M%SZ")))
}

impl Surveyed {
    /// Says how it went. `aside` keeps standard output for rows.
    pub(super) fn tell(&self, aside: bool) -> Result<ExitCode, CommandError> {
        if self.quiet {
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = self.summary.render();
        if let Some(path) = &self.path {
            text.push_str(&format!("\nwritten to {}\n", path.display()));
        }
        if self.interrupted.is_some() {
            text.push_str(&format!("stopped early; targets read but not done: {}\n", self.counts.unfinished));
        }
        // Nobody left to read it is no reason to complain.
        let _ = if aside {
            io::stderr().write_all(text.as_bytes())
        } else {
            io::stdout().write_all(text.as_bytes())
        };
        match &self.list_error {
            Some(error) => Err(anyhow!(error.clone()).into()),
            None => Ok(self.interrupted.map_or(ExitCode::SUCCESS, ExitCode::from)),
        }
    }
}
