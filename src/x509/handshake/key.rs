//! The key of a certificate, as far as a handshake's signature goes into it.

use super::SignatureRefusal;
use crate::x509::fields::Cursor;
use crate::x509::oid::dotted;
use crate::x509::{key, subject_public_key_info};
use std::ops::RangeInclusive;
use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{AlgorithmIdentifier, FromDer, SubjectPublicKeyInfo};
use x509_parser::signature_algorithm::RsaSsaPssParams;

/// Longest RSA key that the library takes, in bits.
const RSA_BITS_MAX: u32 = 8192;

/// What kind of signature a key makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    /// RSA that may sign by RSASSA-PSS only.
    RsaPss,
    Curve,
    Dsa,
    Ed25519,
    Ed448,
    /// By its level.
    MlDsa(u8),
    /// None: it is there to agree on a secret.
    Agreement,
}

/// A public key.
pub(super) enum VerifyingKey<'c> {
    Rsa(RsaKey<'c>),
    Curve(Point<'c>),
    Ed25519(&'c [u8]),
    /// Its level, 44, 65 or 87, and the key (RFC 9881).
    MlDsa(u8, &'c [u8]),
    /// By its name, or its OID; of what kind, if that is known.
    Other(String, Option<KeyKind>),
}

pub(super) struct RsaKey<'c> {
    /// The RSAPublicKey (RFC 8017 §A.1.1).
    pub der: &'c [u8],
    bits: u32,
    /// Whether it may sign by RSASSA-PSS only (RFC 4055 §1.2).
    pub is_pss: bool,
    restriction: Restriction,
    /// Whether it has the NULL for parameters that RFC 3279 §2.3.1 demands.
    has_null: bool,
}

/// What the parameters of an RSASSA-PSS key bind it to (RFC 4055 §3.1).
enum Restriction {
    None,
    /// OID of the one hash, for the mask too, and the shortest salt, in bytes.
    To(String, u32),
    Unreadable,
}

pub(super) struct Point<'c> {
    pub curve: KeyCurve,
    pub bytes: &'c [u8],
}

/// The curves that the library has, and all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyCurve {
    P256,
    P384,
    P521,
    Secp256k1,
    /// By its OID.
    Other(String),
    /// Its parameters are written out, or cannot be read.
    Explicit,
    /// It is not told: the key is nobody's.
    Missing,
}

impl<'c> VerifyingKey<'c> {
    /// Of a certificate; `None` where its key cannot be found.
    pub(super) fn of(certificate: &'c [u8]) -> Option<Self> {
        let raw = subject_public_key_info(certificate)?;
        let (_, info) = SubjectPublicKeyInfo::from_der(raw).ok()?;
        let bytes = bit_string(raw)?;
        let oid = dotted(&info.algorithm.algorithm);
        Some(match oid.as_str() {
            "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
                let is_pss = oid.ends_with(".10");
                let restriction = if is_pss { restriction(&info.algorithm) } else { Restriction::None };
                let bits = key::KeyReading::of(Some(raw)).key?.bits?;
                let parameters = info.algorithm.parameters.as_ref();
                let has_null = parameters.is_some_and(|parameters| parameters.tag() == Tag::Null);
                VerifyingKey::Rsa(RsaKey { der: bytes, bits, is_pss, restriction, has_null })
            }
            "1.2.840.10045.2.1" => VerifyingKey::Curve(Point { curve: curve(&info.algorithm), bytes }),
            "1.3.101.112" => VerifyingKey::Ed25519(bytes),
            "2.16.840.1.101.3.4.3.17" => VerifyingKey::MlDsa(44, bytes),
            "2.16.840.1.101.3.4.3.18" => VerifyingKey::MlDsa(65, bytes),
            "2.16.840.1.101.3.4.3.19" => VerifyingKey::MlDsa(87, bytes),
            other => {
                VerifyingKey::Other(key::KeyReading::of(Some(raw)).key?.algorithm, beyond_library(other))
            }
        })
    }

    /// The kind of its signatures; `None` where that is not known here.
    pub(super) fn kind(&self) -> Option<KeyKind> {
        match self {
            VerifyingKey::Rsa(rsa) if rsa.is_pss => Some(KeyKind::RsaPss),
            VerifyingKey::Rsa(_) => Some(KeyKind::Rsa),
            VerifyingKey::Curve(_) => Some(KeyKind::Curve),
            VerifyingKey::Ed25519(_) => Some(KeyKind::Ed25519),
            VerifyingKey::MlDsa(level, _) => Some(KeyKind::MlDsa(*level)),
            VerifyingKey::Other(_, kind) => *kind,
        }
    }

    /// Whether it is of a form that every verifier reads.
    pub(super) fn is_usual(&self) -> bool {
        match self {
            VerifyingKey::Rsa(rsa) => !rsa.is_pss && rsa.has_null,
            VerifyingKey::Curve(point) => {
                matches!(point.curve, KeyCurve::P256 | KeyCurve::P384 | KeyCurve::P521)
            }
            VerifyingKey::Ed25519(_) | VerifyingKey::MlDsa(..) => true,
            VerifyingKey::Other(..) => false,
        }
    }

    /// For a sentence.
    pub(super) fn name(&self) -> &str {
        match self {
            VerifyingKey::Rsa(rsa) if rsa.is_pss => "RSASSA-PSS",
            VerifyingKey::Rsa(_) => "RSA",
            VerifyingKey::Curve(_) => "ECDSA",
            VerifyingKey::Ed25519(_) => "Ed25519",
            VerifyingKey::MlDsa(..) => "ML-DSA",
            VerifyingKey::Other(name, _) => name,
        }
    }

    /// The RSAPublicKey, where it is of a length that can be checked.
    pub(super) fn rsa_within(&self, bits_min: u32) -> Result<&'c [u8], SignatureRefusal> {
        let VerifyingKey::Rsa(rsa) = self else { return Err(SignatureRefusal::unreadable_key()) };
        let checked: RangeInclusive<u32> = bits_min..=RSA_BITS_MAX;
        if checked.contains(&rsa.bits) {
            return Ok(rsa.der);
        }
        Err(SignatureRefusal::unverifiable(format_args!("this signature by an RSA key of {} bits", rsa.bits)))
    }

    /// Whether the parameters of an RSASSA-PSS key leave signatures with this
    /// hash and a salt as long (RFC 8446 §4.2.3).
    pub(super) fn leaves(&self, hash_oid: &str, salt_bytes: u32) -> Result<(), SignatureRefusal> {
        let VerifyingKey::Rsa(rsa) = self else { return Ok(()) };
        match &rsa.restriction {
            Restriction::None => Ok(()),
            Restriction::To(hash, salt) if hash == hash_oid && *salt <= salt_bytes => Ok(()),
            _ => Err(SignatureRefusal::unverifiable(
                "a signature by an RSASSA-PSS key with parameters of its own",
            )),
        }
    }

    /// Why the library rejects the key. A point that is not on its curve is
    /// nobody's key.
    pub(super) fn why_rejected(&self) -> SignatureRefusal {
        let VerifyingKey::Curve(point) = self else { return SignatureRefusal::unreadable_key() };
        let coordinates = match point.curve {
            KeyCurve::P256 | KeyCurve::Secp256k1 => 2 * 32,
            KeyCurve::P384 => 2 * 48,
            KeyCurve::P521 => 2 * 66,
            KeyCurve::Other(_) | KeyCurve::Explicit | KeyCurve::Missing => {
                return SignatureRefusal::unreadable_key();
            }
        };
        // Compressed and hybrid points (SEC 1 §2.3.3, X9.62 §4.3.6).
        match point.bytes.split_first() {
            Some((2 | 3, rest)) if 2 * rest.len() == coordinates => SignatureRefusal::odd_point(),
            Some((6 | 7, rest)) if rest.len() == coordinates => SignatureRefusal::odd_point(),
            _ => SignatureRefusal::failed("the key of the certificate is no point of its curve"),
        }
    }
}

