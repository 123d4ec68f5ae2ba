//! What forced TLS comes to for a domain: always by the three strengths, and
//! by the connector that takes its mail.

use super::check::{self, Demand, Unproven};
use super::code;
use super::names::Expected;
use crate::model::{
    Check, CheckCause, CheckFailure, Connector, ConnectorVerdict, Connectors, Delivery, DomainFacts,
    DomainName, ForcedTls, Kind, Logged, Passage, Phase, Presented, Reason, Subject, TlsSettings,
};
use crate::policy::Sender;

/// One endpoint as the sender meets it.
#[derive(Clone, Debug)]
pub struct Met {
    /// What opportunistic delivery there would be.
    pub delivery: Delivery,
    /// Why not encrypted.
    pub reason: Option<Reason>,
    /// Whether it is not known that the server holds the key of its certificate.
    pub unproven: Unproven,
    /// The certificate that it is shown; `None` where none was seen.
    pub presented: Option<Presented>,
    /// Whether it has none to show: it agrees to anonymous suites only.
    pub anonymous: bool,
    /// Whether to this sender a certificate for `*.contoso.com` serves
    /// `contoso.com` too.
    pub wildcard_covers_apex: bool,
}

/// Opportunistic delivery to the domain as a whole.
type Opportunistic = (Delivery, Option<Reason>);

/// The three strengths, as if a connector without TlsDomain demanded each.
/// The endpoints stand in the order in which the sender tries them.
pub fn forced_tls(facts: &DomainFacts, whole: Opportunistic, met: &[Met]) -> ForcedTls {
    let expected = domain(facts).map(Expected::Recipient);
    let (forced, _) = every(facts, whole, met, expected);
    forced
}

/// What becomes of mail of `sender` to the domain under the connector that
/// takes it.
pub fn under(
    sender: &Sender,
    connectors: &Connectors,
    facts: &DomainFacts,
    whole: Opportunistic,
    met: &[Met],
) -> Option<ConnectorVerdict> {
    let domain = domain(facts)?;
    let connector = connectors.choose(domain)?;
    let (check, logged) = settled(sender, connector, domain, facts, whole, met);
    let passage = match check {
        Check::Pass => Passage::Delivered,
        Check::Fail(_) if whole.0 == Delivery::Undeliverable && !facts.smart_hosts => Passage::Undeliverable,
        Check::Fail(_) => Passage::Deferred,
        Check::Undetermined(_) => Passage::Undetermined,
    };
    let logged = logged.filter(|_| passage != Passage::Undeliverable);
    Some(ConnectorVerdict { name: connector.name.clone(), passage, reason: check.reason(), logged })
}

fn settled(
    sender: &Sender,
    connector: &Connector,
    domain: &DomainName,
    facts: &DomainFacts,
    whole: Opportunistic,
    met: &[Met],
) -> (Check, Option<Logged>) {
    if !is_routed_by(connector, facts) {
        return (Check::Undetermined(CheckCause::NotProbed), None);
    }
    let expected = connector.tls_domain.as_ref().map_or(Expected::Recipient(domain), Expected::Agreed);
    if connector.tls_settings == TlsSettings::None {
        let check = opportunistic(whole);
        return (check, code::logged(sender, check, None, None));
    }
    let (forced, endpoints) = every(facts, whole, met, Some(expected));
    let check = forced.check(connector.tls_settings);
    let deciding = endpoints.iter().position(|endpoint| endpoint.check(connector.tls_settings) == check);
    let presented = deciding.and_then(|index| met.get(index)).and_then(|met| met.presented.as_ref());
    (check, code::logged(sender, check, Some(expected), presented.map(|presented| &*presented.leaf)))
}

/// Whether the endpoints of the facts are those to which the connector sends.
/// Facts that ended before any lookup are nobody's.
fn is_routed_by(connector: &Connector, facts: &DomainFacts) -> bool {
    let ended_before = facts.failure.as_ref().is_some_and(|failure| failure.phase == Phase::Input);
    ended_before || facts.smart_hosts != connector.smart_hosts.is_empty()
}

/// Where a connector demands nothing, mail in clear is delivered too.
fn opportunistic((delivery, reason): Opportunistic) -> Check {
    match delivery {
        Delivery::Plaintext => Check::Pass,
        delivery => check::encryption_only(delivery, reason),
    }
}

/// The checks of the domain, and of each endpoint.
fn every(
    facts: &DomainFacts,
    whole: Opportunistic,
    met: &[Met],
    expected: Option<Expected<'_>>,
) -> (ForcedTls, Vec<ForcedTls>) {
    if facts.failure.is_some() || met.is_empty() {
        return (ForcedTls::all(unprobed(facts, whole)), Vec::new());
    }
    let check = |met: &Met| {
        let demand = Demand { expected, wildcard_covers_apex: met.wildcard_covers_apex };
        if met.anonymous {
            return check::anonymous(met.delivery, met.reason);
        }
        check::forced((met.delivery, met.reason), met.unproven, met.presented.as_ref(), &demand)
    };
    let endpoints: Vec<ForcedTls> = met.iter().map(check).collect();
    (check::roll_up(facts, &endpoints), endpoints)
}

/// Where nothing was probed the DNS has decided, or nothing has. Smart hosts
/// that are not to be found may be mended by whoever wrote the connector, but
/// mail waits until then.
fn unprobed(facts: &DomainFacts, (delivery, reason): Opportunistic) -> Check {
    match (reason, facts.smart_hosts) {
        (Some(reason), true) if reason.kind() == Some(Kind::MxUnusable) => {
            Check::Fail(CheckFailure::NoTls(reason))
        }
        _ => check::encryption_only(delivery, reason),
    }
}

fn domain(facts: &DomainFacts) -> Option<&DomainName> {
    match &facts.target.subject {
        Subject::Domain(domain) => Some(domain),
        Subject::Host { .. } | Subject::Endpoint { .. } => None,
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
