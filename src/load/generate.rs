//! Makes the load: begins sessions when they are due, and hands what each
//! came to to the one task that adds up.

use super::clock;
use super::measure::{Measured, Sample};
use super::progress::LoadProgress;
use super::round::Round;
use super::settings::{Bound, Handshakes, LoadModel, Settings};
use crate::model::{Failure, ProbeKey};
use crate::stage::Probe;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Results on their way to the task that adds up.
const SAMPLES_QUEUED_MAX: usize = 1024;

/// Sessions ahead of an open loop that resumes, for their tickets. A closed
/// loop needs as many as it keeps under way.
const OPEN_TICKETS: u32 = 16;

/// A round of a load, ready to be made.
pub struct Job<P> {
    /// Makes a session.
    pub probe: Arc<P>,
    /// With whom.
    pub key: ProbeKey,
    /// The load: how much, over how many connections, for how long.
    pub settings: Settings,
    /// Until when.
    pub bound: Bound,
    /// Most sessions at a time of an open loop, 1 to
    /// [`CONCURRENCY_MAX`](super::CONCURRENCY_MAX).
    pub in_flight_max: u32,
    /// Who watches.
    pub progress: LoadProgress,
}

// Not derived: that would ask the same of the probe, which is shared.
impl<P> Clone for Job<P> {
    fn clone(&self) -> Self {
        let Self { probe, key, settings, bound, in_flight_max, progress } = self;
        Self {
            probe: probe.clone(),
            key: key.clone(),
            settings: settings.clone(),
            bound: *bound,
            in_flight_max: *in_flight_max,
            progress: progress.clone(),
        }
    }
}

/// Why a load was not made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The session that goes ahead of it failed.
    #[error("{key} completes no session: {failure}")]
    First {
        /// Who was asked.
        key: ProbeKey,
        /// How the session ended.
        failure: Failure,
    },
    /// No memory for the counts.
    #[error("no memory to count in: {0}")]
    Memory(#[from] hdrhistogram::CreationError),
}

/// Makes a round until its bound, or until `stop`; sessions that are under way
/// then are ended in order. One session goes ahead and is not counted, so that
/// no load is made where nothing can come of it.
///
/// # Errors
/// [`LoadError`] if that session fails.
pub async fn run<P: Probe>(job: Job<P>, stop: CancellationToken) -> Result<Round, LoadError> {
    let mut measured = Measured::new()?;
    job.progress.begin_round();
    go_ahead(&job, &stop).await?;
    let progress = job.progress.clone();
    let (started, begun) = (Timestamp::now(), Instant::now());
    let (samples, mut done) = mpsc::channel(SAMPLES_QUEUED_MAX);
    let making = match job.settings.pacing {
        LoadModel::Closed { concurrency } => {
            tokio::spawn(closed(job, concurrency, begun, samples, stop.clone()))
        }
        LoadModel::Open { .. } => tokio::spawn(open(job, begun, samples, stop.clone())),
    };
    let mut ended = begun;
    while let Some(sample) = done.recv().await {
        measured.add(&sample);
        progress.add(sample.failure.is_some());
        ended = Instant::now();
    }
    // It has dropped its end of the channel, so it is done.
    measured.not_begun = making.await.unwrap_or_default();
    Ok(Round::new(started, ended - begun, &measured, stop.is_cancelled()))
}

/// The sessions that are not counted: one, and where sessions are to be
/// resumed, those that bring the first tickets.
async fn go_ahead<P: Probe>(job: &Job<P>, stop: &CancellationToken) -> Result<(), LoadError> {
    let seen = job.probe.probe(job.key.clone(), 1).await;
    if let Some(failure) = seen.failure {
        return Err(LoadError::First { key: job.key.clone(), failure });
    }
    let tickets = match (job.settings.handshakes, job.settings.pacing) {
        (Handshakes::Full, _) => 0,
        (Handshakes::Resumed, LoadModel::Closed { concurrency }) => concurrency,
        (Handshakes::Resumed, LoadModel::Open { .. }) => OPEN_TICKETS,
    };
    let mut sessions = JoinSet::new();
    for _ in (0..tickets).take_while(|_| !stop.is_cancelled()) {
        let (probe, key) = (job.probe.clone(), job.key.clone());
        sessions.spawn(async move { probe.probe(key, 1).await });
    }
    sessions.join_all().await;
    Ok(())
}

/// So many workers, each with one session after the other. None that was due
/// is left out.
async fn closed<P: Probe>(
    job: Job<P>,
    concurrency: u32,
    begun: Instant,
    samples: mpsc::Sender<Sample>,
    stop: CancellationToken,
) -> u64 {
    let job = Arc::new(job);
    let taken = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        let (job, taken, samples, stop) = (job.clone(), taken.clone(), samples.clone(), stop.clone());
        workers.spawn(async move {
            while !stop.is_cancelled()
                && begun.elapsed() < job.bound.duration
                && taken.fetch_add(1, Ordering::Relaxed) < job.bound.count
            {
                let seen = job.probe.probe(job.key.clone(), 1).await;
                let _ = samples.send(Sample::of(&seen, None)).await;
            }
        });
    }
    workers.join_all().await;
    0
}

/// Begins each session when it is due, or as soon after as there is room. What
/// has found none when the time is up is not begun any more; gives how many.
async fn open<P: Probe>(
    job: Job<P>,
    begun: Instant,
    samples: mpsc::Sender<Sample>,
    stop: CancellationToken,
) -> u64 {
    let Bound { count, duration } = job.bound;
    let mut due = clock::start(job.settings.pacing, begun, count, duration);
    let room = Arc::new(Semaphore::new(job.in_flight_max as usize));
    let mut not_begun = 0;
    loop {
        let begin = async {
            let moment = due.recv().await?;
            let permit = room.clone().acquire_owned().await.ok()?;
            Some((moment, permit))
        };
        let (moment, permit) = tokio::select! {
            begin = begin => match begin {
                Some(begin) => begin,
                None => break,
            },
            () = stop.cancelled() => break,
        };
        if begun.elapsed() >= duration {
            not_begun += 1;
            continue;
        }
        tokio::spawn(session(job.probe.clone(), job.key.clone(), moment, permit, samples.clone()));
    }
    not_begun
}

async fn session<P: Probe>(
    probe: Arc<P>,
    key: ProbeKey,
    due: Instant,
    permit: OwnedSemaphorePermit,
    samples: mpsc::Sender<Sample>,
) {
    let wait = due.elapsed();
    let seen = probe.probe(key, 1).await;
    drop(permit);
    let _ = samples.send(Sample::of(&seen, Some(wait))).await;
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;
