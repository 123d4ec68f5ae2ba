//! Loads on a server in memory.

use super::super::Measure;
use super::*;
use crate::model::{ClientHelloSpec, Endpoint, HelloObservation, Kind, Observation, Phase};
use std::time::Duration;

/// A server whose sessions take `time` and, if it `fails`, come to nothing.
struct TimedServer {
    time: Duration,
    fails: bool,
    begun: AtomicU64,
    open: AtomicU64,
    most_open: AtomicU64,
}

impl TimedServer {
    fn new(millis: u64) -> Arc<Self> {
        let count = AtomicU64::default;
        let time = Duration::from_millis(millis);
        Arc::new(Self { time, fails: false, begun: count(), open: count(), most_open: count() })
    }
}

impl Probe for TimedServer {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let begun = Instant::now();
        self.begun.fetch_add(1, Ordering::SeqCst);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_open.fetch_max(open, Ordering::SeqCst);
        tokio::time::sleep(self.time).await;
        self.open.fetch_sub(1, Ordering::SeqCst);
        let refused = Failure::new(Phase::Connect, Kind::Refused);
        let mut seen = Observation::failed(key, Timestamp::UNIX_EPOCH, attempt, refused);
        seen.failure = seen.failure.filter(|_| self.fails);
        seen.timings.total_us = begun.elapsed().as_micros() as u64;
        seen
    }

    async fn hello(&self, _key: ProbeKey, spec: &ClientHelloSpec) -> HelloObservation {
        HelloObservation::not_asked(spec, Timestamp::UNIX_EPOCH, None)
    }
}

fn job(server: &Arc<TimedServer>, pacing: LoadModel, count: u64, duration: Duration) -> Job<TimedServer> {
    Job {
        probe: server.clone(),
        key: ProbeKey { endpoint: Endpoint { ip: [127, 0, 0, 1].into(), port: 25 }, sni: None },
        settings: Settings { pacing, ..super::super::fixtures::settings() },
        bound: Bound { count, duration },
        in_flight_max: 4,
        progress: LoadProgress::default(),
    }
}

const MINUTE: Duration = Duration::from_secs(60);

async fn made(job: Job<TimedServer>) -> Round {
    run(job, CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_closed_loop_keeps_so_many_under_way_until_its_count() {
    let server = TimedServer::new(2);
    let record = made(job(&server, LoadModel::Closed { concurrency: 3 }, 30, MINUTE)).await;
    assert_eq!((record.sessions.ok, record.sessions.not_begun, record.interrupted), (30, 0, false));
    assert_eq!(server.most_open.load(Ordering::SeqCst), 3);
    assert_eq!(server.begun.load(Ordering::SeqCst), 31, "one goes ahead");
    assert!(record.times(Measure::Wait).is_none());
}

#[tokio::test]
async fn a_load_ends_with_its_time() {
    let server = TimedServer::new(2);
    // Time enough for one session on a busy machine.
    let time = Duration::from_secs(1);
    let record = made(job(&server, LoadModel::Closed { concurrency: 1 }, 1_000_000, time)).await;
    assert!(record.sessions.ok > 0 && record.seconds >= 0.9, "{record:?}");
    let time = Duration::from_millis(60);
    let record = made(job(&server, LoadModel::Open { rate: 100 }, 1_000_000, time)).await;
    assert_eq!(record.sessions.ok + record.sessions.not_begun, 6, "those due in 60 ms at 100 a second");
}

/// What would be left out if a session were timed from its own begin: a
/// server with room for four at a time and 20 ms for each takes 200 a second.
/// Of 400 a second that are due, each has to wait longer than the one before.
#[tokio::test]
async fn an_open_loop_counts_the_wait_of_sessions_that_were_due() {
    let server = TimedServer::new(20);
    let record = made(job(&server, LoadModel::Open { rate: 400 }, 100, MINUTE)).await;
    assert_eq!(record.sessions.ok, 100);
    assert_eq!(server.most_open.load(Ordering::SeqCst), 4);
    let total = record.times(Measure::Total).unwrap();
    let wait = record.times(Measure::Wait).unwrap();
    // The last was due after 248 ms and began after 480 at the earliest.
    assert!(wait.max_us >= 230_000, "{wait:?}");
    assert!(total.max_us >= 250_000 && total.p50_us >= 100_000, "{total:?}");
}

#[tokio::test]
async fn what_found_no_room_in_time_is_counted() {
    let server = TimedServer::new(100);
    let time = Duration::from_millis(50);
    let record = made(job(&server, LoadModel::Open { rate: 200 }, 1_000_000, time)).await;
    let sessions = record.sessions;
    assert!(sessions.ok + sessions.not_begun == 10 && sessions.not_begun >= 6, "{sessions:?}");
}

#[tokio::test]
async fn a_load_that_is_stopped_ends_what_is_under_way_and_reports() {
    for pacing in [LoadModel::Closed { concurrency: 2 }, LoadModel::Open { rate: 100 }] {
        let server = TimedServer::new(5);
        let stop = CancellationToken::new();
        let making = tokio::spawn(run(job(&server, pacing, 1_000_000, MINUTE), stop.clone()));
        while server.begun.load(Ordering::SeqCst) < 5 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        let record = making.await.unwrap().unwrap();
        assert!(record.interrupted && record.seconds < 30.0);
        assert_eq!(record.sessions.ok + 1, server.begun.load(Ordering::SeqCst));
        assert_eq!(server.open.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn nothing_is_loaded_on_a_server_that_refuses() {
    let server = Arc::new(TimedServer { fails: true, ..Arc::into_inner(TimedServer::new(0)).unwrap() });
    let refused =
        run(job(&server, LoadModel::Open { rate: 100 }, 10, MINUTE), CancellationToken::new()).await;
    let told = refused.unwrap_err().to_string();
    assert!(told.starts_with("127.0.0.1:25 completes no session: connect"), "{told}");
    assert_eq!(server.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn to_resume_as_many_sessions_go_ahead_as_are_under_way_later() {
    let server = TimedServer::new(1);
    let mut job = job(&server, LoadModel::Closed { concurrency: 3 }, 5, MINUTE);
    job.settings.handshakes = Handshakes::Resumed;
    assert_eq!(made(job).await.sessions.ok, 5);
    assert_eq!(server.begun.load(Ordering::SeqCst), 1 + 3 + 5);
}
