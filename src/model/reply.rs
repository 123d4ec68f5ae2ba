//! An SMTP reply as it was received (RFC 5321 §4.2).

use serde::{Deserialize, Serialize};

/// A way in which a reply that could still be read breaks the letter of
/// RFC 5321.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deviation {
    /// A line ended in LF without CR (§2.3.8).
    BareLf,
    /// A CR in the text, with no LF behind it (§2.3.8).
    BareCr,
    /// A NUL byte in the text (§2.3.1).
    NulByte,
    /// Another control character in the text, as ESC or DEL; a tab is none
    /// here, for it may stand in a reply (§4.2).
    ControlCharacter,
    /// A byte over 127 in the text (§2.4).
    EightBit,
    /// A line over 512 octets, CRLF included (§4.5.3.1.5).
    OverlongLine,
    /// A line with nothing in it, not even a code, before a line of the reply
    /// (§4.2).
    EmptyLine,
    /// A reply that no command had asked for: it came, or began to come,
    /// before its command was sent, or is one too many (§4.3.1). A 421 may
    /// come at any moment (§3.8) and is none.
    UnsolicitedReply,
}

impl Deviation {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Deviation::BareLf => "bare_lf",
            Deviation::BareCr => "bare_cr",
            Deviation::NulByte => "nul_byte",
            Deviation::ControlCharacter => "control_character",
            Deviation::EightBit => "eight_bit",
            Deviation::OverlongLine => "overlong_line",
            Deviation::EmptyLine => "empty_line",
            Deviation::UnsolicitedReply => "unsolicited_reply",
        }
    }
}

/// One complete reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Three-digit code, 200 to 599.
    pub code: u16,
    /// Text of each line after code and separator, escaped as by
    /// [`escape`](super::text::escape), from which the bytes can be had again.
    pub lines: Vec<String>,
    /// What was odd about it, each oddity once, in the order of [`Deviation`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
}

impl Reply {
    /// Notes an oddity, once.
    pub fn note(&mut self, deviation: Deviation) {
        if let Err(place) = self.deviations.binary_search(&deviation) {
            self.deviations.insert(place, deviation);
        }
    }

    /// Whether it was noted.
    pub fn has(&self, deviation: Deviation) -> bool {
        self.deviations.contains(&deviation)
    }

    /// The first line that says anything.
    pub fn words(&self) -> Option<&str> {
        self.lines.iter().map(String::as_str).find(|line| !line.trim().is_empty())
    }
}

/// A command of the dialogue, by the place of its reply in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SmtpCommand {
    /// EHLO in clear.
    Ehlo,
    /// HELO.
    Helo,
    /// STARTTLS.
    Starttls,
    /// EHLO inside TLS.
    EhloTls,
    /// QUIT.
    Quit,
}
