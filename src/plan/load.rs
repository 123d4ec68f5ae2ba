//! From the words of `mxray bench` to a load that may be made: on loopback, or
//! on a server whose owner says so.

use super::{ProbeTarget, UsageError, client_hello, ehlo_name, key_shares, lookup, timeouts};
use crate::cli::BenchArgs;
use crate::load::{
    Bound, CONCURRENCY_MAX, COUNT_MAX, DURATION_SECONDS_MAX, Handshakes, LoadModel, RATE_MAX, Settings,
};
use crate::lookup::{DnsLookup, LookupConfig};
use crate::model::{Blocklist, DomainFacts, DomainName, Endpoint, MxHost, ProbeKey, Subject, Target};
use crate::net::{Gate, Handshaker, NetProbe};
use crate::stage::Lookup;
use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Sessions at a time, if nothing else is said.
const CONCURRENCY: u32 = 8;

/// Time in which sessions begin, if nothing else is said.
const DURATION: Duration = Duration::from_secs(10);

const DURATION_MAX: Duration = Duration::from_secs(DURATION_SECONDS_MAX);

/// A load of which only the address is not known yet.
pub struct LoadPlan {
    /// The load: how much, over how many connections, for how long.
    pub settings: Settings,
    /// Until when.
    pub bound: Bound,
    /// Makes sessions.
    pub probe: NetProbe,
    server: LoadTarget,
    /// The server was named twice.
    owned: bool,
}

/// Who is asked.
enum LoadTarget {
    Address(Endpoint),
    Host(DomainName, u16, Box<DnsLookup>),
}

/// Reads the words of `mxray bench`.
///
/// # Errors
/// [`UsageError`] for a word that cannot be followed.
pub fn load(args: &BenchArgs) -> Result<LoadPlan, UsageError> {
    let dialogue = &args.dialogue;
    let (timeouts, dns_timeout) = timeouts(&dialogue.timeout)?;
    // A session under load is never asked for again.
    let timeouts = timeouts.for_retries(0);
    let server = match ProbeTarget::parse(&args.target)? {
        ProbeTarget::Address(ip, port) => {
            LoadTarget::Address(Endpoint { ip, port: port.unwrap_or(dialogue.port) })
        }
        ProbeTarget::Domain(host) => {
            LoadTarget::Host(host, dialogue.port, Box::new(resolver(args, dns_timeout)?))
        }
        ProbeTarget::Host(host, port) => LoadTarget::Host(host, port, Box::new(resolver(args, dns_timeout)?)),
    };
    let owned = match &args.i_own_this_server {
        Some(named) if server.is_named(named) => true,
        Some(named) => {
            let text = format!("--i-own-this-server {named}: not the host of {}; name it alone", args.target);
            return Err(UsageError(text));
        }
        None => false,
    };
    let mut handshaker = Handshaker::new(key_shares(dialogue))
        .map_err(|error| UsageError(format!("cannot set up TLS: {error}")))?
        .with_identity(client_hello::client_identity(&dialogue.client)?);
    if args.resume {
        handshaker = handshaker.with_resumption();
    }
    let settings = Settings {
        target: server.to_string(),
        pacing: pacing(args)?,
        handshakes: if args.resume { Handshakes::Resumed } else { Handshakes::Full },
        fresh_key_shares: dialogue.fresh_key_shares,
    };
    // Where it may go is decided here and not by the gate of a survey.
    let gate = Gate::new(Blocklist::default(), true);
    let probe = NetProbe::new(gate, ehlo_name(dialogue.ehlo.as_deref())?, timeouts, handshaker);
    Ok(LoadPlan { settings, bound: bound(args)?, probe, server, owned })
}

fn resolver(args: &BenchArgs, timeout: Duration) -> Result<DnsLookup, UsageError> {
    DnsLookup::new(LookupConfig { dane: false, tls_rpt: false, ..lookup(&args.dialogue, timeout) })
        .map_err(|error| UsageError(error.to_string()))
}

fn pacing(args: &BenchArgs) -> Result<LoadModel, UsageError> {
    match args.rate {
        Some(rate) => Ok(LoadModel::Open { rate: within("--rate", rate, 1..=RATE_MAX)? }),
        None => {
            let concurrency = args.concurrency.unwrap_or(CONCURRENCY);
            Ok(LoadModel::Closed { concurrency: within("--concurrency", concurrency, 1..=CONCURRENCY_MAX)? })
        }
    }
}

