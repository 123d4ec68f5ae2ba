//! A file without a name for what need not stay in memory; it is gone with the run.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Where something lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    offset: u64,
    octets: u32,
}

/// The file, once it was needed.
#[derive(Debug, Default)]
pub(super) struct ScratchFile {
    file: Option<File>,
    end: u64,
}

impl ScratchFile {
    /// Writes to the file, which is made in `dir` when first needed.
    ///
    /// # Errors
    /// The file cannot be made or written to, or this is too large for it (4 GiB);
    /// nothing is in it then.
    pub(super) fn put(&mut self, dir: &Path, octets: &[u8]) -> io::Result<Span> {
        let span = Span {
            offset: self.end,
            octets: u32::try_from(octets.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?,
        };
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(dir)?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(octets)?;
        self.end += u64::from(span.octets);
        Ok(span)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// It cannot be read again.
    pub(super) fn read(&mut self, span: Span) -> io::Result<Vec<u8>> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let mut octets = vec![0; span.octets as usize];
        file.seek(SeekFrom::Start(span.offset))?;
        file.read_exact(&mut octets)?;
        Ok(octets)
    }

    /// Gives the room back; what was written is lost.
    ///
    /// # Errors
    /// The file cannot be cut.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.end = 0;
        self.file.as_ref().map_or(Ok(()), |file| file.set_len(0))
    }
}
