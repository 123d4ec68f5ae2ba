//! Hosts that hold a connection for as long as they are let, among those that answer
//! at once: what they cost the others, at the defaults of `mxray scan`.

use super::{config, watched};
use mxray::internals::engine::EngineConfig;
use mxray::internals::engine::pace::Limits;
use mxray::internals::model::{
    CipherSuite, ClientHelloSpec, Failure, HelloEnd, HelloObservation, Kind, NamedGroup, Observation, Phase,
    ProbeKey, ProtocolVersion, SignatureCheck, SignatureScheme, TlsObservation,
};
use mxray::internals::stage::Probe;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A session with a host that answers at once, as the plan of a scan assumes it.
const QUICK: Duration = Duration::from_millis(1500);
/// The longest session (`--timeout session=90s`): a word now and then, in every phase.
const SESSION_MAX: Duration = Duration::from_secs(90);

/// `tN.example` says nothing more after EHLO, the others have a whole session.
#[derive(Clone)]
struct Tarpits {
    /// After how long the connection to one of the former is given up.
    hold: Duration,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Tarpits {
    fn holding(hold: Duration) -> Self {
        Self { hold, open: Arc::default(), most: Arc::default() }
    }

    /// Whether the connection ended by a timeout.
    async fn holds(&self, key: &ProbeKey) -> bool {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(open, Ordering::Relaxed);
        let IpAddr::V4(ip) = key.endpoint.ip else { return false };
        let is_tarpit = ip.octets()[0] == b't';
        tokio::time::sleep(if is_tarpit { self.hold } else { QUICK }).await;
        self.open.fetch_sub(1, Ordering::Relaxed);
        is_tarpit
    }
}

impl Probe for Tarpits {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let held = self.holds(&key).await;
        let failure = Failure::new(Phase::Starttls, Kind::Timeout);
        let mut seen = Observation::failed(key, jiff::Timestamp::UNIX_EPOCH, attempt, failure);
        if !held {
            (seen.failure, seen.tls) = (None, Some(session()));
        }
        seen
    }

    async fn hello(&self, key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        self.holds(&key).await;
        let mut seen = HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None);
        seen.end = HelloEnd::Agreed;
        seen.version = Some(ProtocolVersion::TLS13);
        seen.suite = Some(CipherSuite(0x1302));
        seen.group = Some(NamedGroup(24));
        seen
    }
}

/// What today's server agrees to. Its group is none that Exchange Online is known to
/// offer, so that a further ClientHello is asked.
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

/// So many hosts, of which so many of a hundred are tarpits, and from when on the others
/// are counted, for forty seconds.
#[derive(Clone, Copy)]
struct Played {
    hosts: usize,
    percent: usize,
    from_s: u64,
}

/// Rows a second of the hosts that answer at once, where the others hold each connection
/// for so long; and the most connections that were open.
async fn throughput(played: Played, hold: Duration, config: EngineConfig) -> (f64, usize) {
    let Played { hosts, percent, from_s } = played;
    let window = Duration::from_secs(from_s)..Duration::from_secs(from_s + 40);
    let is_tarpit = |number: usize| number * percent / 100 != (number + 1) * percent / 100;
    let name = |number| format!("{}{number}.example", if is_tarpit(number) { 't' } else { 'f' });
    let probe = Tarpits::holding(hold);
    let (rows, _) = watched(config, (0..hosts).map(name).collect(), probe.clone()).await;
    assert_eq!(rows.len(), hosts);
    let quick = rows.iter().filter(|(name, at)| name.starts_with('f') && window.contains(*at)).count();
    (quick as f64 / (window.end - window.start).as_secs_f64(), probe.most.load(Ordering::Relaxed))
}

/// The share of their throughput that the others lose because the tarpits hold their
/// connections, beside as many that are done with as often and at once.
async fn cost(played: Played, config: EngineConfig) -> f64 {
    let (at_once, _) = throughput(played, QUICK, config.clone()).await;
    let limits = config.limits;
    let (beside, most) = throughput(played, SESSION_MAX, config).await;
    println!(
        "{} %: {beside:.1} rows a second of {at_once:.1}, {most} connections open at a time",
        played.percent
    );
    assert!(most <= limits.in_flight + limits.slow_in_flight, "{most} open");
    1.0 - beside / at_once
}

/// At the default limits and timeouts.
#[tokio::test(start_paused = true)]
async fn one_tarpit_of_a_hundred_hosts_costs_the_others_little() {
    let cost = cost(Played { hosts: 8_500, percent: 1, from_s: 120 }, config(None)).await;
    assert!(cost < 0.05, "{cost:.3}");
}

/// They alone would fill the table of the run. After five minutes as many tarpits come
/// to their end as come.
#[tokio::test(start_paused = true)]
async fn twenty_tarpits_of_a_hundred_hosts_cost_the_others_little() {
    let cost = cost(Played { hosts: 17_500, percent: 20, from_s: 300 }, config(None)).await;
    assert!(cost < 0.25, "{cost:.3}");
}

/// Where no rate is set, so that the table is full whoever is in it: a place is held for
/// two seconds instead of one and a half. There is room for the domains of the tarpits,
/// too, however few may wait for a quick connection.
#[tokio::test(start_paused = true)]
async fn twenty_tarpits_of_a_hundred_hosts_cost_a_full_table_little() {
    let limits = Limits { rate: None, in_flight: 100, ..config(None).limits };
    let config = EngineConfig { limits, ..config(None) };
    let cost = cost(Played { hosts: 10_900, percent: 20, from_s: 300 }, config).await;
    assert!(cost < 0.25, "{cost:.3}");
}
