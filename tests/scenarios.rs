//! Each scenario of the lab played to the scanner: the fleet in this process,
//! `mxray scan` in another, real sockets between. What is found must be what
//! the scenario's file says, in every field.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

#[path = "scenarios/keys.rs"]
mod keys;
#[path = "scenarios/policies.rs"]
mod policies;
mod survey;

use futures_util::{StreamExt, stream};
use keys::KeysSeen;
use mxray::internals::lab::{self, Fleet, FleetOptions, LabError, Scenario};
use mxray::internals::model::DomainName;
use std::collections::{BTreeMap, BTreeSet};
use survey::{Row, Run, Scan, rows};

/// Scenarios under way at a time. Most of the silent ones only wait.
const CONCURRENT_MAX: usize = 8;

/// Domains that play a scenario alone: one that is right by chance shows.
const DOMAINS_ALONE: usize = 3;

/// Addresses of a role: so many that hardly ever two domains wait for the
/// same silent server.
const HOSTS: usize = 1000;

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
    scan_with(fleet, list, &[]).await
}

/// The same with further options; one without a value has an empty one.
async fn scan_with(fleet: &Fleet, list: String, options: &[(&str, &str)]) -> Run {
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    // Longer than any server takes that answers (a second and a half), on a busy
    // machine; a DNS question that is not answered is asked twice.
    scan.arg("--mta-sts-port", fleet.policy_port().to_string());
    scan.arg("--timeout", "6s,dns=3s").arg("--in-flight", "128").arg("--lookups-in-flight", "64");
    scan.under(&connectors(fleet));
    options.iter().for_each(|(option, value)| {
        if value.is_empty() {
            scan.flag(option)
        } else {
            scan.arg(option, *value)
        };
    });
    tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap()
}

fn connectors(fleet: &Fleet) -> Vec<u8> {
    let mut text = Vec::new();
    fleet.write_connectors(&mut text).unwrap();
    text
}

fn counters(fleet: &Fleet) -> Vec<Row> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fleet.write_counters(&file).unwrap();
    rows(file.path())
}

/// All that is not as the fleet was told to play it.
fn differences(fleet: &Fleet, run: &Run) -> Vec<String> {
    let mut wrong = lab::disagreements(fleet, lab::USUAL_SENDER, run.file("domains.csv")).unwrap();
    wrong.extend(lab::endpoint_disagreements(fleet, run.file("endpoints.csv")).unwrap());
    let mut wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    wrong.extend(run.check_counters(&counters(fleet)));
    let (found, there) = (run.rows("endpoints.csv").len(), fleet.endpoints().len());
    if found != there {
        wrong.push(format!("{found} endpoints of {there}"));
    }
    wrong
}

