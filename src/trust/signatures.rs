//! The signature algorithms of chain building, with a memory.
//!
//! Thousands of leaves hang under a few dozen intermediates, and path
//! building verifies the signature of each intermediate again for every leaf.
//! Whether a signature verifies is a pure function of key, message and
//! signature, so one that did is not computed twice. The keys of those issuers
//! are kept as the library has read them.

use crate::x509;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use quick_cache::sync::Cache;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};
use webpki::aws_lc_rs as known;
use x509_cert::der::Encode;
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

/// Most signatures remembered, at 32 bytes each and what the table adds.
const SIGNATURES_REMEMBERED_MAX: usize = 4096;

/// Most keys remembered of each algorithm, at a kilobyte or two each. A few
/// dozen issue nearly all leaves.
const KEYS_REMEMBERED_MAX: usize = 256;

static VERIFIED: LazyLock<Cache<[u8; 32], ()>> = LazyLock::new(|| Cache::new(SIGNATURES_REMEMBERED_MAX));

static ALGORITHMS: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> = LazyLock::new(|| {
    let remembering = |inner: &&'static dyn SignatureVerificationAlgorithm| {
        let algorithm: &'static dyn SignatureVerificationAlgorithm =
            Box::leak(Box::new(Remembering::new(*inner)));
        algorithm
    };
    webpki::ALL_VERIFICATION_ALGS.iter().map(remembering).collect()
});

/// Every algorithm that a chain may use.
pub(super) fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    &ALGORITHMS
}

/// An algorithm that remembers what it verified. Failures are not kept: they
/// are rare, and nothing is gained by making them cheap.
#[derive(Debug)]
struct Remembering {
    inner: &'static dyn SignatureVerificationAlgorithm,
    /// Where its keys are kept.
    keys: Option<Keys>,
}

