//! Whether an answer is signed under a key.

use crate::model::SignatureCheck;
use x509_parser::asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::prelude::{AlgorithmIdentifier, FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;
use x509_parser::verify::verify_signature;

/// Least RSA modulus, in bits, that the verifier takes.
const RSA_VERIFIABLE_BITS_MIN: usize = 2048;

/// Verifies under the SubjectPublicKeyInfo `key`.
pub(super) fn check(
    key: &[u8],
    algorithm: &AlgorithmIdentifier<'_>,
    signature: &[u8],
    signed: &[u8],
) -> SignatureCheck {
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(key) else {
        return unverifiable("the signer's key cannot be read");
    };
    match verify_signature(&key, algorithm, &BitString::new(0, signature), signed) {
        Ok(()) => SignatureCheck::Verified,
        Err(X509Error::SignatureVerificationError) if is_verifiable(&key) => SignatureCheck::Failed,
        Err(X509Error::SignatureVerificationError) => unverifiable("the signer's key is too small"),
        Err(_) => unverifiable("its signature algorithm is not known here"),
    }
}

pub(super) fn unverifiable(why: &str) -> SignatureCheck {
    SignatureCheck::Unverifiable(why.into())
}

/// Whether a signature that the verifier refuses is a bad one, and not one
/// under a key that it does not take.
fn is_verifiable(key: &SubjectPublicKeyInfo<'_>) -> bool {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa.key_size() >= RSA_VERIFIABLE_BITS_MIN,
        _ => true,
    }
}
