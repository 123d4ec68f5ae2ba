//! Rows of one of the tables, one at a time, with their cells by the place of the
//! column in the header.

use super::StoreError;
use super::cell_checks::{CellChecks, WrittenBy};
use super::lines::StoredLines;
use crate::model::text::one_line;
use crate::run_dir::tables::RunColumn;
use csv_core::{ReadRecordResult, Reader};
use std::path::{Path, PathBuf};

/// Room for a row at first, in bytes and in cells; it grows with the rows.
const ROW_BYTES: usize = 4096;
const ROW_CELLS: usize = 128;

/// Reads a table of a run directory from its beginning.
pub struct TableRows {
    lines: StoredLines,
    header: Vec<String>,
    splitter: Splitter,
    checks: CellChecks,
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
        let is_twice = |(place, name): &(usize, &String)| header.iter().take(*place).any(|it| it == *name);
        if let Some((_, name)) = header.iter().enumerate().find(is_twice) {
            return Err(lines.wrong_header(format!("the column {} is there twice", one_line(name))));
        }
        Ok(Self { lines, header, splitter, checks: CellChecks::default() })
    }

    /// A table that the run rightly does not have: no row, and no header.
    pub(super) fn none(path: PathBuf) -> Self {
        let lines = StoredLines::none(path);
        Self { lines, header: Vec::new(), splitter: Splitter::default(), checks: CellChecks::default() }
    }

    /// As [`TableRows::open`], for rows whose cells in `columns` must be what these hold.
    ///
    /// # Errors
    /// [`StoreError`]: as [`TableRows::open`]; or a column is not there that was written.
    pub fn open_checked(
        dir: &Path,
        file: &str,
        columns: &[RunColumn],
        by: WrittenBy,
    ) -> Result<Self, StoreError> {
        let mut table = Self::open(dir, file)?;
        // A run that was killed may have no header.
        if !table.header.is_empty() {
            let checks = CellChecks::of(&table.header, columns, by);
            table.checks = checks.map_err(|cause| table.lines.wrong_header(cause))?;
        }
        Ok(table)
    }

    /// Names of the columns; none if a run that was killed wrote not even those.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Place of a column; `None` if the table has none of that name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The next row.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read, is none under the header, or has a cell that is not
    /// what its column holds.
    pub fn read_next(&mut self) -> Result<Option<RowCells<'_>>, StoreError> {
        let Some(line) = self.lines.read_next()? else { return Ok(None) };
        if let Err(cause) = self.splitter.split(line.text) {
            return Err(self.lines.broken(cause));
        }
        if self.splitter.cells != self.header.len() {
            let (cells, columns) = (self.splitter.cells, self.header.len());
            return Err(self.lines.broken(format!("{cells} cells under a header of {columns}")));
        }
        let row = self.splitter.row();
        match self.checks.check(|place| row.get(place)) {
            Ok(()) => Ok(Some(row)),
            Err(cause) => Err(self.lines.broken(cause)),
        }
    }

    /// The error that a column is not there.
    pub(super) fn lacks(&self, column: &str) -> StoreError {
        self.lines.wrong_header(format!("it has no column {column}"))
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
    use crate::run_dir::RunTable;
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

    /// The rows of a table of domains, or what is wrong with it.
    fn read(text: &str, columns: &[&str], by: WrittenBy) -> Result<usize, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("domains.csv"), text).unwrap();
        let table = RunTable::of_file("domains.csv").unwrap();
        let columns: Vec<RunColumn> = columns.iter().map(|name| table.column(name).unwrap()).collect();
        let told = |error: StoreError| error.to_string().rsplit_once("domains.csv:").unwrap().1.to_string();
        let mut rows = TableRows::open_checked(dir.path(), "domains.csv", &columns, by).map_err(told)?;
        let mut count = 0;
        while rows.read_next().map_err(told)?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn cells_are_held_to_their_columns() {
        const COLUMNS: &[&str] = &["delivery", "steps_down", "starttls_offered", "encryption_only"];
        let header = "delivery,steps_down,starttls_offered,encryption_only,mine\n";
        for (row, told) in [
            ("encrypted,0,yes,pass,=1\ndeferred,,,pass,\n", Ok(2)),
            ("encrypted,,,pass,\n,,,pass,\n", Err("3: delivery is empty")),
            ("encrypted,,,,\n", Err("2: encryption_only is empty")),
            (
                "encrypted plaintext,,,,\n",
                Err("2: delivery is `encrypted plaintext`, which is no value of that column"),
            ),
            ("undetermined,12,no,fail:starttls_not_offered,\n", Ok(1)),
            (
                "encrypted,,,pass,\nencrpyted,,,pass,\n",
                Err("3: delivery is `encrpyted`, which is no value of that column"),
            ),
            ("encrypted,-1,,pass,\n", Err("2: steps_down is no number")),
            ("encrypted,,true,pass,\n", Err("2: starttls_offered is neither yes nor no")),
            ("encrypted,,,fail,\n", Err("2: encryption_only is `fail`, which is no value of that column")),
            (
                "encrypted,,,pass:expired,\n",
                Err("2: encryption_only is `pass:expired`, which is no value of that column"),
            ),
        ] {
            let text = header.to_string() + row;
            let expected = told.map_err(str::to_string);
            assert_eq!(read(&text, COLUMNS, WrittenBy::ThisVersion), expected, "{row}");
            assert_eq!(read(&text, COLUMNS, WrittenBy::ThisSchema), expected, "{row}");
            // Its words may have been others.
            assert!(read(&text, COLUMNS, WrittenBy::OlderSchema).is_ok());
        }
    }

    #[test]
    fn columns_are_there_and_once() {
        let gone = "1: it has no column reason, which it was written with; mxray judge makes the table anew";
        let asked: &[&str] = &["delivery", "reason"];
        let text = "line,delivery\n1,encrypted\n";
        assert_eq!(read(text, asked, WrittenBy::ThisVersion), Err(gone.to_string()));
        assert_eq!(read(text, asked, WrittenBy::ThisSchema), Ok(1));
        assert_eq!(read(text, &["delivery"], WrittenBy::ThisVersion), Ok(1), "nobody asks for it");
        // A run that was killed may have no header.
        assert_eq!(read("", asked, WrittenBy::ThisVersion), Ok(0));
        for by in [WrittenBy::ThisVersion, WrittenBy::OlderSchema] {
            let twice = read("delivery,line,delivery\nencrypted,1,plaintext\n", &["line"], by);
            assert_eq!(twice, Err("1: the column delivery is there twice".to_string()));
        }
    }
}
