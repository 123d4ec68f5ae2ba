//! Hosts of the user's own tell when this network lets nothing out, and nothing of that
//! is told as the hosts of the list: under a clock of its own.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::engine::pace::{CoolDown, Limits};
use mxray::internals::engine::{CanaryPause, EngineConfig, Progress, run};
use mxray::internals::interrogate::RetryPlan;
use mxray::internals::model::mta_sts::Fetching;
use mxray::internals::model::{
    ClientHelloSpec, DomainFacts, DomainName, Endpoint, Exchange, Failure, HelloObservation, Kind, MxHost,
    Observation, Phase, ProbeKey, Record, Subject, Target,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::{Lookup, Probe};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const DOMAINS: u32 = 3_000;

/// Two names share each address.
const ADDRESSES: u32 = 1_500;

/// Every tenth host is dead.
fn is_dead(number: u32) -> bool {
    number.is_multiple_of(10)
}

/// `dN.example` shares its address with one that is far from it in the list.
#[derive(Default)]
struct Table {
    /// How policies were to be fetched.
    fetching: Mutex<Vec<Fetching>>,
}

impl Lookup for Table {
    fn set_fetching(&self, fetching: Fetching) {
        self.fetching.lock().unwrap().push(fetching);
    }

    async fn lookup(&self, target: Target) -> DomainFacts {
        let label = target.subject.label().to_string();
        let number: u32 = label[1..].split('.').next().unwrap().parse().unwrap();
        let ip = IpAddr::from((0x0a00_0000 + number % ADDRESSES * 256).to_be_bytes());
        DomainFacts::whole(
            target,
            vec![Exchange::whole(10, Some(MxHost::new(&format!("mx.{label}"))), vec![ip])],
        )
    }
}

const CANARY: [u8; 4] = [192, 0, 2, 1];

/// The internet, from which this machine is cut off for a while.
struct Internet {
    begun: Instant,
    away: (Duration, Duration),
    /// When connections to hosts of the list began.
    starts: Arc<Mutex<Vec<Duration>>>,
    canary: Arc<Mutex<Vec<Duration>>>,
}

impl Probe for Internet {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let now = self.begun.elapsed();
        let is_canary = key.endpoint.ip == IpAddr::from(CANARY);
        if is_canary { &self.canary } else { &self.starts }.lock().unwrap().push(now);
        let is_away = self.away.0 <= now && now < self.away.1;
        let IpAddr::V4(ip) = key.endpoint.ip else { unreachable!() };
        let number = (u32::from(ip) - 0x0a00_0000) / 256;
        let failure = if is_away || !is_canary && is_dead(number) {
            sleep(Duration::from_secs(5)).await;
            Failure::new(Phase::Connect, Kind::Timeout)
        } else if is_canary {
            Failure::new(Phase::Starttls, Kind::NotOffered)
        } else {
            sleep(Duration::from_millis(300)).await;
            Failure::new(Phase::Greeting, Kind::Rejected)
        };
        Observation::failed(key, jiff::Timestamp::UNIX_EPOCH, attempt, failure)
    }

    async fn hello(&self, _key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None)
    }
}

struct Surveyed {
    /// Hosts that were told to be away, by their number.
    dead: Vec<u32>,
    domains: usize,
    starts: Vec<Duration>,
    canary: Vec<Duration>,
    pauses: Vec<CanaryPause>,
    fetching: Vec<Fetching>,
}

async fn surveyed(canaries: Vec<ProbeKey>, away: (Duration, Duration)) -> Surveyed {
    surveyed_until(canaries, away, CancellationToken::new(), None).await
}

async fn surveyed_until(
    canaries: Vec<ProbeKey>,
    away: (Duration, Duration),
    stop: CancellationToken,
    canary_pause: Option<CanaryPause>,
) -> Surveyed {
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    tokio::spawn(async move {
        for number in 1..=DOMAINS {
            let subject = Subject::Domain(DomainName::parse(&format!("d{number}.example")).unwrap());
            targets_in.send(Target { line: number.into(), subject }).await.unwrap();
        }
    });
    let collected = tokio::spawn(async move {
        let (mut dead, mut domains) = (Vec::new(), 0);
        while let Some(record) = records.recv().await {
            match record {
                Record::Endpoint(endpoint) => {
                    let failure = endpoint.observation.failure.clone().unwrap();
                    let IpAddr::V4(ip) = endpoint.observation.key.endpoint.ip else { unreachable!() };
                    if failure.phase == Phase::Connect {
                        dead.push((u32::from(ip) - 0x0a00_0000) / 256);
                    }
                }
                Record::Domain(_) => domains += 1,
                _ => {}
            }
        }
        dead.sort_unstable();
        (dead, domains)
    });
    let judge = Judge::new(Roots::default(), jiff::Timestamp::UNIX_EPOCH);
    let policy = Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()));
    let (starts, canary): (Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>) = Default::default();
    let internet = Internet { begun: Instant::now(), away, starts: starts.clone(), canary: canary.clone() };
    let config = EngineConfig {
        // Hasty: within the minute that an outage is not seen hosts are asked to their
        // end, and places that complained are given up.
        limits: Limits {
            rate: NonZeroU32::new(10),
            order_seed: Some(1),
            cool_down: Some(CoolDown { first: Duration::from_secs(5), longest: Duration::from_secs(10) }),
            ..Limits::default()
        },
        retry: RetryPlan { retries: 1, retry_delay: Duration::from_secs(2), ..RetryPlan::default() },
        canaries,
        canary_pause,
        ..EngineConfig::default()
    };
    let progress = Arc::new(Progress::default());
    let table = Arc::new(Table::default());
    let stages = (table.clone(), Arc::new(internet), policy);
    run(config, stages, targets, records_in, progress.clone(), stop).await.unwrap();
    let (dead, domains) = collected.await.unwrap();
    let pauses = progress.canary_pauses().borrow().clone();
    let taken = |times: Arc<Mutex<Vec<Duration>>>| std::mem::take(&mut *times.lock().unwrap());
    let fetching = table.fetching.lock().unwrap().clone();
    Surveyed { dead, domains, starts: taken(starts), canary: taken(canary), pauses, fetching }
}

