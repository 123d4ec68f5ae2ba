//! The tables of a run directory by their names, and their columns without the rows that
//! they are written from.

use super::columns::column::admits;
use super::columns::{CERTIFICATES, CellKind, Column, DOMAINS, ENDPOINTS, GROUPS, MX, REJECTS, SUITES, Why};
use crate::model::text::one_line;
use jiff::Timestamp;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunColumn {
    /// Its name.
    pub name: &'static str,
    /// What it tells, in a sentence.
    pub doc: &'static str,
    /// What its cells hold, where that is a closed set.
    pub values: &'static [&'static str],
    /// What its cells are.
    pub kind: CellKind,
    /// The causes that stand behind a colon, or alone.
    pub why: Why,
    /// Whether none of its cells is empty.
    pub is_due: bool,
}

impl RunColumn {
    /// Whether a cause may stand behind a colon.
    pub fn has_cause(&self) -> bool {
        self.why != Why::Nothing
    }

    /// Whether there is anything that its cells cannot hold.
    pub(super) fn is_bounded(&self) -> bool {
        let is_free = !self.is_due && matches!(self.kind, CellKind::Text | CellKind::List);
        !is_free || !self.values.is_empty() || self.has_cause()
    }

    /// Whether a cell holds what the column may hold, as `mxray` writes it.
    ///
    /// # Errors
    /// It does not, in words.
    pub fn check(&self, cell: &str) -> Result<(), String> {
        let name = self.name;
        if cell.is_empty() {
            return if self.is_due { Err(format!("{name} is empty")) } else { Ok(()) };
        }
        match self.kind {
            CellKind::Number if cell.parse::<u64>().is_err() => Err(format!("{name} is no number")),
            CellKind::Flag if !matches!(cell, "yes" | "no") => Err(format!("{name} is neither yes nor no")),
            CellKind::Time if cell.parse::<Timestamp>().is_err() => Err(format!("{name} is no moment")),
            CellKind::NumberOrWord if cell.parse::<u64>().is_ok() => Ok(()),
            _ if admits(self.values, self.why, self.kind, cell) => Ok(()),
            _ => Err(format!("{name} is `{}`, which is no value of that column", one_line(cell))),
        }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTable {
    /// Its name: that of its file without the ending.
    pub name: &'static str,
    /// Its file in the run directory.
    pub file: &'static str,
    /// Its columns in order.
    pub columns: Vec<RunColumn>,
}

fn table<R>(name: &'static str, file: &'static str, columns: &[Column<R>]) -> RunTable {
    let columns = columns.iter().map(|column| RunColumn {
        name: column.name,
        doc: column.doc,
        values: column.values,
        kind: column.kind,
        why: column.why,
        is_due: column.is_due,
    });
    RunTable { name, file, columns: columns.collect() }
}

impl RunTable {
    /// All tables, that of the targets first.
    pub fn all() -> Vec<Self> {
        vec![
            table("domains", "domains.csv", DOMAINS),
            table("endpoints", "endpoints.csv", ENDPOINTS),
            table("mx", "mx.csv", MX),
            table("certificates", "certificates.csv", CERTIFICATES),
            table("suites", "suites.csv", SUITES),
            table("groups", "groups.csv", GROUPS),
            table("rejects", "rejects.csv", REJECTS),
        ]
    }

    /// The table in this file.
    pub fn of_file(file: &str) -> Option<Self> {
        Self::all().into_iter().find(|table| table.file == file)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<RunColumn> {
        self.columns.iter().copied().find(|column| column.name == name)
    }
}
