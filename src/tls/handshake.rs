//! Handshake messages put together from the records that carry them: one may
//! be cut over several records, and several may share one (RFC 8446 §5.1).

use super::wire::{TooLong, put_vector};
use thiserror::Error;

/// Length of a message's header, in bytes.
const HEADER_BYTES: usize = 4;
/// Most bytes of one message. OpenSSL takes chains of up to 100 KiB.
pub const HANDSHAKE_MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeType(pub u8);

impl HandshakeType {
    /// The server would like a hello; ignored during a handshake.
    pub const HELLO_REQUEST: Self = Self(0);
    /// What the client offers.
    pub const CLIENT_HELLO: Self = Self(1);
    /// What the server chose, or that it asks for another hello.
    pub const SERVER_HELLO: Self = Self(2);
    /// A ticket for resuming the session (RFC 5077 §3.3).
    pub const NEW_SESSION_TICKET: Self = Self(4);
    /// The server's chain.
    pub const CERTIFICATE: Self = Self(11);
    /// The server's share of an ephemeral key exchange.
    pub const SERVER_KEY_EXCHANGE: Self = Self(12);
    /// The server asks for a certificate.
    pub const CERTIFICATE_REQUEST: Self = Self(13);
    /// The server has said all before the client's turn.
    pub const SERVER_HELLO_DONE: Self = Self(14);
    /// A stapled OCSP response (RFC 6066 §8).
    pub const CERTIFICATE_STATUS: Self = Self(22);
}

/// A handshake message, put together from as many records as it takes (RFC 8446 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type (RFC 8446 §4).
    pub handshake_type: HandshakeType,
    /// Its body, without type and length.
    pub body: &'a [u8],
}

/// A message that announces more than [`HANDSHAKE_MESSAGE_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a handshake message of {0} bytes")]
pub struct MessageTooLong(pub usize);

/// Puts messages together. Holds one unfinished message and what came in the
/// same record after it.
#[derive(Debug, Default)]
pub struct HandshakeReader {
    buffer: Vec<u8>,
    /// What of the buffer was handed out.
    read: usize,
}

impl HandshakeReader {
    /// Takes what one record carries. Every message that it completes is to
    /// be taken out before the next.
    pub fn receive(&mut self, fragment: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(fragment);
    }

    /// The next message, if it is whole.
    ///
    /// # Errors
    /// Where its header announces too much.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, MessageTooLong> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some((&[handshake_type, high, middle, low], rest)) = rest.split_first_chunk::<HEADER_BYTES>()
        else {
            return Ok(None);
        };
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        if length > HANDSHAKE_MESSAGE_BYTES_MAX {
            return Err(MessageTooLong(length));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        self.read += HEADER_BYTES + length;
        Ok(Some(Message { handshake_type: HandshakeType(handshake_type), body }))
    }
}

/// Appends a message.
pub(super) fn put_message(
    out: &mut Vec<u8>,
    handshake_type: HandshakeType,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    out.push(handshake_type.0);
    put_vector(out, 3, write)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What messages these records carry.
    fn read(records: &[&[u8]]) -> Result<Vec<(u8, Vec<u8>)>, MessageTooLong> {
        let mut reader = HandshakeReader::default();
        let mut messages = Vec::new();
        for record in records {
            reader.receive(record);
            while let Some(message) = reader.next_message()? {
                messages.push((message.handshake_type.0, message.body.to_vec()));
            }
            assert!(reader.buffer.len() <= HANDSHAKE_MESSAGE_BYTES_MAX + HEADER_BYTES + record.len());
        }
        Ok(messages)
    }

    #[test]
    fn messages_are_the_same_however_records_cut_them() {
        let flight = b"\x02\x00\x00\x03abc\x0e\x00\x00\x00\x63\x00\x00\x01x\x0b\x00\x00\x05no";
        let whole = read(&[flight]).unwrap();
        assert_eq!(whole, [(2, b"abc".to_vec()), (14, vec![]), (99, b"x".to_vec())]);
        for size in 1..flight.len() {
            let records: Vec<&[u8]> = flight.chunks(size).collect();
            assert_eq!(read(&records).unwrap(), whole, "records of {size} bytes");
        }
    }

    #[test]
    fn a_message_is_bounded_by_what_it_announces() {
        let mut flight = vec![11, 2, 0, 0];
        flight.extend(vec![0; HANDSHAKE_MESSAGE_BYTES_MAX]);
        assert_eq!(read(&[&flight]).unwrap().len(), 1);
        assert_eq!(read(&[&[11, 2, 0, 1]]), Err(MessageTooLong(HANDSHAKE_MESSAGE_BYTES_MAX + 1)));
    }
}