/// What is wrong, and which keys there were.
async fn play_alone(scenario: Scenario) -> (Vec<String>, KeysSeen) {
    let mut seen = KeysSeen::default();
    let name = scenario.name.clone();
    let domains = domains(DOMAINS_ALONE, "example");
    let list = list_of(&domains);
    let ipv6 = scenario.needs_ipv6();
    let fleet = match fleet_of(vec![scenario], domains, 0).await {
        // A machine without ::1 cannot play it.
        Err(LabError::NoScenario) if ipv6 => return (Vec::new(), seen),
        fleet => fleet.unwrap(),
    };
    let run = scan(&fleet, list).await;
    run.check_books(DOMAINS_ALONE);
    seen.add(&run);
    let wrong = differences(&fleet, &run);
    fleet.shutdown().await;
    (wrong.into_iter().map(|wrong| format!("{name} alone: {wrong}")).collect(), seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_alone_is_found_as_its_file_says() {
    let scenarios = lab::scenarios().unwrap();
    assert!(scenarios.len() >= 40);
    let played = stream::iter(scenarios).map(play_alone).buffer_unordered(CONCURRENT_MAX);
    let (wrong, seen): (Vec<_>, Vec<_>) = played.collect::<Vec<_>>().await.into_iter().unzip();
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    seen.into_iter().collect::<KeysSeen>().check_all();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_is_not_in_force_is_missed() {
    let scenario = lab::scenario("connector_subject_mismatch").unwrap();
    let fleet = fleet_of(vec![scenario], domains(1, "example"), 0).await.unwrap();
    let elsewhere = "[[connector]]\nname = 'Other'\ndomains = ['other.example']\n";
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.under(elsewhere.as_bytes());
    let run = tokio::task::spawn_blocking(move || scan.run("d0.example\n")).await.unwrap();
    let wrong = lab::disagreements(&fleet, lab::USUAL_SENDER, run.file("domains.csv")).unwrap();
    let columns: Vec<&str> = wrong.iter().map(|wrong| wrong.column.as_str()).collect();
    let missed =
        ["connector", "connector_delivery", "connector_reason", "connector_code", "connector_detail"];
    assert_eq!(columns, missed);
    fleet.shutdown().await;
}

/// The scenarios that name a sender, by sender.
fn by_sender(scenarios: Vec<Scenario>) -> BTreeMap<String, Vec<Scenario>> {
    let mut named: BTreeMap<String, Vec<Scenario>> = BTreeMap::new();
    for mut scenario in scenarios {
        scenario.weight = 1;
        for sender in scenario.expect.sender.keys() {
            named.entry(sender.clone()).or_default().push(scenario.clone());
        }
    }
    named
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sender_gets_what_the_files_say() {
    let named = by_sender(lab::scenarios().unwrap());
    assert!(named.len() >= 5, "{:?}", named.keys());
    let mut wrong = Vec::new();
    for (sender, scenarios) in named {
        let domains = domains(scenarios.len() * 2, "example");
        let list = list_of(&domains);
        let fleet = fleet_of(scenarios, domains, 0).await.unwrap();
        let run = scan_with(&fleet, list, &[("--sender", &sender)]).await;
        let found = lab::disagreements(&fleet, &sender, run.file("domains.csv")).unwrap();
        wrong.extend(found.iter().map(|wrong| format!("{sender}: {wrong}")));
        fleet.shutdown().await;
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where nobody sends the sender's own hello, an enumeration tells what it gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_enumerated_says_what_a_sender_gets() {
    let mut scenarios = lab::scenarios().unwrap();
    for scenario in &mut scenarios {
        scenario.expect.sender = std::mem::take(&mut scenario.expect.by_enumeration);
    }
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (sender, scenarios) in by_sender(scenarios) {
        let domains = domains(scenarios.len() * 2, "example");
        let list = list_of(&domains);
        let fleet = fleet_of(scenarios, domains, 0).await.unwrap();
        let options = [("--sender", sender.as_str()), ("--enumerate", ""), ("--extra-client-hellos", "0")];
        let run = scan_with(&fleet, list, &options).await;
        let mut found = lab::disagreements(&fleet, &sender, run.file("domains.csv")).unwrap();
        // All else is that of a scan without these options.
        let named: BTreeSet<&str> = fleet
            .truth()
            .iter()
            .flat_map(|row| row.scenario.expect.sender(&sender))
            .map(|(name, _)| name)
            .collect();
        found.retain(|wrong| named.contains(wrong.column.as_str()));
        wrong.extend(found.iter().map(|wrong| format!("{sender}: {wrong}")));
        compared += named.len();
        fleet.shutdown().await;
    }
    assert!(compared > 0 && wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a sender gets of a server that prefers CBC suites shows only its own
/// offer, whatever the scanner negotiated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_senders_own_hello_shows_what_the_scanners_cannot() {
    const GCM: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    const CBC: &str = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384";
    for (sender, suite, steps) in
        [("exchange-online", CBC, "4"), ("exchange-online-2020", CBC, "2"), ("rfc9325", GCM, "4")]
    {
        let domains = domains(1, "example");
        let list = list_of(&domains);
        let fleet = fleet_of(vec![lab::scenario("prefers_cbc").unwrap()], domains, 0).await.unwrap();
        let run = scan_with(&fleet, list, &[("--sender", sender), ("--sender-hello", "")]).await;
        let rows = run.rows("domains.csv");
        let [row] = &rows[..] else { panic!("{rows:?}") };
        let told =
            ["basis", "delivery_cipher_suite", "steps_down", "cipher_suite"].map(|name| row[name].as_str());
        assert_eq!(told, ["observed", suite, steps, GCM], "{sender}");
        assert_eq!(fleet.counters().connections(), 2, "{sender}: the handshake and the offer");
        fleet.shutdown().await;
    }
}

/// Scenarios that name the suites which their servers take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_server_takes_the_suites_that_the_files_say() {
    let mut scenarios = lab::scenarios().unwrap();
    scenarios.retain(|scenario| !scenario.expect.enumerated.is_empty());
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    assert!(scenarios.len() >= 4);
    let domains = domains(scenarios.len() * 2, "example");
    let list = list_of(&domains);
    let fleet = fleet_of(scenarios, domains, 0).await.unwrap();
    let run = scan_with(&fleet, list, &[("--enumerate", "")]).await;
    let wrong = lab::suite_disagreements(&fleet, run.file("suites.csv")).unwrap();
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    fleet.shutdown().await;
}

/// Two ways to deal the parts.
const SEEDS_MIXED: [u64; 2] = [1, 2];

/// Domains of a mix: so many that every scenario is played twice, and that one
/// more scenario hardly ever asks for another seed.
const DOMAINS_MIXED: usize = 4500;

/// All scenarios at once, each with the same share.
async fn mixed_fleet(seed: u64) -> Fleet {
    let mut scenarios = lab::scenarios().unwrap();
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    let fleet = fleet_of(scenarios, domains(DOMAINS_MIXED, "example"), seed).await.unwrap();
    let mut played: BTreeMap<&str, usize> = BTreeMap::new();
    for row in fleet.truth() {
        *played.entry(&row.scenario.name).or_default() += 1;
    }
    assert_eq!(played.len() + fleet.left_out().len(), lab::scenarios().unwrap().len());
    let rare: Vec<_> = played.into_iter().filter(|(_, count)| *count < 2).collect();
    assert!(rare.is_empty(), "{rare:?}: take another seed");
    fleet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_a_mixed_fleet_is_the_truth() {
    for seed in SEEDS_MIXED {
        let fleet = mixed_fleet(seed).await;
        // Around the domains stands what a list of the world holds too.
        let list =
            format!("# a list\n\n{}not a domain\n\n192.0.2.1\n", list_of(&domains(DOMAINS_MIXED, "example")));
        let run = scan(&fleet, list).await;
        run.check_books(DOMAINS_MIXED + 2);
        let lines: Vec<_> = run.rows("rejects.csv").into_iter().map(|row| row["line"].clone()).collect();
        let [first, second] = [DOMAINS_MIXED + 3, DOMAINS_MIXED + 5].map(|line| line.to_string());
        assert_eq!(lines, [first, second]);
        let wrong = differences(&fleet, &run);
        assert!(wrong.is_empty(), "seed {seed}, {} differences:\n{}", wrong.len(), wrong.join("\n"));
        keys::check(&run);
        fleet.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_is_listed_again_has_a_row_for_each_line_and_is_asked_once() {
    let played = ["tls13_ecdsa", "starttls_absent", "best_dead", "provider_pair", "dns_nxdomain", "null_mx"];
    let mut scenarios: Vec<_> = played.iter().map(|name| lab::scenario(name).unwrap()).collect();
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    let domains = domains(24, "example");
    let fleet = fleet_of(scenarios, domains.clone(), 0).await.unwrap();
    let ways =
        [|name: &str| name.to_string(), |name: &str| name.to_uppercase(), |name: &str| format!("{name}.")];
    let lines = ways.iter().flat_map(|way| domains.iter().map(|domain| way(domain.as_str()) + "\n"));
    let run = scan(&fleet, lines.collect()).await;
    run.check_books(domains.len() * ways.len());
    let mut by_domain: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut distinct = BTreeSet::new();
    for mut row in run.rows("domains.csv") {
        let line = row.remove("line").unwrap();
        assert!(by_domain.entry(row["domain"].clone()).or_default().insert(line));
        distinct.insert(row);
    }
    for (index, domain) in domains.iter().enumerate() {
        let lines = (0..ways.len()).map(|way| (way * domains.len() + index + 1).to_string());
        assert_eq!(by_domain[domain.as_str()], lines.collect(), "{domain}");
    }
    assert_eq!(distinct.len(), domains.len(), "rows of one domain differ: {distinct:#?}");
    let wrong = lab::endpoint_disagreements(&fleet, run.file("endpoints.csv")).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let wrong = run.check_counters(&counters(&fleet));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
