//! `mxray export`: the tables of a run as Parquet, CSV or JSON Lines, whole or in part.

use super::own_folder::in_folder;
use super::{CommandError, outlet, say};
use crate::cli::{ExportArgs, ExportFormatArg};
use crate::model::text::{counted, grouped};
use crate::plan::UsageError;
use crate::run_dir::OutputError;
use crate::run_dir::export::{
    Condition, CsvExport, ExportWriter, JsonExport, ParquetTable, RunColumn, RunTable, TableError,
    export_rows,
};
use crate::run_dir::read::StoredRun;
use anyhow::anyhow;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to write of a table.
struct Selected {
    table: RunTable,
    columns: Vec<RunColumn>,
    conditions: Vec<Condition>,
}

/// Writes the tables that were asked for. Everything that can be refused is refused
/// before a folder is made.
pub(super) fn run(args: &ExportArgs) -> Result<ExitCode, CommandError> {
    let run = StoredRun::open(&args.run)?;
    let selected = selected(args, &run)?;
    let form = TextForm::of(args, &selected)?;
    for selected in &selected {
        run.check_complete(selected.table.file)?;
    }
    let is_text = form != TextForm::Plain(ExportFormatArg::Parquet);
    if let ([only], None, true) = (&selected[..], &args.output, is_text) {
        super::warn(unfinished(&args.run, &run).iter());
        return to_stdout(form, only, &run);
    }
    let folder = in_folder(args.output.as_deref(), "mxray-export", |folder| {
        create(folder, args.output.is_none()).map(|()| folder.to_path_buf())
    })?;
    super::warn(unfinished(&args.run, &run).iter());
    let mut told = String::new();
    for selected in &selected {
        told += &to_file(form, selected, &folder, &run)?;
    }
    super::tell(told)?;
    Ok(ExitCode::SUCCESS)
}

/// How the file of a table is named while it is not whole.
fn fresh(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Where a table stands as Parquet in a run directory.
fn beside(run: &Path, table: &RunTable) -> PathBuf {
    run.join(table.name).with_extension("parquet")
}

/// The tables of a run that a scan has just written, as Parquet beside them. One that did
/// not come to its end has none yet, for it may go on. No file gets its name before it is
/// whole.
pub(super) fn of_scan(dir: &Path) -> Result<(), CommandError> {
    let run = StoredRun::open(dir)?;
    if run.info().finished != Some(true) {
        say(format_args!(
            "mxray: there is no Parquet yet, as the run has not come to its end; mxray export {} --format parquet writes \
             what there is",
            dir.display()
        ));
        return Ok(());
    }
    for table in RunTable::all().into_iter().filter(|table| run.has_table(table.file)) {
        let path = beside(dir, &table);
        let columns = table.columns.clone();
        let selected = Selected { table, columns, conditions: Vec::new() };
        run.check_complete(selected.table.file)?;
        let new = fresh(&path);
        // One that was killed at this may have left it.
        let _ = fs::remove_file(&new);
        let written = write_file(TextForm::Plain(ExportFormatArg::Parquet), &selected, &new, &run);
        let put = written.and_then(|_| fs::rename(&new, &path).map_err(TableError::Unwritten));
        put.map_err(|error| {
            let _ = fs::remove_file(&new);
            failed(error, &path)
        })?;
    }
    say(format_args!("mxray: the tables are in {} as Parquet, too", dir.display()));
    Ok(())
}

/// Takes away the Parquet of a run that goes on, which tells of it as it was; whether there
/// was any.
pub(super) fn take_away(dir: &Path) -> bool {
    let mut was_there = false;
    for path in RunTable::all().iter().map(|table| beside(dir, table)) {
        was_there |= fs::remove_file(&path).is_ok();
        let _ = fs::remove_file(fresh(&path));
    }
    was_there
}

fn failed(error: TableError, path: &Path) -> CommandError {
    match error {
        TableError::Unread(error) => error.into(),
        TableError::Unwritten(error) => anyhow!("cannot write {}: {error}", path.display()).into(),
    }
}

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextForm {
    Plain(ExportFormatArg),
    /// CSV that a spreadsheet opens rightly.
    ForExcel,
}

impl TextForm {
    /// What was asked for. A single table is CSV if nothing else is said.
    fn of(args: &ExportArgs, selected: &[Selected]) -> Result<Self, UsageError> {
        let format = match (args.format, selected) {
            (Some(format), _) => format,
            (None, [_]) => ExportFormatArg::Csv,
            (None, _) => {
                return Err(UsageError(
                    "--format is missing: parquet, csv or jsonl; without it a single table (--tables) is written as CSV"
                        .to_string(),
                ));
            }
        };
        match (args.csv_for_excel, format) {
            (true, ExportFormatArg::Csv) => Ok(Self::ForExcel),
            (true, _) => Err(UsageError("--csv-for-excel is for --format csv".to_string())),
            (false, format) => Ok(Self::Plain(format)),
        }
    }

    /// How its file ends.
    fn ending(self) -> &'static str {
        match self {
            Self::Plain(ExportFormatArg::Parquet) => "parquet",
            Self::Plain(ExportFormatArg::Jsonl) => "jsonl",
            Self::Plain(ExportFormatArg::Csv) | Self::ForExcel => "csv",
        }
    }
}

