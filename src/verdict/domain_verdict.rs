//! The answer for one domain: what becomes of its mail without a connector,
//! under the one that takes it, and where TLS is forced.

use super::domain::Domain;
use super::profile::SenderProfile;
use super::{connector, domain_outcome, policies, promise};
use crate::model::{DomainFacts, JudgedEndpoint, Verdict};
use crate::sender::connector::Connectors;
use crate::trust::pkix::Judge;
use std::sync::Arc;

/// The answer for one domain. Each endpoint comes with the place of its
/// exchange in [`DomainFacts::exchanges`]; their order does not matter.
pub fn verdict(
    profile: &SenderProfile,
    judge: &Judge,
    connectors: &Connectors,
    facts: &DomainFacts,
    probes: &[(usize, Arc<JudgedEndpoint>)],
) -> Verdict {
    let domain = Domain::new(profile, judge, facts, probes);
    let whole = domain_outcome::of(&domain);
    let policies = policies::of(&domain, &whole);
    let (forced, forced_basis) = domain.forced(&whole.outcome);
    Verdict {
        sender: profile.sender.name.clone(),
        connector: connector::under(&domain, connectors, &whole.outcome),
        forced,
        forced_basis,
        weakest: domain.weakest().and_then(|member| domain.view_as_judged(member)),
        outcome: whole.outcome,
        also: whole.also,
        otherwise: whole.otherwise,
        promise: whole.best.as_ref().and_then(|best| promise::of(best, policies.dane)),
        policies,
        best: whole.best,
        unresolved: whole.unresolved,
    }
}

#[cfg(test)]
#[path = "properties_tests.rs"]
mod properties;
#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
