//! Records sorted by a key, more of them than memory holds: chunks of a bounded
//! size are sorted, written to files that have no name, and merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Bytes of records, and of where they stand, that are held before they are sorted and
/// written.
pub(super) const CHUNK_BYTES: usize = 32 << 20;

/// Files that are merged at once. When there are so many, they are made one.
const FILES_MAX: usize = 64;

/// Bytes read or written at once of each file.
const FILE_BUFFER_BYTES: usize = 256 * 1024;

/// Bytes before each record in a file: the length of the key and that of the value.
const LENGTHS_BYTES: usize = 8;

/// A record that came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortedRecord {
    /// What it was sorted by, byte by byte.
    pub(super) key: Vec<u8>,
    /// What goes with it.
    pub(super) value: Vec<u8>,
}

/// Takes records in any order.
pub(super) struct ExternalSort {
    chunk_bytes: usize,
    folder: PathBuf,
    chunk: Chunk,
    files: Vec<File>,
}

/// Records in memory.
#[derive(Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    places: Vec<RecordPlace>,
}

/// Where a record stands in a chunk.
#[derive(Clone, Copy)]
struct RecordPlace {
    begin: usize,
    key_bytes: u32,
    value_bytes: u32,
}

impl Chunk {
    fn len(&self) -> usize {
        self.bytes.len() + self.places.len() * size_of::<RecordPlace>()
    }

    fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let place =
            RecordPlace { begin: self.bytes.len(), key_bytes: length(key)?, value_bytes: length(value)? };
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.places.push(place);
        Ok(())
    }

    fn key(&self, place: RecordPlace) -> &[u8] {
        let end = place.begin + place.key_bytes as usize;
        self.bytes.get(place.begin..end).unwrap_or_default()
    }

    fn value(&self, place: RecordPlace) -> &[u8] {
        let begin = place.begin + place.key_bytes as usize;
        self.bytes.get(begin..begin + place.value_bytes as usize).unwrap_or_default()
    }

    fn sort(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        // Records of one key keep their order.
        places.sort_by(|one, other| self.key(*one).cmp(self.key(*other)));
        self.places = places;
    }
}

fn length(part: &[u8]) -> io::Result<u32> {
    u32::try_from(part.len()).map_err(|_| io::Error::other("a record of 4 GiB or more"))
}

impl ExternalSort {
    /// Writes to files in `folder`, which are gone when they are closed, once it holds
    /// [`CHUNK_BYTES`].
    pub(super) fn new(folder: &Path) -> Self {
        Self::with_chunks(folder, CHUNK_BYTES)
    }

    fn with_chunks(folder: &Path, chunk_bytes: usize) -> Self {
        Self { chunk_bytes, folder: folder.to_path_buf(), chunk: Chunk::default(), files: Vec::new() }
    }

    /// Takes a record.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.chunk.push(key, value)?;
        if self.chunk.len() >= self.chunk_bytes {
            self.spill()?;
        }
        Ok(())
    }

    /// All of them in their order.
    ///
    /// # Errors
    /// A file cannot be written or read.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        if self.files.is_empty() {
            self.chunk.sort();
            return Ok(Sorted::Memory { chunk: self.chunk, next: 0 });
        }
        self.spill()?;
        self.chunk = Chunk::default();
        Merge::new(self.files).map(Sorted::Files)
    }

    fn spill(&mut self) -> io::Result<()> {
        self.chunk.sort();
        let mut file = self.create()?;
        for place in &self.chunk.places {
            write_record(&mut file, self.chunk.key(*place), self.chunk.value(*place))?;
        }
        self.files.push(rewound(file)?);
        self.chunk.bytes.clear();
        self.chunk.places.clear();
        if self.files.len() >= FILES_MAX {
            self.make_one()?;
        }
        Ok(())
    }

    fn make_one(&mut self) -> io::Result<()> {
        let mut file = self.create()?;
        let mut merge = Merge::new(std::mem::take(&mut self.files))?;
        while let Some(record) = merge.read_next()? {
            write_record(&mut file, &record.key, &record.value)?;
        }
        self.files.push(rewound(file)?);
        Ok(())
    }

    fn create(&self) -> io::Result<BufWriter<File>> {
        Ok(BufWriter::with_capacity(FILE_BUFFER_BYTES, tempfile::tempfile_in(&self.folder)?))
    }
}

