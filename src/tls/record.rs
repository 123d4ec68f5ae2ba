//! The record layer in clear (RFC 8446 §5.1 and its predecessors): bytes in
//! any chunks become whole records, and what is no TLS is said to be none.

use super::wire::{TooLong, put_bytes, put_u16};
use crate::model::ProtocolVersion;
use thiserror::Error;

/// Length of a record's header, in bytes.
pub const HEADER_BYTES: usize = 5;
/// Most bytes of a record in clear (RFC 8446 §5.1), which none of ours exceeds.
pub const PLAINTEXT_BYTES_MAX: usize = 1 << 14;
/// Most bytes of a record that is read: the most that any version allows for
/// one that is compressed and encrypted (RFC 5246 §6.2.3).
pub const RECORD_BYTES_MAX: usize = PLAINTEXT_BYTES_MAX + 2048;

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentType(pub u8);

impl ContentType {
    /// The signal that what follows is encrypted.
    pub const CHANGE_CIPHER_SPEC: Self = Self(20);
    /// `alert(21)` (RFC 8446 §5.1).
    pub const ALERT: Self = Self(21);
    /// Handshake messages, or pieces of them.
    pub const HANDSHAKE: Self = Self(22);
    /// Encrypted data, in TLS 1.3 the rest of the handshake too.
    pub const APPLICATION_DATA: Self = Self(23);
    /// Heartbeats (RFC 6520).
    pub const HEARTBEAT: Self = Self(24);
}

/// A record of TLS in clear, or its ciphertext unread (RFC 8446 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsRecord<'a> {
    /// What it carries.
    pub content_type: ContentType,
    /// The version in its header, which means little (RFC 8446 §5.1).
    pub version: ProtocolVersion,
    /// The bytes behind the header, at most 2^14 + 2048.
    pub fragment: &'a [u8],
}

/// The stream cannot be read as records from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// An answer of SSLv2, which has no records as they are read here.
    #[error("an SSLv2 {}", if *error { "error" } else { "ServerHello" })]
    Sslv2 {
        /// Whether it is an error, not a ServerHello.
        error: bool,
    },
    /// No TLS at all.
    #[error("not a TLS record: {}", head.escape_ascii())]
    NotTls {
        /// The bytes that stand where the header should, zeros where there
        /// are fewer.
        head: [u8; HEADER_BYTES],
    },
    /// A header that announces more than [`RECORD_BYTES_MAX`].
    #[error("a record of {0} bytes")]
    TooLong(usize),
}

/// Cuts a stream into records. Holds one record at most.
#[derive(Debug, Default)]
pub struct RecordReader {
    buffer: Vec<u8>,
    /// Whether the record in the buffer was handed out.
    whole: bool,
}

impl RecordReader {
    /// Takes from the front of `input` what the record under way lacks, and
    /// hands it out once it is whole.
    ///
    /// # Errors
    /// Where the next five bytes are no header of a record.
    pub fn next_record(&mut self, input: &mut &[u8]) -> Result<Option<TlsRecord<'_>>, RecordFault> {
        if self.whole {
            self.buffer.clear();
            self.whole = false;
        }
        self.fill(input, HEADER_BYTES);
        let Some(&[content_type, major, minor, high, low]) = self.buffer.get(..HEADER_BYTES) else {
            return Ok(None);
        };
        let head = [content_type, major, minor, high, low];
        if !may_begin_record(&head) {
            return Err(foreign(head));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > RECORD_BYTES_MAX {
            return Err(RecordFault::TooLong(length));
        }
        self.fill(input, HEADER_BYTES + length);
        let fragment = self.buffer.get(HEADER_BYTES..).unwrap_or_default();
        if fragment.len() < length {
            return Ok(None);
        }
        self.whole = true;
        let version = ProtocolVersion(u16::from_be_bytes([major, minor]));
        Ok(Some(TlsRecord { content_type: ContentType(content_type), version, fragment }))
    }

    /// The part of a record that came in so far.
    pub fn unfinished(&self) -> &[u8] {
        if self.whole { &[] } else { &self.buffer }
    }

    /// What the end of the stream shows: bytes too few for a header may still
    /// be none.
    ///
    /// # Errors
    /// Where what is left does not begin a record.
    pub fn finish(&self) -> Result<(), RecordFault> {
        if self.whole || may_begin_record(&self.buffer) {
            return Ok(());
        }
        let mut head = [0; HEADER_BYTES];
        for (place, byte) in head.iter_mut().zip(&self.buffer) {
            *place = *byte;
        }
        Err(foreign(head))
    }

    fn fill(&mut self, input: &mut &[u8], length: usize) {
        let missing = length.saturating_sub(self.buffer.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.buffer.extend_from_slice(taken);
        *input = rest;
    }
}

/// A known type, and 3 for the major version, which no version ever changed.
pub(super) fn may_begin_record(head: &[u8]) -> bool {
    head.first().is_none_or(|byte| (20..=24).contains(byte)) && head.get(1).is_none_or(|byte| *byte == 3)
}

/// What stands there instead of a record. SSLv2 sets the highest bit of its
/// length and says in the third byte that it is a SERVER-HELLO (4), which has
/// eleven bytes at least, or an ERROR (0) with its code of two.
fn foreign(head: [u8; HEADER_BYTES]) -> RecordFault {
    let [high, low, message, ..] = head;
    let length = u16::from_be_bytes([high & 0x7f, low]);
    match (high & 0x80 != 0, message) {
        (true, 4) if length >= 11 => RecordFault::Sslv2 { error: false },
        (true, 0) if length == 3 => RecordFault::Sslv2 { error: true },
        _ => RecordFault::NotTls { head },
    }
}

/// Appends `payload` in as many records as it takes.
pub(super) fn put_records(
    out: &mut Vec<u8>,
    content_type: ContentType,
    version: ProtocolVersion,
    payload: &[u8],
) -> Result<(), TooLong> {
    for fragment in payload.chunks(PLAINTEXT_BYTES_MAX) {
        out.push(content_type.0);
        put_u16(out, version.0);
        put_bytes(out, 2, fragment)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
