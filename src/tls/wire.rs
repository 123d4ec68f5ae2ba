//! Numbers and vectors as TLS writes them (RFC 8446 §3): big-endian, each
//! vector behind its length in bytes.

use thiserror::Error;

/// A message that is not what its specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{message}: {fault}")]
pub struct Malformed {
    /// The message or structure.
    pub message: &'static str,
    /// What is wrong with it.
    pub fault: &'static str,
}

/// Something to be sent that does not fit behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} bytes do not fit behind a length of {1} bytes")]
pub struct TooLong(pub usize, pub usize);

/// Reads one message from its front.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageReader<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> MessageReader<'a> {
    pub(super) fn new(message: &'static str, bytes: &'a [u8]) -> Self {
        Self { message, rest: bytes }
    }

    pub(super) fn malformed(&self, fault: &'static str) -> Malformed {
        Malformed { message: self.message, fault }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes that are left.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.malformed("ends early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of `width` bytes, at most four.
    fn number(&mut self, width: usize) -> Result<usize, Malformed> {
        Ok(self.take(width)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let fault = self.malformed("ends early");
        self.take(N)?.try_into().map_err(|_| fault)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    /// A vector behind a length of `width` bytes.
    pub(super) fn vector(&mut self, width: usize) -> Result<MessageReader<'a>, Malformed> {
        let length = self.number(width)?;
        Ok(MessageReader { message: self.message, rest: self.take(length)? })
    }

    pub(super) fn remaining(self) -> &'a [u8] {
        self.rest
    }

    /// The same, to be kept.
    pub(super) fn to_vec(self) -> Vec<u8> {
        self.rest.to_vec()
    }

    /// All that is left, as two-byte code points.
    pub(super) fn code_points(self) -> Result<impl Iterator<Item = u16>, Malformed> {
        if !self.rest.len().is_multiple_of(2) {
            return Err(self.malformed("a list of two-byte values has an odd length"));
        }
        Ok(self
            .rest
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |code, byte| code << 8 | u16::from(*byte))))
    }

    pub(super) fn finish(self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(self.malformed("has bytes after its end")) }
    }
}

/// Appends what `write` writes, behind its length in `width` bytes.
pub(super) fn put_vector(
    out: &mut Vec<u8>,
    width: usize,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let start = out.len();
    out.extend(std::iter::repeat_n(0, width));
    write(out)?;
    let length = out.len() - start - width;
    let bytes = length.to_be_bytes();
    let (over, kept) = bytes.split_at(bytes.len().saturating_sub(width));
    if over.iter().any(|byte| *byte != 0) {
        return Err(TooLong(length, width));
    }
    for (place, byte) in out.iter_mut().skip(start).zip(kept) {
        *place = *byte;
    }
    Ok(())
}

/// Appends `bytes` behind their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, width: usize, bytes: &[u8]) -> Result<(), TooLong> {
    put_vector(out, width, |out| {
        out.extend_from_slice(bytes);
        Ok(())
    })
}

pub(super) fn put_u16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// Appends two-byte code points behind their length in `width` bytes.
pub(super) fn put_code_points(
    out: &mut Vec<u8>,
    width: usize,
    codes: impl Iterator<Item = u16>,
) -> Result<(), TooLong> {
    put_vector(out, width, |out| {
        codes.for_each(|code| put_u16(out, code));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_stand_behind_their_length() {
        let mut out = vec![7];
        put_bytes(&mut out, 3, b"abc").unwrap();
        put_code_points(&mut out, 1, [0x0102, 0xfafa].into_iter()).unwrap();
        assert_eq!(out, [7, 0, 0, 3, b'a', b'b', b'c', 4, 1, 2, 0xfa, 0xfa]);
        let mut reader = MessageReader::new("test", &out);
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.vector(3).unwrap().remaining(), b"abc");
        let codes: Vec<u16> = reader.vector(1).unwrap().code_points().unwrap().collect();
        assert_eq!(codes, [0x0102, 0xfafa]);
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(put_bytes(&mut Vec::new(), 1, &[0; 255]), Ok(()));
        assert_eq!(put_bytes(&mut Vec::new(), 1, &[0; 256]), Err(TooLong(256, 1)));
        assert_eq!(put_bytes(&mut Vec::new(), 2, &[0; 65_536]), Err(TooLong(65_536, 2)));
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let mut reader = MessageReader::new("test", &[0, 3, 1, 2]);
        assert_eq!(reader.vector(2).unwrap_err().to_string(), "test: ends early");
        let odd = MessageReader::new("test", &[1, 2, 3]).code_points();
        assert_eq!(odd.err().unwrap().fault, "a list of two-byte values has an odd length");
        assert_eq!(
            MessageReader::new("test", &[1]).finish().unwrap_err().to_string(),
            "test: has bytes after its end"
        );
    }
}
