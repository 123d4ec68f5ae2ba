//! From a list of domains to a whole small internet: names, addresses, the
//! servers behind them, and what a scanner must find. No socket is opened.

use super::address::{IPV6, Plot, Pool};
use super::assign::assign;
use super::cast_records::{PlannedTlsa, ZoneEntry, host_name, server_name};
use super::dns_table::Answers;
use super::error::LabError;
use super::httpsd;
use super::scenario::{Dns, Mode, Scenario, ScenarioExchange};
use super::server::Server;
use super::truth::{EndpointTruth, RolePlacement, TruthRow};
use super::zone::{Node, Zone};
use crate::model::DomainName;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A fleet on paper.
pub(super) struct Cast {
    /// What the DNS knows.
    pub zone: Zone,
    /// The names that get TLSA records once there are certificates to make them
    /// from.
    pub tlsa: BTreeMap<String, PlannedTlsa>,
    /// The server at each address, and the name that it goes by.
    pub stations: BTreeMap<IpAddr, Station>,
    /// The scenario whose policy hosts are at each address.
    pub policies: BTreeMap<IpAddr, usize>,
    /// What must be found, in the order of the domains.
    pub truth: Vec<TruthRow>,
    /// What must be found at each address and name.
    pub endpoints: Vec<EndpointTruth>,
}

/// A server at an address.
pub(super) struct Station {
    /// The scenario and role that it plays.
    pub part: (usize, String),
    /// Name in greetings and for clients without SNI: of the hosts here the
    /// first in the list.
    pub host: String,
}

impl Cast {
    /// Casts `domains` (doubles count once); `hosts` is the size of the pool
    /// of addresses of each role.
    pub(super) fn new(
        domains: &[DomainName],
        scenarios: &[Arc<Scenario>],
        seed: u64,
        hosts: usize,
    ) -> Result<Self, LabError> {
        let mut once = HashSet::new();
        let domains: Vec<DomainName> =
            domains.iter().filter(|domain| once.insert((*domain).clone())).cloned().collect();
        let wish = |scenario: &Arc<Scenario>| {
            let roles = scenario.server.len() + usize::from(scenario.policy.is_some());
            scenario.seating.map(|seats| (seats.addresses * roles.max(1), seats.per_network))
        };
        let plots = Plot::lay_out(&scenarios.iter().map(wish).collect::<Vec<_>>())?;
        let mut casting = Casting {
            scenarios,
            hosts,
            plots,
            endpoint_of: HashMap::new(),
            cast: Cast {
                zone: Zone::default(),
                tlsa: BTreeMap::new(),
                policies: BTreeMap::new(),
                stations: BTreeMap::new(),
                truth: Vec::with_capacity(domains.len()),
                endpoints: Vec::new(),
            },
        };
        for (domain, index) in domains.iter().zip(assign(&domains, scenarios, seed)) {
            if let Some(scenario) = scenarios.get(index) {
                casting.place(domain, index, scenario)?;
            }
        }
        Ok(casting.cast)
    }
}

struct Casting<'a> {
    scenarios: &'a [Arc<Scenario>],
    hosts: usize,
    plots: Vec<Plot>,
    endpoint_of: HashMap<(IpAddr, String), usize>,
    cast: Cast,
}

