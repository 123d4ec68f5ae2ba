//! What a client offered in its ClientHello.

use crate::model::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use serde::{Deserialize, Serialize};

/// Most ALPN protocols kept of one hello.
pub const ALPN_PROTOCOLS_MAX: usize = 16;

/// A ClientHello as a server sees it (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). Lists are in
/// the client's order; values that mean nothing (GREASE, RFC 8701) are left in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedOffer {
    /// The version up to TLS 1.2.
    pub legacy_version: ProtocolVersion,
    /// `supported_versions`; empty of a client that does not know TLS 1.3.
    pub versions: Vec<ProtocolVersion>,
    /// Cipher suites, signals among them.
    pub suites: Vec<CipherSuite>,
    /// `supported_groups`.
    pub groups: Vec<NamedGroup>,
    /// Groups of which a key share came along.
    pub key_shares: Vec<NamedGroup>,
    /// `signature_algorithms`.
    pub signature_schemes: Vec<SignatureScheme>,
    /// `server_name`, escaped; `None` of a client that sent none.
    pub sni: Option<String>,
    /// `application_layer_protocol_negotiation`, each escaped, at most
    /// [`ALPN_PROTOCOLS_MAX`].
    pub alpn: Vec<String>,
    /// Types of all extensions, ascending.
    pub extensions: Vec<u16>,
    /// Whether it would resume a session: a ticket, a pre-shared key, or the id of a
    /// session of TLS 1.2.
    pub resumes: bool,
    /// A digest of what does not change from one hello of a client to the next, in the
    /// form of JA4 (FoxIO, JA4 TLS client fingerprint).
    pub fingerprint: String,
    /// Length of the message, in bytes.
    pub bytes: usize,
}

/// The ClientHello after our HelloRetryRequest (RFC 8446 §4.1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondHello {
    /// Groups of which a key share came along: one, the one that was asked for.
    pub key_shares: Vec<NamedGroup>,
    /// Whether it differs from the first in more than RFC 8446 §4.1.2 allows.
    pub differs: bool,
}

impl ReceivedOffer {
    /// The newest version that is offered (RFC 8446 §4.2.1).
    pub fn newest(&self) -> ProtocolVersion {
        let known = self.versions.iter().copied().filter(|version| version.can_be_offered());
        known.max().unwrap_or(self.legacy_version)
    }

    /// Its suites without signals and without what means nothing (RFC 8701).
    pub fn known_suites(&self) -> impl Iterator<Item = CipherSuite> {
        self.suites.iter().copied().filter(|suite| !suite.is_signal() && !is_grease(suite.0))
    }

    /// Its groups without what means nothing.
    pub fn known_groups(&self) -> Vec<NamedGroup> {
        self.groups.iter().copied().filter(|group| !is_grease(group.0)).collect()
    }

    /// Its signature schemes without what means nothing.
    pub fn known_signature_schemes(&self) -> Vec<SignatureScheme> {
        self.signature_schemes.iter().copied().filter(|scheme| !is_grease(scheme.0)).collect()
    }

    /// Whether a key share of a post-quantum group came along.
    pub fn has_post_quantum_share(&self) -> bool {
        self.key_shares.iter().any(|group| group.is_post_quantum())
    }
}

/// Whether a code point is one of those that mean nothing (RFC 8701 §2).
pub fn is_grease(code: u16) -> bool {
    let [high, low] = code.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}
