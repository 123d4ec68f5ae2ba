//! What a ClientHello offers, as far as a server by script looks at it. It is
//! read here and not by the reader of the scanner: a fault of that would be the
//! same on both sides, and nobody would see it.

use crate::model::registry::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

/// server_name (RFC 6066 §3).
const SERVER_NAME: u16 = 0;
/// supported_groups (RFC 8422 §5.1.1, RFC 8446 §4.2.7).
const SUPPORTED_GROUPS: u16 = 10;
/// signature_algorithms (RFC 8446 §4.2.3).
const SIGNATURE_ALGORITHMS: u16 = 13;
/// supported_versions (RFC 8446 §4.2.1).
const SUPPORTED_VERSIONS: u16 = 43;
/// key_share (RFC 8446 §4.2.8).
const KEY_SHARE: u16 = 51;
/// renegotiation_info (RFC 5746 §3.2).
const RENEGOTIATION_INFO: u16 = 0xff01;
/// The signal that stands for it among the suites (RFC 5746 §3.3).
const EMPTY_RENEGOTIATION_INFO_SCSV: CipherSuite = CipherSuite(0x00ff);

/// What a client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientOffer {
    /// The version up to TLS 1.2.
    pub legacy_version: ProtocolVersion,
    /// The client's random.
    pub random: [u8; 32],
    /// What a server of TLS 1.3 echoes.
    pub session_id: Vec<u8>,
    /// Suites, best first.
    pub suites: Vec<CipherSuite>,
    /// The name that is asked for.
    pub name: Option<String>,
    /// Versions, best first, for servers that know TLS 1.3.
    pub supported_versions: Vec<ProtocolVersion>,
    /// Groups, best first.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes, best first.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Groups of which a key share came along.
    pub shared_groups: Vec<NamedGroup>,
    /// Whether renegotiation_info is there, or the signal in its place.
    pub renegotiation_info: bool,
}

impl ClientOffer {
    /// Nothing but a version.
    pub(super) fn new(legacy_version: ProtocolVersion) -> Self {
        Self {
            legacy_version,
            random: [0; 32],
            session_id: Vec::new(),
            suites: Vec::new(),
            name: None,
            supported_versions: Vec::new(),
            groups: Vec::new(),
            signature_schemes: Vec::new(),
            shared_groups: Vec::new(),
            renegotiation_info: false,
        }
    }

    /// Reads the body of the message (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2);
    /// `None` where a length leads out of it or bytes are left over. Of two
    /// extensions of a kind the last counts.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body;
        let mut offer = Self::new(ProtocolVersion(number(&mut rest, 2)?));
        offer.random = take(&mut rest, 32)?.try_into().ok()?;
        offer.session_id = vector(&mut rest, 1)?.to_vec();
        offer.suites = codes(vector(&mut rest, 2)?)?.map(CipherSuite).collect();
        offer.renegotiation_info = offer.suites.contains(&EMPTY_RENEGOTIATION_INFO_SCSV);
        // Only 0, none, is still among the compressions.
        vector(&mut rest, 1)?;
        if rest.is_empty() {
            return Some(offer);
        }
        let mut extensions = vector(&mut rest, 2)?;
        while !extensions.is_empty() {
            let extension = number(&mut extensions, 2)?;
            offer.read_extension(extension, vector(&mut extensions, 2)?)?;
        }
        rest.is_empty().then_some(offer)
    }

    fn read_extension(&mut self, extension: u16, mut body: &[u8]) -> Option<()> {
        match extension {
            SERVER_NAME => self.name = read_name(&mut body)?,
            SUPPORTED_GROUPS => self.groups = codes(vector(&mut body, 2)?)?.map(NamedGroup).collect(),
            SIGNATURE_ALGORITHMS => {
                self.signature_schemes = codes(vector(&mut body, 2)?)?.map(SignatureScheme).collect();
            }
            SUPPORTED_VERSIONS => {
                self.supported_versions = codes(vector(&mut body, 1)?)?.map(ProtocolVersion).collect();
            }
            KEY_SHARE => {
                let mut shares = vector(&mut body, 2)?;
                while !shares.is_empty() {
                    self.shared_groups.push(NamedGroup(number(&mut shares, 2)?));
                    vector(&mut shares, 2)?;
                }
            }
            RENEGOTIATION_INFO => self.renegotiation_info = true,
            _ => {}
        }
        Some(())
    }

    /// Whether a server takes `version` to be offered. One that knows
    /// supported_versions looks there and nowhere else (RFC 8446 §4.2.1); an
    /// older one believes that all versions up to the legacy one are.
    pub(super) fn offers(&self, version: ProtocolVersion, knows_supported_versions: bool) -> bool {
        if knows_supported_versions && !self.supported_versions.is_empty() {
            self.supported_versions.contains(&version)
        } else {
            version <= self.legacy_version
        }
    }
}

