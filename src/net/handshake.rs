//! The scanner's own TLS handshake: rustls with everything it can do offered,
//! and a [`Recorder`] that accepts whatever comes.

use super::recorder::Recorder;
use crate::model::{CipherSuite, NamedGroup, ProbeKey, ProtocolVersion, SignatureScheme, TlsObservation};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Makes handshakes that offer TLS 1.3 and 1.2, X25519MLKEM768 first, no ALPN
/// and no client certificate.
pub struct Handshaker {
    base: ClientConfig,
    provider: Arc<CryptoProvider>,
}

impl Handshaker {
    /// # Errors
    /// Only if the cryptography provider lacks what TLS 1.2 and 1.3 need.
    pub fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
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

    /// Begins a handshake for `key`; drive [`Handshake::connect`] next.
    pub(super) fn begin(&self, key: &ProbeKey) -> Handshake {
        let (config, recorder) = self.for_one_connection();
        Handshake { config, recorder, server_name: server_name(key) }
    }
}

/// The name for SNI; an address stands for "send none" (RFC 6066 §3).
fn server_name(key: &ProbeKey) -> ServerName<'static> {
    let named = key.sni.as_ref().and_then(|name| ServerName::try_from(name.as_str().to_string()).ok());
    named.unwrap_or_else(|| ServerName::IpAddress(key.endpoint.ip.into()))
}

/// One handshake, and what was seen of it.
pub(super) struct Handshake {
    config: Arc<ClientConfig>,
    recorder: Arc<Recorder>,
    server_name: ServerName<'static>,
}

impl Handshake {
    /// Shakes hands over `stream`. What the peer showed stays in `self`
    /// whether this succeeds, fails or is dropped at a deadline.
    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        TlsConnector::from(self.config.clone()).connect(self.server_name.clone(), stream).await
    }

    /// Whether the server asked for a client certificate.
    pub(super) fn client_certificate_requested(&self) -> bool {
        self.recorder.client_certificate_requested()
    }

    /// What was seen of TLS; `connection` once the session is established.
    pub(super) fn observation(&self, connection: Option<&ClientConnection>) -> TlsObservation {
        let mut tls = TlsObservation {
            established: connection.is_some(),
            client_certificate_requested: self.recorder.client_certificate_requested(),
            tickets: self.recorder.tickets(),
            ..TlsObservation::default()
        };
        if let Some(presented) = self.recorder.presented() {
            tls.chain.clone_from(&presented.chain);
            tls.chain_excess = presented.excess;
            tls.ocsp_stapled = presented.ocsp_stapled;
        }
        if let Some(signed) = self.recorder.signed() {
            tls.signature_scheme = Some(SignatureScheme(signed.scheme.into()));
            tls.signature = Some(signed.check.clone());
        }
        if let Some(connection) = connection {
            negotiated(&mut tls, connection);
        }
        tls
    }
}

fn negotiated(tls: &mut TlsObservation, connection: &ClientConnection) {
    tls.version = connection.protocol_version().map(|version| ProtocolVersion(version.into()));
    tls.suite = connection.negotiated_cipher_suite().map(|suite| CipherSuite(suite.suite().into()));
    tls.group = connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
    tls.alpn = connection.alpn_protocol().map(|name| name.escape_ascii().to_string());
    tls.hello_retry = connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
}
