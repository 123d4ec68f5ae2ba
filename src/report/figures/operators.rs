//! Who runs the mail hosts, and the weakest host of each.

use super::cells::Cells;
use super::concern::{Concern, ConcernKind};
use crate::report::summary::OPERATORS_MAX;
use std::collections::HashMap;

/// What is known of one operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorRow {
    /// Domains whose deciding host it runs.
    pub domains: u64,
    /// Those to which mail goes encrypted.
    pub encrypted: u64,
    /// In clear.
    pub in_clear: u64,
    /// Of which it is not known.
    pub undetermined: u64,
    /// Domains by the kind of what is wrong there, in the order of
    /// [`ConcernKind::ALL`]; one with several counts in each.
    pub concerns: [u64; ConcernKind::ALL.len()],
    /// Domains at which anything is wrong.
    pub concerned: u64,
    /// What the weakest of its hosts that take mail gives: `in clear`, or a version.
    pub weakest: Option<String>,
    /// That host.
    pub weakest_host: String,
}

/// Operators by the registrable domain of their hosts.
#[derive(Clone, Debug, Default)]
pub struct OperatorFigures {
    rows: HashMap<String, OperatorRow>,
    /// Domains of operators beyond [`OPERATORS_MAX`].
    pub beyond: u64,
    /// Domains whose host names no operator.
    pub without: u64,
}

/// From the weakest up.
const STRENGTHS: [&str; 6] = ["in clear", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

fn rank(strength: &str) -> usize {
    STRENGTHS.iter().position(|known| *known == strength).unwrap_or(STRENGTHS.len())
}

impl OperatorFigures {
    pub(super) fn add(&mut self, row: &impl Cells, concerns: &[Concern]) {
        let operator = row.cell("mx_operator");
        if operator.is_empty() {
            self.without += 1;
            return;
        }
        if !self.rows.contains_key(operator) {
            if self.rows.len() == OPERATORS_MAX {
                self.beyond += 1;
                return;
            }
            self.rows.insert(operator.to_string(), OperatorRow::default());
        }
        let Some(known) = self.rows.get_mut(operator) else { return };
        known.domains += 1;
        known.concerned += u64::from(!concerns.is_empty());
        for (kind, count) in ConcernKind::ALL.iter().zip(&mut known.concerns) {
            *count += u64::from(concerns.iter().any(|concern| concern.kind == *kind));
        }
        match row.cell("delivery") {
            "encrypted" => known.encrypted += 1,
            "plaintext" => known.in_clear += 1,
            "undetermined" => known.undetermined += 1,
            _ => {}
        }
        // The weakest host of a domain may be another's.
        self.note_weakest(row);
    }

    fn note_weakest(&mut self, row: &impl Cells) {
        let host = row.cell("weakest_mx_host");
        let strength = match row.cell("weakest_delivery") {
            "" => return,
            "plaintext" => "in clear",
            _ => row.cell("weakest_tls_version"),
        };
        let operator = row.cell("mx_operator");
        let is_of_operator =
            host == operator || host.strip_suffix(operator).is_some_and(|rest| rest.ends_with('.'));
        let Some(known) = self.rows.get_mut(operator).filter(|_| is_of_operator && !strength.is_empty())
        else {
            return;
        };
        // Among equals the first by name, whatever the order of the rows.
        let is_weaker = known
            .weakest
            .as_deref()
            .is_none_or(|weakest| (rank(strength), host) < (rank(weakest), known.weakest_host.as_str()));
        if is_weaker {
            known.weakest = Some(strength.to_string());
            known.weakest_host = host.to_string();
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The first `most` by `key`, greatest first; those with 0 left out.
    pub fn top(&self, most: usize, key: impl Fn(&OperatorRow) -> u64) -> Vec<(&str, &OperatorRow)> {
        let counted = self.rows.iter().filter(|(_, row)| key(row) > 0);
        let mut all: Vec<(&str, &OperatorRow)> = counted.map(|(name, row)| (name.as_str(), row)).collect();
        all.sort_unstable_by(|a, b| key(b.1).cmp(&key(a.1)).then(a.0.cmp(b.0)));
        all.truncate(most);
        all
    }
}
