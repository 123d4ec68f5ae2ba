//! Two runs held against each other, domain by domain: what became better or worse,
//! and what there is to tell beside that.
//!
//! What is not determined is never a change. [`ORDER`] says what is better.

mod compare;
mod csv;
mod html;
mod json;
mod order;
mod row;
pub(in crate::report) mod text;
mod totals;

#[cfg(test)]
mod tests;

pub use self::csv::CsvDiff;
pub use self::html::HtmlDiff;
pub use compare::{DiffSign, DomainChange, DomainComparison, Finished, compare};
pub use json::JsonDiff;
pub use order::{Criterion, ORDER, Turn};
pub use row::{ComparedColumn, ComparedRow};
pub use text::TextDiff;
pub use totals::DiffTotals;

use jiff::Timestamp;
use serde::Serialize;
use std::io;

/// A run of the two, as the head of a comparison names it.
#[derive(Clone, Debug, Serialize)]
pub struct DiffedRun {
    /// Its directory, as it was named.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// Rows of `domains.csv`.
    pub domains: u64,
    /// Whether it came to the end of its list.
    pub finished: bool,
}

/// What is compared.
#[derive(Clone, Debug, Serialize)]
pub struct DiffHead {
    /// The first run.
    pub before: DiffedRun,
    /// The second.
    pub after: DiffedRun,
    /// Whose mail both are about.
    pub sender: String,
    /// What whoever reads it should know of the runs, a sentence each.
    pub notes: Vec<String>,
}

/// A domain in both runs.
#[derive(Clone, Copy, Debug)]
pub struct ComparedDomain<'a> {
    /// Its name, or the label of what was listed instead.
    pub domain: &'a str,
    /// Its row in the first run.
    pub before: Option<&'a ComparedRow<'a>>,
    /// Its row in the second run.
    pub after: Option<&'a ComparedRow<'a>>,
    /// What became of it.
    pub comparison: &'a DomainComparison,
}

impl ComparedDomain<'_> {
    /// Whether it rests, in one of the runs, on what was not asked of its own name.
    pub fn is_inferred(&self) -> bool {
        [self.before, self.after].into_iter().flatten().any(ComparedRow::is_inferred)
    }

    fn cells(&self, column: ComparedColumn) -> [&str; 2] {
        [self.before, self.after].map(|row| row.map_or("", |row| row.get(column)))
    }
}

/// Writes a comparison in some form.
pub trait DiffWriter {
    /// Takes a domain that there is something to tell of; they come in the order of their
    /// names.
    ///
    /// # Errors
    /// That of the writer.
    fn domain(&mut self, domain: &ComparedDomain<'_>) -> io::Result<()>;

    /// Writes what is left, and the counts.
    ///
    /// # Errors
    /// That of the writer.
    fn finish(&mut self, totals: &DiffTotals) -> io::Result<()>;
}
