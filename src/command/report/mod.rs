//! `mxray report`: a run as a page for people, with tables beside it.
//!
//! The tables of the run are read row by row. What is kept in memory is counts, and
//! lists that each have a limit.

mod about;
mod making;
#[cfg(feature = "receive")]
mod received;

use super::fresh_file::{ExistingFile, FreshFile, is_there, unwritten};
use super::{CommandError, say, tell};
use crate::cli::{ReportArgs, ReportFormatArg};
use crate::report::document::{
    Document, EXPIRING_HEADER, PARTNERS_HEADER, TablesBeside, document, expiring_record, partner_records,
};
use crate::report::figures::{Cells, Figures, PartnerRow};
use crate::report::{markdown, page};
#[cfg(feature = "receive")]
use crate::run_dir::read::StoredReceiveRun;
use crate::run_dir::read::{NamedRow, StoredRun};
use anyhow::Context;
use making::{MadePage, TableBeside};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

impl Cells for NamedRow<'_> {
    fn cell(&self, column: &str) -> &str {
        NamedRow::cell(self, column)
    }
}

/// Tables beside the page of a survey, as [`beside`] names them.
const TABLES: [&str; 2] = ["partners", "certificates"];

/// Name of the page in the run directory.
const HTML_NAME: &str = "report.html";

/// The pages in the run directory, which are mxray's own.
const OWN: [(&str, ReportFormatArg); 2] =
    [(HTML_NAME, ReportFormatArg::Html), ("report.md", ReportFormatArg::Md)];

/// A page to write.
struct PageFile {
    path: PathBuf,
    format: ReportFormatArg,
}

/// A run of which pages are made.
enum PagedRun {
    Survey(Box<StoredRun>),
    #[cfg(feature = "receive")]
    Receive(Box<StoredReceiveRun>),
}

impl PagedRun {
    fn open(dir: &Path) -> Result<Self, CommandError> {
        #[cfg(feature = "receive")]
        if let Some(stored) = StoredReceiveRun::find(dir)? {
            return Ok(Self::Receive(Box::new(stored)));
        }
        let stored = StoredRun::open(dir)?;
        check_complete(&stored)?;
        Ok(Self::Survey(Box::new(stored)))
    }

    /// What its tables are called, as [`beside`] takes it.
    fn tables(&self) -> [&'static str; 2] {
        match self {
            Self::Survey(_) => TABLES,
            #[cfg(feature = "receive")]
            Self::Receive(_) => received::TABLES,
        }
    }

    /// Makes the page, with tables there or without.
    fn make(&self, tables: Option<[PathBuf; 2]>) -> Result<MadePage, CommandError> {
        match self {
            Self::Survey(stored) => make(stored, tables),
            #[cfg(feature = "receive")]
            Self::Receive(stored) => received::make(stored, tables),
        }
    }
}

