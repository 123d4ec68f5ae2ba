//! Curves over prime fields, and whether a point is on one (SEC 1 §3.2.2.1):
//! a certificate's key and a server's share of a key exchange have to be.
//!
//! Where the library has the curve, it says so. Of the others the equations
//! stand here; such points are rare, and public: plain arithmetic will do.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use num_bigint::BigUint as Number;

/// A curve `y² = x³ + ax + b` over a prime field.
#[derive(Debug)]
pub struct Curve {
    oid: &'static str,
    name: &'static str,
    bits: u32,
    known: CurveArithmetic,
}

/// What is known of a curve.
#[derive(Debug)]
enum CurveArithmetic {
    ByLibrary(&'static EcdsaVerificationAlgorithm),
    /// Its numbers, in hexadecimal.
    Numbers {
        prime: &'static str,
        a: &'static str,
        b: &'static str,
    },
}

/// SEC 2 v2 and v1, RFC 5639 §3, GB/T 32918.5.
static CURVES: [Curve; 14] = [
    Curve {
        oid: "1.2.840.10045.3.1.7",
        name: "secp256r1",
        bits: 256,
        known: CurveArithmetic::ByLibrary(&ECDSA_P256_SHA256_ASN1),
    },
    Curve {
        oid: "1.3.132.0.34",
        name: "secp384r1",
        bits: 384,
        known: CurveArithmetic::ByLibrary(&ECDSA_P384_SHA384_ASN1),
    },
    Curve {
        oid: "1.3.132.0.35",
        name: "secp521r1",
        bits: 521,
        known: CurveArithmetic::ByLibrary(&ECDSA_P521_SHA512_ASN1),
    },
    Curve {
        oid: "1.3.132.0.10",
        name: "secp256k1",
        bits: 256,
        known: CurveArithmetic::ByLibrary(&ECDSA_P256K1_SHA256_ASN1),
    },
    Curve {
        oid: "1.2.840.10045.3.1.1",
        name: "secp192r1",
        bits: 192,
        known: CurveArithmetic::Numbers {
            prime: "fffffffffffffffffffffffffffffffeffffffffffffffff",
            a: "fffffffffffffffffffffffffffffffefffffffffffffffc",
            b: "64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1",
        },
    },
    Curve {
        oid: "1.3.132.0.33",
        name: "secp224r1",
        bits: 224,
        known: CurveArithmetic::Numbers {
            prime: "ffffffffffffffffffffffffffffffff000000000000000000000001",
            a: "fffffffffffffffffffffffffffffffefffffffffffffffffffffffe",
            b: "b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4",
        },
    },
    Curve {
        oid: "1.3.132.0.32",
        name: "secp224k1",
        bits: 224,
        known: CurveArithmetic::Numbers {
            prime: "fffffffffffffffffffffffffffffffffffffffffffffffeffffe56d",
            a: "00000000000000000000000000000000000000000000000000000000",
            b: "00000000000000000000000000000000000000000000000000000005",
        },
    },
    Curve {
        oid: "1.3.36.3.3.2.8.1.1.7",
        name: "brainpoolP256r1",
        bits: 256,
        known: CurveArithmetic::Numbers {
            prime: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
            a: "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
            b: "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
        },
    },
    Curve {
        oid: "1.3.36.3.3.2.8.1.1.8",
        name: "brainpoolP256t1",
        bits: 256,
        known: CurveArithmetic::Numbers {
            prime: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
            a: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5374",
            b: "662c61c430d84ea4fe66a7733d0b76b7bf93ebc4af2f49256ae58101fee92b04",
        },
    },
    Curve {
        oid: "1.3.36.3.3.2.8.1.1.11",
        name: "brainpoolP384r1",
        bits: 384,
        known: CurveArithmetic::Numbers {
            prime: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123\
            acd3a729901d1a71874700133107ec53",
            a: "7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f\
            8aa5814a503ad4eb04a8c7dd22ce2826",
            b: "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d5\
            7cb4390295dbc9943ab78696fa504c11",
        },
    },
    Curve {
        oid: "1.3.36.3.3.2.8.1.1.12",
        name: "brainpoolP384t1",
        bits: 384,
        known: CurveArithmetic::Numbers {
            prime: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123\
            acd3a729901d1a71874700133107ec53",
            a: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123\
            acd3a729901d1a71874700133107ec50",
            b: "7f519eada7bda81bd826dba647910f8c4b9346ed8ccdc64e4b1abd11756dce1d\
            2074aa263b88805ced70355a33b471ee",
        },
    },
    Curve {
        oid: "1.3.36.3.3.2.8.1.1.13",
        name: "brainpoolP512r1",
        bits: 512,
        known: CurveArithmetic::Numbers {
            prime: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330871\
            7d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
            a: "7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc\
            2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca",
            b: "3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a7\
            2bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723",
        },
    },
    Curve {
        oid: "1.3.36.3.3.2.8.1.1.14",
        name: "brainpoolP512t1",
        bits: 512,
        known: CurveArithmetic::Numbers {
            prime: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330871\
            7d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
            a: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330871\
            7d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f0",
            b: "7cbbbcf9441cfab76e1890e46884eae321f70c0bcb4981527897504bec3e36a6\
            2bcdfa2304976540f6450085f2dae145c22553b465763689180ea2571867423e",
        },
    },
    Curve {
        oid: "1.2.156.10197.1.301",
        name: "curveSM2",
        bits: 256,
        known: CurveArithmetic::Numbers {
            prime: "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff",
            a: "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc",
            b: "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93",
        },
    },
];

impl Curve {
    /// The curve with this object identifier (RFC 5480 §2.1.1.1, RFC 5639 §4.1);
    /// `None` for one that is not known here.
    pub fn of_oid(oid: &str) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.oid == oid)
    }

    /// The curve that is the TLS group of this name (IANA, TLS Supported
    /// Groups); `None` for one that is not known here.
    pub fn of_group(name: &str) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.name == name)
    }

    /// Size of its field, in bits.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Length of a coordinate as it is written, in bytes (SEC 1 §2.3.5).
    pub fn coordinate_bytes(&self) -> usize {
        usize::try_from(self.bits.div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Whether a point is on it, in whatever form of SEC 1 §2.3.3 or X9.62
    /// §4.3.6 it is written.
    pub fn has(&self, point: &[u8]) -> bool {
        let Some((form, coordinates)) = point.split_first() else { return false };
        let length = self.coordinate_bytes();
        let (x, y) = match (form, coordinates.len()) {
            (2 | 3, known) if known == length => (coordinates, None),
            (4 | 6 | 7, known) if known == 2 * length => {
                let (x, y) = coordinates.split_at(length);
                (x, Some(y))
            }
            _ => return false,
        };
        // The hybrid form holds the sign of y, too.
        let sign_fits = y.and_then(<[u8]>::last).is_none_or(|last| *form == 4 || last & 1 == form & 1);
        sign_fits
            && match &self.known {
                // It does not read that form.
                CurveArithmetic::ByLibrary(curve) => match y {
                    Some(_) => ParsedPublicKey::new(*curve, [&[4], coordinates].concat()).is_ok(),
                    None => ParsedPublicKey::new(*curve, point).is_ok(),
                },
                CurveArithmetic::Numbers { prime, a, b } => {
                    is_solution([prime, a, b].map(|text| number(text)), x, y)
                }
            }
    }
}

/// Whether coordinates solve the equation of prime, a and b; without the second
/// of them, whether there is one.
fn is_solution([prime, a, b]: [Number; 3], x: &[u8], y: Option<&[u8]>) -> bool {
    let x = Number::from_bytes_be(x);
    if x >= prime {
        return false;
    }
    let square = (x.modpow(&Number::from(3_u8), &prime) + a * x + b) % &prime;
    let Some(y) = y.map(Number::from_bytes_be) else { return is_square(&square, &prime) };
    y < prime && y.modpow(&Number::from(2_u8), &prime) == square
}

/// By Euler's criterion.
fn is_square(number: &Number, prime: &Number) -> bool {
    let one = Number::from(1_u8);
    *number == Number::ZERO || number.modpow(&((prime - &one) >> 1_u8), prime) == one
}

fn number(hexadecimal: &str) -> Number {
    Number::parse_bytes(hexadecimal.as_bytes(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base point of each, as OpenSSL writes it.
    const BASE_POINTS: [(&str, &str); 14] = [
        (
            "1.2.840.10045.3.1.7",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
            4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        (
            "1.3.132.0.34",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
            3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        (
            "1.3.132.0.35",
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66\
            011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
        ),
        (
            "1.3.132.0.10",
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
            483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        ),
        (
            "1.2.840.10045.3.1.1",
            "188da80eb03090f67cbf20eb43a18800f4ff0afd82ff101207192b95ffc8da78\
            631011ed6b24cdd573f977a11e794811",
        ),
        (
            "1.3.132.0.33",
            "b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21bd376388\
            b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
        ),
        (
            "1.3.132.0.32",
            "a1455b334df099df30fc28a169a467e9e47075a90f7e650eb6b7a45c7e089fed\
            7fba344282cafbd6f7e319f7c0b0bd59e2ca4bdb556d61a5",
        ),
        (
            "1.3.36.3.3.2.8.1.1.7",
            "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262\
            547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
        ),
        (
            "1.3.36.3.3.2.8.1.1.8",
            "a3e8eb3cc1cfe7b7732213b23a656149afa142c47aafbc2b79a191562e1305f4\
            2d996c823439c56d7f7b22e14644417e69bcb6de39d027001dabe8f35b25c9be",
        ),
        (
            "1.3.36.3.3.2.8.1.1.11",
            "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8\
            e826e03436d646aaef87b2e247d4af1e8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315",
        ),
        (
            "1.3.36.3.3.2.8.1.1.12",
            "18de98b02db9a306f2afcd7235f72a819b80ab12ebd653172476fecd462aabff\
            c4ff191b946a5f54d8d0aa2f418808cc25ab056962d30651a114afd2755ad336747f93475b7a1fca3b88f2b6a208ccfe469408584dc2b2912675bf5b9e582928",
        ),
        (
            "1.3.36.3.3.2.8.1.1.13",
            "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098e\
            ff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f8227dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892",
        ),
        (
            "1.3.36.3.3.2.8.1.1.14",
            "640ece5c12788717b9c1ba06cbc2a6feba85842458c56dde9db1758d39c0313d\
            82ba51735cdb3ea499aa77a7d6943a64f7a3f25fe26f06b51baa2696fa9035da5b534bd595f5af0fa2c892376c84ace1bb4e3019b71634c01131159cae03cee9d9932184beef216bd71df2dadf86a627306ecff96dbb8bace198b61e00f8b332",
        ),
        (
            "1.2.156.10197.1.301",
            "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7\
            bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
        ),
    ];

    #[test]
    fn a_point_has_to_be_on_its_curve() {
        for (oid, hexadecimal) in BASE_POINTS {
            let bytes: Vec<u8> = (0..hexadecimal.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap())
                .collect();
            let (x, y) = bytes.split_at(bytes.len() / 2);
            let sign = y[y.len() - 1] & 1;
            let form = |form: u8, parts: &[&[u8]]| [&[form], parts.concat().as_slice()].concat();
            let mut off = y.to_vec();
            off[0] ^= 1;
            for (point, expected) in [
                (form(4, &[x, y]), true),
                (form(2 + sign, &[x]), true),
                (form(6 + sign, &[x, y]), true),
                (form(7 - sign, &[x, y]), false),
                (form(4, &[x, &off]), false),
                (form(4, &[x]), false),
                (form(5, &[x, y]), false),
                (form(4, &[&vec![0xff; x.len()], y]), false),
                (vec![], false),
            ] {
                let curve = Curve::of_oid(oid).unwrap();
                assert_eq!(curve.has(&point), expected, "{oid} {point:02x?}");
            }
        }
        assert_eq!(BASE_POINTS.len(), CURVES.len());
    }

    #[test]
    fn half_of_all_numbers_are_squares() {
        let curve = Curve::of_group("secp224r1").unwrap();
        let length = curve.coordinate_bytes();
        let on = (0..200_u8).filter(|x| {
            let x = [vec![0; length - 1], vec![*x]].concat();
            curve.has(&[&[2], x.as_slice()].concat())
        });
        assert!((70..130).contains(&on.count()));
    }

    /// Their names are those of the registry of TLS, where TLS has them.
    #[test]
    fn a_group_is_found_by_its_name() {
        for curve in &CURVES {
            let known = crate::curve::Curve::of_group(curve.name).map(|found| found.oid);
            assert_eq!(known, Some(curve.oid));
        }
        assert!(Curve::of_group("x25519").is_none() && Curve::of_oid("1.2.3").is_none());
        let bytes: Vec<usize> = CURVES.iter().map(Curve::coordinate_bytes).collect();
        assert_eq!(bytes, [32, 48, 66, 32, 24, 28, 28, 32, 32, 48, 48, 64, 64, 32]);
    }
}
