//! `mxray diff`: two runs held against each other, domain by domain.
//!
//! Nothing that grows with the lists is held in memory but the digests of certificates,
//! 64 bytes each: rows are sorted in files that have no name.

mod output;
#[cfg(feature = "receive")]
mod received;

use super::CommandError;
use super::error::EXIT_FAILED_ON;
use crate::cli::{DiffArgs, DiffFormatArg, FailOnArg};
use crate::plan;
use crate::report::diff::{
    ComparedColumn, ComparedDomain, ComparedRow, CsvDiff, DiffHead, DiffTotals, DiffWriter, DiffedRun,
    DomainChange, Finished, HtmlDiff, JsonDiff, TextDiff, compare,
};
use crate::run_dir::RunInfo;
use crate::run_dir::read::{CertificateKeys, DomainRow, PairedBy, PairedRows, StoreError, StoredRun};
use output::Output;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compares two runs. Everything that can be refused is refused before a row is read.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode, CommandError> {
    #[cfg(feature = "receive")]
    if let Some(ended) = received::run(args)? {
        return Ok(ended);
    }
    let open = |dir| StoredRun::open_whole(dir);
    let runs = [(args.before.as_path(), open(&args.before)?), (args.after.as_path(), open(&args.after)?)];
    let [(before_dir, before), (after_dir, after)] = &runs;
    plan::check_comparable((before_dir, before.info()), (after_dir, after.info()))?;
    let scratch = scratch(args.output.as_deref());
    let by = paired_by(before.info(), after.info());
    let rows = PairedRows::open([before, after], ComparedColumn::NAMES, by, &scratch)?;
    for ((_, run), rows) in runs.iter().zip(rows.rows()) {
        run.check_rows(rows)?;
        run.check_complete("certificates.csv")?;
    }
    plan::check_one_kind([before_dir, after_dir], rows.rows(), rows.endpoints())?;
    let output = Output::open(args.output.as_deref())?;
    let keys = CertificateKeys::open([*before_dir, *after_dir])?;
    let head = head(&runs, rows.rows());
    let finished = Finished { before: head.before.finished, after: head.after.finished };
    let totals = write(args.format, output, &head, Pairs { rows, keys: &keys, finished })?;
    let failed = args.fail_on.iter().any(|what| is_met(*what, &totals));
    Ok(if failed { ExitCode::from(EXIT_FAILED_ON) } else { ExitCode::SUCCESS })
}

/// Whether a domain is what `--fail-on` names.
fn is_met(what: FailOnArg, totals: &DiffTotals) -> bool {
    match what {
        FailOnArg::Worse => totals.of(DomainChange::Worse) > 0,
        FailOnArg::Plaintext => totals.in_clear_now() > 0,
        FailOnArg::Undetermined => totals.of(DomainChange::NowUndetermined) > 0,
        FailOnArg::Came => totals.of(DomainChange::Came) > 0,
        FailOnArg::Went => totals.of(DomainChange::Went) > 0,
    }
}

type OpenedRun<'a> = (&'a Path, StoredRun);

/// Where rows are sorted that memory does not hold: beside what is written, for there
/// is room; else where the system has its temporary files.
fn scratch(output: Option<&Path>) -> PathBuf {
    let file = output.filter(|path| *path != Path::new("-"));
    match file.and_then(Path::parent) {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_path_buf(),
        None => std::env::temp_dir(),
    }
}

/// Runs of one list have each domain on the same line.
fn paired_by(before: &RunInfo, after: &RunInfo) -> PairedBy {
    let [one, other] = [before, after]
        .map(|info| info.asked_by.as_ref().and_then(|by| by.list.as_ref()).map(|list| list.sha256));
    if one.is_some() && one == other { PairedBy::Line } else { PairedBy::Order }
}

fn is_finished(run: &StoredRun) -> bool {
    run.info().finished == Some(true)
}

fn head(runs: &[OpenedRun<'_>; 2], rows: [u64; 2]) -> DiffHead {
    let [before, after] = runs;
    let named = |(dir, run): &OpenedRun<'_>, domains| DiffedRun {
        run: dir.display().to_string(),
        started: run.info().asked_at(),
        domains,
        finished: is_finished(run),
    };
    let [of_before, of_after] = rows;
    DiffHead {
        before: named(before, of_before),
        after: named(after, of_after),
        sender: after.1.info().sender.clone(),
        notes: notes(runs),
    }
}

