//! What an opportunistic sender would do: pure functions of facts and
//! findings. Senders with rules of their own come in through this door.

use super::connector::{self, Met};
use super::names;
use crate::model::registry::ProtocolVersion;
use crate::model::{
    ChainStatus, Connectors, DateStatus, Delivery, DomainFacts, Failure, Finding, Kind, NameStatus, Phase,
    Reason, Verdict, View,
};
use std::sync::Arc;

/// What delivery through one endpoint would be, and why it is not encrypted.
///
/// Only a host that has said so takes mail in clear. One that throttles us,
/// times out, or fails the handshake has not said "no TLS": whether a sender
/// falls back to clear after a failed handshake is a property of that sender,
/// and not known here.
pub fn delivery(finding: &Finding) -> (Delivery, Option<Reason>) {
    match &finding.failure {
        None => (Delivery::Encrypted, None),
        Some(failure) if goes_in_clear(failure) => (Delivery::Plaintext, Some(failure.into())),
        Some(failure) => (Delivery::Undetermined, Some(failure.into())),
    }
}

fn goes_in_clear(failure: &Failure) -> bool {
    matches!(
        (failure.phase, failure.kind),
        (Phase::Ehlo, Kind::HeloOnly)
            | (Phase::Starttls, Kind::NotOffered | Kind::KeywordMangled | Kind::Refused)
    )
}

/// The answer for one domain. Each probe comes with the index of its exchange
/// in [`DomainFacts::exchanges`]; their order does not matter.
pub fn verdict(connectors: &Connectors, facts: &DomainFacts, probes: &[(usize, Arc<Finding>)]) -> Verdict {
    let views = views_in_order(facts, probes);
    let best = best(&views).cloned();
    let (delivery, reason) = match (&facts.failure, &best) {
        (Some(failure), _) => without_probe(failure),
        (None, Some(best)) => (best.delivery, best.reason),
        (None, None) => (Delivery::Undetermined, None),
    };
    let met: Vec<Met<'_>> = views
        .iter()
        .map(|view| Met { delivery: view.delivery, reason: view.reason, tls: view.finding.tls.as_ref() })
        .collect();
    Verdict {
        delivery,
        reason,
        forced: connector::forced_tls(facts, (delivery, reason), &met),
        connector: connector::under(connectors, facts, (delivery, reason), &met),
        weakest: weakest(&views).cloned(),
        best,
    }
}

fn without_probe(failure: &Failure) -> (Delivery, Option<Reason>) {
    let delivery = match failure.kind {
        Kind::Nxdomain | Kind::NoData | Kind::NullMx | Kind::MxUnusable => Delivery::Undeliverable,
        _ => Delivery::Undetermined,
    };
    (delivery, Some(failure.into()))
}

/// One view for each probe, in the order in which a sender tries: by exchange,
/// then by address.
fn views_in_order(facts: &DomainFacts, probes: &[(usize, Arc<Finding>)]) -> Vec<View> {
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
            let (delivery, reason) = delivery(finding);
            let leaf = finding.tls.as_ref().and_then(|tls| tls.leaf.as_deref());
            View {
                preference: exchange.preference,
                host: exchange.host.clone(),
                finding: finding.clone(),
                name: leaf.map(|leaf| names::status(leaf, &facts.target.subject, exchange.host.as_ref())),
                delivery,
                reason,
            }
        })
        .collect()
}

fn answers(view: &View) -> bool {
    matches!(view.delivery, Delivery::Encrypted | Delivery::Plaintext)
}

/// The first that answers; else the first of those that got furthest.
fn best(views: &[View]) -> Option<&View> {
    let furthest = || views.iter().rev().max_by_key(|view| view.reason.map(|reason| reason.phase));
    views.iter().find(|view| answers(view)).or_else(furthest)
}

/// The least secure of those that answer, the first of equals.
fn weakest(views: &[View]) -> Option<&View> {
    views.iter().filter(|view| answers(view)).min_by_key(|view| strength(view))
}

/// Orders by what is lost: the whole encryption, the version, forward
/// secrecy, trust, dates, name. What is not known counts as not given, but
/// for forward secrecy, where only the known lack counts.
fn strength(view: &View) -> (bool, Option<ProtocolVersion>, bool, bool, bool, bool) {
    let tls = view.finding.tls.as_ref();
    (
        view.delivery == Delivery::Encrypted,
        tls.and_then(|tls| tls.version),
        tls.and_then(|tls| tls.forward_secrecy()) != Some(false),
        tls.and_then(|tls| tls.chain) == Some(ChainStatus::Valid),
        tls.and_then(|tls| tls.dates) == Some(DateStatus::Valid),
        view.name.is_some_and(|name| name != NameStatus::None),
    )
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
