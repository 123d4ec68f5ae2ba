//! How much an enumeration asks for.

use crate::model::ProtocolVersion;
use crate::model::hello::ENUMERATION_CONNECTIONS_MAX;

/// What to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumerationPlan {
    /// Versions to ask for, in this order.
    pub versions: Vec<ProtocolVersion>,
    /// Most connections to a host. What is not known by then has the gap
    /// `budget`.
    pub connections_max: usize,
}

impl Default for EnumerationPlan {
    fn default() -> Self {
        Self {
            versions: vec![
                ProtocolVersion::TLS13,
                ProtocolVersion::TLS12,
                ProtocolVersion::TLS11,
                ProtocolVersion::TLS10,
                ProtocolVersion::SSL3,
            ],
            connections_max: ENUMERATION_CONNECTIONS_MAX,
        }
    }
}