impl Casting<'_> {
    fn place(&mut self, domain: &DomainName, index: usize, scenario: &Arc<Scenario>) -> Result<(), LabError> {
        let mut mx = Vec::new();
        let mut own = Vec::new();
        let mut places = BTreeMap::new();
        let mut unresolved = None;
        for exchange in &scenario.dns.exchanges {
            let host = host_name(exchange, &exchange.host, domain);
            let name = server_name(scenario, exchange, &host, domain);
            let addresses = self.seat((index, scenario), exchange, &host, &name)?;
            if let (Some(role), Some(ip)) = (&exchange.server, addresses.first()) {
                let place = RolePlacement { host: host.clone(), preference: exchange.preference, ip: *ip };
                places.insert(role.clone(), place);
            }
            if scenario.expect.unresolved.as_ref() == Some(&exchange.host) {
                unresolved = Some((host.clone(), exchange.preference));
            }
            if host == domain.as_str() {
                own = addresses;
            } else {
                self.enter_host(domain, scenario, exchange, &host, addresses)?;
            }
            let entry = ZoneEntry { zone: &mut self.cast.zone, domain, scenario };
            entry.tlsa(index, exchange, &host, &mut self.cast.tlsa)?;
            if !exchange.smart_host {
                mx.push((exchange.preference, host));
            }
        }
        let answers = match scenario.dns.mode {
            _ if scenario.dns.bogus => Answers::Bogus,
            Mode::Mx | Mode::Implicit | Mode::NoData => Answers::Records,
            Mode::Nxdomain => Answers::Nxdomain,
            Mode::Servfail => Answers::Servfail,
            Mode::Timeout => Answers::Timeout,
        };
        if scenario.dns.mode != Mode::Mx {
            mx.clear();
        }
        let Dns { truncate, signed, .. } = scenario.dns;
        let node = Node { answers, signed, truncate, mx, addresses: own, ..Node::default() };
        self.cast.zone.insert(domain.as_str(), node)?;
        for (label, table) in [("_mta-sts", &scenario.mta_sts), ("_smtp._tls", &scenario.tls_rpt)] {
            if let Some(table) = table {
                ZoneEntry { zone: &mut self.cast.zone, domain, scenario }.txt(label, table)?;
            }
        }
        if let Some(policy) = &scenario.policy {
            let host = format!("{}{domain}", httpsd::LABEL);
            let address = self.pool(index, scenario, scenario.server.len())?.address(&host);
            if policy.resolves.is_none() {
                self.cast.policies.insert(address, index);
            }
            ZoneEntry { zone: &mut self.cast.zone, domain, scenario }.policy_host(host, address, policy)?;
        }
        self.cast.truth.push(TruthRow {
            domain: domain.clone(),
            scenario: scenario.clone(),
            places,
            unresolved,
        });
        Ok(())
    }

    /// The addresses of a role of a scenario, each by its number.
    fn pool(&self, index: usize, scenario: &Scenario, role: usize) -> Result<Pool, LabError> {
        let plot = self.plots.get(index).copied().ok_or(LabError::NoScenario)?;
        Pool::new(plot, role, scenario.seating.map_or(self.hosts, |seats| seats.addresses))
    }

    /// Gives the host of an exchange its addresses, and these their server.
    fn seat(
        &mut self,
        (index, scenario): (usize, &Arc<Scenario>),
        exchange: &ScenarioExchange,
        host: &str,
        name: &str,
    ) -> Result<Vec<IpAddr>, LabError> {
        let Some(role) = &exchange.server else { return Ok(Vec::new()) };
        let number = scenario.server.keys().position(|known| known == role).unwrap_or_default();
        let mut addresses = Vec::new();
        if exchange.addresses.has_ipv4() {
            let count = scenario.seating.map_or((1, 1), |seats| seats.resolves_to);
            addresses = self.pool(index, scenario, number)?.addresses(host, count);
        }
        if exchange.addresses.has_ipv6() {
            addresses.push(IPV6);
        }
        for ip in &addresses {
            self.sit(*ip, (index, scenario), role, host)?;
            self.expect_at(*ip, scenario, role, name);
        }
        Ok(addresses)
    }

    fn sit(
        &mut self,
        ip: IpAddr,
        (index, scenario): (usize, &Arc<Scenario>),
        role: &str,
        host: &str,
    ) -> Result<(), LabError> {
        let part = (index, role.to_string());
        let station =
            self.cast.stations.entry(ip).or_insert_with(|| Station { part, host: host.to_string() });
        // Only ::1 can be wanted by two scenarios: there is no other.
        let (there, known) = (&station.part, |part: &(usize, String)| -> Option<&Server> {
            self.scenarios.get(part.0)?.server.get(&part.1)
        });
        if known(there) != scenario.server.get(role) {
            let cause = format!("wants another server at {ip} than another scenario");
            return Err(LabError::scenario(&scenario.name, cause));
        }
        Ok(())
    }

    /// Writes down, once, what must be found there under a name.
    fn expect_at(&mut self, ip: IpAddr, scenario: &Arc<Scenario>, role: &str, name: &str) {
        let next = self.cast.endpoints.len();
        if *self.endpoint_of.entry((ip, name.to_string())).or_insert(next) == next {
            let truth = EndpointTruth {
                ip,
                host: name.to_string(),
                scenario: scenario.clone(),
                role: role.to_string(),
            };
            self.cast.endpoints.push(truth);
        }
    }

    /// What the DNS says of a host that is not the domain itself.
    fn enter_host(
        &mut self,
        domain: &DomainName,
        scenario: &Scenario,
        exchange: &ScenarioExchange,
        host: &str,
        addresses: Vec<IpAddr>,
    ) -> Result<(), LabError> {
        if host == "." {
            return Ok(());
        }
        let truncate = scenario.dns.truncate;
        let signed = exchange.signed.unwrap_or(scenario.dns.signed);
        let answers = match exchange.resolves {
            _ if exchange.bogus => Answers::Bogus,
            _ if exchange.server.is_some() => Answers::Records,
            unresolved => unresolved.into(),
        };
        let node = Node { answers, signed, truncate, addresses, ..Node::default() };
        let Some(alias) = &exchange.cname else { return self.cast.zone.insert(host, node) };
        let alias = host_name(exchange, alias, domain);
        let of_alias = exchange.cname_signed.unwrap_or(signed);
        self.cast.zone.insert(&alias, Node { signed: of_alias, ..node })?;
        self.cast.zone.insert(host, Node { signed, truncate, alias: Some(alias), ..Node::default() })
    }
}

impl Station {
    /// The server that this address plays.
    pub(super) fn server<'a>(&self, scenarios: &'a [Arc<Scenario>]) -> Option<&'a Server> {
        scenarios.get(self.part.0)?.server.get(&self.part.1)
    }

    /// The connections that may wait here to be taken up; `None` where no
    /// socket is needed.
    pub(super) fn backlog(&self, scenarios: &[Arc<Scenario>]) -> Option<u32> {
        self.server(scenarios).and_then(|server| server.listen.backlog())
    }
}
