//! What a sending system would do with mail to a domain.

use super::assessment::NameStatus;
use super::delivery::{Basis, Delivery, Logged, Reason};
use super::finding::Finding;
use super::forced::{CheckCause, ConnectorVerdict, ForcedTls};
use super::name::MxHost;
use super::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use std::sync::Arc;

/// What a message would be encrypted with. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Version.
    pub version: Option<ProtocolVersion>,
    /// Suite.
    pub suite: Option<CipherSuite>,
    /// Group of the key exchange.
    pub group: Option<NamedGroup>,
    /// How many suites of the offer are better than the one chosen.
    pub steps_down: Option<u16>,
    /// Those better suites, which the server declined.
    pub skipped: Vec<CipherSuite>,
}

impl Session {
    /// Whether a recorded session stays secret when the server's long-term
    /// key is lost; `None` where version and suite do not tell.
    pub fn forward_secrecy(&self) -> Option<bool> {
        match (self.version, self.suite) {
            (_, Some(suite)) => suite.forward_secrecy(),
            (Some(ProtocolVersion::TLS13), None) => Some(true),
            _ => None,
        }
    }
}

/// What a sender would do with mail, through one endpoint or to one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of a message.
    pub delivery: Delivery,
    /// Why not encrypted.
    pub reason: Option<Reason>,
    /// What this rests on; `None` where it is not determined.
    pub basis: Option<Basis>,
    /// What it would be encrypted with; `None` unless encrypted.
    pub session: Option<Session>,
    /// What the sender would log; `None` where that is not published.
    pub logged: Option<Logged>,
    /// Why it is not known whether the server holds the key of its certificate;
    /// `None` unless encrypted, and where that is known or it has no certificate.
    pub unproven: Option<CheckCause>,
}

impl Outcome {
    /// An outcome without a session.
    pub fn without_tls(delivery: Delivery, reason: impl Into<Reason>, basis: Option<Basis>) -> Self {
        Self { delivery, reason: Some(reason.into()), basis, session: None, logged: None, unproven: None }
    }

    /// An encrypted delivery.
    pub fn encrypted(basis: Basis, session: Session) -> Self {
        Self {
            delivery: Delivery::Encrypted,
            reason: None,
            basis: Some(basis),
            session: Some(session),
            logged: None,
            unproven: None,
        }
    }

    /// Not known, with its cause.
    pub fn undetermined(reason: impl Into<Reason>) -> Self {
        Self::without_tls(Delivery::Undetermined, reason, None)
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
    pub outcome: Outcome,
}

/// The answer for one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the sender that it is about.
    pub sender: Arc<str>,
    /// What becomes of a message; rests on [`Verdict::best`].
    pub outcome: Outcome,
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
