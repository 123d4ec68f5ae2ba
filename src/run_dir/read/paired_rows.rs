//! The rows of `domains.csv` of two runs, each domain of one beside that of the
//! other. Rows stand in the order in which their domains were done, so both are
//! sorted first, in files where memory does not hold them.

use super::StoreError;
use super::table_rows::TableRows;
use super::{StoredRun, WrittenBy};
use crate::run_dir::external_sort::{ExternalSort, Sorted, SortedRecord};
use crate::run_dir::tables::{RunColumn, RunTable};
use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "domains.csv";

/// Bytes of the number behind the domain in a key.
const LINE_BYTES: usize = 8;

/// Bytes in which the end of a cell is kept.
const END_BYTES: usize = 4;

/// What is between the domain and the line in a key: less than any byte of a domain.
const KEY_SEPARATOR: u8 = 0;

/// The cells of a row that were asked for.
#[derive(Clone, Debug, Default)]
pub struct DomainRow {
    domain: String,
    line: u64,
    cells: String,
    ends: Vec<u32>,
}

impl DomainRow {
    /// The domain, or the label of what was listed instead.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Its line in the list.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The cells in the order in which their columns were asked for.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let place = |place: u32| place as usize;
        begins
            .zip(&self.ends)
            .map(move |(begin, end)| self.cells.get(place(begin)..place(*end)).unwrap_or_default())
    }
}

/// Sorts what is read of one run.
struct Sorting {
    sort: ExternalSort,
    folder: PathBuf,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Sorting {
    fn new(folder: &Path) -> Self {
        let folder = folder.to_path_buf();
        Self { sort: ExternalSort::new(&folder), folder, key: Vec::new(), value: Vec::new() }
    }

    fn push<'a>(
        &mut self,
        domain: &str,
        line: u64,
        cells: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), StoreError> {
        self.key.clear();
        self.key.extend_from_slice(domain.as_bytes());
        self.key.push(KEY_SEPARATOR);
        self.key.extend_from_slice(&line.to_be_bytes());
        self.value.clear();
        let mut end = 0_u32;
        for cell in cells.clone() {
            end = end.saturating_add(u32::try_from(cell.len()).unwrap_or(u32::MAX));
            self.value.extend_from_slice(&end.to_le_bytes());
        }
        cells.for_each(|cell| self.value.extend_from_slice(cell.as_bytes()));
        self.sort.push(&self.key, &self.value).map_err(|source| unsorted(&self.folder, source))
    }
}

fn unsorted(folder: &Path, source: io::Error) -> StoreError {
    StoreError::Unsorted { folder: folder.to_path_buf(), source }
}

/// Sorted rows of one run, and which of its domain the next is.
struct SortedRows {
    sorted: Sorted,
    folder: PathBuf,
    columns: usize,
    rows: u64,
    /// Those of them that are about a host of the list, not a domain.
    endpoints: u64,
    next: Option<DomainRow>,
    /// Rows of the domain of `next` before it.
    before: u64,
}

impl SortedRows {
    /// Reads and sorts all rows.
    fn open((dir, by): (&Path, WrittenBy), columns: &[&str], folder: &Path) -> Result<Self, StoreError> {
        let mut table = TableRows::open_checked(dir, FILE, &checked(columns), by)?;
        let mut sorting = Sorting::new(folder);
        let (mut rows, mut endpoints) = (0, 0);
        let needed = |name: &str| table.column(name).ok_or_else(|| table.lacks(name));
        // A run that was killed may have no header.
        if !table.header().is_empty() {
            let (domain, line) = (needed("domain")?, needed("line")?);
            let places: Vec<Option<usize>> = columns.iter().map(|name| table.column(name)).collect();
            let tld = table.column("tld");
            while let Some(row) = table.read_next()? {
                let Ok(line) = row.get(line).parse() else {
                    return Err(table.broken("its line is no number"));
                };
                let cells = places.iter().map(|place| place.map_or("", |place| row.get(place)));
                sorting.push(row.get(domain), line, cells)?;
                rows += 1;
                // A host that the list names has none.
                endpoints += u64::from(tld.is_some_and(|place| row.get(place).is_empty()));
            }
        }
        let sorted = sorting.sort.finish().map_err(|source| unsorted(folder, source))?;
        let folder = folder.to_path_buf();
        let mut sorted =
            Self { sorted, folder, columns: columns.len(), rows, endpoints, next: None, before: 0 };
        sorted.advance()?;
        Ok(sorted)
    }

