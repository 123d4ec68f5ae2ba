//! `scan` and `probe` ask a key by the same rules: whatever a host says on each
//! of its connections, an engine and [`interrogate`] come to the same. And what
//! is kept of several connections is what a table of its own says.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

#[path = "interrogate/pools.rs"]
mod pools;

use jiff::{SignedDuration, Timestamp};
use mxray::internals::engine::pace::{BucketLimits, Limits};
use mxray::internals::engine::{EngineConfig, Progress, run};
use mxray::internals::interrogate::{Known, Pacing, Pause, RetryPlan, interrogate};
use mxray::internals::model::{
    CipherSuite, ClientHelloSpec, Delivery, DomainFacts, DomainRecord, Endpoint, EndpointRecord, Exchange,
    Failure, HelloEnd, HelloObservation, Kind, MxHost, NamedGroup, Observation, Phase, ProbeKey,
    ProtocolVersion, Record, SignatureCheck, SignatureScheme, Subject, Target, TlsObservation,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::{Lookup, Probe};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// How a connection ends; `None` for one that goes through TLS.
type End = Option<(Phase, Kind)>;

const OK: End = None;
const ABSENT: End = Some((Phase::Starttls, Kind::NotOffered));
const NOT_NOW: End = Some((Phase::Starttls, Kind::RefusedTemporarily));
const REFUSED: End = Some((Phase::Starttls, Kind::Refused));
const THROTTLED: End = Some((Phase::Greeting, Kind::Throttled));
const REJECTED: End = Some((Phase::Greeting, Kind::Rejected));
const SHAKEN: End = Some((Phase::AfterTls, Kind::Closed));
const TLS_CLOSED: End = Some((Phase::Tls, Kind::Closed));
const NO_VERSION: End = Some((Phase::Tls, Kind::NoCommonVersion));
const BAD_SIGNATURE: End = Some((Phase::Tls, Kind::SignatureFailed));
const BAD_CERTIFICATE: End = Some((Phase::Tls, Kind::BadCertificate));
const MARKED: End = Some((Phase::Tls, Kind::DowngradeDetected));
const SHUT: End = Some((Phase::Connect, Kind::Refused));
const OURS: End = Some((Phase::Connect, Kind::LocalError));

const ENDS: [End; 8] = [OK, ABSENT, NOT_NOW, THROTTLED, REJECTED, SHAKEN, NO_VERSION, MARKED];

/// Plays a list of ends to each address, the last again and again. Hellos find
/// what the probe would.
struct Script {
    ends: BTreeMap<IpAddr, Vec<End>>,
    made: Mutex<BTreeMap<IpAddr, usize>>,
}

impl Script {
    fn new(scripts: &[Vec<End>]) -> Arc<Self> {
        let ends = scripts.iter().enumerate().map(|(place, ends)| (address(place), ends.clone()));
        Arc::new(Self { ends: ends.collect(), made: Mutex::default() })
    }

    fn next(&self, ip: IpAddr) -> (usize, End) {
        let mut made = self.made.lock().unwrap();
        let number = made.entry(ip).or_default();
        *number += 1;
        let ends = &self.ends[&ip];
        (*number, *ends.get(*number - 1).unwrap_or(ends.last().unwrap()))
    }
}

fn address(place: usize) -> IpAddr {
    IpAddr::from([198, 51, (place / 256) as u8, (place % 256) as u8])
}

fn failure((phase, kind): (Phase, Kind)) -> Failure {
    Failure::new(phase, kind)
}

fn session() -> TlsObservation {
    TlsObservation {
        established: true,
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1302)),
        group: Some(NamedGroup(23)),
        signature_scheme: Some(SignatureScheme(0x0804)),
        signature: Some(SignatureCheck::Verified),
        ..TlsObservation::default()
    }
}

/// When the connection of this number begins.
fn moment(number: usize) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(number as i64)
}

