//! Text of a list as it may stand in a report.

use super::taken;
use crate::model::text::{cut, push_printable};

/// Longest [`Rejected::text`](crate::model::Rejected::text) in bytes.
pub const REJECTED_TEXT_BYTES_MAX: usize = 256;

/// Whether a text is all that there was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Cut,
}

/// The text as it may stand in a report: at most [`REJECTED_TEXT_BYTES_MAX`]
/// bytes, no local part of a mail address; characters that steer a terminal and
/// bytes that are no UTF-8 as `\xHH`.
pub(super) fn bounded(text: &[u8], extent: Extent) -> String {
    let mut out = String::new();
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_printable(&mut out, character);
        }
        push_bytes(&mut out, chunk.invalid());
    }
    // Before it is cut: the sign of an address may stand behind.
    let mut out = taken::without_local_parts(&out, extent == Extent::Cut);
    cut(&mut out, REJECTED_TEXT_BYTES_MAX);
    out
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}
