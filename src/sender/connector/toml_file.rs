//! Connectors as people write them: TOML.

use super::entry::ConnectorEntry;
use super::error::{ConnectorError, FileLine};
use super::list::{ACCEPTED_DOMAINS_MAX, CONNECTOR_FILE_BYTES_MAX, ConnectorList};
use crate::model::DomainName;
use crate::model::text::{LineStarts, line_of};
use crate::sender::toml_fault;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectorFile {
    #[serde(default)]
    accepted_domains: Vec<Spanned<String>>,
    #[serde(default)]
    connector: Vec<ConnectorTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectorTable {
    name: Spanned<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    all_accepted_domains: bool,
    #[serde(default)]
    transport_rule_scoped: bool,
    #[serde(default)]
    connector_type: String,
    #[serde(default)]
    tls_settings: String,
    #[serde(default)]
    tls_domain: String,
    #[serde(default = "yes")]
    use_mx_record: bool,
    #[serde(default)]
    smart_hosts: Vec<String>,
    #[serde(default)]
    route_all_messages_via_on_premises: bool,
    #[serde(default)]
    smtp_dane_mode: String,
    #[serde(default)]
    mta_sts_mode: String,
}

fn yes() -> bool {
    true
}

/// Reads connectors from TOML; `docs/connectors.md` has an example.
///
/// # Errors
/// [`ConnectorError`] if the text is no such file, is over a limit, or a
/// connector contradicts itself.
pub fn parse_toml(text: &str) -> Result<ConnectorList, ConnectorError> {
    let (file, text) = read::<ConnectorFile>(text)?;
    let accepted = accepted_domains(text, &file.accepted_domains)?;
    let lines = LineStarts::of(text);
    let entries: Vec<ConnectorEntry> = file.connector.into_iter().map(|table| entry(&lines, table)).collect();
    ConnectorList::from_entries(&entries, accepted)
}

/// Reads a file within the limit; gives the text, too, without a byte order mark.
pub(in crate::sender) fn read<T: DeserializeOwned>(text: &str) -> Result<(T, &str), ConnectorError> {
    if text.len() > CONNECTOR_FILE_BYTES_MAX {
        return Err(ConnectorError::at(FileLine(0), format!("larger than {CONNECTOR_FILE_BYTES_MAX} bytes")));
    }
    let text = text.trim_start_matches('\u{feff}');
    let file = toml::from_str(text).map_err(|error| {
        let (line, what) = toml_fault::told(text, &error);
        ConnectorError::at(FileLine(line.unwrap_or(0)), what)
    })?;
    Ok((file, text))
}

/// The accepted domains of an organisation.
pub(in crate::sender) fn accepted_domains(
    text: &str,
    given: &[Spanned<String>],
) -> Result<Vec<DomainName>, ConnectorError> {
    if given.len() > ACCEPTED_DOMAINS_MAX {
        return Err(ConnectorError::at(
            FileLine(0),
            format!("more than {ACCEPTED_DOMAINS_MAX} accepted_domains"),
        ));
    }
    let parse = |domain: &Spanned<String>| {
        DomainName::parse(domain.get_ref()).map_err(|error| {
            let what = format!("accepted_domains `{}`: {error}", domain.get_ref());
            ConnectorError::at(FileLine(line_of(text, domain.span().start)), what)
        })
    };
    given.iter().map(parse).collect()
}

fn entry(lines: &LineStarts, table: ConnectorTable) -> ConnectorEntry {
    ConnectorEntry {
        place: FileLine(lines.line_of(table.name.span().start)),
        name: table.name.into_inner().trim().to_string(),
        disabled: !table.enabled,
        recipients: table.domains,
        all_accepted_domains: table.all_accepted_domains,
        rule_scoped: table.transport_rule_scoped,
        connector_type: table.connector_type,
        tls_settings: table.tls_settings,
        tls_domain: table.tls_domain,
        avoids_mx: !table.use_mx_record,
        smart_hosts: table.smart_hosts,
        all_via_on_premises: table.route_all_messages_via_on_premises,
        smtp_dane_mode: table.smtp_dane_mode,
        mta_sts_mode: table.mta_sts_mode,
    }
}
