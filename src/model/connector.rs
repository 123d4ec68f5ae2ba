//! Outbound connectors: which mail goes by other rules.

use super::forced::TlsSettings;
use super::name::{DomainName, NameError};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Most addresses of a smart host that is given as a range: a /24 of IPv4, a
/// /120 of IPv6. Each is probed.
pub const SMART_HOST_ADDRESSES_MAX: u32 = 256;

/// The name that a certificate has to bear (`TlsDomain`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsDomain {
    /// This name.
    Exact(DomainName),
    /// Any name below this one, at any depth; written `*.contoso.com`.
    Below(Box<str>),
}

impl TlsDomain {
    /// Reads `contoso.com` or `*.contoso.com`.
    ///
    /// # Errors
    /// [`NameError`] for what is no name; a wildcard elsewhere is a bad
    /// character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        match text.strip_prefix("*.") {
            Some(parent) => parse_parent(parent).map(Self::Below),
            None => DomainName::parse(text).map(Self::Exact),
        }
    }
}

/// What stands behind `*.`, which may be a top-level domain too.
fn parse_parent(text: &str) -> Result<Box<str>, NameError> {
    let child = DomainName::parse(&format!("x.{text}"))?;
    Ok(child.as_str().get(2..).unwrap_or_default().into())
}

impl fmt::Display for TlsDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsDomain::Exact(name) => name.fmt(f),
            TlsDomain::Below(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// Recipient domains that a connector names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recipients {
    /// This domain.
    Exact(DomainName),
    /// Every domain below this one, at any depth; written `*.contoso.com`.
    Below(Box<str>),
    /// Every domain; written `*`.
    Any,
}

impl Recipients {
    /// Reads `contoso.com`, `*.contoso.com` or `*`.
    ///
    /// # Errors
    /// [`NameError`] for what is none of these.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.trim() {
            "*" => Ok(Self::Any),
            text => match text.strip_prefix("*.") {
                Some(parent) => parse_parent(parent).map(Self::Below),
                None => DomainName::parse(text).map(Self::Exact),
            },
        }
    }
}

impl fmt::Display for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipients::Exact(name) => name.fmt(f),
            Recipients::Below(parent) => write!(f, "*.{parent}"),
            Recipients::Any => f.write_str("*"),
        }
    }
}

/// A host that takes a connector's mail instead of the MX.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SmartHost {
    /// By name; its addresses are looked up.
    Name(DomainName),
    /// By address, or by a range of at most [`SMART_HOST_ADDRESSES_MAX`].
    Range(IpNet),
}

impl SmartHost {
    /// The addresses that are given outright: all of a range, without the
    /// network and broadcast address of an IPv4 network.
    pub fn addresses(&self) -> Vec<IpAddr> {
        match self {
            SmartHost::Name(_) => Vec::new(),
            SmartHost::Range(range) => {
                let hosts = range.hosts().take(SMART_HOST_ADDRESSES_MAX as usize);
                hosts.map(|address| address.to_canonical()).collect()
            }
        }
    }
}

impl fmt::Display for SmartHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SmartHost::Name(name) => name.fmt(f),
            SmartHost::Range(range) if range.prefix_len() == range.max_prefix_len() => range.addr().fmt(f),
            SmartHost::Range(range) => range.fmt(f),
        }
    }
}

/// One outbound connector that is in force. Whether it is consistent was seen
/// to when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// As in the file of connectors; unique there.
    pub name: Arc<str>,
    /// The domains that it names.
    pub recipients: Vec<Recipients>,
    /// Whether it takes all accepted domains of the organisation.
    pub all_accepted_domains: bool,
    /// How much TLS it demands.
    pub tls_settings: TlsSettings,
    /// The name that it expects; only with
    /// [`TlsSettings::DomainValidation`].
    pub tls_domain: Option<TlsDomain>,
    /// Where its mail goes; empty for the MX of the recipient domain.
    pub smart_hosts: Vec<SmartHost>,
}
