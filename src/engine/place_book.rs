//! How it stands with the places that complained, by their names: for whoever goes on
//! with the run, and must not hurry them.

use super::given_up::GivenUp;
use super::pace::Complaints;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// Places that are kept for whoever goes on. Each takes a hundred bytes; those beyond
/// are left alone anew once they complain again.
const PLACES_MAX: usize = 10_000;

/// Until when a place is left alone, and what it has complained of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceStanding {
    /// By the clock of the machine; `None` for good.
    pub until: Option<Timestamp>,
    /// What decides how long it is left alone the next time.
    pub complaints: Complaints,
}

impl PlaceStanding {
    pub(super) fn new(left: Option<Duration>, complaints: Complaints) -> Self {
        let until = |left| {
            let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
            Timestamp::now().checked_add(left).unwrap_or(Timestamp::MAX)
        };
        Self { until: left.map(until), complaints }
    }

    /// What is left of that time; `None` if it never ends.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = |until: Timestamp| until.duration_since(Timestamp::now());
        self.until.map(|until| Duration::try_from(left(until)).unwrap_or_default())
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceBook {
    /// Cool-downs so far.
    pub begun: u64,
    /// Places that were given up.
    pub given_up: GivenUp,
    /// Those that are left alone, or are asked more slowly.
    pub standing: BTreeMap<String, PlaceStanding>,
}

impl PlaceBook {
    /// Notes how it stands with a place from now on; `None` if all is well.
    pub(super) fn set(&mut self, name: String, standing: Option<PlaceStanding>) {
        match standing {
            Some(standing) if self.standing.len() < PLACES_MAX || self.standing.contains_key(&name) => {
                self.standing.insert(name, standing);
            }
            Some(_) => {}
            None => drop(self.standing.remove(&name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_beyond_the_limit_are_not_kept_and_those_within_change() {
        let mut book = PlaceBook::default();
        let standing = PlaceStanding::new(None, Complaints::default());
        (0..=PLACES_MAX).for_each(|number| book.set(number.to_string(), Some(standing)));
        assert_eq!(book.standing.len(), PLACES_MAX);
        let later = PlaceStanding::new(Some(Duration::from_secs(60)), Complaints::default());
        book.set("0".to_string(), Some(later));
        assert_eq!(book.standing["0"], later);
        book.set("0".to_string(), None);
        assert_eq!(book.standing.len(), PLACES_MAX - 1);
        assert!(later.left().is_some_and(|left| left <= Duration::from_secs(60)));
    }
}
