//! From what delivery through each endpoint of a domain would be to what
//! becomes of its mail.

use super::connector::{self, Met, Unproven};
use super::{Sender, names, outcome};
use crate::model::registry::ProtocolVersion;
use crate::model::{
    ChainStatus, Connectors, DateStatus, Delivery, DomainFacts, Finding, Kind, NameStatus, Outcome, Phase,
    Reason, Session, TlsFinding, Verdict, View,
};
use std::sync::Arc;

/// The answer for one domain. Each probe comes with the index of its exchange
/// in [`DomainFacts::exchanges`]; their order does not matter.
pub fn verdict(
    sender: &Sender,
    connectors: &Connectors,
    facts: &DomainFacts,
    probes: &[(usize, Arc<Finding>)],
) -> Verdict {
    let views = views_in_order(sender, facts, probes);
    let best = best(&views).cloned();
    let outcome = match (&facts.failure, &best) {
        (Some(failure), _) => outcome::without_probe(sender, facts, failure),
        (None, Some(best)) if says_no(best) && facts.is_cut() => not_all_asked(),
        (None, Some(best)) => best.outcome.clone(),
        (None, None) => unprobed(),
    };
    let met: Vec<Met> = views
        .iter()
        .map(|view| Met {
            delivery: view.outcome.delivery,
            reason: view.outcome.reason,
            unproven: Unproven {
                session: view.outcome.unproven,
                certificate: outcome::unproven_on_demand(sender, &view.finding),
            },
            presented: outcome::presented(sender, &view.finding),
            anonymous: outcome::is_anonymous(sender, &view.finding),
            wildcard_covers_apex: sender.wildcard_covers_apex.value,
        })
        .collect();
    let overall = (outcome.delivery, outcome.reason);
    Verdict {
        sender: sender.name.as_str().into(),
        forced: connector::forced_tls(facts, overall, &met),
        connector: connector::under(sender, connectors, facts, overall, &met),
        outcome,
        weakest: weakest(sender, &views).cloned(),
        best,
    }
}

/// Nothing is known, not even why.
fn unprobed() -> Outcome {
    Outcome {
        delivery: Delivery::Undetermined,
        reason: None,
        basis: None,
        session: None,
        logged: None,
        unproven: None,
    }
}

/// What is known says that mail does not get through; of hosts and addresses
/// beyond the limits nothing is known.
fn not_all_asked() -> Outcome {
    Outcome::undetermined(Reason::Ended { phase: Phase::Dns, kind: Kind::TooMany })
}

/// Whether it is known that mail does not get through here.
fn says_no(view: &View) -> bool {
    !answers(view) && view.outcome.delivery != Delivery::Undetermined
}

/// One view for each probe, in the order in which a sender tries: by exchange,
/// then by address.
fn views_in_order(sender: &Sender, facts: &DomainFacts, probes: &[(usize, Arc<Finding>)]) -> Vec<View> {
    let mut ordered: Vec<_> = probes
        .iter()
        .filter_map(|(index, finding)| {
            let exchange = facts.exchanges.get(*index)?;
            let ip = finding.key.endpoint.ip;
            let rank = exchange.addresses.iter().position(|address| *address == ip).unwrap_or(usize::MAX);
            Some(((*index, rank), exchange, finding))
        })
        .collect();
    ordered.sort_by_key(|(order, ..)| *order);
    ordered
        .into_iter()
        .map(|(_, exchange, finding)| {
            let leaf = finding.tls.as_ref().and_then(|tls| tls.leaf.as_deref());
            View {
                preference: exchange.preference,
                host: exchange.host.clone(),
                finding: finding.clone(),
                name: leaf.map(|leaf| names::status(leaf, &facts.target.subject, exchange.host.as_ref())),
                outcome: outcome::outcome(sender, finding),
            }
        })
        .collect()
}

/// Whether mail gets through here.
fn answers(view: &View) -> bool {
    matches!(view.outcome.delivery, Delivery::Encrypted | Delivery::Plaintext)
}

/// The first through which mail gets; else, of those of which that is not
/// known, the first that got furthest; else the first that got furthest.
fn best(views: &[View]) -> Option<&View> {
    let unknown = |view: &&View| view.outcome.delivery == Delivery::Undetermined;
    let phase = |view: &&View| view.outcome.reason.map(Reason::phase);
    let answer = views.iter().find(|view| answers(view));
    let open = || views.iter().rev().filter(unknown).max_by_key(phase);
    answer.or_else(open).or_else(|| views.iter().rev().max_by_key(phase))
}

/// The least secure of those that answer, the first of equals.
fn weakest<'v>(sender: &Sender, views: &'v [View]) -> Option<&'v View> {
    views.iter().filter(|view| answers(view)).min_by_key(|view| strength(sender, view))
}

/// Orders by what is lost: the whole encryption, the version, forward
/// secrecy, trust, dates, name; of the session and the certificate that this
/// sender would get, by a further hello too. What is not known counts as not
/// given, but for forward secrecy, where only the known lack counts.
fn strength(sender: &Sender, view: &View) -> (bool, Option<ProtocolVersion>, bool, bool, bool, bool) {
    let session = view.outcome.session.as_ref();
    let shaken = view.finding.tls.as_ref();
    let presented = outcome::presented(sender, &view.finding);
    let version = session.and_then(|session| session.version);
    let secrecy = session.and_then(Session::forward_secrecy);
    (
        view.outcome.delivery == Delivery::Encrypted,
        version.or_else(|| shaken.and_then(|tls| tls.version)),
        secrecy.or_else(|| shaken.and_then(TlsFinding::forward_secrecy)) != Some(false),
        presented.as_ref().map(|shown| shown.chain) == Some(ChainStatus::Valid),
        presented.as_ref().map(|shown| shown.dates) == Some(DateStatus::Valid),
        view.name.is_some_and(|name| name != NameStatus::None),
    )
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
