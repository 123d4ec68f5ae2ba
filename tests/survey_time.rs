//! A survey under a clock of its own: who waits for whom, and how long.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

#[path = "survey_time/tarpits.rs"]
mod tarpits;

use mxray::internals::engine::pace::Limits;
use mxray::internals::engine::{EngineConfig, Progress, run};
use mxray::internals::interrogate::RetryPlan;
use mxray::internals::model::{
    ClientHelloSpec, DomainFacts, DomainName, Exchange, Failure, HelloObservation, Kind, MxHost, Observation,
    Phase, ProbeKey, Record, Subject, Target,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::{Lookup, Probe};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a name takes in the DNS, and a session at a server.
const LOOKUP: Duration = Duration::from_millis(20);
const SESSION: Duration = Duration::from_millis(300);

/// Addresses of the provider of `pN.example`, five of them in a network.
const PROVIDER: u32 = 20;

/// The address that a number falls upon, as if by chance.
fn of_provider(number: u32) -> u32 {
    (number.wrapping_mul(2_654_435_761) >> 16) % PROVIDER
}

/// `bN.example` has a name of its own at one of four addresses, `oN.example` at one,
/// `pN.example` at one of twenty, any other name an address of its own in a network of
/// its own.
struct Table;

impl Lookup for Table {
    async fn lookup(&self, target: Target) -> DomainFacts {
        tokio::time::sleep(LOOKUP).await;
        let label = target.subject.label().to_string();
        let number: u32 = label[1..].split('.').next().unwrap().parse().unwrap();
        let ip = match label.as_bytes()[0] {
            b'b' => IpAddr::from([192, 0, 2, (number % 4) as u8]),
            b'o' => IpAddr::from([192, 0, 2, 99]),
            b'p' => {
                let [.., address] = of_provider(number).to_be_bytes();
                IpAddr::from([198, 51, address / 5, address])
            }
            class => IpAddr::from(((u32::from(class) << 24) + number * 256).to_be_bytes()),
        };
        DomainFacts::whole(
            target,
            vec![Exchange::whole(10, Some(MxHost::new(&format!("mx.{label}"))), vec![ip])],
        )
    }
}

/// Everybody takes the mail in clear for now: one look is enough for a row. But
/// `192.0.2.99` throttles its first connections, so many as this says.
#[derive(Default)]
struct Rejects {
    throttles: AtomicU32,
}

impl Probe for Rejects {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        tokio::time::sleep(SESSION).await;
        let here = key.endpoint.ip == IpAddr::from([192, 0, 2, 99]);
        let throttles = self.throttles.load(Relaxed);
        if here && throttles > 0 {
            self.throttles.store(throttles - 1, Relaxed);
            let failure = Failure::new(Phase::Greeting, Kind::Throttled);
            return Observation::failed(key, jiff::Timestamp::UNIX_EPOCH, attempt, failure);
        }
        let failure = Failure::new(Phase::Greeting, Kind::Rejected);
        Observation::failed(key, jiff::Timestamp::UNIX_EPOCH, attempt, failure)
    }

    async fn hello(&self, _key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None)
    }
}

/// When the row of each domain was written, from the start of the run.
async fn surveyed(config: EngineConfig, names: Vec<String>) -> BTreeMap<String, Duration> {
    watched(config, names, Rejects::default()).await.0
}

/// What was told every five seconds, by when: how long the run will still take.
type Told = Vec<(Duration, Option<Duration>)>;

async fn tell(progress: Arc<Progress>, told: Arc<Mutex<Told>>) {
    let begun = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let left = progress.snapshot().left(0, begun.elapsed());
        told.lock().unwrap().push((begun.elapsed(), left));
    }
}

async fn watched(
    config: EngineConfig,
    names: Vec<String>,
    servers: impl Probe,
) -> (BTreeMap<String, Duration>, Told) {
    let progress = Arc::new(Progress::default());
    progress.set_total(names.len() as u64);
    let told = Arc::new(Mutex::new(Told::new()));
    let telling = tokio::spawn(tell(progress.clone(), told.clone()));
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    tokio::spawn(async move {
        for (line, name) in (1..).zip(names) {
            let subject = Subject::Domain(DomainName::parse(&name).unwrap());
            targets_in.send(Target { line, subject }).await.unwrap();
        }
    });
    let begun = Instant::now();
    let collected = tokio::spawn(async move {
        let mut rows = BTreeMap::new();
        while let Some(record) = records.recv().await {
            if let Record::Domain(domain) = record {
                let twice = rows.insert(domain.facts.target.subject.label().to_string(), begun.elapsed());
                assert_eq!(twice, None, "a domain has two rows");
            }
        }
        rows
    });
    let judge = Judge::new(Roots::default(), jiff::Timestamp::UNIX_EPOCH);
    let policy = Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()));
    let stages = (Arc::new(Table), Arc::new(servers), policy);
    run(config, stages, targets, records_in, progress, CancellationToken::new()).await.unwrap();
    telling.abort();
    let told = std::mem::take(&mut *told.lock().unwrap());
    (collected.await.unwrap(), told)
}

