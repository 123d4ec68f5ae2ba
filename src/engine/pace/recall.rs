//! Complaints that were none: what was learnt while our own network was away is
//! forgotten.

use super::Pacer;
use super::queue::ClassStanding;
use governor::clock::Clock;

impl<C: Clock + Clone> Pacer<C> {
    /// Keeps who complained so far, for [`recall`](Self::recall).
    pub(in crate::engine) fn remember(&mut self) {
        self.standings.remember();
    }

    /// Has everybody stand as when [`remember`](Self::remember) was said last; whoever
    /// waits is tried anew, since what it waits for may be gone.
    pub(in crate::engine) fn recall(&mut self) {
        self.standings.recall();
        for bucket in self.buckets.values_mut() {
            bucket.is_timed = false;
            bucket.waiting.clear();
        }
        for (class_id, class) in &mut self.classes {
            if matches!(class.standing, ClassStanding::Waits(_)) {
                class.standing = ClassStanding::Ready;
                self.ready.push(class_id, class.keys.begins_again());
            }
        }
    }
}
