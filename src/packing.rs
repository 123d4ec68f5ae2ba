//! gzip and Zstandard: bytes packed and unpacked. Lists may come so, and the files of a run
//! may be written so.

use flate2::bufread::{GzDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use zstd::stream::read::Decoder as ZstdDecoder;

/// Bytes that tell gzip and zstd.
pub const MAGIC_BYTES: usize = 4;
/// RFC 1952 §2.3.1.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// RFC 8878 §3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A frame that holds nothing, which pzstd writes first (RFC 8878 §3.1.2): of
/// the first byte any low half will do.
const ZSTD_SKIPPABLE_MAGIC: [u8; 3] = [0x2a, 0x4d, 0x18];

/// Largest window of a zstd frame, as a power of two in bytes (8 MiB, which
/// RFC 8878 §3.1.1.1.2 wants of every decoder; 32 KiB is gzip's). What was made with
/// `--ultra` or `--long` wants more and is refused: what is read takes no more memory
/// than this, whatever the frame says.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Effort of zstd, of 22 levels: its own default. Beyond it files get hardly smaller.
const ZSTD_LEVEL: i32 = 3;

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Packing {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Gzip, Self::Zstd];

    /// Its name, as on the command line and in `run.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// How the names of files end that are packed so, with the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// What the name of a file says, in any case of letters.
    pub fn of_name(path: &str) -> Option<Self> {
        let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|packing| packing.ending().strip_prefix('.') == Some(&extension))
    }

    /// What the first [`MAGIC_BYTES`] say.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        let skippable = start.first().is_some_and(|byte| byte & 0xf0 == 0x50)
            && start.get(1..).is_some_and(|rest| rest.starts_with(&ZSTD_SKIPPABLE_MAGIC));
        if start.starts_with(&GZIP_MAGIC) {
            Some(Self::Gzip)
        } else if start.starts_with(&ZSTD_MAGIC) || skippable {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// One whole member of gzip or frame of zstd, with its checksum. Several of them, one
    /// behind the other, unpack to all that was packed.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn pack(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Zstd => {
                let mut encoder = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                encoder.compress(bytes)
            }
        }
    }

    /// What is packed in one member or frame. It is what was packed once reading came to its
    /// end, behind which the checksum is; where it is cut short that is `UnexpectedEof`.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn part<R: BufRead>(self, packed: R) -> io::Result<PackedPart<R>> {
        Ok(match self {
            Self::Gzip => PackedPart::Gzip(GzDecoder::new(packed)),
            Self::Zstd => PackedPart::Zstd(zstd_decoder(packed)?.single_frame()),
        })
    }

    /// What is packed in all members or frames. Reading ends with `UnexpectedEof` where the
    /// last of them is cut short, behind all that can be unpacked of it.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn unpack(self, packed: impl BufRead + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd_decoder(packed)?),
        })
    }
}

fn zstd_decoder<R: BufRead>(packed: R) -> io::Result<ZstdDecoder<'static, R>> {
    let mut decoder = ZstdDecoder::with_buffer(packed)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// A member of gzip or a frame of zstd that is unpacked.
pub enum PackedPart<R: BufRead> {
    /// A member.
    Gzip(GzDecoder<R>),
    /// A frame.
    Zstd(ZstdDecoder<'static, R>),
}

impl<R: BufRead> PackedPart<R> {
    /// What is behind it, once it was read to its end.
    pub fn into_rest(self) -> R {
        match self {
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
        }
    }
}

impl<R: BufRead> Read for PackedPart<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// Name of a file of this name once it is packed.
pub fn file_name(name: &str, packing: Option<Packing>) -> String {
    format!("{name}{}", packing.map_or("", Packing::ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn text(line: usize) -> String {
        (0..200).map(|n| format!("line {line}, {}\n", n * 7919 % 2003)).collect()
    }

    /// What can be unpacked, and whether it came to an end.
    fn unpacked(packing: Packing, packed: &[u8]) -> (Vec<u8>, Result<(), io::ErrorKind>) {
        let mut unpacked = Vec::new();
        let read = packing.unpack(Cursor::new(packed.to_vec())).unwrap().read_to_end(&mut unpacked);
        (unpacked, read.map(drop).map_err(|error| error.kind()))
    }

    #[test]
    fn what_is_packed_in_parts_is_unpacked_as_a_whole() {
        for packing in Packing::ALL {
            let parts = [String::new(), text(1), "x".into(), text(2)];
            let packed: Vec<u8> =
                parts.iter().flat_map(|part| packing.pack(part.as_bytes()).unwrap()).collect();
            assert_eq!(Packing::of_start(&packed), Some(packing));
            assert_eq!(unpacked(packing, &packed), (parts.concat().into_bytes(), Ok(())));
        }
    }

    /// Wherever it is cut: all whole parts are there, nothing is altered, and that it is cut
    /// is told, unless it is between two parts.
    #[test]
    fn a_part_that_is_cut_short_is_told_and_costs_none_before_it() {
        for packing in Packing::ALL {
            let (first, second) = (packing.pack(text(1).as_bytes()).unwrap(), text(2));
            let packed = [&first[..], &packing.pack(second.as_bytes()).unwrap()].concat();
            let whole = text(1) + &second;
            for length in first.len()..packed.len() {
                let (found, end) = unpacked(packing, &packed[..length]);
                assert!(whole.as_bytes().starts_with(&found) && found.len() >= text(1).len(), "{length}");
                let expected = if length == first.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof) };
                assert_eq!(end, expected, "{packing:?} {length} of {}", packed.len());
            }
        }
    }

    #[test]
    fn a_byte_that_is_another_is_no_end() {
        for packing in Packing::ALL {
            let whole = packing.pack(text(1).as_bytes()).unwrap();
            for place in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[place] ^= 0x10;
                let (found, end) = unpacked(packing, &damaged);
                assert!(end.is_err() || found == text(1).into_bytes(), "{packing:?} {place}");
            }
        }
    }
}
