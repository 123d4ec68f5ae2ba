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
pub(super) fn parse_parent(text: &str) -> Result<Box<str>, NameError> {
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

/// What a connector makes of DANE (`SmtpDaneMode` of New-OutboundConnector).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SmtpDaneMode {
    /// What TLSA records demand is demanded, where there are some.
    #[default]
    Opportunistic,
    /// Mail to a host without usable records is kept, too.
    Mandatory,
    /// Nobody looks.
    None,
}

impl SmtpDaneMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Opportunistic, Self::Mandatory, Self::None];

    /// As the cmdlet writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opportunistic => "Opportunistic",
            Self::Mandatory => "Mandatory",
            Self::None => "None",
        }
    }
}

/// What a connector makes of MTA-STS (`MtaStsMode` of New-OutboundConnector).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MtaStsMode {
    /// Policies count, where there are some.
    #[default]
    Opportunistic,
    /// Nobody looks.
    None,
}

impl MtaStsMode {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Opportunistic, Self::None];

    /// As the cmdlet writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opportunistic => "Opportunistic",
            Self::None => "None",
        }
    }
}

/// One outbound connector that is in force. Whether it is consistent was seen
/// to when it was read.
#[derive(Clone, PartialEq, Eq)]
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
    /// What it makes of DANE.
    pub smtp_dane_mode: SmtpDaneMode,
    /// What it makes of MTA-STS.
    pub mta_sts_mode: MtaStsMode,
}

/// As derived, without a mode that is the usual one: a run knows its connectors
/// by a digest over this, and is still to know them where keys were added.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Connector");
        told.field("name", &self.name)
            .field("recipients", &self.recipients)
            .field("all_accepted_domains", &self.all_accepted_domains)
            .field("tls_settings", &self.tls_settings)
            .field("tls_domain", &self.tls_domain)
            .field("smart_hosts", &self.smart_hosts);
        if self.smtp_dane_mode != SmtpDaneMode::default() {
            told.field("smtp_dane_mode", &self.smtp_dane_mode);
        }
        if self.mta_sts_mode != MtaStsMode::default() {
            told.field("mta_sts_mode", &self.mta_sts_mode);
        }
        told.finish()
    }
}
