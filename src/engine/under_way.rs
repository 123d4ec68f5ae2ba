//! Keys that are being asked: a connection to them is open, or they wait for a
//! permit or for their time to be asked again.

use super::coalesce::KeyId;
use crate::interrogate::{Connection, ConnectionResult, Interrogation, KeyAction, Known, Pause, RetryPlan};
use crate::verdict::Policy;
use std::collections::HashMap;

struct KeyUnderWay {
    interrogation: Interrogation,
    open: bool,
}

/// What becomes of a key when a connection to it has ended.
pub enum Ended {
    /// It waits for a permit.
    Enqueue,
    /// It waits for its time to pass.
    Pause(Pause),
    /// It was asked to its end.
    Known(Known),
}

/// All keys to which a connection was made and that are not recorded yet.
/// There are no more than wait in the
/// [`KeyTable`](super::coalesce::KeyTable), and how often each is asked is
/// bounded by the plan and by whoever names the hellos.
pub struct UnderWay {
    plan: RetryPlan,
    keys: HashMap<KeyId, KeyUnderWay>,
}

impl UnderWay {
    /// With no key.
    pub fn new(plan: RetryPlan) -> Self {
        Self { plan, keys: HashMap::new() }
    }

    /// What the connection to a key is for that begins now; `tlsa` says whether its
    /// host has TLSA records.
    pub fn begin(&mut self, id: KeyId, tlsa: bool) -> Connection {
        let plan = self.plan;
        let new = || KeyUnderWay { interrogation: Interrogation::new(plan, tlsa), open: false };
        let asked = self.keys.entry(id).or_insert_with(new);
        asked.open = true;
        asked.interrogation.begin()
    }

    /// Takes what a connection to a key brought. Once the run is `stopping`, what
    /// is known then is all.
    pub fn ended(
        &mut self,
        id: KeyId,
        answer: ConnectionResult,
        policy: &Policy,
        stopping: bool,
    ) -> Option<Ended> {
        let asked = self.keys.get_mut(&id)?;
        asked.open = false;
        match asked.interrogation.take(answer, policy) {
            KeyAction::Connect if !stopping => Some(Ended::Enqueue),
            KeyAction::Wait(pause) if !stopping => Some(Ended::Pause(pause)),
            KeyAction::Done => self.take(id).map(Ended::Known),
            KeyAction::Connect | KeyAction::Wait(_) => self.take(id).map(stopped).map(Ended::Known),
        }
    }

    /// Gives back what is known of a key that is asked no more.
    pub fn take(&mut self, id: KeyId) -> Option<Known> {
        self.keys.remove(&id)?.interrogation.into_known()
    }

    /// Gives back what is known of the keys without an open connection; they are
    /// asked no more.
    pub fn take_idle(&mut self) -> Vec<(KeyId, Known)> {
        let idle = self.keys.extract_if(|_, asked| !asked.open);
        idle.filter_map(|(id, asked)| Some((id, stopped(asked.interrogation.into_known()?)))).collect()
    }
}

/// Notes that more was to be asked.
fn stopped(mut known: Known) -> Known {
    known.observation.stopped = Some(true);
    known
}
