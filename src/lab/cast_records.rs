//! The records of a cast that are no MX and no address: TLSA records, and the
//! texts of MTA-STS and TLS-RPT.

use super::address::hash;
use super::dns_table::{Answers, Tlsa, Txt, Unresolved};
use super::error::LabError;
use super::policy_table::PolicyHost;
use super::scenario::{Dns, Scenario, ScenarioExchange};
use super::zone::{Node, Zone};
use crate::model::DomainName;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// TLSA records that are to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlannedTlsa {
    /// The scenario and role whose certificates they are made from.
    pub part: (usize, String),
    /// The name for which these are shown: the TLSA base domain.
    pub name: String,
    /// What is to be made.
    pub tlsa: Tlsa,
}

/// The table that a domain's records are entered into.
pub(super) struct ZoneEntry<'a> {
    pub zone: &'a mut Zone,
    pub domain: &'a DomainName,
    pub scenario: &'a Scenario,
}

impl ZoneEntry<'_> {
    /// Enters the TLSA records of an exchange, and those of its alias, and plans
    /// what they will be. `index` is the scenario's.
    pub(super) fn tlsa(
        mut self,
        index: usize,
        exchange: &ScenarioExchange,
        host: &str,
        planned: &mut BTreeMap<String, PlannedTlsa>,
    ) -> Result<(), LabError> {
        let signed = exchange.signed.unwrap_or(self.scenario.dns.signed);
        let alias = exchange.cname.as_ref().map(|alias| host_name(exchange, alias, self.domain));
        let of_host = exchange.tlsa.as_ref().map(|tlsa| (tlsa, host, signed));
        let of_alias = exchange.cname_tlsa.as_ref().zip(alias.as_deref());
        let of_alias = of_alias.map(|(tlsa, alias)| (tlsa, alias, exchange.cname_signed.unwrap_or(signed)));
        let Some(role) = &exchange.server else { return Ok(()) };
        for (tlsa, base, signed) in of_host.into_iter().chain(of_alias) {
            let owner = self.tlsa_at(exchange, tlsa, base, signed)?;
            let plan =
                PlannedTlsa { part: (index, role.clone()), name: base.to_string(), tlsa: tlsa.clone() };
            match planned.insert(owner.clone(), plan.clone()) {
                Some(other) if other != plan => return Err(LabError::NameCollision(owner)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Enters the names of TLSA records, and gives that at which they stand.
    fn tlsa_at(
        &mut self,
        exchange: &ScenarioExchange,
        tlsa: &Tlsa,
        base: &str,
        base_signed: bool,
    ) -> Result<String, LabError> {
        let truncate = self.scenario.dns.truncate;
        let alias = tlsa.cname.as_ref().map(|alias| host_name(exchange, alias, self.domain));
        let signed = tlsa.signed.unwrap_or(base_signed);
        let node = Node { answers: tlsa.answers, signed, truncate, ..Node::default() };
        self.behind_alias(format!("_25._tcp.{base}"), alias, base_signed, node)
    }

    /// Enters the texts that stand below a label of the domain.
    pub(super) fn txt(mut self, label: &str, table: &Txt) -> Result<(), LabError> {
        let (domain, &Dns { signed, truncate, .. }) = (self.domain, &self.scenario.dns);
        let alias = table.cname.as_ref().map(|alias| self.whole(alias));
        let txt = table.txt.0.clone();
        let node = Node { answers: table.answers, signed, truncate, txt, ..Node::default() };
        self.behind_alias(format!("{label}.{domain}"), alias, signed, node).map(drop)
    }

    /// Enters the name of a policy host.
    pub(super) fn policy_host(
        mut self,
        host: String,
        address: IpAddr,
        policy: &PolicyHost,
    ) -> Result<(), LabError> {
        let Dns { signed, truncate, .. } = self.scenario.dns;
        let answers = policy.resolves.map_or(Answers::Records, Answers::from);
        let addresses = if policy.resolves.is_none() { vec![address] } else { Vec::new() };
        let node = Node { answers, signed, truncate, addresses, ..Node::default() };
        let alias = policy.cname.as_ref().map(|alias| self.whole(alias));
        self.behind_alias(host, alias, signed, node).map(drop)
    }

    /// A name made whole, without the final dot.
    fn whole(&self, name: &str) -> String {
        match name.strip_suffix('.') {
            Some(absolute) => absolute.to_string(),
            None => format!("{name}.{}", self.domain),
        }
    }

    /// Enters a node, and before it the alias that leads to it, if there is one.
    /// Gives the name at which the node stands.
    fn behind_alias(
        &mut self,
        owner: String,
        alias: Option<String>,
        signed: bool,
        node: Node,
    ) -> Result<String, LabError> {
        let place = match alias {
            Some(place) => {
                let truncate = node.truncate;
                let alias = Node { signed, truncate, alias: Some(place.clone()), ..Node::default() };
                self.zone.insert(&owner, alias)?;
                place
            }
            None => owner,
        };
        self.zone.insert(&place, node)?;
        Ok(place)
    }
}

/// The name that a client sends to the host of an exchange: the TLSA base domain
/// (RFC 7672 §8.1), which is that of its alias where all there is signed.
pub(super) fn server_name(
    scenario: &Scenario,
    exchange: &ScenarioExchange,
    host: &str,
    domain: &DomainName,
) -> String {
    let signed = exchange.signed.unwrap_or(scenario.dns.signed);
    let behind = exchange.cname.as_ref().zip(exchange.cname_tlsa.as_ref());
    let behind = behind.filter(|(_, tlsa)| {
        let there = tlsa.answers == Answers::Records && !(tlsa.records.is_empty() && tlsa.more == 0);
        there && signed && exchange.cname_signed.unwrap_or(signed) && tlsa.signed.unwrap_or(true)
    });
    behind.map_or_else(|| host.to_string(), |(alias, _)| host_name(exchange, alias, domain))
}

/// A name of a scenario made whole for a domain, without the final dot; the
/// root stays a dot.
pub(super) fn host_name(exchange: &ScenarioExchange, name: &str, domain: &DomainName) -> String {
    let bucket = hash(0, domain.as_str()) % u64::from(exchange.buckets.max(1));
    let name = name.replace("{bucket}", &bucket.to_string());
    let name = name.replace("{tenant}", &domain.as_str().replace('.', "-"));
    match name.as_str() {
        "." => name,
        "@" => domain.to_string(),
        _ => match name.strip_suffix('.') {
            Some(absolute) => absolute.to_string(),
            None => format!("{name}.{domain}"),
        },
    }
}

impl From<Unresolved> for Answers {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Nxdomain => Answers::Nxdomain,
            Unresolved::NoData => Answers::Records,
            Unresolved::Servfail => Answers::Servfail,
            Unresolved::Timeout => Answers::Timeout,
        }
    }
}
