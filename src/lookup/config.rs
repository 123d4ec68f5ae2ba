//! What to ask, whom, and for how long.

use super::believed::TrustedAd;
use super::smart_hosts::SmartHosts;
use crate::fetch::policy::PolicyHosts;
use crate::model::BlocklistInForce;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Where the system names its nameservers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where they listen (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// What to ask, whom, and for how long.
#[derive(Clone, Debug)]
pub struct LookupConfig {
    /// Recursive resolvers, the best first; empty for those of the system. Only
    /// their addresses are taken from the system, never its search domains.
    pub nameservers: Vec<SocketAddr>,
    /// How long one attempt waits for the answer of each resolver. Within an attempt over UDP
    /// the question is sent again after a third of a second or more without
    /// an answer, three times in all: to the next resolver if there is one.
    pub timeout: Duration,
    /// Attempts at one question, from 1: after a timeout, an answer that is no
    /// answer (SERVFAIL, REFUSED, …) or a transport error. Each asks all
    /// resolvers, until one answers.
    pub attempts: usize,
    /// Ask for A.
    pub ipv4: bool,
    /// Ask for AAAA.
    pub ipv6: bool,
    /// Most answers kept in the cache.
    pub cache_entries: u64,
    /// Most questions under way at once. Each holds one UDP socket, or up to
    /// three while its server is silent.
    pub queries_in_flight: usize,
    /// Whether to ask who vouches for answers, and for TLSA records (RFC 7672).
    pub dane: bool,
    /// Resolvers whose AD is believed beside those on loopback. Those that do not
    /// validate are not, whoever names them.
    pub trusted_ad: Vec<TrustedAd>,
    /// Time after which those that are believed are looked at again, while questions
    /// are asked: that one validates can end while it runs.
    pub validation_checked_after: Duration,
    /// From where policies of MTA-STS are fetched (RFC 8461); `None`: nobody asks
    /// for MTA-STS.
    pub mta_sts: Option<PolicyHosts>,
    /// Whether to ask where reports on TLS are to go (RFC 8460).
    pub tls_rpt: bool,
    /// The hosts that are looked up in place of the MX of a domain.
    pub smart_hosts: SmartHosts,
    /// Names that are left alone: they are not looked up, and an alias that
    /// leads to one is not followed. Its addresses are whoever's who connects.
    pub blocklist: BlocklistInForce,
}

impl Default for LookupConfig {
    fn default() -> Self {
        Self {
            nameservers: Vec::new(),
            timeout: Duration::from_secs(5),
            attempts: 2,
            ipv4: true,
            ipv6: true,
            cache_entries: 65_536,
            queries_in_flight: 1024,
            dane: true,
            trusted_ad: Vec::new(),
            validation_checked_after: Duration::from_secs(5 * 60),
            mta_sts: None,
            tls_rpt: true,
            smart_hosts: SmartHosts::default(),
            blocklist: BlocklistInForce::default(),
        }
    }
}

/// Why no lookup can be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// Neither A nor AAAA is wanted.
    #[error("neither IPv4 nor IPv6 is enabled, so no mail host can have an address")]
    NoFamily,
    /// The system's nameservers are not to be found.
    #[error("cannot find the system's nameservers ({0}); name one with --resolver ADDR:PORT")]
    System(#[source] io::Error),
}

impl LookupConfig {
    /// Whom to ask: those that are named, or those of the system.
    ///
    /// # Errors
    /// [`LookupError::System`] if the system names none.
    pub(super) fn nameservers(&self) -> Result<Vec<SocketAddr>, LookupError> {
        if !self.nameservers.is_empty() {
            return Ok(self.nameservers.clone());
        }
        let text = std::fs::read(RESOLV_CONF).map_err(LookupError::System)?;
        let nameservers = system_nameservers(&text);
        if nameservers.is_empty() {
            return Err(LookupError::System(io::Error::other(format!("{RESOLV_CONF} names none"))));
        }
        Ok(nameservers)
    }
}

/// The nameservers of a resolv.conf(5). Lines that cannot be read are passed
/// over, as the system's own resolver does; names that search would complete
/// are none of ours.
fn system_nameservers(text: &[u8]) -> Vec<SocketAddr> {
    let (parsed, faults) = resolv_conf::Config::parse_with_errors(text);
    for fault in faults {
        tracing::warn!(%fault, "in {RESOLV_CONF}");
    }
    parsed.nameservers.iter().map(|ip| SocketAddr::new(ip.into(), DNS_PORT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_names_its_nameservers() {
        let text = b"# mine\nsearch example.org\nnameserver 192.0.2.1\nnonsense\nnameserver 2001:db8::1\noptions edns0 trust-ad\n";
        let found: Vec<String> = system_nameservers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert!(system_nameservers(b"search example.org\n").is_empty());
    }

    #[test]
    fn those_that_are_named_go_before_those_of_the_system() {
        let nameservers = vec![SocketAddr::from(([127, 0, 0, 1], 5300))];
        let config = LookupConfig { nameservers: nameservers.clone(), ..LookupConfig::default() };
        assert_eq!(config.nameservers().unwrap(), nameservers);
    }
}
