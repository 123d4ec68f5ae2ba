//! Whether this machine, or this process alone, stood still for a while: it was
//! stopped, suspended, or had no processor. What servers do to a client that says
//! nothing meanwhile is no answer of theirs, and a deadline that passed meanwhile
//! says nothing about them.
//!
//! A thread beats all the time, and sees by the clocks when a beat comes late.

use crate::model::{Failure, HelloEnd, HelloObservation, Kind, Observation, Phase};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::sleep_until;

/// How often the clocks are read.
const BEAT: Duration = Duration::from_millis(500);

/// From when on a late beat is a standstill. A busy machine is late by less.
const STANDSTILL_MIN: Duration = Duration::from_secs(2);

/// From when on a deadline that is noticed late was not kept by us.
const LATE_MIN: Duration = Duration::from_millis(500);

/// How long what came in meanwhile may take from the system to here.
const GRACE: Duration = Duration::from_millis(500);

/// Begins to watch, once for the whole process.
pub(super) fn watch() {
    static BEATING: OnceLock<bool> = OnceLock::new();
    BEATING.get_or_init(|| {
        // Without a first beat nothing is ever late.
        let spawned = thread::Builder::new().name("standstill".into()).spawn(|| {
            loop {
                WATCH.beat(elapsed());
                thread::sleep(BEAT);
            }
        });
        spawned.is_ok()
    });
}

/// How often this machine has stood still.
pub(super) fn count() -> u64 {
    WATCH.count.load(Ordering::Acquire)
}

/// For how long it stood still, if it did after [`count`] was `before`.
fn since(before: u64) -> Option<Duration> {
    WATCH.since(before, elapsed())
}

/// What ended a connection while this machine stood still is told as its own: it may
/// be asked again. `before` is [`count`] as the connection began.
pub(super) fn own(seen: &mut Observation, before: u64) {
    let Some(failure) = seen.failure.take_if(|failure| is_due_to_silence(failure.kind)) else { return };
    let told = told(failure, since(before));
    seen.dialogue.failure = Some(told.clone());
    seen.failure = Some(told);
}

/// The same of a further hello.
pub(super) fn own_hello(seen: HelloObservation, before: u64) -> HelloObservation {
    let ended = matches!(seen.end, HelloEnd::Timeout | HelloEnd::Closed);
    let broke_off = seen.failure.as_ref().is_some_and(|failure| is_due_to_silence(failure.kind));
    let Some(stood) = since(before).filter(|_| ended || broke_off) else { return seen };
    let kind = if seen.end == HelloEnd::Timeout { Kind::Timeout } else { Kind::Closed };
    let failure = seen.failure.clone().unwrap_or(Failure::new(Phase::Tls, kind));
    let failure = told(failure, Some(stood));
    HelloObservation { end: HelloEnd::NotAsked, failure: Some(failure), ..seen }
}

/// What a server, or its deadline, does to a client that says nothing.
fn is_due_to_silence(kind: Kind) -> bool {
    matches!(kind, Kind::Timeout | Kind::Closed | Kind::Throttled | Kind::Reset)
}

/// The failure as one of this machine, if it stood still.
fn told(failure: Failure, stood: Option<Duration>) -> Failure {
    let Some(stood) = stood else { return failure };
    let (kind, detail) = (failure.kind, failure.detail.as_deref().unwrap_or_default());
    let seconds = stood.as_secs_f64();
    let text = format!("this machine stood still for {seconds:.1} s, then {kind} {detail}");
    Failure::new(failure.phase, Kind::LocalError).with_detail(text.trim_end())
}

/// The clocks, as time since the first look at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Clocks {
    /// Of the clock that goes on while the process is stopped, and stands while
    /// the machine is suspended.
    running: Duration,
    /// Of the clock on the wall.
    wall: Duration,
}

fn elapsed() -> Clocks {
    static FIRST: OnceLock<(Instant, SystemTime)> = OnceLock::new();
    let (instant, wall) = FIRST.get_or_init(|| (Instant::now(), SystemTime::now()));
    Clocks { running: instant.elapsed(), wall: wall.elapsed().unwrap_or_default() }
}

static WATCH: ClockWatch = ClockWatch::new();

