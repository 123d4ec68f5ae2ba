//! Inbound connectors as people write them: TOML.

use super::entry::InboundEntry;
use super::list::InboundConnectorList;
use crate::model::text::LineStarts;
use crate::sender::connector::toml_file::{accepted_domains, read};
use crate::sender::connector::{ConnectorError, FileLine};
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundConnectorFile {
    #[serde(default)]
    accepted_domains: Vec<Spanned<String>>,
    reject_direct_send: Option<bool>,
    #[serde(default)]
    inbound_connector: Vec<InboundConnectorTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundConnectorTable {
    name: Spanned<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    connector_type: String,
    #[serde(default)]
    sender_domains: Vec<String>,
    #[serde(default)]
    associated_accepted_domains: Vec<String>,
    require_tls: Option<bool>,
    #[serde(default)]
    tls_sender_certificate_name: String,
    #[serde(default)]
    restrict_domains_to_certificate: bool,
    #[serde(default)]
    restrict_domains_to_ip_addresses: bool,
    #[serde(default)]
    sender_ip_addresses: Vec<String>,
}

fn yes() -> bool {
    true
}

/// Reads inbound connectors from TOML: `[[inbound_connector]]` with the properties of
/// Get-InboundConnector in snake_case, and `accepted_domains` and `reject_direct_send` of
/// the organisation.
///
/// # Errors
/// [`ConnectorError`] if the text is no such file, is over a limit, or a connector
/// contradicts itself.
pub fn parse_toml(text: &str) -> Result<InboundConnectorList, ConnectorError> {
    let (file, text) = read::<InboundConnectorFile>(text)?;
    let accepted = accepted_domains(text, &file.accepted_domains)?;
    let lines = LineStarts::of(text);
    let entries: Vec<InboundEntry> =
        file.inbound_connector.into_iter().map(|table| entry(&lines, table)).collect();
    InboundConnectorList::from_entries(&entries, accepted.into_iter().collect(), file.reject_direct_send)
}

fn entry(lines: &LineStarts, table: InboundConnectorTable) -> InboundEntry {
    InboundEntry {
        place: FileLine(lines.line_of(table.name.span().start)),
        name: table.name.into_inner().trim().to_string(),
        disabled: !table.enabled,
        connector_type: table.connector_type,
        sender_domains: table.sender_domains,
        associated_accepted_domains: table.associated_accepted_domains,
        require_tls: table.require_tls,
        tls_sender_certificate_name: table.tls_sender_certificate_name,
        restrict_domains_to_certificate: table.restrict_domains_to_certificate,
        restrict_domains_to_ip_addresses: table.restrict_domains_to_ip_addresses,
        sender_ip_addresses: table.sender_ip_addresses,
    }
}
