//! The listener's own handshake: what rustls needs, and what is told of it.

use super::client_certificates::ClientCertificates;
use crate::model::inbound::{InboundTls, InboundTlsFailure, ReceivedOffer};
use crate::model::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};
use crate::tls::{TlsServer, TlsServerFault, TlsServerManner};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCert, StoresServerSessions};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{HandshakeKind, PeerIncompatible, ServerConfig, SupportedProtocolVersion};
use std::sync::{Arc, LazyLock};

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// The listener's certificate and its key.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    resolver: Arc<SingleCertAndKey>,
}

impl ServerIdentity {
    /// `chain` is sent as it is, leaf first.
    ///
    /// # Errors
    /// Where the key cannot be used, or is not that of the leaf.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, rustls::Error> {
        let key = CertifiedKey::from_der(chain.clone(), key, &PROVIDER)?;
        Ok(Self { chain, resolver: Arc::new(key.into()) })
    }

    /// Its certificates, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }
}

/// What the listener does with a ClientHello.
#[derive(Clone, Debug)]
pub enum ListenerTls {
    /// It goes through a handshake in which the client is asked for its certificate.
    Handshake {
        /// Its own certificate.
        identity: ServerIdentity,
        /// The versions that it takes.
        versions: &'static [&'static SupportedProtocolVersion],
    },
    /// It refuses by a fatal alert, on purpose.
    Refuse(AlertDescription),
    /// It has TLS 1.0 and nothing newer, agrees, and goes no further, on purpose. The
    /// certificate has an RSA key.
    Tls10(ServerIdentity),
}

impl ListenerTls {
    /// The certificate that clients are shown, DER; `None` where none is.
    pub fn leaf(&self) -> Option<&[u8]> {
        match self {
            Self::Handshake { identity, .. } | Self::Tls10(identity) => {
                identity.chain.first().map(AsRef::as_ref)
            }
            Self::Refuse(_) => None,
        }
    }
}

/// TLS 1.3 and 1.2: all that mxray can finish.
pub const ALL_VERSIONS: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;
/// TLS 1.2 alone.
pub const TLS12_ONLY: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// Gives sessions that a client may ask to resume, and remembers none: that it asks is
/// seen, and every handshake proves its certificate anew.
#[derive(Debug)]
struct Forgetful;

impl StoresServerSessions for Forgetful {
    fn put(&self, _key: Vec<u8>, _value: Vec<u8>) -> bool {
        true
    }

