//! `mxray report`: a run as a page for people, with tables beside it.
//!
//! The tables of the run are read row by row. What is kept in memory is counts, and
//! lists that each have a limit.

mod about;

use super::{CommandError, say, tell};
use crate::cli::{ReportArgs, ReportFormatArg};
use crate::plan::UsageError;
use crate::report::document::{
    Document, EXPIRING_HEADER, PARTNERS_HEADER, TablesBeside, document, expiring_record, partner_records,
};
use crate::report::figures::{Cells, Figures, PartnerRow};
use crate::report::{markdown, page};
use crate::run_dir::read::{NamedRow, StoredRun};
use anyhow::{Context, anyhow};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

impl Cells for NamedRow<'_> {
    fn cell(&self, column: &str) -> &str {
        NamedRow::cell(self, column)
    }
}

/// Name of the page in the run directory.
const HTML_NAME: &str = "report.html";

/// Writes the report of a run.
pub(super) fn run(args: &ReportArgs) -> Result<ExitCode, CommandError> {
    let stored = StoredRun::open(&args.run)?;
    stored.check_complete()?;
    if args.output.as_deref() == Some(Path::new("-")) {
        let figures = read(&stored, |_| Ok(()))?;
        tell(text(&document(&figures, &about::about(stored.info(), None)), args.format))?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = match args.format {
        ReportFormatArg::Html => HTML_NAME,
        ReportFormatArg::Md => "report.md",
    };
    let path = args.output.clone().unwrap_or_else(|| args.run.join(name));
    write(&stored, &path, args.format)?;
    tell(format!("written to {}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a run that a scan has just written. One that did not come to its end
/// has none yet, for it may go on.
pub(super) fn of_scan(run: &Path) -> Result<(), CommandError> {
    let stored = StoredRun::open(run)?;
    if stored.info().finished != Some(true) {
        say(format_args!(
            "mxray: --report: the run has not come to its end; mxray report {} makes a page of what there is",
            run.display()
        ));
        return Ok(());
    }
    let path = run.join(HTML_NAME);
    write(&stored, &path, ReportFormatArg::Html)?;
    say(format_args!("mxray: the report is in {}", path.display()));
    Ok(())
}

/// Writes the page and the tables beside it. What is there already is another's.
fn write(stored: &StoredRun, path: &Path, format: ReportFormatArg) -> Result<(), CommandError> {
    let (partners_path, certificates_path) = (beside(path, "partners"), beside(path, "certificates"));
    for path in [path, &partners_path, &certificates_path] {
        if path.symlink_metadata().is_ok() {
            return Err(is_there(path).into());
        }
    }
    let mut partners = TableBeside::create(partners_path, &PARTNERS_HEADER)?;
    let figures =
        read(stored, |partner| partner_records(partner).try_for_each(|record| partners.write(&record)))?;
    let mut certificates = TableBeside::create(certificates_path, &EXPIRING_HEADER)?;
    for certificate in figures.certificates.expiring() {
        certificates.write(&expiring_record(certificate))?;
    }
    let beside = TablesBeside { partners: partners.finish()?, certificates: certificates.finish()? };
    let text = text(&document(&figures, &about::about(stored.info(), Some(beside))), format);
    let mut file = create(path)?;
    file.write_all(text.as_bytes()).with_context(|| unwritten(path))?;
    Ok(())
}

fn text(document: &Document, format: ReportFormatArg) -> String {
    match format {
        ReportFormatArg::Html => page(document),
        ReportFormatArg::Md => markdown(document),
    }
}

/// Counts the tables of a run; `take` gets each partner to write to.
fn read(
    stored: &StoredRun,
    mut take: impl FnMut(&PartnerRow) -> Result<(), CommandError>,
) -> Result<Figures, CommandError> {
    let mut figures = Figures::new(stored.info().judged_by.at.as_second());
    let mut certificates = stored.table("certificates.csv")?;
    while let Some(row) = certificates.read_next()? {
        figures.add_certificate(&row);
    }
    let mut endpoints = stored.table("endpoints.csv")?;
    while let Some(row) = endpoints.read_next()? {
        figures.add_endpoint(&row);
    }
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

/// A table beside the page.
struct TableBeside {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl TableBeside {
    fn create(path: PathBuf, header: &[&str]) -> Result<Self, CommandError> {
        let writer = csv::Writer::from_writer(BufWriter::new(create(&path)?));
        let mut table = Self { path, writer };
        table.write(header)?;
        Ok(table)
    }

    fn write(&mut self, record: &[impl AsRef<[u8]>]) -> Result<(), CommandError> {
        self.writer.write_record(record).with_context(|| unwritten(&self.path))?;
        Ok(())
    }

    /// Writes it to its end; gives its name.
    fn finish(mut self) -> Result<String, CommandError> {
        self.writer.flush().with_context(|| unwritten(&self.path))?;
        let name = self.path.file_name().ok_or_else(|| anyhow!(unwritten(&self.path)))?;
        Ok(name.to_string_lossy().into_owned())
    }
}

fn create(path: &Path) -> Result<File, CommandError> {
    let file = File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(path),
        _ => UsageError(format!("{}: {error}", unwritten(path))),
    })?;
    Ok(file)
}

fn is_there(path: &Path) -> UsageError {
    UsageError(format!("{} is there already; choose another with -o", path.display()))
}

fn unwritten(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
