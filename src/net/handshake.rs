//! The scanner's own TLS handshake: rustls with everything it can do offered,
//! and a [`Recorder`] that accepts whatever comes.

use super::key_share::REUSED_X25519_MLKEM768;
use super::recorder::Recorder;
use crate::model::{CipherSuite, NamedGroup, ProbeKey, ProtocolVersion, SignatureScheme, TlsObservation};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use std::sync::Arc;

/// Where the key share of a ClientHello comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyShares {
    /// One serves many sessions for a bounded time.
    Reused,
    /// Each session has its own.
    Fresh,
}

/// Makes handshakes that offer TLS 1.3 and 1.2, X25519MLKEM768 first, no ALPN
/// and no client certificate.
pub struct Handshaker {
    base: ClientConfig,
    provider: Arc<CryptoProvider>,
}

impl Handshaker {
    /// # Errors
    /// Only if the cryptography provider lacks what TLS 1.2 and 1.3 need.
    pub fn new(key_shares: KeyShares) -> Result<Self, rustls::Error> {
        let provider = Arc::new(provider(key_shares));
        let recorder = Arc::new(Recorder::new(provider.signature_verification_algorithms));
        let base = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(recorder.clone())
            .with_client_cert_resolver(recorder);
        Ok(Self { base, provider })
    }

    /// A configuration and the recorder that sees what is done with it.
    fn for_one_connection(&self) -> (Arc<ClientConfig>, Arc<Recorder>) {
        let recorder = Arc::new(Recorder::new(self.provider.signature_verification_algorithms));
        let mut config = self.base.clone();
        config.dangerous().set_certificate_verifier(recorder.clone());
        config.client_auth_cert_resolver = recorder.clone();
        config.resumption = Resumption::store(recorder.clone());
        (Arc::new(config), recorder)
    }

    /// A client for one connection to `key`, and what sees its handshake.
    pub(super) fn begin(&self, key: &ProbeKey) -> Result<(ClientConnection, Arc<Recorder>), rustls::Error> {
        let (config, recorder) = self.for_one_connection();
        let connection = ClientConnection::new(config, server_name(key))?;
        Ok((connection, recorder))
    }
}

fn provider(key_shares: KeyShares) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if key_shares == KeyShares::Reused {
        for group in &mut provider.kx_groups {
            if group.name() == REUSED_X25519_MLKEM768.name() {
                *group = &*REUSED_X25519_MLKEM768;
            }
        }
    }
    provider
}

/// The name for SNI; an address stands for "send none" (RFC 6066 §3).
pub(super) fn server_name(key: &ProbeKey) -> ServerName<'static> {
    let named = key.sni.as_ref().and_then(|name| ServerName::try_from(name.as_str().to_string()).ok());
    named.unwrap_or_else(|| ServerName::IpAddress(key.endpoint.ip.into()))
}

/// What was seen of TLS on a connection, however far it came.
pub(super) fn observe(connection: &ClientConnection, recorder: &Recorder) -> TlsObservation {
    let mut tls = TlsObservation {
        established: !connection.is_handshaking(),
        client_certificate_requested: recorder.client_certificate_requested(),
        tickets: recorder.tickets(),
        ..TlsObservation::default()
    };
    if let Some(presented) = recorder.presented() {
        tls.chain.clone_from(&presented.chain);
        tls.chain_excess = presented.excess;
        tls.ocsp_stapled = presented.ocsp_stapled;
    }
    if let Some(signed) = recorder.signed() {
        tls.signature_scheme = Some(SignatureScheme(signed.scheme.into()));
        tls.signature = Some(signed.check.clone());
    }
    negotiated(&mut tls, connection);
    tls
}

fn negotiated(tls: &mut TlsObservation, connection: &ClientConnection) {
    tls.version = connection.protocol_version().map(|version| ProtocolVersion(version.into()));
    tls.suite = connection.negotiated_cipher_suite().map(|suite| CipherSuite(suite.suite().into()));
    tls.group = connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
    tls.alpn = connection.alpn_protocol().map(|name| name.escape_ascii().to_string());
    tls.hello_retry = connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
}
