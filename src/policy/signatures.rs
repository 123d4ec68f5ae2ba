//! The signature algorithms of chain building, with a memory.
//!
//! Thousands of leaves hang under a few dozen intermediates, and path
//! building verifies the signature of each intermediate again for every leaf.
//! Whether a signature verifies is a pure function of key, message and
//! signature, so one that did is not computed twice.

use quick_cache::sync::Cache;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Most signatures remembered, at 32 bytes each and what the table adds.
const SIGNATURES_REMEMBERED_MAX: usize = 4096;

static VERIFIED: LazyLock<Cache<[u8; 32], ()>> = LazyLock::new(|| Cache::new(SIGNATURES_REMEMBERED_MAX));

static ALGORITHMS: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> = LazyLock::new(|| {
    let remembering = |inner: &&'static dyn SignatureVerificationAlgorithm| {
        let algorithm: &'static dyn SignatureVerificationAlgorithm =
            Box::leak(Box::new(Remembering { inner: *inner }));
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
        self.inner.verify_signature(public_key, message, signature)?;
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
        let echo = Remembering { inner: &Echo };
        for _ in 0..2 {
            assert!(echo.verify_signature(b"k", b"message", b"message").is_ok());
            assert!(echo.verify_signature(b"k", b"message", b"forged").is_err());
            assert!(echo.verify_signature(b"km", b"essage", b"message").is_err());
            assert!(echo.verify_signature(b"k", b"messagem", b"essage").is_err());
        }
    }

    #[test]
    fn no_algorithm_is_lost() {
        assert_eq!(algorithms().len(), webpki::ALL_VERIFICATION_ALGS.len());
    }
}
