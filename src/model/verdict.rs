//! What a sending system would do with mail to a domain.

use super::assessment::NameStatus;
use super::delivery::{Basis, Delivery, Logged, PossibleDelivery, Reason};
use super::finding::Finding;
use super::forced::{CheckCause, ConnectorVerdict, ForcedTls};
use super::judged::JudgedEndpoint;
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
    /// What it would be encrypted with, shared by all domains of the endpoint;
    /// `None` unless encrypted.
    pub session: Option<Arc<Session>>,
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

/// One endpoint of a domain as a sender would meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// MX preference.
    pub preference: u16,
    /// MX host.
    pub host: Option<MxHost>,
    /// What was found there, and what it comes to.
    pub endpoint: Arc<JudgedEndpoint>,
    /// Name axis, which depends on the domain; `None` without a certificate.
    pub name: Option<NameStatus>,
}

impl View {
    /// What was found there.
    pub fn finding(&self) -> &Finding {
        &self.endpoint.finding
    }

    /// What delivery through this endpoint would be.
    pub fn outcome(&self) -> &Outcome {
        &self.endpoint.outcome
    }
}

/// The answer for one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the sender that it is about.
    pub sender: Arc<str>,
    /// What becomes of a message.
    pub outcome: Outcome,
    /// What else may become of it, worst first: mail hosts of one preference,
    /// or addresses of one host, that differ. [`Verdict::outcome`] is the worst.
    pub also: Vec<PossibleDelivery>,
    /// Of one that is undetermined because of a host: what would become of it
    /// if that host stayed away, worst first.
    pub otherwise: Vec<PossibleDelivery>,
    /// The endpoint that the outcome rests on. `None` where it rests on none:
    /// nothing was probed, or [`Verdict::unresolved`] decides.
    pub best: Option<View>,
    /// The host without addresses that leaves the outcome open, by its place in
    /// [`DomainFacts::exchanges`](super::DomainFacts::exchanges).
    pub unresolved: Option<usize>,
    /// The weakest of all endpoints that take mail: what an attacker who can
    /// keep a sender from the others would get.
    pub weakest: Option<View>,
    /// Which strengths of forced TLS mail to the domain would pass.
    pub forced: ForcedTls,
    /// What these rest on; `None` for one that is undetermined.
    pub forced_basis: ForcedBasis,
    /// What becomes of it under the connector that takes it; `None` where none
    /// does.
    pub connector: Option<ConnectorVerdict>,
}

/// What each check of [`ForcedTls`] rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForcedBasis {
    /// EncryptionOnly.
    pub encryption_only: Option<Basis>,
    /// CertificateValidation.
    pub certificate_validation: Option<Basis>,
    /// DomainValidation.
    pub domain_validation: Option<Basis>,
}
