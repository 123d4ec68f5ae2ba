//! What a run counts for whoever watches it from outside: how connections end, how
//! long lookups take, who waits. Each costs an addition where it happens; nothing is
//! put together before somebody asks.

use super::ends::{EndCounts, PhaseEnd};
use crate::model::Failure;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Bounds by which the times of lookups are counted.
pub const LOOKUP_BOUNDS: [Duration; 12] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// Who waits, as it was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingCounts {
    /// Hosts that wait for their connection, and domains in the file.
    pub queued: u64,
    /// Domains in memory that wait for a host.
    pub domains: u64,
    /// Domains that wait in the file.
    pub in_file: u64,
}

/// The counters.
#[derive(Debug)]
pub struct Meters {
    connections: EndCounts,
    /// Lookups within each bound and beyond the one before; the last: beyond all.
    lookups: [AtomicU64; LOOKUP_BOUNDS.len() + 1],
    lookup_micros: AtomicU64,
    cool_downs: AtomicU64,
    queued: AtomicU64,
    domains: AtomicU64,
    in_file: AtomicU64,
}

impl Default for Meters {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self {
            connections: EndCounts::default(),
            lookups: std::array::from_fn(|_| zero()),
            lookup_micros: zero(),
            cool_downs: zero(),
            queued: zero(),
            domains: zero(),
            in_file: zero(),
        }
    }
}

/// How long lookups took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupTimes {
    /// How many took no longer than each of [`LOOKUP_BOUNDS`].
    pub within: [u64; LOOKUP_BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long all took together.
    pub sum: Duration,
}

impl Meters {
    pub(super) fn connection_ended(&self, failure: Option<&Failure>) {
        self.connections.add(failure);
    }

    pub(super) fn looked_up(&self, time: Duration) {
        let place = LOOKUP_BOUNDS.partition_point(|bound| *bound < time);
        if let Some(counter) = self.lookups.get(place) {
            counter.fetch_add(1, Relaxed);
        }
        self.lookup_micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn set_cool_downs(&self, begun: u64) {
        self.cool_downs.store(begun, Relaxed);
    }

    pub(super) fn set_waiting(&self, waiting: WaitingCounts) {
        self.queued.store(waiting.queued, Relaxed);
        self.domains.store(waiting.domains, Relaxed);
        self.in_file.store(waiting.in_file, Relaxed);
    }

    /// How connections ended, and how many so.
    pub fn connections(&self) -> Vec<(PhaseEnd, u64)> {
        self.connections.counted()
    }

    /// How long lookups took, retries counted anew.
    pub fn lookups(&self) -> LookupTimes {
        let mut times = LookupTimes::default();
        for (place, counter) in self.lookups.iter().enumerate() {
            times.count += counter.load(Relaxed);
            if let Some(within) = times.within.get_mut(place) {
                *within = times.count;
            }
        }
        times.sum = Duration::from_micros(self.lookup_micros.load(Relaxed));
        times
    }

    /// Cool-downs that this process began.
    pub fn cool_downs(&self) -> u64 {
        self.cool_downs.load(Relaxed)
    }

    /// Who waits, as of some seconds ago.
    pub fn waiting(&self) -> WaitingCounts {
        let [queued, domains, in_file] =
            [&self.queued, &self.domains, &self.in_file].map(|counter| counter.load(Relaxed));
        WaitingCounts { queued, domains, in_file }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Phase};

    #[test]
    fn connections_and_lookups_are_counted_by_what_they_came_to() {
        let meters = Meters::default();
        meters.connection_ended(None);
        let timeout = Failure::new(Phase::Connect, Kind::Timeout);
        (0..2).for_each(|_| meters.connection_ended(Some(&timeout)));
        assert_eq!(meters.connections(), [(None, 1), (Some((Phase::Connect, Kind::Timeout)), 2)]);
        for millis in [5, 6, 60_000] {
            meters.looked_up(Duration::from_millis(millis));
        }
        let times = meters.lookups();
        assert_eq!((times.within[0], times.within[1], times.within[11], times.count), (1, 2, 2, 3));
        assert_eq!(times.sum, Duration::from_millis(60_011));
    }
}
