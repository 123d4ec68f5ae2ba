//! RSA of 1024 bits, and RSA with SHA-1 alone or beside MD5, which aws-lc-rs
//! rightly refuses to sign with, so that servers that still use them can be
//! played.
//!
//! The keys are public test material: nothing here is constant-time, nothing
//! needs to be.

use super::der::{SEQUENCE, element, elements};
use aws_lc_rs::digest;
use md5::Md5;
use num_bigint::BigUint;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest, Sha224, Sha256};
use std::sync::Arc;

/// DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// The same of SHA-1.
const SHA1_PREFIX: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

/// The same of SHA-224.
const SHA224_PREFIX: [u8; 19] = [
    0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04, 0x05, 0x00,
    0x04, 0x1c,
];

/// An RSA private key that signs by RSASSA-PKCS1-v1_5 with SHA-256, SHA-224 or
/// SHA-1.
#[derive(Clone, Debug)]
pub(super) struct WeakRsa(Arc<Numbers>);

#[derive(Debug)]
struct Numbers {
    modulus: BigUint,
    modulus_bytes: usize,
    private_exponent: BigUint,
    public_key: Vec<u8>,
}

impl WeakRsa {
    /// Reads a PKCS#1 RSAPrivateKey (RFC 8017 §A.1.2).
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let sequence = *elements(der)?.first()?;
        let integers = elements(sequence.content)?;
        let [_version, modulus, public_exponent, private_exponent, ..] = integers.as_slice() else {
            return None;
        };
        // RSAPublicKey is modulus and public exponent.
        let public_key = element(SEQUENCE, &[modulus.whole, public_exponent.whole].concat());
        let modulus = BigUint::from_bytes_be(modulus.content);
        Some(Self(Arc::new(Numbers {
            modulus_bytes: usize::try_from(modulus.bits().div_ceil(8)).ok()?,
            modulus,
            private_exponent: BigUint::from_bytes_be(private_exponent.content),
            public_key,
        })))
    }

    /// Reads a PKCS#8 PrivateKeyInfo (RFC 5208 §5).
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let info = elements(elements(der)?.first()?.content)?;
        Self::from_pkcs1(info.get(2)?.content)
    }

    /// Signs with SHA-1.
    pub(super) fn sign_sha1(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
        self.sign_digest(&SHA1_PREFIX, digest.as_ref())
    }

    /// Signs with MD5 and SHA-1 side by side, neither of them named (RFC 4346
    /// §4.7).
    pub(super) fn sign_md5_sha1(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let md5 = Md5::digest(message);
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
        self.sign_digest(&[], &[md5.as_slice(), sha1.as_ref()].concat())
    }

    /// Signs with SHA-224.
    pub(super) fn sign_sha224(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_digest(&SHA224_PREFIX, &Sha224::digest(message))
    }

    /// Signs a digest behind its DigestInfo (RFC 8017 §8.2.1).
    fn sign_digest(&self, prefix: &[u8], digest: &[u8]) -> Result<Vec<u8>, Error> {
        let key = &*self.0;
        let tail = prefix.len() + digest.len();
        let padding = key.modulus_bytes.checked_sub(tail + 3).filter(|padding| *padding >= 8);
        let padding = padding.ok_or_else(|| Error::General("the modulus is too short".into()))?;
        let encoded = [&[0x00, 0x01], vec![0xff; padding].as_slice(), &[0x00], prefix, digest].concat();
        let signature =
            BigUint::from_bytes_be(&encoded).modpow(&key.private_exponent, &key.modulus).to_bytes_be();
        let mut whole = vec![0; key.modulus_bytes.saturating_sub(signature.len())];
        whole.extend(signature);
        Ok(whole)
    }

    /// The RSAPublicKey as DER.
    pub(super) fn public_key(&self) -> &[u8] {
        &self.0.public_key
    }
}

impl SigningKey for WeakRsa {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::RSA_PKCS1_SHA256)
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for WeakRsa {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_digest(&SHA256_PREFIX, &Sha256::digest(message))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PKCS1_SHA256
    }
}