impl Probe for Script {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let (number, end) = self.next(key.endpoint.ip);
        let mut seen = Observation::failed(key, moment(number), attempt, failure(OURS.unwrap()));
        seen.failure = end.map(failure);
        let shaken = matches!(end, OK | SHAKEN);
        if shaken {
            seen.tls = Some(session());
        } else if end.is_some_and(|(phase, _)| phase == Phase::Tls) {
            seen.tls = Some(TlsObservation::default());
        }
        seen
    }

    async fn hello(&self, key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        let (number, end) = self.next(key.endpoint.ip);
        let came_to_it = end.is_none_or(|(phase, _)| phase >= Phase::Tls);
        let failure = end.filter(|_| !came_to_it).map(failure);
        let mut seen = HelloObservation::not_asked(question, moment(number), failure);
        if came_to_it {
            seen.end = HelloEnd::Alert;
        }
        seen
    }
}

/// Finds the one address of a target.
struct Itself;

impl Lookup for Itself {
    async fn lookup(&self, target: Target) -> DomainFacts {
        let Subject::Endpoint { ip, .. } = target.subject else { panic!("an endpoint") };
        let Target { subject: Subject::Endpoint { name, .. }, .. } = &target else { panic!("an endpoint") };
        let exchange = Exchange::whole(0, name.clone(), vec![ip]);
        DomainFacts::whole(target, vec![exchange])
    }
}

fn policy() -> Arc<Policy> {
    let judge = Judge::new(Roots::default(), Timestamp::UNIX_EPOCH);
    Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()))
}

const SOON: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(3600);

fn plan(retries: u32) -> RetryPlan {
    RetryPlan { retries, retry_delay: SOON, second_look_delay: SOON }
}

fn config(retry: RetryPlan) -> EngineConfig {
    let limits = Limits { per_ip: BucketLimits::of_connections(1), ..Limits::none(64) };
    EngineConfig {
        port: 25,
        limits,
        lookups_in_flight: 64,
        retry,
        spill_dir: None,
        sample: false,
        shard: None,
        ..EngineConfig::default()
    }
}

/// No pace at all.
struct Haste;

impl Pacing for Haste {
    async fn before(&mut self, _key: &ProbeKey, due: Instant) -> bool {
        sleep_until(due).await;
        true
    }

    fn pauses(&mut self, _key: &ProbeKey, _failure: Option<&Failure>, _pause: Pause) {}
}

/// What a run wrote.
#[derive(Default)]
struct Written {
    endpoints: Vec<EndpointRecord>,
    domains: Vec<DomainRecord>,
}

/// Asks every script by an engine. With `stopped_after` so many connections the
/// run is stopped as soon as none is open.
async fn scanned(retry: RetryPlan, script: Arc<Script>, stopped_after: Option<usize>) -> Written {
    let keys = script.ends.keys().map(|ip| (*ip, None)).collect();
    scanned_keys(retry, script, keys, stopped_after).await
}

/// The same of these addresses and names.
async fn scanned_keys(
    retry: RetryPlan,
    script: Arc<Script>,
    keys: Vec<(IpAddr, Option<MxHost>)>,
    stopped_after: Option<usize>,
) -> Written {
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    tokio::spawn(async move {
        for (line, (ip, name)) in (1..).zip(keys) {
            let subject = Subject::Endpoint { ip, port: None, name };
            let _ = targets_in.send(Target { line, subject }).await;
        }
    });
    let collected = tokio::spawn(async move {
        let mut written = Written::default();
        while let Some(record) = records.recv().await {
            match record {
                Record::Endpoint(endpoint) => written.endpoints.push(*endpoint),
                Record::Domain(domain) => written.domains.push(*domain),
                _ => {}
            }
        }
        written
    });
    let (progress, stop) = (Arc::new(Progress::default()), CancellationToken::new());
    let stages = (Arc::new(Itself), script.clone(), policy());
    let engine =
        tokio::spawn(run(config(retry), stages, targets, records_in, progress.clone(), stop.clone()));
    if let Some(connections) = stopped_after {
        let made = || script.made.lock().unwrap().values().sum::<usize>();
        while made() < connections || progress.snapshot().in_flight > 0 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    }
    engine.await.unwrap().unwrap();
    let mut written = collected.await.unwrap();
    written.endpoints.sort_by_key(|endpoint| endpoint.observation.key.endpoint.ip);
    written
}

