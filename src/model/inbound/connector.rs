//! Inbound connectors of Exchange Online: rules for mail that comes in.

use crate::model::connector::parse_parent;
use crate::model::{DomainName, NameError};
use ipnet::Ipv4Net;
use std::fmt;
use std::sync::Arc;

/// Domains that an inbound connector names (New-InboundConnector, SenderDomains and
/// TlsSenderCertificateName).
///
/// Other than with an outbound connector, `*.contoso.com` stands for the domain, too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DomainScope {
    /// This domain.
    Exact(DomainName),
    /// The domain and all its subdomains; written `*.contoso.com`.
    WithSubdomains(Box<str>),
    /// Every domain; written `*`.
    Any,
}

impl DomainScope {
    /// Reads `contoso.com`, `*.contoso.com` or `*`.
    ///
    /// # Errors
    /// [`NameError`] for what is none of these; a wildcard elsewhere is a bad character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.trim() {
            "*" => Ok(Self::Any),
            text => match text.strip_prefix("*.") {
                Some(parent) => parse_parent(parent).map(Self::WithSubdomains),
                None => DomainName::parse(text).map(Self::Exact),
            },
        }
    }

    /// Whether it stands for this name. A wildcard in the name is a label like any other.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(domain) => domain.as_str().eq_ignore_ascii_case(name),
            Self::WithSubdomains(parent) => {
                let head = name.len().checked_sub(parent.len()).and_then(|at| name.split_at_checked(at));
                head.is_some_and(|(head, tail)| {
                    tail.eq_ignore_ascii_case(parent)
                        && (head.is_empty() || (head.len() > 1 && head.ends_with('.')))
                })
            }
        }
    }
}

impl fmt::Display for DomainScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(domain) => domain.fmt(f),
            Self::WithSubdomains(parent) => write!(f, "*.{parent}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// For whom an inbound connector is (`ConnectorType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InboundConnectorType {
    /// For domains outside of the organisation.
    Partner,
    /// For the organisation's own servers.
    OnPremises,
}

/// One inbound connector that is enabled. Whether it is consistent was seen to when it was
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundConnector {
    /// As in the file; unique there.
    pub name: Arc<str>,
    /// For whom it is.
    pub connector_type: InboundConnectorType,
    /// Domains of senders. They limit connectors of type Partner.
    pub sender_domains: Vec<DomainScope>,
    /// Accepted domains that it is limited to; empty for no such limit.
    pub associated_accepted_domains: Vec<DomainName>,
    /// Whether mail in clear is rejected. Never so of type OnPremises, for which Microsoft
    /// says that it does not apply.
    pub require_tls: bool,
    /// The name that the client's certificate has to bear; never [`DomainScope::Any`].
    pub tls_sender_certificate_name: Option<DomainScope>,
    /// Whether mail is rejected unless the certificate bears that name. Never so of type
    /// OnPremises.
    pub restrict_domains_to_certificate: bool,
    /// Whether mail is rejected unless it comes from one of the addresses. Never so of type
    /// OnPremises.
    pub restrict_domains_to_ip_addresses: bool,
    /// Addresses of senders: IPv4, ranges of /24 to /32.
    pub sender_ip_addresses: Vec<Ipv4Net>,
}
