//! A key share of X25519MLKEM768 that serves many sessions for a bounded
//! time.
//!
//! A survey sends nothing that has to stay secret, and making a fresh key
//! pair for each of a million handshakes is a good part of what they cost.
//! The arithmetic that depends on the server is still done for every one, and
//! so is everything that is recorded. A delivering client must not do this
//! (RFC 9325 §7.4 gives the reasons); `--fresh-key-shares` turns it off.

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::kem::{AlgorithmId, DecapsulationKey, ML_KEM_768};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one key share serves.
const SHARE_AGE_MAX: Duration = Duration::from_secs(60);

/// How many sessions one key share serves.
const SHARE_USES_MAX: u32 = 10_000;

/// Length of a server's ML-KEM-768 share, a ciphertext (FIPS 203, table 3), in
/// bytes. The X25519 share follows it (draft-ietf-tls-ecdhe-mlkem).
const MLKEM_CIPHERTEXT_BYTES: usize = 1088;

/// X25519MLKEM768 with a key share that is used again.
pub(super) static REUSED_X25519_MLKEM768: LazyLock<ReusedShare> =
    LazyLock::new(|| ReusedShare { current: Mutex::new(None) });

#[derive(Debug)]
pub(super) struct ReusedShare {
    current: Mutex<Option<Serving>>,
}

#[derive(Debug)]
struct Serving {
    pair: Arc<KeyPair>,
    since: Instant,
    uses: u32,
}

/// Both halves of the hybrid.
#[derive(Debug)]
struct KeyPair {
    x25519: PrivateKey,
    x25519_public: Vec<u8>,
    mlkem: DecapsulationKey<AlgorithmId>,
    combined_public: Vec<u8>,
}

impl KeyPair {
    fn generate() -> Result<Self, Error> {
        let broken = |_| Error::General("key generation failed".into());
        let x25519 = PrivateKey::generate(&X25519).map_err(broken)?;
        let x25519_public = x25519.compute_public_key().map_err(broken)?.as_ref().to_vec();
        let mlkem = DecapsulationKey::generate(&ML_KEM_768).map_err(broken)?;
        let mlkem_public = mlkem.encapsulation_key().and_then(|key| key.key_bytes()).map_err(broken)?;
        let combined_public = [mlkem_public.as_ref(), &x25519_public].concat();
        Ok(Self { x25519, x25519_public, mlkem, combined_public })
    }

    fn agree_x25519(&self, peer: &[u8]) -> Result<Vec<u8>, Error> {
        let peer = UnparsedPublicKey::new(&X25519, peer);
        agreement::agree(&self.x25519, peer, invalid(), |secret| Ok(secret.to_vec()))
    }
}

fn invalid() -> Error {
    Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare)
}

impl ReusedShare {
    fn pair(&self) -> Result<Arc<KeyPair>, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(serving) = current.as_mut()
            && serving.uses < SHARE_USES_MAX
            && serving.since.elapsed() < SHARE_AGE_MAX
        {
            serving.uses += 1;
            return Ok(serving.pair.clone());
        }
        let pair = Arc::new(KeyPair::generate()?);
        *current = Some(Serving { pair: pair.clone(), since: Instant::now(), uses: 1 });
        Ok(pair)
    }
}

impl SupportedKxGroup for ReusedShare {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Active(self.pair()?)))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

struct Active(Arc<KeyPair>);

impl ActiveKeyExchange for Active {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, x25519) = peer.split_at_checked(MLKEM_CIPHERTEXT_BYTES).ok_or_else(invalid)?;
        let classical = self.0.agree_x25519(x25519)?;
        let post_quantum = self.0.mlkem.decapsulate(ciphertext.into()).map_err(|_| invalid())?;
        Ok(SharedSecret::from([post_quantum.as_ref(), &classical].concat()))
    }

    /// X25519 alone is offered with the same key, for servers that want that.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((NamedGroup::X25519, &self.0.x25519_public))
    }

    fn complete_hybrid_component(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(self.0.agree_x25519(peer)?))
    }

    fn pub_key(&self) -> &[u8] {
        &self.0.combined_public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::kx_group;

    /// The library's own hybrid as the server: both ends must arrive at the
    /// same secret, session after session.
    #[test]
    fn a_share_that_is_used_again_agrees_with_every_server() {
        let group = ReusedShare { current: Mutex::new(None) };
        let mut shares = Vec::new();
        for _ in 0..3 {
            let ours = group.start().unwrap();
            shares.push(ours.pub_key().to_vec());
            let theirs = kx_group::X25519MLKEM768.start_and_complete(ours.pub_key()).unwrap();
            let secret = ours.complete(&theirs.pub_key).unwrap();
            assert_eq!(secret.secret_bytes(), theirs.secret.secret_bytes());
        }
        assert!(shares.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn its_x25519_half_serves_alone() {
        let ours = ReusedShare { current: Mutex::new(None) }.start().unwrap();
        let (name, share) = ours.hybrid_component().unwrap();
        let theirs = kx_group::X25519.start_and_complete(share).unwrap();
        assert_eq!(name, NamedGroup::X25519);
        let secret = ours.complete_hybrid_component(&theirs.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), theirs.secret.secret_bytes());
    }

    #[test]
    fn a_share_serves_a_bounded_number_of_sessions() {
        let group = ReusedShare { current: Mutex::new(None) };
        let first = group.start().unwrap().pub_key().to_vec();
        if let Some(serving) = group.current.lock().unwrap().as_mut() {
            serving.uses = SHARE_USES_MAX;
        }
        assert_ne!(group.start().unwrap().pub_key(), first);
    }

    #[test]
    fn a_share_of_the_wrong_length_is_an_error() {
        for length in [0, 31, MLKEM_CIPHERTEXT_BYTES, MLKEM_CIPHERTEXT_BYTES + 31] {
            let ours = ReusedShare { current: Mutex::new(None) }.start().unwrap();
            assert!(ours.complete(&vec![1; length]).is_err(), "{length}");
        }
    }
}
