//! One probe per key, however many domains share it.

use crate::model::{JudgedEndpoint, ProbeKey};
use indexmap::IndexMap;
use std::sync::Arc;

/// Index of a key in the [`KeyTable`] of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(usize);

/// Index of a waiting domain, given out by [`super::join::Joiner`].
pub type DomainId = usize;

enum KeyState {
    /// Queued or under way; these domains wait for it.
    Waiting { domains: Vec<DomainId>, attempts: u32 },
    /// Probed.
    Done(Arc<JudgedEndpoint>),
}

/// What asking for a key comes to.
pub enum Asked {
    /// Nobody asked before: it has to be probed.
    New(KeyId),
    /// It is being probed.
    Waiting(KeyId),
    /// It was probed.
    Done(KeyId),
}

/// Every key of a run and what became of it.
#[derive(Default)]
pub struct KeyTable {
    keys: IndexMap<ProbeKey, KeyState>,
}

impl KeyTable {
    /// Asks for a key on behalf of a domain, which is remembered as waiting
    /// unless the answer is there.
    pub fn ask(&mut self, key: ProbeKey, domain: DomainId) -> Asked {
        if let Some((index, _, state)) = self.keys.get_full_mut(&key) {
            return match state {
                KeyState::Waiting { domains, .. } => {
                    domains.push(domain);
                    Asked::Waiting(KeyId(index))
                }
                KeyState::Done(_) => Asked::Done(KeyId(index)),
            };
        }
        let (index, _) = self.keys.insert_full(key, KeyState::Waiting { domains: vec![domain], attempts: 0 });
        Asked::New(KeyId(index))
    }

    /// Counts a connection to a key; gives its number, from 1.
    pub fn begin_attempt(&mut self, id: KeyId) -> u32 {
        match self.keys.get_index_mut(id.0) {
            Some((_, KeyState::Waiting { attempts, .. })) => {
                *attempts += 1;
                *attempts
            }
            _ => 0,
        }
    }

    /// Stores what was found and gives back who waits for it.
    pub fn finish(&mut self, id: KeyId, endpoint: Arc<JudgedEndpoint>) -> Vec<DomainId> {
        let Some((_, state)) = self.keys.get_index_mut(id.0) else { return Vec::new() };
        match std::mem::replace(state, KeyState::Done(endpoint)) {
            KeyState::Waiting { domains, .. } => domains,
            KeyState::Done(_) => Vec::new(),
        }
    }

    /// The key itself.
    pub fn key(&self, id: KeyId) -> Option<&ProbeKey> {
        self.keys.get_index(id.0).map(|(key, _)| key)
    }

    /// What was found, once it is.
    pub fn judged(&self, id: KeyId) -> Option<&Arc<JudgedEndpoint>> {
        match self.keys.get_index(id.0) {
            Some((_, KeyState::Done(endpoint))) => Some(endpoint),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Failure, Finding, Kind, MxHost, Outcome, Phase};

    fn key(name: &str) -> ProbeKey {
        ProbeKey {
            endpoint: Endpoint { ip: "192.0.2.1".parse().unwrap(), port: 25 },
            sni: Some(MxHost::new(name)),
        }
    }

    fn judged() -> JudgedEndpoint {
        let finding = Finding { key: key("a.example"), failure: None, tls: None, hellos: Box::new([]) };
        let timeout = Failure::new(Phase::Greeting, Kind::Timeout);
        JudgedEndpoint::of_outcome(finding, Outcome::undetermined(&timeout))
    }

    #[test]
    fn a_key_is_new_once_and_wakes_everybody_who_waits() {
        let mut table = KeyTable::default();
        let Asked::New(id) = table.ask(key("a.example"), 1) else { panic!("new") };
        assert!(matches!(table.ask(key("a.example"), 2), Asked::Waiting(same) if same == id));
        assert!(matches!(table.ask(key("b.example"), 3), Asked::New(other) if other != id));
        assert_eq!(table.finish(id, Arc::new(judged())), [1, 2]);
        assert!(matches!(table.ask(key("a.example"), 4), Asked::Done(same) if same == id));
        assert!(table.judged(id).is_some());
    }
}
