//! The pipeline with in-memory stages: one probe a key, one row a target,
//! whatever the stages do.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod engine_config;

use engine_config::config;
use mxray::internals::engine::pace::Limits;
use mxray::internals::engine::{Earlier, EngineConfig, EngineCounts, EngineError, Progress, go_on, run};
use mxray::internals::model::{
    ClientHelloSpec, Delivery, DomainFacts, DomainName, DomainRecord, Exchange, Failure, HelloObservation,
    Kind, MxHost, Observation, Phase, ProbeKey, Record, Subject, Target,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::{Lookup, Probe};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

fn policy() -> Arc<Policy> {
    let judge = Judge::new(Roots::default(), jiff::Timestamp::UNIX_EPOCH);
    Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()))
}

/// Every domain `dN.example` has the exchanger `mx(N mod hosts)`; those of
/// `dead.example` do not exist.
struct TableLookup {
    hosts: usize,
}

impl Lookup for TableLookup {
    async fn lookup(&self, target: Target) -> DomainFacts {
        let label = target.subject.label();
        let Some(number) =
            label.strip_prefix('d').and_then(|rest| rest.split('.').next()?.parse::<usize>().ok())
        else {
            return DomainFacts::failed(target, Failure::new(Phase::Dns, Kind::Nxdomain));
        };
        let host = number % self.hosts;
        let exchange =
            Exchange::whole(10, Some(MxHost::new(&format!("mx{host}.example"))), vec![address(host)]);
        DomainFacts::whole(target, vec![exchange])
    }
}

fn address(host: usize) -> IpAddr {
    IpAddr::from([198, 51, (host / 256) as u8, (host % 256) as u8])
}

/// Answers by a function of key and attempt, and counts.
struct CountingProbe<F> {
    answer: F,
    gate: Semaphore,
    forbidden: Option<IpAddr>,
    calls: Mutex<HashMap<ProbeKey, u32>>,
    open: AtomicUsize,
    open_max: AtomicUsize,
}

impl<F: Fn(&ProbeKey, u32) -> Option<Failure> + Send + Sync + 'static> CountingProbe<F> {
    fn new(answer: F) -> Arc<Self> {
        Self::with(answer, Semaphore::MAX_PERMITS, None)
    }

    fn with(answer: F, permits: usize, forbidden: Option<IpAddr>) -> Arc<Self> {
        Arc::new(Self {
            forbidden,
            answer,
            gate: Semaphore::new(permits),
            calls: Mutex::default(),
            open: AtomicUsize::new(0),
            open_max: AtomicUsize::new(0),
        })
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().values().map(|count| *count as usize).sum()
    }
}

impl<F: Fn(&ProbeKey, u32) -> Option<Failure> + Send + Sync + 'static> Probe for CountingProbe<F> {
    fn permit(&self, key: &ProbeKey) -> Result<(), Failure> {
        if Some(key.endpoint.ip) == self.forbidden {
            return Err(Failure::new(Phase::Connect, Kind::Blocklisted));
        }
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        *self.calls.lock().unwrap().entry(key.clone()).or_default() += 1;
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.open_max.fetch_max(open, Ordering::SeqCst);
        // Lets the engine start others if it would.
        tokio::task::yield_now().await;
        self.gate.acquire().await.unwrap().forget();
        self.open.fetch_sub(1, Ordering::SeqCst);
        let failure = (self.answer)(&key, attempt);
        let mut observation = Observation::failed(
            key,
            jiff::Timestamp::UNIX_EPOCH,
            attempt,
            Failure::new(Phase::Connect, Kind::Refused),
        );
        observation.failure = failure;
        observation
    }

    async fn hello(&self, _key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None)
    }
}

struct Outcome {
    counts: EngineCounts,
    domains: Vec<DomainRecord>,
    endpoints: Vec<Observation>,
}

async fn survey<P: Probe>(
    config: EngineConfig,
    hosts: usize,
    probe: Arc<P>,
    names: Vec<String>,
) -> Result<Outcome, EngineError> {
    survey_by(TableLookup { hosts }, config, probe, names).await
}