    fn get(&self, _key: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn take(&self, _key: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// The TLS of one connection, and what sees its client certificate.
///
/// # Errors
/// Only if the cryptography provider lacks what the versions need.
pub(super) fn begin(listener: &ListenerTls) -> Result<(TlsServer, Arc<ClientCertificates>), rustls::Error> {
    let certificates = Arc::new(ClientCertificates::default());
    let manner = match listener {
        ListenerTls::Handshake { identity, versions } => {
            TlsServerManner::Handshake(Arc::new(config(identity, versions, certificates.clone())?))
        }
        ListenerTls::Refuse(description) => TlsServerManner::Refuse(*description),
        ListenerTls::Tls10(identity) => {
            TlsServerManner::Tls10(identity.chain.iter().map(|der| Arc::from(der.as_ref())).collect())
        }
    };
    Ok((TlsServer::new(manner), certificates))
}

fn config(
    identity: &ServerIdentity,
    versions: &[&'static SupportedProtocolVersion],
    verifier: Arc<ClientCertificates>,
) -> Result<ServerConfig, rustls::Error> {
    let resolver: Arc<dyn ResolvesServerCert> = identity.resolver.clone();
    let mut config = ServerConfig::builder_with_provider(PROVIDER.clone())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    config.session_storage = Arc::new(Forgetful);
    config.send_tls13_tickets = 1;
    Ok(config)
}

/// What was seen of TLS on a connection, however far it came.
pub(super) fn observe(server: &TlsServer, certificates: &ClientCertificates) -> InboundTls {
    let mut tls = InboundTls {
        offer: server.offer().cloned(),
        established: server.is_established(),
        second_hello: server.second_hello().cloned(),
        failure: server.fault().map(|fault| failure(fault, server.offer())),
        ..InboundTls::default()
    };
    if let Some(connection) = server.connection() {
        tls.version = connection.protocol_version().map(|version| ProtocolVersion(version.into()));
        tls.suite = connection.negotiated_cipher_suite().map(|suite| CipherSuite(suite.suite().into()));
        tls.group = connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
        tls.hello_retry = connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
    }
    if let Some((version, suite)) = server.agreed() {
        tls.version = Some(version);
        tls.suite = Some(suite);
    }
    if let Some(presented) = certificates.presented() {
        tls.chain.clone_from(&presented.chain);
        tls.chain_excess = presented.excess;
    }
    if let Some(signed) = certificates.signed() {
        tls.signature_scheme = signed.scheme;
        tls.signature = Some(signed.check.clone());
    }
    tls
}

/// Whose doing a fault is.
fn failure(fault: &TlsServerFault, offer: Option<&ReceivedOffer>) -> InboundTlsFailure {
    match fault {
        TlsServerFault::Library(rustls::Error::AlertReceived(alert)) => {
            InboundTlsFailure::ClientAlert(AlertDescription((*alert).into()))
        }
        TlsServerFault::Library(rustls::Error::PeerIncompatible(what)) => {
            InboundTlsFailure::NothingInCommon(lacking(what, offer).into())
        }
        TlsServerFault::Agreed => InboundTlsFailure::AgreedOnPurpose,
        TlsServerFault::OnPurpose(alert) => InboundTlsFailure::OnPurpose(*alert),
        other => InboundTlsFailure::ClientFault(other.to_string().into()),
    }
}

/// What the client lacks that mxray needs, in words.
fn lacking(what: &PeerIncompatible, offer: Option<&ReceivedOffer>) -> String {
    let Some(offer) = offer else { return format!("{what:?}") };
    let newest = offer.newest();
    let has_suite = |suite: CipherSuite| {
        PROVIDER.cipher_suites.iter().any(|ours| CipherSuite(ours.suite().into()) == suite)
    };
    let has_group =
        |group: &NamedGroup| PROVIDER.kx_groups.iter().any(|ours| NamedGroup(ours.name().into()) == *group);
    if newest < ProtocolVersion::TLS12 {
        return format!("it offers nothing newer than {newest}");
    }
    if !offer.known_suites().any(has_suite) {
        return "it offers no cipher suite that mxray has".to_string();
    }
    if !offer.groups.iter().any(has_group) {
        return "it offers no group of the key exchange that mxray has".to_string();
    }
    match what {
        PeerIncompatible::Tls12NotOffered | PeerIncompatible::Tls12NotOfferedOrEnabled => {
            "it offers no TLS 1.2".to_string()
        }
        PeerIncompatible::NoSignatureSchemesInCommon | PeerIncompatible::NoCipherSuitesInCommon => {
            "it takes no signature of the certificate's key".to_string()
        }
        what => format!("{what:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(versions: &[ProtocolVersion], suites: &[u16], groups: &[u16]) -> ReceivedOffer {
        ReceivedOffer {
            legacy_version: versions.iter().copied().min().unwrap(),
            versions: versions.to_vec(),
            suites: suites.iter().copied().map(CipherSuite).collect(),
            groups: groups.iter().copied().map(NamedGroup).collect(),
            key_shares: Vec::new(),
            signature_schemes: Vec::new(),
            sni: None,
            alpn: Vec::new(),
            extensions: Vec::new(),
            resumes: false,
            fingerprint: String::new(),
            bytes: 0,
        }
    }

    #[test]
    fn what_a_client_lacks_is_said_in_words() {
        const AES128_SHA: u16 = 0x002f;
        const ECDHE_RSA_AES128_GCM: u16 = 0xc02f;
        const SECP256R1: u16 = 23;
        const SECP521R1: u16 = 25;
        let any = PeerIncompatible::NoKxGroupsInCommon;
        for (versions, suites, groups, what, words) in [
            (ProtocolVersion::TLS11, AES128_SHA, SECP256R1, &any, "it offers nothing newer than TLSv1.1"),
            (ProtocolVersion::TLS12, AES128_SHA, SECP256R1, &any, "it offers no cipher suite that mxray has"),
            (
                ProtocolVersion::TLS12,
                ECDHE_RSA_AES128_GCM,
                SECP521R1,
                &any,
                "it offers no group of the key exchange that mxray has",
            ),
            (
                ProtocolVersion::TLS12,
                ECDHE_RSA_AES128_GCM,
                SECP256R1,
                &PeerIncompatible::NoSignatureSchemesInCommon,
                "it takes no signature of the certificate's key",
            ),
        ] {
            assert_eq!(lacking(what, Some(&offer(&[versions], &[suites], &[groups]))), words);
        }
    }
}
