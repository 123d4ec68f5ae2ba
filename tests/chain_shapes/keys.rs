//! Keys of every kind, and signatures by them. What aws-lc-rs makes it makes;
//! the rest comes from the openssl command line.

use super::der::{NULL, bits, integer, oid, sequence};
use super::openssl;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

/// What makes signatures.
#[derive(Clone)]
pub struct Key {
    /// SubjectPublicKeyInfo.
    pub info: Vec<u8>,
    secret: Arc<Secret>,
}

enum Secret {
    P256(EcdsaKeyPair),
    /// A private key as PEM.
    Pem(PathBuf),
    /// Modulus and private exponent.
    Rsa(BigUint, BigUint),
}

static KEYS: LazyLock<Mutex<HashMap<String, Key>>> = LazyLock::new(Mutex::default);
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// The key of this name, made once: `a`, `b`, `c`, `d` on P-256, `rsa-large`,
/// else what [`options`] has.
pub fn key(name: &str) -> Key {
    let mut keys = KEYS.lock().unwrap();
    keys.entry(name.to_string()).or_insert_with(|| make(name)).clone()
}

fn make(name: &str) -> Key {
    match name {
        "a" | "b" | "c" | "d" => p256(),
        "rsa-large" => large(),
        "rsa1024" => {
            pem(name, openssl::run(&["rsa", "-inform", "DER", "-in", &data("rsa-1024.pkcs1.der")], &[]))
        }
        "rsa2048" => {
            pem(name, openssl::run(&["pkey", "-inform", "DER", "-in", &data("rsa-2048.pkcs8.der")], &[]))
        }
        _ => {
            let made = openssl::run(&[&["genpkey"], options(name).as_slice()].concat(), &[]);
            pem(name, made)
        }
    }
}

fn data(file: &str) -> String {
    format!("{}/datasets/lab/pki/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn options(name: &str) -> Vec<&'static str> {
    let curve = |option| vec!["-algorithm", "EC", "-pkeyopt", option];
    match name {
        "p192" => curve("ec_paramgen_curve:prime192v1"),
        "p224" => curve("ec_paramgen_curve:secp224r1"),
        "p384" => curve("ec_paramgen_curve:P-384"),
        "p521" => curve("ec_paramgen_curve:P-521"),
        "k256" => curve("ec_paramgen_curve:secp256k1"),
        "brainpool" => curve("ec_paramgen_curve:brainpoolP256r1"),
        "explicit" => [curve("ec_paramgen_curve:P-256"), vec!["-pkeyopt", "ec_param_enc:explicit"]].concat(),
        "ed25519" => vec!["-algorithm", "ED25519"],
        "ed448" => vec!["-algorithm", "ED448"],
        "rsa512" => vec!["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"],
        "rsa3072" => vec!["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
        other => panic!("no key {other}"),
    }
}

fn p256() -> Key {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let info = ec_info("1.2.840.10045.3.1.7", pair.public_key().as_ref());
    Key { info, secret: Arc::new(Secret::P256(pair)) }
}

/// SubjectPublicKeyInfo of a point on a named curve.
pub fn ec_info(curve: &str, point: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(&[&oid("1.2.840.10045.2.1"), &oid(curve)]), &bits(point)])
}

/// The 65 bytes of the point of a P-256 key.
pub fn point(key: &Key) -> Vec<u8> {
    key.info[key.info.len() - 65..].to_vec()
}

fn pem(name: &str, pem: Vec<u8>) -> Key {
    let path = FOLDER.path().join(format!("{name}.pem"));
    std::fs::write(&path, pem).unwrap();
    let info = openssl::run(&["pkey", "-in", path.to_str().unwrap(), "-pubout", "-outform", "DER"], &[]);
    Key { info, secret: Arc::new(Secret::Pem(path)) }
}

