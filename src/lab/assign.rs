//! Which domain plays which scenario: a function of the seed, the names and
//! the weights alone.

use super::address::hash;
use super::scenario::Scenario;
use crate::model::DomainName;
use std::sync::Arc;

/// For each domain the index of its scenario.
///
/// The shares follow the weights. Where there are as many domains as
/// scenarios of a weight over 0, each of these is played at least once.
/// Scenarios of weight 0 are left out of a mix; where all have weight 0, all
/// weigh the same.
pub(super) fn assign(domains: &[DomainName], scenarios: &[Arc<Scenario>], seed: u64) -> Vec<usize> {
    let alone = scenarios.iter().all(|scenario| scenario.weight == 0);
    let weight = |scenario: &Arc<Scenario>| if alone { 1 } else { u64::from(scenario.weight) };
    let played: Vec<usize> =
        (0..scenarios.len()).filter(|index| scenarios.get(*index).is_some_and(|s| weight(s) > 0)).collect();
    let total: u64 = scenarios.iter().map(weight).sum::<u64>().max(1);
    let by_weight = |domain: &DomainName| {
        let mut point = hash(seed, domain.as_str()) % total;
        for (index, scenario) in scenarios.iter().enumerate() {
            match point.checked_sub(weight(scenario)) {
                Some(rest) => point = rest,
                None => return index,
            }
        }
        0
    };
    let mut cast: Vec<usize> = domains.iter().map(by_weight).collect();
    if domains.len() >= played.len() {
        let mut drawn: Vec<usize> = (0..domains.len()).collect();
        // Another seed than that of the draw, or the first of the order would
        // all have drawn the first scenario.
        drawn.sort_by_cached_key(|index| {
            domains.get(*index).map(|domain| (hash(!seed, domain.as_str()), domain.clone()))
        });
        for (domain, scenario) in drawn.into_iter().zip(played) {
            if let Some(slot) = cast.get_mut(domain) {
                *slot = scenario;
            }
        }
    }
    cast
}
