//! Sets hickory-resolver up for a survey: what differs from its defaults, and
//! why.

use super::connection::Connections;
use super::smart_hosts::SmartHosts;
use crate::model::Blocklist;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{NameServerPool, PoolContext, ResponseCache, TlsConfig, TtlConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// UDP payload offered by EDNS0, in octets: no fragments on any usual path
/// (the value of DNS Flag Day 2020).
const EDNS_PAYLOAD_OCTETS: u16 = 1232;

/// What to ask, whom, and for how long.
#[derive(Clone, Debug)]
pub struct LookupConfig {
    /// Recursive resolvers; empty for those of the system. Only their
    /// addresses are taken from the system, never its search domains.
    pub nameservers: Vec<SocketAddr>,
    /// How long one attempt waits for an answer. Within an attempt over UDP
    /// the question is sent again after a third of a second or more without
    /// an answer, three times in all.
    pub timeout: Duration,
    /// Attempts at one question, from 1: after a timeout, an answer that is no
    /// answer (SERVFAIL, REFUSED, …) or a transport error.
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
    /// The hosts that are looked up in place of the MX of a domain.
    pub smart_hosts: SmartHosts,
    /// Names that are left alone: they are not looked up, and an alias that
    /// leads to one is not followed. Its addresses are whoever's who connects.
    pub blocklist: Arc<Blocklist>,
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
            smart_hosts: SmartHosts::default(),
            blocklist: Arc::default(),
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
    System(#[source] NetError),
    /// The resolver library refuses the configuration.
    #[error("cannot set up the resolver: {0}")]
    Setup(#[source] NetError),
}

/// Builds the resolvers, which are asked over `connections`; nothing is sent.
pub(super) fn pool(
    config: &LookupConfig,
    connections: Connections,
) -> Result<NameServerPool<Connections>, LookupError> {
    let nameservers = if config.nameservers.is_empty() {
        let (system, _) = read_system_conf().map_err(LookupError::System)?;
        system.name_servers
    } else {
        config.nameservers.iter().map(|&address| nameserver(address)).collect()
    };
    let tls = TlsConfig::new().map_err(LookupError::Setup)?;
    let context = Arc::new(PoolContext::new(options(config), tls));
    Ok(NameServerPool::from_config(nameservers, context, connections))
}

/// Builds the cache.
pub(super) fn cache(options: &ResolverOpts) -> ResponseCache {
    ResponseCache::new(options.cache_size, TtlConfig::from_opts(options))
}

fn nameserver(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn options(config: &LookupConfig) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = config.timeout;
    // hickory counts the attempts after the first.
    options.attempts = config.attempts.saturating_sub(1);
    options.cache_size = config.cache_entries;
    options.edns0 = true;
    options.edns_payload_len = EDNS_PAYLOAD_OCTETS;
    // One question to one server: asking two at once would double the load on
    // resolvers that are somebody else's.
    options.num_concurrent_reqs = 1;
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_count_from_one() {
        for (attempts, retries) in [(0, 0), (1, 0), (3, 2)] {
            let config = LookupConfig { attempts, ..LookupConfig::default() };
            assert_eq!(options(&config).attempts, retries);
        }
    }

    #[test]
    fn both_transports_go_to_the_named_port() {
        let server = nameserver(SocketAddr::from(([127, 0, 0, 1], 5300)));
        assert_eq!(server.connections.iter().map(|c| c.port).collect::<Vec<_>>(), [5300, 5300]);
    }
}
