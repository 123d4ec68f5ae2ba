//! What becomes of the mail of a domain at its hosts, told from the roll-up over
//! them: where it ends, why, and what else may become of it.

use super::attempt::{Attempt, AttemptEnd};
use super::deliver::{NO_ADDRESS, NO_ROUTE, RollUp, RollUpEnd};
use super::domain::Domain;
use super::hosts::{Member, Standing, TOO_MANY};
use super::outcome;
use super::profile::SenderProfile;
use super::requirement::Requirement;
use crate::model::tlsa::Authenticity;
use crate::model::{
    Authenticated, Basis, CheckCause, Delivery, Outcome, PolicyReason, PossibleDelivery, View,
};
use crate::sender::situation::Situation;
use std::ops::Range;

/// What becomes of a message without a connector.
pub(super) struct DomainOutcome<'a> {
    pub outcome: Outcome,
    pub also: Vec<PossibleDelivery>,
    pub otherwise: Vec<PossibleDelivery>,
    pub best: Option<View>,
    pub unresolved: Option<usize>,
    /// The member that decides it.
    pub decides: Option<Member<'a>>,
    /// By what the sender knows the host, where the mail goes through TLS.
    pub authenticated: Option<Authenticated>,
}

impl DomainOutcome<'_> {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            also: Vec::new(),
            otherwise: Vec::new(),
            best: None,
            unresolved: None,
            decides: None,
            authenticated: None,
        }
    }
}

/// What becomes of a message for which nothing is demanded.
pub(super) fn of<'a>(domain: &Domain<'a>) -> DomainOutcome<'a> {
    if domain.facts.mx_authenticity == Some(Authenticity::Bogus) && domain.securing.validates() {
        let reason = PolicyReason::MxBogus.into();
        let waits = Outcome::without_tls(Delivery::Deferred, reason, Some(Basis::Inferred));
        return DomainOutcome::of(Outcome { logged: domain.logged(reason), ..waits });
    }
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
fn open<'a>(domain: &Domain<'a>, place: usize, cause: CheckCause, end: RollUpEnd) -> DomainOutcome<'a> {
    let Some(member) = domain.members.get(place) else { return DomainOutcome::of(unprobed()) };
    let outcome = match member.standing {
        Standing::Address(_) | Standing::NotTried(..) => domain.outcome(member).unwrap_or_else(unprobed),
        _ => without_address(domain.profile, cause),
    };
    let otherwise = domain
        .without_unknown_policy()
        .map_or_else(|| without_member(domain, end), |without| possible_at(&without));
    let unresolved = member.is_unresolved().then_some(member.exchange);
    let decides = Some(*member);
    DomainOutcome { otherwise, best: domain.view(member), unresolved, decides, ..DomainOutcome::of(outcome) }
}

/// What would become of the mail if the member that leaves it open was not
/// there, and this the end.
fn without_member(domain: &Domain<'_>, end: RollUpEnd) -> Vec<PossibleDelivery> {
    match end {
        RollUpEnd::Taken(set) => distinct(domain.taking(set).into_iter().map(|(possible, _)| possible)),
        RollUpEnd::NotTaken(Some((place, _))) => domain.members.get(place).map(kept).into_iter().collect(),
        RollUpEnd::NotTaken(None) => Vec::new(),
    }
}

