//! Lines of a file by the place where they stand.

use super::StoreError;
use super::stored_file::StoredFile;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinePlace {
    offset: u64,
    bytes: u32,
}

impl LinePlace {
    /// A line of at most [`crate::run_dir::JOURNAL_LINE_BYTES_MAX`] bytes.
    pub(super) fn new(offset: u64, bytes: usize) -> Self {
        Self { offset, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) }
    }
}

/// A file whose lines are read in any order.
pub(super) struct PlacedLines {
    path: PathBuf,
    file: File,
}

impl PlacedLines {
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self, StoreError> {
        let found = StoredFile::at(dir, name)?;
        Ok(Self { file: found.with_places()?, path: found.path })
    }

    pub(super) fn read(&mut self, place: LinePlace) -> Result<Vec<u8>, StoreError> {
        let read = self.bytes(place);
        read.map_err(|source| StoreError::Unreadable { path: self.path.clone(), source })
    }

    fn bytes(&mut self, place: LinePlace) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; place.bytes as usize];
        self.file.seek(SeekFrom::Start(place.offset))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The error that the file is not what it should be.
    pub(super) fn unusable(&self, cause: String) -> StoreError {
        StoreError::Unusable { path: self.path.clone(), cause }
    }
}
