//! What a certificate is shown for.

use jiff::Timestamp;

/// What a certificate is shown for, by its extended key usages and those of its issuers
/// (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A server shows it: serverAuth, if there are usages at all.
    #[default]
    Server,
    /// A client shows it: clientAuth or serverAuth. Mail servers show what they have, and
    /// which of the two a receiver demands is not published.
    Client,
}

/// What a chain is held against, beside the roots.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChainDemands {
    pub purpose: Purpose,
    pub moment: Timestamp,
}
