//! The population as the scanner meets it: who has which hosts, and what a server
//! says to a connection at a moment.

use anyhow::{Context, ensure};
use mxray::internals::engine::pace::Limits;
use mxray::internals::lab::{DomainClass, Guard, Population};
use mxray::internals::model::{
    CipherSuite, ClientHelloSpec, DomainFacts, Exchange, Failure, HelloEnd, HelloObservation, Kind, MxHost,
    NamedGroup, Observation, Phase, ProbeKey, ProtocolVersion, SignatureCheck, SignatureScheme, Target,
    TlsObservation,
};
use mxray::internals::stage::{Lookup, Probe};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Where the addresses of the first class begin: each class has a /8.
const FIRST_CLASS: u8 = 20;
/// Milliseconds of a lookup.
const LOOKUP_MS: (u64, u64) = (10, 200);
/// Round trips of a session: TCP, greeting, EHLO, STARTTLS, TLS, EHLO, QUIT.
const ROUND_TRIPS: u32 = 7;
/// What `mxray scan` waits for: TCP first, TCP later, and a greeting.
const CONNECT: Duration = Duration::from_secs(5);
const CONNECT_AGAIN: Duration = Duration::from_secs(30);
const GREETING: Duration = Duration::from_secs(30);
/// What postscreen waits before its greeting.
const GREET_WAIT: Duration = Duration::from_secs(6);

/// How the servers of a class end a connection that nothing is against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plays {
    NoMail(Kind),
    Session,
    Waits,
    NoTls,
    NoTcp,
    Refuses,
    Silent,
}

struct Class {
    name: String,
    plays: Plays,
    host: Option<String>,
    buckets: u32,
    addresses: u32,
    per_network: u32,
    resolves_to: (usize, usize),
    latency_ms: (u64, u64),
    guard: Guard,
    domains: u32,
}

/// What a server remembers of its one client.
struct Memory {
    since: Instant,
    open: u32,
    begun: VecDeque<Instant>,
}

/// All of it.
pub struct World {
    classes: Vec<Class>,
    servers: Mutex<HashMap<IpAddr, Memory>>,
    /// How many each address had.
    connections: Mutex<HashMap<IpAddr, u32>>,
    begun: Instant,
}

impl World {
    /// So many domains of `datasets/population/internet.toml`.
    pub fn of_population(domains: usize) -> anyhow::Result<Self> {
        let text = include_str!("../../datasets/population/internet.toml");
        let population = Population::parse("internet", text)?;
        let mut classes: Vec<Class> =
            population.class.iter().map(|class| Class::of(class, domains)).collect::<anyhow::Result<_>>()?;
        // What rounding left over is the first class's.
        let dealt: u32 = classes.iter().map(|class| class.domains).sum();
        let first = classes.first_mut().context("a population without a class")?;
        first.domains = (first.domains + u32::try_from(domains)?).saturating_sub(dealt);
        ensure!(classes.len() < usize::from(u8::MAX - FIRST_CLASS), "too many classes");
        Ok(Self { classes, servers: Mutex::default(), connections: Mutex::default(), begun: Instant::now() })
    }

    pub fn len(&self) -> usize {
        self.classes.iter().map(|class| class.domains as usize).sum()
    }

    /// The name of a domain of the list: it says its class, and its number there.
    pub fn domain(&self, mut number: u32) -> String {
        for (index, class) in self.classes.iter().enumerate() {
            if number < class.domains {
                return format!("c{index}n{number}.example");
            }
            number -= class.domains;
        }
        unreachable!("a number beyond the last domain")
    }

    pub fn class_of(&self, domain: &str) -> &str {
        &self.classes[parts(domain).0].name
    }

    /// What the slowest bucket is, and how long it takes by itself with the connections
    /// that were made there: what it is limited to, and nothing else.
    pub fn slowest(&self, limits: &Limits) -> (String, Duration) {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let all: u32 = connections.values().sum();
        let rate = limits.rate.map_or(u32::MAX, NonZeroU32::get);
        let of_all = ("the rate of all".to_string(), Duration::from_secs(all.into()) / rate);
        let of_addresses = connections.iter().map(|(ip, count)| {
            (format!("an address of {}", self.server(*ip).name), limits.per_ip.interval * *count)
        });
        of_addresses.chain([of_all]).max_by_key(|(_, time)| *time).unwrap_or_default()
    }