/// The tables with their columns and conditions: those that are named, or all that the run
/// has.
fn selected(args: &ExportArgs, run: &StoredRun) -> Result<Vec<Selected>, UsageError> {
    let all = RunTable::all();
    let names: Vec<&str> = all.iter().map(|table| table.name).collect();
    if let Some(unknown) = args.tables.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(UsageError(format!("there is no table `{unknown}`; there are {}", names.join(", "))));
    }
    let is_part = !args.columns.is_empty() || !args.conditions.is_empty();
    let is_asked = |table: &RunTable| match &args.tables[..] {
        [] => run.has_table(table.file) && (!is_part || table.name == "domains"),
        named => named.iter().any(|name| name == table.name),
    };
    let tables: Vec<RunTable> = all.into_iter().filter(is_asked).collect();
    if is_part && tables.len() > 1 {
        return Err(UsageError(
            "--columns and --where are about one table; name it with --tables".to_string(),
        ));
    }
    tables.into_iter().map(|table| select(args, table)).collect()
}

fn select(args: &ExportArgs, table: RunTable) -> Result<Selected, UsageError> {
    let column = |name: &String| {
        let unknown = || UsageError(format!("the table {} has no column `{name}`", table.name));
        table.column(name.trim()).ok_or_else(unknown)
    };
    let mut columns: Vec<RunColumn> = args.columns.iter().map(column).collect::<Result<_, _>>()?;
    if let Some(twice) =
        columns.iter().enumerate().find(|(at, column)| columns.iter().take(*at).any(|it| it == *column))
    {
        return Err(UsageError(format!("the column {} is named twice", twice.1.name)));
    }
    if columns.is_empty() {
        columns.clone_from(&table.columns);
    }
    let condition = |text: &String| {
        Condition::parse(text, &table).map_err(|error| UsageError(format!("--where {text}: {error}")))
    };
    let conditions = args.conditions.iter().map(condition).collect::<Result<_, _>>()?;
    Ok(Selected { table, columns, conditions })
}

/// That a run has no end, which a table does not show.
fn unfinished(dir: &Path, run: &StoredRun) -> Option<String> {
    (run.info().finished != Some(true)).then(|| {
        let how = if run.was_killed() {
            "was killed, or still goes on"
        } else {
            "did not come to the end of its list"
        };
        format!("{} {how}; what it has is exported", dir.display())
    })
}

/// A folder that is not there yet, or empty.
/// Makes the folder. One of a name of our own must not be there, for another export may be
/// about to fill it.
fn create(folder: &Path, is_own: bool) -> Result<(), OutputError> {
    let dir = folder.to_path_buf();
    let refused = |source| OutputError::Create { dir: dir.clone(), source };
    match fs::create_dir(folder) {
        Ok(()) => return Ok(()),
        Err(error) if is_own && error.kind() == ErrorKind::AlreadyExists => {
            return Err(OutputError::NotEmpty { dir });
        }
        Err(_) => fs::create_dir_all(folder).map_err(refused)?,
    }
    match fs::read_dir(folder).map_err(refused)?.next() {
        None => Ok(()),
        Some(_) => Err(OutputError::NotEmpty { dir }),
    }
}

fn to_stdout(form: TextForm, selected: &Selected, run: &StoredRun) -> Result<ExitCode, CommandError> {
    outlet::settle();
    let Selected { table, columns, conditions } = selected;
    let mut writer = text_writer(form, io::stdout(), columns);
    let written = export_rows(run, table, columns, conditions, &mut *writer);
    let written = written.and_then(|_| writer.finish().map_err(TableError::Unwritten));
    match written {
        // A reader that went away is a quiet end.
        Err(TableError::Unwritten(error)) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow!("cannot write to standard output: {error}").into())
        }
        Err(TableError::Unread(error)) => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn text_writer<'a, W: Write + 'a>(
    form: TextForm,
    writer: W,
    columns: &[RunColumn],
) -> Box<dyn ExportWriter + 'a> {
    match form {
        TextForm::Plain(ExportFormatArg::Jsonl) => Box::new(JsonExport::new(writer, columns)),
        TextForm::Plain(_) => Box::new(CsvExport::new(writer, columns)),
        TextForm::ForExcel => Box::new(CsvExport::for_excel(writer, columns)),
    }
}

/// Writes a table to a file of its own, and says how much it is. A file that is not whole
/// does not stay.
fn to_file(
    form: TextForm,
    selected: &Selected,
    folder: &Path,
    run: &StoredRun,
) -> Result<String, CommandError> {
    let path = folder.join(format!("{}.{}", selected.table.name, form.ending()));
    let new = fresh(&path);
    let written = write_file(form, selected, &new, run);
    let written =
        written.and_then(|rows| fs::rename(&new, &path).map(|()| rows).map_err(TableError::Unwritten));
    let unwritten = |error: io::Error| anyhow!("cannot write {}: {error}", path.display());
    match written {
        Ok(rows) => {
            let bytes = fs::metadata(&path).map_err(unwritten)?.len();
            let rows = counted(rows, "row");
            Ok(format!("{}: {rows}, {} bytes\n", path.display(), grouped(bytes)))
        }
        Err(error) => {
            let _ = fs::remove_file(&new);
            Err(failed(error, &path))
        }
    }
}

fn write_file(
    form: TextForm,
    Selected { table, columns, conditions }: &Selected,
    path: &Path,
    run: &StoredRun,
) -> Result<u64, TableError> {
    let opened = File::create_new(path).and_then(|file| match form {
        TextForm::Plain(ExportFormatArg::Parquet) => {
            let info = run.info();
            let about = [("sender", info.sender.clone()), ("started", info.started.to_string())];
            let writer = ParquetTable::new(file, table.name, columns, &about)?;
            Ok(Box::new(writer) as Box<dyn ExportWriter>)
        }
        form => Ok(text_writer(form, file, columns)),
    });
    let mut writer = opened.map_err(TableError::Unwritten)?;
    let rows = export_rows(run, table, columns, conditions, &mut *writer)?;
    writer.finish().map_err(TableError::Unwritten)?;
    Ok(rows)
}
