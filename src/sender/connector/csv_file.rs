//! Outbound connectors as `Get-OutboundConnector | Export-Csv` writes them.

use super::entry::ConnectorEntry;
use super::error::ConnectorError;
use super::export::{Export, ExportRow};
use super::list::ConnectorList;

const OUTBOUND: Export =
    Export { cmdlet: "Get-OutboundConnector", columns_needed: &["Name", "RecipientDomains", "TlsSettings"] };

/// Reads connectors from an export of Get-OutboundConnector: UTF-8 or UTF-16,
/// separated by comma, semicolon or tab.
///
/// # Errors
/// [`ConnectorError`] if the bytes are no such file, are over a limit, or a
/// connector contradicts itself.
pub fn parse_csv(bytes: &[u8]) -> Result<ConnectorList, ConnectorError> {
    ConnectorList::from_entries(&OUTBOUND.read(bytes, entry)?, Vec::new())
}

fn entry(row: &ExportRow<'_>) -> Result<ConnectorEntry, ConnectorError> {
    let entry = ConnectorEntry {
        place: row.place,
        name: row.cell("Name").to_string(),
        disabled: !row.flag("Enabled", true)?,
        recipients: row.values("RecipientDomains")?,
        all_accepted_domains: row.flag("AllAcceptedDomains", false)?,
        rule_scoped: row.flag("IsTransportRuleScoped", false)?,
        connector_type: row.cell("ConnectorType").to_string(),
        tls_settings: row.cell("TlsSettings").to_string(),
        tls_domain: row.cell("TlsDomain").to_string(),
        avoids_mx: !row.flag("UseMXRecord", true)?,
        smart_hosts: row.values("SmartHosts")?,
        all_via_on_premises: row.flag("RouteAllMessagesViaOnPremises", false)?,
        smtp_dane_mode: row.cell("SmtpDaneMode").to_string(),
        mta_sts_mode: row.cell("MtaStsMode").to_string(),
    };
    let expects_name = entry.tls_settings.eq_ignore_ascii_case("DomainValidation");
    if expects_name && !row.has("TlsDomain") {
        return Err(entry.wrong("TlsSettings is DomainValidation, and there is no column TlsDomain"));
    }
    Ok(entry)
}
