//! Lists in: plain, CSV, ranked CSV, endpoint lists.
//!
//! A list is read line by line and never held: whatever its length, reading
//! it takes one line of at most [`INPUT_LINE_BYTES_MAX`] bytes. Every physical
//! line is a record of its own, in CSV too, so that a stray quote costs one
//! line and not the rest of the list; the price is that a field with a line
//! break inside it is not supported, and its second half is rejected.
//!
//! A list is text in UTF-8 or UTF-16, as it is or through gzip or zstd. What
//! separates its fields is said by a line `sep=;` before all others, or is the
//! commonest of comma, semicolon and tab in the first line
//! ([`crate::dialect`]).
//!
//! How the columns lie is decided once, by the first line that is neither
//! blank nor a comment:
//!
//! | first line | the list is |
//! |---|---|
//! | has a field `domain` (any case), or the one that `--column` names | CSV with that header |
//! | one field | plain, one domain a line |
//! | a number, then anything | ranked: the domain is the second field |
//! | several fields, the first that is a domain is number *n* | CSV without header, column *n* |
//! | several fields, none a domain, and a domain among those of the second line | CSV whose header names no `domain`: an error that lists the columns |
//! | anything else | plain; what is no domain is rejected |
//!
//! Of a mail address or a URL in the place of a domain the domain is taken,
//! and counted ([`TakenCounts`]); the local part of an address is handed out
//! nowhere, [`Rejected::text`](crate::model::Rejected::text) included.

mod endpoint;
mod fault;
mod fields;
mod layout;
mod lines;
mod list;
mod source;
mod taken;

#[cfg(test)]
mod tests;

pub use lines::INPUT_LINE_BYTES_MAX;
pub use list::{Entry, InputList};
pub use taken::TakenCounts;

use crate::model::text::push_printable;
use std::io;

/// Longest [`Rejected::text`](crate::model::Rejected::text) in bytes.
pub const REJECTED_TEXT_BYTES_MAX: usize = 256;

/// Most columns that an error message lists.
const COLUMNS_LISTED_MAX: usize = 20;

/// What the lines of a list are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputKind {
    /// Mail domains.
    #[default]
    Domains,
    /// Endpoints as zmap and zgrab2 pass them on: `ip`, `ip,port`, `ip,name`,
    /// `ip,name,tag`, `ip,name,tag,port`, or what a header says.
    Endpoints,
}

/// How to read a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputOptions {
    /// What its lines are.
    pub kind: InputKind,
    /// Header of the column to read; by default `domain` (for endpoints `ip`
    /// or `saddr`).
    pub column: Option<String>,
}

/// Why a list cannot be read at all. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file could not be opened.
    #[error("cannot open {name}: {source}")]
    Open {
        /// The file as it was named.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The first lines could not be read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The file as it was named.
        name: String,
        /// The cause.
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

/// Opens a list and finds out how its columns lie. `-` is standard input;
/// gzip and zstd are told by the extensions `.gz` and `.zst` or by the first
/// bytes.
///
/// # Errors
/// [`InputError`]: the file is missing or unreadable, or its columns do not
/// say where to look. Errors further on are items of the list.
pub fn open(path: &str, options: &InputOptions) -> Result<InputList, InputError> {
    let name = if path == "-" { "standard input".to_string() } else { path.to_string() };
    let source = source::open(path, &name)?;
    InputList::new(name, source, options)
}

/// Reads a list from `raw`, which `name` stands for in errors; gzip and zstd
/// are told by the first bytes.
///
/// # Errors
/// [`InputError`], as [`open`].
pub fn read(
    name: &str,
    raw: impl io::Read + Send + 'static,
    options: &InputOptions,
) -> Result<InputList, InputError> {
    let source = source::unpack(raw, None, name)?;
    InputList::new(name.to_string(), source, options)
}

/// Whether a text is all that there was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Cut,
}

/// The text as it may stand in a report: at most [`REJECTED_TEXT_BYTES_MAX`]
/// bytes, no local part of a mail address; characters that steer a terminal and
/// bytes that are no UTF-8 as `\xHH`.
fn bounded(text: &[u8], extent: Extent) -> String {
    let mut out = String::new();
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_printable(&mut out, character);
        }
        push_bytes(&mut out, chunk.invalid());
    }
    // Before it is cut: the sign of an address may stand behind.
    let mut out = taken::without_local_parts(&out, extent == Extent::Cut);
    if out.len() > REJECTED_TEXT_BYTES_MAX {
        let mark = "…";
        out.truncate(out.floor_char_boundary(REJECTED_TEXT_BYTES_MAX - mark.len()));
        out.push_str(mark);
    }
    out
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}
