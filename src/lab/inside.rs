//! What a server says inside TLS that no library would send: records sealed by
//! hand with the keys of a handshake that a library finished.
//!
//! The library gives its keys away at the client's first command, and has no
//! part in the connection from then on. No client is read after that: what
//! comes is told apart by the type of its records only.

use super::step::{Prepared, STEP_BYTES_MAX, Step};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::{ConnectionTrafficSecrets, ProtocolVersion, ServerConnection};
use serde::Deserialize;
use std::io::{self, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes that are said at once.
pub const INSIDE_BYTES_MAX: usize = 4 << 20;

const HEADER_BYTES: usize = 5;
const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// The part of a nonce of TLS 1.2 that is not in the record (RFC 5288 §3).
const SALT_BYTES: usize = 4;
const APPLICATION_DATA: u8 = 23;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inside {
    pub content: Content,
    /// Each repetition is a record. Of the rest of a step nothing counts.
    #[serde(default)]
    pub what: Step,
}

/// As what something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Records of handshake messages.
    Handshake,
    /// Records of alerts.
    Alert,
    /// Records of data.
    ApplicationData,
    /// In clear, without a record.
    Clear,
    /// A KeyUpdate that asks for one (RFC 8446 §4.6.3), by the library; it
    /// comes before all else.
    KeyUpdate,
}

/// Whether all of it can be said.
pub(super) fn check(all: &[Inside]) -> Result<(), String> {
    let mut bytes = 0_usize;
    for inside in all {
        inside.what.check()?;
        let times = inside.what.repeat.max(1) as usize;
        bytes = bytes.saturating_add(times.saturating_mul(STEP_BYTES_MAX.min(inside.what.bytes_max() + 64)));
    }
    if bytes > INSIDE_BYTES_MAX { Err("too much is said inside TLS".into()) } else { Ok(()) }
}

/// What is said, ready to be sealed.
#[derive(Debug)]
pub(super) struct PreparedInside(Vec<(Content, Prepared)>);

impl PreparedInside {
    pub(super) fn new(all: &[Inside], host: &str) -> Self {
        Self(all.iter().map(|inside| (inside.content, inside.what.prepare(host))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has the library say what only it can.
    pub(super) fn by_library(&self, connection: &mut ServerConnection) {
        for (_, step) in self.0.iter().filter(|(content, _)| *content == Content::KeyUpdate) {
            for _ in 0..step.times {
                // TLS 1.2 has none.
                let _ = connection.refresh_traffic_keys();
            }
        }
    }

    /// All else, sealed.
    pub(super) fn sealed(&self, sealer: &mut Sealer) -> Vec<u8> {
        let mut out = Vec::new();
        for (content, step) in &self.0 {
            for _ in 0..step.times {
                match content {
                    Content::Handshake => sealer.seal(HANDSHAKE, &step.bytes, &mut out),
                    Content::Alert => sealer.seal(ALERT, &step.bytes, &mut out),
                    Content::ApplicationData => sealer.seal(APPLICATION_DATA, &step.bytes, &mut out),
                    Content::Clear => out.extend_from_slice(&step.bytes),
                    Content::KeyUpdate => {}
                }
            }
        }
        out
    }
}

/// Seals records by AES-256-GCM, the suite of all servers of the lab that are
/// not told to have another.
pub(super) struct Sealer {
    key: LessSafeKey,
    iv: [u8; NONCE_BYTES],
    sequence: u64,
    tls13: bool,
}

impl Sealer {
    /// Takes over from the library.
    ///
    /// # Errors
    /// Where the suite is another, or the handshake was not finished.
    pub(super) fn new(connection: ServerConnection) -> io::Result<Self> {
        let tls13 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let secrets = connection.dangerous_extract_secrets().map_err(io::Error::other)?;
        let (sequence, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
            return Err(ErrorKind::Unsupported.into());
        };
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(io::Error::other)?;
        let iv = iv.as_ref().try_into().map_err(io::Error::other)?;
        Ok(Self { key: LessSafeKey::new(key), iv, sequence, tls13 })
    }

    /// Appends one record, whatever its length (RFC 8446 §5.2, RFC 5288 §3).
    pub(super) fn seal(&mut self, content_type: u8, fragment: &[u8], out: &mut Vec<u8>) {
        let mut nonce = self.iv;
        for (byte, of) in nonce.iter_mut().skip(SALT_BYTES).zip(self.sequence.to_be_bytes()) {
            *byte ^= of;
        }
        let (outer, explicit, mut inner) = if self.tls13 {
            (APPLICATION_DATA, &[][..], [fragment, &[content_type]].concat())
        } else {
            (content_type, nonce.get(SALT_BYTES..).unwrap_or_default(), fragment.to_vec())
        };
        let length = u16::try_from(explicit.len() + inner.len() + TAG_BYTES).unwrap_or(u16::MAX);
        let header = [&[outer, 3, 3][..], &length.to_be_bytes()].concat();
        let plain_length = u16::try_from(inner.len()).unwrap_or(u16::MAX).to_be_bytes();
        let additional = if self.tls13 {
            header.clone()
        } else {
            [&self.sequence.to_be_bytes()[..], &[outer, 3, 3], &plain_length].concat()
        };
        let unique = Nonce::assume_unique_for_key(nonce);
        // It fails for more than 64 GiB only.
        let sealed = self.key.seal_in_place_append_tag(unique, Aad::from(additional), &mut inner);
        debug_assert!(sealed.is_ok());
        out.extend_from_slice(&header);
        out.extend_from_slice(explicit);
        out.extend_from_slice(&inner);
        self.sequence += 1;
    }

    /// Lines of a reply, and close_notify where it is the last.
    pub(super) fn reply(&mut self, bytes: &[u8], last: bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.seal(APPLICATION_DATA, bytes, &mut out);
        if last {
            self.seal(ALERT, &[1, 0], &mut out);
        }
        out
    }
}

/// Waits for a record of data; `false` at the end of the stream.
pub(super) async fn next_data(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; HEADER_BYTES];
        match stream.read_exact(&mut header).await {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            read => read.map(|_| ())?,
        }
        let [content_type, _, _, high, low] = header;
        body.resize(usize::from(u16::from_be_bytes([high, low])), 0);
        stream.read_exact(&mut body).await?;
        if content_type == APPLICATION_DATA {
            return Ok(true);
        }
    }
}
