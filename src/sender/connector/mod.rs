//! Outbound connectors: read from a file, the names that they expect, and what
//! is logged under them.

mod code;
mod connectors;
mod csv_file;
mod csv_lines;
pub(super) mod entry;
mod error;
pub(super) mod export;
mod list;
mod names;
pub(super) mod toml_file;

pub use code::logged;
pub use connectors::{Connectors, Tie};
pub use csv_file::parse_csv;
pub use entry::{CONNECTOR_NAME_BYTES_MAX, CONNECTOR_RECIPIENTS_MAX, CONNECTOR_SMART_HOSTS_MAX};
pub use error::{ConnectorError, FileLine};
pub use list::{ACCEPTED_DOMAINS_MAX, CONNECTOR_FILE_BYTES_MAX, CONNECTORS_MAX, ConnectorList};
pub use names::{Bears, ReferenceIdentifier, bears};
pub use toml_file::parse_toml;

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