/// Keys under which a signature was verified.
struct Keys {
    algorithm: &'static dyn VerificationAlgorithm,
    read: LazyLock<Cache<Box<[u8]>, Arc<ParsedPublicKey>>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Keys {
    /// Keeps a key. One that the library does not read it has verified nothing
    /// under.
    fn keep(&self, public_key: &[u8]) {
        if let Ok(read) = ParsedPublicKey::new(self.algorithm, public_key) {
            self.read.insert(public_key.into(), Arc::new(read));
        }
    }
}

/// The library's name for an algorithm with whose keys leaves are signed as a
/// rule. Two may differ in the sizes of keys alone; each keeps what it took.
fn in_library(inner: &dyn SignatureVerificationAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    let pairs: [(_, &'static dyn VerificationAlgorithm); 5] = [
        (known::ECDSA_P256_SHA256, &ECDSA_P256_SHA256_ASN1),
        (known::ECDSA_P384_SHA384, &ECDSA_P384_SHA384_ASN1),
        (known::RSA_PKCS1_2048_8192_SHA256, &RSA_PKCS1_2048_8192_SHA256),
        (known::RSA_PKCS1_2048_8192_SHA384, &RSA_PKCS1_2048_8192_SHA384),
        (known::RSA_PKCS1_2048_8192_SHA512, &RSA_PKCS1_2048_8192_SHA512),
    ];
    let ids = |of: &dyn SignatureVerificationAlgorithm| (of.public_key_alg_id(), of.signature_alg_id());
    let mut pairs = pairs.into_iter();
    pairs.find(|(known, _)| ids(*known) == ids(inner)).map(|(_, algorithm)| algorithm)
}

impl SignatureVerificationAlgorithm for Remembering {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let question = self.digest(&[public_key, message, signature]);
        if VERIFIED.get(&question).is_some() {
            return Ok(());
        }
        self.compute(public_key, message, signature)?;
        VERIFIED.insert(question, ());
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

impl Remembering {
    fn new(inner: &'static dyn SignatureVerificationAlgorithm) -> Self {
        let keys = |algorithm| Keys { algorithm, read: LazyLock::new(|| Cache::new(KEYS_REMEMBERED_MAX)) };
        Self { inner, keys: in_library(inner).map(keys) }
    }

    /// Verifies under a key that is kept, or else as rustls-webpki does, which
    /// also looks at the form of the key.
    fn compute(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if let Some(key) = self.keys.as_ref().and_then(|keys| keys.read.get(public_key)) {
            return key.verify_sig(message, signature).map_err(|_| InvalidSignature);
        }
        self.inner.verify_signature(public_key, message, signature)?;
        if let Some(keys) = &self.keys {
            keys.keep(public_key);
        }
        Ok(())
    }

    /// One digest over everything the answer depends on, each part with its
    /// length so that no two questions run together.
    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let (key_algorithm, algorithm) = (self.inner.public_key_alg_id(), self.inner.signature_alg_id());
        let mut hash = Sha256::new();
        for part in [key_algorithm.as_ref(), algorithm.as_ref()].iter().chain(parts) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// What a verifier says of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignatureVerdict {
    /// The key made it.
    Good,
    /// The key did not make it.
    Bad,
    /// It rests on a digest for which forgeries can be made, so that nobody
    /// takes it any more; which, in words.
    Broken(&'static str),
    /// Our verifiers lack the algorithm or the size; which, in words.
    Unverifiable(String),
}

/// Keys of the sizes that the verifiers of RSA take.
const RSA_BITS: std::ops::RangeInclusive<u32> = 1024..=8192;

/// Verifies a certificate's signature for the full path validation. Takes what
/// rustls-webpki takes, and what aws-lc-rs can do besides: RSA from 1024 bits,
/// secp256k1.
pub(super) fn verify(
    algorithm: AlgorithmIdentifierRef<'_>,
    key: SubjectPublicKeyInfoRef<'_>,
    message: &[u8],
    signature: &[u8],
) -> SignatureVerdict {
    let oid = algorithm.oid.to_string();
    if let Some(broken) = broken(&oid) {
        return SignatureVerdict::Broken(broken);
    }
    let (Some(wanted), Some(key_algorithm)) = (content(&algorithm), content(&key.algorithm)) else {
        return SignatureVerdict::Unverifiable("a signature algorithm that cannot be read".into());
    };
    let bits = uncompressed(key.subject_public_key.raw_bytes(), &key);
    let fits = |known: &&&dyn SignatureVerificationAlgorithm| {
        known.signature_alg_id().as_ref() == wanted && known.public_key_alg_id().as_ref() == key_algorithm
    };
    let Some(known) = algorithms().iter().find(fits) else {
        return verify_rarer(&oid, key, message, signature);
    };
    match known.verify_signature(&bits, message, signature) {
        Ok(()) => SignatureVerdict::Good,
        Err(_) => failed(&oid, key, message, signature),
    }
}

/// A failed signature is a bad one only where the verifier takes such keys.
fn failed(oid: &str, key: SubjectPublicKeyInfoRef<'_>, message: &[u8], signature: &[u8]) -> SignatureVerdict {
    let Ok(whole) = key.to_der() else { return SignatureVerdict::Bad };
    match x509::key_size(&whole) {
        Some((algorithm, Some(bits))) if algorithm == "RSA" => {
            match (RSA_BITS.contains(&bits), bits < 2048) {
                (false, _) => {
                    SignatureVerdict::Unverifiable(format!("a signature by an RSA key of {bits} bits"))
                }
                (true, true) => verify_rarer(oid, key, message, signature),
                (true, false) => SignatureVerdict::Bad,
            }
        }
        Some((algorithm, None)) if algorithm == "RSA" => {
            SignatureVerdict::Unverifiable("a signature by an RSA key of odd form".into())
        }
        _ => SignatureVerdict::Bad,
    }
}

/// A point in the hybrid form (X9.62 §4.3.6), which the library does not read,
/// in the one that it does.
fn uncompressed<'a>(bits: &'a [u8], key: &SubjectPublicKeyInfoRef<'_>) -> Cow<'a, [u8]> {
    match bits {
        [form @ (6 | 7), point @ .., last]
            if key_kind(key).is_some_and(|kind| kind != "RSA") && last & 1 == form & 1 =>
        {
            Cow::Owned([&[4], point, &[*last]].concat())
        }
        bits => Cow::Borrowed(bits),
    }
}

/// What rustls-webpki has no name for.
fn verify_rarer(
    oid: &str,
    key: SubjectPublicKeyInfoRef<'_>,
    message: &[u8],
    signature: &[u8],
) -> SignatureVerdict {
    let verifier: &'static dyn VerificationAlgorithm = match (oid, key_kind(&key).as_deref()) {
        ("1.2.840.113549.1.1.11", Some("RSA")) => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.13", Some("RSA")) => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        ("1.2.840.10045.4.3.2", Some("1.3.132.0.10")) => &ECDSA_P256K1_SHA256_ASN1,
        _ if is_of_another_kind(oid, &key) => return SignatureVerdict::Bad,
        _ => return SignatureVerdict::Unverifiable(unverifiable(oid, &key)),
    };
    let public_key = UnparsedPublicKey::new(verifier, key.subject_public_key.raw_bytes());
    match public_key.verify(message, signature) {
        Ok(()) => SignatureVerdict::Good,
        Err(_) => SignatureVerdict::Bad,
    }
}

/// Whether a key of this kind never makes signatures of this algorithm. Of kinds
/// that are not known here nothing is said.
fn is_of_another_kind(oid: &str, key: &SubjectPublicKeyInfoRef<'_>) -> bool {
    let kind = match key.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => SigningKeyKind::Rsa,
        "1.2.840.10045.2.1" => SigningKeyKind::Curve,
        "1.2.840.10040.4.1" => SigningKeyKind::Dsa,
        "1.3.101.112" => SigningKeyKind::Ed25519,
        "1.3.101.113" => SigningKeyKind::Ed448,
        _ => return false,
    };
    kind_of_signature(oid).is_some_and(|wanted| wanted != kind)
}

/// Kinds of keys that sign certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SigningKeyKind {
    Rsa,
    Curve,
    Dsa,
    Ed25519,
    Ed448,
}

/// The kind of key behind a signature algorithm, by the name of the algorithm.
fn kind_of_signature(oid: &str) -> Option<SigningKeyKind> {
    let name = x509::signature_algorithm_name(oid)?.to_ascii_lowercase();
    Some(match name.as_str() {
        "ed25519" => SigningKeyKind::Ed25519,
        "ed448" => SigningKeyKind::Ed448,
        name if name.contains("ecdsa") => SigningKeyKind::Curve,
        name if name.contains("rsa") => SigningKeyKind::Rsa,
        name if name.contains("dsa") => SigningKeyKind::Dsa,
        _ => return None,
    })
}

/// `RSA`, or the OID of a named curve.
fn key_kind(key: &SubjectPublicKeyInfoRef<'_>) -> Option<String> {
    match key.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Some("RSA".into()),
        "1.2.840.10045.2.1" => key.algorithm.parameters_oid().ok().map(|curve| curve.to_string()),
        _ => None,
    }
}

