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

mod bounded;
mod endpoint;
mod error;
mod fault;
mod fields;
mod layout;
mod lines;
mod list;
mod options;
mod source;
mod taken;

#[cfg(test)]
mod tests;

pub use bounded::REJECTED_TEXT_BYTES_MAX;
pub use error::InputError;
pub use lines::INPUT_LINE_BYTES_MAX;
pub use list::{Entry, InputList};
pub use options::{InputKind, InputOptions};
pub use taken::TakenCounts;

use std::io;

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