async fn probed(retry: RetryPlan, script: Arc<Script>) -> Vec<EndpointRecord> {
    let keys = script.ends.keys().map(|ip| (*ip, None)).collect();
    probed_keys(retry, script, keys).await
}

async fn probed_keys(
    retry: RetryPlan,
    script: Arc<Script>,
    keys: Vec<(IpAddr, Option<MxHost>)>,
) -> Vec<EndpointRecord> {
    let key = |(ip, sni)| ProbeKey { endpoint: Endpoint { ip, port: 25 }, sni };
    let keys = keys.into_iter().map(|named| (key(named), false)).collect();
    let policy = policy();
    let known = interrogate(&*script, &policy, retry, keys, &mut Haste).await;
    let record = |Known { observation, assessments }| policy.endpoint(*observation, &assessments).0;
    known.into_iter().map(record).collect()
}

/// All lists of so many of the ends.
fn all_scripts(length: usize) -> Vec<Vec<End>> {
    let mut all = vec![Vec::new()];
    for _ in 0..length {
        all = all.iter().flat_map(|head| ENDS.map(|end| [&head[..], &[end]].concat())).collect();
    }
    all
}

#[tokio::test]
async fn an_engine_and_a_probe_come_to_the_same() {
    for retries in [0, 1] {
        let scripts = all_scripts(4);
        let scanned = scanned(plan(retries), Script::new(&scripts), None).await.endpoints;
        let probed = probed(plan(retries), Script::new(&scripts)).await;
        assert_eq!((scanned.len(), probed.len()), (scripts.len(), scripts.len()));
        for ((script, one), other) in scripts.iter().zip(&scanned).zip(&probed) {
            assert_eq!(one, other, "{script:?}");
        }
    }
}

/// What is told of one host: connections made for the probe, the end that is
/// kept, those of the others, and delivery with its reason.
async fn told(retry: RetryPlan, script: &[End]) -> (u32, End, Vec<End>, String) {
    let script = Script::new(&[script.to_vec()]);
    let record = probed(retry, script).await.remove(0);
    let end = |failure: Option<&Failure>| failure.map(|failure| (failure.phase, failure.kind));
    let seen = &record.observation;
    let others = seen.other_attempts.as_ref().unwrap();
    let others = others.iter().map(|other| end(other.failure.as_ref())).collect();
    let reason = record.outcome.reason.map(|reason| format!(" {reason}")).unwrap_or_default();
    (seen.attempts, end(seen.failure.as_ref()), others, format!("{}{reason}", record.outcome.delivery))
}

#[tokio::test]
async fn of_several_attempts_the_one_that_came_furthest_is_kept_and_all_are_told() {
    for (script, made, kept, others, delivery) in [
        (
            &[SHAKEN, THROTTLED, THROTTLED][..],
            3,
            SHAKEN,
            &[THROTTLED, THROTTLED][..],
            "undetermined after_tls_closed",
        ),
        (
            &[THROTTLED, SHAKEN, THROTTLED],
            3,
            SHAKEN,
            &[THROTTLED, THROTTLED],
            "undetermined after_tls_closed",
        ),
        (&[TLS_CLOSED, REJECTED], 2, TLS_CLOSED, &[REJECTED], "undetermined tls_closed"),
        (&[THROTTLED, OURS, OURS], 3, THROTTLED, &[OURS, OURS], "undetermined greeting_throttled"),
        (&[THROTTLED, OK], 2, OK, &[THROTTLED], "encrypted"),
        (&[OK], 1, OK, &[], "encrypted"),
        (&[THROTTLED], 3, THROTTLED, &[THROTTLED, THROTTLED], "undetermined greeting_throttled"),
    ] {
        let expected = (made, kept, others.to_vec(), delivery.to_string());
        assert_eq!(told(plan(2), script).await, expected, "{script:?}");
    }
}

