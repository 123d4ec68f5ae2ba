//! The inbound connectors of a file, and what it says of their organisation.

use super::entry::InboundEntry;
use crate::model::DomainName;
use crate::model::inbound::InboundConnector;
use crate::sender::connector::{ACCEPTED_DOMAINS_MAX, CONNECTORS_MAX, ConnectorError, FileLine};
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
        let mut list = Self { accepted_domains, reject_direct_send, ..Self::default() };
        let mut names = HashMap::new();
        for entry in entries {
            let connector = entry.check()?;
            if let Some(FileLine(line)) = names.insert(entry.name.to_lowercase(), entry.place) {
                return Err(entry.wrong(format!("the connector in line {line} has this name, too")));
            }
            list.check_associated(&connector).map_err(|what| entry.wrong(what))?;
            if entry.disabled {
                list.left_out.push(entry.name.clone());
            } else {
                list.connectors.push(connector);
            }
        }
        Ok(list)
    }

    /// Adds accepted domains that the file does not tell.
    ///
    /// # Errors
    /// They are too many; or none are told, in the file either, where something needs them; or
    /// a connector is limited to a domain that is none of them.
    pub fn with_accepted_domains(mut self, further: Vec<DomainName>) -> Result<Self, ConnectorError> {
        if further.len() > ACCEPTED_DOMAINS_MAX {
            let what = format!("more than {ACCEPTED_DOMAINS_MAX} accepted domains");
            return Err(ConnectorError::at(FileLine(0), what));
        }
        self.accepted_domains.extend(further);
        if self.reject_direct_send == Some(true) && self.accepted_domains.is_empty() {
            let what = "reject_direct_send is true, which needs accepted_domains or --accepted-domain";
            return Err(ConnectorError::at(FileLine(0), what));
        }
        for connector in &self.connectors {
            self.check_associated(connector)
                .map_err(|what| ConnectorError::of(FileLine(0), &connector.name, what))?;
        }
        Ok(self)
    }

    /// Associated domains are accepted domains, as far as those are told.
    fn check_associated(&self, connector: &InboundConnector) -> Result<(), String> {
        let mut associated = connector.associated_accepted_domains.iter();
        let stranger = associated.find(|domain| !self.accepted_domains.contains(*domain));
        match stranger.filter(|_| !self.accepted_domains.is_empty()) {
            Some(domain) => Err(format!("AssociatedAcceptedDomains `{domain}` is none of accepted_domains")),
            None => Ok(()),
        }
    }
}
