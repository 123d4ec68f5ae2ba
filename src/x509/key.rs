//! Algorithm and size of a public key (RFC 3279 §2.3, RFC 5480, RFC 8410).

use super::defects::Defects;
use super::fields::Cursor;
use super::oid::dotted;
use crate::curve::Curve;
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
pub(super) struct KeyReading {
    pub key: Option<Key>,
    /// Why it is none, in words.
    pub defect: Option<String>,
}

impl KeyReading {
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
    let oid = dotted(&info.algorithm.algorithm);
    let (algorithm, bits) = match oid.as_str() {
        "1.2.840.113549.1.1.1" => ("RSA", rsa_bits(&info, defects)),
        // A key that may sign with RSASSA-PSS only (RFC 4055 §1.2).
        "1.2.840.113549.1.1.10" => ("RSA", rsa_pss_bits(&info.subject_public_key.data, defects)),
        "1.2.840.10045.2.1" => ("ECDSA", ecdsa_bits(&info, defects)),
        "1.2.840.10040.4.1" => ("DSA", dsa_bits(&info.algorithm)),
        "1.3.101.112" => ("Ed25519", Some(256)),
        "1.3.101.113" => ("Ed448", Some(456)),
        other => (other, None),
    };
    Some(Key { algorithm: algorithm.to_string(), bits })
}

fn rsa_bits(info: &SubjectPublicKeyInfo<'_>, defects: &mut Defects) -> Option<u32> {
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => modulus_bits(key.modulus, key.exponent, defects),
        _ => None,
    }
}

/// The same of the SEQUENCE of both numbers.
fn rsa_pss_bits(sequence: &[u8], defects: &mut Defects) -> Option<u32> {
    let mut inside = Cursor(Cursor(sequence).universal(Tag::Sequence)?.content);
    let modulus = inside.universal(Tag::Integer)?.content;
    modulus_bits(modulus, inside.universal(Tag::Integer)?.content, defects)
}

/// Bits of an RSA modulus; none where the numbers are no RSA key (RFC 8017
/// §3.1), since there is none then that could be strong.
fn modulus_bits(modulus: &[u8], exponent: &[u8], defects: &mut Defects) -> Option<u32> {
    if !is_odd(modulus) {
        defects.note("RSA modulus is even");
        return None;
    }
    if !is_odd(exponent) || integer_bits(exponent) == Some(1) {
        defects.note("RSA exponent is even or 1");
        return None;
    }
    integer_bits(modulus)
}

fn is_odd(content: &[u8]) -> bool {
    content.last().is_some_and(|byte| byte & 1 == 1)
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
    let curve = Curve::of_oid(&curve(&info.algorithm)?)?;
    if !curve.has(&info.subject_public_key.data) {
        defects.note("public key is no point of its curve");
        return None;
    }
    Some(curve.bits())
}

fn curve(algorithm: &AlgorithmIdentifier<'_>) -> Option<String> {
    Some(dotted(&algorithm.parameters.as_ref()?.as_oid().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rsa_key_has_no_bits() {
        const ODD: &[u8] = &[0x00, 0x80, 0x01];
        for (modulus, exponent, bits, defect) in [
            (ODD, &[0x01, 0x00, 0x01][..], Some(16), None),
            (ODD, &[0x03], Some(16), None),
            (ODD, &[0x01], None, Some("RSA exponent is even or 1")),
            (ODD, &[0x00], None, Some("RSA exponent is even or 1")),
            (ODD, &[0x02], None, Some("RSA exponent is even or 1")),
            (ODD, &[], None, Some("RSA exponent is even or 1")),
            (&[0x00], &[0x03], None, Some("RSA modulus is even")),
            (&[0x00, 0x80, 0x00], &[0x03], None, Some("RSA modulus is even")),
            (&[], &[0x03], None, Some("RSA modulus is even")),
            (&[0x01], &[0x03], Some(1), None),
        ] {
            let mut defects = Defects::default();
            assert_eq!(modulus_bits(modulus, exponent, &mut defects), bits, "{modulus:?} {exponent:?}");
            assert_eq!(defects.into_text().as_deref(), defect, "{modulus:?} {exponent:?}");
        }
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
