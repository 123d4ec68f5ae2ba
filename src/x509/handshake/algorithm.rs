//! Which algorithm a signature scheme means (RFC 8446 §4.2.3, RFC 5246
//! §7.4.1.4.1), and what of it the library has.

use super::SignatureRefusal;
use super::key::{KeyCurve, KeyKind, VerifyingKey};
use crate::model::SignatureScheme;
use aws_lc_rs::signature::{self, RsaParameters, VerificationAlgorithm};

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureFamily {
    Pkcs1,
    /// By a key that may sign by PKCS#1 too.
    PssRsae,
    /// By one that may not.
    PssPss,
    Ecdsa,
    Ed25519,
    /// By its level.
    MlDsa(u8),
}

/// What is hashed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    /// The scheme hashes by itself.
    Own,
}

/// One hash, or two side by side (RFC 4346 §4.7).
pub(super) enum Hashes {
    One(Hash),
    Md5Sha1,
}

pub(super) fn of_scheme(scheme: SignatureScheme) -> Result<(SignatureFamily, Hashes), SignatureRefusal> {
    let (family, hash) = match scheme.0 {
        0x0804 => (SignatureFamily::PssRsae, Hash::Sha256),
        0x0805 => (SignatureFamily::PssRsae, Hash::Sha384),
        0x0806 => (SignatureFamily::PssRsae, Hash::Sha512),
        0x0809 => (SignatureFamily::PssPss, Hash::Sha256),
        0x080a => (SignatureFamily::PssPss, Hash::Sha384),
        0x080b => (SignatureFamily::PssPss, Hash::Sha512),
        0x0807 => (SignatureFamily::Ed25519, Hash::Own),
        0x0904 => (SignatureFamily::MlDsa(44), Hash::Own),
        0x0905 => (SignatureFamily::MlDsa(65), Hash::Own),
        0x0906 => (SignatureFamily::MlDsa(87), Hash::Own),
        _ => of_pair(scheme)?,
    };
    Ok((family, Hashes::One(hash)))
}

/// The kind of key by which a scheme signs, whether or not the library has it;
/// `None` where the scheme is not known here.
pub(super) fn kind_of_key(scheme: SignatureScheme) -> Option<KeyKind> {
    Some(match (scheme.0, scheme.0.to_be_bytes()) {
        (0x0804..=0x0806, _) => KeyKind::Rsa,
        (0x0809..=0x080b, _) => KeyKind::RsaPss,
        // Brainpool in TLS 1.3 (RFC 8734 §3).
        (0x081a..=0x081c, _) => KeyKind::Curve,
        (0x0807, _) => KeyKind::Ed25519,
        (0x0808, _) => KeyKind::Ed448,
        (0x0904, _) => KeyKind::MlDsa(44),
        (0x0905, _) => KeyKind::MlDsa(65),
        (0x0906, _) => KeyKind::MlDsa(87),
        (_, [1..=6, 1]) => KeyKind::Rsa,
        (_, [1..=6, 2]) => KeyKind::Dsa,
        (_, [1..=6, 3]) => KeyKind::Curve,
        _ => return None,
    })
}

/// Of the pair of hash and signature that a scheme is in TLS 1.2.
fn of_pair(scheme: SignatureScheme) -> Result<(SignatureFamily, Hash), SignatureRefusal> {
    let lacking = || SignatureRefusal::unverifiable(format_args!("a signature of {scheme}"));
    let [hash, signature] = scheme.0.to_be_bytes();
    let hash = match hash {
        2 => Hash::Sha1,
        3 => Hash::Sha224,
        4 => Hash::Sha256,
        5 => Hash::Sha384,
        6 => Hash::Sha512,
        _ => return Err(lacking()),
    };
    match signature {
        1 => Ok((SignatureFamily::Pkcs1, hash)),
        3 => Ok((SignatureFamily::Ecdsa, hash)),
        _ => Err(lacking()),
    }
}

/// Of a kind of key, up to TLS 1.1 (RFC 4346 §7.4.3, RFC 8422 §5.4).
pub(super) fn of_old_key(key: &VerifyingKey<'_>) -> Result<(SignatureFamily, Hashes), SignatureRefusal> {
    match key {
        VerifyingKey::Rsa(_) => Ok((SignatureFamily::Pkcs1, Hashes::Md5Sha1)),
        VerifyingKey::Curve(_) => Ok((SignatureFamily::Ecdsa, Hashes::One(Hash::Sha1))),
        other => Err(SignatureRefusal::unverifiable(format_args!("a signature of {}", other.name()))),
    }
}

/// Whether the curve is that of the scheme, which TLS 1.3 demands.
pub(super) fn check_curve(
    scheme: Option<SignatureScheme>,
    key: &VerifyingKey<'_>,
) -> Result<(), SignatureRefusal> {
    let (Some(scheme), VerifyingKey::Curve(point)) = (scheme, key) else { return Ok(()) };
    let wanted = match scheme.0 {
        0x0403 => KeyCurve::P256,
        0x0503 => KeyCurve::P384,
        0x0603 => KeyCurve::P521,
        0x081a => KeyCurve::Other("1.3.36.3.3.2.8.1.1.7".into()),
        0x081b => KeyCurve::Other("1.3.36.3.3.2.8.1.1.11".into()),
        0x081c => KeyCurve::Other("1.3.36.3.3.2.8.1.1.13".into()),
        _ => return Ok(()),
    };
    if point.curve == wanted || point.curve == KeyCurve::Explicit {
        return Ok(());
    }
    Err(SignatureRefusal::failed(format!("signed with {scheme}, which is none of the curve of the key")))
}

