//! What holds of inbound connectors from whichever kind of file.

use super::message;
use mxray::internals::model::inbound::{DomainScope, InboundConnector, InboundConnectorType};
use mxray::internals::sender::connector::{CONNECTOR_NAME_BYTES_MAX, CONNECTORS_MAX, ConnectorError};
use mxray::internals::sender::inbound_connector::{
    INBOUND_ADDRESSES_MAX, INBOUND_DOMAINS_MAX, InboundConnectorList, SENDER_RANGE_PREFIX_MIN,
};

/// Within the limits and consistent in itself, or refused by one line.
pub fn check(read: Result<InboundConnectorList, ConnectorError>) {
    match read {
        Ok(list) => {
            assert!(list.connectors.len() + list.left_out.len() <= CONNECTORS_MAX);
            list.connectors.iter().for_each(check_connector);
        }
        Err(error) => message::check(&error.to_string()),
    }
}

fn check_connector(connector: &InboundConnector) {
    assert!(connector.name.len() <= CONNECTOR_NAME_BYTES_MAX);
    assert!(connector.sender_domains.len() <= INBOUND_DOMAINS_MAX);
    assert!(connector.sender_ip_addresses.len() <= INBOUND_ADDRESSES_MAX);
    let mut ranges = connector.sender_ip_addresses.iter();
    assert!(ranges.all(|range| range.prefix_len() >= SENDER_RANGE_PREFIX_MIN), "/24 to /32");
    let name = connector.tls_sender_certificate_name.as_ref();
    assert_ne!(name, Some(&DomainScope::Any), "a certificate for every name is no demand");
    for scope in connector.sender_domains.iter().chain(name) {
        assert_eq!(
            DomainScope::parse(&scope.to_string()).as_ref(),
            Ok(scope),
            "what is written is read again"
        );
        let bare = scope.to_string();
        assert!(scope.covers(bare.trim_start_matches("*.")), "a wildcard covers its own domain");
    }
    check_demands(connector);
}

/// Nothing is demanded that the connector cannot know, and nothing on premises.
fn check_demands(connector: &InboundConnector) {
    let InboundConnector { restrict_domains_to_certificate, restrict_domains_to_ip_addresses, .. } =
        connector;
    let named = connector.tls_sender_certificate_name.is_some();
    let has_addresses = !connector.sender_ip_addresses.is_empty();
    if connector.connector_type == InboundConnectorType::Partner {
        assert!(named || !restrict_domains_to_certificate, "a restriction has its name");
        assert!(has_addresses || !restrict_domains_to_ip_addresses, "a restriction has its addresses");
    } else {
        assert!(named || has_addresses, "it is known by something");
        assert!(!connector.require_tls, "does not apply on premises");
        assert!(!restrict_domains_to_certificate && !restrict_domains_to_ip_addresses, "nor do these");
    }
}
