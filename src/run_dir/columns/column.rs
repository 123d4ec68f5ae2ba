//! What a table is made of: columns that each say their name, their meaning
//! and where their value comes from. Files, streams and `docs/columns.md` are
//! all made from the same lists.

use super::value::Value;

/// One column of a table of `R`.
pub struct Column<R: 'static> {
    /// Stable snake_case name.
    pub name: &'static str,
    /// One sentence for the documentation.
    pub doc: &'static str,
    /// The cell of a row.
    pub value: for<'a> fn(&'a R) -> Value<'a>,
}

/// Shorthand that keeps the lists readable as tables.
pub(super) const fn column<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    Column { name, doc, value }
}