/// The library's algorithm, and the key as it takes it.
pub(super) fn in_library<'c>(
    family: SignatureFamily,
    hash: Hash,
    key: &VerifyingKey<'c>,
) -> Result<(&'static dyn VerificationAlgorithm, &'c [u8]), SignatureRefusal> {
    match (family, key) {
        (SignatureFamily::Pkcs1, _) => {
            let (algorithm, bits_min) = pkcs1(hash)?;
            Ok((algorithm, key.rsa_within(bits_min)?))
        }
        (SignatureFamily::PssRsae | SignatureFamily::PssPss, _) => {
            let (algorithm, hash_oid, salt_bytes) = pss_with_its_hash(hash).ok_or_else(lacking_hash)?;
            let der = key.rsa_within(2048)?;
            key.leaves(hash_oid, salt_bytes)?;
            Ok((algorithm, der))
        }
        (SignatureFamily::Ecdsa, VerifyingKey::Curve(point)) => Ok((ecdsa(&point.curve, hash)?, point.bytes)),
        (SignatureFamily::Ed25519, VerifyingKey::Ed25519(bytes)) => Ok((&signature::ED25519, bytes)),
        (SignatureFamily::MlDsa(44), VerifyingKey::MlDsa(_, bytes)) => Ok((&signature::ML_DSA_44, bytes)),
        (SignatureFamily::MlDsa(65), VerifyingKey::MlDsa(_, bytes)) => Ok((&signature::ML_DSA_65, bytes)),
        (SignatureFamily::MlDsa(_), VerifyingKey::MlDsa(_, bytes)) => Ok((&signature::ML_DSA_87, bytes)),
        _ => Err(SignatureRefusal::unverifiable(format_args!("a signature by a key of {}", key.name()))),
    }
}

fn lacking_hash() -> SignatureRefusal {
    SignatureRefusal::unverifiable("a signature with this hash")
}

/// With the shortest key that the library takes for it, in bits.
fn pkcs1(hash: Hash) -> Result<(&'static RsaParameters, u32), SignatureRefusal> {
    match hash {
        Hash::Sha1 => Ok((&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, 1024)),
        Hash::Sha256 => Ok((&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, 1024)),
        Hash::Sha384 => Ok((&signature::RSA_PKCS1_2048_8192_SHA384, 2048)),
        Hash::Sha512 => Ok((&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, 1024)),
        Hash::Sha224 | Hash::Own => Err(lacking_hash()),
    }
}

/// With the OID of the hash, and the length of the digest in bytes.
fn pss_with_its_hash(hash: Hash) -> Option<(&'static RsaParameters, &'static str, u32)> {
    Some(match hash {
        Hash::Sha256 => (&signature::RSA_PSS_2048_8192_SHA256, "2.16.840.1.101.3.4.2.1", 32),
        Hash::Sha384 => (&signature::RSA_PSS_2048_8192_SHA384, "2.16.840.1.101.3.4.2.2", 48),
        Hash::Sha512 => (&signature::RSA_PSS_2048_8192_SHA512, "2.16.840.1.101.3.4.2.3", 64),
        Hash::Sha1 | Hash::Sha224 | Hash::Own => return None,
    })
}

/// The parameters of PSS with this hash, to be changed.
pub(super) fn pss(hash: Hash) -> Option<RsaParameters> {
    Some(match hash {
        Hash::Sha256 => signature::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => signature::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => signature::RSA_PSS_2048_8192_SHA512,
        Hash::Sha1 | Hash::Sha224 | Hash::Own => return None,
    })
}

/// Up to TLS 1.2 any hash goes with any curve.
fn ecdsa(curve: &KeyCurve, hash: Hash) -> Result<&'static dyn VerificationAlgorithm, SignatureRefusal> {
    Ok(match (curve, hash) {
        (KeyCurve::P256, Hash::Sha1) => &signature::ECDSA_P256_SHA1_ASN1,
        (KeyCurve::P256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyCurve::P256, Hash::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyCurve::P256, Hash::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyCurve::P384, Hash::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyCurve::P384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyCurve::P384, Hash::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyCurve::P521, Hash::Sha1) => &signature::ECDSA_P521_SHA1_ASN1,
        (KeyCurve::P521, Hash::Sha224) => &signature::ECDSA_P521_SHA224_ASN1,
        (KeyCurve::P521, Hash::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyCurve::P521, Hash::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (KeyCurve::P521, Hash::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (KeyCurve::Secp256k1, Hash::Sha256) => &signature::ECDSA_P256K1_SHA256_ASN1,
        (KeyCurve::Missing, _) => {
            return Err(SignatureRefusal::failed("the key of the certificate names no curve"));
        }
        (KeyCurve::Explicit, _) => {
            return Err(SignatureRefusal::unverifiable("a signature by a key whose curve is written out"));
        }
        (KeyCurve::Other(oid), _) => {
            return Err(SignatureRefusal::unverifiable(format_args!("a signature on the curve {oid}")));
        }
        _ => return Err(lacking_hash()),
    })
}
