//! A survey from open list to closed run directory: what `scan` and `demo`
//! share.

use super::display::{Display, Style};
use super::list_end::ListEnd;
use super::opt_outs::OptOuts;
use super::reader::{self, Read};
use super::resolvers::{self, Lost};
use super::run_news::NewsSource;
use super::signals::{Signals, Stop};
use super::writer::{self, Fold, Outputs, Written};
use super::{CommandError, canaries, colour, cool_downs, summary};
use crate::cli::SummaryArg;
use crate::engine::pace::BucketLimits;
use crate::engine::{self, Earlier, EngineConfig, EngineCounts, NAMES_ASKED_MIN, Progress, SampleCounts};
use crate::input::{InputList, InputOptions, TakenCounts};
use crate::model::Shard;
use crate::plan::{StageSettings, Stages};
use crate::report::Summary;
use crate::run_dir::read::LineNumbers;
use crate::run_dir::{self, BucketRunLimits, RunInfo, RunLimits, RunSample};
use crate::verdict::Reach;
use anyhow::anyhow;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Targets read ahead of the lookups.
const TARGETS_QUEUED_MAX: usize = 1024;

/// How long the end of a run waits for its list to be counted.
const COUNTED_WITHIN: Duration = Duration::from_secs(1);

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
    /// Whether a list without targets is an error.
    pub(super) require_targets: bool,
    /// What an earlier process did of it.
    pub(super) earlier: EarlierPart,
    /// Who is left alone, and when that was read.
    pub(super) opt_outs: OptOuts,
}

/// What an earlier process did of a survey.
#[derive(Default)]
pub(super) struct EarlierPart {
    /// What it found.
    pub(super) found: Earlier,
    /// The lines of the list that are done.
    pub(super) done: LineNumbers,
    /// Counts that, too.
    pub(super) progress: Arc<Progress>,
    /// Hosts that it had begun to ask when it was stopped.
    pub(super) broken_off: u64,
}

impl EarlierPart {
    /// That hosts of which something is known will be connected to once more.
    pub(super) fn broken_off_words(&self) -> String {
        match self.broken_off {
            0 => String::new(),
            1 => "; 1 host was stopped before its last connection, and is asked from the start".to_string(),
            more => {
                format!(
                    "; {more} hosts were stopped before their last connection, and are asked from the start"
                )
            }
        }
    }
}

/// How a survey went.
pub(super) struct Surveyed {
    pub(super) summary: Summary,
    /// Name of the sender that it was judged for.
    pub(super) sender: String,
    /// Whether this machine's own network lets connections out.
    pub(super) reach: Reach,
    /// Targets that have a row.
    pub(super) rows: u64,
    /// Those of the list that have none, if it is known.
    pub(super) unfinished: Option<u64>,
    /// Domains that were taken from URLs and from mail addresses.
    pub(super) taken: (u64, u64),
    /// Whether a signal broke it off, or still comes.
    pub(super) stop: Stop,
    /// Whether it ended for want of a resolver.
    pub(super) lost: Lost,
    /// Why the list was not read to its end.
    pub(super) list_error: Option<String>,
    /// What the list came to, if one was read.
    pub(super) list_end: Option<ListEnd>,
    /// Whoever read the rows has enough, and wants no last words.
    pub(super) quiet: bool,
    /// The run directory, if one was written.
    pub(super) path: Option<PathBuf>,
    /// Which part of the list was asked; `None` for all of it.
    pub(super) shard: Option<Shard>,
    /// Targets of which other shards have some, and all.
    pub(super) of_others: (u64, u64),
    /// Whether another process can go on with it.
    pub(super) resumable: bool,
}

