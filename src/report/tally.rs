//! Counts by name, bounded where the names come from outside.

use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashMap;

/// Where counts go that find no place of their own.
pub(super) const OTHER: &str = "(other)";

/// How often each name was seen. Serialised as a map, commonest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    counts: HashMap<Cow<'static, str>, u64>,
    names_max: usize,
}

/// Names enough for any table of registered values; a server that makes up
/// code points cannot make it grow further.
const NAMES_MAX: usize = 4096;

impl Default for Tally {
    fn default() -> Self {
        Self::bounded(NAMES_MAX)
    }
}

impl Tally {
    /// A tally that tells at most `names_max` names apart; what comes after is
    /// counted as `(other)`.
    pub fn bounded(names_max: usize) -> Self {
        Self { counts: HashMap::new(), names_max }
    }

    /// Counts a name once.
    pub fn add(&mut self, name: Cow<'static, str>) {
        self.add_many(name, 1);
    }

    /// Counts a borrowed name once; it is copied only when it is new.
    pub fn add_borrowed(&mut self, name: &str) {
        self.add_borrowed_many(name, 1);
    }

    pub(super) fn add_borrowed_many(&mut self, name: &str, more: u64) {
        match self.counts.get_mut(name) {
            Some(count) => *count += more,
            None => self.add_many(Cow::Owned(name.to_string()), more),
        }
    }

    fn add_many(&mut self, name: Cow<'static, str>, count: u64) {
        let known = self.counts.len() < self.names_max || self.counts.contains_key(&name);
        let name = if known { name } else { Cow::Borrowed(OTHER) };
        *self.counts.entry(name).or_default() += count;
    }

    /// Adds the counts of another tally. Where both together go over the limit
    /// it depends on the order which names become `(other)`; the total does
    /// not.
    pub fn merge(&mut self, other: &Tally) {
        for (name, count) in other.sorted() {
            self.add_borrowed_many(name, count);
        }
    }

    /// How often this name was seen.
    pub fn get(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// How many names are told apart, `(other)` among them.
    pub(super) fn names(&self) -> usize {
        self.counts.len()
    }

    /// How much was counted in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Names and counts, commonest first, equals by name.
    pub fn sorted(&self) -> Vec<(&str, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(name, count)| (name.as_ref(), *count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all
    }
}

impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.sorted())
    }
}
