//! What became of our client certificate at a server.

use super::registry::AlertDescription;
use serde::{Deserialize, Serialize};

/// What became of our client certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientCertificate {
    /// The server never asked for one.
    #[default]
    NeverAsked,
    /// It asked, and there was none to show, or none that it can verify.
    NotShown,
    /// It was shown, and the connection ended in a way that does not tell what
    /// the server thought of it.
    Shown,
    /// It was shown, and the session went on.
    Accepted,
    /// It was shown, and the server refused it by this alert; in TLS 1.3 that
    /// comes after the handshake (RFC 8446 §4.4.2.4).
    Refused(AlertDescription),
}

impl ClientCertificate {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            ClientCertificate::NeverAsked => "never_asked",
            ClientCertificate::NotShown => "not_shown",
            ClientCertificate::Shown => "shown",
            ClientCertificate::Accepted => "accepted",
            ClientCertificate::Refused(_) => "refused",
        }
    }
}
