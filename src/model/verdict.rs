//! What a sending system would do with mail to a domain.

use super::assessment::NameStatus;
use super::failure::{Failure, Kind, Phase};
use super::finding::Finding;
use super::forced::{ConnectorVerdict, ForcedTls};
use super::name::MxHost;
use super::registry::{CipherSuite, NamedGroup, ProtocolVersion};
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
    /// It is kept and tried again until its time is over, and then comes back.
    Deferred,
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
            Delivery::Deferred => "deferred",
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

/// Why a delivery is not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The attempt ended: the phase and kind that decided it, written
    /// `starttls_not_offered`, `dns_null_mx`, `greeting_throttled`.
    Ended {
        /// Where it was decided.
        phase: Phase,
        /// By what.
        kind: Kind,
    },
    /// The server speaks no version that the sender offers.
    NoPublishedVersion,
    /// The server takes no suite that the sender offers.
    NoPublishedSuite,
    /// The server refuses the sender's offer, and what it lacks was not learnt.
    OfferRefused,
    /// The certificate is signed with SHA-1, which the sender refuses.
    Sha1Certificate,
}

impl Reason {
    /// The phase that decided it: how much the reason tells.
    pub fn phase(self) -> Phase {
        match self {
            Reason::Ended { phase, .. } => phase,
            _ => Phase::Tls,
        }
    }

    /// What ended the attempt; `None` where it was not one attempt's end.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Reason::Ended { kind, .. } => Some(kind),
            _ => None,
        }
    }
}

impl From<&Failure> for Reason {
    fn from(failure: &Failure) -> Self {
        Self::Ended { phase: failure.phase, kind: failure.kind }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Ended { phase, kind } => write!(f, "{phase}_{kind}"),
            Reason::NoPublishedVersion => f.write_str("no_published_version"),
            Reason::NoPublishedSuite => f.write_str("no_published_suite"),
            Reason::OfferRefused => f.write_str("offer_refused"),
            Reason::Sha1Certificate => f.write_str("sha1_certificate"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a statement about a sender rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The server answered this sender's very offer, or one to which the
    /// answer must be the same.
    Observed,
    /// It answered another offer; the sender's may get another answer.
    Inferred,
    /// It rests on what nobody publishes of the sender.
    Assumed,
}

impl Basis {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Observed => "observed",
            Basis::Inferred => "inferred",
            Basis::Assumed => "assumed",
        }
    }
}

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

/// What a sender logs: reply code and enhanced status code, and the words
/// beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// As `450 4.4.317`.
    pub code: Arc<str>,
    /// The inner error where there is one.
    pub text: Arc<str>,
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
}

impl Outcome {
    /// An outcome without a session.
    pub fn without_tls(delivery: Delivery, reason: impl Into<Reason>, basis: Option<Basis>) -> Self {
        Self { delivery, reason: Some(reason.into()), basis, session: None, logged: None }
    }

    /// An encrypted delivery.
    pub fn encrypted(basis: Basis, session: Session) -> Self {
        Self {
            delivery: Delivery::Encrypted,
            reason: None,
            basis: Some(basis),
            session: Some(session),
            logged: None,
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
