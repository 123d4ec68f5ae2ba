//! The verifier of client certificates: any is taken, and whether the client holds its
//! key is checked.
//!
//! A CertificateVerify that fails ends the handshake, as with every server (RFC 8446
//! §4.4.3). One that cannot be checked here is taken, and nothing rests on it.

use crate::model::observation::CHAIN_CERTIFICATES_MAX;
use crate::model::{ProtocolVersion, SignatureCheck, SignatureScheme};
use crate::x509::handshake::{OFFERED_SCHEMES, SignatureRefusal, Verifier};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved};
use std::sync::{Arc, OnceLock};

/// What the client's certificate message held.
#[derive(Debug)]
pub(super) struct PresentedChain {
    pub(super) chain: Vec<Arc<[u8]>>,
    pub(super) excess: usize,
}

/// Sees the client certificate of one connection.
#[derive(Debug, Default)]
pub(super) struct ClientCertificates {
    presented: OnceLock<PresentedChain>,
    signed: OnceLock<(SignatureScheme, SignatureCheck)>,
}

impl ClientCertificates {
    pub(super) fn presented(&self) -> Option<&PresentedChain> {
        self.presented.get()
    }

    pub(super) fn signed(&self) -> Option<&(SignatureScheme, SignatureCheck)> {
        self.signed.get()
    }

    fn check(
        &self,
        version: ProtocolVersion,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let scheme = SignatureScheme(signed.scheme.into());
        let checked = Verifier::new(certificate, version, Some(scheme), &OFFERED_SCHEMES)
            .and_then(|verifier| verifier.verify(message, signed.signature()));
        let result = match &checked {
            Ok(()) | Err(SignatureRefusal::Unverifiable(_)) => Ok(HandshakeSignatureValid::assertion()),
            Err(SignatureRefusal::NotOffered(_)) => {
                Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
            }
            Err(SignatureRefusal::Failed(_)) => Err(CertificateError::BadSignature.into()),
        };
        let check = checked.map_or_else(SignatureCheck::from, |()| SignatureCheck::Verified);
        // A second signature on one connection does not happen; the first stands.
        let _ = self.signed.set((scheme, check));
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
        let certificates = std::iter::once(end_entity).chain(intermediates);
        let chain = certificates.take(CHAIN_CERTIFICATES_MAX).map(|der| Arc::from(der.as_ref())).collect();
        let excess = (1 + intermediates.len()).saturating_sub(CHAIN_CERTIFICATES_MAX);
        let _ = self.presented.set(PresentedChain { chain, excess });
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
        OFFERED_SCHEMES.iter().map(|scheme| scheme.0.into()).collect()
    }
}
