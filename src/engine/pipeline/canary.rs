//! Canaries: when they are asked, and what becomes of the hosts of the list by what
//! they say.

use super::{EngineError, Event, Pipeline};
use crate::engine::canary::CanaryTurn;
use crate::engine::coalesce::KeyId;
use crate::engine::nobody::NobodyThere;
use crate::engine::pace::AskedPlace;
use crate::interrogate::Known;
use crate::model::Observation;
use crate::model::mta_sts::Fetching;
use crate::stage::{Lookup, Probe};

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    /// Asks each canary once, under the pauses that its place has anyhow.
    pub(super) fn ask_canaries(&mut self) {
        for (number, key) in self.canaries.begin() {
            let (probe, starts) = (self.probe.clone(), self.starts.clone());
            let place = AskedPlace { endpoint: key.endpoint, operator: None };
            self.counts.connections += 1;
            self.tasks.spawn(Box::pin(async move {
                starts.before(place).await;
                Event::Canary(number, Box::new(probe.probe(key, 1).await))
            }));
        }
    }

    pub(super) async fn canary_ended(
        &mut self,
        number: usize,
        seen: &Observation,
    ) -> Result<(), EngineError> {
        let was_known = self.canaries.is_known();
        let turn = self.canaries.ended(number, seen);
        if self.canaries.is_known() && !was_known {
            self.progress.canaries_silent(self.canaries.silent_at_first());
        }
        match turn {
            CanaryTurn::Nothing => {}
            CanaryTurn::Good => {
                for (id, known) in self.canaries.believed() {
                    self.keys.set_paused(id, false);
                    self.record(id, known).await?;
                }
                self.pacer.remember();
                self.standing_then = (self.progress.places().clone(), self.counts.given_up.clone());
            }
            CanaryTurn::Pauses => {
                // That too goes to machines of others.
                self.lookup.set_fetching(Fetching::Waits);
                self.progress.canaries_told(self.canaries.pause().cloned());
            }
            CanaryTurn::GoesOn => self.go_on_after_pause(),
        }
        Ok(())
    }

    /// What was learnt since canaries answered last is forgotten, and whoever did not
    /// answer then is asked again.
    fn go_on_after_pause(&mut self) {
        self.lookup.set_fetching(Fetching::Begins);
        self.pacer.recall();
        self.nobody_there = NobodyThere::default();
        let (places, given_up) = self.standing_then.clone();
        self.progress.restore_places(places);
        self.counts.given_up = given_up;
        let held = self.canaries.take_all();
        self.progress.canaries_told(self.canaries.go_on(held.len()));
        self.progress.set_cool_downs(self.pacer.cool_downs());
        for (id, _) in held {
            self.keys.set_paused(id, false);
            self.enqueue(id);
        }
    }

    /// Has fetches end that wait for the end of a pause: nobody asks the canaries any
    /// more.
    pub(super) fn end_held_fetches(&self) {
        if self.canaries.pause().is_some() {
            self.lookup.set_fetching(Fetching::Ends);
        }
    }

    /// Keeps a host back whose end may be ours; gives it back if it counts.
    pub(super) fn hold_back(&mut self, id: KeyId, mut known: Known) -> Option<Known> {
        if !self.canaries.doubts(&known) {
            return Some(known);
        }
        if self.stopping {
            // Nobody waits for their word any more; `--resume` asks again.
            known.observation.stopped = Some(true);
            return Some(known);
        }
        self.keys.set_paused(id, true);
        self.canaries.hold(id, known);
        None
    }

    /// Records those that are kept back, as ones of which more was to be asked.
    pub(super) async fn record_held(&mut self) -> Result<(), EngineError> {
        for (id, mut known) in self.canaries.take_all() {
            known.observation.stopped = Some(true);
            self.record(id, known).await?;
        }
        Ok(())
    }

    /// Whether all that is left waits for a word of a canary.
    pub(super) fn waits_for_canaries(&self) -> bool {
        self.canaries.has_held() && self.pacer.open() == 0 && self.pacer.queued() == 0
    }
}
