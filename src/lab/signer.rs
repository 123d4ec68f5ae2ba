//! What signs the handshakes of a server: as it should, or as its scenario
//! spoils it.

use super::tls_table::HandshakeSignature;
use super::weak_rsa::WeakRsa;
use crate::model::registry::{self, ProtocolVersion};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaPssSaltLength, RsaSignatureEncoding};
use rcgen::KeyPair;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;

/// A scheme for private use (RFC 8446 §4.2.3), which no client offers.
const PRIVATE_USE: SignatureScheme = SignatureScheme::Unknown(0xfe01);

/// Length of an odd salt, in bytes; that of SHA-1, once the default.
const ODD_SALT_BYTES: u16 = 20;

/// A signing key.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    key: Arc<dyn SigningKey>,
    /// The same key of RSA, for versions before TLS 1.2.
    old: Option<WeakRsa>,
    /// The same key of RSA, for salts of another length than is usual.
    salting: Option<Arc<RsaKeyPair>>,
    how: HandshakeSignature,
}

impl Signer {
    pub(super) fn of_pair(pair: &KeyPair) -> Result<Self, Error> {
        let der = pair.serialized_der();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.to_vec()));
        let key = any_supported_type(&private)?;
        let rsa = key.algorithm() == SignatureAlgorithm::RSA;
        let old = if rsa { WeakRsa::from_pkcs8(der) } else { None };
        let salting = if rsa { RsaKeyPair::from_pkcs8(der).ok().map(Arc::new) } else { None };
        Ok(Self { key, old, salting, how: HandshakeSignature::default() })
    }

    pub(super) fn weak(key: WeakRsa) -> Self {
        let old = Some(key.clone());
        Self { key: Arc::new(key), old, salting: None, how: HandshakeSignature::default() }
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
            HandshakeSignature::OwnKey
            | HandshakeSignature::AnotherKey
            | HandshakeSignature::NotOffered
            | HandshakeSignature::OddSalt => {}
        }
        Ok(signature)
    }
}

impl Signer {
    /// By RSASSA-PSS with SHA-256 and a salt of another length than its digest.
    fn sign_with_odd_salt(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        static ODD: RsaSignatureEncoding =
            RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(ODD_SALT_BYTES));
        let pair = self.salting.as_ref().ok_or_else(|| Error::General("no key of RSA".into()))?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&ODD, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Error::General("the key cannot sign".into()))?;
        Ok(signature)
    }
}

impl SigningKey for Signer {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let inner = match self.how {
            HandshakeSignature::OddSalt => self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256])?,
            _ => self.key.choose_scheme(offered)?,
        };
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
        if self.signer.how == HandshakeSignature::OddSalt {
            return self.signer.sign_with_odd_salt(message);
        }
        self.signer.spoil(self.inner.sign(message)?)
    }

    fn scheme(&self) -> SignatureScheme {
        match self.signer.how {
            HandshakeSignature::NotOffered => PRIVATE_USE,
            _ => self.inner.scheme(),
        }
    }
}