async fn survey_by<L: Lookup, P: Probe>(
    lookup: L,
    config: EngineConfig,
    probe: Arc<P>,
    names: Vec<String>,
) -> Result<Outcome, EngineError> {
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    tokio::spawn(async move {
        for (line, name) in names.into_iter().enumerate() {
            let subject = Subject::Domain(DomainName::parse(&name).unwrap());
            if targets_in.send(Target { line: line as u64 + 1, subject }).await.is_err() {
                break;
            }
        }
    });
    let collected = tokio::spawn(async move {
        let (mut domains, mut endpoints) = (Vec::new(), Vec::new());
        while let Some(record) = records.recv().await {
            match record {
                Record::Domain(domain) => domains.push(*domain),
                Record::Endpoint(endpoint) => endpoints.push(endpoint.observation),
                _ => {}
            }
        }
        (domains, endpoints)
    });
    let policy = policy();
    let stages = (Arc::new(lookup), probe, policy);
    let stop = CancellationToken::new();
    let counts = run(config, stages, targets, records_in, Arc::new(Progress::default()), stop).await?;
    let (domains, endpoints) = collected.await.unwrap();
    Ok(Outcome { counts, domains, endpoints })
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("d{number}.example")).collect()
}

#[tokio::test]
async fn every_target_has_one_row_and_every_key_one_probe() {
    let probe = CountingProbe::new(|_, _| None);
    let mut names = names(1000);
    names.push("dead.example".to_string());
    names.push("d7.example".to_string());
    let outcome = survey(config(), 10, probe.clone(), names).await.unwrap();
    assert_eq!(outcome.counts.targets, 1002);
    assert_eq!(outcome.domains.len(), 1002);
    assert_eq!(outcome.counts.unfinished, 0);
    assert_eq!(probe.calls(), 10);
    assert_eq!(outcome.endpoints.len(), 10);
    let mut lines: Vec<u64> = outcome.domains.iter().map(|domain| domain.facts.target.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, (1..=1002).collect::<Vec<u64>>());
    let undeliverable =
        outcome.domains.iter().filter(|d| d.verdict.outcome.delivery == Delivery::Undeliverable);
    assert_eq!(undeliverable.count(), 1);
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_no_more_than_that() {
    let recovers = |key: &ProbeKey, attempt: u32| {
        let fails = match key.endpoint.ip == address(0) {
            true => attempt < 3,
            false => true,
        };
        fails.then(|| Failure::new(Phase::Greeting, Kind::Throttled))
    };
    let probe = CountingProbe::new(recovers);
    let outcome = survey(config(), 2, probe.clone(), names(2)).await.unwrap();
    assert_eq!(probe.calls(), 6);
    assert_eq!(outcome.counts.connections, 6);
    assert_eq!(outcome.endpoints.len(), 2);
    assert!(outcome.endpoints.iter().all(|seen| seen.attempts == 3));
    let recovered = outcome.endpoints.iter().filter(|seen| seen.failure.is_none()).count();
    assert_eq!(recovered, 1);

    let refused = CountingProbe::new(|_, _| Some(Failure::new(Phase::Connect, Kind::Refused)));
    survey(config(), 2, refused.clone(), names(2)).await.unwrap();
    assert_eq!(refused.calls(), 2);
}

/// Of each name the first looks bring no answer of the DNS: of all of it, or of
/// one family of a host.
struct BusyResolver {
    fails: u32,
    whole: bool,
    looks: Arc<Mutex<HashMap<String, u32>>>,
}

impl Lookup for BusyResolver {
    async fn lookup(&self, target: Target) -> DomainFacts {
        let looks = {
            let mut looks = self.looks.lock().unwrap();
            let count = looks.entry(target.subject.label()).or_default();
            *count += 1;
            *count
        };
        let busy = (looks <= self.fails).then(|| Failure::new(Phase::Dns, Kind::Servfail));
        if self.whole
            && let Some(busy) = busy
        {
            return DomainFacts::failed(target, busy);
        }
        let mut facts = TableLookup { hosts: 1 }.lookup(target).await;
        facts.exchanges[0].unresolved = busy;
        facts
    }
}

/// Targets of `slow.example` wait for a policy host until all others were looked
/// up.
struct SlowPolicyHost {
    aside: watch::Sender<usize>,
    others: watch::Sender<usize>,
    others_all: usize,
}

impl Lookup for SlowPolicyHost {
    async fn lookup(&self, target: Target) -> DomainFacts {
        if target.subject.label().ends_with("slow.example") {
            self.aside.send_modify(|count| *count += 1);
            self.others.subscribe().wait_for(|count| *count == self.others_all).await.unwrap();
            self.aside.send_modify(|count| *count -= 1);
        } else {
            self.others.send_modify(|count| *count += 1);
        }
        TableLookup { hosts: 1 }.lookup(target).await
    }

    fn aside(&self) -> Option<watch::Receiver<usize>> {
        Some(self.aside.subscribe())
    }
}

#[tokio::test]
async fn who_waits_for_a_policy_host_keeps_nobody_else_waiting() {
    let lookup =
        SlowPolicyHost { aside: watch::Sender::new(0), others: watch::Sender::new(0), others_all: 20 };
    let slow = (0..50).map(|number| format!("d{number}.slow.example"));
    let few = EngineConfig { lookups_in_flight: 3, ..config() };
    let surveyed = survey_by(lookup, few, CountingProbe::new(|_, _| None), slow.chain(names(20)).collect());
    let outcome = tokio::time::timeout(Duration::from_secs(60), surveyed).await.unwrap().unwrap();
    assert_eq!((outcome.domains.len(), outcome.counts.unfinished), (70, 0));
}

#[tokio::test]
async fn what_the_dns_may_say_later_is_looked_up_again_and_no_more_than_that() {
    for whole in [true, false] {
        for (fails, looks_each, answered) in [(0, 1, 20), (2, 3, 20), (3, 3, 0)] {
            let looks = Arc::default();
            let lookup = BusyResolver { fails, whole, looks: Arc::clone(&looks) };
            let few = EngineConfig { lookups_in_flight: 3, ..config() };
            let probe = CountingProbe::new(|_, _| None);
            let outcome = survey_by(lookup, few, probe, names(20)).await.unwrap();
            let looks = looks.lock().unwrap();
            assert!(looks.values().all(|count| *count == looks_each), "{whole} {fails}: {looks:?}");
            assert_eq!((outcome.domains.len(), outcome.counts.unfinished), (20, 0));
            let known = outcome.domains.iter().filter(|it| !it.facts.may_be_known_later()).count();
            assert_eq!(known, answered, "{whole} {fails}");
        }
    }
}

#[tokio::test]
async fn what_is_not_permitted_is_recorded_and_never_probed() {
    let probe = CountingProbe::with(|_, _| None, Semaphore::MAX_PERMITS, Some(address(13)));
    let outcome = survey(config(), 14, probe.clone(), names(28)).await.unwrap();
    assert_eq!(outcome.domains.len(), 28);
    assert_eq!(outcome.endpoints.len(), 14);
    assert_eq!(probe.calls(), 13);
    let listed = outcome.endpoints.iter().filter(|seen| seen.attempts == 0).count();
    assert_eq!(listed, 1);
}

/// Every host is at one address, but for that of `busy.example`.
struct OneAddress;

impl Lookup for OneAddress {
    async fn lookup(&self, target: Target) -> DomainFacts {
        let label = target.subject.label();
        let facts =
            TableLookup { hosts: 1 }.lookup(Target { subject: subject("d0.example"), ..target }).await;
        let mut facts = DomainFacts { target: Target { subject: subject(&label), ..facts.target }, ..facts };
        facts.exchanges[0].host = Some(MxHost::new(&format!("mx.{label}")));
        facts.exchanges[0].addresses = vec![address(usize::from(label == "busy.example"))];
        facts
    }
}

fn subject(name: &str) -> Subject {
    Subject::Domain(DomainName::parse(name).unwrap())
}

/// A machine that is busy begins a connection later than it was allowed to.
/// The next one at the address waits for as much longer.
#[tokio::test]
async fn the_pause_of_an_address_runs_from_when_its_connection_begins() {
    const INTERVAL: Duration = Duration::from_millis(300);
    let begun: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let seen = begun.clone();
    let probe = CountingProbe::new(move |key, _| {
        if key.endpoint.ip == address(0) {
            seen.lock().unwrap().push(Instant::now());
        } else {
            // The one thread there is.
            std::thread::sleep(INTERVAL * 2 / 3);
        }
        None
    });
    let (targets_in, targets) = mpsc::channel(8);
    for (line, name) in ["busy.example", "one.example", "two.example"].into_iter().enumerate() {
        targets_in.send(Target { line: line as u64 + 1, subject: subject(name) }).await.unwrap();
    }
    drop(targets_in);
    let (records_in, mut records) = mpsc::channel(8);
    let mut paced = config();
    paced.limits.per_ip.interval = INTERVAL;
    paced.limits.per_ip.connections = None;
    let stages = (Arc::new(OneAddress), probe, policy());
    let running =
        run(paced, stages, targets, records_in, Arc::new(Progress::default()), CancellationToken::new());
    let drained = async { while records.recv().await.is_some() {} };
    let (counts, ()) = tokio::join!(running, drained);
    assert_eq!(counts.unwrap().connections, 3);
    let begun = begun.lock().unwrap();
    // Counted from when it was allowed to, it would be a third. The entries in the
    // log may be late, too.
    assert!(begun[1] - begun[0] >= INTERVAL * 2 / 3, "{:?}", begun[1] - begun[0]);
}

#[tokio::test]
async fn no_more_than_in_flight_are_open() {
    let probe = CountingProbe::new(|_, _| None);
    let mut narrow = config();
    narrow.limits.in_flight = 3;
    survey(narrow, 200, probe.clone(), names(200)).await.unwrap();
    assert_eq!(probe.open_max.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_stop_ends_what_is_open_and_counts_the_rest() {
    let probe = CountingProbe::with(|_, _| None, 0, None);
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    let feeding = tokio::spawn(async move {
        for number in 0.. {
            let subject = Subject::Domain(DomainName::parse(&format!("d{number}.example")).unwrap());
            if targets_in.send(Target { line: number + 1, subject }).await.is_err() {
                break;
            }
        }
    });
    let rows = tokio::spawn(async move {
        let mut rows = 0u64;
        while let Some(record) = records.recv().await {
            rows += u64::from(matches!(record, Record::Domain(_)));
        }
        rows
    });
    let policy = policy();
    let stop = CancellationToken::new();
    let stages = (Arc::new(TableLookup { hosts: usize::MAX }), probe.clone(), policy);
    let mut narrow = config();
    narrow.limits.in_flight = 5;
    let running =
        tokio::spawn(run(narrow, stages, targets, records_in, Arc::new(Progress::default()), stop.clone()));
    while probe.open.load(Ordering::SeqCst) < 5 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    probe.gate.add_permits(5);
    let counts = running.await.unwrap().unwrap();
    feeding.await.unwrap();
    assert_eq!(counts.domains, 5);
    assert_eq!(rows.await.unwrap(), 5);
    assert_eq!(counts.targets, counts.domains + counts.unfinished);
    assert_eq!(probe.calls(), 5);
}

/// What an earlier process found is asked nobody again, and counts.
#[tokio::test]
async fn a_run_that_goes_on_asks_only_for_what_is_missing() {
    let whole = survey(config(), 3, CountingProbe::new(|_, _| None), names(6)).await.unwrap();
    let (policy, progress) = (policy(), Arc::new(Progress::default()));
    let mut earlier = Earlier::new(None);
    // Of three hosts two are known; of their four domains, two.
    let is_of = |host: usize, ip: IpAddr| ip == address(host);
    for observation in whole.endpoints.into_iter().filter(|seen| !is_of(2, seen.key.endpoint.ip)) {
        earlier.endpoint(&policy, observation, false, &progress).unwrap();
    }
    for (number, domain) in [(0, true), (1, true), (2, false)] {
        let target = whole.domains.iter().find(|row| row.facts.target.line == number + 1).unwrap();
        let row = earlier.domain(&policy, target.facts.clone(), config().port, &progress).unwrap();
        assert_eq!(row.is_some(), domain, "{number}");
        assert!(row.is_none_or(|row| row == Record::Domain(Box::new(target.clone()))));
    }
    let probe = CountingProbe::new(|_, _| None);
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    for domain in whole.domains.iter().filter(|row| row.facts.target.line > 2) {
        targets_in.send(domain.facts.target.clone()).await.unwrap();
    }
    drop(targets_in);
    let stages = (Arc::new(TableLookup { hosts: 3 }), probe.clone(), policy);
    let stop = CancellationToken::new();
    let running =
        tokio::spawn(go_on(config(), stages, targets, records_in, (progress.clone(), earlier), stop));
    let (mut rows, mut endpoints) = (Vec::new(), 0);
    while let Some(record) = records.recv().await {
        match record {
            Record::Domain(domain) => rows.push(domain.facts.target.line),
            _ => endpoints += 1,
        }
    }
    rows.sort_unstable();
    assert_eq!((rows, endpoints, probe.calls()), (vec![3, 4, 5, 6], 1, 1));
    let counts = running.await.unwrap().unwrap();
    assert_eq!((counts.targets, counts.domains, counts.endpoints, counts.unfinished), (6, 6, 3, 0));
    assert_eq!(counts.connections, whole.counts.connections);
    let shown = progress.snapshot();
    assert_eq!((shown.domains_done, shown.probes_done), (6, 3));
}

#[tokio::test]
async fn a_stage_that_panics_ends_the_run_with_an_error() {
    let probe = CountingProbe::new(|_, _| panic!("a defect"));
    let outcome = survey(config(), 2, probe, names(2)).await;
    assert!(matches!(outcome, Err(EngineError::Stage(_))));
}

#[tokio::test]
async fn an_output_that_goes_away_ends_the_run_with_an_error() {
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, records) = mpsc::channel(8);
    drop(records);
    let subject = Subject::Domain(DomainName::parse("dead.example").unwrap());
    targets_in.send(Target { line: 1, subject }).await.unwrap();
    drop(targets_in);
    let policy = policy();
    let stages = (Arc::new(TableLookup { hosts: 1 }), CountingProbe::new(|_, _| None), policy);
    let stop = CancellationToken::new();
    let result = run(config(), stages, targets, records_in, Arc::new(Progress::default()), stop).await;
    assert!(matches!(result, Err(EngineError::OutputGone)));
}

/// Domains that share three hosts, and of which some ask to be left alone meanwhile.
struct OptingOut {
    table: TableLookup,
    /// Those from this number on do, once it is known.
    from: Arc<AtomicUsize>,
}

impl Lookup for OptingOut {
    async fn lookup(&self, target: Target) -> DomainFacts {
        self.table.lookup(target).await
    }

    fn permit(&self, target: &Target) -> Result<(), Failure> {
        let label = target.subject.label();
        let number: usize = label[1..].split('.').next().unwrap().parse().unwrap();
        if number >= self.from.load(Ordering::SeqCst) {
            return Err(Failure::new(Phase::Input, Kind::Blocklisted));
        }
        Ok(())
    }
}

/// Who asks to be left alone after the lookup has no host asked for it any more, and a
/// host that others want is asked for these.
#[tokio::test(start_paused = true)]
async fn a_domain_that_asks_to_be_left_alone_while_it_waits_is() {
    let from = Arc::new(AtomicUsize::new(usize::MAX));
    let noted = from.clone();
    // Whichever host is asked first, they ask for it before it has answered.
    let probe = CountingProbe::new(move |_: &ProbeKey, _| {
        noted.store(4, Ordering::SeqCst);
        None
    });
    let limits = Limits { rate: NonZeroU32::new(1), ..config().limits };
    let config = EngineConfig { limits, ..config() };
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(64);
    for number in 0..6 {
        let subject = Subject::Domain(DomainName::parse(&format!("d{number}.example")).unwrap());
        targets_in.send(Target { line: number + 1, subject }).await.unwrap();
    }
    drop(targets_in);
    let lookup = Arc::new(OptingOut { table: TableLookup { hosts: 6 }, from });
    let stages = (lookup, probe.clone(), policy());
    let counts =
        run(config, stages, targets, records_in, Arc::default(), CancellationToken::new()).await.unwrap();
    assert_eq!((counts.domains, counts.unfinished), (6, 0));
    let mut told = Vec::new();
    while let Ok(record) = records.try_recv() {
        if let Record::Domain(domain) = record {
            let number = domain.facts.target.line - 1;
            told.push((number, domain.facts.failure.map(|failure| failure.kind)));
        }
    }
    told.sort();
    for (number, failure) in told {
        assert_eq!(failure, (number >= 4).then_some(Kind::Blocklisted), "{number}");
    }
    // That first one may be one of theirs.
    assert!([4, 5].contains(&probe.calls()), "{}", probe.calls());
}
