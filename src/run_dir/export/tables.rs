//! The tables of a run directory by their names, and their columns without the rows that
//! they are written from.

use super::super::columns::{
    CERTIFICATES, CellKind, Column, DOMAINS, ENDPOINTS, GROUPS, MX, REJECTS, SUITES, Why,
};

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportColumn {
    /// Its name.
    pub name: &'static str,
    /// What its cells are.
    pub kind: CellKind,
    /// Whether a cause may stand behind a colon.
    pub has_cause: bool,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportTable {
    /// Its name: that of its file without the ending.
    pub name: &'static str,
    /// Its file in the run directory.
    pub file: &'static str,
    /// Its columns in order.
    pub columns: Vec<ExportColumn>,
}

fn table<R>(name: &'static str, file: &'static str, columns: &[Column<R>]) -> ExportTable {
    let columns = columns.iter().map(|column| ExportColumn {
        name: column.name,
        kind: column.kind,
        has_cause: column.why != Why::Nothing,
    });
    ExportTable { name, file, columns: columns.collect() }
}

impl ExportTable {
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
    pub fn column(&self, name: &str) -> Option<ExportColumn> {
        self.columns.iter().copied().find(|column| column.name == name)
    }
}
