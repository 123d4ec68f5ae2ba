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

impl ReceivedOffer {
    /// The newest version that is offered (RFC 8446 §4.2.1).
    pub fn newest(&self) -> ProtocolVersion {
        let known = self.versions.iter().copied().filter(|version| version.can_be_offered());
        known.max().unwrap_or(self.legacy_version)
    }

    /// Whether a key share of a post-quantum group came along.
    pub fn has_post_quantum_share(&self) -> bool {
        self.key_shares.iter().any(|group| group.is_post_quantum())
    }
}