#[tokio::test]
async fn no_tls_is_looked_at_twice_before_it_is_believed() {
    for (retries, script, made, kept, others, delivery) in [
        (0, &[ABSENT, ABSENT][..], 2, ABSENT, &[ABSENT][..], "plaintext starttls_not_offered"),
        (2, &[THROTTLED, ABSENT, ABSENT], 3, ABSENT, &[THROTTLED, ABSENT], "plaintext starttls_not_offered"),
        (0, &[REFUSED, REFUSED], 2, REFUSED, &[REFUSED], "plaintext starttls_refused"),
        (0, &[ABSENT, OK], 2, OK, &[ABSENT], "undetermined second_look_differs"),
        (0, &[ABSENT, REFUSED], 2, REFUSED, &[ABSENT], "undetermined second_look_differs"),
        (0, &[ABSENT, THROTTLED], 2, ABSENT, &[THROTTLED], "undetermined no_second_look"),
        (1, &[ABSENT, THROTTLED, ABSENT], 3, ABSENT, &[ABSENT, THROTTLED], "plaintext starttls_not_offered"),
        (
            1,
            &[ABSENT, THROTTLED, THROTTLED],
            3,
            ABSENT,
            &[THROTTLED, THROTTLED],
            "undetermined no_second_look",
        ),
        (1, &[SHAKEN, ABSENT, ABSENT], 3, SHAKEN, &[ABSENT, ABSENT], "undetermined second_look_differs"),
        (0, &[NOT_NOW, NOT_NOW], 2, NOT_NOW, &[NOT_NOW], "undetermined starttls_refused_temporarily"),
        // Retries are looks as well, where they are far enough apart.
        (1, &[NOT_NOW, NOT_NOW], 2, NOT_NOW, &[NOT_NOW], "undetermined starttls_refused_temporarily"),
        (1, &[NOT_NOW, OK], 2, OK, &[NOT_NOW], "encrypted"),
    ] {
        let expected = (made, kept, others.to_vec(), delivery.to_string());
        assert_eq!(told(plan(retries), script).await, expected, "{retries} {script:?}");
    }
}

/// Behind one address may stand several servers, one of which is broken.
#[tokio::test]
async fn a_handshake_that_fails_with_everyone_is_looked_at_twice() {
    let failed = "deferred tls_signature_failed";
    for (retries, script, made, kept, others, delivery) in [
        (0, &[BAD_SIGNATURE][..], 2, BAD_SIGNATURE, &[BAD_SIGNATURE][..], failed),
        (0, &[BAD_SIGNATURE, OK], 2, OK, &[BAD_SIGNATURE], "undetermined second_look_differs"),
        (0, &[BAD_SIGNATURE, SHAKEN], 2, SHAKEN, &[BAD_SIGNATURE], "undetermined second_look_differs"),
        (
            0,
            &[BAD_SIGNATURE, BAD_CERTIFICATE],
            2,
            BAD_CERTIFICATE,
            &[BAD_SIGNATURE],
            "undetermined second_look_differs",
        ),
        (
            0,
            &[BAD_SIGNATURE, NO_VERSION],
            2,
            NO_VERSION,
            &[BAD_SIGNATURE],
            "undetermined second_look_differs",
        ),
        (0, &[BAD_SIGNATURE, ABSENT], 2, BAD_SIGNATURE, &[ABSENT], "undetermined second_look_differs"),
        (0, &[BAD_SIGNATURE, THROTTLED], 2, BAD_SIGNATURE, &[THROTTLED], "undetermined no_second_look"),
        (
            1,
            &[BAD_SIGNATURE, THROTTLED, BAD_SIGNATURE],
            3,
            BAD_SIGNATURE,
            &[BAD_SIGNATURE, THROTTLED],
            failed,
        ),
        (1, &[THROTTLED, BAD_SIGNATURE], 3, BAD_SIGNATURE, &[THROTTLED, BAD_SIGNATURE], failed),
    ] {
        let expected = (made, kept, others.to_vec(), delivery.to_string());
        assert_eq!(told(plan(retries), script).await, expected, "{retries} {script:?}");
    }
}

