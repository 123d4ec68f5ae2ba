//! The inbound connectors of a file, and what it says of their organisation.

use super::entry::InboundEntry;
use crate::model::DomainName;
use crate::model::inbound::InboundConnector;
use crate::sender::connector::{CONNECTORS_MAX, ConnectorError, FileLine};
use std::collections::{HashMap, HashSet};

/// A file of inbound connectors that was understood and is consistent in itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboundConnectorList {
    /// Those that are enabled, in the order of the file.
    pub connectors: Vec<InboundConnector>,
    /// Accepted domains of the organisation; empty where the file does not tell. A CSV
    /// tells none.
    pub accepted_domains: HashSet<DomainName>,
    /// Whether mail in the name of an accepted domain is rejected unless a connector takes
    /// it (Set-OrganizationConfig, RejectDirectSend); `None` where the file does not tell.
    pub reject_direct_send: Option<bool>,
    /// Those that are disabled, by name.
    pub left_out: Vec<String>,
}

impl InboundConnectorList {
    /// Checks all entries of a file.
    pub(super) fn from_entries(
        entries: &[InboundEntry],
        accepted_domains: HashSet<DomainName>,
        reject_direct_send: Option<bool>,
    ) -> Result<Self, ConnectorError> {
        if entries.len() > CONNECTORS_MAX {
            return Err(ConnectorError::at(FileLine(0), format!("more than {CONNECTORS_MAX} connectors")));
        }
        if reject_direct_send == Some(true) && accepted_domains.is_empty() {
            let what = "reject_direct_send is true, which needs accepted_domains";
            return Err(ConnectorError::at(FileLine(0), what));
        }
        let mut list = Self { accepted_domains, reject_direct_send, ..Self::default() };
        let mut names = HashMap::new();
        for entry in entries {
            let connector = entry.check()?;
            if let Some(FileLine(line)) = names.insert(entry.name.to_lowercase(), entry.place) {
                return Err(entry.wrong(format!("the connector in line {line} has this name, too")));
            }
            list.check_associated(entry, &connector)?;
            if entry.disabled {
                list.left_out.push(entry.name.clone());
            } else {
                list.connectors.push(connector);
            }
        }
        Ok(list)
    }

    /// Associated domains are accepted domains, as far as the file tells those.
    fn check_associated(
        &self,
        entry: &InboundEntry,
        connector: &InboundConnector,
    ) -> Result<(), ConnectorError> {
        let mut associated = connector.associated_accepted_domains.iter();
        let stranger = associated.find(|domain| !self.accepted_domains.contains(*domain));
        match stranger.filter(|_| !self.accepted_domains.is_empty()) {
            Some(domain) => {
                Err(entry.wrong(format!("AssociatedAcceptedDomains `{domain}` is none of accepted_domains")))
            }
            None => Ok(()),
        }
    }
}
