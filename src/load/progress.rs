//! How far a round is, for whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a round that is under way. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct LoadProgress(Arc<RoundCounts>);

#[derive(Debug, Default)]
struct RoundCounts {
    ended: AtomicU64,
    failed: AtomicU64,
}

impl LoadProgress {
    /// A session came to its end, or failed.
    pub(super) fn add(&self, failed: bool) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
        self.0.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
    }

    /// From now on counts the next round.
    pub fn begin_round(&self) {
        self.0.ended.store(0, Ordering::Relaxed);
        self.0.failed.store(0, Ordering::Relaxed);
    }

    /// Sessions of the round that are over, and how many of them failed.
    pub fn sessions(&self) -> (u64, u64) {
        (self.0.ended.load(Ordering::Relaxed), self.0.failed.load(Ordering::Relaxed))
    }
}
