//! What a sender would do with mail, and what it would encrypt it with.

use super::delivery::{Basis, Delivery, Logged, Reason};
use super::forced::CheckCause;
use super::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use std::sync::Arc;

/// What a message would be encrypted with. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NegotiatedTls {
    /// The version that the sender would get.
    pub version: Option<ProtocolVersion>,
    /// The suite that the sender would get.
    pub suite: Option<CipherSuite>,
    /// Group of the key exchange.
    pub group: Option<NamedGroup>,
    /// How many suites of the offer are better than the one chosen.
    pub steps_down: Option<u16>,
    /// Those better suites, which the server declined.
    pub declined_suites: Vec<CipherSuite>,
}

impl NegotiatedTls {
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
    /// What it would be encrypted with, shared by all domains of the endpoint;
    /// `None` unless encrypted.
    pub session: Option<Arc<NegotiatedTls>>,
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
    pub fn encrypted(basis: Basis, session: NegotiatedTls) -> Self {
        Self {
            delivery: Delivery::Encrypted,
            reason: None,
            basis: Some(basis),
            session: Some(Arc::new(session)),
            logged: None,
            unproven: None,
        }
    }

    /// Not known, with its cause.
    pub fn undetermined(reason: impl Into<Reason>) -> Self {
        Self::without_tls(Delivery::Undetermined, reason, None)
    }
}
