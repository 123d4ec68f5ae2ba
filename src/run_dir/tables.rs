//! The tables of a run directory by their names, and their columns without the rows that
//! they are written from.

use super::columns::{CERTIFICATES, CellKind, Column, DOMAINS, ENDPOINTS, GROUPS, MX, REJECTS, SUITES, Why};

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
    /// Whether a cause may stand behind a colon.
    pub has_cause: bool,
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
        has_cause: column.why != Why::Nothing,
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

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<RunColumn> {
        self.columns.iter().copied().find(|column| column.name == name)
    }
}
