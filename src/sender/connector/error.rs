//! Why a file of connectors cannot be used: one line, with its place.

use crate::model::text;
use std::fmt;

/// Longest text of a file that an error repeats, in bytes.
const QUOTED_BYTES_MAX: usize = 300;

/// Where in a file: a line, from 1; 0 for the whole of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileLine(pub u64);

/// Why a file of connectors cannot be used. It is never used in part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConnectorError {
    place: FileLine,
    connector: Option<String>,
    what: String,
}

impl ConnectorError {
    /// About the file.
    pub(in crate::sender) fn at(place: FileLine, what: impl Into<String>) -> Self {
        Self { place, connector: None, what: printable(&what.into()) }
    }

    /// About one connector.
    pub(in crate::sender) fn of(place: FileLine, connector: &str, what: impl Into<String>) -> Self {
        Self { place, connector: Some(printable(connector)), what: printable(&what.into()) }
    }
}

/// Whatever a cell holds, an error stays one line of bounded length.
fn printable(text: &str) -> String {
    let mut shown = text::printable(text).into_owned();
    text::cut(&mut shown, QUOTED_BYTES_MAX);
    shown
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.0 > 0 {
            write!(f, "line {}: ", self.place.0)?;
        }
        match self.connector.as_deref() {
            Some(name) if !name.is_empty() => write!(f, "connector `{name}`: {}", self.what),
            Some(_) => write!(f, "connector: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}
