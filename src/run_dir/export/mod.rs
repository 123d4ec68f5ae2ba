//! Tables of a run directory in other formats, with the types that their columns have.
//!
//! Cells are read from the CSV files, which have them for every run, also one that was
//! resumed, joined or sampled. What a column is, says the one list of columns.

mod condition;
mod parquet;
mod plain;
mod typed;

#[cfg(test)]
mod tests;

pub use self::parquet::{ParquetTable, ROW_GROUP_BYTES_MAX, ROW_GROUP_ROWS_MAX};
pub use super::tables::{RunColumn, RunTable};
pub use condition::{Condition, ConditionError};
pub use plain::{CsvExport, JsonExport};

use super::read::{RowCells, StoreError, StoredRun};
use std::io;

/// Version of the exported columns and their types: grows when one changes its type or
/// its meaning, or goes away. Parquet files bear it as `mxray.export`.
pub const EXPORT_VERSION: u32 = 1;

/// Writes the rows of a table in some format.
pub trait ExportWriter {
    /// Takes a row: the cells of the columns that are written, in their order.
    ///
    /// # Errors
    /// [`ExportError`].
    fn write(&mut self, cells: &[&str]) -> Result<(), ExportError>;

    /// Writes what is left.
    ///
    /// # Errors
    /// That of the writer.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Why a row is not written.
#[derive(Debug)]
pub enum ExportError {
    /// A cell is not what its column holds, in words.
    Cell(String),
    /// It cannot be written.
    Unwritten(io::Error),
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

/// Why a table is not exported.
#[derive(Debug)]
pub enum TableError {
    /// It cannot be read.
    Unread(StoreError),
    /// It cannot be written.
    Unwritten(io::Error),
}

/// Hands the rows of a table for which all conditions hold to `writer`, with the cells of
/// `columns`, and counts them. A column that the run is too old for is empty.
///
/// # Errors
/// [`TableError`]: a row is damaged, or cannot be written.
pub fn export_rows(
    run: &StoredRun,
    table: &RunTable,
    columns: &[RunColumn],
    conditions: &[Condition],
    writer: &mut dyn ExportWriter,
) -> Result<u64, TableError> {
    let is_used = |column: &&RunColumn| {
        columns.contains(column) || conditions.iter().any(|condition| condition.column() == column.name)
    };
    let used: Vec<RunColumn> = table.columns.iter().filter(is_used).copied().collect();
    let mut rows = run.table_rows(table.file, &used).map_err(TableError::Unread)?;
    let places: Vec<Option<usize>> = columns.iter().map(|column| rows.column(column.name)).collect();
    let conditions: Vec<(&Condition, Option<usize>)> =
        conditions.iter().map(|condition| (condition, rows.column(condition.column()))).collect();
    let mut written = 0;
    loop {
        let Some(row) = rows.read_next().map_err(TableError::Unread)? else { return Ok(written) };
        if !conditions.iter().all(|(condition, place)| condition.holds(cell(row, *place))) {
            continue;
        }
        let cells: Vec<&str> = places.iter().map(|place| cell(row, *place)).collect();
        match writer.write(&cells) {
            Ok(()) => written += 1,
            Err(ExportError::Unwritten(error)) => return Err(TableError::Unwritten(error)),
            Err(ExportError::Cell(cause)) => return Err(TableError::Unread(rows.broken(cause))),
        }
    }
}

fn cell(row: RowCells<'_>, place: Option<usize>) -> &str {
    place.map_or("", |place| row.get(place))
}