impl Survey {
    /// Runs to the end of the list, or until somebody stops it.
    pub(super) async fn run(self) -> Result<Surveyed, CommandError> {
        let stop = self.signals.watch("open connections are ended in order");
        let EarlierPart { found, done, progress, .. } = self.earlier;
        let taken = self.list.taken();
        let counting = reader::count_ahead(&self.list_name, self.list_options, progress.clone());

        let (targets_in, targets) = mpsc::channel(TARGETS_QUEUED_MAX);
        let (records_in, records) = mpsc::channel(RECORDS_QUEUED_MAX);
        let reading = reader::start(self.list, targets_in, records_in.downgrade(), done);
        let unwanted = CancellationToken::new();
        let news = NewsSource::new(progress.clone(), self.info.canary_pauses.clone(), self.opt_outs.reads());
        let writing = writer::start(self.outputs, news, records, stop.token.clone(), unwanted.clone());
        let display = Display::start(progress.clone(), self.style);
        let telling = canaries::tell(&progress);

        let lost = Lost::default();
        let (lookup, resolver) = (self.stages.lookup.clone(), self.info.resolver.clone());
        let state = lookup.wait_out_silence(resolvers::PATIENCE);
        let believing = tokio::spawn(resolvers::tell_if_none_is_believed(lookup.clone()));
        let asked = lookup.clone();
        let told = (lookup, state, resolver);
        let watching = tokio::spawn(resolvers::watch(told, stop.token.clone(), lost.clone()));

        let stages = (self.stages.lookup, self.stages.probe, self.stages.policy);
        // On a worker: the thread that waits for the whole run is none, and
        // every event would have to wake it.
        let mut engine = tokio::spawn(engine::go_on(
            self.engine,
            stages,
            targets,
            records_in,
            (progress.clone(), found),
            stop.token.clone(),
        ));
        let counted = tokio::select! {
            counted = &mut engine => counted.map_err(|error| anyhow!("the engine failed: {error}"))?,
            // Nobody is left to hear how the open connections end.
            () = unwanted.cancelled() => {
                engine.abort();
                Ok(EngineCounts::default())
            }
        };
        watching.abort();
        believing.abort();
        display.end().await;
        let written = writing.await.map_err(|error| anyhow!("writing failed: {error}"))?;
        // A reader that still waits for standard input is left behind.
        let mut read = if stop.token.is_cancelled() && !reading.is_finished() {
            Read::default()
        } else {
            reading.await.map_err(|error| anyhow!("reading failed: {error}"))?
        };
        if read.targets.is_none() {
            read.targets = timeout(COUNTED_WITHIN, counting).await.ok().and_then(Result::ok).flatten();
        }
        let told = (self.list_name, self.require_targets);
        let resolvers = resolvers::at_end(&asked, stop.token.is_cancelled()).await;
        let blocklist = self.opt_outs.end();
        telling.abort();
        let mut canary_pauses = self.info.canary_pauses.clone();
        canary_pauses.extend(progress.canary_pauses().borrow().iter().map(canaries::as_stored));
        let info = RunInfo { resolvers, blocklist, canary_pauses, ..self.info };
        finish(info, written, read, counted, (stop, lost), told, &taken)
    }
}

fn finish(
    mut info: RunInfo,
    written: Written,
    read: Read,
    counted: Result<EngineCounts, engine::EngineError>,
    (stop, lost): (Stop, Lost),
    (list, require_targets): (String, bool),
    taken: &TakenCounts,
) -> Result<Surveyed, CommandError> {
    let list_error = read.error.map(|error| format!("the list could not be read to its end: {error}"));
    let counts = counted.map_err(anyhow::Error::from)?;
    let failed = |error: &io::Error| anyhow!("cannot write the results: {error}");
    let interrupted = stop.code().is_some();
    info.ended = Some(Timestamp::now());
    info.interrupted = interrupted;
    let unread = written.pipe_closed.then(|| "the reader of standard output closed it".to_string());
    let unwritten = written.error.as_ref().map(|error| failed(error).to_string());
    info.error = list_error.clone().or(unwritten).or(unread).or(lost.error(&info.resolver));
    let unfinished = read.targets.map(|targets| targets.saturating_sub(counts.done()));
    info.finished = Some(counts.unfinished == 0 && !interrupted && info.error.is_none());
    info.network_suspect = Some(suspects(&written.fold.reach));
    info.cool_downs = Some(cool_downs::told(written.places.clone()));
    tell_of_sample(counts.samples);
    info.sample = info.limits.names_asked_min.map(|_| sample_told(counts.samples));
    info.counts = counts_told(&counts, written.fold.summary.rejected, taken, unfinished);
    let mut path = None;
    if let Some(directory) = written.directory {
        path = Some(directory.path().to_path_buf());
        directory.finish(&info, &written.fold.summary.told()).map_err(|error| failed(&error))?;
    }
    if let Some(error) = written.error {
        return Err(failed(&error).into());
    }
    let Written { fold: Fold { summary, reach, mut asked }, pipe_closed: quiet, .. } = written;
    asked.leave_to_others(counts.of_other_shards);
    let list = if list == "-" { "standard input".to_string() } else { list };
    let list_end =
        Some(ListEnd { asked, reach: reach.clone(), list, resolver: info.resolver, require_targets });
    let taken = (taken.urls(), taken.mail_addresses());
    let of_others = (counts.parts, counts.of_other_shards);
    let resumable = info.asked_by.is_some_and(|by| by.list.is_some());
    Ok(Surveyed {
        summary,
        sender: info.sender,
        reach,
        rows: counts.domains,
        unfinished,
        taken,
        stop,
        lost,
        list_error,
        list_end,
        quiet,
        path,
        shard: info.shard,
        of_others,
        resumable,
    })
}

