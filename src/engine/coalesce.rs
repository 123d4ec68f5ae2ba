//! One probe per key, however many domains share it.

use super::findings::KeptFinding;
use super::operators::OperatorId;
use crate::model::ProbeKey;
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};

/// Index of a key in the [`KeyTable`] of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(usize);

/// Index of a waiting domain, given out by [`super::join::Joiner`].
pub type DomainId = usize;

enum ProbeState {
    /// Queued, under way or `paused`; these domains wait for it.
    Waiting { domains: Vec<DomainId>, paused: bool, operator: Option<OperatorId> },
    /// Probed.
    Done(KeptFinding),
}

/// What asking for a key comes to.
pub enum Registration {
    /// Nobody asked before: it has to be probed.
    New(KeyId),
    /// It is being probed.
    Waiting(KeyId),
    /// It was probed.
    Done(KeyId),
}

impl Registration {
    /// The key.
    pub fn id(&self) -> KeyId {
        match self {
            Self::New(id) | Self::Waiting(id) | Self::Done(id) => *id,
        }
    }
}

/// Every key of a run and what became of it.
#[derive(Default)]
pub struct KeyTable {
    keys: IndexMap<ProbeKey, ProbeState>,
    /// Those whose host has TLSA records, by a domain that asked before they were
    /// done.
    with_tlsa: HashSet<KeyId>,
    paused_domains: usize,
}

impl KeyTable {
    /// With keys that were probed before the run began.
    pub fn knowing(done: HashMap<ProbeKey, KeptFinding>) -> Self {
        let keys = done.into_iter().map(|(key, endpoint)| (key, ProbeState::Done(endpoint))).collect();
        Self { keys, ..Self::default() }
    }

    /// Asks for a key on behalf of a domain, which is remembered as waiting
    /// unless the answer is there.
    pub fn ask(&mut self, key: ProbeKey, domain: DomainId) -> Registration {
        if let Some((index, _, state)) = self.keys.get_full_mut(&key) {
            return match state {
                ProbeState::Waiting { domains, paused, .. } => {
                    domains.push(domain);
                    self.paused_domains += usize::from(*paused);
                    Registration::Waiting(KeyId(index))
                }
                ProbeState::Done(_) => Registration::Done(KeyId(index)),
            };
        }
        let state = ProbeState::Waiting { domains: vec![domain], paused: false, operator: None };
        let (index, _) = self.keys.insert_full(key, state);
        Registration::New(KeyId(index))
    }

    /// Asks for a key for which no domain waits; `None` if somebody did before.
    pub fn ask_for_nobody(&mut self, key: ProbeKey) -> Option<KeyId> {
        if self.keys.contains_key(&key) {
            return None;
        }
        let state = ProbeState::Waiting { domains: Vec::new(), paused: false, operator: None };
        Some(KeyId(self.keys.insert_full(key, state).0))
    }

    /// The domains that wait for a key.
    pub fn waiting(&self, id: KeyId) -> &[DomainId] {
        match self.keys.get_index(id.0) {
            Some((_, ProbeState::Waiting { domains, .. })) => domains,
            _ => &[],
        }
    }

    /// Whether somebody asked for it.
    pub fn knows(&self, key: &ProbeKey) -> bool {
        self.keys.contains_key(key)
    }

    /// Stores what was found and gives back who waits for it.
    pub fn finish(&mut self, id: KeyId, endpoint: KeptFinding) -> Vec<DomainId> {
        let Some((_, state)) = self.keys.get_index_mut(id.0) else { return Vec::new() };
        match std::mem::replace(state, ProbeState::Done(endpoint)) {
            ProbeState::Waiting { domains, paused, .. } => {
                self.paused_domains -= if paused { domains.len() } else { 0 };
                domains
            }
            ProbeState::Done(_) => Vec::new(),
        }
    }

    /// Notes that time must pass before a key is asked again, or that it has.
    pub fn set_paused(&mut self, id: KeyId, pauses: bool) {
        let Some((_, ProbeState::Waiting { domains, paused, .. })) = self.keys.get_index_mut(id.0) else {
            return;
        };
        match (std::mem::replace(paused, pauses), pauses) {
            (false, true) => self.paused_domains += domains.len(),
            (true, false) => self.paused_domains -= domains.len(),
            _ => {}
        }
    }

    /// Domains that wait for keys which pause, once for each such key.
    pub fn paused_domains(&self) -> usize {
        self.paused_domains
    }

