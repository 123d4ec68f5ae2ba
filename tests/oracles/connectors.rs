//! What holds of connectors from whichever kind of file.

use super::message;
use mxray::internals::model::connector::{Recipients, SMART_HOST_ADDRESSES_MAX, SmartHost};
use mxray::internals::sender::connector::{
    CONNECTOR_NAME_BYTES_MAX, CONNECTOR_RECIPIENTS_MAX, CONNECTOR_SMART_HOSTS_MAX, CONNECTORS_MAX,
    ConnectorError, ConnectorList, Connectors,
};

/// Within the limits and consistent in itself, or refused by one line.
pub fn check(read: Result<ConnectorList, ConnectorError>) {
    let list = match read {
        Ok(list) => list,
        Err(error) => return message::check(&error.to_string()),
    };
    check_limits(&list);
    match list.in_force(Vec::new()) {
        Ok(connectors) => check_choice(&connectors),
        Err(error) => message::check(&error.to_string()),
    }
}

fn check_limits(list: &ConnectorList) {
    assert!(list.connectors.len() + list.left_out.len() <= CONNECTORS_MAX);
    for connector in &list.connectors {
        assert!(connector.name.len() <= CONNECTOR_NAME_BYTES_MAX);
        assert!(connector.recipients.len() <= CONNECTOR_RECIPIENTS_MAX);
        assert!(connector.smart_hosts.len() <= CONNECTOR_SMART_HOSTS_MAX);
        let addresses: usize = connector.smart_hosts.iter().map(|host| host.addresses().len()).sum();
        assert!(addresses <= SMART_HOST_ADDRESSES_MAX as usize, "each is probed");
        let ranges = connector.smart_hosts.iter().filter(|host| matches!(host, SmartHost::Range(_)));
        assert!(ranges.into_iter().all(|host| !host.addresses().is_empty()), "a range has an address");
    }
}

/// A domain that is named exactly goes to the connector that names it, and
/// what is written is read again.
fn check_choice(connectors: &Connectors) {
    for connector in connectors.iter() {
        for recipients in &connector.recipients {
            assert_eq!(Recipients::parse(&recipients.to_string()).as_ref(), Ok(recipients));
            if let Recipients::Exact(domain) = recipients {
                assert_eq!(connectors.choose(domain), Some(connector));
            }
        }
    }
}
