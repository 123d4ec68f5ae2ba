//! Bytes of a stranger as text that can be shown, stored and compared.

use icu_properties::props::GeneralCategory;
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};
use std::borrow::Cow;
use std::fmt::Write;

/// Keeps what can be shown; what cannot ([`is_unprintable`]) and bytes that are
/// no UTF-8 become `\xHH`, byte by byte, and a backslash is doubled. So nobody
/// can write what looks like an escape of ours, and [`unescape`] gives the very
/// bytes again.
pub fn escape(bytes: &[u8]) -> String {
    if is_plain(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' {
                text.push(character);
            }
            push_printable(&mut text, character);
        }
        push_hex(&mut text, chunk.invalid());
    }
    text
}

/// The bytes that [`escape`] was given. A backslash that begins no escape
/// stands for itself.
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('\\') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, left) = match after {
            [b'\\', left @ ..] if *first == b'\\' => (b'\\', left),
            [b'x', high, low, left @ ..] if *first == b'\\' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, left),
                _ => (*first, after),
            },
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = left;
    }
    Cow::Owned(bytes)
}

/// Value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Text of ours, or of whoever runs us, that may quote anything: what cannot be
/// shown becomes `\xHH`, and the rest, backslashes too, stays as it is.
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) || !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    text.chars().for_each(|character| push_printable(&mut shown, character));
    Cow::Owned(shown)
}

/// The same of a text of several lines, which stay lines.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character != '\n' && is_unprintable(character)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(printable).collect::<Vec<_>>().join("\n"))
}

/// Whether a character steers whoever shows it: control characters, and the
/// general categories Cf (format, as U+202E, which turns the direction of the
/// text around), Zl and Zp (separators of lines and paragraphs) of Unicode.
pub fn is_unprintable(character: char) -> bool {
    const CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::new();
    match character {
        ' '..='~' => false,
        '\0'..='\u{9f}' => true,
        _ => matches!(
            CATEGORY.get(character),
            GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::Control
        ),
    }
}

/// Appends a character as it can be shown.
pub fn push_printable(text: &mut String, character: char) {
    if is_unprintable(character) {
        let mut buffer = [0; 4];
        push_hex(text, character.encode_utf8(&mut buffer).as_bytes());
    } else {
        text.push(character);
    }
}

/// Longest message about something that a person wrote, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1000;

/// A message as one line of bounded length, whatever it quotes.
pub fn one_line(message: &str) -> String {
    let mut line = printable(&message.lines().collect::<Vec<_>>().join(" ")).into_owned();
    cut(&mut line, MESSAGE_BYTES_MAX);
    line
}

/// Leaves `most` bytes of a text that is longer, the ellipsis that then ends it
/// included.
pub fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len())));
        text.push_str(ELLIPSIS);
    }
}

/// The line, from 1, in which a byte of a text stands.
pub fn line_of(text: &str, byte: usize) -> u64 {
    let ends = text.bytes().take(byte).filter(|byte| *byte == b'\n').count();
    ends as u64 + 1
}

/// Where the lines of a text begin, for many questions about one text.
pub struct LineStarts(Vec<usize>);

impl LineStarts {
    /// The lines of a text.
    pub fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(end, _)| end + 1).collect())
    }

    /// The line, from 1, in which a byte stands.
    pub fn line_of(&self, byte: usize) -> u64 {
        self.0.partition_point(|start| *start <= byte) as u64 + 1
    }
}

/// Stands where a text was cut.
pub const ELLIPSIS: &str = "…";

/// Whether every byte is printable ASCII and no backslash, as in nearly all
/// replies: then escaping changes nothing. Looks at all of them, which many at a
/// time is faster than to stop at the first.
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte) & (*byte != b'\\'))
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

/// A number with what it counts: `1 domain`, `2,000 domains`, `3 addresses`. `what` is
/// a noun whose plural is regular, the last of its words inflected.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {}", grouped(number), noun(number, what))
}

