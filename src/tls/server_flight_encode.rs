//! Writing a server's flight in clear: for tests, and for a server that
//! answers by script. No key is computed and nothing is signed here.

use super::alert::Alert;
use super::extension::{Extension, ExtensionType};
use super::handshake::{HandshakeType, put_message};
use super::record::{ContentType, put_records};
use super::server_flight::{CertificateMessage, CertificateRequest, KeyExchangeForm, form};
use super::server_hello::{HELLO_RETRY_RANDOM, ServerHello};
use super::server_share::ServerShare;
use super::wire::{TooLong, put_bytes, put_code_points, put_u16, put_vector};
use crate::model::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

/// ECCurveType `named_curve` (RFC 8422 §5.4).
const NAMED_CURVE: u8 = 3;
/// The least a DistinguishedName can be: an empty SEQUENCE.
const EMPTY_NAME: [u8; 2] = [0x30, 0x00];

/// All that a server says in clear when it agrees, in the order of RFC 5246
/// §7.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFlight {
    /// What it chose. From TLS 1.3 on nothing else is in clear.
    pub hello: ServerHello,
    /// Its certificates; none for an anonymous suite.
    pub chain: Option<CertificateMessage>,
    /// Its share of an ephemeral key exchange.
    pub share: Option<SignedShare>,
    /// What it asks of a client certificate.
    pub certificate_request: Option<CertificateRequest>,
}

/// A ServerKeyExchange with what it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedShare {
    /// The public value.
    pub share: ServerShare,
    /// Written from TLS 1.2 on.
    pub scheme: SignatureScheme,
    /// The signature as it stands there; left out where the suite has none.
    pub signature: Vec<u8>,
}

impl ServerHello {
    /// A hello up to TLS 1.2, without extensions.
    pub fn new(version: ProtocolVersion, suite: CipherSuite, random: [u8; 32]) -> Self {
        Self {
            legacy_version: version.min(ProtocolVersion::TLS12),
            random,
            session_id: Vec::new(),
            suite,
            compression: 0,
            extensions: Vec::new(),
        }
    }

    /// A hello of TLS 1.3 with its key share.
    ///
    /// # Errors
    /// Where the key does not fit behind its length.
    pub fn tls13(
        suite: CipherSuite,
        random: [u8; 32],
        group: NamedGroup,
        key: &[u8],
    ) -> Result<Self, TooLong> {
        let mut share = group.0.to_be_bytes().to_vec();
        put_bytes(&mut share, 2, key)?;
        Ok(Self::with_share(suite, random, share))
    }

    /// A HelloRetryRequest for a share of `group` (RFC 8446 §4.1.4).
    pub fn retry(suite: CipherSuite, group: NamedGroup) -> Self {
        Self::with_share(suite, HELLO_RETRY_RANDOM, group.0.to_be_bytes().to_vec())
    }

    fn with_share(suite: CipherSuite, random: [u8; 32], share: Vec<u8>) -> Self {
        let version = ProtocolVersion::TLS13.0.to_be_bytes();
        let extensions = vec![
            Extension::new(ExtensionType::SUPPORTED_VERSIONS, version),
            Extension::new(ExtensionType::KEY_SHARE, share),
        ];
        Self { extensions, ..Self::new(ProtocolVersion::TLS13, suite, random) }
    }
}

impl CertificateMessage {
    /// The handshake message in its form up to TLS 1.2. Certificates beyond
    /// the limit were not kept and are not written.
    ///
    /// # Errors
    /// Where a certificate or all of them do not fit behind their length.
    pub fn to_message(&self) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::new();
        put_message(&mut out, HandshakeType::CERTIFICATE, |out| {
            put_vector(out, 3, |out| self.certificates.iter().try_for_each(|der| put_bytes(out, 3, der)))
        })?;
        Ok(out)
    }
}

