//! Where a probe goes.

use super::name::MxHost;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One listening service: an address and a TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// IPv4 or IPv6 address.
    pub ip: IpAddr,
    /// TCP port, host byte order.
    pub port: u16,
}

impl From<Endpoint> for SocketAddr {
    fn from(endpoint: Endpoint) -> Self {
        SocketAddr::new(endpoint.ip, endpoint.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

/// What is probed once per run, however many domains share it: the endpoint
/// and the name asked for in SNI (RFC 6066 §3), on which the certificate may
/// depend. Without a name no SNI is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProbeKey {
    /// Where to connect.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// The MX host name, sent as SNI.
    pub sni: Option<MxHost>,
}

impl fmt::Display for ProbeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sni {
            Some(name) => write!(f, "{name} ({})", self.endpoint),
            None => self.endpoint.fmt(f),
        }
    }
}
