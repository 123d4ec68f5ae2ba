//! Physical lines of bounded length, whatever the system that wrote them.

use super::source::ListReader;
use std::io;

/// Longest line in bytes, without its end; the rest of a longer one is skipped
/// unread.
pub const INPUT_LINE_BYTES_MAX: usize = 4096;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One physical line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ListLine<'a> {
    Whole(&'a [u8]),
    /// The first [`INPUT_LINE_BYTES_MAX`] bytes of a longer one.
    Cut(&'a [u8]),
}

/// Reads lines that end in LF, CRLF or CR alone ("universal newlines").
pub(super) struct ListLines {
    source: ListReader,
    buffer: Vec<u8>,
    number: u64,
    after_cr: bool,
}

impl ListLines {
    pub(super) fn new(source: ListReader) -> Self {
        Self { source, buffer: Vec::new(), number: 0, after_cr: false }
    }

    /// Number of the line read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or `None` at the end. A line that an error cuts short is
    /// not handed out: the start of a domain may be another domain.
    pub(super) fn read(&mut self) -> io::Result<Option<ListLine<'_>>> {
        self.buffer.clear();
        let mut overlong = false;
        let mut begun = false;
        loop {
            let chunk = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                break;
            }
            if std::mem::take(&mut self.after_cr) && chunk.starts_with(b"\n") {
                self.source.consume(1);
                continue;
            }
            begun = true;
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let text = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let room = INPUT_LINE_BYTES_MAX - self.buffer.len();
            overlong |= text.len() > room;
            self.buffer.extend_from_slice(text.get(..room).unwrap_or(text));
            self.after_cr = end.is_some_and(|end| chunk.get(end) == Some(&b'\r'));
            let used = text.len() + usize::from(end.is_some());
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !begun {
            return Ok(None);
        }
        self.number += 1;
        let start = if self.number == 1 { BYTE_ORDER_MARK } else { b"" };
        let text = self.buffer.strip_prefix(start).unwrap_or(&self.buffer);
        Ok(Some(if overlong { ListLine::Cut(text) } else { ListLine::Whole(text) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Cursor};

    fn lines(bytes: &[u8], chunk: usize) -> Vec<Vec<u8>> {
        let source = BufReader::with_capacity(chunk, Cursor::new(bytes.to_vec()));
        let mut lines = ListLines::new(Box::new(source));
        let mut all = Vec::new();
        while let Some(line) = lines.read().unwrap() {
            all.push(match line {
                ListLine::Whole(text) => text.to_vec(),
                ListLine::Cut(text) => [b"!", text].concat(),
            });
        }
        assert_eq!(lines.number(), all.len() as u64);
        all
    }

    #[test]
    fn every_line_end_is_known_in_any_chunking() {
        for (text, expected) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("a\n", vec!["a"]),
            ("a\r\nb\r\n", vec!["a", "b"]),
            ("a\rb\r", vec!["a", "b"]),
            ("a\n\nb", vec!["a", "", "b"]),
            ("a\r\n\r\nb", vec!["a", "", "b"]),
            ("\u{feff}a\n\u{feff}b", vec!["a", "\u{feff}b"]),
        ] {
            for chunk in 1..8 {
                let expected: Vec<Vec<u8>> = expected.iter().map(|line| line.as_bytes().to_vec()).collect();
                assert_eq!(lines(text.as_bytes(), chunk), expected, "{text:?} by {chunk}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_next_line_is_whole() {
        for (length, mark) in [(INPUT_LINE_BYTES_MAX, ""), (INPUT_LINE_BYTES_MAX + 1, "!")] {
            let text = format!("{}\nb", "a".repeat(length));
            let first = format!("{mark}{}", "a".repeat(INPUT_LINE_BYTES_MAX));
            assert_eq!(lines(text.as_bytes(), 100), [first.as_bytes(), b"b"]);
        }
    }
}