/// RSA of 8,676 bits at no cost: the primes are those of Mersenne.
fn large() -> Key {
    let one = BigUint::from(1_u8);
    let (p, q) = ((&one << 4423_u32) - &one, (&one << 4253_u32) - &one);
    let (modulus, exponent) = (&p * &q, BigUint::from(65537_u32));
    let secret = exponent.modinv(&((&p - &one) * (&q - &one))).unwrap();
    // Its first byte is 0x0f: no sign to be kept.
    let number = super::der::element(super::der::INTEGER, &modulus.to_bytes_be());
    let key = sequence(&[&number, &integer(65537)]);
    let info = sequence(&[&sequence(&[&oid("1.2.840.113549.1.1.1"), &NULL]), &bits(&key)]);
    Key { info, secret: Arc::new(Secret::Rsa(modulus, secret)) }
}

/// How something is signed: the AlgorithmIdentifier, and what openssl has to
/// be told for it.
#[derive(Clone)]
pub struct Algorithm {
    pub identifier: Vec<u8>,
    options: Vec<&'static str>,
}

/// ecdsa-with-SHA256.
pub fn ecdsa() -> Algorithm {
    algorithm("1.2.840.10045.4.3.2", &[], &["-sha256"])
}

/// An algorithm with these parameters.
pub fn algorithm(id: &str, parameters: &[u8], options: &[&'static str]) -> Algorithm {
    Algorithm { identifier: sequence(&[&oid(id), parameters]), options: options.to_vec() }
}

/// RSASSA-PSS (RFC 4055 §3.1) with a digest and a length of salt.
pub fn pss(digest: &str, option: &'static str, salt: u32, salt_option: &'static str) -> Algorithm {
    let hash = sequence(&[&oid(digest), &NULL]);
    let mask = sequence(&[&oid("1.2.840.113549.1.1.8"), &hash]);
    let tagged = |tag: u8, content: &[u8]| super::der::element(tag, content);
    let parameters = sequence(&[&tagged(0xa0, &hash), &tagged(0xa1, &mask), &tagged(0xa2, &integer(salt))]);
    let options = [option, "-sigopt", "rsa_padding_mode:pss", "-sigopt", salt_option];
    algorithm("1.2.840.113549.1.1.10", &parameters, &options)
}

pub fn sign(key: &Key, algorithm: &Algorithm, message: &[u8]) -> Vec<u8> {
    match &*key.secret {
        Secret::P256(pair) if algorithm.options == ["-sha256"] => {
            pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        }
        Secret::P256(pair) => {
            let der = pair.to_pkcs8v1().unwrap();
            let path = FOLDER.path().join(format!("p256-{}.der", hex(&key.info[key.info.len() - 8..])));
            std::fs::write(&path, der.as_ref()).unwrap();
            digest_sign(path.to_str().unwrap(), "DER", algorithm, message)
        }
        Secret::Pem(path) => digest_sign(path.to_str().unwrap(), "PEM", algorithm, message),
        Secret::Rsa(modulus, secret) => {
            let length = usize::try_from(modulus.bits().div_ceil(8)).unwrap();
            let prefix = [
                0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
                0x05, 0x00, 0x04, 0x20,
            ];
            let padding = vec![0xff; length - 3 - prefix.len() - 32];
            let block = [&[0, 1], padding.as_slice(), &[0], &prefix, &Sha256::digest(message)].concat();
            let signature = BigUint::from_bytes_be(&block).modpow(secret, modulus).to_bytes_be();
            [vec![0; length - signature.len()], signature].concat()
        }
    }
}

fn digest_sign(path: &str, form: &str, algorithm: &Algorithm, message: &[u8]) -> Vec<u8> {
    // Algorithms of Edwards curves digest for themselves, and want a file.
    if algorithm.options.is_empty() {
        let name = format!("message-{}", hex(&Sha256::digest(message)[..8]));
        let file = FOLDER.path().join(name);
        std::fs::write(&file, message).unwrap();
        let input = file.to_str().unwrap();
        return openssl::run(&["pkeyutl", "-sign", "-rawin", "-inkey", path, "-in", input], &[]);
    }
    let args = [&["dgst"], algorithm.options.as_slice(), &["-keyform", form, "-sign", path]].concat();
    openssl::run(&args, message)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
