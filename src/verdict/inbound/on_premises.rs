//! Connectors of type OnPremises, which are known by a certificate or by addresses.

use super::case::{Holds, InboundCase};
use super::certificate;
use crate::model::inbound::{InboundCause, InboundConnector, InboundConnectorType};
use crate::sender::inbound_connector::InboundConnectorList;
use std::sync::Arc;

fn all(organisation: &InboundConnectorList) -> impl Iterator<Item = &InboundConnector> {
    let all = organisation.connectors.iter();
    all.filter(|connector| connector.connector_type == InboundConnectorType::OnPremises)
}

/// Whether there is one.
pub(super) fn any(organisation: &InboundConnectorList) -> bool {
    all(organisation).next().is_some()
}

/// Those that the session fits; a cause where none is known to, and one may.
pub(super) fn fitting(case: &InboundCase<'_>) -> Result<Vec<Arc<str>>, InboundCause> {
    let (mut names, mut open) = (Vec::new(), None);
    for connector in all(case.organisation) {
        match fits(case, connector) {
            Holds::Yes => names.push(connector.name.clone()),
            Holds::No => {}
            Holds::Open(cause) => open = open.or(Some(cause)),
        }
    }
    match open {
        Some(cause) if names.is_empty() => Err(cause),
        _ => Ok(names),
    }
}

fn fits(case: &InboundCase<'_>, connector: &InboundConnector) -> Holds {
    match (is_known(case, connector), case.is_associated(&connector.associated_accepted_domains)) {
        (Holds::No, _) | (_, Holds::No) => Holds::No,
        (Holds::Yes, associated) => associated,
        (known, _) => known,
    }
}

/// Whether the client is one that the connector names.
fn is_known(case: &InboundCase<'_>, connector: &InboundConnector) -> Holds {
    let by_address = case.comes_from(&connector.sender_ip_addresses);
    let Some(name) = &connector.tls_sender_certificate_name else {
        return if by_address { Holds::Yes } else { Holds::No };
    };
    match certificate::bears(case, name) {
        Holds::No if by_address => Holds::Open(InboundCause::AddressWithoutName),
        by_name => by_name,
    }
}
