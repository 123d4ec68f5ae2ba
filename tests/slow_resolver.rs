//! A resolver that takes three seconds for each answer and gives some none: a run goes
//! on as fast as its lookups at a time allow, and only of whom there was no answer the
//! DNS is told as the cause. The timeouts are those of `mxray scan`.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::engine::pace::Limits;
use mxray::internals::engine::{EngineConfig, Progress, run};
use mxray::internals::interrogate::RetryPlan;
use mxray::internals::lookup::{DnsLookup, LookupConfig};
use mxray::internals::model::{
    ClientHelloSpec, DomainName, DomainRecord, Failure, HelloObservation, Kind, Observation, Phase, ProbeKey,
    Record, Subject, Target,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::Probe;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long each answer takes.
const LATE: Duration = Duration::from_secs(3);
const LOOKUPS: usize = 128;
const DOMAINS: usize = 256;
/// Of so many domains one is not answered when it is asked for, one when its host is.
const NOT_ANSWERED_EVERY: usize = 16;

const MX: u16 = 15;
const A: u16 = 1;

/// What a resolver saw.
#[derive(Clone, Default)]
struct Asked {
    waiting: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// `mN.…` has no answer, nor has the host of `hN.…`. Everybody else has one host.
async fn resolver() -> (SocketAddr, Asked) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let (address, asked) = (socket.local_addr().unwrap(), Asked::default());
    let counts = asked.clone();
    tokio::spawn(async move {
        let mut query = [0; 512];
        loop {
            let (length, client) = socket.recv_from(&mut query).await.unwrap();
            let waiting = counts.waiting.fetch_add(1, Ordering::Relaxed) + 1;
            counts.most.fetch_max(waiting, Ordering::Relaxed);
            let (answer, socket, counts) = (answer(&query[..length]), socket.clone(), counts.clone());
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                counts.waiting.fetch_sub(1, Ordering::Relaxed);
                if let Some(answer) = answer {
                    socket.send_to(&answer, client).await.unwrap();
                }
            });
        }
    });
    (address, asked)
}

/// The answer to a question (RFC 1035 §4), if it has one.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let name_ends = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
    let kind = u16::from_be_bytes([query[name_ends], query[name_ends + 1]]);
    let is_host = query[12..].starts_with(b"\x02mx");
    let letter = query[if is_host { 16 } else { 13 }];
    if letter == b'm' || letter == b'h' && is_host {
        return None;
    }
    let data: Option<&[u8]> = match kind {
        MX if !is_host => Some(b"\0\x0a\x02mx\xc0\x0c"),
        A if is_host => Some(&[192, 0, 2, 1]),
        _ => None,
    };
    let mut answer = query[..2].to_vec();
    for field in [0x8180, 1, u16::from(data.is_some()), 0, 0] {
        answer.extend(field.to_be_bytes());
    }
    answer.extend(&query[12..name_ends + 4]);
    if let Some(data) = data {
        answer.extend([0xc0, 0x0c]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

/// Every host refuses us at once, which may be about us alone.
struct Refuses;

impl Probe for Refuses {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let failure = Failure::new(Phase::Greeting, Kind::Rejected);
        Observation::failed(key, jiff::Timestamp::now(), attempt, failure)
    }

    async fn hello(&self, _key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        HelloObservation::not_asked(question, jiff::Timestamp::now(), None)
    }
}

fn name(number: usize) -> DomainName {
    let letter = match number % NOT_ANSWERED_EVERY {
        0 => 'm',
        1 => 'h',
        _ => 'd',
    };
    DomainName::parse(&format!("{letter}{number}.example")).unwrap()
}

/// Each domain with the time at which its row was written.
async fn scanned(nameserver: SocketAddr) -> Vec<(Duration, DomainRecord)> {
    let lookup = LookupConfig {
        nameservers: vec![nameserver],
        dane: false,
        tls_rpt: false,
        ..LookupConfig::default()
    };
    let config = EngineConfig {
        limits: Limits::none(100),
        lookups_in_flight: LOOKUPS,
        retry: RetryPlan { retries: 0, ..RetryPlan::default() },
        ..EngineConfig::default()
    };
    let judge = Judge::new(Roots::default(), jiff::Timestamp::now());
    let policy = Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()));
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    tokio::spawn(async move {
        for (line, number) in (1..).zip(0..DOMAINS) {
            targets_in.send(Target { line, subject: Subject::Domain(name(number)) }).await.unwrap();
        }
    });
    let begun = Instant::now();
    let collected = tokio::spawn(async move {
        let mut rows = Vec::new();
        while let Some(record) = records.recv().await {
            if let Record::Domain(domain) = record {
                rows.push((begun.elapsed(), *domain));
            }
        }
        rows
    });
    let stages = (Arc::new(DnsLookup::new(lookup).unwrap()), Arc::new(Refuses), policy);
    run(config, stages, targets, records_in, Arc::new(Progress::default()), CancellationToken::new())
        .await
        .unwrap();
    collected.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_resolver_slows_a_run_down_and_changes_no_answer() {
    let (nameserver, asked) = resolver().await;
    let rows = scanned(nameserver).await;
    assert_eq!(rows.len(), DOMAINS);
    let mut told: BTreeMap<(char, String), usize> = BTreeMap::new();
    for (_, row) in &rows {
        let outcome = &row.verdict.outcome;
        let letter = row.facts.target.subject.label().chars().next().unwrap();
        let reason = outcome.reason.map_or(String::new(), |reason| format!(" {reason}"));
        *told.entry((letter, format!("{}{reason}", outcome.delivery.name()))).or_default() += 1;
    }
    let each = DOMAINS / NOT_ANSWERED_EVERY;
    let expected = [
        ('d', "undetermined greeting_rejected", DOMAINS - 2 * each),
        ('h', "undetermined dns_timeout", each),
        ('m', "undetermined dns_timeout", each),
    ];
    let expected = expected.map(|(letter, words, count)| ((letter, words.to_string()), count));
    assert_eq!(told, BTreeMap::from(expected));
    assert!(asked.most.load(Ordering::Relaxed) >= LOOKUPS, "{:?} questions at a time", asked.most);
    // Each lookup waits for two answers, one after the other, and each place has two
    // lookups; a place of one without an answer is held for ten seconds more.
    let answered = rows.iter().filter(|(_, row)| row.facts.target.subject.label().starts_with('d'));
    let last = answered.map(|(at, _)| *at).max().unwrap();
    assert!(last < 10 * LATE, "{last:?}");
}
