//! The key schedule of TLS 1.3 (RFC 8446 §7.1) with each HMAC key set up once.
//!
//! A handshake expands two dozen keys from seven secrets. The provider's own
//! HKDF sets a secret up, or extracts it, again for each of them; here that is
//! done once a secret, and a quarter of a handshake's hashing falls away. What is
//! the same in each handshake is made once. The arithmetic is that of aws-lc and
//! the construction that of rustls: only the order of the work differs.

use aws_lc_rs::hmac::{Algorithm, Context, HMAC_SHA256, HMAC_SHA384, Key as HmacKey};
use rustls::crypto::hmac::{Hmac, Key, Tag};
use rustls::crypto::tls13::{Hkdf, HkdfExpander, HkdfUsingHmac, OkmBlock, OutputLengthError};
use rustls::{CipherSuite, CipherSuiteCommon, SupportedCipherSuite, Tls13CipherSuite};
use std::sync::{Arc, LazyLock, OnceLock};

static SHA256: Schedule = Schedule::new(HMAC_SHA256);
static SHA384: Schedule = Schedule::new(HMAC_SHA384);

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

/// HKDF (RFC 5869) with one hash.
struct Schedule {
    hmac: SetUpOnce,
    early: OnceLock<Arc<Early>>,
}

/// The early secret of a handshake without PSK. It is made of zeros, and so is
/// the same in each; so is the salt that is derived from it over no messages.
struct Early {
    hmac: SetUpOnce,
    secret: Box<dyn HkdfExpander>,
    derived: OnceLock<Derived>,
}

/// What was derived first from the early secret.
struct Derived {
    info: Vec<u8>,
    block: OkmBlock,
    /// The block as a key.
    key: Box<dyn Key>,
}

impl Schedule {
    const fn new(algorithm: Algorithm) -> Self {
        Self { hmac: SetUpOnce(algorithm), early: OnceLock::new() }
    }

    fn hkdf(&self) -> HkdfUsingHmac<'_> {
        HkdfUsingHmac(&self.hmac)
    }

    fn early(&self) -> Arc<Early> {
        let make = || {
            let secret = self.hkdf().extract_from_zero_ikm(None);
            Arc::new(Early { hmac: self.hmac, secret, derived: OnceLock::new() })
        };
        self.early.get_or_init(make).clone()
    }

    /// What was derived from the early secret, if that is this salt.
    fn derived(&self, salt: &[u8]) -> Option<&Derived> {
        self.early.get()?.derived.get().filter(|derived| derived.block.as_ref() == salt)
    }
}

impl Hkdf for Schedule {
    fn extract_from_zero_ikm(&self, salt: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        match salt {
            None => Box::new(EarlySecret(self.early())),
            salt => self.hkdf().extract_from_zero_ikm(salt),
        }
    }

    fn extract_from_secret(&self, salt: Option<&[u8]>, secret: &[u8]) -> Box<dyn HkdfExpander> {
        match salt.and_then(|salt| self.derived(salt)) {
            Some(derived) => {
                let secret = derived.key.sign(&[secret]);
                self.hkdf().expander_for_okm(&OkmBlock::new(secret.as_ref()))
            }
            None => self.hkdf().extract_from_secret(salt, secret),
        }
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        self.hkdf().expander_for_okm(okm)
    }

    fn hmac_sign(&self, key: &OkmBlock, message: &[u8]) -> Tag {
        self.hkdf().hmac_sign(key, message)
    }
}

struct EarlySecret(Arc<Early>);

impl HkdfExpander for EarlySecret {
    fn expand_slice(&self, info: &[&[u8]], output: &mut [u8]) -> Result<(), OutputLengthError> {
        self.0.secret.expand_slice(info, output)
    }

    fn expand_block(&self, info: &[&[u8]]) -> OkmBlock {
        let Early { hmac, secret, derived } = &*self.0;
        let derived = derived.get_or_init(|| {
            let block = secret.expand_block(info);
            Derived { info: info.concat(), key: hmac.with_key(block.as_ref()), block }
        });
        if derived.is_of(info) { derived.block.clone() } else { secret.expand_block(info) }
    }

    fn hash_len(&self) -> usize {
        self.0.secret.hash_len()
    }
}

impl Derived {
    /// Whether these parts are what it was derived over.
    fn is_of(&self, info: &[&[u8]]) -> bool {
        let rest = info.iter().try_fold(self.info.as_slice(), |rest, part| rest.strip_prefix(*part));
        rest.is_some_and(<[u8]>::is_empty)
    }
}

/// HMAC (RFC 2104) whose keys keep the state after their first block.
#[derive(Clone, Copy)]
struct SetUpOnce(Algorithm);

impl Hmac for SetUpOnce {
    fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
        Box::new(ReadyKey(HmacKey::new(self.0, key)))
    }

    fn hash_output_len(&self) -> usize {
        self.0.tag_len()
    }
}

struct ReadyKey(HmacKey);

impl Key for ReadyKey {
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

    /// The early secret is kept, and so is the first that is derived from it;
    /// whatever else is asked of it is not mistaken for that one.
    #[test]
    fn what_is_derived_early_is_that_of_the_provider() {
        let infos: [&[&[u8]]; 4] = [&[b"tls13 ", b"derived"], &[b"tls13 d", b"erived"], &[b"tls13 "], &[]];
        for (ours, theirs) in tls13(suites()).iter().zip(tls13(&default_provider().cipher_suites)) {
            let (ours, theirs) = (ours.hkdf_provider, theirs.hkdf_provider);
            for info in infos.into_iter().chain(infos) {
                let early = (ours.extract_from_zero_ikm(None), theirs.extract_from_zero_ikm(None));
                let salts = (early.0.expand_block(info), early.1.expand_block(info));
                assert_eq!(salts.0.as_ref(), salts.1.as_ref());
                let secrets = (
                    ours.extract_from_secret(Some(salts.0.as_ref()), b"shared"),
                    theirs.extract_from_secret(Some(salts.1.as_ref()), b"shared"),
                );
                assert_eq!(secrets.0.expand_block(info).as_ref(), secrets.1.expand_block(info).as_ref());
            }
        }
    }
}
