//! Further hellos through the pipeline, with in-memory stages: each has a
//! permit of its own, is asked again where that may help, and a stop leaves
//! what is known.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod engine_config;

use engine_config::config;
use mxray::internals::ask::step_down::HelloPlan;
use mxray::internals::engine::{EngineConfig, EngineCounts, Progress, run};
use mxray::internals::model::{
    ClientHelloSpec, DomainFacts, Exchange, Failure, HelloEnd, HelloObservation, HelloPurpose, Kind,
    Observation, Phase, ProbeKey, Record, Subject, Target, TlsObservation,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::{Lookup, Probe};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Each target has so many addresses, the last byte of which it gives.
struct Addresses(u8);

impl Lookup for Addresses {
    async fn lookup(&self, target: Target) -> DomainFacts {
        let Subject::Endpoint { ip: IpAddr::V4(ip), .. } = &target.subject else { panic!("an endpoint") };
        let [.., last] = ip.octets();
        let addresses = (0..self.0).map(|network| [198, 51, network, last].into()).collect();
        let exchange = Exchange::whole(0, None, addresses);
        DomainFacts::whole(target, vec![exchange])
    }
}

/// Connections as they were begun and ended.
#[derive(Default)]
struct Log {
    begun: Vec<(IpAddr, Instant)>,
    open: HashMap<IpAddr, usize>,
    open_max: usize,
    open_to_one_max: usize,
    hellos: usize,
}

/// Answers probes and hellos by script; hellos wait for the gate.
struct Script {
    handshake: fn() -> (Option<Failure>, TlsObservation),
    hello: fn(&ClientHelloSpec, usize) -> HelloObservation,
    gate: Semaphore,
    log: Mutex<Log>,
}

impl Script {
    fn new(hello: fn(&ClientHelloSpec, usize) -> HelloObservation) -> Self {
        let handshake = || {
            let failure = Failure::new(Phase::Tls, Kind::NoCommonVersion);
            (Some(failure), TlsObservation::default())
        };
        Self { handshake, hello, gate: Semaphore::new(Semaphore::MAX_PERMITS), log: Mutex::default() }
    }

    fn begin(&self, ip: IpAddr) {
        let mut log = self.log.lock().unwrap();
        log.begun.push((ip, Instant::now()));
        let to_one = log.open.entry(ip).or_default();
        *to_one += 1;
        let to_one = *to_one;
        log.open_to_one_max = log.open_to_one_max.max(to_one);
        log.open_max = log.open_max.max(log.open.values().sum());
    }

    fn end(&self, ip: IpAddr) {
        *self.log.lock().unwrap().open.get_mut(&ip).unwrap() -= 1;
    }

    fn hellos(&self) -> usize {
        self.log.lock().unwrap().hellos
    }

    fn begun(&self) -> usize {
        self.log.lock().unwrap().begun.len()
    }
}

impl Probe for Script {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let ip = key.endpoint.ip;
        self.begin(ip);
        // Lets the engine start others if it would.
        tokio::task::yield_now().await;
        self.end(ip);
        let failure = Failure::new(Phase::Connect, Kind::Refused);
        let mut seen = Observation::failed(key, jiff::Timestamp::UNIX_EPOCH, attempt, failure);
        let (failure, tls) = (self.handshake)();
        (seen.failure, seen.tls) = (failure, Some(tls));
        seen
    }

    async fn hello(&self, key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        let ip = key.endpoint.ip;
        self.begin(ip);
        let number = {
            let mut log = self.log.lock().unwrap();
            log.hellos += 1;
            log.hellos
        };
        tokio::task::yield_now().await;
        self.gate.acquire().await.unwrap().forget();
        self.end(ip);
        (self.hello)(question, number)
    }
}

fn answer(question: &ClientHelloSpec, end: HelloEnd) -> HelloObservation {
    let mut seen = HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None);
    seen.end = end;
    seen
}

fn throttled(question: &ClientHelloSpec) -> HelloObservation {
    let failure = Failure::new(Phase::Greeting, Kind::Throttled);
    HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, Some(failure))
}

fn policy(plan: HelloPlan) -> Arc<Policy> {
    let judge = Judge::new(Roots::default(), jiff::Timestamp::UNIX_EPOCH);
    Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()).with_hellos(plan))
}

/// A survey under way.
struct Running {
    engine: JoinHandle<EngineCounts>,
    observations: JoinHandle<(Vec<Observation>, usize)>,
    progress: Arc<Progress>,
    stop: CancellationToken,
}

