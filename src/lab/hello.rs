//! Reads a ClientHello of any version off a connection, and keeps its bytes,
//! so that a TLS library can be given them after all.

use crate::tls::ClientHello;
use crate::tls::handshake::{HandshakeReader, HandshakeType};
use crate::tls::record::{ContentType, RecordReader};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes of a ClientHello that are read, its records' headers included.
const HELLO_BYTES_MAX: usize = 64 * 1024;
/// Length of a message's header, in bytes.
const MESSAGE_HEADER_BYTES: usize = 4;

/// A ClientHello that came in.
pub(super) struct Hello {
    /// What it offers.
    pub offer: ClientHello,
    /// Length of its message, header included.
    pub message_bytes: usize,
    /// All that was read of the connection.
    pub raw: Vec<u8>,
}

impl Hello {
    /// The name it asks for.
    pub(super) fn name(&self) -> Option<&str> {
        self.offer.sni.as_ref().map(|name| name.as_str())
    }
}

/// Reads one; `None` where the client leaves or says something else.
pub(super) async fn read_hello(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Hello>> {
    let mut records = RecordReader::default();
    let mut messages = HandshakeReader::default();
    let mut raw = Vec::new();
    let mut chunk = [0; 4096];
    while raw.len() < HELLO_BYTES_MAX {
        let count = stream.read(&mut chunk).await?;
        let mut input = chunk.get(..count).unwrap_or_default();
        if input.is_empty() {
            return Ok(None);
        }
        raw.extend_from_slice(input);
        loop {
            match records.next_record(&mut input) {
                Ok(Some(record)) if record.content_type == ContentType::HANDSHAKE => {
                    messages.receive(record.fragment);
                }
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return Ok(None),
            }
            match messages.next_message() {
                Ok(Some(message)) if message.handshake_type == HandshakeType::CLIENT_HELLO => {
                    let message_bytes = message.body.len() + MESSAGE_HEADER_BYTES;
                    let offer = ClientHello::decode(message.body).ok();
                    return Ok(offer.map(|offer| Hello { offer, message_bytes, raw }));
                }
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Ok(None),
            }
        }
    }
    Ok(None)
}
