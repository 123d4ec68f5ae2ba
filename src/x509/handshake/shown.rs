//! What a peer shows of itself in a handshake of rustls: its certificates and its
//! signature, written down whatever they are worth.

use super::{OFFERED_SCHEMES, SignatureRefusal, Verifier};
use crate::model::observation::CHAIN_CERTIFICATES_MAX;
use crate::model::{ProtocolVersion, SignatureCheck, SignatureScheme};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};
use std::sync::Arc;

/// What a certificate message held.
#[derive(Debug)]
pub struct ShownChain {
    /// The certificates as DER, leaf first, at most [`CHAIN_CERTIFICATES_MAX`].
    pub chain: Vec<Arc<[u8]>>,
    /// How many there were beyond that.
    pub excess: usize,
}

impl ShownChain {
    /// What rustls hands to a verifier.
    pub fn new(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Self {
        let certificates = std::iter::once(end_entity).chain(intermediates);
        Self {
            chain: certificates.take(CHAIN_CERTIFICATES_MAX).map(|der| Arc::from(der.as_ref())).collect(),
            excess: (1 + intermediates.len()).saturating_sub(CHAIN_CERTIFICATES_MAX),
        }
    }
}

/// What became of a signature over a handshake.
#[derive(Debug)]
pub struct ShownSignature {
    /// `None` where the library ended the handshake before it told.
    pub scheme: Option<SignatureScheme>,
    /// Whether it holds.
    pub check: SignatureCheck,
    /// Why it proves nothing, in words.
    pub cause: Option<String>,
}

/// Checks the signature of a CertificateVerify or ServerKeyExchange, and says how the
/// handshake goes on: as with every peer, one that fails ends it (RFC 8446 §4.4.3). One
/// that cannot be checked here is let pass, and nothing rests on it.
pub fn check_shown(
    version: ProtocolVersion,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> (ShownSignature, Result<HandshakeSignatureValid, Error>) {
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
    let cause = checked.as_ref().err().map(|refusal| refusal.cause().to_string());
    let check = checked.map_or_else(SignatureCheck::from, |()| SignatureCheck::Verified);
    (ShownSignature { scheme: Some(scheme), check, cause }, result)
}

/// [`OFFERED_SCHEMES`] as rustls has them.
pub fn offered_schemes() -> Vec<rustls::SignatureScheme> {
    OFFERED_SCHEMES.iter().map(|scheme| scheme.0.into()).collect()
}