/// The noun as it stands beside a number: `domain` beside 1, else `domains`.
pub fn noun(number: u64, what: &str) -> Cow<'_, str> {
    if number == 1 {
        return Cow::Borrowed(what);
    }
    let is_vowel = |letter: char| "aeiou".contains(letter);
    match what.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ies").into(),
        _ if what.ends_with(['s', 'x']) => format!("{what}es").into(),
        _ => format!("{what}s").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_singular_or_plural() {
        for (number, what, expected) in [
            (1, "domain", "1 domain"),
            (0, "domain", "0 domains"),
            (2000, "rejected line", "2,000 rejected lines"),
            (1, "address", "1 address"),
            (2, "address", "2 addresses"),
            (3, "suffix", "3 suffixes"),
            (3, "query", "3 queries"),
            (3, "key", "3 keys"),
        ] {
            assert_eq!(counted(number, what), expected);
        }
    }

    #[test]
    fn what_cannot_be_shown_is_escaped() {
        for (bytes, expected) in [
            (&b"mail ready"[..], "mail ready"),
            (b"a\tb\0c\x7f", r"a\x09b\x00c\x7f"),
            ("grüß".as_bytes(), "grüß"),
            (b"gr\xfc\xdf", r"gr\xfc\xdf"),
            ("\u{85}".as_bytes(), r"\xc2\x85"),
            (b"\xf0\x9f", r"\xf0\x9f"),
            (
                "a\u{202e}b\u{2028}\u{2029}\u{feff}".as_bytes(),
                r"a\xe2\x80\xaeb\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf",
            ),
            ("\u{ad}\u{e0041}\u{a0}\u{3000}".as_bytes(), "\\xc2\\xad\\xf3\\xa0\\x81\\x81\u{a0}\u{3000}"),
            (br"a\x1b[0m", r"a\\x1b[0m"),
            (b"", ""),
        ] {
            assert_eq!(escape(bytes), expected);
            assert_eq!(*unescape(expected), *bytes);
        }
    }

    #[test]
    fn every_character_that_steers_is_escaped() {
        // By the table of Unicode 16 (DerivedGeneralCategory.txt: Cc, Cf, Zl, Zp).
        let steering: &[(u32, u32)] = &[
            (0x00, 0x1f),
            (0x7f, 0x9f),
            (0xad, 0xad),
            (0x600, 0x605),
            (0x61c, 0x61c),
            (0x6dd, 0x6dd),
            (0x70f, 0x70f),
            (0x890, 0x891),
            (0x8e2, 0x8e2),
            (0x180e, 0x180e),
            (0x200b, 0x200f),
            (0x2028, 0x202e),
            (0x2060, 0x2064),
            (0x2066, 0x206f),
            (0xfeff, 0xfeff),
            (0xfff9, 0xfffb),
            (0x110bd, 0x110bd),
            (0x110cd, 0x110cd),
            (0x13430, 0x1343f),
            (0x1bca0, 0x1bca3),
            (0x1d173, 0x1d17a),
            (0xe0001, 0xe0001),
            (0xe0020, 0xe007f),
        ];
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let code = u32::from(character);
            let expected = steering.iter().any(|(from, to)| (*from..=*to).contains(&code));
            assert_eq!(is_unprintable(character), expected, "U+{code:04X}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_escape_can_be_undone(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let text = escape(&bytes);
            proptest::prop_assert_eq!(&*unescape(&text), &bytes[..]);
            proptest::prop_assert!(!text.chars().any(is_unprintable));
            proptest::prop_assert_eq!(&*printable(&text), &text);
        }
    }

    #[test]
    fn what_is_ours_keeps_its_backslashes() {
        assert_eq!(printable(r"C:\a b"), r"C:\a b");
        assert_eq!(printable("a\u{202e}\\b"), r"a\xe2\x80\xae\b");
        assert_eq!(*unescape(r"\y\x1\x1g\"), *br"\y\x1\x1g\");
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
