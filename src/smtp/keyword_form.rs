//! In which form a reply to EHLO lists STARTTLS.

use crate::model::text::unescape;
use crate::model::{KeywordForm, KeywordForms, Reply};

/// The keyword as RFC 3207 has it.
const STARTTLS: &[u8] = b"STARTTLS";

/// The forms of a reply to EHLO. One plain line is enough; of several others the
/// first counts.
pub fn keyword_forms(ehlo: &Reply) -> KeywordForms {
    let mut odd = None;
    let mut is_first_text = ehlo.lines.first().is_some_and(|line| says_nothing(line));
    for line in ehlo.lines.iter().skip(1) {
        if line.as_bytes() == STARTTLS && !is_first_text {
            return KeywordForms::default();
        }
        let told = |forms: KeywordForms| forms.with_if(KeywordForm::FirstText, is_first_text);
        odd = odd.or_else(|| forms_of_line(line).map(told));
        is_first_text &= says_nothing(line);
    }
    let first = || ehlo.lines.first().and_then(|line| forms_of_line(line));
    odd.or_else(|| first().map(|forms| forms.with(KeywordForm::FirstLine))).unwrap_or_default()
}

/// Those of a line as a reply keeps it; `None` where it does not list
/// STARTTLS. Most lines are done with at their first letters.
pub(super) fn forms_of_line(line: &str) -> Option<KeywordForms> {
    let bytes = line.as_bytes();
    let may_be = matches!(bytes.first(), Some(b' ' | b'\\'))
        || bytes.get(..STARTTLS.len()).is_some_and(|word| word.eq_ignore_ascii_case(STARTTLS));
    if may_be { forms_of_bytes(&unescape(line)) } else { None }
}

/// Those of a line by the bytes that came in. Leading blanks and tabs are
/// passed over, and `=` ends a word as a blank does, as in mail systems of
/// the field (`AUTH=LOGIN`). So does a control character (a tab, a second CR,
/// a NUL).
fn forms_of_bytes(line: &[u8]) -> Option<KeywordForms> {
    let begins = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
    let (blanks, rest) = line.split_at_checked(begins)?;
    let (word, behind) = rest.split_at_checked(STARTTLS.len())?;
    if !word.eq_ignore_ascii_case(STARTTLS) {
        return None;
    }
    let before = KeywordForms::default()
        .with_if(KeywordForm::LowerCase, word != STARTTLS)
        .with_if(KeywordForm::LeadingBlank, !blanks.is_empty())
        .with_if(KeywordForm::Tab, blanks.contains(&b'\t'));
    let form = match behind.first() {
        None => return Some(before),
        Some(b' ') => KeywordForm::Parameter,
        Some(b'=') => KeywordForm::EqualsSign,
        Some(b'\t') => KeywordForm::Tab,
        Some(0) => KeywordForm::NulByte,
        Some(b'\r') if behind.iter().all(|byte| *byte == b'\r') => KeywordForm::CarriageReturn,
        Some(byte) if byte.is_ascii_control() => KeywordForm::ControlCharacter,
        Some(_) => return None,
    };
    Some(before.with(form))
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
        keyword_forms(&Reply { code: 250, lines, deviations: Vec::new() })
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
