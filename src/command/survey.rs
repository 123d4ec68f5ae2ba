//! A survey from open list to closed run directory: what `scan` and `demo`
//! share.

use super::display::{self, Style};
use super::writer::{self, Outputs, Written};
use super::{CommandError, EXIT_INTERRUPTED, reader};
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
use std::sync::Arc;
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
}

/// How a survey went.
pub(super) struct Surveyed {
    pub(super) summary: Summary,
    pub(super) counts: RunCounts,
    pub(super) interrupted: bool,
    pub(super) pipe_closed: bool,
    /// The run directory, if one was written.
    pub(super) path: Option<PathBuf>,
}

impl Survey {
    /// Runs to the end of the list, or until somebody stops it.
    pub(super) async fn run(self) -> Result<Surveyed, CommandError> {
        let stop = CancellationToken::new();
        let interrupted = CancellationToken::new();
        let _watch = watch_signals(stop.clone(), interrupted.clone());
        let progress = Arc::new(Progress::default());
        reader::count_ahead(&self.list_name, self.list_options, progress.clone());

        let (targets_in, targets) = mpsc::channel(TARGETS_QUEUED_MAX);
        let (records_in, records) = mpsc::channel(RECORDS_QUEUED_MAX);
        let reading = reader::start(self.list, targets_in, records_in.downgrade());
        let writing = writer::start(self.outputs, records, stop.clone());
        let shown = CancellationToken::new();
        let showing = tokio::spawn(display::show(progress.clone(), self.style, shown.clone()));

        let stages = (self.stages.lookup, self.stages.probe, self.stages.judge);
        // On a worker: the thread that waits for the whole run is none, and
        // every event would have to wake it.
        let engine = engine::run(self.engine, stages, targets, records_in, progress, stop.clone());
        let counted =
            tokio::spawn(engine).await.map_err(|error| anyhow!("the engine broke down: {error}"))?;
        shown.cancel();
        let _ = showing.await;
        let written = writing.await.map_err(|error| anyhow!("writing broke down: {error}"))?;
        let interrupted = interrupted.is_cancelled();
        // A reader that still waits for standard input is left behind.
        let read = if stop.is_cancelled() && !reading.is_finished() {
            reader::Read::default()
        } else {
            reading.await.map_err(|error| anyhow!("reading broke down: {error}"))?
        };
        finish(self.info, written, read, counted, interrupted)
    }
}

fn finish(
    mut info: RunInfo,
    written: Written,
    read: reader::Read,
    counted: Result<RunCounts, engine::EngineError>,
    interrupted: bool,
) -> Result<Surveyed, CommandError> {
    if let Some(error) = written.error {
        return Err(anyhow!("cannot write the results: {error}").into());
    }
    let counts = counted.map_err(anyhow::Error::from)?;
    info.ended = Some(Timestamp::now());
    info.interrupted = interrupted;
    info.finished =
        Some(counts.unfinished == 0 && !interrupted && read.error.is_none() && !written.pipe_closed);
    info.counts = output::RunCounts {
        targets_read: counts.targets,
        rejected: read.rejected,
        domains_written: counts.domains,
        endpoints_written: counts.endpoints,
        unfinished: counts.unfinished,
    };
    let mut path = None;
    if let Some(directory) = written.directory {
        path = Some(directory.path().to_path_buf());
        directory
            .finish(&info, &written.summary)
            .map_err(|error| anyhow!("cannot write the results: {error}"))?;
    }
    if let Some(error) = read.error {
        return Err(anyhow!("the list could not be read to its end: {error}").into());
    }
    let summary = written.summary;
    Ok(Surveyed { summary, counts, interrupted, pipe_closed: written.pipe_closed, path })
}

/// The first Ctrl-C (or SIGTERM) lets open connections end and the results be
/// written; the second ends at once.
fn watch_signals(stop: CancellationToken, interrupted: CancellationToken) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        super::signal().await;
        super::say(format_args!(
            "mxray: stopping; open connections are ended in order (again: stop at once)"
        ));
        interrupted.cancel();
        stop.cancel();
        super::signal().await;
        std::process::exit(EXIT_INTERRUPTED);
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
        seed,
        limits: RunLimits {
            rate: engine.limits.rate.map_or(0, |rate| rate.get()),
            per_ip_interval_ms: millis(engine.limits.per_ip_interval),
            in_flight: engine.limits.in_flight,
            retries: engine.retries,
            timeouts_ms: timeouts(told),
        },
        started: Timestamp::now(),
        ended: None,
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
    pub(super) fn tell(&self, aside: bool) -> ExitCode {
        let mut text = self.summary.render();
        if let Some(path) = &self.path {
            text.push_str(&format!("\nwritten to {}\n", path.display()));
        }
        if self.interrupted {
            text.push_str(&format!("stopped early: {} targets have no row\n", self.counts.unfinished));
        }
        // Nobody left to read it is no reason to complain.
        let _ = if aside {
            io::stderr().write_all(text.as_bytes())
        } else {
            io::stdout().write_all(text.as_bytes())
        };
        ExitCode::SUCCESS
    }
}
