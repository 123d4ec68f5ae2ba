//! CSV and JSON Lines, as `mxray scan` writes them.

use super::typed::TypedCell;
use super::{ExportError, ExportWriter, RunColumn};
use crate::run_dir::columns::CellKind;
use std::io::{self, BufWriter, Write};

/// Rows of CSV under a header.
pub struct CsvExport<W: Write> {
    writer: csv::Writer<W>,
    /// Names of the columns, until they are written: before the first row, so that a table that is
    /// refused writes nothing at all.
    header: Option<Vec<String>>,
    for_excel: bool,
    cell: String,
}

/// By this mark Excel knows UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a cell begins with that a spreadsheet takes for a formula (OWASP, CSV Injection).
const FORMULA_BEGINS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

impl<W: Write> CsvExport<W> {
    /// Writes nothing yet.
    pub fn new(writer: W, columns: &[RunColumn]) -> Self {
        let header = columns.iter().map(|column| column.name.to_string()).collect();
        let writer = csv::Writer::from_writer(writer);
        Self { writer, header: Some(header), for_excel: false, cell: String::new() }
    }

    /// The same for Excel: behind a byte order mark, and with an apostrophe before each cell that
    /// would be a formula.
    pub fn for_excel(writer: W, columns: &[RunColumn]) -> Self {
        let mut table = Self::new(writer, columns);
        if let Some(first) = table.header.iter_mut().flatten().next() {
            first.insert(0, BYTE_ORDER_MARK);
        }
        table.for_excel = true;
        table
    }

    fn begin(&mut self) -> io::Result<()> {
        self.header.take().map_or(Ok(()), |header| self.writer.write_record(header).map_err(io_error))
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl<W: Write> ExportWriter for CsvExport<W> {
    fn write(&mut self, cells: &[&str]) -> Result<(), ExportError> {
        self.begin()?;
        for cell in cells {
            let written = if self.for_excel && cell.starts_with(FORMULA_BEGINS) {
                self.cell.clear();
                self.cell.extend(["'", cell]);
                self.writer.write_field(&self.cell)
            } else {
                self.writer.write_field(cell)
            };
            written.map_err(io_error)?;
        }
        Ok(self.writer.write_record(None::<&[u8]>).map_err(io_error)?)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.begin()?;
        self.writer.flush()
    }
}

/// One object a line.
pub struct JsonExport<W: Write> {
    writer: BufWriter<W>,
    columns: Vec<RunColumn>,
    line: Vec<u8>,
}

impl<W: Write> JsonExport<W> {
    /// Writes nothing yet.
    pub fn new(writer: W, columns: &[RunColumn]) -> Self {
        Self { writer: BufWriter::new(writer), columns: columns.to_vec(), line: Vec::new() }
    }
}

/// A cell as `Value::write_json` writes it: a list is text there, too.
fn write_cell(out: &mut Vec<u8>, column: &RunColumn, cell: &str) -> Result<(), ExportError> {
    let word = match (column.kind, cell) {
        (_, "") => Some("null"),
        (CellKind::FlagOrWord, "yes") => Some("true"),
        (CellKind::FlagOrWord, "no") => Some("false"),
        (CellKind::NumberOrWord, number) if number.parse::<u64>().is_ok() => Some(number),
        _ => None,
    };
    if let Some(word) = word {
        out.extend_from_slice(word.as_bytes());
        return Ok(());
    }
    let written = match TypedCell::read(column.name, column.kind, cell).map_err(ExportError::Cell)? {
        Some(TypedCell::Number(number)) => serde_json::to_writer(out, &number),
        Some(TypedCell::Flag(flag)) => serde_json::to_writer(out, &flag),
        _ => serde_json::to_writer(out, cell),
    };
    written.map_err(|error| ExportError::Unwritten(error.into()))
}

impl<W: Write> ExportWriter for JsonExport<W> {
    fn write(&mut self, cells: &[&str]) -> Result<(), ExportError> {
        self.line.clear();
        for (column, cell) in self.columns.iter().zip(cells) {
            self.line.extend_from_slice(if self.line.is_empty() { b"{\"" } else { b",\"" });
            self.line.extend_from_slice(column.name.as_bytes());
            self.line.extend_from_slice(b"\":");
            write_cell(&mut self.line, column, cell)?;
        }
        self.line.extend_from_slice(b"}\n");
        Ok(self.writer.write_all(&self.line)?)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.flush()
    }
}
