//! Extensions as both hellos carry them: a type and what it says, raw until
//! someone knows how to read it.

use super::wire::{Malformed, MessageReader, TooLong, put_bytes, put_u16, put_vector};

/// Code point of an extension (IANA "TLS ExtensionType Values").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionType(pub u16);

impl ExtensionType {
    /// The name that the client wants to reach (RFC 6066 §3).
    pub const SERVER_NAME: Self = Self(0);
    /// Groups for the key exchange (RFC 8446 §4.2.7).
    pub const SUPPORTED_GROUPS: Self = Self(10);
    /// Forms of points on curves (RFC 8422 §5.1.2).
    pub const EC_POINT_FORMATS: Self = Self(11);
    /// Signature schemes (RFC 8446 §4.2.3).
    pub const SIGNATURE_ALGORITHMS: Self = Self(13);
    /// Protocols above TLS (RFC 7301 §3.1).
    pub const ALPN: Self = Self(16);
    /// A ticket of an earlier session (RFC 5077 §3.2).
    pub const SESSION_TICKET: Self = Self(35);
    /// Keys of earlier sessions (RFC 8446 §4.2.11).
    pub const PRE_SHARED_KEY: Self = Self(41);
    /// The versions themselves, from TLS 1.3 on (RFC 8446 §4.2.1).
    pub const SUPPORTED_VERSIONS: Self = Self(43);
    /// What a HelloRetryRequest wants to see again (RFC 8446 §4.2.2).
    pub const COOKIE: Self = Self(44);
    /// How pre-shared keys may be used (RFC 8446 §4.2.9).
    pub const PSK_KEY_EXCHANGE_MODES: Self = Self(45);
    /// Shares of the key exchange (RFC 8446 §4.2.8).
    pub const KEY_SHARE: Self = Self(51);
    /// Secure renegotiation (RFC 5746).
    pub const RENEGOTIATION_INFO: Self = Self(0xff01);
}

/// One extension, raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its code point.
    pub extension_type: ExtensionType,
    /// `extension_data` without its length (RFC 8446 §4.2).
    pub body: Vec<u8>,
}

impl Extension {
    /// An extension with these bytes in it.
    pub fn new(extension_type: ExtensionType, body: impl Into<Vec<u8>>) -> Self {
        Self { extension_type, body: body.into() }
    }
}

/// Appends one extension.
pub(super) fn put_extension(
    out: &mut Vec<u8>,
    extension_type: ExtensionType,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    put_u16(out, extension_type.0);
    put_vector(out, 2, write)
}

/// Appends the block of all extensions; nothing at all where there are none,
/// which is the only form that every version understands.
pub(super) fn put_block(out: &mut Vec<u8>, extensions: &[u8]) -> Result<(), TooLong> {
    if extensions.is_empty() { Ok(()) } else { put_bytes(out, 2, extensions) }
}

/// The next extension of a block.
pub(super) fn read_extension<'a>(
    block: &mut MessageReader<'a>,
) -> Result<(ExtensionType, MessageReader<'a>), Malformed> {
    Ok((ExtensionType(block.u16()?), block.vector(2)?))
}
