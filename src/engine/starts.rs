//! When the connections begin.
//!
//! What the [`Pacer`](super::pace::Pacer) lets go is a task, and a busy
//! machine runs a task a little later than it is told to. The pauses of an
//! address, a network and an operator are promised between connections, so they
//! are counted from when they begin.

use super::pace::{AskedPlace, BucketKey, Limits, Timing};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Buckets whose pause is over are forgotten after so many starts.
const FORGET_EVERY_STARTS: u64 = 10_000;

/// The last starts in each bucket that may still rest.
pub(super) struct Starts {
    limits: Limits,
    origin: Instant,
    /// As in the pacer.
    after_another: bool,
    begun: Mutex<Begun>,
}

#[derive(Default)]
struct Begun {
    timings: HashMap<BucketKey, Timing>,
    count: u64,
}

impl Starts {
    /// Under these limits.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, origin: Instant::now(), after_another: false, begun: Mutex::default() }
    }

    /// Has every bucket count as connected to just now.
    pub(super) fn after_another(self, after_another: bool) -> Self {
        Self { after_another, ..self }
    }

    /// Waits until the place may be connected to; a connection begins now.
    pub(super) async fn before(&self, place: AskedPlace) {
        while let Some(due) = self.begin(place, self.origin.elapsed()) {
            sleep_until(self.origin + due).await;
        }
    }

    /// Notes a start, or gives the moment until which the place rests, both counted
    /// from the origin.
    fn begin(&self, place: AskedPlace, now: Duration) -> Option<Duration> {
        let limits = &self.limits;
        let buckets = || place.buckets(limits).filter(|key| key.limits(limits).has_timing());
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let by_another = buckets()
            .filter(|_| self.after_another)
            .filter_map(|key| Timing::due_after_another(key.limits(limits), now));
        let by_own = buckets().filter_map(|key| begun.timings.get(&key)?.due(key.limits(limits), now));
        let due = by_own.chain(by_another).max();
        if due.is_some() {
            return due;
        }
        for key in buckets() {
            begun.timings.entry(key).or_default().begin(key.limits(limits), now);
        }
        begun.count += 1;
        if begun.count.is_multiple_of(FORGET_EVERY_STARTS) {
            begun.timings.retain(|key, timing| !timing.is_over(key.limits(limits), now));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::BucketLimits;
    use super::*;
    use crate::model::Endpoint;

    const INTERVAL: Duration = Duration::from_secs(1);

    fn starts() -> Starts {
        let interval = BucketLimits { interval: INTERVAL, ..BucketLimits::NONE };
        Starts::new(Limits { per_ip: interval, ..Limits::none(1) })
    }

    fn place(ip: [u8; 4]) -> AskedPlace {
        AskedPlace { endpoint: Endpoint { ip: ip.into(), port: 25 }, operator: None }
    }

    #[test]
    fn an_address_rests_from_its_last_start_on() {
        let starts = starts();
        let [one, other] = [1, 2].map(|last| place([192, 0, 2, last]));
        let late = INTERVAL / 2;
        for (place, at, due) in [
            (one, Duration::ZERO, None),
            (other, late, None),
            (one, late, Some(INTERVAL)),
            (one, INTERVAL, None),
            (other, INTERVAL, Some(late + INTERVAL)),
            (one, INTERVAL + INTERVAL / 2, Some(2 * INTERVAL)),
        ] {
            assert_eq!(starts.begin(place, at), due, "{place:?}");
        }
    }

    /// Nobody knows when the process before it connected to anyone.
    #[test]
    fn a_run_that_goes_on_lets_every_bucket_rest_first() {
        let starts = starts().after_another(true);
        let place = place([192, 0, 2, 1]);
        assert_eq!(starts.begin(place, Duration::ZERO), Some(INTERVAL));
        assert_eq!(starts.begin(place, INTERVAL), None);
        assert_eq!(starts.begin(place, INTERVAL), Some(2 * INTERVAL));
    }

    #[test]
    fn a_start_that_one_bucket_forbids_counts_in_none() {
        let network = BucketLimits { interval: 3 * INTERVAL, ..BucketLimits::NONE };
        let starts = Starts::new(Limits { per_network: network, ..starts().limits });
        let [one, other] = [1, 2].map(|last| place([192, 0, 2, last]));
        assert_eq!(starts.begin(one, Duration::ZERO), None);
        assert_eq!(starts.begin(other, INTERVAL), Some(3 * INTERVAL));
        assert_eq!(starts.begin(other, 3 * INTERVAL), None);
        assert_eq!(starts.begin(other, 4 * INTERVAL), Some(6 * INTERVAL));
    }

    #[test]
    fn addresses_that_have_rested_are_forgotten() {
        let starts = starts();
        for number in 0..FORGET_EVERY_STARTS {
            let ip = u32::try_from(number).unwrap().to_be_bytes();
            starts.begin(place(ip), INTERVAL * u32::from(number + 1 == FORGET_EVERY_STARTS));
        }
        assert_eq!(starts.begun.lock().unwrap().timings.len(), 1);
    }
}
