//! What a run will take, told after the DNS alone: how many connections each address,
//! network and operator has, and how long the slowest of them takes at its limits.
//!
//! For each name and address as many connections are counted as one takes that answers
//! as most do ([`ConnectionsEach`]). Second looks and retries come on top, and nobody
//! knows them before.

mod each;
mod sampled;

pub use each::{ConnectionsEach, ENUMERATION_CONNECTIONS_USUAL};
pub use sampled::{BUCKETS_NAMED_MAX, ForecastSample};

use super::EngineConfig;
use super::pace::{BucketLimits, Limits, least_time};
use crate::model::{DomainFacts, Exchange, MxHost, ProbeKey, Shard, ShardPart, network, registrable};
use sampled::SampledNames;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

/// How long a session is taken to last, where the time of all is told: an
/// assumption, since nobody was asked yet.
pub const SESSION_ASSUMED: Duration = Duration::from_millis(1500);

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
    /// Names and addresses that are asked.
    pub asked: u64,
    /// Connections that these take.
    pub connections: u64,
    /// From the first start to the last, by intervals and rates alone.
    pub at_least: Duration,
    /// From the first start to the last end, if each session takes
    /// [`SESSION_ASSUMED`].
    pub with_sessions: Duration,
}

/// What is known of a target beside what the DNS said.
#[derive(Debug)]
pub struct ForecastRules<Refused, Free> {
    /// Why a key will not be connected to; `None` if it may be.
    pub refused: Refused,
    /// Whether the mail host of that number is asked whatever a sample comes to.
    pub is_free: Free,
}

/// Collects what a list leads to.
#[derive(Debug)]
pub struct Forecast {
    limits: Limits,
    port: u16,
    shard: Option<Shard>,
    each: ConnectionsEach,
    domains: u64,
    of_other_shards: u64,
    without_hosts: BTreeMap<String, u64>,
    left_alone: BTreeMap<String, u64>,
    /// Each with whether the DNS gave it an address.
    hosts: HashMap<MxHost, bool>,
    keys: HashSet<ProbeKey>,
    sampled: Option<SampledNames>,
    asked: HashMap<ForecastPlace, KeysAsked>,
    all: KeysAsked,
}

/// What is asked at a place.
#[derive(Clone, Copy, Debug, Default)]
struct KeysAsked {
    keys: u64,
    connections: u64,
}

impl KeysAsked {
    fn add(&mut self, connections: u64) {
        self.keys += 1;
        self.connections += connections;
    }
}

/// What the whole list leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecasted {
    /// Targets of the list; those of which other shards have all are not counted.
    pub domains: u64,
    /// Those of which other shards have all.
    pub of_other_shards: u64,
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
    /// The address with the most names, and how many of these are asked.
    pub most_names: Option<(IpAddr, u64)>,
    /// Names that are not asked, where a sample is; `None` where all are.
    pub sample: Option<ForecastSample>,
    /// The whole run: its own rate and connections, and at least the slowest bucket.
    pub run: ForecastBucket,
    /// The slowest of each kind, [`BUCKETS_NAMED_MAX`] at most, the slowest first.
    pub slowest: Vec<ForecastBucket>,
}

impl Forecast {
    /// Of a run that goes by this, if each key takes so many connections.
    pub fn new(config: &EngineConfig, each: ConnectionsEach) -> Self {
        let seed = config.limits.order_seed.unwrap_or_default();
        Self {
            limits: config.limits,
            port: config.port,
            shard: config.shard,
            each,
            domains: 0,
            of_other_shards: 0,
            without_hosts: BTreeMap::new(),
            left_alone: BTreeMap::new(),
            hosts: HashMap::new(),
            keys: HashSet::new(),
            sampled: config.sample.then(|| SampledNames::new(seed)),
            asked: HashMap::new(),
            all: KeysAsked::default(),
        }
    }

