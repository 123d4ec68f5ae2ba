//! A scenario: how the DNS answers for a domain, how its servers behave, and
//! what a scanner must find. The schema of `datasets/lab/*.toml`.

use super::dns_table::{Tlsa, Txt, Unresolved};
use super::error::LabError;
use super::expect::Expect;
use super::policy_table::PolicyHost;
use super::server::Server;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One file of `datasets/lab`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name, equal to the file's without `.toml`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Share in a mixed fleet; 0: never in a mix, only alone.
    pub weight: u32,
    /// How the DNS answers for the domain.
    #[serde(default)]
    pub dns: Dns,
    /// What stands at `_mta-sts.` before the domain; without it the name does
    /// not exist.
    pub mta_sts: Option<Txt>,
    /// The same at `_smtp._tls.`.
    pub tls_rpt: Option<Txt>,
    /// The policy host of its domains, if there is one.
    pub policy: Option<PolicyHost>,
    /// The connector that takes the mail of its domains, if one does.
    pub connector: Option<ScenarioConnector>,
    /// Servers by role; an exchange names the role that answers for it.
    #[serde(default)]
    pub server: BTreeMap<String, Server>,
    /// Where its hosts sit; by default as those of all others of the fleet.
    #[serde(skip)]
    pub seating: Option<Seating>,
    /// What a scanner must find.
    pub expect: Expect,
}

/// Where the hosts of a scenario sit that is a class of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seating {
    /// Addresses of each role.
    pub addresses: usize,
    /// How many of them are in one network of /24.
    pub per_network: usize,
    /// Fewest and most addresses that a host resolves to.
    pub resolves_to: (usize, usize),
}

/// The connector that every domain of a scenario is under. It is named after the
/// scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioConnector {
    /// TlsSettings as the cmdlet writes it.
    pub tls_settings: String,
    /// TlsDomain.
    pub tls_domain: Option<String>,
}

/// How the DNS answers for a domain.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// How the question for MX is answered.
    #[serde(default)]
    pub mode: Mode,
    /// The MX records.
    #[serde(default)]
    pub exchanges: Vec<ScenarioExchange>,
    /// Answers over UDP for names of this domain are cut (TC), so that the
    /// question comes again over TCP.
    #[serde(default)]
    pub truncate: bool,
    /// Whether the domain is signed, and its hosts, unless they say otherwise.
    #[serde(default)]
    pub signed: bool,
    /// Whether the signatures of the domain itself are wrong.
    #[serde(default)]
    pub bogus: bool,
}

/// How the question for MX is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// With the exchanges as MX records.
    #[default]
    Mx,
    /// Without MX records; the one exchange, named `@`, is the domain itself.
    Implicit,
    /// The domain exists and has neither MX nor address.
    NoData,
    /// There is no such domain.
    Nxdomain,
    /// SERVFAIL.
    Servfail,
    /// Not at all.
    Timeout,
}

/// One mail exchanger.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioExchange {
    /// MX preference.
    #[serde(default)]
    pub preference: u16,
    /// Name as in a zone file: relative to the domain (`mx1`), absolute with a
    /// final dot (`mx.shared.example.`), `@` for the domain itself, `.` for a
    /// null MX. `{bucket}` stands for a number below [`ScenarioExchange::buckets`]
    /// that depends on the domain alone: one host for many domains.
    pub host: String,
    /// How many hosts `{bucket}` makes.
    #[serde(default = "one")]
    pub buckets: u32,
    /// Role of the server behind it; none where the name leads nowhere.
    pub server: Option<String>,
    /// Address families of the server.
    #[serde(default)]
    pub addresses: AddressRecords,
    /// The host is an alias of this name (relative or absolute).
    pub cname: Option<String>,
    /// Whether the host is signed; by default as the domain is.
    pub signed: Option<bool>,
    /// Whether its alias is; by default as the host is.
    pub cname_signed: Option<bool>,
    /// Whether the signatures of the host's own records are wrong.
    #[serde(default)]
    pub bogus: bool,
    /// TLSA records of the host.
    pub tlsa: Option<Tlsa>,
    /// Those of its alias.
    pub cname_tlsa: Option<Tlsa>,
    /// It is no MX but a smart host of the connector. Its name is absolute.
    #[serde(default)]
    pub smart_host: bool,
    /// What asking for the host gives where there is no server.
    #[serde(default)]
    pub resolves: Unresolved,
}

