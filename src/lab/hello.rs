//! Reads a ClientHello of any version off a connection, and keeps its bytes,
//! so that a TLS library can be given them after all.

use super::client_hello::{ClientOffer, take};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes of a ClientHello that are read, its records' headers included.
const HELLO_BYTES_MAX: usize = 64 * 1024;
/// Length of a record's header, in bytes: type, version, length (RFC 8446 §5.1).
const RECORD_HEADER_BYTES: usize = 5;
/// Type of a record that carries messages of the handshake.
const HANDSHAKE: u8 = 22;
/// Length of a message's header, in bytes: type, length (RFC 8446 §4).
const MESSAGE_HEADER_BYTES: usize = 4;
/// Type of the message.
const CLIENT_HELLO: u8 = 1;

/// A ClientHello that came in.
pub(super) struct ReceivedHello {
    pub offer: ClientOffer,
    /// Length of its message, header included.
    pub message_bytes: usize,
    /// All that was read of the connection.
    pub raw: Vec<u8>,
}

impl ReceivedHello {
    /// The name it asks for.
    pub(super) fn name(&self) -> Option<&str> {
        self.offer.name.as_deref()
    }
}

/// Reads one; `None` where the client says something else.
///
/// # Errors
/// Those of the stream, and `UnexpectedEof` where the client leaves.
pub(super) async fn read_hello(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<ReceivedHello>> {
    let mut raw = Vec::new();
    let mut chunk = [0; 4096];
    while raw.len() < HELLO_BYTES_MAX {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        raw.extend_from_slice(chunk.get(..count).unwrap_or_default());
        match message(&raw) {
            FirstMessage::Unfinished => {}
            FirstMessage::Other => return Ok(None),
            FirstMessage::ClientHello(body) => {
                let message_bytes = body.len() + MESSAGE_HEADER_BYTES;
                let offer = ClientOffer::read(&body);
                return Ok(offer.map(|offer| ReceivedHello { offer, message_bytes, raw }));
            }
        }
    }
    Ok(None)
}

/// What the bytes of a connection begin with.
#[derive(Debug, PartialEq, Eq)]
enum FirstMessage {
    Unfinished,
    /// Body of the message.
    ClientHello(Vec<u8>),
    /// Anything else.
    Other,
}

/// The first message, put together from its records. That is begun anew with
/// all that came so far, of which there is not much.
fn message(raw: &[u8]) -> FirstMessage {
    let (mut rest, mut said) = (raw, Vec::new());
    while let Some(header) = take(&mut rest, RECORD_HEADER_BYTES) {
        let &[HANDSHAKE, 3, _, high, low] = header else { return FirstMessage::Other };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 {
            return FirstMessage::Other;
        }
        let Some(fragment) = take(&mut rest, length) else { break };
        said.extend_from_slice(fragment);
    }
    let Some((&[kind, high, middle, low], body)) = said.split_first_chunk::<MESSAGE_HEADER_BYTES>() else {
        return FirstMessage::Unfinished;
    };
    let length = u32::from_be_bytes([0, high, middle, low]) as usize;
    match body.get(..length) {
        _ if kind != CLIENT_HELLO => FirstMessage::Other,
        None => FirstMessage::Unfinished,
        Some(body) => FirstMessage::ClientHello(body.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of three bytes in two records.
    const HELLO: [u8; 17] = [22, 3, 1, 0, 5, 1, 0, 0, 3, b'a', 22, 3, 3, 0, 2, b'b', b'c'];

    #[test]
    fn a_message_is_put_together_from_its_records() {
        assert_eq!(message(&HELLO), FirstMessage::ClientHello(b"abc".to_vec()));
        for end in 0..HELLO.len() {
            assert_eq!(message(&HELLO[..end]), FirstMessage::Unfinished, "{end}");
        }
    }

    #[test]
    fn what_is_no_hello_is_told_apart() {
        for (place, byte) in [(0, 21), (1, 2), (4, 0), (5, 2), (10, 23), (14, 0)] {
            let mut other = HELLO;
            other[place] = byte;
            assert_eq!(message(&other), FirstMessage::Other, "{place}");
        }
        assert_eq!(message(b"EHLO a\r\n"), FirstMessage::Other);
    }

    #[tokio::test]
    async fn a_hello_without_end_is_given_up() {
        let endless = [22, 3, 1, 0xff, 0xff].into_iter().chain(std::iter::repeat_n(1, 0xffff));
        let endless: Vec<u8> = endless.collect();
        assert!(read_hello(&mut &endless[..]).await.unwrap().is_none());
    }
}