/// Kinds of key that are known, and that the library does not have, by their
/// OIDs (RFC 8410 §3, RFC 3279 §2.3.2 and §2.3.3).
fn beyond_library(oid: &str) -> Option<KeyKind> {
    match oid {
        "1.3.101.113" => Some(KeyKind::Ed448),
        "1.2.840.10040.4.1" => Some(KeyKind::Dsa),
        // X25519, X448, Diffie-Hellman by X9.42 and by PKCS#3.
        "1.3.101.110" | "1.3.101.111" | "1.2.840.10046.2.1" | "1.2.840.113549.1.3.1" => {
            Some(KeyKind::Agreement)
        }
        _ => None,
    }
}

/// What the BIT STRING at the end of a SubjectPublicKeyInfo holds. A key is
/// whole bytes.
fn bit_string(info: &[u8]) -> Option<&[u8]> {
    let mut inside = Cursor(Cursor(info).universal(Tag::Sequence)?.content);
    inside.universal(Tag::Sequence)?;
    match inside.universal(Tag::BitString)?.content.split_first()? {
        (0, bytes) => Some(bytes),
        _ => None,
    }
}

fn curve(algorithm: &AlgorithmIdentifier<'_>) -> KeyCurve {
    if algorithm.parameters.is_none() {
        return KeyCurve::Missing;
    }
    // What is read as an OID may be something else.
    let named = algorithm.parameters.as_ref().filter(|parameters| parameters.tag() == Tag::Oid);
    let named = named.and_then(|parameters| parameters.as_oid().ok());
    let Some(oid) = named.map(|oid| dotted(&oid)) else { return KeyCurve::Explicit };
    match oid.as_str() {
        "1.2.840.10045.3.1.7" => KeyCurve::P256,
        "1.3.132.0.34" => KeyCurve::P384,
        "1.3.132.0.35" => KeyCurve::P521,
        "1.3.132.0.10" => KeyCurve::Secp256k1,
        _ => KeyCurve::Other(oid),
    }
}

fn restriction(algorithm: &AlgorithmIdentifier<'_>) -> Restriction {
    let Some(parameters) = &algorithm.parameters else { return Restriction::None };
    let Ok(read) = RsaSsaPssParams::try_from(parameters) else { return Restriction::Unreadable };
    let hash = read.hash_algorithm_oid();
    match read.mask_gen_algorithm() {
        Ok(mask) if mask.hash == *hash => Restriction::To(dotted(hash), read.salt_length()),
        _ => Restriction::Unreadable,
    }
}
