//! The same shape on real sockets: the lab plays the population on loopback, and the
//! whole scanner asks it, DNS, TCP and TLS.
//!
//! With a hundredth of the domains, at the pace of a million, the slowest bucket takes a
//! hundredth of the time. So that cool-downs and retries keep their proportion to that,
//! they are a hundredth too, and with them what the servers remember for longer than
//! that: how long they ban and greylist. How many connections a minute they take stays.

use crate::{ClassResult, Done, note};
use anyhow::{Context, ensure};
use mxray::internals::lab::{Fleet, FleetOptions, Population};
use mxray::internals::model::{DomainName, Record, Subject, Target};
use mxray::internals::sender::Sender;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use mxray::judge::Store;
use mxray::scan::{EhloName, Limits, RetryPlan, Scanner, ScannerConfig};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// The domains of which the pace is played.
const WHOLE: usize = 1_000_000;
/// Open files that servers, connections and the DNS need.
const OPEN_FILES: u64 = 65_536;

/// Scans so many domains of the population.
pub async fn survey(domains: usize, seed: u64) -> anyhow::Result<Done> {
    let times = u64::try_from((WHOLE / domains).max(1))?;
    rlimit::increase_nofile_limit(OPEN_FILES)?;
    let fleet = fleet(domains, seed, times).await?;
    let spill = tempfile::tempdir()?;
    let limits = limits(seed, u32::try_from(times)?);
    let mut config = ScannerConfig::new(EhloName::new("scanner.mxray.example")?);
    config.lookup.nameservers = vec![fleet.dns_addr()];
    config.mta_sts_port = fleet.policy_port();
    config.engine.port = fleet.smtp_port();
    config.engine.limits = limits;
    config.engine.retry = retry(u32::try_from(times)?);
    config.engine.spill_dir = Some(spill.path().into());
    config.allow_private = true;
    let mut store = Store::new("lab");
    store.add_whole_file(fleet.root_pem().as_bytes())?;
    let judge = Judge::new(Roots::new(vec![store]), jiff::Timestamp::now());
    let scanner = Scanner::new(config, Policy::new(judge, Sender::named("exchange-online")?))?;

    let class_of: HashMap<DomainName, &str> =
        fleet.truth().iter().map(|row| (row.domain.clone(), row.scenario.name.as_str())).collect();
    let mut names: Vec<DomainName> = class_of.keys().cloned().collect();
    names.sort_unstable_by_key(ToString::to_string);
    fastrand::Rng::with_seed(seed).shuffle(&mut names);
    let targets = (1..).zip(names).map(|(line, name)| Target { line, subject: Subject::Domain(name) });
    let begun = Instant::now();
    let mut classes: BTreeMap<String, ClassResult> = BTreeMap::new();
    let counts = scanner
        .scan(targets, |record| {
            let Record::Domain(domain) = record else { return };
            let name = DomainName::parse(&domain.facts.target.subject.label()).ok();
            let class = name.and_then(|name| class_of.get(&name).copied());
            note(&mut classes, class.unwrap_or("none of the list"), &domain, begun.elapsed());
        })
        .await?;
    let took = begun.elapsed();
    ensure!(counts.domains == class_of.len() as u64, "{} rows of {}", counts.domains, class_of.len());
    let bound = slowest(&fleet, &limits).context("nobody was connected to")?;
    fleet.shutdown().await;
    Ok(Done { classes, counts, took, bound, memory_of: "the servers included" })
}

async fn fleet(domains: usize, seed: u64, times: u64) -> anyhow::Result<Fleet> {
    let text = include_str!("../../datasets/population/internet.toml");
    let mut scenarios = Population::parse("internet", text)?.scenarios(domains)?;
    for server in scenarios.iter_mut().flat_map(|scenario| scenario.server.values_mut()) {
        server.guard.first_ms /= times;
        server.guard.ban_ms /= times;
    }
    let options = FleetOptions { seed, scenarios, ..FleetOptions::new(Population::domains(domains)?)? };
    Ok(Fleet::start(options).await?)
}

fn limits(seed: u64, times: u32) -> Limits {
    let mut limits = Limits { order_seed: Some(seed), ..Limits::default() };
    limits.cool_down = limits.cool_down.map(|mut plan| {
        (plan.first, plan.longest) = (plan.first / times, plan.longest / times);
        plan
    });
    limits
}

fn retry(times: u32) -> RetryPlan {
    let plan = RetryPlan::default();
    let (retry_delay, second_look_delay) = (plan.retry_delay / times, plan.second_look_delay / times);
    RetryPlan { retry_delay, second_look_delay, ..plan }
}

/// What the slowest bucket is, and how long it takes by itself with the connections
/// that its servers saw.
fn slowest(fleet: &Fleet, limits: &Limits) -> Option<(String, Duration)> {
    let classes: HashMap<IpAddr, &str> =
        fleet.endpoints().iter().map(|endpoint| (endpoint.ip, endpoint.scenario.name.as_str())).collect();
    let mut connections: HashMap<IpAddr, u32> = HashMap::new();
    for one in fleet.log().connections() {
        *connections.entry(one.own.ip()).or_default() += 1;
    }
    let all: u32 = connections.values().sum();
    let rate = limits.rate.map_or(u32::MAX, NonZeroU32::get);
    let of_all = ("the rate of all".to_string(), Duration::from_secs(all.into()) / rate);
    let of_addresses = connections.iter().map(|(ip, count)| {
        let class = classes.get(ip).copied().unwrap_or("none");
        (format!("an address of {class}"), limits.per_ip.interval * *count)
    });
    of_addresses.chain([of_all]).max_by_key(|(_, time)| *time)
}