/// What it gives is open then, whatever it says to a hello. A host that had no
/// TLS for now, and has some later, does not differ.
#[tokio::test]
async fn a_host_whose_looks_differ_gets_no_further_hellos() {
    for (script, connections) in [
        (&[NO_VERSION][..], 7),
        (&[ABSENT, NO_VERSION], 2),
        (&[REFUSED, NO_VERSION], 2),
        (&[NOT_NOW, NO_VERSION], 8),
        (&[MARKED], 8),
        (&[MARKED, NO_VERSION], 2),
        (&[MARKED, BAD_SIGNATURE], 2),
    ] {
        let played = Script::new(&[script.to_vec()]);
        let record = probed(plan(0), played.clone()).await.remove(0);
        assert_eq!(*played.made.lock().unwrap().get(&address(0)).unwrap(), connections, "{script:?}");
        let differs = record.outcome.reason.unwrap().to_string() == "second_look_differs";
        assert_eq!(differs, connections == 2, "{script:?}");
    }
}

/// What is told of two names of one address, in the order in which it is known, by
/// an engine and by a probe.
async fn of_two_names(script: &[End]) -> [Vec<String>; 2] {
    let keys = || ["a.example", "b.example"].map(|name| (address(0), Some(MxHost::new(name)))).to_vec();
    let played = || Script::new(&[script.to_vec()]);
    let scanned = scanned_keys(plan(0), played(), keys(), None).await.endpoints;
    let probed = probed_keys(plan(0), played(), keys()).await;
    [scanned, probed].map(|records| {
        let outcome = |record: &EndpointRecord| match record.outcome.reason {
            Some(reason) => format!("{} {reason}", record.outcome.delivery),
            None => record.outcome.delivery.to_string(),
        };
        records.iter().map(outcome).collect()
    })
}

/// No name is told before STARTTLS, so what differs between names is the address.
#[tokio::test]
async fn names_of_one_address_do_not_differ_in_whether_there_is_tls() {
    let (differs, throttled) = ("undetermined second_look_differs", "undetermined greeting_throttled");
    let no_tls = "plaintext starttls_not_offered";
    let (dead, shut) = ("deferred connect_refused", "undetermined connect_refused");
    for (script, scanned, probed) in [
        (&[OK][..], ["encrypted", "encrypted"], ["encrypted", "encrypted"]),
        (&[ABSENT], [no_tls, no_tls], [no_tls, no_tls]),
        // What is written stays; whoever tells all at the end knows all.
        (&[OK, ABSENT], ["encrypted", differs], [differs, differs]),
        (&[ABSENT, OK, ABSENT], [differs, differs], [differs, differs]),
        (&[THROTTLED, ABSENT], [throttled, no_tls], [throttled, no_tls]),
        (&[OK, THROTTLED], ["encrypted", throttled], ["encrypted", throttled]),
        (&[SHUT, SHUT], [dead, dead], [dead, dead]),
        // It opened to this run, and shuts to this run: a ban looks so.
        (&[OK, SHUT], ["encrypted", shut], ["encrypted", shut]),
        (&[THROTTLED, SHUT], [throttled, shut], [throttled, shut]),
        (&[SHUT, OK], [dead, "encrypted"], [shut, "encrypted"]),
        (
            &[OK, NOT_NOW],
            // It waits, and has TLS later.
            ["encrypted", "undetermined starttls_refused_temporarily"],
            ["encrypted", "undetermined starttls_refused_temporarily"],
        ),
    ] {
        assert_eq!(of_two_names(script).await, [scanned, probed].map(Vec::from), "{script:?}");
    }
}

