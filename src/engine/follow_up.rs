//! Keys that were probed and are asked further hellos: one at a time, each on
//! a connection with a permit of its own.

use super::coalesce::KeyId;
use crate::model::{HelloObservation, HelloQuestion, Observation};
use crate::trust::{Assessed, Assessments};
use std::collections::HashMap;
use std::sync::Arc;

/// What is known of a key so far.
pub struct Known {
    /// What it said, the hellos that were answered included.
    pub observation: Box<Observation>,
    /// Its chains.
    pub assessments: Assessments,
}

/// The hello that a key is being asked.
struct FollowUp {
    known: Known,
    question: Arc<HelloQuestion>,
    attempts: u32,
    /// Whether its connection is open. Else the key waits for a permit, or for
    /// its time to be asked again.
    open: bool,
}

/// All keys that are asked further hellos. There are no more than wait in
/// the [`KeyTable`](super::coalesce::KeyTable), and how often each is asked is
/// bounded by whoever names the questions.
#[derive(Default)]
pub struct FollowUps {
    under_way: HashMap<KeyId, FollowUp>,
}

impl FollowUps {
    /// Keeps what is known of a key until this question is answered.
    pub fn ask(&mut self, id: KeyId, known: Known, question: HelloQuestion) {
        let follow_up = FollowUp { known, question: Arc::new(question), attempts: 0, open: false };
        self.under_way.insert(id, follow_up);
    }

    /// The question to send on the connection that begins now, and its number
    /// among those made for it, from 1; `None` for a key that is asked none.
    pub fn begin_attempt(&mut self, id: KeyId) -> Option<(Arc<HelloQuestion>, u32)> {
        let follow_up = self.under_way.get_mut(&id)?;
        follow_up.attempts += 1;
        follow_up.open = true;
        Some((follow_up.question.clone(), follow_up.attempts))
    }

    /// The connection ended without an answer, and there will be another.
    pub fn pause(&mut self, id: KeyId) {
        if let Some(follow_up) = self.under_way.get_mut(&id) {
            follow_up.open = false;
        }
    }

    /// Adds the answer to what is known, and gives that back.
    pub fn answered(
        &mut self,
        id: KeyId,
        hello: HelloObservation,
        assessed: Option<Arc<Assessed>>,
    ) -> Option<Known> {
        let mut known = self.under_way.remove(&id)?.known;
        known.observation.hellos.push(hello);
        known.assessments.hellos.push(assessed);
        Some(known)
    }

    /// Gives back what is known of the keys without an open connection; their
    /// questions are dropped.
    pub fn take_idle(&mut self) -> Vec<(KeyId, Known)> {
        let idle = self.under_way.extract_if(|_, follow_up| !follow_up.open);
        idle.map(|(id, follow_up)| (id, follow_up.known)).collect()
    }
}
