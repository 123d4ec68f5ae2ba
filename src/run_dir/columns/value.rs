//! One cell before it becomes text: typed, so that CSV and JSON each write it
//! their own way from the same column.

use crate::model::Sha256;
use crate::model::text::{cut, printable};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

/// Longest text, in bytes, that a cell keeps of what a server said (banner,
/// keywords, plaintext after STARTTLS). The journal has all of it.
pub const TEXT_CELL_BYTES_MAX: usize = 1024;

/// The cell of what the run was too old to write down.
pub(super) const NOT_RECORDED: &str = "undetermined:not_recorded";

/// The value of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Not known, or does not apply: an empty cell, `null` in JSON.
    Absent,
    /// Text; in CSV with control characters as `\\xHH`.
    Text(Cow<'a, str>),
    /// A whole number; a number in JSON, too.
    Number(u64),
    /// `yes` or `no`; `true` or `false` in JSON.
    Bool(bool),
    /// An address.
    Ip(IpAddr),
    /// A digest in lower-case hexadecimal.
    Digest(&'a Sha256),
    /// A moment (RFC 3339, UTC) with so many digits behind the second.
    Time(Timestamp, usize),
    /// Bytes in standard Base64 (RFC 4648 §4).
    Base64(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Text that may be missing.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Value::Absent, |text| Value::Text(Cow::Borrowed(text)))
    }

    /// A name out of a table, which may be missing.
    pub fn name(name: Option<Cow<'static, str>>) -> Self {
        name.map_or(Value::Absent, Value::Text)
    }

    /// What the run was too old to write down.
    pub fn not_recorded() -> Self {
        Value::Text(Cow::Borrowed(NOT_RECORDED))
    }

    /// A number that may be missing.
    pub fn number(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Value::Absent, |number| Value::Number(number.into()))
    }

    /// Something counted in memory.
    pub fn count(count: usize) -> Self {
        u64::try_from(count).map_or(Value::Absent, Value::Number)
    }

    /// A yes or no that may be missing.
    pub fn flag(flag: Option<bool>) -> Self {
        flag.map_or(Value::Absent, Value::Bool)
    }

    /// Parts with a separator between, cut to [`TEXT_CELL_BYTES_MAX`], the
    /// ellipsis that then ends them included; absent if there are none.
    pub fn joined(parts: impl IntoIterator<Item = impl AsRef<str>>, separator: &str) -> Self {
        let mut text = String::new();
        for part in parts {
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(part.as_ref());
            if text.len() > TEXT_CELL_BYTES_MAX {
                cut(&mut text, TEXT_CELL_BYTES_MAX);
                break;
            }
        }
        if text.is_empty() { Value::Absent } else { Value::Text(Cow::Owned(text)) }
    }

    /// Appends the text of a CSV cell to `out`.
    pub fn write_text(&self, out: &mut String) {
        let written = match self {
            Value::Absent => Ok(()),
            Value::Text(text) => {
                // What comes from a server must not steer the terminal of
                // whoever looks at it, nor break a row into two lines.
                out.push_str(&printable(text));
                Ok(())
            }
            Value::Number(number) => write!(out, "{number}"),
            Value::Bool(flag) => out.write_str(if *flag { "yes" } else { "no" }),
            Value::Ip(ip) => write!(out, "{ip}"),
            Value::Digest(digest) => {
                push_hex(out, &digest.0);
                Ok(())
            }
            Value::Time(time, digits) => write!(out, "{time:.digits$}"),
            Value::Base64(bytes) => {
                STANDARD.encode_string(bytes, out);
                Ok(())
            }
        };
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }

    /// Appends the JSON value to `out`.
    ///
    /// # Errors
    /// None in practice: memory takes every byte and every text is JSON.
    pub fn write_json(&self, scratch: &mut String, out: &mut Vec<u8>) -> serde_json::Result<()> {
        match self {
            Value::Absent => serde_json::to_writer(out, &()),
            Value::Number(number) => serde_json::to_writer(out, number),
            Value::Bool(flag) => serde_json::to_writer(out, flag),
            other => {
                scratch.clear();
                other.write_text(scratch);
                serde_json::to_writer(out, scratch.as_str())
            }
        }
    }
}

/// Appends bytes in lower-case hexadecimal.
pub(in crate::run_dir) fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    out.reserve(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(value: Value<'_>) -> (String, String) {
        let (mut text, mut json) = (String::new(), Vec::new());
        value.write_text(&mut text);
        value.write_json(&mut String::new(), &mut json).unwrap();
        (text, String::from_utf8(json).unwrap())
    }

    #[test]
    fn values_are_written() {
        let time: Timestamp = "2026-01-02T03:04:05.678912Z".parse().unwrap();
        let digest = Sha256([0xab; 32]);
        let hex = "ab".repeat(32);
        for (value, text, json) in [
            (Value::Absent, "", "null"),
            (Value::Text("=a\"b".into()), "=a\"b", r#""=a\"b""#),
            (Value::Text("a\n\u{1b}\u{9b}é".into()), "a\\x0a\\x1b\\xc2\\x9bé", r#""a\\x0a\\x1b\\xc2\\x9bé""#),
            (Value::Text("a\u{202e}\\b".into()), r"a\xe2\x80\xae\b", r#""a\\xe2\\x80\\xae\\b""#),
            (Value::Number(70_000), "70000", "70000"),
            (Value::Bool(true), "yes", "true"),
            (Value::Bool(false), "no", "false"),
            (Value::Ip([192, 0, 2, 1].into()), "192.0.2.1", r#""192.0.2.1""#),
            (Value::Digest(&digest), &hex, &format!("\"{hex}\"")),
            (Value::Time(time, 3), "2026-01-02T03:04:05.678Z", r#""2026-01-02T03:04:05.678Z""#),
            (Value::Time(time, 0), "2026-01-02T03:04:05Z", r#""2026-01-02T03:04:05Z""#),
            (Value::Base64(&[1, 2]), "AQI=", r#""AQI=""#),
        ] {
            assert_eq!(both(value), (text.to_string(), json.to_string()));
        }
    }

    #[test]
    fn what_a_server_said_is_bounded() {
        let Value::Text(text) = Value::joined(["é".repeat(400), "é".repeat(400)], " ") else { panic!() };
        assert_eq!(text.len(), TEXT_CELL_BYTES_MAX);
        assert!(text.ends_with("é…"));
        let Value::Text(text) = Value::joined(["x".repeat(TEXT_CELL_BYTES_MAX)], " ") else { panic!() };
        assert!(text.ends_with('x'), "what fits is not cut");
        assert_eq!(Value::joined([""; 0], " "), Value::Absent);
    }
}
