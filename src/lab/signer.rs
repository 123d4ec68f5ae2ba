//! What signs the handshakes of a server: as it should, or as its scenario
//! spoils it.

use super::server::HandshakeSignature;
use super::weak_rsa::WeakRsa;
use crate::model::registry::{self, ProtocolVersion};
use aws_lc_rs::rand;
use rcgen::KeyPair;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;

/// A scheme for private use (RFC 8446 §4.2.3), which no client offers.
const PRIVATE_USE: SignatureScheme = SignatureScheme::Unknown(0xfe01);

/// A signing key.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    key: Arc<dyn SigningKey>,
    /// The same key of RSA, for versions before TLS 1.2.
    old: Option<WeakRsa>,
    how: HandshakeSignature,
}

impl Signer {
    pub(super) fn of_pair(pair: &KeyPair) -> Result<Self, Error> {
        let der = pair.serialized_der();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.to_vec()));
        let key = any_supported_type(&private)?;
        let rsa = key.algorithm() == SignatureAlgorithm::RSA;
        let old = if rsa { WeakRsa::from_pkcs8(der) } else { None };
        Ok(Self { key, old, how: HandshakeSignature::default() })
    }

    pub(super) fn weak(key: WeakRsa) -> Self {
        Self { key: Arc::new(key.clone()), old: Some(key), how: HandshakeSignature::default() }
    }

    pub(super) fn signing(self, how: HandshakeSignature) -> Self {
        Self { how, ..self }
    }

    /// For a TLS library.
    pub(super) fn to_library(&self) -> Arc<dyn SigningKey> {
        match self.how {
            HandshakeSignature::OwnKey | HandshakeSignature::AnotherKey => self.key.clone(),
            _ => Arc::new(self.clone()),
        }
    }

    /// Signs in clear, up to TLS 1.2; gives the scheme that is told, too.
    /// `None` where the key cannot sign so.
    pub(super) fn sign(
        &self,
        version: ProtocolVersion,
        scheme: registry::SignatureScheme,
        message: &[u8],
    ) -> Option<(registry::SignatureScheme, Vec<u8>)> {
        let signature = if version < ProtocolVersion::TLS12 {
            self.old.as_ref()?.sign_md5_sha1(message).ok()?
        } else {
            self.key.choose_scheme(&[scheme.0.into()])?.sign(message).ok()?
        };
        let told = match self.how {
            HandshakeSignature::NotOffered => registry::SignatureScheme(PRIVATE_USE.into()),
            _ => scheme,
        };
        Some((told, self.spoil(signature).ok()?))
    }

    fn spoil(&self, mut signature: Vec<u8>) -> Result<Vec<u8>, Error> {
        match self.how {
            HandshakeSignature::Random => {
                rand::fill(&mut signature).map_err(|_| Error::FailedToGetRandomBytes)?;
            }
            HandshakeSignature::Empty => signature.clear(),
            HandshakeSignature::OwnKey | HandshakeSignature::AnotherKey | HandshakeSignature::NotOffered => {}
        }
        Ok(signature)
    }
}

impl SigningKey for Signer {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let inner = self.key.choose_scheme(offered)?;
        Some(Box::new(Spoilt { signer: self.clone(), inner }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

/// One signature of a TLS library, to be spoilt.
#[derive(Debug)]
struct Spoilt {
    signer: Signer,
    inner: Box<dyn rustls::sign::Signer>,
}

impl rustls::sign::Signer for Spoilt {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signer.spoil(self.inner.sign(message)?)
    }

    fn scheme(&self) -> SignatureScheme {
        match self.signer.how {
            HandshakeSignature::NotOffered => PRIVATE_USE,
            _ => self.inner.scheme(),
        }
    }
}
