//! What a sending system would do with mail to a domain.

use super::assessment::NameStatus;
use super::failure::{Failure, Kind, Phase};
use super::finding::Finding;
use super::forced::{ConnectorVerdict, ForcedTls};
use super::name::MxHost;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It goes through TLS.
    Encrypted,
    /// It goes in clear.
    Plaintext,
    /// The domain takes no mail.
    Undeliverable,
    /// Not known; the reason says why.
    Undetermined,
}

impl Delivery {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Delivery::Encrypted => "encrypted",
            Delivery::Plaintext => "plaintext",
            Delivery::Undeliverable => "undeliverable",
            Delivery::Undetermined => "undetermined",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a delivery is not encrypted: the phase and kind that decided it,
/// written `starttls_not_offered`, `dns_null_mx`, `greeting_throttled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason {
    /// Where it was decided.
    pub phase: Phase,
    /// By what.
    pub kind: Kind,
}

impl From<&Failure> for Reason {
    fn from(failure: &Failure) -> Self {
        Self { phase: failure.phase, kind: failure.kind }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.phase, self.kind)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One endpoint of a domain as a sender would meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// MX preference.
    pub preference: u16,
    /// MX host.
    pub host: Option<MxHost>,
    /// What was found there.
    pub finding: Arc<Finding>,
    /// Name axis, which depends on the domain; `None` without a certificate.
    pub name: Option<NameStatus>,
    /// What delivery through this endpoint would be.
    pub delivery: Delivery,
    /// Why not encrypted.
    pub reason: Option<Reason>,
}

/// The answer for one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of a message; rests on [`Verdict::best`].
    pub delivery: Delivery,
    /// Why not encrypted.
    pub reason: Option<Reason>,
    /// The best-preference endpoint that answers; where none answers, the one
    /// whose failure tells most. `None` where nothing was probed.
    pub best: Option<View>,
    /// The weakest of all endpoints that answer: what an attacker who can
    /// keep a sender from the others would get.
    pub weakest: Option<View>,
    /// Which strengths of forced TLS mail to the domain would pass.
    pub forced: ForcedTls,
    /// What becomes of it under the connector that takes it; `None` where none
    /// does.
    pub connector: Option<ConnectorVerdict>,
}
