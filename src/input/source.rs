//! Where the bytes of a list come from: a file or standard input, as they are
//! or through gzip or zstd; and always in UTF-8.

use super::InputError;
use crate::dialect;
use encoding_rs::UTF_8;
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Bytes that tell gzip and zstd.
const MAGIC_BYTES: usize = 4;
/// RFC 1952 §2.3.1.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// RFC 8878 §3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A frame that holds nothing, which pzstd writes first (RFC 8878 §3.1.2): of
/// the first byte any low half will do.
const ZSTD_SKIPPABLE_MAGIC: [u8; 3] = [0x2a, 0x4d, 0x18];

/// Largest window of a zstd frame, as a power of two in bytes (8 MiB, which
/// RFC 8878 §3.1.1.1.2 wants of every decoder; 32 KiB is gzip's). A list that
/// was made with `--ultra` or `--long` wants more and is refused: what is read
/// takes no more memory than this, whatever the frame says.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

pub(super) type ListReader = Box<dyn BufRead + Send>;

/// How a list is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    fn of_name(path: &str) -> Option<Self> {
        let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "gz" => Some(Packing::Gzip),
            "zst" => Some(Packing::Zstd),
            _ => None,
        }
    }

    fn of_start(start: &[u8]) -> Option<Self> {
        let skippable = start.first().is_some_and(|byte| byte & 0xf0 == 0x50)
            && start.get(1..).is_some_and(|rest| rest.starts_with(&ZSTD_SKIPPABLE_MAGIC));
        if start.starts_with(&GZIP_MAGIC) {
            Some(Packing::Gzip)
        } else if start.starts_with(&ZSTD_MAGIC) || skippable {
            Some(Packing::Zstd)
        } else {
            None
        }
    }
}

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
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(raw)),
        Some(Packing::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
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