/// All that may become of the mail of a domain; where a host leaves that open,
/// without the host.
fn possible_at(domain: &Domain<'_>) -> Vec<PossibleDelivery> {
    let DomainOutcome { outcome: Outcome { delivery, reason, .. }, also, otherwise, .. } = of(domain);
    if delivery == Delivery::Undetermined {
        return otherwise;
    }
    distinct(also.into_iter().chain([PossibleDelivery { delivery, reason }]))
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

/// Mail that nobody takes is kept, or given up.
fn kept(member: &Member<'_>) -> PossibleDelivery {
    let reason = member.end().and_then(|end| end.reason);
    let gives_up = reason == Some(PolicyReason::DaneUnusableNoTls.into());
    let delivery = if gives_up { Delivery::Undeliverable } else { Delivery::Deferred };
    PossibleDelivery { delivery, reason: reason.or(Some(NO_ROUTE)) }
}

/// Some member of a set takes the mail: which, only chance decides. The worst
/// is told, and what the others come to beside it.
fn taken<'a>(domain: &Domain<'a>, roll: &RollUp, set: Range<usize>) -> DomainOutcome<'a> {
    let end = set.end;
    let taking = domain.taking(set);
    let known_by = |member: &Member<'_>| domain.authenticated(member);
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
            .any(|(_, other)| other.endpoint().is_some_and(|other| other.outcome.session != *session))
        || taking.iter().any(|(_, other)| known_by(other) != known_by(member));
    let basis = if differ { roll.basis.max(Basis::Inferred) } else { roll.basis };
    let outcome = domain.outcome(member).unwrap_or_else(|| endpoint.outcome.clone());
    let outcome = Outcome { basis: Some(basis), ..outcome };
    let through_tls = taking.iter().filter(|(possible, _)| possible.delivery == Delivery::Encrypted);
    let authenticated = through_tls.map(|(_, member)| known_by(member)).reduce(Authenticated::weakest);
    let authenticated = authenticated.map(|known| with_unknown(domain, end, known));
    DomainOutcome {
        also,
        best: domain.view(member),
        decides: Some(**member),
        authenticated: authenticated.filter(|_| outcome.delivery == Delivery::Encrypted),
        ..DomainOutcome::of(outcome)
    }
}

/// By what the host is known, where one before the `end` of the set that takes the
/// mail may take it, too, and it is not known whether it does.
fn with_unknown(domain: &Domain<'_>, end: usize, known: Authenticated) -> Authenticated {
    let before = domain.members.get(..end).unwrap_or_default();
    let open = before.iter().filter_map(|member| match domain.attempt(Requirement::Opportunistic, member) {
        Attempt::Unknown { cause, .. } => {
            let same = member.endpoint().is_some() && domain.authenticated(member) == known;
            (!same).then_some(Authenticated::Undetermined(cause))
        }
        _ => None,
    });
    open.fold(known, Authenticated::weakest)
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
fn not_taken<'a>(domain: &Domain<'a>, roll: &RollUp, place: Option<usize>) -> DomainOutcome<'a> {
    let keeps = |member: &Member<'_>| member.end().is_some_and(|end| end.delivery == Delivery::Deferred);
    let gives_up = |place: usize| domain.members.get(place).is_some_and(|member| !keeps(member));
    // What one host makes hopeless is kept for the others.
    let place = place.map(|place| match domain.members.iter().position(keeps) {
        Some(keeping) if gives_up(place) => keeping,
        _ => place,
    });
    let member = domain.members.get(place.unwrap_or_default());
    let told = place.and(member).and_then(|member| domain.outcome(member));
    let also = member.map(|member| refused_otherwise(domain, member)).unwrap_or_default();
    let basis = Some(if also.is_empty() { roll.basis } else { roll.basis.max(Basis::Inferred) });
    let outcome = match told {
        Some(outcome) => Outcome { basis, ..outcome },
        // All addresses are of a family that the sender does not have.
        None => Outcome::without_tls(Delivery::Undeliverable, NO_ADDRESS, basis),
    };
    let best = member.and_then(|member| domain.view(member));
    let unresolved = member.filter(|member| member.is_unresolved()).map(|member| member.exchange);
    DomainOutcome { also, best, unresolved, decides: member.copied(), ..DomainOutcome::of(outcome) }
}

/// What the other addresses of a set come to, that do not take the mail either,
/// each once: what `told` comes to left out.
fn refused_otherwise(domain: &Domain<'_>, told: &Member<'_>) -> Vec<PossibleDelivery> {
    let of_set = domain.members.iter().filter(|member| member.preference == told.preference);
    let addresses = of_set.filter(|member| !matches!(member.standing, Standing::NotTried(..)));
    let possible = |member: &Member<'_>| {
        member.end().map(|AttemptEnd { delivery, reason, .. }| PossibleDelivery { delivery, reason })
    };
    let of_told = possible(told);
    let is_kept = |other: &PossibleDelivery| other.delivery != Delivery::Undeliverable;
    distinct(addresses.filter_map(possible).filter(|other| Some(*other) != of_told && is_kept(other)))
}
