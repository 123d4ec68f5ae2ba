//! Rows of a column list as CSV and as JSON Lines, onto any writer. Both keep
//! one buffer for all rows: a row costs no allocation but what its values need.

use super::column::Column;
use std::borrow::Borrow;
use std::io::{self, Write};

/// Bytes gathered before the writer is called.
const WRITE_BYTES: usize = 64 * 1024;

/// Rows as CSV (RFC 4180, but LF ends a row) under a header.
pub struct CsvTable<R: 'static, W: Write> {
    columns: &'static [Column<R>],
    writer: csv::Writer<W>,
    cell: String,
}

impl<R, W: Write> CsvTable<R, W> {
    /// Writes the header.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(columns: &'static [Column<R>], writer: W) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(WRITE_BYTES).from_writer(writer);
        writer.write_record(columns.iter().map(|column| column.name)).map_err(io_error)?;
        Ok(Self { columns, writer, cell: String::new() })
    }

    /// Appends one row.
    ///
    /// # Errors
    /// That of the writer, kind and all.
    pub fn write(&mut self, row: &R) -> io::Result<()> {
        for column in self.columns {
            self.cell.clear();
            debug_assert!(column.kind.admits(&(column.value)(row)), "{} is of another kind", column.name);
            (column.value)(row).write_text(&mut self.cell);
            self.writer.write_field(&self.cell).map_err(io_error)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(io_error)
    }

    /// Hands everything gathered to the writer.
    ///
    /// # Errors
    /// That of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// The writer, which may not have the last rows yet.
    pub(in crate::run_dir) fn writer(&self) -> &W {
        self.writer.get_ref()
    }
}

/// The cause behind an error of the CSV writer, with its own kind: a broken
/// pipe must stay one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Rows as JSON Lines: one object a row, the keys those of the columns.
pub struct JsonTable<R: 'static, W: Write> {
    columns: &'static [Column<R>],
    writer: io::BufWriter<W>,
    line: Vec<u8>,
    cell: String,
}

impl<R, W: Write> JsonTable<R, W> {
    /// Writes nothing yet.
    pub fn new(columns: &'static [Column<R>], writer: W) -> Self {
        let writer = io::BufWriter::with_capacity(WRITE_BYTES, writer);
        Self { columns, writer, line: Vec::new(), cell: String::new() }
    }

    /// Appends one row.
    ///
    /// # Errors
    /// That of the writer, kind and all.
    pub fn write(&mut self, row: &R) -> io::Result<()> {
        self.line.clear();
        write_object(self.columns, row, &mut self.cell, &mut self.line)?;
        self.line.push(b'\n');
        self.writer.write_all(&self.line)
    }

    /// Hands everything gathered to the writer.
    ///
    /// # Errors
    /// That of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Appends a row as one JSON object.
fn write_object<R>(
    columns: &[Column<R>],
    row: &R,
    scratch: &mut String,
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    for (place, column) in columns.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{\"" } else { b",\"" });
        out.extend_from_slice(column.name.as_bytes());
        out.extend_from_slice(b"\":");
        (column.value)(row).write_json(scratch, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// One row as one JSON object.
///
/// # Errors
/// As of [`json_list`].
pub(in crate::run_dir) fn json_object<R>(columns: &[Column<R>], row: &R) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    write_object(columns, row, &mut String::new(), &mut out)?;
    Ok(out)
}

/// Rows as one JSON list of objects.
///
/// # Errors
/// None in practice, as of [`Value::write_json`](super::Value::write_json).
pub(in crate::run_dir) fn json_list<R>(
    columns: &[Column<R>],
    rows: impl IntoIterator<Item = impl Borrow<R>>,
) -> serde_json::Result<Vec<u8>> {
    let (mut out, mut scratch) = (vec![b'['], String::new());
    for (place, row) in rows.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_object(columns, row.borrow(), &mut scratch, &mut out)?;
    }
    out.push(b']');
    Ok(out)
}
