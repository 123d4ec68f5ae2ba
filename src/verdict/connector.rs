//! What becomes of mail under the connector that takes it.

use super::certificate::encryption_only;
use super::deliver::{RollUp, RollUpEnd};
use super::domain::Domain;
use super::domain_outcome;
use super::policy_use::PolicyUse;
use super::requirement::{self, Requirement};
use crate::model::{
    Check, CheckCause, CheckFailure, Connector, ConnectorDelivery, ConnectorVerdict, Delivery, DomainFacts,
    DomainName, Leaf, Logged, Outcome, Phase, PolicyReason, Reason, TlsSettings,
};
use crate::sender::connector::{Connectors, ReferenceIdentifier, logged};

/// Why a sender gives mail up that the DNS has a host for.
const GIVEN_UP: Reason = Reason::Policy(PolicyReason::DaneUnusableNoTls);

/// What becomes of mail to the domain under the connector that takes it.
/// `whole` is what becomes of it without one.
pub(super) fn under(
    domain: &Domain<'_>,
    connectors: &Connectors,
    whole: &Outcome,
) -> Option<ConnectorVerdict> {
    let name = requirement::domain(domain.facts)?;
    let connector = connectors.choose(name)?;
    let (check, logged) = settled(domain, connector, name, whole);
    let delivery = match check {
        Check::Pass => ConnectorDelivery::Delivered,
        Check::Fail(CheckFailure::NoTls(GIVEN_UP)) => ConnectorDelivery::Undeliverable,
        Check::Fail(_) if is_undeliverable(domain.facts, whole) => ConnectorDelivery::Undeliverable,
        Check::Fail(_) => ConnectorDelivery::Deferred,
        Check::Undetermined(_) => ConnectorDelivery::Undetermined,
    };
    let by_dns = delivery == ConnectorDelivery::Undeliverable && is_undeliverable(domain.facts, whole);
    let logged = logged.filter(|_| !by_dns);
    Some(ConnectorVerdict { name: connector.name.clone(), delivery, reason: check.reason(), logged })
}

fn is_undeliverable(facts: &DomainFacts, whole: &Outcome) -> bool {
    let given_up = whole.reason == Some(GIVEN_UP);
    whole.delivery == Delivery::Undeliverable && !given_up && !facts.smart_hosts
}

fn settled(
    domain: &Domain<'_>,
    connector: &Connector,
    name: &DomainName,
    whole: &Outcome,
) -> (Check, Option<Logged>) {
    let sender = &domain.profile.sender;
    if !is_routed_by(connector, domain.facts) {
        return (Check::Undetermined(CheckCause::NotProbed), None);
    }
    let told = |check, expected, leaf| logged(sender, check, expected, leaf, name.as_str());
    let uses = PolicyUse::under(sender, connector);
    if connector.tls_settings == TlsSettings::None {
        let check = if uses == PolicyUse::of(sender) {
            opportunistic(whole.delivery, whole.reason)
        } else {
            let outcome = domain_outcome::of(&domain.with_uses(uses)).outcome;
            opportunistic(outcome.delivery, outcome.reason)
        };
        return (check, told(check, None, None));
    }
    let expected = connector
        .tls_domain
        .as_ref()
        .map_or(ReferenceIdentifier::Recipient(name), ReferenceIdentifier::Agreed);
    if domain.is_unprobed() {
        let check = domain.unprobed(whole);
        return (check, told(check, Some(expected), None));
    }
    let demanded = Requirement::of(sender, connector.tls_settings, Some(expected));
    // DANE and MTA-STS count beside what the connector demands.
    let domain = domain.with_uses(uses).binding_forced();
    let roll = domain.deliver(demanded);
    let check = roll.check();
    (check, told(check, Some(expected), deciding_leaf(&domain, &roll)))
}

/// The certificate over which it is decided.
fn deciding_leaf<'a>(domain: &Domain<'a>, roll: &RollUp) -> Option<&'a Leaf> {
    let place = match (roll.open, &roll.end) {
        (Some((place, _)), _) => place,
        (None, RollUpEnd::NotTaken(failed)) => (*failed)?.0,
        (None, RollUpEnd::Taken(_)) => return None,
    };
    let endpoint = domain.members.get(place)?.endpoint()?;
    endpoint.presented.as_ref().map(|presented| &*presented.leaf)
}

/// Whether the endpoints of the facts are those to which the connector sends.
/// Facts that ended before any lookup are nobody's.
fn is_routed_by(connector: &Connector, facts: &DomainFacts) -> bool {
    let ended_before = facts.failure.as_ref().is_some_and(|failure| failure.phase == Phase::Input);
    ended_before || facts.smart_hosts != connector.smart_hosts.is_empty()
}

/// Where a connector demands nothing, mail in clear is delivered too.
fn opportunistic(delivery: Delivery, reason: Option<Reason>) -> Check {
    match delivery {
        Delivery::Plaintext => Check::Pass,
        delivery => encryption_only(delivery, reason),
    }
}

#[cfg(test)]
#[path = "connector_tests.rs"]
mod tests;
