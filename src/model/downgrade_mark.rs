//! What a server says of newer versions by the end of its random.

use serde::{Deserialize, Serialize};

/// What a server of TLS 1.2 or before says by the end of its random of newer
/// versions that it speaks (RFC 8446 §4.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DowngradeMark {
    /// The random bears no mark.
    #[default]
    None,
    /// It speaks TLS 1.3, and was brought to TLS 1.2 (`DOWNGRD` and 1).
    Tls12,
    /// It speaks TLS 1.2 or newer, and was brought to TLS 1.1 or before
    /// (`DOWNGRD` and 0).
    Tls11,
}
