//! The verifier of client certificates: any is taken, and whether the client holds its
//! key is checked.
//!
//! A CertificateVerify that fails ends the handshake, as with every server (RFC 8446
//! §4.4.3). One that cannot be checked here is taken, and nothing rests on it.

use crate::model::ProtocolVersion;
use crate::x509::handshake::{ShownChain, ShownSignature, check_shown, offered_schemes};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error};
use std::sync::OnceLock;

/// Sees the client certificate of one connection.
#[derive(Debug, Default)]
pub(super) struct ClientCertificates {
    presented: OnceLock<ShownChain>,
    signed: OnceLock<ShownSignature>,
}

impl ClientCertificates {
    pub(super) fn presented(&self) -> Option<&ShownChain> {
        self.presented.get()
    }

    pub(super) fn signed(&self) -> Option<&ShownSignature> {
        self.signed.get()
    }

    fn check(
        &self,
        version: ProtocolVersion,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (checked, result) = check_shown(version, message, certificate, signed);
        // A second signature on one connection does not happen; the first stands.
        let _ = self.signed.set(checked);
        result
    }
}

impl ClientCertVerifier for ClientCertificates {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: clients that choose by issuer take that for any (RFC 8446 §4.2.4, RFC 5246
    /// §7.4.4).
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let _ = self.presented.set(ShownChain::new(end_entity, intermediates));
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(ProtocolVersion::TLS12, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(ProtocolVersion::TLS13, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        offered_schemes()
    }
}
