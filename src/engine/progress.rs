//! How far a run is, for whoever wants to show it.

use super::canary::CanaryPause;
use super::ends::{EndCounts, PhaseEnd};
use super::meters::Meters;
use super::pace::{Change, CoolDownCounts};
use super::place_book::{PlaceBook, PlaceStanding};
use crate::interrogate::PauseCause;
use crate::model::{DomainFacts, Failure, Verdict};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Which share of a list tells how long all of it takes.
const SHARE_TELLING: f64 = 0.02;

/// After so long any share does.
const TELLING_AFTER: Duration = Duration::from_secs(300);

/// Pauses that are told.
const CANARY_PAUSES_MAX: usize = 1000;

/// Counters that the engine advances and a display reads. They may be read a
/// little out of step with each other; at the end of a run they are exact.
#[derive(Debug)]
pub struct Progress {
    total: AtomicU64,
    domains_done: AtomicU64,
    probes_done: AtomicU64,
    handshakes: AtomicU64,
    in_flight: AtomicU64,
    second_looks_waiting: AtomicU64,
    retries_waiting: AtomicU64,
    cooling: AtomicU64,
    given_up: AtomicU64,
    targets_taken: AtomicU64,
    targets_held: AtomicU64,
    least_ms: AtomicU64,
    rest_ms: AtomicU64,
    meters: Meters,
    places: Mutex<PlaceBook>,
    places_changed: AtomicBool,
    canary_pauses: watch::Sender<Vec<CanaryPause>>,
    silent_canaries: watch::Sender<Vec<String>>,
    domains: EndCounts,
}

impl Default for Progress {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self {
            total: zero(),
            domains_done: zero(),
            probes_done: zero(),
            handshakes: zero(),
            in_flight: zero(),
            second_looks_waiting: zero(),
            retries_waiting: zero(),
            cooling: zero(),
            given_up: zero(),
            targets_taken: zero(),
            targets_held: zero(),
            least_ms: zero(),
            rest_ms: zero(),
            meters: Meters::default(),
            places: Mutex::default(),
            places_changed: AtomicBool::default(),
            canary_pauses: watch::Sender::default(),
            silent_canaries: watch::Sender::default(),
            domains: EndCounts::default(),
        }
    }
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Targets in the input, once counted.
    pub total: Option<u64>,
    /// Domains with a row.
    pub domains_done: u64,
    /// Keys probed.
    pub probes_done: u64,
    /// TLS sessions established.
    pub handshakes: u64,
    /// Connections open.
    pub in_flight: u64,
    /// Keys that wait until they are looked at once more.
    pub second_looks_waiting: u64,
    /// Keys that wait until they are asked again.
    pub retries_waiting: u64,
    /// Addresses, networks and operators that complained and are left alone.
    pub cooling: u64,
    /// Those that are asked no more.
    pub given_up: u64,
    /// Targets read of the input.
    pub targets_taken: u64,
    /// Of these such as wait for a sample of the names of their address, and are not
    /// asked if all are answered alike.
    pub targets_held: u64,
    /// What those read so far take at least from now on, at the pace of the slowest
    /// address, network or operator, and of the run.
    pub least: Duration,
    /// What those take at least that wait for their time, or are left alone.
    pub rest: Duration,
    /// The pause that goes on because canaries refuse.
    pub paused: Option<CanaryPause>,
    /// Domain outcomes so far, most frequent first.
    pub outcomes: Vec<(PhaseEnd, u64)>,
}

impl Snapshot {
    /// How long the run will still take, `elapsed` after its start, when so many
    /// domains were done `earlier`; `None` where nothing is left, or nothing tells yet.
    ///
    /// As long as the domains that are done took for each; or, if that is longer, as
    /// long as the slowest address, network or operator does, where what was not read
    /// of the input is like what was. Either counts from a fiftieth of the list on, or
    /// after five minutes: what fewer tell is chance. Whoever waits for a sample is
    /// taken as not to be asked.
    pub fn left(&self, earlier: u64, elapsed: Duration) -> Option<Duration> {
        let total = self.total?;
        if self.domains_done >= total {
            return None;
        }
        let all = total.saturating_sub(earlier) as f64;
        let share = |count: u64| (count.saturating_sub(earlier) as f64 / all).min(1.0);
        let tells = |share: &f64| *share >= SHARE_TELLING || *share > 0.0 && elapsed >= TELLING_AFTER;
        let seconds = elapsed.as_secs_f64();
        let as_whole = |time: f64, share: f64| time / share - seconds;
        // Those that are held take no time, so they say nothing of how long others take.
        let held = self.targets_held as f64 / all;
        let done = Some(share(self.domains_done))
            .filter(tells)
            .map(|done| seconds * (1.0 - held - done).max(0.0) / done);
        let by_pace = Some(share(self.targets_taken)).filter(tells);
        let by_pace = by_pace.map(|read| as_whole(seconds + self.least.as_secs_f64(), read));
        let left = done.into_iter().chain(by_pace).reduce(f64::max)?.max(self.rest.as_secs_f64());
        Duration::try_from_secs_f64(left).ok().filter(|left| !left.is_zero())
    }
}

