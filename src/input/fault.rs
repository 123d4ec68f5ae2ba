//! What is wrong with a line of a list.

use super::bounded::{Extent, bounded};
use super::taken;

/// The offending text and the cause.
pub(super) type LineFault = (String, String);

/// A fault of a whole line with its text made fit for a report.
pub(super) fn fault(line: &str, cause: impl ToString) -> LineFault {
    fault_of_part(line, line, cause)
}

/// A fault of a part of a line. What is told is not the local part of an
/// address that stands elsewhere in the line.
pub(super) fn fault_of_part(part: &str, line: &str, cause: impl ToString) -> LineFault {
    let text = bounded(part.as_bytes(), Extent::Whole);
    let hidden = taken::has_local_part_of(&text, line);
    (if hidden { taken::HIDDEN.to_string() } else { text }, cause.to_string())
}
