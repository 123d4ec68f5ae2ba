//! The key schedule of TLS 1.3 (RFC 8446 §7.1) with each HMAC key set up once.
//!
//! A handshake expands two dozen keys from seven secrets. The provider's own
//! HKDF sets a secret up, or extracts it, again for each of them; here that is
//! done once a secret, and a quarter of a handshake's hashing falls away. The
//! arithmetic is that of aws-lc and the construction that of rustls: only the
//! order of the work differs.

use aws_lc_rs::hmac::{Algorithm, Context, HMAC_SHA256, HMAC_SHA384, Key as HmacKey};
use rustls::crypto::hmac::{Hmac, Key, Tag};
use rustls::crypto::tls13::{Hkdf, HkdfUsingHmac};
use rustls::{CipherSuite, CipherSuiteCommon, SupportedCipherSuite, Tls13CipherSuite};
use std::sync::LazyLock;

static SHA256: HkdfUsingHmac<'static> = HkdfUsingHmac(&SetUpOnce(HMAC_SHA256));
static SHA384: HkdfUsingHmac<'static> = HkdfUsingHmac(&SetUpOnce(HMAC_SHA384));

/// The provider's suites, in its order, those of TLS 1.3 with this schedule.
pub(super) fn suites() -> &'static [SupportedCipherSuite] {
    static SUITES: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
        let provided = rustls::crypto::aws_lc_rs::default_provider().cipher_suites;
        provided.into_iter().map(with_schedule).collect()
    });
    &SUITES
}

fn with_schedule(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    let SupportedCipherSuite::Tls13(known) = suite else { return suite };
    let hkdf_provider: &'static dyn Hkdf = match known.common.suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => &SHA384,
        CipherSuite::TLS13_AES_128_GCM_SHA256 | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => &SHA256,
        _ => return suite,
    };
    let CipherSuiteCommon { suite, hash_provider, confidentiality_limit } = known.common;
    SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
        common: CipherSuiteCommon { suite, hash_provider, confidentiality_limit },
        hkdf_provider,
        aead_alg: known.aead_alg,
        quic: None,
    })))
}

/// HMAC (RFC 2104) whose keys keep the state after their first block.
struct SetUpOnce(Algorithm);

impl Hmac for SetUpOnce {
    fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
        Box::new(Ready(HmacKey::new(self.0, key)))
    }

    fn hash_output_len(&self) -> usize {
        self.0.tag_len()
    }
}

struct Ready(HmacKey);

impl Key for Ready {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> Tag {
        let mut context = Context::with_key(&self.0);
        context.update(first);
        middle.iter().for_each(|part| context.update(part));
        context.update(last);
        Tag::new(context.sign().as_ref())
    }

    fn tag_len(&self) -> usize {
        self.0.algorithm().tag_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::crypto::tls13::OkmBlock;

    fn tls13(suites: &[SupportedCipherSuite]) -> Vec<&'static Tls13CipherSuite> {
        suites.iter().filter_map(SupportedCipherSuite::tls13).collect()
    }

    #[test]
    fn no_suite_is_lost_and_none_moves() {
        let names = |suites: &[SupportedCipherSuite]| suites.iter().map(|s| s.suite()).collect::<Vec<_>>();
        assert_eq!(names(suites()), names(&default_provider().cipher_suites));
    }

    /// Every way in which the key schedule uses HKDF comes to what the
    /// provider's own comes to.
    #[test]
    fn every_secret_is_that_of_the_provider() {
        for (ours, theirs) in tls13(suites()).iter().zip(tls13(&default_provider().cipher_suites)) {
            let (ours, theirs) = (ours.hkdf_provider, theirs.hkdf_provider);
            let okm = OkmBlock::new(&[7; 48]);
            let pairs = [
                (ours.extract_from_zero_ikm(None), theirs.extract_from_zero_ikm(None)),
                (ours.extract_from_zero_ikm(Some(b"salt")), theirs.extract_from_zero_ikm(Some(b"salt"))),
                (
                    ours.extract_from_secret(Some(b"salt"), b"secret"),
                    theirs.extract_from_secret(Some(b"salt"), b"secret"),
                ),
                (ours.extract_from_secret(None, b"secret"), theirs.extract_from_secret(None, b"secret")),
                (ours.expander_for_okm(&okm), theirs.expander_for_okm(&okm)),
            ];
            for (ours, theirs) in pairs {
                let info: [&[u8]; 2] = [b"tls13 ", b"label"];
                assert_eq!(ours.expand_block(&info).as_ref(), theirs.expand_block(&info).as_ref());
                let (mut one, mut other) = ([0; 100], [0; 100]);
                assert!(ours.expand_slice(&info, &mut one).is_ok());
                assert!(theirs.expand_slice(&info, &mut other).is_ok());
                assert_eq!(one, other);
            }
            assert_eq!(ours.hmac_sign(&okm, b"m").as_ref(), theirs.hmac_sign(&okm, b"m").as_ref());
        }
    }
}