impl SignedShare {
    /// The ServerKeyExchange message, in the form of version and suite
    /// (RFC 5246 §7.4.3, RFC 8422 §5.4). A suite with pre-shared keys gets an
    /// empty hint before it.
    ///
    /// # Errors
    /// Where a value does not fit behind its length.
    pub fn to_message(&self, version: ProtocolVersion, suite: CipherSuite) -> Result<Vec<u8>, TooLong> {
        let (_, hint, signed) = form(suite);
        let mut out = Vec::new();
        put_message(&mut out, HandshakeType::SERVER_KEY_EXCHANGE, |out| {
            if hint {
                put_bytes(out, 2, &[])?;
            }
            self.share.put(out)?;
            if signed && version >= ProtocolVersion::TLS12 {
                put_u16(out, self.scheme.0);
            }
            if signed { put_bytes(out, 2, &self.signature) } else { Ok(()) }
        })?;
        Ok(out)
    }
}

impl ServerShare {
    /// The parameters as they stand in the message, over which the server
    /// signs (RFC 5246 §7.4.3).
    ///
    /// # Errors
    /// Where a value does not fit behind its length.
    pub fn params(&self) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::new();
        self.put(&mut out)?;
        Ok(out)
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        match self {
            ServerShare::Group { group, public } => {
                out.push(NAMED_CURVE);
                put_u16(out, group.0);
                put_bytes(out, 1, public)
            }
            ServerShare::Dh { prime, generator, public } => {
                [prime, generator, public].into_iter().try_for_each(|number| put_bytes(out, 2, number))
            }
            ServerShare::ExportRsa { modulus, exponent } => {
                [modulus, exponent].into_iter().try_for_each(|number| put_bytes(out, 2, number))
            }
        }
    }
}

/// What a server's ServerKeyExchange is about, by its suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareKind {
    /// A group by name.
    Group,
    /// Diffie-Hellman with a prime of the server's.
    Dh,
    /// A short RSA key.
    ExportRsa,
}

impl ShareKind {
    /// Of this suite; `None` where the server has no share of its own, or none
    /// that is known here.
    pub fn of(suite: CipherSuite) -> Option<Self> {
        match form(suite).0 {
            KeyExchangeForm::Ecdh => Some(ShareKind::Group),
            KeyExchangeForm::Dh => Some(ShareKind::Dh),
            KeyExchangeForm::ExportRsa => Some(ShareKind::ExportRsa),
            KeyExchangeForm::Other => None,
        }
    }
}

impl CertificateRequest {
    /// The handshake message in its form up to TLS 1.2, with as many empty
    /// names as there are authorities.
    ///
    /// # Errors
    /// Where a list does not fit behind its length.
    pub fn to_message(&self, version: ProtocolVersion) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::new();
        put_message(&mut out, HandshakeType::CERTIFICATE_REQUEST, |out| {
            put_bytes(out, 1, &self.certificate_types)?;
            if version >= ProtocolVersion::TLS12 {
                put_code_points(out, 2, self.signature_schemes.iter().map(|scheme| scheme.0))?;
            }
            put_vector(out, 2, |out| (0..self.authorities).try_for_each(|_| put_bytes(out, 2, &EMPTY_NAME)))
        })?;
        Ok(out)
    }
}

impl ServerFlight {
    /// The whole flight in its records, up to and with ServerHelloDone.
    ///
    /// # Errors
    /// Where something does not fit behind its length.
    pub fn to_records(&self) -> Result<Vec<u8>, TooLong> {
        let (version, suite) = (self.hello.version(), self.hello.suite);
        let mut messages = self.hello.to_message()?;
        if version < ProtocolVersion::TLS13 {
            if let Some(chain) = &self.chain {
                messages.extend(chain.to_message()?);
            }
            if let Some(share) = &self.share {
                messages.extend(share.to_message(version, suite)?);
            }
            if let Some(request) = &self.certificate_request {
                messages.extend(request.to_message(version)?);
            }
            put_message(&mut messages, HandshakeType::SERVER_HELLO_DONE, |_| Ok(()))?;
        }
        let mut out = Vec::new();
        put_records(&mut out, ContentType::HANDSHAKE, self.hello.legacy_version, &messages)?;
        Ok(out)
    }
}

impl Alert {
    /// The alert in a record of its own.
    pub fn to_record(self, version: ProtocolVersion) -> [u8; 7] {
        let [major, minor] = version.0.to_be_bytes();
        [ContentType::ALERT.0, major, minor, 0, 2, self.level.0, self.description.0]
    }
}

#[cfg(test)]
#[path = "server_flight_encode_tests.rs"]
mod tests;
