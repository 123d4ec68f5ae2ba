//! What a sender demands of a host before it hands mail over.

use crate::model::{DomainFacts, DomainName, Subject, TlsSettings};
use crate::sender::Sender;
use crate::sender::connector::ReferenceIdentifier;

/// The demand, from the weakest to the strongest. More kinds of it (records of
/// DANE, patterns of MTA-STS) come in beside these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement<'a> {
    /// TLS where there is any, and what the sender's own file says where there
    /// is none.
    Opportunistic,
    /// TLS, whatever the certificate.
    Tls,
    /// And a certificate that a trusted root vouches for.
    PkixChain,
    /// And a name on it.
    PkixName(ReferenceName<'a>),
}

/// The name that a certificate must bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceName<'a> {
    /// The name; `None` where there is none to expect, as for an endpoint of
    /// which no domain is known.
    pub expected: Option<ReferenceIdentifier<'a>>,
    /// Whether to this sender a certificate for `*.contoso.com` serves
    /// `contoso.com` too.
    pub wildcard_covers_apex: bool,
}

impl<'a> Requirement<'a> {
    /// That of a connector with these settings, which expects this name.
    pub fn of(sender: &Sender, settings: TlsSettings, expected: Option<ReferenceIdentifier<'a>>) -> Self {
        let wildcard_covers_apex = sender.wildcard_covers_apex.value;
        match settings {
            TlsSettings::None => Requirement::Opportunistic,
            TlsSettings::EncryptionOnly => Requirement::Tls,
            TlsSettings::CertificateValidation => Requirement::PkixChain,
            TlsSettings::DomainValidation => {
                Requirement::PkixName(ReferenceName { expected, wildcard_covers_apex })
            }
        }
    }
}

/// The domain that mail is for; a host and an endpoint have none.
pub(super) fn domain(facts: &DomainFacts) -> Option<&DomainName> {
    match &facts.target.subject {
        Subject::Domain(domain) => Some(domain),
        Subject::Host { .. } | Subject::Endpoint { .. } => None,
    }
}