    fn server(&self, ip: IpAddr) -> &Class {
        let IpAddr::V4(v4) = ip else { unreachable!("all addresses are of IPv4") };
        &self.classes[usize::from(v4.octets()[0] - FIRST_CLASS)]
    }

    /// What the rules of a server make of a connection that begins now.
    fn guarded(&self, ip: IpAddr, guard: &Guard) -> Option<Failure> {
        if *guard == Guard::default() {
            return None;
        }
        let now = Instant::now();
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let memory =
            servers.entry(ip).or_insert_with(|| Memory { since: now, open: 0, begun: VecDeque::new() });
        memory.open += 1;
        memory.begun.push_back(now);
        let window = Duration::from_millis(guard.window_ms);
        while memory.begun.front().is_some_and(|first| now - *first >= window) {
            memory.begun.pop_front();
        }
        let greylisted = now - memory.since < Duration::from_millis(guard.first_ms);
        let over = |most: u32, count: usize| most > 0 && count > most as usize;
        if greylisted {
            return Some(Failure::new(Phase::Greeting, Kind::Tempfail).with_reply(450));
        }
        let many = over(guard.at_a_time, memory.open as usize) || over(guard.in_window, memory.begun.len());
        many.then(|| Failure::new(Phase::Greeting, Kind::Throttled).with_reply(421))
    }

    fn left(&self, ip: IpAddr, guard: &Guard) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if *guard != Guard::default()
            && let Some(memory) = servers.get_mut(&ip)
        {
            memory.open -= 1;
        }
    }

    /// How a connection ends, after as long as it takes.
    async fn connection(&self, key: &ProbeKey, attempt: u32) -> (Option<Failure>, Duration) {
        let (begun, ip) = (Instant::now(), key.endpoint.ip);
        *self.connections.lock().unwrap_or_else(PoisonError::into_inner).entry(ip).or_default() += 1;
        let class = self.server(ip);
        let connect = if attempt == 1 { CONNECT } else { CONNECT_AGAIN };
        let trip = drawn(class.latency_ms, ip);
        let failure = match class.plays {
            Plays::NoTcp => {
                let _ = timeout(connect, std::future::pending::<()>()).await;
                Some(Failure::new(Phase::Connect, Kind::Timeout))
            }
            Plays::Refuses => Some(Failure::new(Phase::Connect, Kind::Refused)),
            Plays::Silent => {
                sleep(GREETING).await;
                Some(Failure::new(Phase::Greeting, Kind::Timeout))
            }
            plays => {
                let turned_away = self.guarded(ip, &class.guard);
                let wait = if plays == Plays::Waits { GREET_WAIT } else { Duration::ZERO };
                sleep(wait + trip * if turned_away.is_some() { 2 } else { ROUND_TRIPS }).await;
                self.left(ip, &class.guard);
                let no_tls = (plays == Plays::NoTls).then(|| Failure::new(Phase::Starttls, Kind::NotOffered));
                turned_away.or(no_tls)
            }
        };
        (failure, begun.elapsed())
    }
}

impl Class {
    fn of(class: &DomainClass, domains: usize) -> anyhow::Result<Self> {
        let share = |each: f64| (domains as f64 * class.share / 100.0 / each).ceil() as usize;
        let plays = match class.scenario.as_str() {
            "dns_no_data" => Plays::NoMail(Kind::NoData),
            "null_mx" => Plays::NoMail(Kind::NullMx),
            "greeting_postscreen" => Plays::Waits,
            "starttls_absent" => Plays::NoTls,
            "connect_never_completed" => Plays::NoTcp,
            "connect_refused" => Plays::Refuses,
            "greeting_silence" => Plays::Silent,
            _ => Plays::Session,
        };
        Ok(Self {
            name: class.name.clone(),
            plays,
            host: class.host.clone(),
            buckets: class.buckets.unwrap_or(1),
            addresses: u32::try_from(class.addresses.or(class.domains_per_address.map(share)).unwrap_or(1))?,
            per_network: u32::try_from(class.per_network.unwrap_or(250))?,
            resolves_to: class.resolves_to.unwrap_or((1, 1)),
            latency_ms: class.latency_ms.unwrap_or((1, 1)),
            guard: class.guard.clone().unwrap_or_default(),
            domains: u32::try_from((domains as f64 * class.share / 100.0).round() as usize)?,
        })
    }