fn bound(args: &BenchArgs) -> Result<Bound, UsageError> {
    let usual = if args.count.is_some() { DURATION_MAX } else { DURATION };
    let duration = args.duration.unwrap_or(usual);
    if duration.is_zero() || duration > DURATION_MAX {
        return Err(UsageError("--duration: must be over 0 and at most 1h; try 10s".into()));
    }
    Ok(Bound { count: within("--count", args.count.unwrap_or(COUNT_MAX), 1..=COUNT_MAX)?, duration })
}

fn within<T: PartialOrd + Display>(
    option: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, UsageError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(UsageError(format!("{option} {value}: not between {} and {}", range.start(), range.end())))
}

impl LoadTarget {
    /// Whether `word` names this server and nothing else.
    fn is_named(&self, word: &str) -> bool {
        match self {
            LoadTarget::Address(endpoint) => {
                let bare = word.trim_start_matches('[').trim_end_matches(']');
                bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical() == endpoint.ip)
            }
            LoadTarget::Host(host, ..) => DomainName::parse(word).is_ok_and(|named| named == *host),
        }
    }
}

impl Display for LoadTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoadTarget::Address(endpoint) => write!(f, "{endpoint}"),
            LoadTarget::Host(host, port, _) => write!(f, "{host}:{port}"),
        }
    }
}

impl LoadPlan {
    /// Finds the address of the server, and makes sure that the load may go
    /// there. Nothing is sent to the server before that.
    ///
    /// # Errors
    /// [`UsageError`] if it has no address, or is neither on loopback nor its
    /// owner's by his own word.
    pub async fn key(&self) -> Result<ProbeKey, UsageError> {
        let key = match &self.server {
            LoadTarget::Address(endpoint) => ProbeKey { endpoint: *endpoint, sni: None },
            LoadTarget::Host(host, port, lookup) => {
                let endpoint = Endpoint { ip: address(host, lookup).await?, port: *port };
                ProbeKey { endpoint, sni: Some(MxHost::from(host)) }
            }
        };
        if self.owned || key.endpoint.ip.is_loopback() {
            return Ok(key);
        }
        let host = match &self.server {
            LoadTarget::Address(endpoint) => endpoint.ip.to_string(),
            LoadTarget::Host(host, ..) => host.to_string(),
        };
        Err(UsageError(format!(
            "{host} is not on loopback: put load only on a server of your own; if it is yours, add --i-own-this-server {host}"
        )))
    }
}

/// The first address of a host.
async fn address(host: &DomainName, lookup: &DnsLookup) -> Result<IpAddr, UsageError> {
    let target = Target { line: 1, subject: Subject::Host { name: host.clone(), port: None } };
    let DomainFacts { failure, exchanges, .. } = lookup.lookup(target).await;
    let found = exchanges.into_iter().flat_map(|exchange| exchange.addresses).next();
    found.ok_or_else(|| {
        let cause = failure.map_or_else(|| "no address".to_string(), |failure| failure.to_string());
        UsageError(format!("{host}: {cause}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    async fn key(words: &str) -> Result<ProbeKey, UsageError> {
        let line = format!("mxray bench --ehlo client.example {words}");
        let Command::Bench(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            unreachable!()
        };
        load(&args)?.key().await
    }

    #[tokio::test]
    async fn a_load_goes_to_loopback_or_where_the_owner_says() {
        for (words, expected) in [
            ("127.0.0.1", Some("127.0.0.1:25")),
            ("127.9.9.9:2525", Some("127.9.9.9:2525")),
            ("[::1]:26 --port 27", Some("[::1]:26")),
            ("::1 --port 27", Some("[::1]:27")),
            ("192.0.2.1 --i-own-this-server 192.0.2.1", Some("192.0.2.1:25")),
            ("[2001:db8::1] --i-own-this-server 2001:DB8:0::1", Some("[2001:db8::1]:25")),
            ("192.0.2.1", None),
            ("192.0.2.1 --i-own-this-server 192.0.2.10", None),
            ("10.0.0.1", None),
            ("0.0.0.0", None),
            ("::ffff:192.0.2.1", None),
        ] {
            let found = key(words).await.map(|key| key.endpoint.to_string());
            assert_eq!(found.ok().as_deref(), expected, "{words}");
        }
    }
}
