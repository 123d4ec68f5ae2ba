//! The one way to a file of a run that is read: whether it is plain text or packed is told
//! by its name.

use super::StoreError;
use super::unpacked::Unpacked;
use crate::packing::{self, Packing};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes that are unpacked at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A file of a run, under the name that it has.
#[derive(Clone, Debug)]
pub(super) struct StoredFile {
    pub(super) path: PathBuf,
    pub(super) packing: Option<Packing>,
}

impl StoredFile {
    /// The file that is `name` once it is unpacked; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]: there are two, and nobody knows which is the run's.
    pub(super) fn find(dir: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        let forms = [None].into_iter().chain(Packing::ALL.map(Some));
        let mut found = forms
            .map(|packing| Self { path: dir.join(packing::file_name(name, packing)), packing })
            .filter(|file| file.path.symlink_metadata().is_ok());
        match (found.next(), found.next()) {
            (Some(file), Some(other)) => {
                let other = other.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let cause =
                    format!("{other} is there, too, and only one can be the run's; move the other away");
                Err(StoreError::Unusable { path: file.path, cause })
            }
            (found, _) => Ok(found),
        }
    }

    /// The same, which must be there.
    ///
    /// # Errors
    /// [`StoreError`]: as [`StoredFile::find`]; or there is none.
    pub(super) fn at(dir: &Path, name: &str) -> Result<Self, StoreError> {
        let none = || Self { path: dir.join(name), packing: None };
        Ok(Self::find(dir, name)?.unwrap_or_else(none))
    }

    /// The error that it cannot be read.
    pub(super) fn unread(&self, error: io::Error) -> StoreError {
        unread(&self.path, error)
    }

    /// Its text as it is now, not what comes to it later. That of a packed file ends with
    /// `UnexpectedEof` where its last part is cut short.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read.
    pub(super) fn text(&self) -> Result<Box<dyn Read + Send>, StoreError> {
        self.open_text().map_err(|error| self.unread(error))
    }

    fn open_text(&self) -> io::Result<Box<dyn Read + Send>> {
        let file = open_regular(&self.path)?;
        let length = file.metadata()?.len();
        let bytes = file.take(length);
        Ok(match self.packing {
            None => Box::new(bytes),
            Some(packing) => Box::new(Unpacked::new(packing, BufReader::new(bytes))),
        })
    }

    /// A file whose places can be read in any order: itself, or its text in a temporary file
    /// that has no name and is gone with its reader.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read, or the disk has no room for its text.
    pub(super) fn with_places(&self) -> Result<File, StoreError> {
        if self.packing.is_none() {
            return open_regular(&self.path).map_err(|error| self.unread(error));
        }
        let folder = std::env::temp_dir();
        let unwritten =
            |source| StoreError::NotUnpacked { path: self.path.clone(), folder: folder.clone(), source };
        let mut file = tempfile::tempfile_in(&folder).map_err(unwritten)?;
        let (mut text, mut chunk) = (self.text()?, vec![0; CHUNK_BYTES]);
        loop {
            let count = match text.read(&mut chunk) {
                Ok(0) => return Ok(file),
                // Whoever looks for places has met the end of the text, or its damage, before.
                Err(error) if is_end_of_text(&error) => return Ok(file),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(|error| self.unread(error))?,
            };
            file.write_all(chunk.get(..count).unwrap_or_default()).map_err(unwritten)?;
        }
    }
}

/// The error that a file of a run cannot be read.
pub(super) fn unread(path: &Path, source: io::Error) -> StoreError {
    let path = path.to_path_buf();
    match source.kind() {
        ErrorKind::InvalidData => StoreError::Damaged { path, source },
        _ => StoreError::Unreadable { path, source },
    }
}

fn is_end_of_text(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
}

/// Opens what is a file: a pipe would never end, or never begin.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path)
}