impl Progress {
    /// Has the places that complained stand as an earlier process left them.
    pub fn set_places(&self, earlier: PlaceBook) {
        *self.places() = earlier;
    }

    /// Has them stand as they did before.
    pub(super) fn restore_places(&self, before: PlaceBook) {
        self.set_places(before);
        self.places_changed.store(true, Ordering::Relaxed);
    }

    /// The pauses that canaries made, as they begin and end; the first thousand.
    pub fn canary_pauses(&self) -> watch::Receiver<Vec<CanaryPause>> {
        self.canary_pauses.subscribe()
    }

    /// The canaries that did not answer in the first round, and why: known once that is
    /// over.
    pub fn silent_canaries(&self) -> watch::Receiver<Vec<String>> {
        self.silent_canaries.subscribe()
    }

    pub(super) fn canaries_silent(&self, silent: Vec<String>) {
        self.silent_canaries.send_replace(silent);
    }

    pub(super) fn canaries_told(&self, pause: Option<CanaryPause>) {
        let Some(pause) = pause else { return };
        self.canary_pauses.send_modify(|pauses| {
            pauses.pop_if(|last| last.ended.is_none());
            if pauses.len() < CANARY_PAUSES_MAX {
                pauses.push(pause);
            }
        });
    }

    /// How it stands with the places that complained, if that has changed since this
    /// was asked last.
    pub fn places_if_changed(&self) -> Option<PlaceBook> {
        self.places_changed.swap(false, Ordering::Relaxed).then(|| self.places().clone())
    }

    /// How it stands with them.
    pub fn places(&self) -> MutexGuard<'_, PlaceBook> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn place_changed(&self, name: String, change: Change, standing: Option<PlaceStanding>) {
        let mut places = self.places();
        places.begun += u64::from(change == Change::Cools);
        if change == Change::GivesUp {
            places.given_up.add(name.clone());
        }
        places.set(name, standing);
        self.places_changed.store(true, Ordering::Relaxed);
    }

    /// Says how many targets the input has.
    pub fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// What is counted beside.
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    pub(super) fn set_in_flight(&self, open: usize) {
        self.in_flight.store(open as u64, Ordering::Relaxed);
    }

    /// What is left will take so long at least: of so many targets, of which so many are
    /// held.
    pub(super) fn set_outlook(&self, (targets, held): (u64, u64), least: Duration, rest: Duration) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.targets_taken.store(targets, Ordering::Relaxed);
        self.targets_held.store(held, Ordering::Relaxed);
        self.least_ms.store(millis(least), Ordering::Relaxed);
        self.rest_ms.store(millis(rest), Ordering::Relaxed);
    }

    pub(super) fn set_cool_downs(&self, counts: CoolDownCounts) {
        self.cooling.store(counts.cooling, Ordering::Relaxed);
        self.meters.set_cool_downs(counts.begun);
        self.given_up.store(counts.given_up, Ordering::Relaxed);
    }

    pub(super) fn pause_begun(&self, cause: PauseCause) {
        self.waiting(cause).fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pause_over(&self, cause: PauseCause) {
        self.waiting(cause).fetch_sub(1, Ordering::Relaxed);
    }

    /// After this no key waits any more, and none will.
    pub(super) fn pauses_given_up(&self) {
        self.second_looks_waiting.store(0, Ordering::Relaxed);
        self.retries_waiting.store(0, Ordering::Relaxed);
    }

    fn waiting(&self, cause: PauseCause) -> &AtomicU64 {
        match cause {
            PauseCause::SecondLook => &self.second_looks_waiting,
            PauseCause::Retry => &self.retries_waiting,
        }
    }

    pub(super) fn probe_done(&self, established: bool) {
        self.probes_done.fetch_add(1, Ordering::Relaxed);
        self.handshakes.fetch_add(u64::from(established), Ordering::Relaxed);
    }

    /// A domain is done, and has no outcome here: another shard has more of it, or only
    /// the DNS was asked.
    pub fn domain_passed_on(&self) {
        self.domains_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn domain_done(&self, failure: Option<&Failure>) {
        self.domains_done.fetch_add(1, Ordering::Relaxed);
        self.domains.add(failure);
    }

    /// Reads all counters.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut outcomes = self.domains.counted();
        outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let total = read(&self.total);
        Snapshot {
            total: (total > 0).then_some(total),
            domains_done: read(&self.domains_done),
            probes_done: read(&self.probes_done),
            handshakes: read(&self.handshakes),
            in_flight: read(&self.in_flight),
            second_looks_waiting: read(&self.second_looks_waiting),
            retries_waiting: read(&self.retries_waiting),
            cooling: read(&self.cooling),
            given_up: read(&self.given_up),
            targets_taken: read(&self.targets_taken),
            targets_held: read(&self.targets_held),
            least: Duration::from_millis(read(&self.least_ms)),
            rest: Duration::from_millis(read(&self.rest_ms)),
            paused: self.canary_pauses.borrow().last().filter(|pause| pause.ended.is_none()).cloned(),
            outcomes,
        }
    }
}