fn canary() -> Vec<ProbeKey> {
    vec![ProbeKey { endpoint: Endpoint { ip: CANARY.into(), port: 25 }, sni: None }]
}

fn seconds(from: u64, to: u64) -> (Duration, Duration) {
    (Duration::from_secs(from), Duration::from_secs(to))
}

fn truly_dead() -> Vec<u32> {
    let mut dead: Vec<_> =
        (1..=DOMAINS).map(|number| number % ADDRESSES).filter(|number| is_dead(*number)).collect();
    dead.sort_unstable();
    dead
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_our_own_is_told_of_no_host() {
    let away = seconds(200, 700);
    let seen = surveyed(canary(), away).await;
    assert_eq!(seen.domains, DOMAINS as usize);
    assert_eq!(seen.dead, truly_dead());
    let [pause] = &seen.pauses[..] else { panic!("{:?}", seen.pauses) };
    assert!(pause.ended.is_some() && pause.asked_again > 0, "{pause:?}");
    assert!(pause.refused[0].contains("192.0.2.1:25: connect: timeout"), "{pause:?}");
    // A minute to the first look that sees it, ten seconds and the time of both.
    let noticed = Duration::from_secs(200 + 60 + 5 + 10 + 5 + 1);
    let within = seen.starts.iter().filter(|at| noticed <= **at && **at < away.1).count();
    assert_eq!(within, 0, "connections begin in the pause");
    assert_eq!(seen.fetching, [Fetching::Waits, Fetching::Begins], "no policy is fetched in the pause");
    let each_minute = seen.canary.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(10));
    assert!(each_minute && seen.canary.len() < 120, "{:?}", seen.canary);
}

/// Nobody asks the canaries any more, so whoever waits for them would wait for ever.
#[tokio::test(start_paused = true)]
async fn who_is_stopped_in_a_pause_fetches_nothing_more() {
    let stop = CancellationToken::new();
    let stopping = async {
        sleep(Duration::from_secs(400)).await;
        stop.cancel();
    };
    let (seen, ()) = tokio::join!(surveyed_until(canary(), seconds(200, 700), stop.clone(), None), stopping);
    assert_eq!(seen.fetching, [Fetching::Waits, Fetching::Ends]);
}

/// The outage in which the run broke off goes on: nobody is asked, until the canary that
/// refused then answers.
#[tokio::test(start_paused = true)]
async fn a_run_that_broke_off_in_a_pause_goes_on_in_it() {
    for refused in ["192.0.2.1:25: connect: timeout", "canary.example: connect: timeout"] {
        let began = jiff::Timestamp::UNIX_EPOCH;
        let pause = CanaryPause { began, ended: None, refused: vec![refused.to_string()], asked_again: 0 };
        let away = seconds(0, 300);
        let seen = surveyed_until(canary(), away, CancellationToken::new(), Some(pause)).await;
        assert_eq!((seen.domains, seen.dead), (DOMAINS as usize, truly_dead()));
        assert!(seen.starts.iter().all(|at| *at >= away.1), "connections begin in the pause");
        let [pause] = &seen.pauses[..] else { panic!("{:?}", seen.pauses) };
        assert!(pause.ended.is_some() && pause.began == began, "{pause:?}");
        assert_eq!(seen.fetching, [Fetching::Waits, Fetching::Begins]);
    }
}

/// What the canaries are for: without them the hosts of ten minutes are told as dead.
#[tokio::test(start_paused = true)]
async fn without_canaries_nobody_knows_whose_fault_it_is() {
    let seen = surveyed(Vec::new(), seconds(200, 700)).await;
    assert!(seen.dead.len() > truly_dead().len() * 2 && seen.pauses.is_empty(), "{}", seen.dead.len());
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_never_answered_tells_nothing_and_keeps_nobody_waiting() {
    let dead = vec![ProbeKey { endpoint: Endpoint { ip: [10, 0, 10, 0].into(), port: 25 }, sni: None }];
    let with = surveyed(dead, seconds(0, 0)).await;
    let without = surveyed(Vec::new(), seconds(0, 0)).await;
    assert_eq!((with.dead.len(), with.pauses.len()), (truly_dead().len(), 0));
    let last = |seen: &Surveyed| seen.starts.iter().max().copied().unwrap();
    assert!(last(&with) < last(&without) + Duration::from_secs(10), "{:?} {:?}", last(&with), last(&without));
}