/// What the beats have shown, in milliseconds; 0 before the first.
struct ClockWatch {
    running: AtomicU64,
    wall: AtomicU64,
    count: AtomicU64,
    last: AtomicU64,
}

impl ClockWatch {
    const fn new() -> Self {
        Self {
            running: AtomicU64::new(0),
            wall: AtomicU64::new(0),
            count: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    fn beat(&self, now: Clocks) {
        if let Some(stood) = self.late(now) {
            self.last.store(millis(stood), Ordering::Release);
            self.count.fetch_add(1, Ordering::AcqRel);
        }
        self.wall.store(millis(now.wall), Ordering::Release);
        self.running.store(millis(now.running).max(1), Ordering::Release);
    }

    /// By how much the beat that is due comes too late. A wall clock that ran ahead of
    /// the other one was set, or the machine was suspended: nobody can tell which.
    fn late(&self, now: Clocks) -> Option<Duration> {
        let beat = Duration::from_millis(self.running.load(Ordering::Acquire));
        if beat.is_zero() {
            return None;
        }
        let wall = Duration::from_millis(self.wall.load(Ordering::Acquire));
        let passed = now.running.saturating_sub(beat).max(now.wall.saturating_sub(wall));
        Some(passed.saturating_sub(BEAT)).filter(|late| *late >= STANDSTILL_MIN)
    }

    fn since(&self, before: u64, now: Clocks) -> Option<Duration> {
        let noticed = self.count.load(Ordering::Acquire) > before;
        let last = || Duration::from_millis(self.last.load(Ordering::Acquire));
        // Who looks may be there before the next beat.
        noticed.then(last).or_else(|| self.late(now))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What comes of `work` by `deadline`; `None` if it took too long. Where the deadline
/// passed while this machine stood still, what came in meanwhile is there a moment
/// after that: the system tells of timers first.
pub(super) async fn by<T>(deadline: tokio::time::Instant, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut ends = pin!(sleep_until(deadline));
    // Once: a server that says a little all the time is not waited for any longer.
    let mut graced = tokio::time::Instant::now() >= deadline;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            if ends.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = tokio::time::Instant::now();
            if graced || now < deadline + LATE_MIN {
                return Poll::Ready(None);
            }
            graced = true;
            ends.as_mut().reset(now + GRACE);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(running: u64, wall: u64) -> Clocks {
        Clocks { running: Duration::from_millis(running), wall: Duration::from_millis(wall) }
    }

    #[test]
    fn a_late_beat_is_a_standstill() {
        let watch = ClockWatch::new();
        assert_eq!(watch.since(0, at(90_000, 90_000)), None, "nobody beats");
        watch.beat(at(1000, 1000));
        watch.beat(at(3499, 3499));
        assert_eq!((watch.since(0, at(4000, 4000)), watch.count.load(Ordering::Acquire)), (None, 0));
        // Seen by who looks, and then by the next beat.
        assert_eq!(watch.since(0, at(9999, 9999)), Some(Duration::from_secs(6)));
        watch.beat(at(9999, 9999));
        assert_eq!(watch.since(0, at(10_000, 10_000)), Some(Duration::from_secs(6)));
        assert_eq!(watch.since(1, at(10_000, 10_000)), None, "it was before");
    }

    #[test]
    fn a_wall_clock_that_runs_ahead_is_one_too_and_one_set_back_is_none() {
        let watch = ClockWatch::new();
        watch.beat(at(1000, 1000));
        watch.beat(at(1500, 61_500));
        assert_eq!(watch.since(0, at(1600, 61_600)), Some(Duration::from_secs(60)));
        watch.beat(at(2000, 1000));
        watch.beat(at(2500, 1500));
        assert_eq!(watch.since(1, at(2600, 1600)), None);
    }

    #[test]
    fn what_is_told_names_what_was_seen() {
        let failure = Failure::new(Phase::Starttls, Kind::Throttled).with_detail("4.4.2 too slow");
        let told = told(failure, Some(Duration::from_millis(3040)));
        assert_eq!((told.phase, told.kind), (Phase::Starttls, Kind::LocalError));
        let detail = "this machine stood still for 3.0 s, then throttled 4.4.2 too slow";
        assert_eq!(told.detail.as_deref(), Some(detail));
    }
}
