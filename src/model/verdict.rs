//! What a sending system would do with mail to a domain.

use super::assessment::NameStatus;
use super::delivery::{Basis, PossibleDelivery};
use super::finding::Finding;
use super::forced::{ConnectorVerdict, ForcedTls};
use super::judged::JudgedEndpoint;
use super::name::MxHost;
use super::outcome::Outcome;
use super::policy_verdict::PolicyVerdict;
use super::promise::Promise;
use std::sync::Arc;

/// One endpoint of a domain as a sender would meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// MX preference.
    pub preference: u16,
    /// MX host.
    pub host: Option<MxHost>,
    /// What was found there, and what it comes to.
    pub endpoint: Arc<JudgedEndpoint>,
    /// Name axis, which depends on the domain: of [`Verdict::best`] that of the
    /// scanner's first handshake, of [`Verdict::weakest`] that of the handshake by
    /// which the sender is judged. `None` without a certificate.
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
#[non_exhaustive]
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
    /// What DANE and MTA-STS come to.
    pub policies: PolicyVerdict,
    /// Whether that endpoint does as Microsoft promises; `None` where it is none
    /// of Exchange Online's.
    pub promise: Option<Promise>,
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

#[cfg(test)]
impl Verdict {
    /// One that rests on no endpoint, and of whose mail nothing else is told.
    pub(crate) fn of_outcome(outcome: Outcome, forced: ForcedTls) -> Self {
        Self {
            sender: "exchange-online".into(),
            outcome,
            also: Vec::new(),
            otherwise: Vec::new(),
            best: None,
            policies: PolicyVerdict::default(),
            promise: None,
            unresolved: None,
            weakest: None,
            forced,
            forced_basis: ForcedBasis::default(),
            connector: None,
        }
    }
}