/// Says that every name was asked, where not all should have been.
fn tell_of_sample(samples: SampleCounts) {
    if samples.could_not_wait {
        super::say(format_args!(
            "mxray: names that should wait for a sample of their address were asked, for the file in which they wait could \
             not be written"
        ));
    }
}

/// As `run.json` has them.
fn counts_told(
    counts: &EngineCounts,
    rejected: u64,
    taken: &TakenCounts,
    unfinished: Option<u64>,
) -> run_dir::RunCounts {
    run_dir::RunCounts {
        targets_read: counts.targets,
        rejected,
        taken_from_urls: taken.urls(),
        taken_from_mail_addresses: taken.mail_addresses(),
        connections: counts.connections,
        domains_written: counts.domains,
        parts_written: counts.parts,
        of_other_shards: counts.of_other_shards,
        endpoints_written: counts.endpoints,
        unfinished,
    }
}

/// As `run.json` has it.
pub(super) fn suspects(reach: &Reach) -> Vec<String> {
    reach.suspects().into_iter().map(String::from).collect()
}

fn sample_told(counts: SampleCounts) -> RunSample {
    RunSample {
        endpoints_alike: counts.alike,
        names_asked: counts.names_asked,
        names_inferred: counts.names_inferred,
        endpoints_differ: counts.differs,
    }
}

/// A limit as it is written down: 0 for none.
fn number(limit: Option<NonZeroU32>) -> u32 {
    limit.map_or(0, NonZeroU32::get)
}

fn bucket_limits(limits: &BucketLimits) -> BucketRunLimits {
    BucketRunLimits {
        connections: number(limits.connections),
        interval_ms: millis(limits.interval),
        rate: number(limits.per_minute),
    }
}

/// What `run.json` says before the first packet.
pub(super) fn run_info(
    input: &str,
    settings: &StageSettings,
    engine: &EngineConfig,
    seed: Option<u64>,
) -> RunInfo {
    RunInfo {
        mxray: env!("CARGO_PKG_VERSION").to_string(),
        commit: option_env!("MXRAY_COMMIT").map(str::to_string),
        host: Some(gethostname::gethostname().to_string_lossy().into_owned()),
        command: super::given_words(),
        input: input.to_string(),
        resolver: settings.resolver(),
        resolvers: resolvers::told(&settings.asked_resolvers),
        ehlo_name: settings.ehlo_name.clone(),
        roots: settings.roots.clone(),
        sender: settings.sender.clone(),
        port: engine.port,
        judged_by: settings.judged_by.clone(),
        asked_by: None,
        resumed: Vec::new(),
        shard: engine.shard,
        merged_from: Vec::new(),
        judged_from: None,
        seed: seed.or(engine.limits.order_seed),
        limits: RunLimits {
            rate: number(engine.limits.rate),
            per_ip_interval_ms: millis(engine.limits.per_ip.interval),
            per_ip_connections: number(engine.limits.per_ip.connections),
            per_ip_rate: number(engine.limits.per_ip.per_minute),
            per_network: Some(bucket_limits(&engine.limits.per_network)),
            per_operator: Some(bucket_limits(&engine.limits.per_operator)),
            in_flight: engine.limits.in_flight,
            slow_in_flight: engine.limits.slow_in_flight,
            lookups_in_flight: engine.lookups_in_flight,
            retries: engine.retry.retries,
            retry_delay_ms: millis(engine.retry.retry_delay),
            cool_down_ms: Some(engine.limits.cool_down.map_or(0, |plan| millis(plan.first))),
            cool_down_max_ms: Some(engine.limits.cool_down.map_or(0, |plan| millis(plan.longest))),
            second_look_delay_ms: Some(millis(engine.retry.second_look_delay)),
            names_asked_min: engine.sample.then_some(NAMES_ASKED_MIN),
            sender_hello: settings.hellos.sender_hello,
            extra_client_hellos: settings.hellos.hellos_max,
            enumeration_connections: settings.enumeration_connections,
            timeouts_ms: timeouts(settings),
        },
        compress: None,
        started: Timestamp::now(),
        ended: None,
        error: None,
        finished: None,
        interrupted: false,
        network_suspect: None,
        cool_downs: None,
        sample: None,
        blocklist: Vec::new(),
        canary_pauses: Vec::new(),
        counts: run_dir::RunCounts::default(),
    }
}