/// What lies before the name is the same for all names of an address, and told so.
#[tokio::test(start_paused = true)]
async fn an_address_where_nobody_answers_is_not_asked_for_every_name() {
    const NAMES: usize = 50;
    let silent = Some((Phase::Greeting, Kind::Timeout));
    for (end, retries, looks, asked) in [
        // Refused is an answer: a name has one look, and three names are asked.
        (SHUT, 2, 3, 3),
        (Some((Phase::Connect, Kind::Timeout)), 2, 3, 1),
        (silent, 2, 3, 1),
        (silent, 0, 2, 2),
        (THROTTLED, 0, NAMES, NAMES),
    ] {
        let keys: Vec<_> =
            (0..NAMES).map(|n| (address(0), Some(MxHost::new(&format!("n{n}.example"))))).collect();
        let script = Script::new(&[vec![end]]);
        let written = scanned_keys(plan(retries), script.clone(), keys, None).await;
        assert_eq!(script.made.lock().unwrap()[&address(0)], looks, "{end:?}");
        assert_eq!((written.endpoints.len(), written.domains.len()), (NAMES, NAMES));
        let own = |record: &&EndpointRecord| record.observation.inferred_from.is_none();
        let (own, inferred): (Vec<_>, Vec<_>) = written.endpoints.iter().partition(own);
        assert_eq!(own.len(), asked, "{end:?}");
        for record in inferred {
            assert_eq!(record.observation.attempts, 0);
            let from = record.observation.inferred_from.as_ref().unwrap();
            assert!(own.iter().any(|one| one.observation.key.sni == from.sni), "{from:?}");
            assert_eq!(record.outcome.reason, own[0].outcome.reason, "{end:?}");
        }
    }
}

/// One that answers at the second look is asked for every name.
#[tokio::test(start_paused = true)]
async fn an_address_that_answers_later_is_asked_for_every_name() {
    let keys: Vec<_> = (0..10).map(|n| (address(0), Some(MxHost::new(&format!("n{n}.example"))))).collect();
    let script = Script::new(&[vec![Some((Phase::Connect, Kind::Timeout)), OK]]);
    let written = scanned_keys(plan(2), script, keys, None).await;
    assert!(written.endpoints.iter().all(|record| record.observation.failure.is_none()));
}

#[tokio::test]
async fn a_stop_leaves_what_is_known_of_hosts_that_pause() {
    let patient = RetryPlan { retries: 1, retry_delay: NEVER, second_look_delay: NEVER };
    let scripts = [vec![SHAKEN], vec![ABSENT], vec![BAD_SIGNATURE]];
    let written = scanned(patient, Script::new(&scripts), Some(3)).await;
    let reasons = written.endpoints.iter().map(|endpoint| endpoint.outcome.reason.unwrap().to_string());
    assert_eq!(reasons.collect::<Vec<_>>(), ["after_tls_closed", "no_second_look", "no_second_look"]);
    assert_eq!(written.domains.len(), 3);
}

/// Far more domains than may wait for a permit.
#[tokio::test]
async fn second_looks_that_wait_do_not_stop_the_reading_of_the_list() {
    const HOSTS: usize = 4000;
    let patient = RetryPlan { retries: 0, retry_delay: NEVER, second_look_delay: NEVER };
    let scripts = vec![vec![ABSENT]; HOSTS];
    let written = scanned(patient, Script::new(&scripts), Some(HOSTS)).await;
    let open = |domain: &&DomainRecord| domain.verdict.outcome.delivery == Delivery::Undetermined;
    assert_eq!(written.domains.iter().filter(open).count(), HOSTS);
}
