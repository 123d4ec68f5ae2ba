//! What a run will take, told after the DNS alone: how many connections each address,
//! network and operator has, and how long the slowest of them takes at its limits.
//!
//! One connection is counted for each name and address. Further ClientHellos, second
//! looks and retries come on top, and nobody knows them before.

use super::pace::{BucketLimits, Limits, least_time};
use crate::model::{DomainFacts, MxHost, ProbeKey, network, registrable};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

/// How long a session is taken to last, where the time of all is told: an
/// assumption, since nobody was asked yet.
pub const SESSION_ASSUMED: Duration = Duration::from_millis(1500);

/// Buckets of one kind that are named, the slowest first.
pub const BUCKETS_NAMED_MAX: usize = 5;

/// What has limits together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ForecastPlace {
    /// An address.
    Address(IpAddr),
    /// A network, by its first address: a /24 of IPv4, a /48 of IPv6.
    Network(IpAddr),
    /// An operator, by the registrable domain of its hosts.
    Operator(String),
}

/// How long a bucket takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastBucket {
    /// Which; `None` is the whole run.
    pub place: Option<ForecastPlace>,
    /// Connections, one for each name and address.
    pub connections: u64,
    /// From the first start to the last, by intervals and rates alone.
    pub at_least: Duration,
    /// From the first start to the last end, if each session takes
    /// [`SESSION_ASSUMED`].
    pub with_sessions: Duration,
}

/// Collects what a list leads to.
pub struct Forecast {
    limits: Limits,
    port: u16,
    domains: u64,
    without_hosts: BTreeMap<String, u64>,
    left_alone: BTreeMap<String, u64>,
    /// Each with whether the DNS gave it an address.
    hosts: HashMap<MxHost, bool>,
    keys: HashSet<ProbeKey>,
    connections: HashMap<ForecastPlace, u64>,
}

/// What the whole list leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecasted {
    /// Targets of the list.
    pub domains: u64,
    /// Targets without a host to ask, by what the DNS said.
    pub without_hosts: BTreeMap<String, u64>,
    /// Names and addresses that will not be connected to, by the reason.
    pub left_alone: BTreeMap<String, u64>,
    /// Names of mail hosts.
    pub hosts: u64,
    /// Of these those for which the DNS gave no address.
    pub hosts_without_address: u64,
    /// How many addresses, networks and operators they have.
    pub places: [u64; 3],
    /// The address with the most names, and how many.
    pub most_names: Option<(IpAddr, u64)>,
    /// The whole run: its own rate and connections, and at least the slowest bucket.
    pub run: ForecastBucket,
    /// The slowest of each kind, [`BUCKETS_NAMED_MAX`] at most, the slowest first.
    pub slowest: Vec<ForecastBucket>,
}

impl Forecast {
    /// Of a run within these limits, with this port where the list names none.
    pub fn new(limits: Limits, port: u16) -> Self {
        Self {
            limits,
            port,
            domains: 0,
            without_hosts: BTreeMap::new(),
            left_alone: BTreeMap::new(),
            hosts: HashMap::new(),
            keys: HashSet::new(),
            connections: HashMap::new(),
        }
    }

    /// Takes up what the DNS said of one target. `refused` tells why a key will not be
    /// connected to.
    pub fn add(&mut self, facts: &DomainFacts, refused: impl Fn(&ProbeKey) -> Option<String>) {
        self.domains += 1;
        if let Some(failure) = &facts.failure {
            *self.without_hosts.entry(format!("{}: {}", failure.phase, failure.kind)).or_default() += 1;
        }
        for exchange in &facts.exchanges {
            let Some(host) = &exchange.host else { continue };
            *self.hosts.entry(host.clone()).or_default() |= !exchange.addresses.is_empty();
        }
        for (exchange, key) in facts.probe_keys(self.port) {
            if !self.keys.insert(key.clone()) {
                continue;
            }
            if let Some(why) = refused(&key) {
                *self.left_alone.entry(why).or_default() += 1;
                continue;
            }
            let ip = key.endpoint.ip;
            let host = facts.exchanges.get(exchange).and_then(|exchange| exchange.host.as_ref());
            let operator = host.and_then(|host| registrable(host.as_str())).map(ToString::to_string);
            let places = [ForecastPlace::Address(ip), ForecastPlace::Network(network(ip))];
            for place in places.into_iter().chain(operator.map(ForecastPlace::Operator)) {
                *self.connections.entry(place).or_default() += 1;
            }
        }
    }

