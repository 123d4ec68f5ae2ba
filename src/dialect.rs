//! How a table was written: encoding, separator, and the lines that programs
//! put before the header. Lists and exports of connectors come from the same
//! spreadsheets and shells, and are read by the same rules.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes of a file that [`encoding`] has to see.
pub const ENCODING_BYTES: usize = 3;

/// Separators that are looked for, the likeliest last: the comma; what Excel
/// and `Export-Csv -UseCulture` put in its place where the comma stands in
/// numbers; and the tab.
const SEPARATORS: [u8; 3] = [b'\t', b';', b','];

/// The separator where nothing says otherwise (RFC 4180).
pub const COMMA: u8 = b',';

/// The encoding of a text by its first bytes, and how many of them are a byte
/// order mark. Without a mark it is UTF-16 where every other of the first two
/// bytes is zero, which no text in UTF-8 begins with, and else UTF-8.
pub fn encoding(start: &[u8]) -> (&'static Encoding, usize) {
    match (Encoding::for_bom(start), start) {
        (Some(marked), _) => marked,
        (None, [1..=255, 0, ..]) => (UTF_16LE, 0),
        (None, [0, 1..=255, ..]) => (UTF_16BE, 0),
        (None, _) => (UTF_8, 0),
    }
}

/// The separator that a line says to be in use, as Excel writes and reads it
/// before the header: `sep=;`.
pub fn said_separator(line: &str) -> Option<u8> {
    let line = line.trim_end_matches(['\r', '\n']);
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    match line.as_bytes() {
        [s, e, p, b'=', separator] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => {
            let separates = separator.is_ascii_punctuation() || *separator == b'\t';
            (separates && *separator != b'"').then_some(*separator)
        }
        _ => None,
    }
}

/// The separator of a table by its first line: the commonest outside quotes.
pub fn separator(line: &str) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        if let Some(place) = SEPARATORS.iter().position(|separator| *separator == byte && !quoted) {
            counts[place] += 1;
        }
    }
    // The last of equals: the comma.
    let most = counts.into_iter().zip(SEPARATORS).max_by_key(|(count, _)| *count);
    most.map_or(COMMA, |(_, separator)| separator)
}

/// Whether a line names the type of the objects below it, as Windows
/// PowerShell's `Export-Csv` writes it first.
pub fn is_type_line(line: &str) -> bool {
    line.starts_with("#TYPE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_told_by_the_first_bytes() {
        for (start, expected) in [
            (&b"a.example"[..], (UTF_8, 0)),
            (b"", (UTF_8, 0)),
            (b"a", (UTF_8, 0)),
            (b"\0\0", (UTF_8, 0)),
            (b"\xef\xbb\xbfa", (UTF_8, 3)),
            (b"\xff\xfea\0", (UTF_16LE, 2)),
            (b"\xfe\xff\0a", (UTF_16BE, 2)),
            (b"a\0.", (UTF_16LE, 0)),
            (b"\0a\0", (UTF_16BE, 0)),
        ] {
            assert_eq!(encoding(start), expected, "{start:?}");
        }
    }

    #[test]
    fn a_separator_is_said_or_the_commonest() {
        for (line, said) in [
            ("sep=;", Some(b';')),
            ("SEP=,\r\n", Some(b',')),
            ("\"sep=\t\"", Some(b'\t')),
            ("sep=", None),
            ("sep=a", None),
            ("sep=;;", None),
            ("sep=\"", None),
            ("separator", None),
        ] {
            assert_eq!(said_separator(line), said, "{line:?}");
        }
        for (line, expected) in [
            ("", b','),
            ("domain", b','),
            ("a,b;c", b','),
            ("a;b;c,d", b';'),
            ("a\tb", b'\t'),
            ("\"a;b;c\",d", b','),
            ("\"a\"\"b,c\"\td", b'\t'),
        ] {
            assert_eq!(separator(line), expected, "{line:?}");
        }
        assert!(is_type_line("#TYPE Selected.System.Object") && !is_type_line("# TYPE"));
    }
}