impl Running {
    fn start(config: EngineConfig, plan: HelloPlan, script: Arc<Script>, hosts: u8) -> Self {
        Self::with(Addresses(1), config, plan, script, hosts)
    }

    fn with(
        lookup: Addresses,
        config: EngineConfig,
        plan: HelloPlan,
        script: Arc<Script>,
        hosts: u8,
    ) -> Self {
        let (targets_in, targets) = mpsc::channel(8);
        let (records_in, mut records) = mpsc::channel(8);
        tokio::spawn(async move {
            for last in 1..=hosts {
                let subject = Subject::Endpoint { ip: [192, 0, 2, last].into(), port: None, name: None };
                // A stopped run reads no more.
                let _ = targets_in.send(Target { line: last.into(), subject }).await;
            }
        });
        let observations = tokio::spawn(async move {
            let (mut seen, mut domains) = (Vec::new(), 0);
            while let Some(record) = records.recv().await {
                match record {
                    Record::Endpoint(endpoint) => seen.push(endpoint.observation),
                    Record::Domain(_) => domains += 1,
                    _ => {}
                }
            }
            (seen, domains)
        });
        let stop = CancellationToken::new();
        let stages = (Arc::new(lookup), script, policy(plan));
        let progress = Arc::new(Progress::default());
        let (shown, stopped) = (progress.clone(), stop.clone());
        let engine =
            tokio::spawn(
                async move { run(config, stages, targets, records_in, shown, stopped).await.unwrap() },
            );
        Self { engine, observations, progress, stop }
    }

    /// Counts, what each endpoint said, and how many domains have a row.
    async fn end(self) -> (EngineCounts, Vec<Observation>, usize) {
        let counts = self.engine.await.unwrap();
        let (seen, domains) = self.observations.await.unwrap();
        (counts, seen, domains)
    }
}

fn told(seen: &Observation) -> Vec<String> {
    let tell = |hello: &HelloObservation| match hello.purpose {
        HelloPurpose::Sender => format!("sender {}", hello.end.name()),
        _ => format!("{} {}", hello.offered_version, hello.end.name()),
    };
    seen.extra_client_hellos.iter().map(tell).collect()
}

#[tokio::test]
async fn each_hello_is_a_connection_with_a_permit_of_its_own() {
    let script = Arc::new(Script::new(|question, _| answer(question, HelloEnd::Alert)));
    let mut narrow = config();
    narrow.limits.in_flight = 3;
    let running = Running::start(narrow, HelloPlan::default(), script.clone(), 8);
    let (counts, seen, domains) = running.end().await;
    assert_eq!((counts.connections, counts.endpoints, domains), (8 * 7, 8, 8));
    for seen in &seen {
        let expected = [
            "sender alert",
            "TLSv1.3 alert",
            "TLSv1.2 alert",
            "TLSv1.1 alert",
            "TLSv1.0 alert",
            "SSLv3 alert",
        ];
        assert_eq!(told(seen), expected);
        assert_eq!(seen.attempts, 1, "hellos are no attempts at the probe");
    }
    let log = script.log.lock().unwrap();
    assert_eq!((log.open_max, log.open_to_one_max), (3, 1));
}

