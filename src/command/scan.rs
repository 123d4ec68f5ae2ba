//! `mxray scan`: the real job.

use super::descriptors::{self, Share};
use super::display::Style;
use super::signals::Signals;
use super::survey::{self, Survey};
use super::writer::{Outputs, RowStream};
use super::{CommandError, start_logging};
use crate::cli::{self, ScanArgs};
use crate::input::{self, InputKind, InputOptions};
use crate::plan::{self, LookupPace};
use crate::run_dir::{RunDirectory, StreamFormat};
use anyhow::anyhow;
use std::process::ExitCode;

/// Surveys a list. Everything that can be refused is refused before a run
/// directory is made.
pub(super) async fn run(args: ScanArgs) -> Result<ExitCode, CommandError> {
    start_logging(args.asking.dialogue.verbose);
    let list_options = InputOptions { kind: input_kind(args.input), column: args.column.clone() };
    let mut signals = Signals::new();
    // Standard input may take its time with the first line.
    let (list_name, options) = (args.list.clone(), list_options.clone());
    let opening = tokio::task::spawn_blocking(move || input::open(&list_name, &options));
    let list = tokio::select! {
        opened = opening => opened.map_err(|error| anyhow!("reading failed: {error}"))??,
        code = signals.next() => return Ok(ExitCode::from(code)),
    };
    let mut engine = plan::engine(&args.pace, args.asking.dialogue.port);
    let wanted = Share { connections: engine.limits.in_flight, questions: plan::QUESTIONS_MAX };
    let share = wanted.within(descriptors::raise());
    let pace = LookupPace {
        questions_max: share.questions,
        retries: engine.retry.retries,
        retry_delay: engine.retry.retry_delay,
    };
    let stages = plan::stages(&args.asking, &args.policies, &args.hellos, &args.judging, pace)?;
    engine.limits.in_flight = share.connections;
    // Small enough for every reader of JSON.
    engine.limits.order_seed.get_or_insert_with(|| fastrand::u32(..).into());
    let info = survey::run_info(&args.list, &stages.settings, &engine, None);

    let stream = match args.format {
        None => None,
        Some(format) => Some(
            RowStream::stdout(stream_format(format))
                .map_err(|error| anyhow!("cannot write to standard output: {error}"))?,
        ),
    };
    let path = match (&args.output, &stream) {
        (Some(path), _) => Some(path.clone()),
        (None, None) => Some(survey::default_directory("mxray")),
        (None, Some(_)) => None,
    };
    let directory = path.map(|path| RunDirectory::create(&path, &info)).transpose()?;
    let beside =
        directory.as_ref().map_or_else(std::env::temp_dir, |directory| directory.path().to_path_buf());
    engine.spill_dir = Some(beside);
    super::say_at_start(&stages.settings);
    if share.connections < wanted.connections {
        super::say(format_args!(
            "mxray: the limit of open files (ulimit -n) allows only {} connections, not {}",
            share.connections, wanted.connections
        ));
    }
    let aside = stream.is_some();
    let style = if args.asking.dialogue.verbose > 0 { Style::Lines } else { Style::Auto };
    let survey = Survey {
        list,
        list_name: args.list,
        list_options,
        stages,
        engine,
        outputs: Outputs { directory, stream },
        style,
        info,
        signals,
        require_targets: args.require_targets,
    };
    survey.run().await?.tell(aside)
}

fn input_kind(kind: cli::InputKindArg) -> InputKind {
    match kind {
        cli::InputKindArg::Domains => InputKind::Domains,
        cli::InputKindArg::Endpoints => InputKind::Endpoints,
    }
}

fn stream_format(format: cli::StreamFormatArg) -> StreamFormat {
    match format {
        cli::StreamFormatArg::Csv => StreamFormat::Csv,
        cli::StreamFormatArg::Jsonl => StreamFormat::Jsonl,
    }
}
