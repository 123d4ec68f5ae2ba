//! Inbound connectors as `Get-InboundConnector | Export-Csv` writes them.

use super::entry::InboundEntry;
use super::list::InboundConnectorList;
use crate::sender::connector::ConnectorError;
use crate::sender::connector::entry::told;
use crate::sender::connector::export::{Export, ExportRow};
use std::collections::HashSet;

/// A column that is missing would pass for one that is empty, and the connector for one
/// that demands less.
const INBOUND: Export = Export {
    cmdlet: "Get-InboundConnector",
    columns_needed: &[
        "Name",
        "ConnectorType",
        "SenderDomains",
        "RequireTls",
        "TlsSenderCertificateName",
        "RestrictDomainsToCertificate",
        "RestrictDomainsToIPAddresses",
        "SenderIPAddresses",
    ],
};

/// Reads inbound connectors from an export of Get-InboundConnector: UTF-8 or UTF-16,
/// separated by comma, semicolon or tab.
///
/// # Errors
/// [`ConnectorError`] if the bytes are no such file, are over a limit, or a connector
/// contradicts itself.
pub fn parse_csv(bytes: &[u8]) -> Result<InboundConnectorList, ConnectorError> {
    InboundConnectorList::from_entries(&INBOUND.read(bytes, entry)?, HashSet::new(), None)
}

fn entry(row: &ExportRow<'_>) -> Result<InboundEntry, ConnectorError> {
    Ok(InboundEntry {
        place: row.place,
        name: row.cell("Name").to_string(),
        disabled: !row.flag("Enabled", true)?,
        connector_type: row.cell("ConnectorType").to_string(),
        sender_domains: address_spaces(row.values("SenderDomains")?),
        associated_accepted_domains: row.values("AssociatedAcceptedDomains")?,
        require_tls: told(row.cell("RequireTls")).map(|_| row.flag("RequireTls", false)).transpose()?,
        tls_sender_certificate_name: row.cell("TlsSenderCertificateName").to_string(),
        restrict_domains_to_certificate: row.flag("RestrictDomainsToCertificate", false)?,
        restrict_domains_to_ip_addresses: row.flag("RestrictDomainsToIPAddresses", false)?,
        sender_ip_addresses: row.values("SenderIPAddresses")?,
    })
}

/// The domains of address spaces, which the cmdlet shows as `smtp:contoso.com;1`: the type
/// and the cost, which count for nothing here, are left out.
fn address_spaces(values: Vec<String>) -> Vec<String> {
    let (mut domains, mut cost_may_follow) = (Vec::new(), false);
    for value in values {
        let (kind, domain) = value.split_once(':').unwrap_or(("", &value));
        let is_cost = cost_may_follow && value.bytes().all(|byte| byte.is_ascii_digit());
        cost_may_follow = kind.eq_ignore_ascii_case("smtp");
        if !is_cost {
            domains.push(if cost_may_follow { domain.to_string() } else { value });
        }
    }
    domains
}