/// The defaults of `mxray scan`.
fn config(spill: Option<&tempfile::TempDir>) -> EngineConfig {
    EngineConfig {
        limits: Limits { order_seed: Some(1), ..Limits::default() },
        retry: RetryPlan::default(),
        spill_dir: spill.map(|dir| dir.path().to_path_buf()),
        ..EngineConfig::default()
    }
}

/// Ten thousand names on four addresses stand before a thousand that nobody else
/// waits for: the list is read on, and those are done as fast as the rate allows.
#[tokio::test(start_paused = true)]
async fn a_crowd_at_a_few_addresses_keeps_nobody_else_waiting() {
    const BUSY: usize = 10_000;
    const FREE: usize = 1_000;
    let dir = tempfile::tempdir().unwrap();
    let names = (0..BUSY).map(|n| format!("b{n}.example")).chain((0..FREE).map(|n| format!("f{n}.example")));
    let rows = surveyed(config(Some(&dir)), names.collect()).await;
    assert_eq!(rows.len(), BUSY + FREE);
    let last_free = rows.iter().filter(|(name, _)| name.starts_with('f')).map(|(_, at)| *at).max().unwrap();
    // A hundred a second in all, four of which go to the crowd.
    assert!(last_free < Duration::from_secs(15), "{last_free:?}");
    let last = rows.values().max().unwrap();
    // One connection a second to each of the four, the first at once.
    let pauses = BUSY as u64 / 4 - 1;
    assert!((pauses..pauses + 10).contains(&last.as_secs()), "{last:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the file has no name");
}

/// No address of a provider runs out of work as long as names wait for it, be it that
/// the list is full of others: what takes longest of all is never late.
#[tokio::test(start_paused = true)]
async fn the_addresses_of_a_provider_are_busy_to_the_end() {
    const NAMES: u32 = 6_000;
    const FREE: u32 = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let names = (0..NAMES).map(|n| format!("p{n}.example")).chain((0..FREE).map(|n| format!("f{n}.example")));
    let mut names: Vec<_> = names.collect();
    fastrand::Rng::with_seed(7).shuffle(&mut names);
    let rows = surveyed(config(Some(&dir)), names).await;
    assert_eq!(rows.len() as u32, NAMES + FREE);
    let longest =
        (0..PROVIDER).map(|address| (0..NAMES).filter(|n| of_provider(*n) == address).count()).max();
    let last = rows.values().max().unwrap().as_secs_f64();
    // One connection a second to each.
    let alone = longest.unwrap() as f64;
    assert!(last < 1.1 * alone, "{last} s; the longest queue alone takes {alone} s");
}

/// Where the file cannot be made all wait in memory, and nobody is lost.
#[tokio::test(start_paused = true)]
async fn without_a_place_for_the_file_nobody_is_lost() {
    const BUSY: usize = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let config = EngineConfig { spill_dir: Some(dir.path().join("gone")), ..config(None) };
    let rows = surveyed(config, (0..BUSY).map(|n| format!("b{n}.example")).collect()).await;
    assert_eq!(rows.len(), BUSY);
}

/// Six hundred names at one address take ten minutes, whatever the thousands of
/// others do: that is told from a tenth of it on.
#[tokio::test(start_paused = true)]
async fn what_the_slowest_address_takes_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let free = (0..5_000).map(|n| format!("f{n}.example"));
    let mut names: Vec<_> = (0..600).map(|n| format!("o{n}.example")).chain(free).collect();
    fastrand::Rng::with_seed(7).shuffle(&mut names);
    let (rows, told) = watched(config(Some(&dir)), names, Rejects::default()).await;
    let end = *rows.values().max().unwrap();
    assert!((600..620).contains(&end.as_secs()), "{end:?}");
    assert!(told.len() > 100, "{}", told.len());
    for (at, left) in told.into_iter().filter(|(at, _)| *at * 10 > end && *at + Duration::from_secs(10) < end)
    {
        let (left, truth) = (left.unwrap_or_default().as_secs_f64(), (end - at).as_secs_f64());
        // What is told is two seconds old at most, and the last session comes on top.
        assert!((left - truth).abs() <= truth / 4.0 + 2.5, "at {at:?}: {left} s, and it was {truth} s");
    }
}

/// An address that is left alone for two minutes is waited for.
#[tokio::test(start_paused = true)]
async fn nothing_shorter_than_a_cool_down_is_told() {
    let names = (0..3).map(|n| format!("o{n}.example")).chain((0..500).map(|n| format!("f{n}.example")));
    let servers = Rejects { throttles: AtomicU32::new(1) };
    let (rows, told) = watched(config(None), names.collect(), servers).await;
    let end = *rows.values().max().unwrap();
    assert!((120..170).contains(&end.as_secs()), "{end:?}");
    let rest = Duration::from_secs(115);
    let resting: Vec<_> =
        told.into_iter().filter(|(at, _)| *at < rest && *at > Duration::from_secs(4)).collect();
    assert!(resting.len() > 15, "{resting:?}");
    for (at, left) in resting {
        assert!(left.is_some_and(|left| left + at > rest), "at {at:?}: {left:?}");
    }
}
