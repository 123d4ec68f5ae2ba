//! Two runs of `mxray receive` held against each other, sender by sender.

use super::output::Output;
use crate::cli::{DiffArgs, DiffFormatArg, FailOnArg};
use crate::command::CommandError;
use crate::command::error::EXIT_FAILED_ON;
use crate::command::received_figures::received_figures;
use crate::plan::{self, UsageError};
use crate::report::diff::DomainChange;
use crate::report::received::ReceivedFigures;
use crate::report::received::diff::{
    DiffedReceiveRun, SenderDiff, SenderDiffHead, sender_diff_csv, sender_diff_json, sender_diff_page,
    sender_diff_text,
};
use crate::run_dir::read::StoredReceiveRun;
use anyhow::Context;
use std::process::ExitCode;

/// Compares two runs of `mxray receive`; `None` where both are surveys.
pub(super) fn run(args: &DiffArgs) -> Result<Option<ExitCode>, CommandError> {
    let [before, after] = [&args.before, &args.after].map(|dir| StoredReceiveRun::find(dir));
    let (before, after) = match (before?, after?) {
        (None, None) => return Ok(None),
        (Some(before), Some(after)) => (before, after),
        _ => {
            let [one, other] = [&args.before, &args.after].map(|dir| dir.display());
            return Err(UsageError(format!(
                "{one} and {other} cannot be compared: one is a run of mxray receive, the other a survey"
            ))
            .into());
        }
    };
    plan::check_comparable_receive((before.dir(), before.info()), (after.dir(), after.info()))?;
    let [of_before, of_after] = [received_figures(&before)?, received_figures(&after)?];
    let head = SenderDiffHead {
        before: named(&before, &of_before),
        after: named(&after, &of_after),
        behave: before.info().behave.clone(),
        notes: notes([(&before, &of_before), (&after, &of_after)]),
    };
    let diff = SenderDiff::new(head, &of_before, &of_after);
    let mut output = Output::open(args.output.as_deref())?;
    let written = output.writer().write_all(&bytes(args.format, &diff)?);
    output.finish(written)?;
    let failed = args.fail_on.iter().any(|what| is_met(*what, &diff));
    Ok(Some(if failed { ExitCode::from(EXIT_FAILED_ON) } else { ExitCode::SUCCESS }))
}

fn bytes(format: DiffFormatArg, diff: &SenderDiff<'_>) -> Result<Vec<u8>, CommandError> {
    Ok(match format {
        DiffFormatArg::Text => sender_diff_text(diff).into_bytes(),
        DiffFormatArg::Csv => sender_diff_csv(diff).context("cannot write a row")?,
        DiffFormatArg::Json => format!("{:#}\n", sender_diff_json(diff)).into_bytes(),
        DiffFormatArg::Html => sender_diff_page(diff).into_bytes(),
    })
}

/// Whether a sender is what `--fail-on` names.
fn is_met(what: FailOnArg, diff: &SenderDiff<'_>) -> bool {
    match what {
        FailOnArg::Worse => diff.of(DomainChange::Worse) > 0,
        FailOnArg::Plaintext => diff.in_clear_now() > 0,
        FailOnArg::Undetermined => diff.of(DomainChange::NowUndetermined) > 0,
        FailOnArg::Came => diff.of(DomainChange::Came) > 0,
        FailOnArg::Went => diff.of(DomainChange::Went) > 0,
    }
}

/// Whether it came to an end of its own.
fn is_ended(run: &StoredReceiveRun) -> bool {
    !run.is_open() && run.info().error.is_none()
}

fn named(run: &StoredReceiveRun, figures: &ReceivedFigures) -> DiffedReceiveRun {
    DiffedReceiveRun {
        run: run.dir().display().to_string(),
        started: run.info().started,
        sessions: figures.sessions,
        senders: figures.senders.len() as u64,
        finished: is_ended(run) && figures.senders_not_kept == 0,
    }
}

/// What makes the runs less alike than they look.
fn notes(runs: [(&StoredReceiveRun, &ReceivedFigures); 2]) -> Vec<String> {
    let [(before, _), (after, _)] = runs;
    let (was, is) = (before.info(), after.info());
    let mut notes = Vec::new();
    if was.started > is.started {
        notes.push("The first run is the later one.".to_string());
    }
    if was.mxray != is.mxray {
        notes.push(format!(
            "The runs are of mxray {} and {}, which may differ in what they see.",
            was.mxray, is.mxray
        ));
    }
    for (run, figures) in runs {
        let dir = run.dir().display();
        let lacks = "a sender that it lacks is told as not_reached, not as come or gone";
        match &run.info().error {
            Some(error) => notes.push(format!("{dir} broke off ({error}): {lacks}.")),
            None if run.is_open() => notes.push(format!("{dir} was killed, or still goes on: {lacks}.")),
            None if figures.senders_not_kept > 0 => {
                notes.push(format!("{dir} had more senders than are kept: {lacks}."))
            }
            None => {}
        }
    }
    if was.judged_by.options.keys().ne(is.judged_by.options.keys()) {
        notes.push("Only one of the runs was held against some of what it was judged by; there is nothing to compare of that.".to_string());
    }
    notes
}
