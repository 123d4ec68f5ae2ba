//! A comparison as CSV: one row for each domain of which there is something to tell.

use super::{ComparedColumn, ComparedDomain, DiffTotals, DiffWriter};
use std::io::{self, Write};

/// The columns before those of both runs.
pub(super) const OWN: [&str; 7] =
    ["domain", "line_before", "line_after", "change", "decided_by", "signs", "inferred"];

/// Rows under a header.
pub struct CsvDiff<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> CsvDiff<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(writer);
        let both =
            ComparedColumn::NAMES.iter().flat_map(|name| [format!("{name}_before"), format!("{name}_after")]);
        let header = OWN.iter().map(ToString::to_string).chain(both);
        writer.write_record(header).map_err(io_error)?;
        Ok(Self { writer })
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl<W: Write> DiffWriter for CsvDiff<W> {
    fn domain(&mut self, domain: &ComparedDomain<'_>) -> io::Result<()> {
        let line =
            |row: Option<&super::ComparedRow<'_>>| row.map(|row| row.line.to_string()).unwrap_or_default();
        let comparison = domain.comparison;
        let signs: Vec<String> = comparison.signs.iter().map(ToString::to_string).collect();
        let own = [
            domain.domain,
            &line(domain.before),
            &line(domain.after),
            comparison.change.name(),
            comparison.decided_by.map_or("", ComparedColumn::name),
            &signs.join(" "),
            if domain.is_inferred() { "yes" } else { "no" },
        ];
        for cell in own {
            self.writer.write_field(cell).map_err(io_error)?;
        }
        for cell in ComparedColumn::ALL.iter().flat_map(|column| domain.cells(*column)) {
            self.writer.write_field(cell).map_err(io_error)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(io_error)
    }

    fn finish(&mut self, _: &DiffTotals) -> io::Result<()> {
        self.writer.flush()
    }
}