fn one() -> u32 {
    1
}

impl ScenarioExchange {
    fn check(&self) -> Result<(), String> {
        let host = &self.host;
        if self.buckets == 0 {
            return Err(format!("{host}: no bucket to be in"));
        }
        let of_alias = self.cname_signed.is_some() || self.cname_tlsa.is_some();
        if of_alias && self.cname.is_none() {
            return Err(format!("{host}: something of an alias, and there is none"));
        }
        let tlsa = self.tlsa.iter().chain(&self.cname_tlsa);
        if self.server.is_none() && tlsa.clone().count() > 0 {
            return Err(format!("{host}: TLSA records, and no server to make them from"));
        }
        tlsa.clone().try_for_each(Tlsa::check)
    }

    /// The name of a smart host, without the final dot.
    pub(super) fn smart_host_name(&self) -> Option<&str> {
        self.host.strip_suffix('.').filter(|_| self.smart_host)
    }
}

/// Address records of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressRecords {
    /// A only.
    #[default]
    Ipv4,
    /// AAAA only, `::1`.
    Ipv6,
    /// An A and an AAAA record for each host.
    Both,
}

impl AddressRecords {
    /// Whether the host has an A record.
    pub fn has_ipv4(self) -> bool {
        self != AddressRecords::Ipv6
    }

    /// Whether the host has an AAAA record.
    pub fn has_ipv6(self) -> bool {
        self != AddressRecords::Ipv4
    }
}

impl Scenario {
    /// Reads one file. `name` is that of the file without `.toml`.
    ///
    /// # Errors
    /// The file breaks the schema or contradicts itself.
    pub fn parse(name: &str, text: &str) -> Result<Self, LabError> {
        let scenario: Scenario = toml::from_str(text).map_err(|e| LabError::scenario(name, e))?;
        if scenario.name != name {
            return Err(LabError::scenario(name, format_args!("is named {} inside", scenario.name)));
        }
        scenario.check().map_err(|cause| LabError::scenario(name, cause))?;
        Ok(scenario)
    }

    /// The exchange that a role answers for.
    pub fn exchange(&self, role: &str) -> Option<&ScenarioExchange> {
        self.dns.exchanges.iter().find(|exchange| exchange.server.as_deref() == Some(role))
    }

    /// Whether it needs `::1`.
    pub fn needs_ipv6(&self) -> bool {
        self.dns.exchanges.iter().any(|exchange| exchange.server.is_some() && exchange.addresses.has_ipv6())
    }

    fn check(&self) -> Result<(), String> {
        let shape_fits = match self.dns.mode {
            Mode::Mx => !self.dns.exchanges.is_empty(),
            Mode::Implicit => matches!(self.dns.exchanges.as_slice(), [only] if only.host == "@"),
            Mode::NoData | Mode::Nxdomain | Mode::Servfail | Mode::Timeout => self.dns.exchanges.is_empty(),
        };
        if !shape_fits {
            return Err("the exchanges do not fit the mode".into());
        }
        let mut played = BTreeSet::new();
        for exchange in &self.dns.exchanges {
            exchange.check()?;
            let Some(role) = &exchange.server else { continue };
            if !self.server.contains_key(role) {
                return Err(format!("no server is named {role}"));
            }
            if !played.insert(role.as_str()) {
                return Err(format!("server {role} answers for two exchanges"));
            }
        }
        if let Some(idle) = self.server.keys().find(|role| !played.contains(role.as_str())) {
            return Err(format!("server {idle} has no exchange"));
        }
        self.server.values().try_for_each(Server::check)?;
        self.policy.iter().try_for_each(PolicyHost::check)?;
        self.check_smart_hosts()?;
        self.expect.check(&played, self.connector.is_some())
    }

    /// Whether the smart hosts are such that one connector can name them for
    /// all domains.
    fn check_smart_hosts(&self) -> Result<(), String> {
        for exchange in self.dns.exchanges.iter().filter(|exchange| exchange.smart_host) {
            let host = &exchange.host;
            if self.connector.is_none() {
                return Err(format!("{host}: a smart host, and no connector"));
            }
            let named = exchange.smart_host_name().is_some_and(|name| !name.is_empty());
            if !named || exchange.buckets != 1 || exchange.preference != 0 {
                return Err(format!(
                    "{host}: a smart host has an absolute name, one bucket and no preference"
                ));
            }
        }
        Ok(())
    }
}
