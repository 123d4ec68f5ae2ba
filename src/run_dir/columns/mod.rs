//! The tables of a run directory, each one list of [`Column`]s, and how a row of
//! them becomes text.

pub(super) mod certificates;
mod closed;
pub(super) mod column;
pub(super) mod domains;
pub(super) mod edges;
pub(super) mod endpoints;
pub(super) mod enumeration;
mod policies;
mod side;
pub(super) mod table;
pub(super) mod value;
mod why;

#[cfg(test)]
mod docs;

pub use certificates::{CERTIFICATES, CertificateRow};
pub use column::{CellKind, Column};
pub use domains::DOMAINS;
pub use edges::{MX, MxRow, REJECTS};
pub use endpoints::ENDPOINTS;
pub use enumeration::{GROUPS, GroupRow, SUITES, SuiteRow};
pub use table::{CsvTable, JsonTable};
pub use value::{TEXT_CELL_BYTES_MAX, Value};
pub use why::Why;
