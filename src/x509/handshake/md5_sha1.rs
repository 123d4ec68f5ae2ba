//! RSA as TLS 1.0, TLS 1.1 and SSLv3 sign with it: PKCS#1 over MD5 and SHA-1
//! side by side, without naming either (RFC 4346 §4.7). The library that
//! checks all else does not speak it.

use super::SignatureRefusal;
use crate::x509::fields::Cursor;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use md5::{Digest, Md5};
use num_bigint::BigUint;
use x509_parser::asn1_rs::Tag;

/// Longest public exponent that is computed with, in bits; the library's own
/// limit.
const EXPONENT_BITS_MAX: u64 = 33;

/// A public key.
pub(super) struct Md5Sha1Key {
    modulus: BigUint,
    exponent: BigUint,
}

impl Md5Sha1Key {
    /// Of an RSAPublicKey (RFC 8017 §A.1.1), whose length was looked at.
    pub(super) fn new(der: &[u8]) -> Result<Self, SignatureRefusal> {
        let key = Self::read(der).ok_or_else(SignatureRefusal::unreadable_key)?;
        let odd = |number: &BigUint| number.bit(0);
        let computable = odd(&key.modulus) && odd(&key.exponent) && key.exponent.bits() <= EXPONENT_BITS_MAX;
        if computable { Ok(key) } else { Err(SignatureRefusal::unreadable_key()) }
    }

    fn read(der: &[u8]) -> Option<Self> {
        let mut inside = Cursor(Cursor(der).universal(Tag::Sequence)?.content);
        let modulus = BigUint::from_bytes_be(inside.universal(Tag::Integer)?.content);
        let exponent = BigUint::from_bytes_be(inside.universal(Tag::Integer)?.content);
        Some(Self { modulus, exponent })
    }

    /// Whether `signature` is one of `message` (RFC 8017 §8.2.2).
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(modulus_bytes) = usize::try_from(self.modulus.bits().div_ceil(8)) else { return false };
        let number = BigUint::from_bytes_be(signature);
        if signature.len() != modulus_bytes || number >= self.modulus {
            return false;
        }
        encoded(message, modulus_bytes)
            .is_some_and(|expected| number.modpow(&self.exponent, &self.modulus) == expected)
    }
}

/// The two digests behind their padding (RFC 8017 §9.2), as a number.
fn encoded(message: &[u8], modulus_bytes: usize) -> Option<BigUint> {
    let md5 = Md5::digest(message);
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, message);
    let tail = [&[0], md5.as_slice(), sha1.as_ref()].concat();
    let padding = modulus_bytes.checked_sub(tail.len() + 2).filter(|padding| *padding >= 8)?;
    Some(BigUint::from_bytes_be(&[&[0, 1], vec![0xff; padding].as_slice(), &tail].concat()))
}
