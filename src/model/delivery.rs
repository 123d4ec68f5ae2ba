//! What becomes of a message, why, on what that rests, and what is logged.

use super::failure::{Failure, Kind, Phase};
use super::form_set::Form;
use super::policy_reason::PolicyReason;
use super::reply_form::ReplyForm;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// It goes through TLS.
    Encrypted,
    /// It goes in clear.
    Plaintext,
    /// It is kept and tried again until its time is over, and then comes back.
    Deferred,
    /// It comes back at once: the domain takes no mail, or the sender gives it up.
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

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a delivery is not encrypted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason {
            /// The attempt ended: the phase and kind that decided it, written
            /// `starttls_not_offered`, `dns_null_mx`, `greeting_throttled`.
            Ended {
                /// Where it was decided.
                phase: Phase,
                /// What ended the attempt.
                kind: Kind,
            },
            $($(#[$doc])* $variant,)*
            /// A reply has a form that senders read differently.
            ReplyForm(ReplyForm),
            /// DANE or MTA-STS.
            Policy(PolicyReason),
        }

        impl Reason {
            /// The names of those that are not the end of one attempt.
            pub fn names() -> impl Iterator<Item = &'static str> {
                Self::names_at_endpoints().chain(PolicyReason::ALL.iter().map(|policy| policy.name()))
            }

            /// Of these the ones that say something of an endpoint, whatever
            /// domain it serves.
            pub fn names_at_endpoints() -> impl Iterator<Item = &'static str> {
                [$($name,)*].into_iter().chain(ReplyForm::ALL.iter().map(|form| form.name()))
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    // No phase was come to.
                    Reason::Ended { kind: Kind::NotAsked, .. } => f.write_str(Kind::NotAsked.name()),
                    Reason::Ended { phase, kind } => write!(f, "{phase}_{kind}"),
                    $(Reason::$variant => f.write_str($name),)*
                    Reason::ReplyForm(form) => form.fmt(f),
                    Reason::Policy(policy) => policy.fmt(f),
                }
            }
        }
    };
}

reasons! {
    /// The server speaks no version that the sender offers.
    NoPublishedVersion = "no_published_version",
    /// The server takes no suite that the sender offers.
    NoPublishedSuite = "no_published_suite",
    /// The server takes no group for the key exchange that the sender offers.
    NoPublishedGroup = "no_published_group",
    /// The server refuses the sender's offer, and what it lacks was not learnt.
    OfferRefused = "offer_refused",
    /// The certificate is signed with SHA-1, which the sender refuses.
    Sha1Certificate = "sha1_certificate",
    /// The server's handshake signature rests on SHA-1, as every one does before
    /// TLS 1.2, and the sender refuses that.
    Sha1Signature = "sha1_signature",
    /// Over the form of the certificate some clients end the handshake, and
    /// others do not.
    CertificateForm = "certificate_form",
    /// The server signs the handshake under no scheme that the sender offers.
    NoPublishedSignatureScheme = "no_published_signature_scheme",
    /// The server asks for a client certificate, and whether it goes on without
    /// one was not seen.
    ClientCertificateRequested = "client_certificate_requested",
    /// The server does not know RFC 5746, which the sender demands.
    NoSecureRenegotiation = "no_secure_renegotiation",
    /// The prime of the server's Diffie-Hellman group is shorter than the sender
    /// takes, or longer than some clients do.
    DhPrimeSize = "dh_prime_size",
    /// An endpoint that says "no TLS", or fails in TLS with everyone, was looked at
    /// once only.
    NoSecondLook = "no_second_look",
    /// Another look at such a one brought something else.
    SecondLookDiffers = "second_look_differs",
    /// STARTTLS is written in a form that senders read differently.
    StarttlsKeywordForm = "starttls_keyword_form",
    /// TCP did not open, and has opened nowhere over this family of addresses:
    /// it may be this machine's own network that lets nothing out.
    NetworkSuspect = "network_suspect",
    /// The host was not asked under this name, for a sample of the names of its
    /// address stands for it.
    NotAsked = "not_asked",
}

impl Reason {
    /// The phase that decided it: how much the reason tells.
    pub fn phase(self) -> Phase {
        match self {
            Reason::Ended { phase, .. } => phase,
            // It may be that mail never comes to TLS.
            Reason::NoSecondLook | Reason::SecondLookDiffers | Reason::StarttlsKeywordForm => Phase::Starttls,
            Reason::ReplyForm(form) if !form.is_behind_starttls() => Phase::Starttls,
            Reason::NetworkSuspect | Reason::NotAsked => Phase::Connect,
            Reason::Policy(policy) => policy.phase(),
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

impl From<PolicyReason> for Reason {
    fn from(policy: PolicyReason) -> Self {
        Self::Policy(policy)
    }
}

impl From<&Failure> for Reason {
    fn from(failure: &Failure) -> Self {
        Self::Ended { phase: failure.phase, kind: failure.kind }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One of several things that may become of a message. The order is that of
/// badness, worst first. As text `plaintext:starttls_not_offered`, `encrypted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PossibleDelivery {
    /// One of the deliveries but [`Delivery::Undetermined`].
    pub delivery: Delivery,
    /// Why not encrypted.
    pub reason: Option<Reason>,
}

impl PossibleDelivery {
    /// In clear is worse than kept back, and that worse than encrypted.
    fn rank(self) -> (u8, Option<Reason>) {
        let badness = match self.delivery {
            Delivery::Plaintext => 0,
            Delivery::Undeliverable => 1,
            Delivery::Deferred => 2,
            Delivery::Undetermined => 3,
            Delivery::Encrypted => 4,
        };
        (badness, self.reason)
    }
}

impl PartialOrd for PossibleDelivery {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PossibleDelivery {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl fmt::Display for PossibleDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Some(reason) => write!(f, "{}:{reason}", self.delivery),
            None => self.delivery.fmt(f),
        }
    }
}

/// What a statement about a sender rests on. The order is that of certainty,
/// the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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

/// What a sender logs: reply code and enhanced status code, and the words
/// beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// As `450 4.4.317`.
    pub code: Arc<str>,
    /// The inner error where there is one.
    pub text: Arc<str>,
}
