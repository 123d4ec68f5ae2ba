//! DER read element by element (X.690 §8.1, §10.1), where it matters whether
//! something is DER, BER, or neither: parsers differ over BER only.

/// Identifier octets (X.690 §8.1.2).
pub(super) mod tag {
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const OID: u8 = 0x06;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;

    /// Context-specific and primitive.
    pub const fn primitive(number: u8) -> u8 {
        0x80 | number
    }

    /// Context-specific and constructed.
    pub const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Longest length of an element, in bytes that write it down; a certificate of
/// more is not read.
const LENGTH_BYTES_MAX: usize = 4;
/// Bits of an identifier octet that say that more octets follow.
const LONG_TAG: u8 = 0x1f;

/// The bit of an identifier octet that says that elements are inside.
const CONSTRUCTED: u8 = 0x20;

/// Why something is no DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DerFault {
    /// It may be BER: a length that is not as short as can be, or is not told.
    Ber,
    /// It is not what belongs there, in whatever encoding.
    Broken,
}

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct DerReader<'a>(&'a [u8]);

impl<'a> DerReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Identifier octet of the next element.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Content of the next element, which has to be of this kind.
    pub(super) fn element(&mut self, wanted: u8) -> Result<&'a [u8], DerFault> {
        if self.is_in_parts(wanted) {
            return Err(DerFault::Ber);
        }
        if self.peek() != Some(wanted) {
            return Err(DerFault::Broken);
        }
        self.any().map(|(_, content)| content)
    }

    /// The same, if the next element is of this kind.
    pub(super) fn optional(&mut self, wanted: u8) -> Result<Option<&'a [u8]>, DerFault> {
        let is_there = self.peek() == Some(wanted) || self.is_in_parts(wanted);
        if is_there { self.element(wanted).map(Some) } else { Ok(None) }
    }

    /// Whether the next element is of this kind, in parts, as BER may write
    /// strings.
    fn is_in_parts(&self, wanted: u8) -> bool {
        wanted & CONSTRUCTED == 0 && self.peek() == Some(wanted | CONSTRUCTED)
    }

    /// What stands in the next element, which has to be of this kind.
    pub(super) fn inside(&mut self, wanted: u8) -> Result<DerReader<'a>, DerFault> {
        self.element(wanted).map(DerReader)
    }

    /// First identifier octet and content of the next element, whatever it is.
    pub(super) fn any(&mut self) -> Result<(u8, &'a [u8]), DerFault> {
        let (&tag, mut rest) = self.0.split_first().ok_or(DerFault::Broken)?;
        if tag & LONG_TAG == LONG_TAG {
            let end = rest.iter().position(|byte| byte & 0x80 == 0).ok_or(DerFault::Broken)?;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        let (length, minimal, rest) = length(rest)?;
        let content = rest.get(..length).ok_or(DerFault::Broken)?;
        if !minimal {
            return Err(DerFault::Ber);
        }
        self.0 = rest.get(length..).unwrap_or_default();
        Ok((tag, content))
    }

    /// Nothing is left.
    pub(super) fn finish(self) -> Result<(), DerFault> {
        if self.0.is_empty() { Ok(()) } else { Err(DerFault::Broken) }
    }
}

/// The length, whether it is written as DER has it, and what follows.
fn length(bytes: &[u8]) -> Result<(usize, bool, &[u8]), DerFault> {
    let (&first, rest) = bytes.split_first().ok_or(DerFault::Broken)?;
    let count = match first {
        0..=0x7f => return Ok((usize::from(first), true, rest)),
        0x80 => return Err(DerFault::Ber),
        count => usize::from(count & 0x7f),
    };
    let written = rest.get(..count).ok_or(DerFault::Broken)?;
    let zeros = written.iter().take_while(|byte| **byte == 0).count();
    let digits = written.get(zeros..).unwrap_or_default();
    if digits.len() > LENGTH_BYTES_MAX {
        return Err(DerFault::Broken);
    }
    let length = digits.iter().fold(0, |length: usize, digit| length << 8 | usize::from(*digit));
    Ok((length, zeros == 0 && length > 0x7f, rest.get(count..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_ber_and_neither_are_told_apart() {
        let long = [&[0x30, 0x81, 0x80][..], &[0; 0x80]].concat();
        for (bytes, expected) in [
            (&[0x30, 0][..], Ok((0x30, 0))),
            (&[0x02, 1, 5, 7], Ok((0x02, 1))),
            (&long, Ok((0x30, 0x80))),
            (&[0xbf, 0x81, 0x01, 1, 9], Ok((0xbf, 1))),
            (&[0x30, 0x81, 1, 5], Err(DerFault::Ber)),
            (&[0x30, 0x82, 0, 0x80], Err(DerFault::Broken)),
            (&[0x30, 0x80, 0, 0], Err(DerFault::Ber)),
            (&[0x30, 0x85, 0, 0, 0, 0, 1, 5], Err(DerFault::Ber)),
            (&[0x30, 0x85, 1, 0, 0, 0, 1, 5], Err(DerFault::Broken)),
            (&[0x30, 2, 5], Err(DerFault::Broken)),
            (&[0x30], Err(DerFault::Broken)),
            (&[0x1f, 0x80], Err(DerFault::Broken)),
            (&[], Err(DerFault::Broken)),
        ] {
            let read = DerReader::new(bytes).any().map(|(tag, content)| (tag, content.len()));
            assert_eq!(read, expected, "{bytes:02x?}");
        }
        let in_parts = [0x24, 3, 0x04, 1, 7];
        assert_eq!(DerReader::new(&in_parts).element(tag::OCTET_STRING), Err(DerFault::Ber));
        assert_eq!(DerReader::new(&in_parts).optional(tag::OCTET_STRING), Err(DerFault::Ber));
        assert_eq!(DerReader::new(&in_parts).optional(tag::BIT_STRING), Ok(None));
        assert_eq!(DerReader::new(&in_parts).element(tag::BIT_STRING), Err(DerFault::Broken));
    }
}