    /// What it all comes to.
    pub fn told(self) -> Forecasted {
        let limits = self.limits;
        let mut buckets: Vec<ForecastBucket> = self
            .connections
            .into_iter()
            .map(|(place, connections)| bucket(&limits, place, connections))
            .collect();
        buckets.sort_by(|a, b| {
            let slowness = |it: &ForecastBucket| (it.at_least, it.with_sessions, it.connections);
            slowness(b).cmp(&slowness(a)).then_with(|| a.place.cmp(&b.place))
        });
        let left_alone: u64 = self.left_alone.values().sum();
        let run = whole(&limits, self.keys.len() as u64 - left_alone, &buckets);
        let mut places = [0; 3];
        let mut most_names: Option<(IpAddr, u64)> = None;
        let mut slowest = Vec::new();
        for bucket in buckets {
            let kind = kind(bucket.place.as_ref());
            let number = places.get_mut(kind).map_or(0, |count| {
                *count += 1;
                *count
            });
            if let Some(ForecastPlace::Address(ip)) = bucket.place
                && most_names.is_none_or(|(_, most)| bucket.connections > most)
            {
                most_names = Some((ip, bucket.connections));
            }
            if number <= BUCKETS_NAMED_MAX as u64 {
                slowest.push(bucket);
            }
        }
        Forecasted {
            domains: self.domains,
            without_hosts: self.without_hosts,
            left_alone: self.left_alone,
            hosts: self.hosts.len() as u64,
            hosts_without_address: self.hosts.values().filter(|has_address| !**has_address).count() as u64,
            places,
            most_names,
            run,
            slowest,
        }
    }
}

/// Which kind of place, by number: addresses, networks, operators.
fn kind(place: Option<&ForecastPlace>) -> usize {
    match place {
        Some(ForecastPlace::Address(_)) => 0,
        Some(ForecastPlace::Network(_)) => 1,
        Some(ForecastPlace::Operator(_)) | None => 2,
    }
}

fn bucket(limits: &Limits, place: ForecastPlace, connections: u64) -> ForecastBucket {
    let limits = match place {
        ForecastPlace::Address(_) => &limits.per_ip,
        ForecastPlace::Network(_) => &limits.per_network,
        ForecastPlace::Operator(_) => &limits.per_operator,
    };
    let (at_least, with_sessions) = times(limits, connections);
    ForecastBucket { place: Some(place), connections, at_least, with_sessions }
}

/// How long so many connections take: by intervals and rates, and with their time.
fn times(limits: &BucketLimits, connections: u64) -> (Duration, Duration) {
    let at_least = least_time(limits, connections);
    let earlier = connections.saturating_sub(1);
    let rounds = limits.connections.map_or(0, |most| earlier / u64::from(most.get()));
    let rounds = SESSION_ASSUMED.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    let last = if connections == 0 { Duration::ZERO } else { SESSION_ASSUMED };
    (at_least, at_least.max(rounds) + last)
}

