//! The handshake of a policy host, its chain written down: what that is worth
//! is judged afterwards, by whoever has the roots, and for another moment, too.
//! A signature that fails ends the handshake, as with every client.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::sync::{Arc, OnceLock};

/// Sees the chain of one connection.
#[derive(Debug)]
pub(super) struct RecordedHandshake {
    chain: OnceLock<Vec<Arc<[u8]>>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl RecordedHandshake {
    /// A configuration for one connection, and what sees its chain.
    pub(super) fn begin() -> Result<(Arc<ClientConfig>, Arc<Self>), Error> {
        let provider = aws_lc_rs::default_provider();
        let algorithms = provider.signature_verification_algorithms;
        let recorded = Arc::new(Self { chain: OnceLock::new(), algorithms });
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(recorded.clone())
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok((Arc::new(config), recorded))
    }

    /// What the server showed, leaf first.
    pub(super) fn chain(&self) -> Vec<Arc<[u8]>> {
        self.chain.get().cloned().unwrap_or_default()
    }
}

impl ServerCertVerifier for RecordedHandshake {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // All of them: rustls takes no Certificate message over 64 KiB.
        let certificates = std::iter::once(end_entity).chain(intermediates);
        let _ = self.chain.set(certificates.map(|der| Arc::from(der.as_ref())).collect());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
