//! How a server writes the keyword STARTTLS in its reply to EHLO. Mail systems
//! read what is not written as RFC 3207 §4 has it each in its own way, so that
//! one sees STARTTLS where another goes on in clear.

use super::form_set::{Form, FormSet};
use serde::Deserialize;
use std::fmt;

/// A way in which it is written otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeywordForm {
    /// Not in capitals alone: keywords are read without regard to case (RFC
    /// 5321 §2.4), and not by all.
    LowerCase,
    /// A blank behind it, and maybe a parameter; it has none (RFC 3207 §4).
    Parameter,
    /// `=` behind it.
    EqualsSign,
    /// A blank or tab before it.
    LeadingBlank,
    /// A tab, before or behind it.
    Tab,
    /// A CR too many behind it.
    CarriageReturn,
    /// Another control character behind it.
    ControlCharacter,
    /// A NUL behind it.
    NulByte,
    /// In the first line that says anything, behind one with no text.
    FirstText,
    /// In the first line, which is the server's name and greeting (RFC 5321
    /// §4.1.1.1), and in no other.
    FirstLine,
}

/// All ways at once in which a server writes it otherwise; none where it writes
/// it plainly, or not at all.
pub type KeywordForms = FormSet<KeywordForm>;

impl Form for KeywordForm {
    const ALL: &'static [Self] = &[
        Self::LowerCase,
        Self::Parameter,
        Self::EqualsSign,
        Self::LeadingBlank,
        Self::Tab,
        Self::CarriageReturn,
        Self::ControlCharacter,
        Self::NulByte,
        Self::FirstText,
        Self::FirstLine,
    ];

    fn place(self) -> u8 {
        self as u8
    }
}

impl KeywordForm {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LowerCase => "lower_case",
            Self::Parameter => "parameter",
            Self::EqualsSign => "equals_sign",
            Self::LeadingBlank => "leading_blank",
            Self::Tab => "tab",
            Self::CarriageReturn => "carriage_return",
            Self::ControlCharacter => "control_character",
            Self::NulByte => "nul_byte",
            Self::FirstText => "first_text",
            Self::FirstLine => "first_line",
        }
    }
}

impl fmt::Display for KeywordForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