    fn advance(&mut self) -> Result<Option<DomainRow>, StoreError> {
        let read = self.sorted.read_next();
        let read = read.and_then(|record| record.map(|record| decode(record, self.columns)).transpose());
        let read = read.map_err(|source| unsorted(&self.folder, source))?;
        let last = std::mem::replace(&mut self.next, read);
        let is_same = matches!((&last, &self.next), (Some(last), Some(next)) if last.domain == next.domain);
        self.before = if is_same { self.before + 1 } else { 0 };
        Ok(last)
    }
}

/// The columns of `domains.csv` by these names, and what is read of each row beside.
fn checked(names: &[&str]) -> Vec<RunColumn> {
    let is_read = |name: &str| names.contains(&name) || ["line", "domain", "tld"].contains(&name);
    let columns = RunTable::of_file(FILE).map(|table| table.columns).unwrap_or_default();
    columns.into_iter().filter(|column| is_read(column.name)).collect()
}

/// A row as it was pushed.
fn decode(record: SortedRecord, columns: usize) -> io::Result<DomainRow> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged");
    let SortedRecord { mut key, mut value } = record;
    let line = key.len().checked_sub(LINE_BYTES).ok_or_else(damaged)?;
    let number = key.split_off(line);
    let number = <[u8; LINE_BYTES]>::try_from(number).map_err(|_| damaged())?;
    key.pop();
    if value.len() < columns * END_BYTES {
        return Err(damaged());
    }
    let cells = value.split_off(columns * END_BYTES);
    let (ends, _) = value.as_chunks::<END_BYTES>();
    Ok(DomainRow {
        domain: String::from_utf8(key).map_err(|_| damaged())?,
        line: u64::from_be_bytes(number),
        cells: String::from_utf8(cells).map_err(|_| damaged())?,
        ends: ends.iter().map(|end| u32::from_le_bytes(*end)).collect(),
    })
}

/// How the rows of a domain that a list has several times are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairedBy {
    /// By their lines: both runs are of one list.
    Line,
    /// The first of one run goes with the first of the other, and so on.
    Order,
}

/// The rows of a domain; one is missing where that run has none.
#[derive(Clone, Debug, Default)]
pub struct RowPair {
    /// In the first run.
    pub before: Option<DomainRow>,
    /// In the second.
    pub after: Option<DomainRow>,
}

/// Rows of two runs, in the order of their domains.
pub struct PairedRows {
    before: SortedRows,
    after: SortedRows,
    by: PairedBy,
}

impl PairedRows {
    /// Reads and sorts `domains.csv` of both runs. Files without a name in
    /// `folder` take what memory does not hold. A column that a run is too old for is
    /// empty.
    ///
    /// # Errors
    /// [`StoreError`]: a table cannot be read, or not sorted.
    pub fn open(
        runs: [&StoredRun; 2],
        columns: &[&str],
        by: PairedBy,
        folder: &Path,
    ) -> Result<Self, StoreError> {
        Self::of_tables(runs.map(|run| (run.dir(), run.written_by())), columns, by, folder)
    }

    fn of_tables(
        [before, after]: [(&Path, WrittenBy); 2],
        columns: &[&str],
        by: PairedBy,
        folder: &Path,
    ) -> Result<Self, StoreError> {
        let before = SortedRows::open(before, columns, folder)?;
        let after = SortedRows::open(after, columns, folder)?;
        Ok(Self { before, after, by })
    }