    /// Takes up what the DNS said of one target; `false` if all of it lies in other
    /// shards.
    pub fn add<Refused, Free>(&mut self, facts: &DomainFacts, rules: &ForecastRules<Refused, Free>) -> bool
    where
        Refused: Fn(&ProbeKey) -> Option<String>,
        Free: Fn(&DomainFacts, usize) -> bool,
    {
        if self.shard.is_some_and(|shard| shard.part_of(facts, self.port) == ShardPart::Nothing) {
            self.of_other_shards += 1;
            return false;
        }
        self.domains += 1;
        if let Some(failure) = &facts.failure {
            *self.without_hosts.entry(format!("{}: {}", failure.phase, failure.kind)).or_default() += 1;
        }
        for exchange in &facts.exchanges {
            let Some(host) = exchange.host.as_ref().filter(|_| self.has_some(exchange)) else { continue };
            *self.hosts.entry(host.clone()).or_default() |= !exchange.addresses.is_empty();
        }
        for (number, key) in facts.probe_keys(self.port) {
            if !self.has(key.endpoint.ip) || self.keys.contains(&key) {
                continue;
            }
            if let Some(why) = (rules.refused)(&key) {
                self.keys.insert(key);
                *self.left_alone.entry(why).or_default() += 1;
                continue;
            }
            let host = facts.exchanges.get(number).and_then(|exchange| exchange.host.as_ref());
            let operator = host.and_then(|host| registrable(host.as_str()));
            self.add_key(key, operator, || (rules.is_free)(facts, number));
        }
        true
    }

    /// Counts a key that was not met before, or waits for a sample.
    fn add_key(&mut self, key: ProbeKey, operator: Option<&str>, is_free: impl FnOnce() -> bool) {
        if let Some(sampled) = &mut self.sampled
            && let Some(nameless) = sampled.hold(&key, is_free)
        {
            // One look without a name stands beside the sample.
            if !self.keys.contains(&nameless) {
                self.ask(nameless, operator);
            }
            return;
        }
        self.ask(key, operator);
    }

    fn ask(&mut self, key: ProbeKey, operator: Option<&str>) {
        let ip = key.endpoint.ip;
        let connections = self.each.of(&key);
        let places = [ForecastPlace::Address(ip), ForecastPlace::Network(network(ip))];
        let operator = operator.map(|name| ForecastPlace::Operator(name.to_owned()));
        for place in places.into_iter().chain(operator) {
            self.asked.entry(place).or_default().add(connections);
        }
        self.all.add(connections);
        self.keys.insert(key);
    }

    /// Whether what is at an address is asked.
    fn has(&self, ip: IpAddr) -> bool {
        self.shard.is_none_or(|shard| shard.has_address(ip))
    }

    fn has_some(&self, exchange: &Exchange) -> bool {
        exchange.addresses.is_empty() || exchange.addresses.iter().any(|ip| self.has(*ip))
    }

    /// What it all comes to.
    pub fn told(self) -> Forecasted {
        let limits = self.limits;
        let mut buckets: Vec<ForecastBucket> =
            self.asked.into_iter().map(|(place, asked)| bucket(&limits, place, asked)).collect();
        buckets.sort_by(|a, b| {
            let slowness = |it: &ForecastBucket| (it.at_least, it.with_sessions, it.connections);
            slowness(b).cmp(&slowness(a)).then_with(|| a.place.cmp(&b.place))
        });
        let run = whole(&limits, self.all, &buckets);
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
                && most_names.is_none_or(|(_, most)| bucket.asked > most)
            {
                most_names = Some((ip, bucket.asked));
            }
            if number <= BUCKETS_NAMED_MAX as u64 {
                slowest.push(bucket);
            }
        }
        Forecasted {
            domains: self.domains,
            of_other_shards: self.of_other_shards,
            without_hosts: self.without_hosts,
            left_alone: self.left_alone,
            hosts: self.hosts.len() as u64,
            hosts_without_address: self.hosts.values().filter(|has_address| !**has_address).count() as u64,
            places,
            most_names,
            sample: self.sampled.map(SampledNames::told),
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

fn bucket(limits: &Limits, place: ForecastPlace, asked: KeysAsked) -> ForecastBucket {
    let limits = match place {
        ForecastPlace::Address(_) => &limits.per_ip,
        ForecastPlace::Network(_) => &limits.per_network,
        ForecastPlace::Operator(_) => &limits.per_operator,
    };
    let (at_least, with_sessions) = times(limits, asked.connections);
    let KeysAsked { keys, connections } = asked;
    ForecastBucket { place: Some(place), asked: keys, connections, at_least, with_sessions }
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
fn whole(limits: &Limits, asked: KeysAsked, buckets: &[ForecastBucket]) -> ForecastBucket {
    let KeysAsked { keys, connections } = asked;
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
        asked: keys,
        connections,
        at_least: by_rate.max(slowest(|bucket| bucket.at_least)),
        with_sessions: (by_rate.max(by_table) + last).max(slowest(|bucket| bucket.with_sessions)),
    }
}

#[cfg(test)]
mod tests;