/// What ended the dialogue with the best host of a domain, or why there is none.
pub(super) fn failure_of<'a>(facts: &'a DomainFacts, verdict: &'a Verdict) -> Option<&'a Failure> {
    let unresolved = verdict.unresolved.and_then(|exchange| facts.exchanges.get(exchange));
    match (&verdict.best, unresolved) {
        (Some(view), _) => view.finding().failure.as_ref(),
        (None, Some(exchange)) => exchange.why_unresolved(),
        (None, None) => facts.failure.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Phase};

    #[test]
    fn nothing_is_told_of_the_end_before_enough_tells() {
        let seconds = Duration::from_secs;
        let left = |done, read, least, elapsed| {
            let snapshot = Snapshot {
                total: Some(100_000),
                domains_done: done,
                targets_taken: read,
                least: seconds(least),
                ..Snapshot::default()
            };
            snapshot.left(0, seconds(elapsed))
        };
        assert_eq!(left(0, 0, 0, 1), None);
        assert_eq!(left(3, 1_000, 20, 2), None, "three of a hundred thousand");
        assert_eq!(left(0, 100_000, 20, 2), Some(seconds(20)), "all is read");
        assert_eq!(left(2_000, 2_000, 0, 10), Some(seconds(490)));
        assert_eq!(left(100, 1_000, 0, 400), Some(seconds(399_600)), "nothing better is known by then");
        assert_eq!(left(100_000, 100_000, 0, 400), None);
    }

    #[test]
    fn whoever_is_held_for_a_sample_takes_no_time() {
        let seconds = Duration::from_secs;
        let snapshot = |targets_held| Snapshot {
            total: Some(10_000),
            domains_done: 1_000,
            targets_taken: 10_000,
            targets_held,
            ..Snapshot::default()
        };
        assert_eq!(snapshot(0).left(0, seconds(100)), Some(seconds(900)));
        assert_eq!(snapshot(8_000).left(0, seconds(100)), Some(seconds(100)));
    }

    #[test]
    fn the_commonest_end_of_a_domain_comes_first() {
        let progress = Progress::default();
        progress.domain_done(None);
        for _ in 0..2 {
            progress.domain_done(Some(&Failure::new(Phase::AfterTls, Kind::EhloRejected)));
        }
        let told = [(Some((Phase::AfterTls, Kind::EhloRejected)), 2), (None, 1)];
        assert_eq!(progress.snapshot().outcomes, told);
    }

    #[test]
    fn those_that_wait_are_counted_by_what_they_wait_for() {
        let progress = Progress::default();
        let waiting = || {
            let Snapshot { second_looks_waiting, retries_waiting, .. } = progress.snapshot();
            (second_looks_waiting, retries_waiting)
        };
        for cause in [PauseCause::SecondLook, PauseCause::Retry, PauseCause::SecondLook] {
            progress.pause_begun(cause);
        }
        assert_eq!(waiting(), (2, 1));
        progress.pause_over(PauseCause::SecondLook);
        assert_eq!(waiting(), (1, 1));
        progress.pauses_given_up();
        assert_eq!(waiting(), (0, 0));
    }
}