/// The host name, which is of kind 0.
fn read_name(body: &mut &[u8]) -> Option<Option<String>> {
    let mut names = vector(body, 2)?;
    let kind = number(&mut names, 1)?;
    let name = String::from_utf8(vector(&mut names, 2)?.to_vec()).ok()?;
    Some((kind == 0).then_some(name))
}

/// So many bytes from the front.
pub(super) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (front, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(front)
}

/// A number of one or two bytes.
fn number(rest: &mut &[u8], bytes: usize) -> Option<u16> {
    Some(take(rest, bytes)?.iter().fold(0, |number, byte| number << 8 | u16::from(*byte)))
}

/// What stands behind a length of so many bytes.
fn vector<'a>(rest: &mut &'a [u8], length_bytes: usize) -> Option<&'a [u8]> {
    let length = number(rest, length_bytes)?;
    take(rest, length.into())
}

/// Code points of two bytes each.
fn codes(list: &[u8]) -> Option<impl Iterator<Item = u16>> {
    let (pairs, odd) = list.as_chunks::<2>();
    odd.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::ClientConnection;
    use rustls::crypto::aws_lc_rs;
    use std::sync::Arc;

    /// What rustls says first, without the headers of record and message.
    fn said_by_rustls() -> Vec<u8> {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let name = "mx.example".try_into().unwrap();
        let mut said = Vec::new();
        ClientConnection::new(Arc::new(config), name).unwrap().write_tls(&mut said).unwrap();
        said.split_off(9)
    }

    #[test]
    fn what_rustls_offers_is_read_as_rustls_offers_it() {
        let offer = ClientOffer::read(&said_by_rustls()).unwrap();
        let provider = aws_lc_rs::default_provider();
        let suites: Vec<u16> = provider.cipher_suites.iter().map(|suite| suite.suite().into()).collect();
        let groups: Vec<u16> = provider.kx_groups.iter().map(|group| group.name().into()).collect();
        let read: Vec<u16> = offer.suites.iter().map(|suite| suite.0).collect();
        assert_eq!(read[..suites.len()], suites);
        assert_eq!(offer.groups.iter().map(|group| group.0).collect::<Vec<_>>(), groups);
        assert_eq!(offer.name.as_deref(), Some("mx.example"));
        assert_eq!(offer.legacy_version, ProtocolVersion::TLS12);
        assert_eq!(offer.supported_versions, [ProtocolVersion::TLS13, ProtocolVersion::TLS12]);
        assert!(offer.renegotiation_info && offer.signature_schemes.contains(&SignatureScheme(0x0804)));
        assert!(!offer.shared_groups.is_empty() && offer.session_id.len() == 32);
    }

    /// A hello of SSLv3 has no extensions.
    #[test]
    fn a_hello_that_is_cut_off_anywhere_is_none() {
        let whole = said_by_rustls();
        let bare_end = 2 + 32 + 1 + 32 + 2 + usize::from(u16::from_be_bytes([whole[67], whole[68]])) + 2;
        for end in 0..whole.len() {
            assert_eq!(ClientOffer::read(&whole[..end]).is_some(), end == bare_end, "{end}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(ClientOffer::read(&longer), None);
    }
}
