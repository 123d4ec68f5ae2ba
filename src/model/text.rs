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
}