    /// The mail host of a domain, and its addresses.
    fn host(&self, index: usize, number: u32) -> (String, Vec<IpAddr>) {
        let bucket = number % self.buckets;
        let host = match &self.host {
            Some(host) => host
                .replace("{tenant}", &format!("c{index}n{number}"))
                .replace("{bucket}", &bucket.to_string())
                .trim_end_matches('.')
                .to_string(),
            None => format!("mx.c{index}n{number}.example"),
        };
        let (least, most) = self.resolves_to;
        let count = least + number as usize % (most - least + 1);
        let seat = if self.buckets > 1 { bucket } else { number };
        let addresses = (0..count as u32).map(|nth| self.address(index, seat.wrapping_add(nth * 7)));
        (host, addresses.collect())
    }

    fn address(&self, index: usize, seat: u32) -> IpAddr {
        let number = seat % self.addresses.max(1);
        let (network, last) = (number / self.per_network, number % self.per_network);
        let class = u32::from(FIRST_CLASS) + index as u32;
        IpAddr::V4(Ipv4Addr::from_bits((class << 24) + (network << 8) + last))
    }
}

/// The class and the number that a domain's name says.
fn parts(domain: &str) -> (usize, u32) {
    let label = domain.split('.').next().unwrap_or_default();
    let (class, number) = label[1..].split_once('n').unwrap_or_default();
    (class.parse().unwrap_or_default(), number.parse().unwrap_or_default())
}

/// A time for this address, always the same.
fn drawn((least, most): (u64, u64), ip: IpAddr) -> Duration {
    let IpAddr::V4(v4) = ip else { return Duration::ZERO };
    Duration::from_millis(fastrand::Rng::with_seed(v4.to_bits().into()).u64(least..=most))
}

impl Lookup for World {
    async fn lookup(&self, target: Target) -> DomainFacts {
        sleep(Duration::from_millis(LOOKUP_MS.0 + target.line % (LOOKUP_MS.1 - LOOKUP_MS.0))).await;
        let (index, number) = parts(&target.subject.label());
        let class = &self.classes[index];
        if let Plays::NoMail(kind) = class.plays {
            return DomainFacts::failed(target, Failure::new(Phase::Dns, kind));
        }
        let (host, addresses) = class.host(index, number);
        DomainFacts::whole(target, vec![Exchange::whole(10, Some(MxHost::new(&host)), addresses)])
    }
}

impl Probe for World {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let started = jiff::Timestamp::UNIX_EPOCH + self.begun.elapsed();
        let (failure, took) = self.connection(&key, attempt).await;
        let ended = failure.clone().unwrap_or(Failure::new(Phase::Connect, Kind::Refused));
        let mut seen = Observation::failed(key, started, attempt, ended);
        seen.tls = failure.is_none().then(session);
        seen.failure = failure;
        seen.timings.total_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        seen
    }

    async fn hello(&self, key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        let (failure, _) = self.connection(&key, 1).await;
        let came_to_it = failure.is_none();
        let mut seen = HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, failure);
        if came_to_it {
            seen.end = HelloEnd::Agreed;
            seen.version = Some(ProtocolVersion::TLS13);
            seen.suite = Some(CipherSuite(0x1302));
            seen.group = Some(NamedGroup(24));
        }
        seen
    }
}

/// The session that a server of today agrees to. Its group is none that Exchange
/// Online is known to offer, so that the sender's own hello is asked for as well.
fn session() -> TlsObservation {
    TlsObservation {
        established: true,
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1302)),
        group: Some(NamedGroup(29)),
        signature_scheme: Some(SignatureScheme(0x0804)),
        signature: Some(SignatureCheck::Verified),
        ..TlsObservation::default()
    }
}
