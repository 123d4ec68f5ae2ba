//! Outbound connectors: which mail goes by other rules, and by which.

use super::forced::TlsSettings;
use super::name::{DomainName, NameError};
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Most addresses of a smart host that is given as a range: a /24 of IPv4, a
/// /120 of IPv6. Each is probed.
pub const SMART_HOST_ADDRESSES_MAX: u32 = 256;

/// The name that a certificate has to bear (`TlsDomain`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// Its name.
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

/// Two connectors that would both have to take the same mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connectors `{0}` and `{1}` both take {2}")]
pub struct Tie(pub Arc<str>, pub Arc<str>, pub String);

/// The connectors of an organisation, and which of them takes which mail:
/// that which names the domain exactly, then that for all accepted domains,
/// then that with the longest wildcard, `*` last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connectors {
    all: Vec<Arc<Connector>>,
    exact: HashMap<DomainName, usize>,
    accepted: HashSet<DomainName>,
    for_accepted: Option<usize>,
    below: HashMap<Box<str>, usize>,
    any: Option<usize>,
}

impl Connectors {
    /// Puts connectors in force beside each other.
    ///
    /// # Errors
    /// [`Tie`] where the choice is not decided.
    pub fn new(all: Vec<Connector>, accepted: Vec<DomainName>) -> Result<Self, Tie> {
        let all = all.into_iter().map(Arc::new).collect();
        let mut connectors = Self { all, accepted: accepted.into_iter().collect(), ..Self::default() };
        for (index, connector) in connectors.all.clone().iter().enumerate() {
            connectors.enter(index, connector)?;
        }
        Ok(connectors)
    }

    fn enter(&mut self, index: usize, connector: &Connector) -> Result<(), Tie> {
        for recipients in &connector.recipients {
            let before = match recipients {
                Recipients::Exact(name) => self.exact.insert(name.clone(), index),
                Recipients::Below(parent) => self.below.insert(parent.clone(), index),
                Recipients::Any => self.any.replace(index),
            };
            self.untied(before, index, || recipients.to_string())?;
        }
        if connector.all_accepted_domains {
            let before = self.for_accepted.replace(index);
            self.untied(before, index, || "all accepted domains".to_string())?;
        }
        Ok(())
    }

    fn untied(&self, before: Option<usize>, index: usize, what: impl FnOnce() -> String) -> Result<(), Tie> {
        let name = |index: usize| self.all.get(index).map(|connector| connector.name.clone());
        match before.filter(|before| *before != index) {
            None => Ok(()),
            Some(before) => {
                Err(Tie(name(before).unwrap_or_default(), name(index).unwrap_or_default(), what()))
            }
        }
    }

    /// The connector that takes mail to this domain; `None` if none does.
    pub fn choose(&self, domain: &DomainName) -> Option<&Arc<Connector>> {
        let accepted = || self.for_accepted.filter(|_| self.accepted.contains(domain));
        let index = self.exact.get(domain).copied().or_else(accepted);
        self.all.get(index.or_else(|| self.longest_wildcard(domain)).or(self.any)?)
    }

    fn longest_wildcard(&self, domain: &DomainName) -> Option<usize> {
        if self.below.is_empty() {
            return None;
        }
        let name = domain.as_str();
        let parents = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        parents.into_iter().find_map(|parent| self.below.get(parent).copied())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none, so that all mail goes by the usual rules.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.all.iter()
    }
}

#[cfg(test)]
#[path = "connector_tests.rs"]
mod tests;
