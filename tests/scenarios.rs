//! Each scenario of the lab played to the scanner: the fleet in this process,
//! `mxray scan` in another, real sockets between. What is found must be what
//! the scenario's file says, in every field.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use futures_util::{StreamExt, stream};
use mxray::lab::{self, Fleet, FleetOptions, LabError, Scenario};
use mxray::model::DomainName;
use survey::{Row, Run, Scan, rows};

/// Scenarios under way at a time. Most of the silent ones only wait.
const CONCURRENT_MAX: usize = 8;

/// Domains that play a scenario alone: one that is right by chance shows.
const DOMAINS_ALONE: usize = 3;

/// Addresses of a role: so many that hardly ever two domains wait for the
/// same silent server.
const HOSTS: usize = 64;

fn domains(count: usize, suffix: &str) -> Vec<DomainName> {
    (0..count).map(|n| DomainName::parse(&format!("d{n}.{suffix}")).unwrap()).collect()
}

fn list_of(domains: &[DomainName]) -> String {
    domains.iter().map(|domain| format!("{domain}\n")).collect()
}

async fn fleet_of(scenarios: Vec<Scenario>, domains: Vec<DomainName>, seed: u64) -> Result<Fleet, LabError> {
    let options =
        FleetOptions { domains, seed, scenarios, hosts_per_scenario: HOSTS, ..FleetOptions::new(vec![])? };
    Fleet::start(options).await
}

/// Scans a fleet on a thread of its own.
async fn scan(fleet: &Fleet, list: String) -> Run {
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    // Longer than any server takes that answers (three seconds), on a busy
    // machine; a DNS question that is not answered is asked twice.
    scan.arg("--timeout", "6s,dns=3s").arg("--in-flight", "128").arg("--lookups-in-flight", "64");
    tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap()
}

fn counters(fleet: &Fleet) -> Vec<Row> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fleet.write_counters(&file).unwrap();
    rows(file.path())
}

/// All that is not as the fleet was told to play it.
fn differences(fleet: &Fleet, run: &Run) -> Vec<String> {
    let mut wrong = lab::disagreements(fleet, run.file("domains.csv")).unwrap();
    wrong.extend(lab::endpoint_disagreements(fleet, run.file("endpoints.csv")).unwrap());
    let mut wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    wrong.extend(run.check_counters(&counters(fleet)));
    let (found, there) = (run.rows("endpoints.csv").len(), fleet.endpoints().len());
    if found != there {
        wrong.push(format!("{found} endpoints of {there}"));
    }
    wrong
}

async fn play_alone(scenario: Scenario) -> Vec<String> {
    let name = scenario.name.clone();
    let domains = domains(DOMAINS_ALONE, "example");
    let list = list_of(&domains);
    let ipv6 = scenario.needs_ipv6();
    let fleet = match fleet_of(vec![scenario], domains, 0).await {
        // A machine without ::1 cannot play it.
        Err(LabError::NoScenario) if ipv6 => return Vec::new(),
        fleet => fleet.unwrap(),
    };
    let run = scan(&fleet, list).await;
    run.check_books(DOMAINS_ALONE);
    let wrong = differences(&fleet, &run);
    fleet.shutdown().await;
    wrong.into_iter().map(|wrong| format!("{name} alone: {wrong}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_alone_is_found_as_its_file_says() {
    let scenarios = lab::scenarios().unwrap();
    assert!(scenarios.len() >= 40);
    let played = stream::iter(scenarios).map(play_alone).buffer_unordered(CONCURRENT_MAX);
    let wrong: Vec<String> = played.collect::<Vec<_>>().await.concat();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
