//! Connectors of type Partner, which take the mail of domains, and what they demand.

use super::case::{Holds, InboundCase};
use super::certificate;
use crate::model::inbound::{
    InboundAcceptance, InboundCause, InboundConnector, InboundConnectorType, InboundRefusal, InboundVerdict,
    UnmetDemand,
};

/// What the connectors of the sender's domain make of it; `None` where there is none.
pub(super) fn verdict(case: &InboundCase<'_>) -> Option<InboundVerdict> {
    let all = case.organisation.connectors.iter();
    let partners = all.filter(|connector| connector.connector_type == InboundConnectorType::Partner);
    let mut fitting = Vec::new();
    for connector in partners {
        match is_scope(case, connector) {
            Holds::Yes => fitting.push(connector),
            Holds::No => {}
            Holds::Open(cause) => return Some(InboundVerdict::NotDetermined(cause)),
        }
    }
    let each = fitting.into_iter().map(|connector| under(case, connector));
    each.reduce(together)
}

/// Whether the connector is for this sender.
fn is_scope(case: &InboundCase<'_>, connector: &InboundConnector) -> Holds {
    let Some(sender) = case.sender() else { return Holds::Open(InboundCause::SenderDomain) };
    if !connector.sender_domains.iter().any(|scope| scope.covers(sender.as_str())) {
        return Holds::No;
    }
    case.is_associated(&connector.associated_accepted_domains)
}

/// What comes of two connectors that both fit.
fn together(one: InboundVerdict, other: InboundVerdict) -> InboundVerdict {
    use InboundAcceptance::Connectors;
    match (one, other) {
        (InboundVerdict::Accepted(Connectors(one)), InboundVerdict::Accepted(Connectors(other))) => {
            InboundVerdict::Accepted(Connectors([one, other].concat()))
        }
        (InboundVerdict::Rejected(one), InboundVerdict::Rejected(other)) => {
            InboundVerdict::Rejected([one, other].concat())
        }
        _ => InboundVerdict::NotDetermined(InboundCause::SeveralConnectors),
    }
}

/// What one connector makes of it. A demand that is surely not met refuses the mail,
/// whatever is not known of others.
fn under(case: &InboundCase<'_>, connector: &InboundConnector) -> InboundVerdict {
    let (mut refusals, mut open) = (Vec::new(), None);
    let demands = [
        (UnmetDemand::Tls, tls(case, connector)),
        (UnmetDemand::Address, address(case, connector)),
        (UnmetDemand::Certificate, named(case, connector)),
    ];
    for (demand, met) in demands {
        match met {
            Holds::Yes => {}
            Holds::No => refusals.push(InboundRefusal::new(demand, Some(connector.name.clone()))),
            Holds::Open(cause) => open = open.or(Some(cause)),
        }
    }
    match open {
        _ if !refusals.is_empty() => InboundVerdict::Rejected(refusals),
        Some(cause) => InboundVerdict::NotDetermined(cause),
        None => InboundVerdict::Accepted(InboundAcceptance::Connectors(vec![connector.name.clone()])),
    }
}

fn tls(case: &InboundCase<'_>, connector: &InboundConnector) -> Holds {
    if case.mail.in_tls || !connector.require_tls { Holds::Yes } else { Holds::No }
}

fn address(case: &InboundCase<'_>, connector: &InboundConnector) -> Holds {
    let restricted = connector.restrict_domains_to_ip_addresses;
    if !restricted || case.comes_from(&connector.sender_ip_addresses) { Holds::Yes } else { Holds::No }
}

fn named(case: &InboundCase<'_>, connector: &InboundConnector) -> Holds {
    let Some(name) = &connector.tls_sender_certificate_name else { return Holds::Yes };
    match certificate::bears(case, name) {
        Holds::No if !connector.restrict_domains_to_certificate => {
            Holds::Open(InboundCause::NameWithoutRestriction)
        }
        held => held,
    }
}
