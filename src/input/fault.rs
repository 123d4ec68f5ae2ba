//! What is wrong with a line of a list.

use super::bounded::{Extent, bounded};

/// The offending text and the cause.
pub(super) type Fault = (String, String);

/// A fault with its text made fit for a report.
pub(super) fn fault(text: &str, cause: impl ToString) -> Fault {
    (bounded(text.as_bytes(), Extent::Whole), cause.to_string())
}
