//! Which of several connectors takes which mail.

use crate::model::{Connector, DomainName, Recipients};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Two connectors that would both have to take the same mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connectors `{0}` and `{1}` both take {2}")]
pub struct Tie(pub Arc<str>, pub Arc<str>, pub String);

/// The connectors of an organisation, and which of them takes which mail:
/// that which names the domain exactly, then that for all accepted domains,
/// then that with the longest wildcard, `*` last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connectors {
    all: Vec<Arc<Connector>>,
    exact: HashMap<DomainName, usize>,
    accepted: HashSet<DomainName>,
    for_accepted: Option<usize>,
    below: HashMap<Box<str>, usize>,
    any: Option<usize>,
}

impl Connectors {
    /// Puts connectors in force beside each other.
    ///
    /// # Errors
    /// [`Tie`] where the choice is not decided.
    pub fn new(all: Vec<Connector>, accepted: Vec<DomainName>) -> Result<Self, Tie> {
        let all = all.into_iter().map(Arc::new).collect();
        let mut connectors = Self { all, accepted: accepted.into_iter().collect(), ..Self::default() };
        for (index, connector) in connectors.all.clone().iter().enumerate() {
            connectors.enter(index, connector)?;
        }
        Ok(connectors)
    }

    fn enter(&mut self, index: usize, connector: &Connector) -> Result<(), Tie> {
        for recipients in &connector.recipients {
            let before = match recipients {
                Recipients::Exact(name) => self.exact.insert(name.clone(), index),
                Recipients::Below(parent) => self.below.insert(parent.clone(), index),
                Recipients::Any => self.any.replace(index),
            };
            self.untied(before, index, || recipients.to_string())?;
        }
        if connector.all_accepted_domains {
            let before = self.for_accepted.replace(index);
            self.untied(before, index, || "all accepted domains".to_string())?;
        }
        Ok(())
    }

    fn untied(&self, before: Option<usize>, index: usize, what: impl FnOnce() -> String) -> Result<(), Tie> {
        let name = |index: usize| self.all.get(index).map(|connector| connector.name.clone());
        match before.filter(|before| *before != index) {
            None => Ok(()),
            Some(before) => {
                Err(Tie(name(before).unwrap_or_default(), name(index).unwrap_or_default(), what()))
            }
        }
    }

    /// The connector that takes mail to this domain; `None` if none does.
    pub fn choose(&self, domain: &DomainName) -> Option<&Arc<Connector>> {
        let accepted = || self.for_accepted.filter(|_| self.accepted.contains(domain));
        let index = self.exact.get(domain).copied().or_else(accepted);
        self.all.get(index.or_else(|| self.longest_wildcard(domain)).or(self.any)?)
    }

    fn longest_wildcard(&self, domain: &DomainName) -> Option<usize> {
        if self.below.is_empty() {
            return None;
        }
        let name = domain.as_str();
        let parents = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        parents.into_iter().find_map(|parent| self.below.get(parent).copied())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none, so that all mail goes by the usual rules.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.all.iter()
    }
}

#[cfg(test)]
#[path = "connectors_tests.rs"]
mod tests;
