//! How a server writes the keyword STARTTLS in its reply to EHLO. Mail systems
//! read what is not written as RFC 3207 §4 has it each in its own way, so that
//! one sees STARTTLS where another goes on in clear.

use super::reply::Reply;
use super::text::unescape;
use serde::Deserialize;
use std::fmt;

/// The keyword as RFC 3207 has it.
const STARTTLS: &[u8] = b"STARTTLS";

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

impl KeywordForm {
    /// Every form, in the order of their bits.
    const ALL: [Self; 10] = [
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

/// All ways at once in which a server writes it otherwise; none where it writes
/// it plainly, or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeywordForms(u16);

impl KeywordForms {
    fn with(self, form: KeywordForm) -> Self {
        Self(self.0 | 1 << form as u8)
    }

    /// Whether one is among them.
    pub fn has(self, form: KeywordForm) -> bool {
        self.0 & 1 << form as u8 != 0
    }

    /// Whether it is written plainly, or not at all.
    pub fn is_plain(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = KeywordForm> {
        KeywordForm::ALL.into_iter().filter(move |form| self.has(*form))
    }

    /// Those of a reply to EHLO. One plain line is enough; of several others the
    /// first counts.
    pub fn of(reply: &Reply) -> Self {
        let mut odd = None;
        let mut is_first_text = reply.lines.first().is_some_and(|line| says_nothing(line));
        for line in reply.lines.iter().skip(1) {
            if line.as_bytes() == STARTTLS && !is_first_text {
                return Self::default();
            }
            let told = |forms: Self| if is_first_text { forms.with(KeywordForm::FirstText) } else { forms };
            odd = odd.or_else(|| Self::of_text(line).map(told));
            is_first_text &= says_nothing(line);
        }
        let first = || reply.lines.first().and_then(|line| Self::of_text(line));
        odd.or_else(|| first().map(|forms| forms.with(KeywordForm::FirstLine))).unwrap_or_default()
    }

    /// Those of a line as a reply keeps it; `None` where it does not list
    /// STARTTLS. Most lines are done with at their first letters.
    pub fn of_text(line: &str) -> Option<Self> {
        let bytes = line.as_bytes();
        let may_be = matches!(bytes.first(), Some(b' ' | b'\\'))
            || bytes.get(..STARTTLS.len()).is_some_and(|word| word.eq_ignore_ascii_case(STARTTLS));
        if may_be { Self::of_line(&unescape(line)) } else { None }
    }

    /// Those of a line by the bytes that came in. Leading blanks and tabs are
    /// passed over, and `=` ends a word as a blank does, as in mail systems of
    /// the field (`AUTH=LOGIN`). So does a control character (a tab, a second CR,
    /// a NUL).
    fn of_line(line: &[u8]) -> Option<Self> {
        let begins = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
        let (blanks, rest) = line.split_at_checked(begins)?;
        let (word, behind) = rest.split_at_checked(STARTTLS.len())?;
        if !word.eq_ignore_ascii_case(STARTTLS) {
            return None;
        }
        let mut forms = Self::default();
        let mut add = |form, is_there: bool| {
            if is_there {
                forms = forms.with(form);
            }
        };
        add(KeywordForm::LowerCase, word != STARTTLS);
        add(KeywordForm::LeadingBlank, !blanks.is_empty());
        add(KeywordForm::Tab, blanks.contains(&b'\t'));
        match behind.first() {
            None => {}
            Some(b' ') => add(KeywordForm::Parameter, true),
            Some(b'=') => add(KeywordForm::EqualsSign, true),
            Some(b'\t') => add(KeywordForm::Tab, true),
            Some(0) => add(KeywordForm::NulByte, true),
            Some(b'\r') if behind.iter().all(|byte| *byte == b'\r') => add(KeywordForm::CarriageReturn, true),
            Some(byte) if byte.is_ascii_control() => add(KeywordForm::ControlCharacter, true),
            Some(_) => return None,
        }
        Some(forms)
    }
}

/// Whether a line has no text.
fn says_nothing(line: &str) -> bool {
    line.bytes().all(|byte| byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(lines: &[&str]) -> Vec<&'static str> {
        let lines = lines.iter().map(ToString::to_string).collect();
        KeywordForms::of(&Reply { code: 250, lines, deviations: Vec::new() })
            .iter()
            .map(KeywordForm::name)
            .collect()
    }

    #[test]
    fn each_form_is_told_apart() {
        for (line, told) in [
            ("STARTTLS", &[][..]),
            ("StartTLS", &["lower_case"]),
            ("STARTTLS ", &["parameter"]),
            ("starttls REQUIRED", &["lower_case", "parameter"]),
            ("STARTTLS=1", &["equals_sign"]),
            (" STARTTLS", &["leading_blank"]),
            (r"\x09STARTTLS", &["leading_blank", "tab"]),
            (r"STARTTLS\x09x", &["tab"]),
            (r"STARTTLS\x0d", &["carriage_return"]),
            (r"STARTTLS\x0dx", &["control_character"]),
            (r"STARTTLS\x01", &["control_character"]),
            (r"STARTTLS\x00", &["nul_byte"]),
            ("STARTTLSX", &[]),
            (r"STARTTLS\\x0d", &[]),
            ("AUTH STARTTLS", &[]),
        ] {
            assert_eq!(forms(&["mx.example", line]), told, "{line}");
            // One plain line is enough.
            assert_eq!(forms(&["mx.example", line, "STARTTLS"]), [""; 0], "{line}");
        }
        assert_eq!(forms(&["STARTTLS", "SIZE 1"]), ["first_line"]);
        assert_eq!(forms(&["STARTTLS", "starttls"]), ["lower_case"]);
        assert_eq!(forms(&["", "STARTTLS"]), ["first_text"]);
        assert_eq!(forms(&["", " ", "starttls"]), ["lower_case", "first_text"]);
        assert_eq!(forms(&["", "STARTTLS", "STARTTLS"]), [""; 0]);
        assert_eq!(forms(&["", "SIZE 1", "STARTTLS"]), [""; 0]);
        assert_eq!(forms(&["mx.example STARTTLS"]), [""; 0]);
    }
}
