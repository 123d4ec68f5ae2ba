//! Algorithm and size of a public key (RFC 3279 §2.3, RFC 5480, RFC 8410).

use super::curves;
use super::defects::Defects;
use super::fields::Cursor;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{AlgorithmIdentifier, FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

/// A public key, as far as it can be told.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// `RSA`, `ECDSA`, `Ed25519`, `Ed448`, `DSA` or an OID.
    pub algorithm: String,
    /// RSA and DSA modulus, size of the curve's field, or key size of EdDSA.
    pub bits: Option<u32>,
}

/// A public key that was looked at.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What it is.
    pub key: Option<Key>,
    /// Why it is none, in words.
    pub defect: Option<String>,
}

impl Reading {
    /// Looks at a SubjectPublicKeyInfo.
    pub(super) fn of(info: Option<&[u8]>) -> Self {
        let mut defects = Defects::default();
        let key = info.and_then(|raw| read(raw, &mut defects));
        Self { key, defect: defects.into_text() }
    }
}

fn read(raw: &[u8], defects: &mut Defects) -> Option<Key> {
    let Ok((_, info)) = SubjectPublicKeyInfo::from_der(raw) else {
        defects.note("public key unreadable");
        return None;
    };
    let oid = info.algorithm.algorithm.to_id_string();
    let (algorithm, bits) = match oid.as_str() {
        "1.2.840.113549.1.1.1" => ("RSA", rsa_bits(&info)),
        // A key that may sign with RSASSA-PSS only (RFC 4055 §1.2).
        "1.2.840.113549.1.1.10" => ("RSA", modulus_bits(&info.subject_public_key.data)),
        "1.2.840.10045.2.1" => ("ECDSA", ecdsa_bits(&info, defects)),
        "1.2.840.10040.4.1" => ("DSA", dsa_bits(&info.algorithm)),
        "1.3.101.112" => ("Ed25519", Some(256)),
        "1.3.101.113" => ("Ed448", Some(456)),
        other => (other, None),
    };
    Some(Key { algorithm: algorithm.to_string(), bits })
}

fn rsa_bits(info: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => integer_bits(key.modulus),
        _ => None,
    }
}

/// Bits of the first INTEGER of a SEQUENCE.
fn modulus_bits(sequence: &[u8]) -> Option<u32> {
    let mut inside = Cursor(Cursor(sequence).universal(Tag::Sequence)?.content);
    integer_bits(inside.universal(Tag::Integer)?.content)
}

fn integer_bits(content: &[u8]) -> Option<u32> {
    let significant = content.iter().position(|byte| *byte != 0)?;
    let digits = content.get(significant..)?;
    let first = digits.first()?;
    u32::try_from(8 * digits.len()).ok()?.checked_sub(first.leading_zeros())
}

/// Bits of `p`, the first of the DSA parameters (RFC 3279 §2.3.2).
fn dsa_bits(algorithm: &AlgorithmIdentifier<'_>) -> Option<u32> {
    let mut parameters = Cursor(algorithm.parameters.as_ref()?.data);
    integer_bits(parameters.universal(Tag::Integer)?.content)
}

/// Field size of the curve; none where the point is not on it, since there is
/// no key then that could be strong.
fn ecdsa_bits(info: &SubjectPublicKeyInfo<'_>, defects: &mut Defects) -> Option<u32> {
    let curve = curve(&info.algorithm)?;
    if is_on_curve(&curve, &info.subject_public_key.data) == Some(false) {
        defects.note("public key is no point of its curve");
        return None;
    }
    curve_bits(&curve)
}

/// Whether a point is on its curve (SEC 1 §3.2.2). `None` for curves that are
/// not known here.
fn is_on_curve(curve: &str, point: &[u8]) -> Option<bool> {
    let curve: &'static EcdsaVerificationAlgorithm = match curve {
        "1.2.840.10045.3.1.7" => &ECDSA_P256_SHA256_ASN1,
        "1.3.132.0.10" => &ECDSA_P256K1_SHA256_ASN1,
        "1.3.132.0.34" => &ECDSA_P384_SHA384_ASN1,
        "1.3.132.0.35" => &ECDSA_P521_SHA512_ASN1,
        other => return curves::has(other, point),
    };
    Some(match point {
        // The hybrid form (X9.62 §4.3.6) holds the sign of y, too; it is rare,
        // and not read by the library.
        [form @ (6 | 7), rest @ ..] => {
            rest.last().is_some_and(|last| last & 1 == form & 1)
                && ParsedPublicKey::new(curve, [&[4], rest].concat()).is_ok()
        }
        point => ParsedPublicKey::new(curve, point).is_ok(),
    })
}

fn curve(algorithm: &AlgorithmIdentifier<'_>) -> Option<String> {
    Some(algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string())
}

/// Field size of a named curve (RFC 5480 §2.1.1.1, RFC 5639).
fn curve_bits(curve: &str) -> Option<u32> {
    Some(match curve {
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" => 256, // secp256r1, secp256k1
        "1.3.132.0.34" => 384,                         // secp384r1
        "1.3.132.0.35" => 521,                         // secp521r1
        other => return curves::bits(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base points of SEC 2 §2.4.2, in every form of SEC 1 §2.3.3.
    #[test]
    fn a_point_has_to_be_on_its_curve() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let x = bytes("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let y = bytes("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        let p256 = "1.2.840.10045.3.1.7";
        let form = |form: u8, parts: &[&[u8]]| [&[form], parts.concat().as_slice()].concat();
        let mut off = y.clone();
        off[31] ^= 2;
        for (point, expected) in [
            (form(4, &[&x, &y]), Some(true)),
            (form(3, &[&x]), Some(true)),
            (form(7, &[&x, &y]), Some(true)),
            (form(6, &[&x, &y]), Some(false)),
            (form(4, &[&x, &off]), Some(false)),
            (form(7, &[&x, &off]), Some(false)),
            (form(4, &[&x]), Some(false)),
            (vec![0], Some(false)),
            (vec![], Some(false)),
        ] {
            assert_eq!(is_on_curve(p256, &point), expected, "{point:02x?}");
        }
        assert_eq!(is_on_curve("1.3.36.3.3.2.8.1.1.7", &form(4, &[&x, &y])), Some(false), "of another curve");
        assert_eq!(is_on_curve("1.2.3.4", &form(4, &[&x, &y])), None, "not known here");
    }

    #[test]
    fn leading_zeros_are_no_bits() {
        for (content, bits) in [
            (&[0x00, 0x80, 0x00][..], Some(16)),
            (&[0x80, 0x00], Some(16)),
            (&[0x01, 0xff], Some(9)),
            (&[0x00, 0x00], None),
            (&[], None),
        ] {
            assert_eq!(integer_bits(content), bits);
        }
    }
}
