//! What is limited together: an address, a network, an operator.

use super::limits::BucketLimits;
use super::queue::{ClassId, Ranked};
use super::timing::Timing;
use std::time::Duration;

/// Why no connection may begin in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// As many are open as may be.
    Full,
    /// The last ones were begun too short a time ago, or it cools down; it takes so
    /// long.
    Early(Duration),
    /// It was given up.
    GivenUp,
}

/// One bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    open: u32,
    timing: Timing,
    /// Whether somebody comes back when its time has come.
    pub(super) is_timed: bool,
    /// The classes that wait for it.
    pub(super) waiting: Ranked<ClassId>,
}

impl Bucket {
    /// What stands in the way of a connection.
    pub(super) fn obstacle(&self, limits: &BucketLimits, now: Duration) -> Option<Obstacle> {
        if limits.connections.is_some_and(|most| self.open >= most.get()) {
            return Some(Obstacle::Full);
        }
        self.timing.due(limits, now).map(|due| Obstacle::Early(due.saturating_sub(now)))
    }

    /// Whether no connection is open.
    pub(super) fn is_quiet(&self) -> bool {
        self.open == 0
    }

    /// So many connections are open.
    pub(super) fn set_open(&mut self, open: u32) {
        self.open = open;
    }

    /// A connection begins.
    pub(super) fn begin(&mut self, limits: &BucketLimits, now: Duration) {
        self.open += 1;
        if limits.has_timing() {
            self.timing.begin(limits, now);
        }
    }

    /// A connection ended.
    pub(super) fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Whether it can be forgotten.
    pub(super) fn is_idle(&self, limits: &BucketLimits, now: Duration) -> bool {
        self.open == 0 && !self.is_timed && self.waiting.is_empty() && self.timing.is_over(limits, now)
    }
}
