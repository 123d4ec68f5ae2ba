//! Why a list cannot be read at all.

use super::bounded::{Extent, bounded};
use std::io;

/// Most columns that an error message lists.
const COLUMNS_LISTED_MAX: usize = 20;

/// Why a list cannot be read at all. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file could not be opened.
    #[error("cannot open {name}: {source}")]
    Open {
        /// The file as it was named.
        name: String,
        /// What the system said of opening it.
        source: io::Error,
    },
    /// The first lines could not be read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The file as it was named.
        name: String,
        /// What the system said of reading on.
        source: io::Error,
    },
    /// The column asked for is not in the first line.
    #[error("{name} has no column `{wanted}`; its columns are: {}", listed(columns))]
    NoColumn {
        /// The file as it was named.
        name: String,
        /// The column asked for.
        wanted: String,
        /// The fields of the first line.
        columns: Vec<String>,
    },
    /// The header names a column twice that counts.
    #[error("{name} has two columns `{}`, and which counts is not known", bounded(column.as_bytes(), Extent::Whole))]
    TwiceNamed {
        /// The file as it was named.
        name: String,
        /// The column that `--column` names.
        column: String,
    },
    /// The list has a header, but none that says where the addresses are.
    #[error("{name} has no column `ip`; choose one with --column: {}", listed(columns))]
    NoAddressColumn {
        /// The file as it was named.
        name: String,
        /// The fields of the first line.
        columns: Vec<String>,
    },
    /// The list has a header, but none that says where the domains are.
    #[error("{name} has no column `domain`; choose one with --column: {}", listed(columns))]
    NoDomainColumn {
        /// The file as it was named.
        name: String,
        /// The fields of the first line.
        columns: Vec<String>,
    },
}

fn listed(columns: &[String]) -> String {
    let shown: Vec<String> =
        columns.iter().take(COLUMNS_LISTED_MAX).map(|name| bounded(name.as_bytes(), Extent::Whole)).collect();
    let more = if columns.len() > COLUMNS_LISTED_MAX { ", …" } else { "" };
    shown.join(", ") + more
}
