//! `mxray scan`: the real job.

use super::metrics::MetricsListener;
use super::own_folder::in_folder;
use super::scan_parts::{ScanPace, check_shard, open_list, samples, survey as survey_of};
use super::signals::Signals;
use super::survey::{self, EarlierPart};
use super::writer::{Fold, Outputs, RowStream};
use super::{CommandError, canaries, dry_run, report, resume, start_logging_as};
use crate::cli::{self, ScanArgs};
use crate::plan::{self, UsageError};
use crate::run_dir::{RunDirectory, StreamFormat};
use anyhow::anyhow;
use std::path::Path;
use std::process::ExitCode;

/// Surveys a list. Everything that can be refused is refused before a run
/// directory is made.
pub(super) async fn run(args: ScanArgs) -> Result<ExitCode, CommandError> {
    if let Some(run) = args.resume {
        return resume::run(run).await;
    }
    start_logging_as(args.log, args.asking.dialogue.verbose);
    let mut signals = Signals::new();
    let list = match open_list(&args, &mut signals).await? {
        Ok(list) => list,
        Err(code) => return Ok(ExitCode::from(code)),
    };
    let mut pace = ScanPace::new(&args)?;
    pace.engine.sample = samples(&args, &list).await?;
    if let Some(format) = args.dry_run {
        return dry_run::run(&args, list, pace, signals, format).await;
    }
    let stages = plan::stages(&args.asking, &args.policies, &args.hellos, &args.judging, pace.lookup)?;
    pace.engine.canaries = canaries::find(&stages, &args.canaries.canary, pace.engine.port).await?;
    pace.engine.canary_interval = args.canaries.canary_interval;
    let metrics = MetricsListener::bind_if(args.metrics).await?;
    // Small enough for every reader of JSON.
    pace.engine.limits.order_seed.get_or_insert_with(|| fastrand::u32(..).into());
    let mut info = survey::run_info(&list.name, &stages.settings, &pace.engine, None);
    info.compress = plan::packing(args.compress);
    // With --config the words that it stands for: the file may change.
    if let Some(words) = args.config.words.clone() {
        info.command = words;
    }
    let stream = match args.format {
        None => None,
        Some(format) => Some(
            RowStream::stdout(stream_format(format))
                .map_err(|error| anyhow!("cannot write to standard output: {error}"))?,
        ),
    };
    let is_written = args.output.is_some() || stream.is_none();
    if !is_written {
        refuse_beside(&args)?;
    }
    if is_written {
        info.asked_by = Some(plan::asked_by(&args, &stages.settings)?);
    }
    check_shard(info.shard, info.asked_by.as_ref())?;
    let create = |path: &Path| RunDirectory::create(path, &info);
    let directory = is_written.then(|| in_folder(args.output.as_deref(), "mxray", create)).transpose()?;
    let beside =
        directory.as_ref().map_or_else(std::env::temp_dir, |directory| directory.path().to_path_buf());
    pace.engine.spill_dir = Some(beside);
    super::say_at_start(&stages.settings);
    pace.say();
    let aside = stream.is_some();
    let earlier = EarlierPart::default();
    let progress = earlier.progress.clone();
    let _served = metrics.map(|metrics| metrics.serve(progress.clone())).transpose()?;
    let outputs = Outputs { directory, stream, earlier: Fold::default(), progress };
    let begun = (signals, earlier);
    let surveyed = survey_of(&args, list, (stages, pace), outputs, info, begun).run().await?;
    let code = surveyed.tell(aside, args.summary.summary)?;
    if let Some(path) = surveyed.path.as_deref().filter(|_| args.report) {
        report::of_scan(path, &[cli::ReportFormatArg::Html])?;
    }
    #[cfg(feature = "export")]
    if let Some(path) = surveyed.path.as_deref().filter(|_| args.parquet) {
        super::export::of_scan(path)?;
    }
    Ok(code)
}

/// Refuses what is about the tables or beside them where none are written.
fn refuse_beside(args: &ScanArgs) -> Result<(), UsageError> {
    let asked = [
        ("--report", args.report),
        ("--compress", args.compress.compress.is_some()),
        #[cfg(feature = "export")]
        ("--parquet", args.parquet),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        None => Ok(()),
        Some((option, _)) => {
            Err(UsageError(format!("{option}: no run directory is written; name one with -o")))
        }
    }
}

fn stream_format(format: cli::StreamFormatArg) -> StreamFormat {
    match format {
        cli::StreamFormatArg::Csv => StreamFormat::Csv,
        cli::StreamFormatArg::Jsonl => StreamFormat::Jsonl,
    }
}
