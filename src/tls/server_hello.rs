//! ServerHello and HelloRetryRequest: what the server chose. Both have one
//! form; the random tells them apart (RFC 8446 §4.1.3).

use super::extension::{Extension, ExtensionType, put_block, read_extension};
use super::handshake::{HandshakeType, put_message};
use super::wire::{Malformed, MessageReader, TooLong, put_bytes, put_u16};
use crate::model::{CipherSuite, DowngradeMark, NamedGroup, ProtocolVersion};

/// The random of a HelloRetryRequest (RFC 8446 §4.1.3).
pub const HELLO_RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Length of what the end of a random says, in bytes (RFC 8446 §4.1.3).
pub const MARK_BYTES: usize = 8;

/// What the server chose. No choice is held against an offer here: that is
/// for whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The version of TLS 1.2 and older; see [`Self::version`].
    pub legacy_version: ProtocolVersion,
    /// The server's random, which may be that of a retry.
    pub random: [u8; 32],
    /// The session id, in TLS 1.3 the client's.
    pub session_id: Vec<u8>,
    /// The suite that the server chose.
    pub suite: CipherSuite,
    /// The compression method.
    pub compression: u8,
    /// All extensions, raw, in their order.
    pub extensions: Vec<Extension>,
}

impl ServerHello {
    /// Reads the body of the message. Without extensions it may end before
    /// their length, as it always did up to TLS 1.2.
    ///
    /// # Errors
    /// Where a length leads out of the message, bytes are left over, or what
    /// names version and group cannot be read.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new("ServerHello", body);
        let mut hello = Self {
            legacy_version: ProtocolVersion(reader.u16()?),
            random: reader.array()?,
            session_id: reader.vector(1)?.remaining().to_vec(),
            suite: CipherSuite(reader.u16()?),
            compression: reader.u8()?,
            extensions: Vec::new(),
        };
        if !reader.is_empty() {
            let mut block = reader.vector(2)?;
            while !block.is_empty() {
                let (extension_type, body) = read_extension(&mut block)?;
                hello.extensions.push(Extension::new(extension_type, body.remaining()));
            }
        }
        reader.finish()?;
        if hello.find(ExtensionType::SUPPORTED_VERSIONS).is_some_and(|body| body.len() != 2) {
            return Err(reader.malformed("supported_versions is no version"));
        }
        if hello.find(ExtensionType::KEY_SHARE).is_some_and(|body| !is_share(body, hello.is_hello_retry())) {
            return Err(reader.malformed("key_share is no share"));
        }
        Ok(hello)
    }

    /// The handshake message.
    ///
    /// # Errors
    /// Where something does not fit behind its length.
    pub fn to_message(&self) -> Result<Vec<u8>, TooLong> {
        let mut extensions = Vec::new();
        for extension in &self.extensions {
            put_u16(&mut extensions, extension.extension_type.0);
            put_bytes(&mut extensions, 2, &extension.body)?;
        }
        let mut out = Vec::new();
        put_message(&mut out, HandshakeType::SERVER_HELLO, |out| {
            put_u16(out, self.legacy_version.0);
            out.extend_from_slice(&self.random);
            put_bytes(out, 1, &self.session_id)?;
            put_u16(out, self.suite.0);
            out.push(self.compression);
            put_block(out, &extensions)
        })?;
        Ok(out)
    }

    /// The version chosen, wherever it stands.
    pub fn version(&self) -> ProtocolVersion {
        self.code_point(ExtensionType::SUPPORTED_VERSIONS).map_or(self.legacy_version, ProtocolVersion)
    }

    /// Whether it answers the renegotiation extension, be it that it asks for
    /// one or for the signal that stands for it (RFC 5746 §3.4).
    pub fn has_renegotiation_info(&self) -> bool {
        self.find(ExtensionType::RENEGOTIATION_INFO).is_some()
    }

    /// Whether this is a HelloRetryRequest.
    pub fn is_hello_retry(&self) -> bool {
        self.random == HELLO_RETRY_RANDOM
    }

    /// The group of the server's key share, or the one that a retry asks for.
    pub fn group(&self) -> Option<NamedGroup> {
        self.code_point(ExtensionType::KEY_SHARE).map(NamedGroup)
    }

    /// What the random says of newer versions that the server speaks.
    pub fn downgrade_mark(&self) -> DowngradeMark {
        self.random.last_chunk().map_or(DowngradeMark::None, mark_of)
    }

    pub(super) fn find(&self, extension_type: ExtensionType) -> Option<&[u8]> {
        let found = self.extensions.iter().find(|extension| extension.extension_type == extension_type)?;
        Some(&found.body)
    }

    /// The number that an extension begins with.
    fn code_point(&self, extension_type: ExtensionType) -> Option<u16> {
        let bytes = self.find(extension_type)?.first_chunk()?;
        Some(u16::from_be_bytes(*bytes))
    }
}

/// What the last bytes of a server's random say (RFC 8446 §4.1.3).
pub(super) fn mark_of(end: &[u8; MARK_BYTES]) -> DowngradeMark {
    match end {
        b"DOWNGRD\x01" => DowngradeMark::Tls12,
        b"DOWNGRD\x00" => DowngradeMark::Tls11,
        _ => DowngradeMark::None,
    }
}

/// The bytes that say it, the other way round.
pub fn end_of_random(mark: DowngradeMark) -> Option<[u8; MARK_BYTES]> {
    match mark {
        DowngradeMark::None => None,
        DowngradeMark::Tls12 => Some(*b"DOWNGRD\x01"),
        DowngradeMark::Tls11 => Some(*b"DOWNGRD\x00"),
    }
}

/// Whether this names a group and, but in a retry, has a key for it.
fn is_share(body: &[u8], retry: bool) -> bool {
    let mut reader = MessageReader::new("key_share", body);
    let named = reader.u16().is_ok() && (retry || reader.vector(2).is_ok());
    named && reader.is_empty()
}

#[cfg(test)]
#[path = "server_hello_tests.rs"]
mod tests;
