//! Populations: who makes up the mail domains of the internet, by published
//! shares. The schema of `datasets/population/*.toml`.
//!
//! A class is a scenario of the lab under another name, with names, addresses and
//! rules of its own.

use super::embedded;
use super::error::LabError;
use super::guard::Guard;
use super::scenario::{Scenario, ScenarioExchange, Seating};
use super::step::WAIT_MS_MAX;
use crate::model::DomainName;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Most domains of a population.
pub const POPULATION_DOMAINS_MAX: usize = 1_000_000;

/// What shares are counted in: so many of these are all domains.
const PARTS: f64 = 1_000_000.0;

/// One file of `datasets/population`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Name, equal to the file's without `.toml`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Least and most milliseconds of an answer of the DNS, always the same for a name.
    #[serde(default)]
    pub dns_latency_ms: (u64, u64),
    /// Who its domains are.
    pub class: Vec<DomainClass>,
}

/// Domains that are alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainClass {
    /// Name; in the truth it stands as the scenario.
    pub name: String,
    /// Share of the domains, in percent.
    pub share: f64,
    /// Where the share is from, or that it is assumed.
    pub source: String,
    /// The scenario of the lab that it plays.
    pub scenario: String,
    /// Name of its one mail host, as in a scenario; by default the scenario's.
    pub host: Option<String>,
    /// How many hosts `{bucket}` in it makes.
    pub buckets: Option<u32>,
    /// Addresses that its hosts are spread over.
    pub addresses: Option<usize>,
    /// Instead of that: domains for each address.
    pub domains_per_address: Option<f64>,
    /// Addresses of the class in each network of /24.
    pub per_network: Option<usize>,
    /// Fewest and most addresses that a host resolves to.
    pub resolves_to: Option<(usize, usize)>,
    /// Least and most milliseconds that a host takes for each reply.
    pub latency_ms: Option<(u64, u64)>,
    /// How its servers defend themselves.
    pub guard: Option<Guard>,
}

impl Population {
    /// Reads one file.
    ///
    /// # Errors
    /// It breaks the schema, a class plays no scenario that there is, or the shares
    /// are not 100 percent.
    pub fn parse(name: &str, text: &str) -> Result<Self, LabError> {
        let population: Self = toml::from_str(text).map_err(|error| LabError::scenario(name, error))?;
        if population.name != name {
            return Err(LabError::scenario(name, format_args!("is named {} inside", population.name)));
        }
        population.check().map_err(|cause| LabError::scenario(name, cause))?;
        Ok(population)
    }

    fn check(&self) -> Result<(), String> {
        if self.dns_latency_ms.0 > self.dns_latency_ms.1 || self.dns_latency_ms.1 > WAIT_MS_MAX {
            return Err(format!("dns_latency_ms: the least and the most, up to {WAIT_MS_MAX}"));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.class.iter().find(|class| !names.insert(&class.name)) {
            return Err(format!("the class {} stands twice", twice.name));
        }
        if let Some(class) = self.class.iter().find(|class| !(class.share > 0.0 && class.share <= 100.0)) {
            return Err(format!("{}: a share is over 0 and at most 100 percent", class.name));
        }
        let sum: f64 = self.class.iter().map(|class| class.share).sum();
        if (sum - 100.0).abs() > 0.01 {
            return Err(format!("the shares are {sum:.2} percent together, not 100"));
        }
        Ok(())
    }

    /// The scenarios that `domains` domains of it play.
    ///
    /// # Errors
    /// A class contradicts the scenario that it plays.
    pub fn scenarios(&self, domains: usize) -> Result<Vec<Scenario>, LabError> {
        self.class.iter().map(|class| class.scenario(domains)).collect()
    }

    /// Names for so many domains.
    ///
    /// # Errors
    /// They are more than [`POPULATION_DOMAINS_MAX`].
    pub fn domains(count: usize) -> Result<Vec<DomainName>, LabError> {
        if count > POPULATION_DOMAINS_MAX {
            return Err(LabError::TooManyDomains { given: count, max: POPULATION_DOMAINS_MAX });
        }
        let name = |number| DomainName::parse(&format!("d{number:06}.example"));
        Ok((0..count).filter_map(|number| name(number).ok()).collect())
    }
}

impl DomainClass {
    fn scenario(&self, domains: usize) -> Result<Scenario, LabError> {
        let mut scenario = embedded::scenario(&self.scenario)?;
        self.change(&mut scenario, domains).map_err(|cause| LabError::scenario(&self.name, cause))?;
        Ok(scenario)
    }

    fn change(&self, scenario: &mut Scenario, domains: usize) -> Result<(), String> {
        scenario.name.clone_from(&self.name);
        // Truncated on purpose; below 2^32.
        scenario.weight = (self.share / 100.0 * PARTS).max(1.0) as u32;
        if let Some(host) = &self.host {
            let [exchange] = scenario.dns.exchanges.as_mut_slice() else {
                return Err(format!("{} has not one host to be named", self.scenario));
            };
            *exchange = ScenarioExchange { host: host.clone(), ..exchange.clone() };
            exchange.buckets = self.buckets.unwrap_or(1);
        }
        for server in scenario.server.values_mut() {
            if let Some(guard) = &self.guard {
                server.guard = guard.clone();
            }
            server.latency_ms = self.latency_ms.unwrap_or(server.latency_ms);
            server.check()?;
        }
        let of_share = |each: f64| (domains as f64 * self.share / 100.0 / each.max(0.01)).ceil() as usize;
        scenario.seating = Some(Seating {
            addresses: self.addresses.or(self.domains_per_address.map(of_share)).unwrap_or(1).max(1),
            per_network: self.per_network.unwrap_or(250),
            resolves_to: self.resolves_to.unwrap_or((1, 1)),
        });
        Ok(())
    }
}
