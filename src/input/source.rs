//! Where the bytes of a list come from: a file or standard input, as they are
//! or through gzip.

use super::InputError;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Bytes that tell gzip and UTF-16.
const MARK_BYTES: u64 = 2;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const UTF16_MARKS: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

pub(super) type Source = Box<dyn BufRead + Send>;

pub(super) fn open(path: &str, name: &str) -> Result<Source, InputError> {
    if path == "-" {
        return unpack(io::stdin(), false, name);
    }
    let file = File::open(path).map_err(|source| InputError::Open { name: name.to_string(), source })?;
    let gzip = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    unpack(file, gzip, name)
}

pub(super) fn unpack(
    mut raw: impl Read + Send + 'static,
    gzip: bool,
    name: &str,
) -> Result<Source, InputError> {
    // A pipe may hand out one byte at first.
    let mut start = Vec::new();
    raw.by_ref()
        .take(MARK_BYTES)
        .read_to_end(&mut start)
        .map_err(|source| InputError::Read { name: name.to_string(), source })?;
    if UTF16_MARKS.iter().any(|mark| start.starts_with(mark)) {
        return Err(InputError::Utf16 { name: name.to_string() });
    }
    let gzip = gzip || start.starts_with(&GZIP_MAGIC);
    let raw = BufReader::with_capacity(READ_BYTES, Cursor::new(start).chain(raw));
    if gzip {
        return Ok(Box::new(BufReader::with_capacity(READ_BYTES, MultiGzDecoder::new(raw))));
    }
    Ok(Box::new(raw))
}
