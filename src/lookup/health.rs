//! Whether a resolver answers at all, so that one that does not is asked last.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Questions in a row without an answer after which a resolver is asked after
/// the others. A few are the fault of what was asked for.
const MISSES_MAX: u32 = 8;

/// How long that lasts before one question tries it first again.
const ASIDE: Duration = Duration::from_secs(10);

/// How a resolver has done of late.
pub(super) struct Health {
    began: Instant,
    misses: AtomicU32,
    /// Milliseconds from `began` at which it is tried again.
    tried_again_at: AtomicU64,
}

impl Health {
    /// Nothing is known yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, misses: AtomicU32::new(0), tried_again_at: AtomicU64::new(0) }
    }

    /// It answered.
    pub(super) fn answered(&self) {
        // Most of the time there is nothing to write.
        if self.misses.load(Ordering::Relaxed) > 0 {
            self.misses.store(0, Ordering::Relaxed);
        }
    }

    /// It did not.
    pub(super) fn missed(&self, now: Instant) {
        if self.misses.fetch_add(1, Ordering::Relaxed) + 1 == MISSES_MAX {
            self.tried_again_at.store(self.millis(now) + millis(ASIDE), Ordering::Relaxed);
        }
    }

    /// Whether it is asked after the others. Where it stood aside for long enough,
    /// the one who asks this finds out how it does now.
    pub(super) fn stands_aside(&self, now: Instant) -> bool {
        if self.misses.load(Ordering::Relaxed) < MISSES_MAX {
            return false;
        }
        let (now, at) = (self.millis(now), self.tried_again_at.load(Ordering::Relaxed));
        let next = now + millis(ASIDE);
        let is_ours = now >= at
            && self.tried_again_at.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        !is_ours
    }

    fn millis(&self, now: Instant) -> u64 {
        millis(now.saturating_duration_since(self.began))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_never_answers_stands_aside_and_is_tried_now_and_then() {
        let now = Instant::now();
        let health = Health::new(now);
        for _ in 1..MISSES_MAX {
            health.missed(now);
            assert!(!health.stands_aside(now));
        }
        health.missed(now);
        assert!(health.stands_aside(now));
        let later = now + ASIDE;
        assert_eq!([health.stands_aside(later), health.stands_aside(later)], [false, true], "one tries it");
        health.answered();
        assert!(!health.stands_aside(now));
    }
}
