//! Rows of one of the tables, one at a time, with their cells by the place of the
//! column in the header.

use super::StoreError;
use super::lines::StoredLines;
use csv_core::{ReadRecordResult, Reader};
use std::path::Path;

/// Room for a row at first, in bytes and in cells; it grows with the rows.
const ROW_BYTES: usize = 4096;
const ROW_CELLS: usize = 128;

/// Reads a table of a run directory from its beginning.
pub struct TableRows {
    lines: StoredLines,
    header: Vec<String>,
    splitter: Splitter,
}

/// The cells of a row.
#[derive(Clone, Copy)]
pub struct RowCells<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> RowCells<'a> {
    /// The cell of this column; empty if there is no such column.
    pub fn get(self, column: usize) -> &'a str {
        let begin = column.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end);
        self.ends.get(column).and_then(|end| self.text.get(begin..*end)).unwrap_or_default()
    }
}

impl TableRows {
    /// Reads the header.
    ///
    /// # Errors
    /// [`StoreError`]: there is no such file, or it is no table.
    pub fn open(dir: &Path, file: &str) -> Result<Self, StoreError> {
        let mut lines = StoredLines::open(dir, file)?;
        let mut splitter = Splitter::default();
        let mut header = Vec::new();
        if let Some(line) = lines.read_next()? {
            if let Err(cause) = splitter.split(line.text) {
                return Err(lines.broken(cause));
            }
            header.extend((0..splitter.cells).map(|column| splitter.row().get(column).to_string()));
        }
        Ok(Self { lines, header, splitter })
    }

    /// Names of the columns; none if a run that was killed wrote not even those.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Place of a column; `None` if the table has none of that name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// Whether the last row is cut short; it is left out.
    pub fn is_cut(&self) -> bool {
        self.lines.is_cut()
    }

    /// The next row.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read, or is none under the header.
    pub fn read_next(&mut self) -> Result<Option<RowCells<'_>>, StoreError> {
        let Some(line) = self.lines.read_next()? else { return Ok(None) };
        if let Err(cause) = self.splitter.split(line.text) {
            return Err(self.lines.broken(cause));
        }
        if self.splitter.cells != self.header.len() {
            let (cells, columns) = (self.splitter.cells, self.header.len());
            return Err(self.lines.broken(format!("{cells} cells under a header of {columns}")));
        }
        Ok(Some(self.splitter.row()))
    }

    /// The error that the row read last is broken.
    pub fn broken(&self, cause: impl Into<String>) -> StoreError {
        self.lines.broken(cause)
    }
}

/// Takes a line of CSV apart.
struct Splitter {
    reader: Box<Reader>,
    text: Vec<u8>,
    ends: Vec<usize>,
    bytes: usize,
    cells: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        let (text, ends) = (vec![0; ROW_BYTES], vec![0; ROW_CELLS]);
        Self { reader: Box::new(Reader::new()), text, ends, bytes: 0, cells: 0 }
    }
}

impl Splitter {
    /// # Errors
    /// It is no row, in words.
    fn split(&mut self, line: &[u8]) -> Result<(), String> {
        self.reader.reset();
        (self.bytes, self.cells) = (0, 0);
        let mut rest = line;
        loop {
            let (text, ends) = (&mut self.text[self.bytes..], &mut self.ends[self.cells..]);
            let (result, read, written, ended) = self.reader.read_record(rest, text, ends);
            rest = rest.get(read..).unwrap_or_default();
            self.bytes += written;
            self.cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        if !rest.is_empty() {
            return Err("a line break inside a row".to_string());
        }
        let text = std::str::from_utf8(&self.text[..self.bytes]).map_err(|_| "not UTF-8".to_string())?;
        let whole = self.ends[..self.cells].iter().all(|end| text.is_char_boundary(*end));
        if whole { Ok(()) } else { Err("not UTF-8".to_string()) }
    }

    fn row(&self) -> RowCells<'_> {
        let text = std::str::from_utf8(&self.text[..self.bytes]).unwrap_or_default();
        RowCells { text, ends: &self.ends[..self.cells] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn all(table: &[u8]) -> Result<Vec<Vec<String>>, String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("t.csv"), table).unwrap();
        let told = |error: StoreError| error.to_string().rsplit_once("t.csv").unwrap().1.to_string();
        let mut rows = TableRows::open(dir.path(), "t.csv").map_err(told)?;
        let columns = rows.header().len();
        let mut all = vec![rows.header().to_vec()];
        while let Some(row) = rows.read_next().map_err(told)? {
            all.push((0..columns).map(|column| row.get(column).to_string()).collect());
        }
        Ok(all)
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let long = "x".repeat(3 * ROW_BYTES);
        let cells: Vec<String> = (0..3 * ROW_CELLS).map(|number| format!("c{number}")).collect();
        for table in [
            vec![vec!["a", "b"], vec!["", ""], vec!["=\"1,2\" ", "é"], vec!["1", &long]],
            vec![cells.iter().map(String::as_str).collect(); 3],
            vec![vec!["a"], vec!["\""]],
        ] {
            let mut writer = csv::Writer::from_writer(Vec::new());
            table.iter().for_each(|row| writer.write_record(row).unwrap());
            assert_eq!(all(&writer.into_inner().unwrap()).unwrap(), table);
        }
        assert_eq!(all(b"").unwrap(), vec![Vec::<String>::new()]);
    }

    #[test]
    fn what_is_no_row_is_told_with_its_line_and_what_is_cut_left_out() {
        assert_eq!(all(b"a,b\n1,2\n1,").unwrap(), [["a", "b"], ["1", "2"]]);
        for (table, told) in [
            (&b"a,b\n1,2\n1\n"[..], ":3: 1 cells under a header of 2"),
            (b"a,b\n1,\xff\n", ":2: not UTF-8"),
            (b"a,b\n\xc3,\xa9\n", ":2: not UTF-8"),
            (b"a,b\n1,2\r1,2\n", ":2: a line break inside a row"),
        ] {
            assert_eq!(all(table).unwrap_err(), told);
        }
    }
}
