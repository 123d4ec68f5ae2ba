//! Lookups: when they begin, and when they come once more.

use super::{Event, Pipeline};
use crate::engine::lookups::PendingLookup;
use crate::interrogate::PauseCause;
use crate::stage::{Lookup, Probe};
use std::time::Duration;
use tokio::time::Instant;

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    pub(super) fn begin_lookup(&mut self, PendingLookup { target, number, fetched }: PendingLookup) {
        self.lookups.begun();
        let (lookup, progress) = (self.lookup.clone(), self.progress.clone());
        self.tasks.spawn(async move {
            let begun = Instant::now();
            let facts = lookup.lookup(target).await.with_earlier_fetch(fetched);
            progress.meters().looked_up(begun.elapsed());
            Event::Looked { facts, number }
        });
    }

    pub(super) fn start_due_lookups(&mut self) {
        while let Some(look) = self.lookups.next_due() {
            self.begin_lookup(look);
        }
    }

    /// Lets time pass before a target is looked up again. Once stopped nobody
    /// does, and it is unfinished.
    pub(super) fn look_again(&mut self, look: PendingLookup, pause: Duration) {
        if self.stopping {
            return;
        }
        tracing::info!(target = look.target.subject.label(), ?pause, "looked up again later");
        self.progress.pause_begun(PauseCause::Retry);
        self.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            Event::LookDue(look)
        });
    }
}