/// Writes the report of a run.
pub(super) fn run(args: &ReportArgs) -> Result<ExitCode, CommandError> {
    let paged = PagedRun::open(&args.run)?;
    let pages = match &args.output {
        Some(path) if path == Path::new("-") => {
            tell(text(&paged.make(None)?.document, args.format))?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(path) => {
            let pages = vec![PageFile { path: path.clone(), format: args.format }];
            write(&paged, &pages, ExistingFile::Kept)?;
            pages
        }
        None => write_own(&paged, &args.run, &[args.format])?,
    };
    let told: String = pages.iter().map(|page| format!("written to {}\n", page.path.display())).collect();
    tell(told)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the tables have all that the run wrote.
fn check_complete(stored: &StoredRun) -> Result<(), CommandError> {
    for table in ["domains.csv", "endpoints.csv", "certificates.csv", "suites.csv", "groups.csv"] {
        stored.check_complete(table)?;
    }
    Ok(())
}

/// The pages of a run that a scan has just written. One that did not come to its end
/// has none yet, for it may go on.
pub(super) fn of_scan(run: &Path, formats: &[ReportFormatArg]) -> Result<(), CommandError> {
    if formats.is_empty() {
        return Ok(());
    }
    let stored = StoredRun::open(run)?;
    if stored.info().finished != Some(true) {
        say(format_args!(
            "mxray: there is no report yet, as the run has not come to its end; mxray report {} makes a page of what there is",
            run.display()
        ));
        return Ok(());
    }
    check_complete(&stored)?;
    for page in write_own(&PagedRun::Survey(Box::new(stored)), run, formats)? {
        say(format_args!("mxray: the report is in {}", page.path.display()));
    }
    Ok(())
}

/// Takes away the pages of a run that goes on, which tell of it as it was, with the
/// tables beside them, and says what they were. What cannot be taken away is met again
/// when they are made anew.
pub(super) fn take_away(run: &Path) -> Vec<ReportFormatArg> {
    let is_there = |(name, _): &(&str, ReportFormatArg)| run.join(name).symlink_metadata().is_ok();
    let (pages, formats): (Vec<_>, Vec<_>) = OWN.into_iter().filter(is_there).unzip();
    let page = run.join(HTML_NAME);
    let tables = TABLES.iter().filter(|_| !pages.is_empty()).map(|what| beside(&page, what));
    for path in pages.iter().map(|name| run.join(name)).chain(tables) {
        let _ = fs::remove_file(path);
    }
    formats
}

/// Writes pages in the run directory. One of the other format is made anew if it is
/// there: both have the same tables beside them.
fn write_own(
    paged: &PagedRun,
    run: &Path,
    formats: &[ReportFormatArg],
) -> Result<Vec<PageFile>, CommandError> {
    let own = OWN.map(|(name, format)| PageFile { path: run.join(name), format });
    let is_due = |page: &PageFile| formats.contains(&page.format) || page.path.symlink_metadata().is_ok();
    let mut pages: Vec<PageFile> = own.into_iter().filter(is_due).collect();
    write(paged, &pages, ExistingFile::Replaced)?;
    pages.retain(|page| formats.contains(&page.format));
    Ok(pages)
}

/// Writes pages, and the tables beside the first, which they share. Nothing gets its
/// name before everything is written.
fn write(paged: &PagedRun, pages: &[PageFile], earlier: ExistingFile) -> Result<(), CommandError> {
    let Some(first) = pages.first() else { return Ok(()) };
    let tables = paged.tables().map(|what| beside(&first.path, what));
    if earlier == ExistingFile::Kept {
        let mut paths = pages.iter().map(|page| &page.path).chain(&tables);
        if let Some(path) = paths.find(|path| path.symlink_metadata().is_ok()) {
            return Err(is_there(path).into());
        }
    }
    let MadePage { document, tables } = paged.make(Some(tables))?;
    let mut files = tables.into_iter().map(TableBeside::finish).collect::<Result<Vec<FreshFile>, _>>()?;
    for PageFile { path, format } in pages {
        let mut file = FreshFile::create(path)?;
        file.write_all(text(&document, *format).as_bytes()).with_context(|| unwritten(path))?;
        file.flush().with_context(|| unwritten(path))?;
        files.push(file);
    }
    files.into_iter().try_for_each(|file| file.put(earlier))
}

/// Makes the page of a survey, with tables there or without.
fn make(stored: &StoredRun, tables: Option<[PathBuf; 2]>) -> Result<MadePage, CommandError> {
    let Some([partners_path, certificates_path]) = tables else {
        let figures = read(stored, |_| Ok(()))?;
        let document = document(&figures, &about::about(stored.info(), None));
        return Ok(MadePage { document, tables: Vec::new() });
    };
    let mut partners = TableBeside::create(partners_path, &PARTNERS_HEADER)?;
    let figures =
        read(stored, |partner| partner_records(partner).try_for_each(|record| partners.write(&record)))?;
    let mut certificates = TableBeside::create(certificates_path, &EXPIRING_HEADER)?;
    for certificate in figures.certificates.expiring() {
        certificates.write(&expiring_record(certificate))?;
    }
    let beside = TablesBeside { partners: partners.name()?, certificates: certificates.name()? };
    let document = document(&figures, &about::about(stored.info(), Some(beside)));
    Ok(MadePage { document, tables: vec![partners, certificates] })
}

fn text(document: &Document, format: ReportFormatArg) -> String {
    match format {
        ReportFormatArg::Html => page(document),
        ReportFormatArg::Md => markdown(document),
    }
}

/// Gives each row of a table to `take`.
fn each_row(
    stored: &StoredRun,
    table: &str,
    mut take: impl FnMut(&NamedRow<'_>),
) -> Result<(), CommandError> {
    let mut rows = stored.table(table)?;
    while let Some(row) = rows.read_next()? {
        take(&row);
    }
    Ok(())
}

/// Counts the tables of a run; `take` gets each partner to write to.
fn read(
    stored: &StoredRun,
    mut take: impl FnMut(&PartnerRow) -> Result<(), CommandError>,
) -> Result<Figures, CommandError> {
    let mut figures = Figures::new(stored.info().judged_by.at.as_second());
    each_row(stored, "certificates.csv", |row| figures.add_certificate(row))?;
    each_row(stored, "endpoints.csv", |row| figures.add_endpoint(row))?;
    each_row(stored, "suites.csv", |row| figures.add_suite(row))?;
    each_row(stored, "groups.csv", |row| figures.add_group(row))?;
    figures.end_enumeration();
    let mut domains = stored.table("domains.csv")?;
    while let Some(row) = domains.read_next()? {
        let concerns = figures.add_domain(&row);
        if let Some(partner) = PartnerRow::of(&row, &concerns) {
            take(&partner)?;
        }
    }
    Ok(figures)
}

/// `report.html` has `report-partners.csv` beside it.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_stem().map_or_else(|| OsString::from("report"), OsString::from);
    name.push(format!("-{what}.csv"));
    path.with_file_name(name)
}
