//! The rows of a table, with their cells by the names of the columns.
//!
//! They hold what was judged: whoever only counts needs no second verdict.

use super::StoreError;
use super::table_rows::{RowCells, TableRows};
use std::collections::HashMap;

/// Reads a table of a run directory from its beginning.
pub struct NamedRows {
    table: TableRows,
    columns: HashMap<String, usize>,
}

/// One row; a cell that its table does not have is empty.
#[derive(Clone, Copy)]
pub struct NamedRow<'a> {
    columns: &'a HashMap<String, usize>,
    cells: RowCells<'a>,
}

impl NamedRows {
    pub(super) fn of(table: TableRows) -> Self {
        let columns = table.header().iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        Self { table, columns }
    }

    /// The next row.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read, or is none under the header.
    pub fn read_next(&mut self) -> Result<Option<NamedRow<'_>>, StoreError> {
        let columns = &self.columns;
        Ok(self.table.read_next()?.map(|cells| NamedRow { columns, cells }))
    }
}

impl NamedRow<'_> {
    /// What stands in this column.
    pub fn cell(&self, column: &str) -> &str {
        self.columns.get(column).map(|place| self.cells.get(*place)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn cells_are_known_by_their_column() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("t.csv"), "b,x,a\n1,,\"2, \"\"3\"\"\"\n,4,5\n").unwrap();
        let mut table = NamedRows::of(TableRows::open(dir.path(), "t.csv").unwrap());
        let mut found = Vec::new();
        while let Some(row) = table.read_next().unwrap() {
            found.push(["a", "b", "none"].map(|column| row.cell(column).to_string()));
        }
        assert_eq!(found, [["2, \"3\"", "1", ""], ["5", "", ""]]);
    }
}