    /// Rows of each.
    pub fn rows(&self) -> [u64; 2] {
        [self.before.rows, self.after.rows]
    }

    /// Of each, the rows of hosts that the list names, which are no domains.
    pub fn endpoints(&self) -> [u64; 2] {
        [self.before.endpoints, self.after.endpoints]
    }

    /// The next pair.
    ///
    /// # Errors
    /// [`StoreError`]: a temporary file cannot be read.
    pub fn read_next(&mut self) -> Result<Option<RowPair>, StoreError> {
        let order = match (&self.before.next, &self.after.next) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => {
                let by_number = match self.by {
                    PairedBy::Line => before.line.cmp(&after.line),
                    PairedBy::Order => self.before.before.cmp(&self.after.before),
                };
                before.domain.cmp(&after.domain).then(by_number)
            }
        };
        let mut pair = RowPair::default();
        if order.is_le() {
            pair.before = self.before.advance()?;
        }
        if order.is_ge() {
            pair.after = self.after.advance()?;
        }
        Ok(Some(pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const HEADER: &str = "line,domain,delivery,reason\n";

    fn pairs(before: &str, after: &str, by: PairedBy) -> Result<Vec<String>, StoreError> {
        let dirs = [before, after].map(|rows| {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FILE), HEADER.to_string() + rows).unwrap();
            dir
        });
        let tables = [&dirs[0], &dirs[1]].map(|dir| (dir.path(), WrittenBy::OlderSchema));
        let columns = &["reason", "unheard_of", "delivery"];
        let mut rows = PairedRows::of_tables(tables, columns, by, dirs[0].path())?;
        let mut all = Vec::new();
        let told = |row: Option<DomainRow>| {
            row.map_or("-".to_string(), |row| {
                let cells: Vec<&str> = row.cells().collect();
                format!("{}:{}:{}", row.domain(), row.line(), cells.join("/"))
            })
        };
        while let Some(pair) = rows.read_next()? {
            all.push(format!("{} {}", told(pair.before), told(pair.after)));
        }
        Ok(all)
    }

    #[test]
    fn rows_meet_by_domain_and_those_of_one_domain_by_line_or_in_their_order() {
        let before = "9,b.example,plaintext,x\n1,a.example,encrypted,\n5,b.example,encrypted,\n";
        let after = "7,c.example,encrypted,\n9,b.example,encrypted,\n10,b.example,deferred,y\n";
        let a = "a.example:1://encrypted -";
        let c = "- c.example:7://encrypted";
        let by_line = [
            a,
            "b.example:5://encrypted -",
            "b.example:9:x//plaintext b.example:9://encrypted",
            "- b.example:10:y//deferred",
            c,
        ];
        assert_eq!(pairs(before, after, PairedBy::Line).unwrap(), by_line);
        let by_order = [
            a,
            "b.example:5://encrypted b.example:9://encrypted",
            "b.example:9:x//plaintext b.example:10:y//deferred",
            c,
        ];
        assert_eq!(pairs(before, after, PairedBy::Order).unwrap(), by_order);
        assert!(pairs("", "", PairedBy::Line).unwrap().is_empty());
    }

    #[test]
    fn a_name_that_begins_like_another_is_another() {
        let before = "1,a.example,encrypted,\n2,a.example.net,encrypted,\n";
        let after = "3,a.example.net,encrypted,\n";
        assert_eq!(
            pairs(before, after, PairedBy::Order).unwrap(),
            ["a.example:1://encrypted -", "a.example.net:2://encrypted a.example.net:3://encrypted"]
        );
    }

    #[test]
    fn damage_is_told() {
        let error = pairs("x,a.example,encrypted,\n", "", PairedBy::Order).unwrap_err().to_string();
        assert!(error.ends_with("domains.csv:2: its line is no number"), "{error}");
    }
}
