//! Whole lines of a file, one at a time and bounded.
//!
//! No cell of a run directory holds a line break, so a row of CSV is a line,
//! too.

use super::StoreError;
use super::stored_file::{StoredFile, open_regular, unread};
use crate::model::text::one_line;
use crate::packing::Packing;
use crate::run_dir::journal::JOURNAL_LINE_BYTES_MAX;
use crate::run_dir::{SCHEMA_VERSION, SCHEMA_VERSION_OLDEST};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes read at once, also to find the last line break.
const CHUNK_BYTES: usize = 64 * 1024;

/// The whole lines of one file. What comes after the last line break is a line
/// that was cut short, and left out.
pub(super) struct StoredLines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    packing: Option<Packing>,
    /// Of a packed file it is known only at the end.
    cut: bool,
    line: u64,
    /// Where the next line begins in the text, in bytes.
    offset: u64,
    buffer: Vec<u8>,
}

pub(super) struct StoredLine<'a> {
    /// Where it begins in the text, in bytes.
    pub(super) offset: u64,
    /// It, without its end.
    pub(super) text: &'a [u8],
}

impl StoredLines {
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self, StoreError> {
        let file = StoredFile::at(dir, name)?;
        if file.packing.is_some() {
            let reader = BufReader::with_capacity(CHUNK_BYTES, file.text()?);
            return Ok(Self { packing: file.packing, ..Self::new(file.path, Box::new(reader), false) });
        }
        let opened = open_regular(&file.path).and_then(|mut file| {
            let length = file.metadata()?.len();
            let whole = whole_bytes(&mut file, length)?;
            file.rewind()?;
            Ok((BufReader::new(file.take(whole)), whole < length))
        });
        let (reader, cut) = opened.map_err(|error| file.unread(error))?;
        Ok(Self::new(file.path, Box::new(reader), cut))
    }

    /// Those of a file that the run rightly does not have.
    pub(super) fn none(path: PathBuf) -> Self {
        Self::new(path, Box::new(io::empty()), false)
    }

    fn new(path: PathBuf, reader: Box<dyn BufRead + Send>, cut: bool) -> Self {
        Self { path, reader, packing: None, cut, line: 0, offset: 0, buffer: Vec::new() }
    }

    /// Whether the last line is cut short. A packed file is read to its end to know.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read to its end.
    pub(super) fn was_cut(mut self) -> Result<bool, StoreError> {
        while self.packing.is_some() && self.read_next()?.is_some() {}
        Ok(self.cut)
    }

    /// The next line.
    pub(super) fn read_next(&mut self) -> Result<Option<StoredLine<'_>>, StoreError> {
        self.buffer.clear();
        let limit = JOURNAL_LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer);
        let read = match read {
            Ok(0) => return Ok(None),
            Ok(_) if self.packing.is_some() && self.ends_early() => {
                self.cut = true;
                return Ok(None);
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.cut = true;
                return Ok(None);
            }
            read => read.map_err(|error| unread(&self.path, error))?,
        };
        self.line += 1;
        let offset = self.offset;
        self.offset += read as u64;
        match self.buffer.strip_suffix(b"\n") {
            Some(text) => Ok(Some(StoredLine { offset, text })),
            None => Err(self.broken(format!("longer than {JOURNAL_LINE_BYTES_MAX} bytes"))),
        }
    }

    /// Whether what was read is a line without its end, and not for its length.
    fn ends_early(&self) -> bool {
        self.buffer.len() <= JOURNAL_LINE_BYTES_MAX && !self.buffer.ends_with(b"\n")
    }

    /// The error that the first line is not the header that it was.
    pub(super) fn wrong_header(&self, cause: String) -> StoreError {
        StoreError::Header { path: self.path.clone(), cause }
    }

    /// The error that the line read last is broken.
    pub(super) fn broken(&self, cause: impl Into<String>) -> StoreError {
        StoreError::Broken { path: self.path.clone(), line: self.line, cause: cause.into() }
    }
}

/// What says how a line or a file is to be understood.
#[derive(Deserialize)]
pub(super) struct Schema {
    pub(super) schema: u32,
}

/// Whether a line of JSON is of the schema that is read here.
///
/// # Errors
/// What it is instead, in words.
pub(super) fn check_schema(json: &[u8]) -> Result<(), String> {
    match serde_json::from_slice(json) {
        Ok(Schema { schema }) => check_version(schema),
        Err(error) => Err(json_cause(&error)),
    }
}

/// Whether what bears this number is read here.
///
/// # Errors
/// That it is not, in words.
pub(super) fn check_version(schema: u32) -> Result<(), String> {
    if (SCHEMA_VERSION_OLDEST..=SCHEMA_VERSION).contains(&schema) {
        return Ok(());
    }
    Err(format!("written with schema {schema}; this mxray reads {SCHEMA_VERSION_OLDEST} to {SCHEMA_VERSION}"))
}

/// What is wrong with a line of JSON, whatever it quotes of it. Its own line
/// number is always 1.
pub(super) fn json_cause(error: &serde_json::Error) -> String {
    one_line(&error.to_string().replace(" at line 1 column ", " at column "))
}

/// How many bytes of `file` are whole lines.
fn whole_bytes(file: &mut File, length: u64) -> io::Result<u64> {
    let mut chunk = [0; CHUNK_BYTES];
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(CHUNK_BYTES as u64);
        let part = &mut chunk[..usize::try_from(end - begin).unwrap_or(CHUNK_BYTES)];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(part)?;
        if let Some(last) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}
