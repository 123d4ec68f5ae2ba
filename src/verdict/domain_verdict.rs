//! The answer for one domain: what becomes of its mail without a connector,
//! under the one that takes it, and where TLS is forced.

use super::deliver::{NO_ADDRESS, NO_ROUTE, RollUp, RollUpEnd};
use super::domain::Domain;
use super::hosts::{Member, Standing, TOO_MANY};
use super::profile::SenderProfile;
use super::requirement::Requirement;
use super::{connector, outcome, promise};
use crate::model::{
    Basis, CheckCause, Delivery, DomainFacts, JudgedEndpoint, Outcome, PossibleDelivery, Verdict, View,
};
use crate::sender::connector::Connectors;
use crate::sender::situation::Situation;
use std::ops::Range;
use std::sync::Arc;

/// The answer for one domain. Each endpoint comes with the place of its
/// exchange in [`DomainFacts::exchanges`]; their order does not matter.
pub fn verdict(
    profile: &SenderProfile,
    connectors: &Connectors,
    facts: &DomainFacts,
    probes: &[(usize, Arc<JudgedEndpoint>)],
) -> Verdict {
    let domain = Domain::new(profile, facts, probes);
    let whole = domain_outcome(&domain);
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
        promise: whole.best.as_ref().and_then(promise::of),
        best: whole.best,
        unresolved: whole.unresolved,
    }
}

/// What becomes of a message without a connector.
struct DomainOutcome {
    outcome: Outcome,
    also: Vec<PossibleDelivery>,
    otherwise: Vec<PossibleDelivery>,
    best: Option<View>,
    unresolved: Option<usize>,
}

impl DomainOutcome {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, also: Vec::new(), otherwise: Vec::new(), best: None, unresolved: None }
    }
}

fn domain_outcome(domain: &Domain<'_>) -> DomainOutcome {
    if domain.is_unprobed() {
        let without = |failure| outcome::without_probe(domain.profile, domain.facts, failure);
        return DomainOutcome::of(domain.facts.failure.as_ref().map_or_else(unprobed, without));
    }
    let roll = domain.deliver(Requirement::Opportunistic);
    match (roll.open, roll.end.clone()) {
        (Some((place, cause)), end) => open(domain, place, cause, end),
        (None, RollUpEnd::Taken(set)) => taken(domain, &roll, set),
        (None, RollUpEnd::NotTaken(failed)) => not_taken(domain, &roll, failed.map(|(place, _)| place)),
    }
}

/// Nothing is known, not even why.
fn unprobed() -> Outcome {
    Outcome { reason: None, ..Outcome::undetermined(TOO_MANY) }
}

/// A host leaves it open.
fn open(domain: &Domain<'_>, place: usize, cause: CheckCause, end: RollUpEnd) -> DomainOutcome {
    let Some(member) = domain.members.get(place) else { return DomainOutcome::of(unprobed()) };
    let outcome = match member.standing {
        Standing::Address(endpoint) | Standing::NotTried(endpoint, _) => endpoint.outcome.clone(),
        _ => without_address(domain.profile, cause),
    };
    let otherwise = match end {
        RollUpEnd::Taken(set) => distinct(domain.taking(set).into_iter().map(|(possible, _)| possible)),
        RollUpEnd::NotTaken(Some((place, _))) => domain.members.get(place).map(kept).into_iter().collect(),
        RollUpEnd::NotTaken(None) => Vec::new(),
    };
    let unresolved = matches!(member.standing, Standing::Unresolved(_)).then_some(member.exchange);
    DomainOutcome { outcome, also: Vec::new(), otherwise, best: domain.view(member), unresolved }
}

/// What is told of a host that has no address to ask.
fn without_address(profile: &SenderProfile, cause: CheckCause) -> Outcome {
    let reason = match cause {
        CheckCause::NoAnswer(reason) => reason,
        _ => TOO_MANY,
    };
    let logged = Situation::of(reason).and_then(|situation| profile.logged(situation));
    Outcome { logged, ..Outcome::undetermined(reason) }
}

/// Mail that nobody takes is kept.
fn kept(member: &Member<'_>) -> PossibleDelivery {
    let reason = member.endpoint().and_then(|endpoint| endpoint.outcome.reason);
    PossibleDelivery { delivery: Delivery::Deferred, reason: reason.or(Some(NO_ROUTE)) }
}

/// Some member of a set takes the mail: which, only chance decides. The worst
/// is told, and what the others come to beside it.
fn taken(domain: &Domain<'_>, roll: &RollUp, set: Range<usize>) -> DomainOutcome {
    let taking = domain.taking(set);
    let worst = taking
        .iter()
        .min_by(|(one, first), (other, second)| one.cmp(other).then_with(|| domain.compare(first, second)));
    let Some((told, member)) = worst else { return DomainOutcome::of(unprobed()) };
    let Some(endpoint) = member.endpoint() else { return DomainOutcome::of(unprobed()) };
    let session = &endpoint.outcome.session;
    let also = distinct(taking.iter().map(|(possible, _)| *possible).filter(|other| other != told));
    let differ = !also.is_empty()
        || taking
            .iter()
            .any(|(_, other)| other.endpoint().is_some_and(|other| other.outcome.session != *session));
    let basis = if differ { roll.basis.max(Basis::Inferred) } else { roll.basis };
    let outcome = Outcome { basis: Some(basis), ..endpoint.outcome.clone() };
    DomainOutcome { outcome, also, otherwise: Vec::new(), best: domain.view(member), unresolved: None }
}

/// Each once, worst first.
fn distinct(deliveries: impl Iterator<Item = PossibleDelivery>) -> Vec<PossibleDelivery> {
    let mut all: Vec<PossibleDelivery> = deliveries.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Nobody takes the mail. `place` is that of the member that says why. Which of
/// a set is tried last, and so why the sender keeps it, only chance decides.
fn not_taken(domain: &Domain<'_>, roll: &RollUp, place: Option<usize>) -> DomainOutcome {
    let member = domain.members.get(place.unwrap_or_default());
    let told = place.and(member).and_then(|member| member.endpoint()).map(|endpoint| &endpoint.outcome);
    let also = member.map(|member| refused_otherwise(domain, member)).unwrap_or_default();
    let basis = Some(if also.is_empty() { roll.basis } else { roll.basis.max(Basis::Inferred) });
    let outcome = match told {
        Some(outcome) => Outcome { basis, ..outcome.clone() },
        // All addresses are of a family that the sender does not have.
        None => Outcome::without_tls(Delivery::Undeliverable, NO_ADDRESS, basis),
    };
    let best = member.and_then(|member| domain.view(member));
    DomainOutcome { also, best, ..DomainOutcome::of(outcome) }
}

/// What the other addresses of a set come to, that do not take the mail either,
/// each once: what `told` comes to left out.
fn refused_otherwise(domain: &Domain<'_>, told: &Member<'_>) -> Vec<PossibleDelivery> {
    let of_set = domain.members.iter().filter(|member| member.preference == told.preference);
    let addresses = of_set.filter_map(|member| match member.standing {
        Standing::Address(endpoint) => Some(endpoint),
        _ => None,
    });
    let possible = |endpoint: &Arc<JudgedEndpoint>| {
        let Outcome { delivery, reason, .. } = endpoint.outcome;
        PossibleDelivery { delivery, reason }
    };
    let of_told = told.endpoint().map(possible);
    distinct(addresses.map(possible).filter(|other| Some(*other) != of_told))
}

#[cfg(test)]
#[path = "properties_tests.rs"]
mod properties;
#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