#[tokio::test]
async fn the_pause_of_an_address_holds_between_hellos() {
    let interval = Duration::from_millis(400);
    let script = Arc::new(Script::new(|question, _| answer(question, HelloEnd::Alert)));
    let mut slow = config();
    slow.limits.per_ip.interval = interval;
    let (counts, ..) = Running::start(slow, HelloPlan::default(), script.clone(), 2).end().await;
    assert_eq!(counts.connections, 2 * 7);
    let mut begun: HashMap<IpAddr, Vec<Instant>> = HashMap::new();
    for (ip, at) in &script.log.lock().unwrap().begun {
        begun.entry(*ip).or_default().push(*at);
    }
    for times in begun.values() {
        // A busy machine may stop for a while between a start and its entry in the
        // log; without the pause there is next to nothing between two starts.
        let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(pauses.clone().all(|pause| pause >= interval / 2), "{:?}", pauses.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_hello_that_was_not_asked_is_asked_again_and_no_more_than_that() {
    let recovers = Script::new(|question, number| match number {
        1 | 2 => throttled(question),
        _ => answer(question, HelloEnd::Agreed),
    });
    let script = Arc::new(recovers);
    let running = Running::start(config(), HelloPlan::default(), script.clone(), 1);
    let (counts, seen, _) = running.end().await;
    assert_eq!((told(&seen[0]), counts.connections), (vec!["sender agreed".to_string()], 4));

    let script = Arc::new(Script::new(|question, _| throttled(question)));
    let running = Running::start(config(), HelloPlan::default(), script.clone(), 1);
    let (counts, seen, domains) = running.end().await;
    assert_eq!((told(&seen[0]), counts.connections), (vec!["sender not_asked".to_string()], 4));
    assert_eq!((script.hellos(), domains), (3, 1));

    // An answer is an answer, even if the next could be another.
    let script = Arc::new(Script::new(|question, _| answer(question, HelloEnd::Timeout)));
    let (counts, ..) = Running::start(config(), HelloPlan::default(), script, 1).end().await;
    assert_eq!(counts.connections, 7);
}

#[tokio::test]
async fn the_plan_says_whom_to_ask_and_how_often() {
    let nothing = HelloPlan { hellos_max: 0, ..HelloPlan::default() };
    let everybody = HelloPlan { sender_hello: true, ..HelloPlan::default() };
    let mut succeeds = Script::new(|question, _| answer(question, HelloEnd::Agreed));
    succeeds.handshake = || (None, TlsObservation { established: true, ..TlsObservation::default() });
    let succeeds = Arc::new(succeeds);
    for (plan, script, expected) in [
        (nothing, Arc::new(Script::new(|question, _| answer(question, HelloEnd::Alert))), &[][..]),
        (HelloPlan::default(), succeeds.clone(), &[]),
        (everybody, succeeds, &["sender agreed"]),
    ] {
        let (counts, seen, _) = Running::start(config(), plan, script, 1).end().await;
        assert_eq!(told(&seen[0]), expected);
        assert_eq!(counts.connections, 1 + expected.len() as u64);
    }
}

#[tokio::test]
async fn a_stop_records_what_is_known_and_asks_nothing_more() {
    let script = Arc::new(Script::new(|question, _| answer(question, HelloEnd::Alert)));
    let mut patient = config();
    patient.limits.per_ip.interval = Duration::from_secs(3600);
    let running = Running::with(Addresses(2), patient, HelloPlan::default(), script.clone(), 1);
    // Both addresses were probed; their hellos wait for the pause to be over.
    while script.begun() < 2 || running.progress.snapshot().in_flight > 0 {
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    let (counts, seen, domains) = running.end().await;
    assert_eq!((counts.connections, counts.unfinished, domains), (2, 0, 1));
    assert_eq!(seen.iter().map(told).collect::<Vec<_>>(), [vec![""; 0], vec![]]);
    assert!(seen.iter().all(|seen| seen.stopped == Some(true)), "they are to be asked again");
}

#[tokio::test]
async fn a_stop_lets_an_open_hello_end() {
    let mut script = Script::new(|question, _| answer(question, HelloEnd::Alert));
    script.gate = Semaphore::new(0);
    let script = Arc::new(script);
    let once = HelloPlan { hellos_max: 1, ..HelloPlan::default() };
    let running = Running::start(config(), once, script.clone(), 1);
    while script.hellos() < 1 {
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    script.gate.add_permits(1);
    let (counts, seen, domains) = running.end().await;
    assert_eq!((counts.connections, counts.unfinished, domains), (2, 0, 1));
    assert_eq!((told(&seen[0]), seen[0].stopped), (vec!["sender alert".into()], Some(false)));
}

#[tokio::test]
async fn a_host_is_asked_on_before_the_next_is_asked_at_all() {
    let script = Arc::new(Script::new(|question, _| answer(question, HelloEnd::Alert)));
    let mut narrow = config();
    narrow.limits.in_flight = 1;
    let running = Running::with(Addresses(2), narrow, HelloPlan::default(), script.clone(), 1);
    running.end().await;
    let begun: Vec<_> = script.log.lock().unwrap().begun.iter().map(|(ip, _)| *ip).collect();
    assert!(begun.len() > 2 && begun.is_sorted(), "{begun:?}");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_hello_to_be_asked_again() {
    let script = Arc::new(Script::new(|question, _| throttled(question)));
    let mut patient = config();
    patient.retry.retry_delay = Duration::from_secs(3600);
    let running = Running::start(patient, HelloPlan::default(), script.clone(), 1);
    while script.hellos() < 1 || running.progress.snapshot().in_flight > 0 {
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    let (counts, seen, domains) = running.end().await;
    assert_eq!((counts.connections, counts.unfinished, domains), (2, 0, 1));
    assert_eq!((told(&seen[0]), seen[0].stopped), (vec![], Some(true)));
}