/// The run as a whole, never faster than its slowest bucket.
fn whole(limits: &Limits, connections: u64, buckets: &[ForecastBucket]) -> ForecastBucket {
    let earlier = connections.saturating_sub(1);
    let by_rate = limits
        .rate
        .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(earlier as f64 / f64::from(rate.get())));
    let rounds = earlier / (limits.in_flight.max(1) as u64);
    let by_table = SESSION_ASSUMED.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    let last = if connections == 0 { Duration::ZERO } else { SESSION_ASSUMED };
    let slowest = |time: fn(&ForecastBucket) -> Duration| buckets.iter().map(time).max().unwrap_or_default();
    ForecastBucket {
        place: None,
        connections,
        at_least: by_rate.max(slowest(|bucket| bucket.at_least)),
        with_sessions: (by_rate.max(by_table) + last).max(slowest(|bucket| bucket.with_sessions)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DomainName, Exchange, Subject, Target};
    use std::num::NonZeroU32;

    fn facts(domain: &str, hosts: &[(&str, &[&str])]) -> DomainFacts {
        let subject = Subject::Domain(DomainName::parse(domain).unwrap());
        let exchange = |(host, addresses): &(&str, &[&str])| {
            let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
            Exchange::whole(10, Some(MxHost::new(host)), addresses)
        };
        let mut facts = DomainFacts::failed(
            Target { line: 1, subject },
            crate::model::Failure::new(crate::model::Phase::Dns, crate::model::Kind::NoData),
        );
        if !hosts.is_empty() {
            facts.failure = None;
        }
        facts.exchanges = hosts.iter().map(exchange).collect();
        facts
    }

    #[test]
    fn keys_count_once_for_each_place_that_they_are_in() {
        let mut forecast = Forecast::new(Limits::default(), 25);
        let two: &[&str] = &["192.0.2.1", "192.0.2.2"];
        forecast.add(&facts("a.example", &[("mx.provider.net", two)]), |_| None);
        forecast.add(&facts("b.example", &[("mx.provider.net", two)]), |_| None);
        forecast.add(&facts("c.example", &[("mx2.provider.net", &["192.0.2.1"])]), |_| None);
        forecast.add(&facts("d.example", &[("mx.d.example", &["10.0.0.1"])]), |key| {
            key.endpoint.ip.to_string().starts_with("10.").then(|| "private_address".to_string())
        });
        forecast.add(&facts("e.example", &[]), |_| None);
        forecast.add(&facts("f.example", &[("mx.f.example", &[])]), |_| None);
        let told = forecast.told();
        assert_eq!((told.domains, told.hosts, told.places), (6, 4, [2, 1, 1]));
        assert_eq!(told.hosts_without_address, 1);
        assert_eq!(told.most_names, Some(("192.0.2.1".parse().unwrap(), 2)));
        assert_eq!(told.without_hosts, BTreeMap::from([("dns: no_data".to_string(), 1)]));
        assert_eq!(told.left_alone, BTreeMap::from([("private_address".to_string(), 1)]));
        let slowest = told.slowest.first().unwrap();
        assert_eq!(slowest.place, Some(ForecastPlace::Address("192.0.2.1".parse().unwrap())));
        // Two connections a second apart; with their time, one after the other.
        assert_eq!(
            (slowest.at_least, slowest.with_sessions),
            (Duration::from_secs(1), Duration::from_secs(3))
        );
        assert_eq!((told.run.connections, told.run.at_least), (3, Duration::from_secs(1)));
    }

    #[test]
    fn the_run_takes_as_long_as_its_rate_or_its_slowest_bucket() {
        let limits = Limits { rate: NonZeroU32::new(2), ..Limits::none(1) };
        let run = whole(&limits, 11, &[]);
        assert_eq!(
            (run.at_least, run.with_sessions),
            (Duration::from_secs(5), Duration::from_millis(16_500))
        );
        let slow = bucket(&Limits::default(), ForecastPlace::Address([192, 0, 2, 1].into()), 61);
        let run = whole(&Limits::default(), 61, &[slow]);
        assert_eq!(
            (run.at_least, run.with_sessions),
            (Duration::from_secs(60), Duration::from_millis(91_500))
        );
    }
}
