//! The best that a server agreed to, by all that was asked of it.

use super::observation::Observation;
use super::registry::{CipherSuite, NamedGroup, ProtocolVersion};

/// The newest version that a server agreed to in its handshake or in any
/// further hello, and what it chose there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerBest {
    /// The newest version that the server agreed to in any hello.
    pub version: ProtocolVersion,
    /// The suite that it chose first in that version.
    pub suite: Option<CipherSuite>,
    /// The group of the key exchange.
    pub group: Option<NamedGroup>,
    /// Length of the server's own Diffie-Hellman prime, in bits; not told by
    /// the handshake.
    pub dh_bits: Option<usize>,
}

impl ServerBest {
    /// What an observation shows; `None` if the server agreed to nothing.
    pub fn of(seen: &Observation) -> Option<Self> {
        let shaken = seen.tls.as_ref().and_then(|tls| {
            let version = tls.version.filter(|_| tls.suite.is_some())?;
            Some(Self { version, suite: tls.suite, group: tls.group, dh_bits: None })
        });
        let agreed =
            seen.extra_client_hellos.iter().filter(|hello| hello.end.is_agreement()).filter_map(|hello| {
                let (suite, group, dh_bits) = (hello.suite, hello.group, hello.dh_bits);
                Some(Self { version: hello.version?, suite, group, dh_bits })
            });
        shaken
            .into_iter()
            .chain(agreed)
            .filter(|agreed| agreed.version.can_be_offered())
            .reduce(|best, next| if next.version > best.version { next } else { best })
    }
}
