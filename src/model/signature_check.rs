//! What became of the signature over a handshake.

use serde::{Deserialize, Serialize};

/// What became of the server's signature over the handshake, which proves
/// that it holds the key of its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureCheck {
    /// It verifies under the key of the presented certificate.
    Verified,
    /// It does not: every client ends the handshake over it (RFC 8446 §4.4.3).
    Failed,
    /// It was made under a scheme that was not offered, over which every client
    /// that did not offer it ends the handshake (RFC 8446 §4.4.3).
    NotOffered,
    /// It cannot be checked here; the text says what mxray lacks.
    Unverifiable(Box<str>),
    /// The key exchange has none: a static one, which only the end of the
    /// handshake proves, or an anonymous one, in which there is no certificate.
    None,
    /// It was not shown: in TLS 1.3 it is encrypted, and what was said in clear
    /// may have ended before it.
    NotShown,
}

impl SignatureCheck {
    /// Stable snake_case name.
    pub fn name(&self) -> &'static str {
        match self {
            SignatureCheck::Verified => "verified",
            SignatureCheck::Failed | SignatureCheck::NotOffered => "failed",
            SignatureCheck::Unverifiable(_) => "unverifiable",
            SignatureCheck::None => "none",
            SignatureCheck::NotShown => "not_shown",
        }
    }

    /// What mxray lacks to check it, if that is so.
    pub fn limit(&self) -> Option<&str> {
        match self {
            SignatureCheck::Unverifiable(limit) => Some(limit),
            _ => None,
        }
    }
}
