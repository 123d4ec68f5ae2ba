//! What the figures are counted from.

/// A row of a table of a run, by the names of its columns.
pub trait Cells {
    /// What stands in this column; nothing if the table has none of that name.
    fn cell(&self, column: &str) -> &str;
}
