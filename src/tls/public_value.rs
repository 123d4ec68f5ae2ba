//! Public values of a key exchange with which nobody can compute a secret, or
//! only one that everybody knows.

use crate::curve::Curve;
use crate::model::NamedGroup;
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use num_bigint::BigUint;
use std::sync::LazyLock;

/// Shortest Diffie-Hellman prime that any client takes, in bits: OpenSSL's
/// `DH_MIN_MODULUS_BITS`, the least of all.
pub const DH_BITS_MIN: u64 = 512;

/// First byte of a point that is written out, the only form in TLS (RFC 8422
/// §5.4.1).
const UNCOMPRESSED: u8 = 4;

/// Length of the public values of X25519 and X448, in bytes (RFC 7748 §5).
const X25519_BYTES: usize = 32;
const X448_BYTES: usize = 56;

/// Any private key will do to see whether a secret comes of a public value.
static ANY_X25519: LazyLock<Option<PrivateKey>> =
    LazyLock::new(|| PrivateKey::from_private_key(&X25519, &[7; X25519_BYTES]).ok());

/// What is wrong with a public value of a group; `None` where nothing is, or
/// the group is not known here.
pub(super) fn of_group(group: NamedGroup, public: &[u8]) -> Option<&'static str> {
    match group.name().as_ref() {
        "x25519" => of_x25519(public),
        "x448" => of_x448(public),
        name => Curve::of_group(name).and_then(|curve| of_curve(public, curve)),
    }
}

/// A point is written out, and on its curve.
fn of_curve(public: &[u8], curve: &Curve) -> Option<&'static str> {
    if public.first() != Some(&UNCOMPRESSED) || public.len() != 1 + 2 * curve.coordinate_bytes() {
        return Some("has a point in no form that TLS has");
    }
    (!curve.has(public)).then_some("has a point that is not on its curve")
}

/// Points of small order lead to a secret of zeros (RFC 7748 §6.1, RFC 8422
/// §5.11).
fn of_x25519(public: &[u8]) -> Option<&'static str> {
    if public.len() != X25519_BYTES {
        return Some("has a public value of another length than its group's");
    }
    let mine = ANY_X25519.as_ref()?;
    let agreed = agreement::agree(mine, UnparsedPublicKey::new(&X25519, public), (), |_| Ok(()));
    agreed.is_err().then_some("has a public value of small order")
}

/// The same of X448 (RFC 7748 §6.2), which the library lacks: of small order
/// are 0, 1 and -1.
fn of_x448(public: &[u8]) -> Option<&'static str> {
    if public.len() != X448_BYTES {
        return Some("has a public value of another length than its group's");
    }
    let one = BigUint::from(1_u8);
    let prime = (&one << 448) - (&one << 224) - &one;
    let value = BigUint::from_bytes_le(public) % &prime;
    (value <= one || value == prime - &one).then_some("has a public value of small order")
}

/// What is wrong with a prime of the server's and its public value. Whether it
/// is a prime no client looks; all look at the range of the value (RFC 2631
/// §2.1.5, RFC 7919 §5.1).
pub(super) fn of_dh(prime: &[u8], public: &[u8]) -> Option<&'static str> {
    let (prime, public) = (BigUint::from_bytes_be(prime), BigUint::from_bytes_be(public));
    if prime.bits() < DH_BITS_MIN {
        return Some("has a prime shorter than any client takes");
    }
    let one = BigUint::from(1_u8);
    (public <= one || public >= prime - one).then_some("has a public value out of its range")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> NamedGroup {
        name.parse().unwrap()
    }

    /// The points of small order on Curve25519, as <https://cr.yp.to/ecdh.html>
    /// lists them, little-endian.
    const SMALL_ORDER: [&str; 7] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        (0..hexadecimal.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn a_secret_that_everybody_knows_is_none() {
        for point in SMALL_ORDER {
            let told = of_group(named("x25519"), &bytes(point));
            assert_eq!(told, Some("has a public value of small order"), "{point}");
        }
        let x448 = |first: u8, rest: u8, middle: u8| {
            let mut value = vec![rest; 56];
            (value[0], value[28]) = (first, middle);
            of_group(named("x448"), &value)
        };
        for (first, rest, middle) in [(0, 0, 0), (1, 0, 0), (0xfe, 0xff, 0xfe), (0xff, 0xff, 0xfe)] {
            assert_eq!(x448(first, rest, middle), Some("has a public value of small order"), "{first}");
        }
        assert_eq!(x448(5, 0, 0), None);
        assert_eq!(of_group(named("x25519"), &[9; 32]), None);
        for (group, length) in [("x25519", 31), ("x25519", 33), ("x448", 55), ("x448", 0)] {
            let told = of_group(named(group), &vec![9; length]);
            assert_eq!(told, Some("has a public value of another length than its group's"), "{group}");
        }
    }

    /// The base point of RFC 5639 §3.4.
    const BRAINPOOL: &str = "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262\
        547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997";

    /// The base points of SEC 2 §2.4.
    #[test]
    fn a_point_is_written_out_and_on_its_curve() {
        let p256 = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
            4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
        let on = bytes(p256);
        assert_eq!(of_group(named("secp256r1"), &on), None);
        let mut off = on.clone();
        off[64] ^= 2;
        assert_eq!(of_group(named("secp256r1"), &off), Some("has a point that is not on its curve"));
        assert_eq!(of_group(named("secp256k1"), &on), Some("has a point that is not on its curve"));
        let compressed = [&[3], &on[1..33]].concat();
        for form in [&on[..64], &compressed, &[0], &[], &[&on[..], &[0]].concat()] {
            assert_eq!(
                of_group(named("secp256r1"), form),
                Some("has a point in no form that TLS has"),
                "{form:02x?}"
            );
        }
        for (group, base) in [
            ("brainpoolP256r1", BRAINPOOL),
            (
                "secp192r1",
                "188da80eb03090f67cbf20eb43a18800f4ff0afd82ff101207192b95ffc8da78631011ed6b24cdd573f977a11e794811",
            ),
            (
                "secp224r1",
                "b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
            ),
        ] {
            let on = bytes(&format!("04{base}"));
            let mut off = on.clone();
            off[on.len() - 1] ^= 1;
            assert_eq!(of_group(named(group), &on), None, "{group}");
            assert_eq!(of_group(named(group), &off), Some("has a point that is not on its curve"), "{group}");
        }
        assert!(of_group(named("secp384r1"), &off).is_some());
        assert_eq!(of_group(NamedGroup(0x7a7a), &[]), None);
    }

    #[test]
    fn a_value_of_diffie_hellman_is_within_its_range() {
        let prime = vec![0xfb; 64];
        let below = |less: u8| [&vec![0xfb; 63][..], &[0xfb - less]].concat();
        let range = Some("has a public value out of its range");
        for (public, expected) in [
            (vec![], range),
            (vec![0], range),
            (vec![1], range),
            (vec![0, 0, 2], None),
            (below(2), None),
            (below(1), range),
            (below(0), range),
            (vec![0xfc; 64], range),
            (vec![9; 65], range),
        ] {
            assert_eq!(of_dh(&prime, &public), expected, "{public:02x?}");
        }
        assert_eq!(of_dh(&prime[1..], &[9]), Some("has a prime shorter than any client takes"));
        assert_eq!(of_dh(&[], &[]), Some("has a prime shorter than any client takes"));
    }
}
