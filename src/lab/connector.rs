//! Connectors of a fleet: which domains are under one, and the file that tells
//! a scanner so.
//!
//! The lab only writes them; whether they are read right is the scanner's part.

use super::scenario::{Exchange, Scenario};
use super::truth::TruthRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// `[connector]`: the connector that every domain of a scenario is under. It is
/// named after the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// TlsSettings as the cmdlet writes it.
    pub tls_settings: String,
    /// TlsDomain.
    pub tls_domain: Option<String>,
}

#[derive(Serialize)]
struct File<'a> {
    connector: Vec<Table<'a>>,
}

#[derive(Serialize)]
struct Table<'a> {
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
    let mut tables: BTreeMap<&str, Table<'_>> = BTreeMap::new();
    for row in rows {
        let Some(connector) = &row.scenario.connector else { continue };
        let table = tables.entry(&row.scenario.name).or_insert_with(|| table(&row.scenario, connector));
        table.domains.push(row.domain.as_str());
    }
    if tables.is_empty() {
        return Ok(());
    }
    let file = File { connector: tables.into_values().collect() };
    writer.write_all(toml::to_string(&file).map_err(io::Error::other)?.as_bytes())
}

fn table<'a>(scenario: &'a Scenario, connector: &'a Connector) -> Table<'a> {
    let smart_hosts: Vec<&str> = scenario.dns.exchanges.iter().filter_map(smart_host).collect();
    Table {
        name: &scenario.name,
        domains: Vec::new(),
        tls_settings: &connector.tls_settings,
        tls_domain: connector.tls_domain.as_deref(),
        use_mx_record: smart_hosts.is_empty(),
        smart_hosts,
    }
}

/// The name of a smart host, without the final dot.
fn smart_host(exchange: &Exchange) -> Option<&str> {
    exchange.host.strip_suffix('.').filter(|_| exchange.smart_host)
}

/// Whether the smart hosts of a scenario are such that one connector can name
/// them for all of its domains.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    for exchange in scenario.dns.exchanges.iter().filter(|exchange| exchange.smart_host) {
        let host = &exchange.host;
        if scenario.connector.is_none() {
            return Err(format!("{host}: a smart host, and no connector"));
        }
        if smart_host(exchange).is_none_or(str::is_empty) || exchange.buckets != 1 || exchange.preference != 0
        {
            return Err(format!("{host}: a smart host has an absolute name, one bucket and no preference"));
        }
    }
    Ok(())
}
