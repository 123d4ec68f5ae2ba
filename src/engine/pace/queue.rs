//! Who waits: keys, by the class of those for which the same limits hold.

use super::place::{AskedPlace, BucketKey};
use crate::engine::coalesce::KeyId;
use std::collections::VecDeque;

/// Index of a class.
pub(super) type ClassId = usize;

/// A queue in which some go before the others.
#[derive(Debug)]
pub(super) struct Ranked<T> {
    again: VecDeque<T>,
    new: VecDeque<T>,
}

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self { again: VecDeque::new(), new: VecDeque::new() }
    }
}

impl<T> Ranked<T> {
    pub(super) fn push(&mut self, item: T, again: bool) {
        let queue = if again { &mut self.again } else { &mut self.new };
        queue.push_back(item);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.again.pop_front().or_else(|| self.new.pop_front())
    }

    /// One of those that go first, drawn; else one of the others.
    pub(super) fn draw(&mut self, random: &mut fastrand::Rng) -> Option<T> {
        let queue = if self.again.is_empty() { &mut self.new } else { &mut self.again };
        if queue.is_empty() {
            return None;
        }
        queue.swap_remove_front(random.usize(..queue.len()))
    }

    /// Whether the next is one that goes first.
    pub(super) fn begins_again(&self) -> bool {
        !self.again.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.again.len() + self.new.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.again.is_empty() && self.new.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.again.clear();
        self.new.clear();
    }
}

/// Where a class stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassStanding {
    /// Nowhere: no key of it waits.
    Idle,
    /// Among those that may be tried.
    Ready,
    /// It waits for a bucket.
    Waits(BucketKey),
}

/// The keys of one place that wait. One class stands in one queue, so that what
/// ends or opens somewhere moves classes and never all of their keys.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) place: AskedPlace,
    pub(super) standing: ClassStanding,
    /// Those that had a connection go first: what is known of them waits in
    /// memory, and their domains with it.
    pub(super) keys: Ranked<KeyId>,
    /// Connections of it that are open.
    pub(super) open: u32,
}

impl Class {
    pub(super) fn new(place: AskedPlace) -> Self {
        Self { place, standing: ClassStanding::Idle, keys: Ranked::default(), open: 0 }
    }

    pub(super) fn is_over(&self) -> bool {
        self.open == 0 && self.keys.is_empty()
    }
}
