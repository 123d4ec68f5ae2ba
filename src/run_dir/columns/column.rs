//! What a table is made of: columns that each say their name, their meaning,
//! their values where they are few, and where a cell comes from. Files, streams
//! and `docs/columns.md` are all made from the same lists.

use super::closed::YES_NO;
use super::value::Value;

/// One column of a table of `R`.
pub struct Column<R: 'static> {
    /// Stable snake_case name.
    pub name: &'static str,
    /// One sentence for the documentation.
    pub doc: &'static str,
    /// What its cells hold, beside being empty, where that is a closed set: a
    /// cell is one of them, with more behind a colon or not, or several with
    /// blanks between. Empty where anything may stand there.
    pub values: &'static [&'static str],
    /// The cell of a row.
    pub value: for<'a> fn(&'a R) -> Value<'a>,
}

impl<R> Column<R> {
    /// Whether a cell holds what the column may hold.
    pub fn admits(&self, cell: &str) -> bool {
        let known = |word: &str| {
            let word = word.split(':').next().unwrap_or_default();
            self.values.contains(&word)
        };
        self.values.is_empty() || cell == super::value::NOT_RECORDED || cell.split_whitespace().all(known)
    }
}

/// Shorthand that keeps the lists readable as tables.
pub(super) const fn column<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    Column { name, doc, values: &[], value }
}

/// The same for a column whose values are a closed set.
pub(super) const fn one_of<R>(
    values: &'static [&'static str],
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    Column { name, doc, values, value }
}

/// The same for a question that is answered by yes or no.
pub(super) const fn yes_no<R>(
    name: &'static str,
    doc: &'static str,
    value: for<'a> fn(&'a R) -> Value<'a>,
) -> Column<R> {
    one_of(YES_NO, name, doc, value)
}
