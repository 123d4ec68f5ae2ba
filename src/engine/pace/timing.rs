//! When a bucket may be connected to again.

use super::limits::BucketLimits;
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

/// The time over which [`BucketLimits::per_minute`] counts.
const MINUTE: Duration = Duration::from_secs(60);

/// The starts of a bucket that still count. Moments are counted from the start
/// of the run.
#[derive(Debug, Default)]
pub(in crate::engine) struct Timing {
    last: Option<Duration>,
    /// Those of the last minute, at most as many as it allows.
    minute: VecDeque<Duration>,
}

impl Timing {
    /// The moment before which no connection may begin; `None` if one may now.
    pub(in crate::engine) fn due(&self, limits: &BucketLimits, now: Duration) -> Option<Duration> {
        let by_interval = self.last.map(|last| last + limits.interval);
        let by_minute = limits
            .per_minute
            .and_then(|most| self.minute.get(self.minute.len().checked_sub(size(most))?))
            .map(|oldest| *oldest + MINUTE);
        by_interval.max(by_minute).filter(|due| *due > now)
    }

    /// A connection begins.
    pub(in crate::engine) fn begin(&mut self, limits: &BucketLimits, now: Duration) {
        self.last = Some(now);
        if let Some(most) = limits.per_minute {
            self.minute.push_back(now);
            while self.minute.len() > size(most) {
                self.minute.pop_front();
            }
        }
    }

    /// Whether nothing of it counts any more.
    pub(in crate::engine) fn is_over(&self, limits: &BucketLimits, now: Duration) -> bool {
        self.last.is_none_or(|last| last + Self::lasts(limits) <= now)
    }

    /// How long a start counts.
    pub(in crate::engine) fn lasts(limits: &BucketLimits) -> Duration {
        if limits.per_minute.is_some() { limits.interval.max(MINUTE) } else { limits.interval }
    }

    /// The moment before which no connection may begin because another process may
    /// have begun as many as are allowed until this one started.
    pub(in crate::engine) fn due_after_another(limits: &BucketLimits, now: Duration) -> Option<Duration> {
        Some(Self::lasts(limits)).filter(|due| *due > now)
    }
}

/// The least time between the first and the last of so many starts.
pub fn least_time(limits: &BucketLimits, starts: u64) -> Duration {
    let times = |span: Duration, count: u64| span.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
    let earlier = starts.saturating_sub(1);
    let by_interval = times(limits.interval, earlier);
    let Some(most) = limits.per_minute.map(|most| u64::from(most.get())) else { return by_interval };
    // A minute is full of starts an interval apart, and the next is like it.
    let by_minute = times(MINUTE, earlier / most) + times(limits.interval, earlier % most);
    by_interval.max(by_minute)
}

fn size(most: NonZeroU32) -> usize {
    most.get() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn no_sixty_seconds_have_more_starts_than_a_minute_may() {
        let limits = BucketLimits { per_minute: NonZeroU32::new(2), ..BucketLimits::NONE };
        let mut timing = Timing::default();
        for (now, due) in [(0, None), (10, None), (20, Some(60)), (60, None), (61, Some(70)), (70, None)] {
            assert_eq!(timing.due(&limits, seconds(now)), due.map(seconds), "at {now}");
            if due.is_none() {
                timing.begin(&limits, seconds(now));
            }
        }
        assert!(!timing.is_over(&limits, seconds(129)));
        assert!(timing.is_over(&limits, seconds(130)));
    }

    #[test]
    fn the_least_time_is_that_of_starts_each_as_soon_as_it_may() {
        for interval in [0, 1, 5, 20, 60, 90] {
            for most in [None, NonZeroU32::new(1), NonZeroU32::new(3), NonZeroU32::new(12)] {
                let limits =
                    BucketLimits { per_minute: most, interval: seconds(interval), connections: None };
                let (mut timing, mut now) = (Timing::default(), Duration::ZERO);
                for starts in 1..=40 {
                    now = timing.due(&limits, now).unwrap_or(now);
                    timing.begin(&limits, now);
                    assert_eq!(least_time(&limits, starts), now, "{starts} starts, {limits:?}");
                }
            }
        }
        assert_eq!(least_time(&BucketLimits::NONE, 0), Duration::ZERO);
    }

    /// Its limits may become smaller while it is used.
    #[test]
    fn a_smaller_limit_counts_the_last_starts() {
        let limits = |most| BucketLimits { per_minute: NonZeroU32::new(most), ..BucketLimits::NONE };
        let mut timing = Timing::default();
        (0..4).for_each(|now| timing.begin(&limits(4), seconds(now)));
        assert_eq!(timing.due(&limits(4), seconds(10)), Some(seconds(60)));
        assert_eq!(timing.due(&limits(1), seconds(10)), Some(seconds(63)));
        timing.begin(&limits(1), seconds(63));
        assert_eq!(timing.due(&limits(1), seconds(64)), Some(seconds(123)));
    }

    #[test]
    fn the_later_of_both_limits_counts() {
        let limits = BucketLimits { per_minute: NonZeroU32::new(2), interval: seconds(5), connections: None };
        let mut timing = Timing::default();
        timing.begin(&limits, seconds(0));
        assert_eq!(timing.due(&limits, seconds(1)), Some(seconds(5)));
        timing.begin(&limits, seconds(58));
        assert_eq!(timing.due(&limits, seconds(59)), Some(seconds(63)));
    }
}
