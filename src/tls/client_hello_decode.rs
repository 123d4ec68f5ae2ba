//! Reading a ClientHello: for tests, and for users of the library.

use super::client_hello::{ClientHello, HOST_NAME, KeyShare};
use super::extension::{Extension, ExtensionType, read_extension};
use super::wire::{Malformed, MessageReader};
use crate::model::{CipherSuite, MxHost, NamedGroup, ProtocolVersion, SignatureScheme};

/// Most bytes of a session id (RFC 8446 §4.1.2).
const SESSION_ID_BYTES_MAX: usize = 32;

impl ClientHello {
    /// Reads the body of the message. What [`Self::to_message`] writes is read
    /// as what was written, unless it has two extensions of a kind.
    ///
    /// An extension that is known but cannot be read stays among the raw ones,
    /// and so does the second of a kind.
    ///
    /// # Errors
    /// Where a length leads out of the message or bytes are left over.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new("ClientHello", body);
        let legacy_version = ProtocolVersion(reader.u16()?);
        let random = reader.array()?;
        let session_id = reader.vector(1)?.remaining().to_vec();
        if session_id.len() > SESSION_ID_BYTES_MAX {
            return Err(reader.malformed("the session id is too long"));
        }
        let suites = reader.vector(2)?.code_points()?.map(CipherSuite).collect();
        let compressions = reader.vector(1)?.remaining().to_vec();
        let mut hello = Self {
            legacy_version,
            random,
            session_id,
            suites,
            compressions,
            sni: None,
            supported_versions: Vec::new(),
            groups: Vec::new(),
            signature_schemes: Vec::new(),
            key_shares: None,
            extensions: Vec::new(),
        };
        if !reader.is_empty() {
            let mut block = reader.vector(2)?;
            while !block.is_empty() {
                let (extension_type, body) = read_extension(&mut block)?;
                hello.keep(extension_type, body);
            }
        }
        reader.finish()?;
        Ok(hello)
    }

    /// Whether a server takes `version` to be offered. One that knows
    /// supported_versions looks there and nowhere else (RFC 8446 §4.2.1); an
    /// older one believes that all versions up to the legacy one are.
    pub fn offers(&self, version: ProtocolVersion, knows_supported_versions: bool) -> bool {
        if knows_supported_versions && !self.supported_versions.is_empty() {
            self.supported_versions.contains(&version)
        } else {
            version <= self.legacy_version
        }
    }

    /// Puts an extension where it belongs.
    fn keep(&mut self, extension_type: ExtensionType, body: MessageReader<'_>) {
        let known = match extension_type {
            ExtensionType::SERVER_NAME if self.sni.is_none() => {
                self.sni = read_sni(body);
                self.sni.is_some()
            }
            ExtensionType::SUPPORTED_GROUPS => read_list(body, 2, &mut self.groups, NamedGroup),
            ExtensionType::SIGNATURE_ALGORITHMS => {
                read_list(body, 2, &mut self.signature_schemes, SignatureScheme)
            }
            ExtensionType::SUPPORTED_VERSIONS => {
                read_list(body, 1, &mut self.supported_versions, ProtocolVersion)
            }
            ExtensionType::KEY_SHARE if self.key_shares.is_none() => {
                self.key_shares = read_shares(body).ok();
                self.key_shares.is_some()
            }
            _ => false,
        };
        if !known {
            self.extensions.push(Extension::new(extension_type, body.remaining()));
        }
    }
}

/// Reads a list of code points into `list`, if that is still empty; whether
/// there were any.
fn read_list<T>(mut body: MessageReader<'_>, width: usize, list: &mut Vec<T>, code: fn(u16) -> T) -> bool {
    let Ok(codes) = body.vector(width).and_then(MessageReader::code_points) else { return false };
    if list.is_empty() && body.is_empty() {
        list.extend(codes.map(code));
        return !list.is_empty();
    }
    false
}

/// The one host name, if it is written as we write it.
fn read_sni(mut body: MessageReader<'_>) -> Option<MxHost> {
    let mut names = body.vector(2).ok()?;
    let kind = names.u8().ok()?;
    let text = str::from_utf8(names.vector(2).ok()?.remaining()).ok()?;
    let name = MxHost::new(text);
    (kind == HOST_NAME && names.is_empty() && body.is_empty() && name.as_str() == text).then_some(name)
}

fn read_shares(mut body: MessageReader<'_>) -> Result<Vec<KeyShare>, Malformed> {
    let mut list = body.vector(2)?;
    body.finish()?;
    let mut shares = Vec::new();
    while !list.is_empty() {
        shares.push(read_share(&mut list)?);
    }
    Ok(shares)
}

fn read_share(list: &mut MessageReader<'_>) -> Result<KeyShare, Malformed> {
    Ok(KeyShare { group: NamedGroup(list.u16()?), key: list.vector(2)?.remaining().to_vec() })
}
