//! How many domains became what, and by which signs.

use super::compare::{DiffSign, DomainChange, DomainComparison};
use super::row::{ComparedColumn, ComparedRow};
use std::collections::BTreeMap;

/// What `delivery` says of mail that goes in clear.
const IN_CLEAR: &str = "plaintext";

/// The rows of a domain in the first run and in the second.
pub type RowsOfDomain<'a> = (Option<&'a ComparedRow<'a>>, Option<&'a ComparedRow<'a>>);

/// Counts over all domains.
#[derive(Clone, Debug, Default)]
pub struct DiffTotals {
    changes: BTreeMap<DomainChange, u64>,
    /// Of those, the ones that rest on a sample, or on another name of their address, in
    /// at least one of the runs.
    inferred: BTreeMap<DomainChange, u64>,
    signs: BTreeMap<DiffSign, u64>,
    in_clear_now: u64,
}

impl DiffTotals {
    /// Counts a domain.
    pub fn add(&mut self, comparison: &DomainComparison, is_inferred: bool, rows: RowsOfDomain<'_>) {
        let in_clear = |row: Option<&ComparedRow<'_>>| {
            row.is_some_and(|row| row.get(ComparedColumn::Delivery) == IN_CLEAR)
        };
        self.in_clear_now += u64::from(in_clear(rows.1) && !in_clear(rows.0));
        *self.changes.entry(comparison.change).or_default() += 1;
        if is_inferred {
            *self.inferred.entry(comparison.change).or_default() += 1;
        }
        for sign in &comparison.signs {
            *self.signs.entry(*sign).or_default() += 1;
        }
    }

    /// Domains of which this became.
    pub fn of(&self, change: DomainChange) -> u64 {
        self.changes.get(&change).copied().unwrap_or_default()
    }

    /// Those of them that rest on what was not asked of their own name.
    pub fn inferred_of(&self, change: DomainChange) -> u64 {
        self.inferred.get(&change).copied().unwrap_or_default()
    }

    /// Domains whose mail goes in clear now and did not before, whatever that is beside
    /// what it was: of mail that was kept back it is called better. New ones count.
    pub fn in_clear_now(&self) -> u64 {
        self.in_clear_now
    }

    /// Every sign that was seen, with the domains that bear it.
    pub fn signs(&self) -> impl Iterator<Item = (DiffSign, u64)> {
        self.signs.iter().map(|(sign, count)| (*sign, *count))
    }

    /// Pairs and single rows.
    pub fn domains(&self) -> u64 {
        self.changes.values().sum()
    }

    /// Those of them that rest on what was not asked of their own name.
    pub fn inferred(&self) -> u64 {
        self.inferred.values().sum()
    }
}