fn unverifiable(oid: &str, key: &SubjectPublicKeyInfoRef<'_>) -> String {
    let name = x509::signature_algorithm_name(oid).unwrap_or(oid);
    let size = key.to_der().ok().and_then(|whole| x509::key_size(&whole));
    let by = match size {
        Some((algorithm, Some(bits))) => format!("{algorithm} of {bits} bits"),
        Some((algorithm, None)) => algorithm,
        None => "a key that cannot be read".into(),
    };
    format!("{name} by {by}")
}

/// Signatures with MD2, MD5 and SHA-1 (RFC 6151, RFC 9155).
fn broken(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.1.1.2" => "a signature rests on MD2",
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.3" => "a signature rests on MD5",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => {
            "a signature rests on SHA-1"
        }
        _ => return None,
    })
}

/// An AlgorithmIdentifier without the header of its SEQUENCE, as rustls knows
/// them; they are all short.
fn content(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<Vec<u8>> {
    let whole = algorithm.to_der().ok()?;
    let short = whole.get(1).is_some_and(|length| *length < 0x80);
    if short { whole.get(2..).map(<[u8]>::to_vec) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verifies everything whose signature is its message.
    #[derive(Debug)]
    struct Echo;

    impl SignatureVerificationAlgorithm for Echo {
        fn verify_signature(
            &self,
            _: &[u8],
            message: &[u8],
            signature: &[u8],
        ) -> Result<(), InvalidSignature> {
            if message == signature { Ok(()) } else { Err(InvalidSignature) }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            AlgorithmIdentifier::from_slice(b"echo key")
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            AlgorithmIdentifier::from_slice(b"echo")
        }
    }

    #[test]
    fn a_memory_changes_no_answer() {
        let echo = Remembering::new(&Echo);
        for _ in 0..2 {
            assert!(echo.verify_signature(b"k", b"message", b"message").is_ok());
            assert!(echo.verify_signature(b"k", b"message", b"forged").is_err());
            assert!(echo.verify_signature(b"km", b"essage", b"message").is_err());
            assert!(echo.verify_signature(b"k", b"messagem", b"essage").is_err());
        }
    }

    #[test]
    fn a_key_that_is_kept_verifies_what_it_did() {
        use aws_lc_rs::rand::SystemRandom;
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let other = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = pair.public_key().as_ref();
        let sign = |message: &[u8]| pair.sign(&SystemRandom::new(), message).unwrap();
        let remembering = Remembering::new(known::ECDSA_P256_SHA256);
        let kept = || remembering.keys.as_ref().unwrap().read.get(key).is_some();
        assert!(remembering.verify_signature(key, b"first", sign(b"other").as_ref()).is_err());
        assert!(!kept(), "nothing was verified under it");
        assert!(remembering.verify_signature(key, b"first", sign(b"first").as_ref()).is_ok());
        assert!(kept());
        assert!(remembering.verify_signature(key, b"second", sign(b"second").as_ref()).is_ok());
        assert!(remembering.verify_signature(key, b"third", sign(b"second").as_ref()).is_err());
        let foreign = other.public_key().as_ref();
        assert!(remembering.verify_signature(foreign, b"second", sign(b"second").as_ref()).is_err());
    }

    #[test]
    fn the_keys_of_usual_issuers_are_kept() {
        let kept = webpki::ALL_VERIFICATION_ALGS.iter().filter(|inner| in_library(**inner).is_some());
        assert_eq!(kept.count(), 6, "RSA with SHA-384 stands there twice");
    }

    #[test]
    fn no_algorithm_is_lost() {
        assert_eq!(algorithms().len(), webpki::ALL_VERIFICATION_ALGS.len());
    }
}