/// What makes the runs less alike than they look.
fn notes(runs: &[OpenedRun<'_>; 2]) -> Vec<String> {
    let [(_, before), (_, after)] = runs;
    let (was, is) = (before.info(), after.info());
    let mut notes = Vec::new();
    if was.asked_at() > is.asked_at() {
        notes.push("The first run is the later one.".to_string());
    }
    if was.mxray != is.mxray {
        notes.push(format!(
            "The runs were judged by mxray {} and {}, whose rules may differ; mxray judge makes both by the same.",
            was.mxray, is.mxray
        ));
    }
    for (dir, run) in runs {
        if is_finished(run) {
            continue;
        }
        let how = match &run.info().error {
            Some(error) => format!("broke off ({error})"),
            None if run.was_killed() => "was killed, or still goes on".to_string(),
            None => "was stopped before the end of its list".to_string(),
        };
        notes.push(format!(
            "{} {how}: a domain that it lacks is told as not_reached, not as come or gone.",
            dir.display()
        ));
    }
    notes.extend(runs.iter().filter_map(|(dir, run)| other_moment(dir, run.info())));
    let families = |info: &RunInfo| info.asked_by.as_ref().map(|by| by.families.join(" and "));
    if let (Some(was), Some(is)) = (families(was), families(is))
        && was != is
    {
        notes.push(format!("The runs used different address families: {was}, then {is}."));
    }
    if was.sample.is_some() != is.sample.is_some() {
        notes.push("Only one of the runs asked a sample of the names on one address.".to_string());
    }
    notes
}

/// What is said of a run whose certificates were judged as of another day than that of
/// its answers.
fn other_moment(dir: &Path, info: &RunInfo) -> Option<String> {
    let (asked, judged) = info.other_moment()?;
    Some(format!(
        "{} was asked from {asked:.0} on and judged as of {judged:.0}: certificates that end in between are told as \
         expired.",
        dir.display()
    ))
}

/// Compares all, and writes what there is to tell.
fn write(
    format: DiffFormatArg,
    mut output: Output,
    head: &DiffHead,
    pairs: Pairs<'_>,
) -> Result<DiffTotals, CommandError> {
    let mut totals = DiffTotals::default();
    let written = match writer(format, output.writer(), head) {
        Err(error) => Ok(Err(error)),
        Ok(mut writer) => {
            let mut written = Ok(());
            let read = pairs.each(|domain| {
                totals.add(domain.comparison, domain.is_inferred(), (domain.before, domain.after));
                // All are counted, even if nobody reads them any more.
                if written.is_ok() && domain.comparison.change.is_told() {
                    written = writer.domain(domain);
                }
            });
            read.map(|()| written.and_then(|()| writer.finish(&totals)))
        }
    };
    match written {
        Ok(written) => output.finish(written)?,
        Err(error) => {
            output.discard();
            return Err(error.into());
        }
    }
    Ok(totals)
}

fn writer<'a>(
    format: DiffFormatArg,
    output: &'a mut dyn Write,
    head: &DiffHead,
) -> io::Result<Box<dyn DiffWriter + 'a>> {
    Ok(match format {
        DiffFormatArg::Text => Box::new(TextDiff::new(output, head)?),
        DiffFormatArg::Csv => Box::new(CsvDiff::new(output)?),
        DiffFormatArg::Json => Box::new(JsonDiff::new(output, head)?),
        DiffFormatArg::Html => Box::new(HtmlDiff::new(output, head.clone())),
    })
}

/// The domains of both runs.
struct Pairs<'a> {
    rows: PairedRows,
    keys: &'a CertificateKeys,
    finished: Finished,
}

impl Pairs<'_> {
    fn each(mut self, mut take: impl FnMut(&ComparedDomain<'_>)) -> Result<(), StoreError> {
        while let Some(pair) = self.rows.read_next()? {
            let before = pair.before.as_ref().map(|row| ComparedRow::new(row.line(), row.cells()));
            let after = pair.after.as_ref().map(|row| ComparedRow::new(row.line(), row.cells()));
            let same_key = |one: &str, other: &str| self.keys.same_key(one, other);
            let compared = compare(before.as_ref(), after.as_ref(), self.finished, same_key);
            let Some(comparison) = &compared else { continue };
            let domain = pair.before.as_ref().or(pair.after.as_ref()).map_or("", DomainRow::domain);
            take(&ComparedDomain { domain, before: before.as_ref(), after: after.as_ref(), comparison });
        }
        Ok(())
    }
}
