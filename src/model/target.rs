//! One entry of an input list.

use super::endpoint::Endpoint;
use super::name::{DomainName, MxHost};
use serde::{Deserialize, Serialize};

/// What an input line asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Subject {
    /// A mail domain, whose mail hosts the DNS tells.
    Domain(DomainName),
    /// A mail host named outright, whose addresses the DNS tells. Which domains
    /// it takes mail for is not known.
    Host {
        /// The host.
        name: DomainName,
        /// Port, where one is named.
        port: Option<u16>,
    },
    /// An endpoint named outright, without DNS (zmap and zgrab2 lists).
    Endpoint {
        /// Address to connect to.
        ip: std::net::IpAddr,
        /// Port, where the line gives one.
        port: Option<u16>,
        /// Name for SNI, where the line gives one.
        name: Option<MxHost>,
    },
}

impl Subject {
    /// The domain that mail is for; a host and an endpoint have none.
    pub fn domain(&self) -> Option<&str> {
        match self {
            Subject::Domain(domain) => Some(domain.as_str()),
            Subject::Host { .. } | Subject::Endpoint { .. } => None,
        }
    }

    /// The port that the line names, if it names one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Subject::Domain(_) => None,
            Subject::Host { port, .. } | Subject::Endpoint { port, .. } => *port,
        }
    }

    /// The text of the `domain` column: the domain, else the name, else the
    /// endpoint itself.
    pub fn label(&self) -> String {
        match self {
            Subject::Domain(domain) => domain.to_string(),
            Subject::Host { name, .. } => name.to_string(),
            Subject::Endpoint { name: Some(name), .. } => name.to_string(),
            Subject::Endpoint { ip, port: Some(port), .. } => Endpoint { ip: *ip, port: *port }.to_string(),
            Subject::Endpoint { ip, .. } => ip.to_string(),
        }
    }
}

/// An input line that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Line number in the input, from 1.
    pub line: u64,
    /// What the line asks for.
    #[serde(flatten)]
    pub subject: Subject,
}
