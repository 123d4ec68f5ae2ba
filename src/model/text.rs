//! Bytes of a stranger as text that can be shown, stored and compared.

use std::fmt::Write;

/// Keeps printable ASCII and valid UTF-8; control characters and bytes that
/// are no UTF-8 become `\xHH`, byte by byte.
pub fn escape(bytes: &[u8]) -> String {
    if is_plain(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                let mut buffer = [0; 4];
                push_hex(&mut text, character.encode_utf8(&mut buffer).as_bytes());
            } else {
                text.push(character);
            }
        }
        push_hex(&mut text, chunk.invalid());
    }
    text
}

/// Longest message about something that a person wrote, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 500;

/// A message as one line of bounded length, whatever it quotes.
pub fn one_line(message: &str) -> String {
    let mut line = escape(message.lines().collect::<Vec<_>>().join(" ").as_bytes());
    if line.len() > MESSAGE_BYTES_MAX {
        line.truncate(line.floor_char_boundary(MESSAGE_BYTES_MAX - ELLIPSIS.len()));
        line.push_str(ELLIPSIS);
    }
    line
}

/// The line, from 1, in which a byte of a text stands.
pub fn line_of(text: &str, byte: usize) -> u64 {
    let ends = text.bytes().take(byte).filter(|byte| *byte == b'\n').count();
    ends as u64 + 1
}

/// Stands where a message was cut.
const ELLIPSIS: &str = "…";

/// Whether every byte is printable ASCII, as in nearly all replies.
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
}

/// Thousands set apart by commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_escaped() {
        for (bytes, expected) in [
            (&b"mail ready"[..], "mail ready"),
            (b"a\tb\0c\x7f", r"a\x09b\x00c\x7f"),
            ("grüß".as_bytes(), "grüß"),
            (b"gr\xfc\xdf", r"gr\xfc\xdf"),
            ("\u{85}".as_bytes(), r"\xc2\x85"),
            (b"\xf0\x9f", r"\xf0\x9f"),
            (b"", ""),
        ] {
            assert_eq!(escape(bytes), expected);
        }
    }

    #[test]
    fn a_message_is_one_short_line_whatever_it_quotes() {
        assert_eq!(one_line("no key `a`\nin here\r\n"), "no key `a` in here");
        assert_eq!(one_line("`a\u{1b}[31m\rb`"), r"`a\x1b[31m\x0db`");
        let whole = "ü".repeat(MESSAGE_BYTES_MAX / 2);
        assert_eq!(one_line(&whole), whole);
        let cut = one_line(&format!("{whole}ü"));
        assert!(cut.len() <= MESSAGE_BYTES_MAX && cut.ends_with("ü…"), "{cut}");
    }
}
