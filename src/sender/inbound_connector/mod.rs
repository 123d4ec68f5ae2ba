//! Inbound connectors, read from a file.

mod csv_file;
mod entry;
mod list;
mod toml_file;

pub use csv_file::parse_csv;
pub use entry::{INBOUND_ADDRESSES_MAX, INBOUND_DOMAINS_MAX, SENDER_RANGE_PREFIX_MIN};
pub use list::InboundConnectorList;
pub use toml_file::parse_toml;

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