fn rewound(file: BufWriter<File>) -> io::Result<File> {
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

fn write_record(file: &mut impl Write, key: &[u8], value: &[u8]) -> io::Result<()> {
    file.write_all(&length(key)?.to_le_bytes())?;
    file.write_all(&length(value)?.to_le_bytes())?;
    file.write_all(key)?;
    file.write_all(value)
}

/// Records in their order.
pub(super) enum Sorted {
    /// There were so few that no file was written.
    Memory {
        /// Sorted.
        chunk: Chunk,
        /// RecordPlace of the next record.
        next: usize,
    },
    /// They stand in files.
    Files(Merge),
}

impl Sorted {
    /// The next record.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn read_next(&mut self) -> io::Result<Option<SortedRecord>> {
        match self {
            Self::Files(merge) => merge.read_next(),
            Self::Memory { chunk, next } => {
                let Some(place) = chunk.places.get(*next).copied() else { return Ok(None) };
                *next += 1;
                let (key, value) = (chunk.key(place).to_vec(), chunk.value(place).to_vec());
                Ok(Some(SortedRecord { key, value }))
            }
        }
    }
}

/// The next record of a file; the order is that of the fields.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct MergeHead {
    key: Vec<u8>,
    place: usize,
    value: Vec<u8>,
}

/// Sorted files read as one.
pub(super) struct Merge {
    files: Vec<BufReader<File>>,
    /// The next record of each file that has one. Of one key that of the first file
    /// comes first, as it did before.
    heads: BinaryHeap<Reverse<MergeHead>>,
}

impl Merge {
    fn new(files: Vec<File>) -> io::Result<Self> {
        let files: Vec<_> =
            files.into_iter().map(|file| BufReader::with_capacity(FILE_BUFFER_BYTES, file)).collect();
        let mut merge = Self { files, heads: BinaryHeap::new() };
        (0..merge.files.len()).try_for_each(|place| merge.advance(place))?;
        Ok(merge)
    }

    fn read_next(&mut self) -> io::Result<Option<SortedRecord>> {
        let Some(Reverse(MergeHead { key, place, value })) = self.heads.pop() else { return Ok(None) };
        self.advance(place)?;
        Ok(Some(SortedRecord { key, value }))
    }

    fn advance(&mut self, place: usize) -> io::Result<()> {
        let Some(file) = self.files.get_mut(place) else { return Ok(()) };
        if let Some(SortedRecord { key, value }) = read_record(file)? {
            self.heads.push(Reverse(MergeHead { key, place, value }));
        }
        Ok(())
    }
}

fn read_record(file: &mut BufReader<File>) -> io::Result<Option<SortedRecord>> {
    let mut lengths = [0; LENGTHS_BYTES];
    // At the end of the file nothing is left; anything else is damage.
    match file.read(&mut lengths)? {
        0 => return Ok(None),
        read => file.read_exact(&mut lengths[read..])?,
    }
    let [a, b, c, d, e, f, g, h] = lengths;
    let mut part = |bytes: [u8; 4]| -> io::Result<Vec<u8>> {
        let mut part = vec![0; u32::from_le_bytes(bytes) as usize];
        file.read_exact(&mut part)?;
        Ok(part)
    };
    Ok(Some(SortedRecord { key: part([a, b, c, d])?, value: part([e, f, g, h])? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of it with chunks of so many bytes, and how many files were merged.
    fn sorted(records: &[(String, String)], chunk_bytes: usize) -> (Vec<(String, String)>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut sort = ExternalSort::with_chunks(folder.path(), chunk_bytes);
        for (key, value) in records {
            sort.push(key.as_bytes(), value.as_bytes()).unwrap();
        }
        let mut sorted = sort.finish().unwrap();
        let files = match &sorted {
            Sorted::Memory { .. } => 0,
            Sorted::Files(merge) => merge.files.len(),
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let mut all = Vec::new();
        while let Some(SortedRecord { key, value }) = sorted.read_next().unwrap() {
            all.push((text(key), text(value)));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
        (all, files)
    }

    #[test]
    fn records_come_in_order_whether_they_fit_in_memory_or_not() {
        let mut random = fastrand::Rng::with_seed(7);
        let records: Vec<_> = (0..3000)
            .map(|number| {
                (format!("key{}", random.u32(..700)), format!("{number}{}", "x".repeat(number % 50)))
            })
            .collect();
        let mut expected = records.clone();
        // That of one key is kept.
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        for (chunk_bytes, files) in [(CHUNK_BYTES, 0..=0), (20_000, 5..=FILES_MAX), (1_000, 2..=FILES_MAX)] {
            let (all, merged) = sorted(&records, chunk_bytes);
            assert!(files.contains(&merged), "{chunk_bytes}: {merged}");
            assert!(all == expected, "{chunk_bytes}");
        }
    }

    #[test]
    fn nothing_and_empty_parts_come_back() {
        assert_eq!(sorted(&[], 10), (vec![], 0));
        let records = vec![("b".to_string(), String::new()), (String::new(), "a".to_string())];
        for chunk_bytes in [1, CHUNK_BYTES] {
            let (all, _) = sorted(&records, chunk_bytes);
            assert_eq!(all, [records[1].clone(), records[0].clone()]);
        }
    }
}
