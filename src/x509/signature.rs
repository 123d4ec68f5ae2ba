//! Signature algorithms, and whether a certificate signed itself.

use super::extensions::Extensions;
use super::fields::CertificateFields;
use super::key::Key;
use super::oid::dotted;
use x509_parser::asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::prelude::{AlgorithmIdentifier, FromDer, SubjectPublicKeyInfo};
use x509_parser::verify::verify_signature;

/// RSA keys that the verifier takes, in bits.
const VERIFIABLE_RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Name of a signature algorithm, as OpenSSL writes it, or its OID.
pub(super) fn algorithm(raw: &[u8]) -> Option<String> {
    let (_, identifier) = AlgorithmIdentifier::from_der(raw).ok()?;
    let oid = dotted(&identifier.algorithm);
    Some(registered(&oid).map_or(oid, str::to_string))
}

pub(super) fn registered(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.10040.4.3" => "dsaWithSHA1",
        "2.16.840.1.101.3.4.3.2" => "dsa_with_SHA256",
        "2.16.840.1.101.3.4.3.9" => "ecdsa_with_SHA3-224",
        "2.16.840.1.101.3.4.3.10" => "ecdsa_with_SHA3-256",
        "2.16.840.1.101.3.4.3.11" => "ecdsa_with_SHA3-384",
        "2.16.840.1.101.3.4.3.12" => "ecdsa_with_SHA3-512",
        "2.16.840.1.101.3.4.3.13" => "RSA-SHA3-224",
        "2.16.840.1.101.3.4.3.14" => "RSA-SHA3-256",
        "2.16.840.1.101.3.4.3.15" => "RSA-SHA3-384",
        "2.16.840.1.101.3.4.3.16" => "RSA-SHA3-512",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        _ => return None,
    })
}

/// Whether subject and issuer are the same and the certificate's own key
/// made its signature. Where that cannot be verified (a key under 2048 bits,
/// an algorithm that the verifier does not know) the key identifiers decide:
/// unless the authority's is there and differs from the subject's, the
/// certificate is taken to have signed itself.
pub(super) fn is_self_signed(
    fields: &CertificateFields<'_>,
    key: Option<&Key>,
    extensions: &Extensions,
) -> bool {
    if fields.subject.is_none() || fields.subject != fields.issuer {
        return false;
    }
    own_key_signed(fields, key).unwrap_or_else(|| match &extensions.authority_key {
        Some(authority) => extensions.subject_key.as_ref() == Some(authority),
        None => true,
    })
}

/// `None` where it cannot be verified.
fn own_key_signed(fields: &CertificateFields<'_>, key: Option<&Key>) -> Option<bool> {
    let (_, public_key) = SubjectPublicKeyInfo::from_der(fields.public_key?).ok()?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(fields.signature_algorithm?).ok()?;
    let (_, signature) = BitString::from_der(fields.signature?).ok()?;
    match verify_signature(&public_key, &algorithm, &signature, fields.tbs?) {
        Ok(()) => Some(true),
        Err(X509Error::SignatureVerificationError) if is_verifiable(key?) => Some(false),
        Err(_) => None,
    }
}

/// Whether a signature that the verifier refuses is a bad one, and not one
/// under a key that it does not take.
fn is_verifiable(key: &Key) -> bool {
    key.algorithm != "RSA" || key.bits.is_some_and(|bits| VERIFIABLE_RSA_BITS.contains(&bits))
}
