//! ClientHello: the question, in every version from SSLv3 to TLS 1.3.

use super::extension::{Extension, ExtensionType, put_block, put_extension};
use super::handshake::{HandshakeType, put_message};
use super::record::{ContentType, put_records};
use super::wire::{TooLong, put_bytes, put_code_points, put_u16, put_vector};
use crate::model::{CipherSuite, MxHost, NamedGroup, ProtocolVersion, SignatureScheme};

/// The kind of name in SNI, the only one there is (RFC 6066 §3).
pub(super) const HOST_NAME: u8 = 0;

/// A share of the key exchange, as its group writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyShare {
    /// The group that the share belongs to.
    pub group: NamedGroup,
    /// The public value.
    pub key: Vec<u8>,
}

/// What a client offers. What is empty is not sent, except
/// [`Self::key_shares`], where an empty list is an offer of its own.
///
/// ```
/// use mxray::{CipherSuite, ProtocolVersion};
/// use mxray::hello::ClientHello;
/// let hello = ClientHello::new(ProtocolVersion::SSL3, [CipherSuite(0x0005)], [7; 32]);
/// let records = hello.to_records().unwrap();
/// assert_eq!(records[..11], [22, 3, 0, 0, 45, 1, 0, 0, 41, 3, 0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The newest version up to TLS 1.2; newer ones stand in
    /// [`Self::supported_versions`].
    pub legacy_version: ProtocolVersion,
    /// 32 bytes that should not repeat.
    pub random: [u8; 32],
    /// At most 32 bytes.
    pub session_id: Vec<u8>,
    /// Suites, best first.
    pub suites: Vec<CipherSuite>,
    /// Compression methods; only 0, none, is still answered.
    pub compressions: Vec<u8>,
    /// The name to ask for.
    pub sni: Option<MxHost>,
    /// Versions, best first, for servers that know TLS 1.3.
    pub supported_versions: Vec<ProtocolVersion>,
    /// Groups, best first.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes, best first.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Key shares; `Some` of none asks the server to name a group by a
    /// HelloRetryRequest (RFC 8446 §4.2.8).
    pub key_shares: Option<Vec<KeyShare>>,
    /// All other extensions, in their order.
    pub extensions: Vec<Extension>,
}

impl ClientHello {
    /// A hello of one version with what clients of that version send besides:
    /// from TLS 1.0 on the uncompressed points and the renegotiation
    /// extension without which some servers refuse, from TLS 1.3 on the
    /// version, no key share and the mode of pre-shared keys. SSLv3 knows no
    /// extensions, so there add only suites.
    ///
    /// Groups and, from TLS 1.2 on, signature schemes are for the caller to
    /// set: without them a server of TLS 1.2 may only sign with SHA-1
    /// (RFC 5246 §7.4.1.4.1), and one of TLS 1.3 cannot agree to anything.
    pub fn new(
        version: ProtocolVersion,
        suites: impl IntoIterator<Item = CipherSuite>,
        random: [u8; 32],
    ) -> Self {
        let tls13 = version >= ProtocolVersion::TLS13;
        let mut extensions = Vec::new();
        if version >= ProtocolVersion::TLS10 {
            extensions.push(Extension::new(ExtensionType::RENEGOTIATION_INFO, [0]));
            extensions.push(Extension::new(ExtensionType::EC_POINT_FORMATS, [1, 0]));
        }
        if tls13 {
            // psk_dhe_ke: some servers give no tickets without it.
            extensions.push(Extension::new(ExtensionType::PSK_KEY_EXCHANGE_MODES, [1, 1]));
        }
        Self {
            legacy_version: version.min(ProtocolVersion::TLS12),
            random,
            session_id: Vec::new(),
            suites: suites.into_iter().collect(),
            compressions: vec![0],
            sni: None,
            supported_versions: if tls13 { vec![version] } else { Vec::new() },
            groups: Vec::new(),
            signature_schemes: Vec::new(),
            key_shares: tls13.then(Vec::new),
            extensions,
        }
    }

    /// The handshake message.
    ///
    /// # Errors
    /// Where a list does not fit behind its length.
    pub fn to_message(&self) -> Result<Vec<u8>, TooLong> {
        let mut extensions = Vec::new();
        self.put_extensions(&mut extensions)?;
        let mut out = Vec::new();
        put_message(&mut out, HandshakeType::CLIENT_HELLO, |out| {
            put_u16(out, self.legacy_version.0);
            out.extend_from_slice(&self.random);
            put_bytes(out, 1, &self.session_id)?;
            put_code_points(out, 2, self.suites.iter().map(|suite| suite.0))?;
            put_bytes(out, 1, &self.compressions)?;
            put_block(out, &extensions)
        })?;
        Ok(out)
    }

    /// The message in its records, ready to be sent. Their version is TLS 1.0
    /// where the hello's is newer: some old servers look at no other (RFC 8446
    /// §5.1).
    ///
    /// # Errors
    /// Where a list does not fit behind its length.
    pub fn to_records(&self) -> Result<Vec<u8>, TooLong> {
        let message = self.to_message()?;
        let mut out = Vec::new();
        let version = self.legacy_version.min(ProtocolVersion::TLS10);
        put_records(&mut out, ContentType::HANDSHAKE, version, &message)?;
        Ok(out)
    }

    /// The raw extensions stand in the middle: some servers stumble over a
    /// hello whose last extension is empty.
    fn put_extensions(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        if let Some(name) = &self.sni {
            put_extension(out, ExtensionType::SERVER_NAME, |out| {
                put_vector(out, 2, |out| {
                    out.push(HOST_NAME);
                    put_bytes(out, 2, name.as_str().as_bytes())
                })
            })?;
        }
        for extension in &self.extensions {
            put_u16(out, extension.extension_type.0);
            put_bytes(out, 2, &extension.body)?;
        }
        let groups = self.groups.iter().map(|group| group.0);
        put_list(out, ExtensionType::SUPPORTED_GROUPS, 2, groups)?;
        let schemes = self.signature_schemes.iter().map(|scheme| scheme.0);
        put_list(out, ExtensionType::SIGNATURE_ALGORITHMS, 2, schemes)?;
        let versions = self.supported_versions.iter().map(|version| version.0);
        put_list(out, ExtensionType::SUPPORTED_VERSIONS, 1, versions)?;
        if let Some(shares) = &self.key_shares {
            put_extension(out, ExtensionType::KEY_SHARE, |out| {
                put_vector(out, 2, |out| shares.iter().try_for_each(|share| put_share(out, share)))
            })?;
        }
        Ok(())
    }
}

/// Appends an extension that is one list of code points, if there are any.
fn put_list(
    out: &mut Vec<u8>,
    extension_type: ExtensionType,
    width: usize,
    codes: impl ExactSizeIterator<Item = u16>,
) -> Result<(), TooLong> {
    if codes.len() == 0 {
        return Ok(());
    }
    put_extension(out, extension_type, |out| put_code_points(out, width, codes))
}

fn put_share(out: &mut Vec<u8>, share: &KeyShare) -> Result<(), TooLong> {
    put_u16(out, share.group.0);
    put_bytes(out, 2, &share.key)
}

#[cfg(test)]
#[path = "client_hello_tests.rs"]
mod tests;
