//! Where the bytes of a list come from: a file or standard input, as they are
//! or through gzip or zstd; and always in UTF-8.

use super::InputError;
use crate::dialect;
use crate::packing::{MAGIC_BYTES, Packing};
use encoding_rs::UTF_8;
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

pub(super) type ListReader = Box<dyn BufRead + Send>;

pub(super) fn open(path: &str, name: &str) -> Result<ListReader, InputError> {
    if path == "-" {
        return unpack(io::stdin(), None, name);
    }
    let file = File::open(path).map_err(|source| InputError::Open { name: name.to_string(), source })?;
    unpack(file, Packing::of_name(path), name)
}

/// The text in `raw`; `packing` is what its name says of it.
pub(super) fn unpack(
    raw: impl Read + Send + 'static,
    packing: Option<Packing>,
    name: &str,
) -> Result<ListReader, InputError> {
    in_utf8(raw, packing).map_err(|source| InputError::Read { name: name.to_string(), source })
}

fn in_utf8(raw: impl Read + Send + 'static, packing: Option<Packing>) -> io::Result<ListReader> {
    let (magic, raw) = started(raw, MAGIC_BYTES)?;
    let raw = BufReader::with_capacity(READ_BYTES, raw);
    let bytes: Box<dyn Read + Send> = match packing.or_else(|| Packing::of_start(&magic)) {
        None => Box::new(raw),
        Some(packing) => packing.unpack(raw)?,
    };
    let (start, bytes) = started(bytes, dialect::ENCODING_BYTES)?;
    let (encoding, _) = dialect::encoding(&start);
    if encoding == UTF_8 {
        return Ok(Box::new(BufReader::with_capacity(READ_BYTES, bytes)));
    }
    // What is no text becomes U+FFFD, which no domain has.
    let decoder = DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(bytes);
    Ok(Box::new(BufReader::with_capacity(READ_BYTES, decoder)))
}

/// The first `count` bytes, as far as there are so many, and all of it. A pipe
/// may hand out one byte at first.
fn started<R: Read>(mut raw: R, count: usize) -> io::Result<(Vec<u8>, impl Read + use<R>)> {
    let mut start = Vec::new();
    raw.by_ref().take(count as u64).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(raw)))
}