    /// The key itself.
    pub fn key(&self, id: KeyId) -> Option<&ProbeKey> {
        self.keys.get_index(id.0).map(|(key, _)| key)
    }

    /// Notes that a domain holds the certificate of a key against TLSA records.
    pub fn note_tlsa(&mut self, id: KeyId) {
        self.with_tlsa.insert(id);
    }

    /// Whether one does.
    pub fn has_tlsa(&self, id: KeyId) -> bool {
        self.with_tlsa.contains(&id)
    }

    /// Notes who runs the host of a key, as far as a domain that asked for it
    /// tells.
    pub fn note_operator(&mut self, id: KeyId, run_by: Option<OperatorId>) {
        if let Some((_, ProbeState::Waiting { operator, .. })) = self.keys.get_index_mut(id.0) {
            *operator = run_by.or(*operator);
        }
    }

    /// Who runs the host of a key that waits.
    pub fn operator(&self, id: KeyId) -> Option<OperatorId> {
        match self.keys.get_index(id.0) {
            Some((_, ProbeState::Waiting { operator, .. })) => *operator,
            _ => None,
        }
    }

    /// Whether a key was probed to its end.
    pub fn is_done(&self, key: &ProbeKey) -> bool {
        matches!(self.keys.get(key), Some(ProbeState::Done(_)))
    }

    /// What was found of this key, once it is.
    pub fn found(&self, key: &ProbeKey) -> Option<&KeptFinding> {
        self.kept(KeyId(self.keys.get_index_of(key)?))
    }

    /// What was found, once it is.
    pub fn kept(&self, id: KeyId) -> Option<&KeptFinding> {
        match self.keys.get_index(id.0) {
            Some((_, ProbeState::Done(endpoint))) => Some(endpoint),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Failure, Finding, JudgedEndpoint, Kind, MxHost, Outcome, Phase};
    use std::sync::Arc;

    fn key(name: &str) -> ProbeKey {
        ProbeKey {
            endpoint: Endpoint { ip: "192.0.2.1".parse().unwrap(), port: 25 },
            sni: Some(MxHost::new(name)),
        }
    }

    fn judged() -> KeptFinding {
        let finding = Finding {
            key: key("a.example"),
            failure: None,
            tls: None,
            extra_client_hellos: [].into(),
            enumerated: None,
            starttls_forms: Default::default(),
            reply_forms: Default::default(),
        };
        let timeout = Failure::new(Phase::Greeting, Kind::Timeout);
        KeptFinding::Whole(Arc::new(JudgedEndpoint::of_outcome(finding, Outcome::undetermined(&timeout))))
    }

    #[test]
    fn a_key_is_new_once_and_wakes_everybody_who_waits() {
        let mut table = KeyTable::default();
        let Registration::New(id) = table.ask(key("a.example"), 1) else { panic!("new") };
        assert!(matches!(table.ask(key("a.example"), 2), Registration::Waiting(same) if same == id));
        assert!(matches!(table.ask(key("b.example"), 3), Registration::New(other) if other != id));
        assert_eq!(table.finish(id, judged()), [1, 2]);
        assert!(matches!(table.ask(key("a.example"), 4), Registration::Done(same) if same == id));
        assert!(table.kept(id).is_some());
    }

    #[test]
    fn a_key_has_tlsa_from_the_first_domain_on_that_says_so() {
        let mut table = KeyTable::default();
        let id = table.ask(key("a.example"), 1).id();
        assert!(!table.has_tlsa(id));
        assert_eq!(table.ask(key("a.example"), 2).id(), id);
        table.note_tlsa(id);
        assert!(table.has_tlsa(id));
        let other = table.ask(key("b.example"), 3).id();
        assert!(!table.has_tlsa(other));
    }

    #[test]
    fn domains_are_counted_as_long_as_their_key_pauses() {
        let mut table = KeyTable::default();
        let Registration::New(id) = table.ask(key("a.example"), 1) else { panic!("new") };
        let Registration::New(other) = table.ask(key("b.example"), 2) else { panic!("new") };
        table.set_paused(id, true);
        table.set_paused(id, true);
        table.ask(key("a.example"), 3);
        table.ask(key("b.example"), 4);
        assert_eq!(table.paused_domains(), 2);
        table.set_paused(id, false);
        assert_eq!(table.paused_domains(), 0);
        table.set_paused(other, true);
        assert_eq!(table.paused_domains(), 2);
        table.finish(other, judged());
        table.set_paused(other, false);
        assert_eq!(table.paused_domains(), 0);
    }
}
