//! The connections that are open: so many in all, and, beside them, so many that are
//! open for long.
//!
//! A host that holds its connection for as long as it is let, a tarpit, is as long in
//! the table as sixty that answer at once. So one that is open for a while makes room
//! for another: it moves to a table of its own, as long as that has room.

use crate::engine::coalesce::KeyId;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// After so long a connection counts as slow, and makes room where the table is full: a
/// little more than a session takes with a host that answers at once.
pub const SLOW_AFTER: Duration = Duration::from_secs(2);

/// Whether another connection may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It may.
    Yes,
    /// After so long, when the oldest counts as slow.
    After(Duration),
    /// Not before one ends.
    No,
}

/// All connections that are open, at most `most + slow_most`.
#[derive(Debug)]
pub(super) struct Table {
    most: usize,
    slow_most: usize,
    /// When each connection that is not in the table of the slow ones began, in the order
    /// of their starts.
    starts: BTreeMap<u64, (KeyId, Duration)>,
    /// The number of each of these.
    numbers: HashMap<KeyId, u64>,
    begun: u64,
    slow: usize,
}

impl Table {
    pub(super) fn new(most: usize, slow_most: usize) -> Self {
        Self { most, slow_most, starts: BTreeMap::new(), numbers: HashMap::new(), begun: 0, slow: 0 }
    }

    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.starts.len() + self.slow
    }

    /// Those of them that have made room for others.
    pub(super) fn slow(&self) -> usize {
        self.slow
    }

    /// Whether there is room for one more. Where the table is full, the oldest makes some.
    pub(super) fn room(&mut self, now: Duration) -> Room {
        if self.starts.len() < self.most {
            return Room::Yes;
        }
        let Some(oldest) = self.starts.first_entry().filter(|_| self.slow < self.slow_most) else {
            return Room::No;
        };
        let (id, began) = *oldest.get();
        let left = (began + SLOW_AFTER).saturating_sub(now);
        if !left.is_zero() {
            return Room::After(left);
        }
        oldest.remove();
        self.numbers.remove(&id);
        self.slow += 1;
        Room::Yes
    }

    /// A connection to a key begins, which has none open.
    pub(super) fn begin(&mut self, id: KeyId, now: Duration) {
        self.begun += 1;
        self.starts.insert(self.begun, (id, now));
        self.numbers.insert(id, self.begun);
    }

    /// The connection to a key ended.
    pub(super) fn end(&mut self, id: KeyId) {
        match self.numbers.remove(&id) {
            Some(number) => drop(self.starts.remove(&number)),
            None => self.slow = self.slow.saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ids;
    use super::*;

    #[test]
    fn the_oldest_makes_room_once_it_is_slow_and_as_long_as_there_is_some_for_it() {
        let (ids, mut table) = (ids(5), Table::new(2, 1));
        let at = |seconds| Duration::from_secs(seconds);
        table.begin(ids[0], at(0));
        assert_eq!(table.room(at(1)), Room::Yes);
        table.begin(ids[1], at(1));
        assert_eq!(table.room(at(1)), Room::After(at(1)));
        assert_eq!(table.room(at(2)), Room::Yes);
        table.begin(ids[2], at(2));
        assert_eq!((table.room(at(60)), table.open()), (Room::No, 3), "there is one place for slow ones");
        table.end(ids[1]);
        assert_eq!(table.room(at(60)), Room::Yes);
        table.begin(ids[3], at(60));
        assert_eq!(table.room(at(60)), Room::No);
        table.end(ids[0]);
        assert_eq!((table.room(at(60)), table.open()), (Room::Yes, 2), "the slow one has ended");
        table.begin(ids[4], at(60));
        (2..5).for_each(|number| table.end(ids[number]));
        assert_eq!(table.open(), 0);
    }
}
