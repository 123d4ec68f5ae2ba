//! Domain rows for a pipe: the same columns as `domains.csv`, as CSV or JSON
//! Lines.

use super::columns::domains::DOMAINS;
use super::columns::table::{CsvTable, JsonTable};
use crate::model::DomainRecord;
use std::io::{self, Write};

/// How rows are written to a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamFormat {
    /// CSV with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Streams domain rows. A reader that went away surfaces as
/// [`io::ErrorKind::BrokenPipe`].
pub struct DomainStream<W: Write>(Encoder<W>);

enum Encoder<W: Write> {
    Csv(Box<CsvTable<DomainRecord, W>>),
    Jsonl(JsonTable<DomainRecord, W>),
}

impl<W: Write> DomainStream<W> {
    /// Begins a stream, for CSV with its header.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(format: StreamFormat, writer: W) -> io::Result<Self> {
        Ok(Self(match format {
            StreamFormat::Csv => Encoder::Csv(Box::new(CsvTable::new(DOMAINS, writer)?)),
            StreamFormat::Jsonl => Encoder::Jsonl(JsonTable::new(DOMAINS, writer)),
        }))
    }

    /// Appends one row. It may stay in memory until [`DomainStream::flush`].
    ///
    /// # Errors
    /// That of the writer.
    pub fn write(&mut self, record: &DomainRecord) -> io::Result<()> {
        match &mut self.0 {
            Encoder::Csv(table) => table.write(record),
            Encoder::Jsonl(table) => table.write(record),
        }
    }

    /// Hands everything gathered to the writer.
    ///
    /// # Errors
    /// That of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Encoder::Csv(table) => table.flush(),
            Encoder::Jsonl(table) => table.flush(),
        }
    }
}
