//! What many endpoints have in common, kept once: hundreds of thousands are answered
//! with one of a few sessions, and say the same to one further ClientHello.

use crate::model::{HelloFinding, JudgedEndpoint};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Values of a kind that are kept for others to share; what comes beyond has a copy of
/// its own.
const PARTS_MAX: usize = 4_096;

/// Values of one kind.
#[derive(Debug)]
struct Parts<T: ?Sized> {
    by_hash: HashMap<u64, Vec<Arc<T>>>,
    len: usize,
}

impl<T: ?Sized> Default for Parts<T> {
    fn default() -> Self {
        Self { by_hash: HashMap::new(), len: 0 }
    }
}

impl<T: PartialEq + ?Sized> Parts<T> {
    /// The value that equals this one, of which `hash` is.
    fn share(&mut self, hash: u64, value: &mut Arc<T>) {
        let alike = self.by_hash.entry(hash).or_default();
        if let Some(known) = alike.iter().find(|known| **known == *value) {
            *value = known.clone();
        } else if self.len < PARTS_MAX {
            alike.push(value.clone());
            self.len += 1;
        }
    }
}

/// The parts of all endpoints of a run.
#[derive(Debug, Default)]
pub(super) struct CommonParts {
    sessions: Parts<crate::model::NegotiatedTls>,
    hellos: Parts<[HelloFinding]>,
}

impl CommonParts {
    /// Has an endpoint share what others have, too.
    pub(super) fn share(&mut self, judged: &mut JudgedEndpoint) {
        if let Some(session) = &mut judged.outcome.session {
            self.sessions.share(hash((session.version, session.suite, session.group)), session);
        }
        let hellos = &mut judged.finding.extra_client_hellos;
        // A certificate is mostly that of one host, and shared where it is not.
        if !hellos.is_empty()
            && hellos.iter().all(|hello| hello.presented.is_none() && hello.handshake.is_none())
        {
            let first = hellos.first().map(|hello| (hello.version, hello.suite, hello.group, hello.alert));
            self.hellos.share(hash((hellos.len(), first)), hellos);
        }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
