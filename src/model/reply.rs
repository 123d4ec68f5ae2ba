//! An SMTP reply as it was received (RFC 5321 §4.2).

use serde::{Deserialize, Serialize};

/// A way in which a reply that could still be read breaks the letter of
/// RFC 5321.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// A line ended in LF without CR (§2.3.8).
    BareLf,
    /// A NUL byte in the text (§2.3.1).
    NulByte,
    /// A byte over 127 in the text (§2.4).
    EightBit,
    /// A line over 512 octets, CRLF included (§4.5.3.1.5).
    OverlongLine,
}

impl Deviation {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Deviation::BareLf => "bare_lf",
            Deviation::NulByte => "nul_byte",
            Deviation::EightBit => "eight_bit",
            Deviation::OverlongLine => "overlong_line",
        }
    }
}

/// One complete reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Three-digit code, 200 to 599.
    pub code: u16,
    /// Text of each line after code and separator. Control characters and
    /// bytes that are no UTF-8 stand as `\xHH`.
    pub lines: Vec<String>,
    /// What was odd about it, each oddity once, in the order of [`Deviation`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
}
