//! The text of a packed file. The checksum stands behind each of its parts, so the text of a
//! part is handed out once it is known to be what was written.

use crate::packing::{PackedPart, Packing};
use std::io::{self, BufRead, ErrorKind, Read};

/// Most bytes of text that are held until the checksum behind them was seen. A part that a
/// run writes has a few megabytes; of a longer one, as where somebody packed a file anew, the
/// text is handed out as it comes, and its damage is an error all the same.
const HELD_BYTES_MAX: u64 = 32 << 20;

/// Unpacks one part after the other. A part that is cut short is `UnexpectedEof`, one that is
/// damaged `InvalidData`, and nothing comes behind either.
pub(super) struct Unpacked<R: BufRead> {
    packing: Packing,
    /// What is behind the parts that were read; `None` inside of one, and at the end.
    packed: Option<R>,
    /// The part that is read, if it is a long one.
    part: Option<PackedPart<R>>,
    /// What is handed out, and how far it was.
    text: Vec<u8>,
    place: usize,
    /// Bytes of text that were handed out.
    read: u64,
}

impl<R: BufRead> Unpacked<R> {
    pub(super) fn new(packing: Packing, packed: R) -> Self {
        Self { packing, packed: Some(packed), part: None, text: Vec::new(), place: 0, read: 0 }
    }

    /// Unpacks what comes next; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.place = 0;
        let Some(mut part) = self.next_part()? else { return Ok(false) };
        match part.by_ref().take(HELD_BYTES_MAX).read_to_end(&mut self.text) {
            Ok(count) if count as u64 == HELD_BYTES_MAX => self.part = Some(part),
            Ok(_) => self.packed = Some(part.into_rest()),
            Err(error) => {
                self.text.clear();
                return Err(self.told(error));
            }
        }
        Ok(true)
    }

    fn next_part(&mut self) -> io::Result<Option<PackedPart<R>>> {
        if let Some(part) = self.part.take() {
            return Ok(Some(part));
        }
        let Some(mut packed) = self.packed.take() else { return Ok(None) };
        if packed.fill_buf()?.is_empty() { Ok(None) } else { self.packing.part(packed).map(Some) }
    }

    /// What was met, in words where it is damage.
    fn told(&self, error: io::Error) -> io::Error {
        if error.raw_os_error().is_some() || error.kind() == ErrorKind::UnexpectedEof {
            return error;
        }
        let told = format!("behind the first {} bytes of its text: {error}", self.read);
        io::Error::new(ErrorKind::InvalidData, told)
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.place == self.text.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = self.text.get(self.place..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.place += count;
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn part(part: usize) -> String {
        (0..200).map(|line| format!("part {part}, {}\n", line * 7919 % 2003)).collect()
    }

    fn read(packing: Packing, packed: &[u8]) -> (Vec<u8>, Option<ErrorKind>) {
        let mut text = Vec::new();
        let ended = Unpacked::new(packing, Cursor::new(packed.to_vec())).read_to_end(&mut text);
        (text, ended.err().map(|error| error.kind()))
    }

    /// Whatever becomes of the bytes of a part, the text is that of the parts before it.
    #[test]
    fn nothing_is_handed_out_of_a_part_that_is_not_whole() {
        for packing in Packing::ALL {
            let parts: Vec<Vec<u8>> = (0..3).map(|n| packing.pack(part(n).as_bytes()).unwrap()).collect();
            let (whole, before) = (parts.concat(), part(0).into_bytes());
            assert_eq!(read(packing, &whole), ((part(0) + &part(1) + &part(2)).into_bytes(), None));
            for place in 0..parts[1].len() {
                let told = format!("{packing:?} {place}");
                let place = parts[0].len() + place;
                let (found, error) = read(packing, &whole[..place]);
                assert_eq!(found, before, "{told}");
                let expected = (place > parts[0].len()).then_some(ErrorKind::UnexpectedEof);
                assert_eq!(error, expected, "{told}");
                let mut damaged = whole.clone();
                damaged[place..].fill(0);
                let (found, error) = read(packing, &damaged);
                // A part may end in zeros as it is.
                let second = parts[0].len() + parts[1].len();
                let is_changed = damaged[..second] != whole[..second];
                let expected = part(0) + &if is_changed { String::new() } else { part(1) };
                assert!(found == expected.as_bytes() && error.is_some(), "{told}");
                let mut damaged = whole.clone();
                damaged[place] ^= 0x10;
                let (found, error) = read(packing, &damaged);
                // The header of gzip has bytes that say nothing of the text.
                let is_harmless = error.is_none() && found.len() == 3 * before.len();
                assert!(is_harmless || found == before && error.is_some(), "{told}: {error:?}");
            }
        }
    }

    #[test]
    fn a_part_that_is_longer_than_what_is_held_is_handed_out_as_it_comes() {
        let long = "a line\n".repeat(usize::try_from(HELD_BYTES_MAX).unwrap() / 7 + 10);
        for packing in Packing::ALL {
            let mut packed = packing.pack(long.as_bytes()).unwrap();
            packed.extend(packing.pack(b"more\n").unwrap());
            assert!(read(packing, &packed) == ((long.clone() + "more\n").into_bytes(), None));
            let begin = packed.len() / 2;
            packed[begin..].fill(0);
            let (found, error) = read(packing, &packed);
            assert!(long.as_bytes().starts_with(&found) && error.is_some());
        }
    }
}
