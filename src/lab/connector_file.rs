//! The file that tells a scanner which domains of a fleet are under a
//! connector.
//!
//! The lab only writes it; whether it is read right is the scanner's part.

use super::scenario::{Scenario, ScenarioConnector, ScenarioExchange};
use super::truth::TruthRow;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

#[derive(Serialize)]
struct WrittenFile<'a> {
    connector: Vec<WrittenConnector<'a>>,
}

#[derive(Serialize)]
struct WrittenConnector<'a> {
    name: &'a str,
    domains: Vec<&'a str>,
    tls_settings: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_domain: Option<&'a str>,
    use_mx_record: bool,
    smart_hosts: Vec<&'a str>,
}

/// Writes the connectors of these domains as TOML, in the order of their
/// names; nothing where none of the domains is under one. A scanner may bound
/// the domains of one connector: mxray takes 10,000.
pub(super) fn write(rows: &[TruthRow], mut writer: impl Write) -> io::Result<()> {
    let mut tables: BTreeMap<&str, WrittenConnector<'_>> = BTreeMap::new();
    for row in rows {
        let Some(connector) = &row.scenario.connector else { continue };
        let table = tables.entry(&row.scenario.name).or_insert_with(|| table(&row.scenario, connector));
        table.domains.push(row.domain.as_str());
    }
    if tables.is_empty() {
        return Ok(());
    }
    let file = WrittenFile { connector: tables.into_values().collect() };
    writer.write_all(toml::to_string(&file).map_err(io::Error::other)?.as_bytes())
}

fn table<'a>(scenario: &'a Scenario, connector: &'a ScenarioConnector) -> WrittenConnector<'a> {
    let smart_hosts: Vec<&str> =
        scenario.dns.exchanges.iter().filter_map(ScenarioExchange::smart_host_name).collect();
    WrittenConnector {
        name: &scenario.name,
        domains: Vec::new(),
        tls_settings: &connector.tls_settings,
        tls_domain: connector.tls_domain.as_deref(),
        use_mx_record: smart_hosts.is_empty(),
        smart_hosts,
    }
}
