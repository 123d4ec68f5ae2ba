//! What the CSV reader does not tell: quotes that are out of place, and in
//! which line a record begins.
//!
//! It takes every text for CSV (RFC 4180). One quote too many or too few would
//! make the connectors that follow part of a cell.

/// Where in a text, and in which line that is.
#[derive(Clone, Copy)]
pub(super) struct CsvLines<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl<'a> CsvLines<'a> {
    /// `text` begins in line `line`.
    pub(super) fn new(text: &'a str, line: u64) -> Self {
        Self { text: text.as_bytes(), byte: 0, line }
    }

    /// The line of a byte. Bytes must not decrease from call to call.
    fn of_byte(&mut self, byte: usize) -> u64 {
        while self.byte < byte.min(self.text.len()) {
            let ends = self.line_end_bytes();
            self.line += u64::from(ends > 0);
            self.byte += ends.max(1);
        }
        self.line
    }

    /// The line in which the record begins that the reader has at `byte`,
    /// where it leaves ends of lines before it. Bytes must not decrease.
    pub(super) fn of_record(&mut self, byte: u64) -> u64 {
        self.of_byte(usize::try_from(byte).unwrap_or(usize::MAX));
        while self.line_end_bytes() > 0 {
            self.of_byte(self.byte + 1);
        }
        self.line
    }

    /// Length of the end of a line that stands here, 0 if none does.
    fn line_end_bytes(&self) -> usize {
        match self.text.get(self.byte..).unwrap_or_default() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        }
    }
}

/// Where a cell is when the next byte comes.
#[derive(Clone, Copy)]
enum CellState {
    /// Before its first byte.
    Begin,
    /// In a cell without quotes, where a quote is a byte like any other.
    Bare,
    /// In a cell with quotes that begins in this line.
    Quoted(u64),
    /// After a quote in it, which ends it unless another quote follows.
    Quote(u64),
    /// After its end, where blanks may stand.
    Ended(u64),
}

/// Whether every cell that begins with a quote ends with one.
///
/// # Errors
/// The line of the first that does not, and what is wrong with it.
pub(super) fn check_quotes(text: &str, delimiter: u8, line: u64) -> Result<(), (u64, &'static str)> {
    let mut lines = CsvLines::new(text, line);
    let mut state = CellState::Begin;
    for (at, byte) in text.bytes().enumerate() {
        let ends = byte == delimiter || byte == b'\n' || byte == b'\r';
        state = match state {
            CellState::Begin if byte == b'"' => CellState::Quoted(lines.of_byte(at)),
            CellState::Quoted(begin) if byte == b'"' => CellState::Quote(begin),
            CellState::Quoted(begin) => CellState::Quoted(begin),
            CellState::Quote(begin) if byte == b'"' => CellState::Quoted(begin),
            _ if ends => CellState::Begin,
            CellState::Begin | CellState::Bare => CellState::Bare,
            CellState::Quote(begin) | CellState::Ended(begin) if byte == b' ' => CellState::Ended(begin),
            CellState::Quote(begin) | CellState::Ended(begin) => {
                return Err((begin, "a cell begins with a quote and goes on after the quote that ends it"));
            }
        };
    }
    match state {
        CellState::Quoted(begin) => Err((begin, "a cell begins with a quote that never ends")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_in_the_line_in_which_it_begins() {
        for text in ["a\nb\n\nc,\"d\ne\"\nf", "a\r\nb\r\n\r\nc,\"d\r\ne\"\r\nf\r\n", "a\rb\r\rc,\"d\re\"\rf"]
        {
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let mut lines = CsvLines::new(text, 2);
            let found =
                reader.records().map(|record| lines.of_record(record.unwrap().position().unwrap().byte()));
            assert_eq!(found.collect::<Vec<_>>(), [2, 3, 5, 7], "{text:?}");
        }
    }

    #[test]
    fn a_quote_out_of_place_is_found_where_its_cell_begins() {
        let (never, on) = ("never ends", "goes on");
        for (text, expected) in [
            ("", None),
            ("a,b\r\n\"c\",\"d \"\"e\"\"\r\nf\" \r\n", None),
            ("5\" disk,a\"b\"\nc", None),
            ("\"\"\n\"\"\"\"\n\"a\"", None),
            ("a\nb,\"c\n\n", Some((2, never))),
            ("a\r\nb,\"c\r\nd,\"\"\r\n", Some((2, never))),
            ("a\nb,\"c\n\"d\",e\n", Some((2, on))),
            ("\"a\" \"b\"", Some((1, on))),
            ("\"a\"b", Some((1, on))),
        ] {
            match (check_quotes(text, b',', 1), expected) {
                (Ok(()), None) => {}
                (Err((line, what)), Some((expected, part))) if line == expected && what.contains(part) => {}
                (found, _) => panic!("{text:?}: {found:?}"),
            }
        }
    }
}