fn timeouts(settings: &StageSettings) -> BTreeMap<String, u64> {
    let phases = &settings.timeouts;
    [
        ("dns", settings.dns_timeout),
        ("connect", phases.connect),
        ("connect_retry", phases.connect_retry),
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

/// Rounded up, so that a pause is never told as none.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// What a shard says of the targets that it cannot judge.
fn other_shards(shard: Shard, (parts, nothing): (u64, u64)) -> String {
    format!(
        "this is shard {shard} of the run, and the figures are of what lies in it alone; targets that lie in other \
         shards, too: {parts}, or altogether: {nothing}; mxray merge joins the shards and judges all"
    )
}

fn stopped_early(rows: u64, unfinished: Option<u64>) -> String {
    match unfinished {
        Some(unfinished) => format!("stopped early; targets of the list without a row: {unfinished}\n"),
        None => format!("stopped early; targets done: {rows}, of a list that was not read to its end\n"),
    }
}

impl Surveyed {
    /// What there is to know beside the counts.
    fn notes(&self, kind: SummaryArg) -> Vec<String> {
        let (urls, addresses) = self.taken;
        let taken = (urls + addresses > 0)
            .then(|| format!("domains taken from mail addresses: {addresses}, from URLs: {urls}"));
        let shard = self.shard.map(|shard| other_shards(shard, self.of_others));
        let path = self.path.as_deref().map(|path| summary::written_to(path, kind));
        [taken, shard, path].into_iter().flatten().collect()
    }

    /// Says how it went, the headline last, but for how to go on with a run that was
    /// stopped. `aside` keeps standard output for rows.
    pub(super) fn tell(&self, aside: bool, kind: SummaryArg) -> Result<ExitCode, CommandError> {
        if self.quiet {
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = summary::text((&self.summary, kind), &self.sender, &self.reach, &self.notes(kind));
        let interrupted = self.stop.code();
        if interrupted.is_some() || self.lost.is_so() {
            text.push('\n');
            text.push_str(&stopped_early(self.rows, self.unfinished));
            if let Some(path) = self.path.as_ref().filter(|_| self.resumable) {
                let once = if self.lost.is_so() { ", once its resolver answers" } else { "" };
                text.push_str(&format!("mxray scan --resume {} goes on with it{once}\n", path.display()));
            }
        }
        if aside {
            super::say_text(&text);
        } else {
            super::tell_until(&self.stop.token, colour::for_stdout(&text))?;
        }
        if let Some(error) = &self.list_error {
            return Err(anyhow!(error.clone()).into());
        }
        Ok(match (interrupted, &self.list_end) {
            (Some(code), _) => ExitCode::from(code),
            (None, Some(end)) => {
                self.lost.code(&end.resolver).unwrap_or_else(|| end.code(self.path.as_deref()))
            }
            (None, None) => ExitCode::SUCCESS,
        })
    }
}
