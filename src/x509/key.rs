//! Algorithm and size of a public key (RFC 3279 §2.3, RFC 5480, RFC 8410).

use super::Defects;
use super::fields::Cursor;
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

pub(super) fn read(raw: &[u8], defects: &mut Defects) -> Option<Key> {
    let Ok((_, info)) = SubjectPublicKeyInfo::from_der(raw) else {
        defects.note("public key unreadable");
        return None;
    };
    let oid = info.algorithm.algorithm.to_id_string();
    let (algorithm, bits) = match oid.as_str() {
        "1.2.840.113549.1.1.1" => ("RSA", rsa_bits(&info)),
        // A key that may sign with RSASSA-PSS only (RFC 4055 §1.2).
        "1.2.840.113549.1.1.10" => ("RSA", modulus_bits(&info.subject_public_key.data)),
        "1.2.840.10045.2.1" => ("ECDSA", curve_bits(&info.algorithm)),
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

/// Field size of a named curve (RFC 5480 §2.1.1.1, RFC 5639).
fn curve_bits(algorithm: &AlgorithmIdentifier<'_>) -> Option<u32> {
    let curve = algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
    Some(match curve.as_str() {
        "1.2.840.10045.3.1.1" => 192,                           // secp192r1
        "1.3.132.0.33" | "1.3.132.0.32" => 224,                 // secp224r1, secp224k1
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" => 256,          // secp256r1, secp256k1
        "1.3.132.0.34" => 384,                                  // secp384r1
        "1.3.132.0.35" => 521,                                  // secp521r1
        "1.3.36.3.3.2.8.1.1.7" | "1.3.36.3.3.2.8.1.1.8" => 256, // brainpoolP256r1, t1
        "1.3.36.3.3.2.8.1.1.11" | "1.3.36.3.3.2.8.1.1.12" => 384,
        "1.3.36.3.3.2.8.1.1.13" | "1.3.36.3.3.2.8.1.1.14" => 512,
        "1.2.156.10197.1.301" => 256, // SM2
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
