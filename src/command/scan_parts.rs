//! What a scan is made of, whether it begins or goes on.

use super::CommandError;
use super::descriptors::{self, Share};
use super::display::Style;
use super::opt_outs::OptOuts;
use super::reader;
use super::signals::Signals;
use super::survey::{EarlierPart, Survey};
use super::writer::Outputs;
use crate::cli::{self, ScanArgs};
use crate::engine::{EngineConfig, NAMES_ASKED_MIN};
use crate::input::{self, InputKind, InputList, InputOptions};
use crate::model::Shard;
use crate::plan::{self, LookupPace, Stages, UsageError};
use crate::run_dir::{AskedBy, RunInfo};
use anyhow::anyhow;

/// A list that was opened.
pub(super) struct OpenedList {
    pub(super) list: InputList,
    pub(super) name: String,
    pub(super) options: InputOptions,
}

/// Opens the list; the exit code if a signal comes first, for standard input may
/// take its time with the first line.
pub(super) async fn open_list(
    args: &ScanArgs,
    signals: &mut Signals,
) -> Result<Result<OpenedList, u8>, CommandError> {
    let name = args.list.clone().unwrap_or_default();
    let options = InputOptions { kind: input_kind(args.input), column: args.column.clone() };
    let opening = tokio::task::spawn_blocking(move || {
        input::open(&name, &options).map(|list| OpenedList { list, name, options })
    });
    tokio::select! {
        opened = opening => Ok(Ok(opened.map_err(|error| anyhow!("reading failed: {error}"))??)),
        code = signals.next() => Ok(Err(code)),
    }
}

/// How fast a scan goes, within what the system allows.
pub(super) struct ScanPace {
    pub(super) engine: EngineConfig,
    pub(super) lookup: LookupPace,
    /// What the command line allows.
    wanted: Share,
}

impl ScanPace {
    /// # Errors
    /// A limit is too small for so many shards.
    pub(super) fn new(args: &ScanArgs) -> Result<Self, CommandError> {
        let engine = plan::engine(&args.pace, args.asking.dialogue.port);
        let mut engine = plan::share(engine, args.shard)?;
        let wanted = Share {
            connections: engine.limits.in_flight,
            slow: engine.limits.slow_in_flight,
            questions: plan::QUESTIONS_MAX,
        };
        let share = wanted.within(descriptors::raise());
        let lookup = LookupPace {
            questions_max: share.questions,
            retries: engine.retry.retries,
            retry_delay: engine.retry.retry_delay,
            shard: args.shard,
        };
        (engine.limits.in_flight, engine.limits.slow_in_flight) = (share.connections, share.slow);
        Ok(Self { engine, lookup, wanted })
    }

    /// Says that the system allows less than the command line.
    pub(super) fn say(&self) {
        let limits = &self.engine.limits;
        let told = |allowed, wanted, which| {
            if allowed < wanted {
                super::say(format_args!(
                    "mxray: the limit of open files (ulimit -n) allows only {allowed} {which}, not {wanted}"
                ));
            }
        };
        told(limits.in_flight, self.wanted.connections, "connections");
        told(limits.slow_in_flight, self.wanted.slow, "slow connections beside them (--slow-in-flight)");
    }
}

/// Targets of a list from which on a sample of the names on one address is asked, if
/// nothing else is said.
const TARGETS_SAMPLED_FROM: u64 = 100_000;

/// Whether a sample of the names on one address is asked; says so.
pub(super) async fn samples(args: &ScanArgs, list: &OpenedList) -> Result<bool, CommandError> {
    if args.every_name {
        return Ok(false);
    }
    let (path, options) = (list.name.clone(), list.options.clone());
    let counting = move || reader::has_more_than(TARGETS_SAMPLED_FROM, &path, &options) == Some(true);
    let is_long = !args.sample
        && tokio::task::spawn_blocking(counting).await.map_err(|error| anyhow!("reading failed: {error}"))?;
    if is_long {
        super::say(format_args!(
            "mxray: the list has more than 100,000 targets: of more than {NAMES_ASKED_MIN} names on one address a sample \
             is asked (--every-name asks all)"
        ));
    }
    Ok(args.sample || is_long)
}

/// The survey that a scan is, once all is there.
pub(super) fn survey(
    args: &ScanArgs,
    list: OpenedList,
    (stages, pace): (Stages, ScanPace),
    outputs: Outputs,
    info: RunInfo,
    (signals, earlier): (Signals, EarlierPart),
) -> Survey {
    let opt_outs = OptOuts::watch(&args.asking.blocklist, stages.blocklist.clone(), &info.blocklist);
    Survey {
        list: list.list,
        list_name: list.name,
        list_options: list.options,
        stages,
        engine: pace.engine,
        outputs,
        style: style(args),
        info,
        signals,
        require_targets: args.require_targets,
        earlier,
        opt_outs,
    }
}

/// How progress is shown beside what else is written.
pub(super) fn style(args: &ScanArgs) -> Style {
    if args.asking.dialogue.verbose > 0 || args.log == cli::LogArg::Json { Style::Lines } else { Style::Auto }
}

/// Whether the shards of a run can read the same list.
///
/// # Errors
/// The list is none that can be read again.
pub(super) fn check_shard(shard: Option<Shard>, asked_by: Option<&AskedBy>) -> Result<(), CommandError> {
    match shard {
        Some(shard) if asked_by.is_none_or(|by| by.list.is_none()) => Err(UsageError(format!(
            "--shard {shard}: the list must be a file, which every shard reads as a whole"
        ))
        .into()),
        _ => Ok(()),
    }
}

fn input_kind(kind: cli::InputKindArg) -> InputKind {
    match kind {
        cli::InputKindArg::Domains => InputKind::Domains,
        cli::InputKindArg::Endpoints => InputKind::Endpoints,
    }
}
