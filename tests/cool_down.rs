//! A server that complains is left alone, and where nobody answers not every name is
//! asked; what was not asked is told so. `mxray scan` against such servers.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod survey;

use mxray::internals::lab::{self, ConnectionEnd, Fleet, FleetOptions, LogTo, LoggedConnection};
use mxray::internals::model::DomainName;
use std::time::Duration;
use survey::{Run, Scan};

/// One address that plays this scenario.
async fn server(scenario: &str) -> Fleet {
    let domains = vec![DomainName::parse("d1.example").unwrap()];
    let mut options = FleetOptions::new(domains).unwrap();
    options.hosts_per_scenario = 1;
    options.log = LogTo::Memory;
    let mut played = lab::scenario(scenario).unwrap();
    played.weight = 1;
    options.scenarios = vec![played];
    Fleet::start(options).await.unwrap()
}

/// Asks for so many names at the one address of a fleet, under these options.
async fn asked(fleet: &Fleet, names: usize, options: &[(&str, &str)]) -> (Run, Vec<LoggedConnection>) {
    let ip = fleet.endpoints()[0].ip;
    let list: String = (0..names).map(|number| format!("{ip},n{number}.example\n")).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--input", "endpoints").arg("--timeout", "20s").arg("--extra-client-hellos", "0");
    options.iter().for_each(|(option, value)| _ = scan.arg(option, *value));
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    run.check_books(names);
    (run, fleet.log().connections())
}

fn cool_downs(run: &Run) -> serde_json::Value {
    run.info()["cool_downs"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_421_to_all_is_given_up_after_two_further_looks() {
    let fleet = server("greeting_421").await;
    let options = [("--cool-down", "40ms"), ("--retries", "2"), ("--retry-delay", "1h")];
    let (run, log) = asked(&fleet, 30, &options).await;
    assert_eq!(log.len(), 3, "{log:#?}");
    let opened: Vec<_> = log.iter().map(|one| Duration::from_micros(one.opened_us)).collect();
    let pauses = [opened[1] - opened[0], opened[2] - opened[1]];
    assert!(pauses[0] >= Duration::from_millis(40) && pauses[1] >= Duration::from_millis(200), "{pauses:?}");
    let rows = run.rows("domains.csv");
    let of = |reason: &str| rows.iter().filter(|row| row["reason"] == reason).count();
    assert_eq!((of("greeting_throttled"), of("connect_throttled")), (1, 29));
    assert!(rows.iter().all(|row| row["delivery"] == "undetermined"));
    let told = cool_downs(&run);
    assert_eq!((&told["begun"], &told["given_up"]), (&2.into(), &1.into()));
    assert_eq!(told["given_up_places"][0], fleet.endpoints()[0].ip.to_string());
}

/// Whoever only minds haste is asked to the end, and turns few away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_minds_haste_is_asked_more_slowly_until_it_minds_no_more() {
    const NAMES: usize = 25;
    let fleet = server("guard_421_in_window").await;
    let options = [("--cool-down", "2s"), ("--cool-down-max", "2s"), ("--retries", "2")];
    let (run, log) = asked(&fleet, NAMES, &options).await;
    let rows = run.rows("domains.csv");
    let wrong: Vec<_> = rows.iter().filter(|row| row["outcome"] != "ok").collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let refused = log.iter().filter(|one| one.end == ConnectionEnd::Refused).count();
    assert!((1..=6).contains(&refused), "{refused} of {}", log.len());
    assert_eq!(cool_downs(&run)["begun"], refused);
    assert_eq!(cool_downs(&run)["given_up"], 0);
}

/// The same server under `--cool-down 0`: what the cool-down is there for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_cool_downs_it_is_asked_on() {
    let fleet = server("greeting_421").await;
    let (run, log) = asked(&fleet, 30, &[("--cool-down", "0")]).await;
    assert_eq!(log.len(), 30);
    assert!(run.rows("domains.csv").iter().all(|row| row["reason"] == "greeting_throttled"));
    assert_eq!(cool_downs(&run)["begun"], 0);
}

/// A thousand names on one address at which nothing listens: a few looks, and a row
/// for each name that says whose look it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_address_is_not_asked_for_every_name() {
    const NAMES: usize = 1000;
    let fleet = server("tls13_ecdsa").await;
    let list: String = (0..NAMES).map(|number| format!("127.99.99.99,n{number}.example\n")).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--input", "endpoints").arg("--per-ip-interval", "20ms");
    scan.arg("--retries", "2").arg("--retry-delay", "50ms");
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    run.check_books(NAMES);
    assert_eq!(run.info()["counts"]["connections"], 3);
    let rows = run.rows("endpoints.csv");
    let (asked, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["inferred_from"].is_empty());
    assert_eq!((asked.len(), others.len()), (3, NAMES - 3));
    assert!(others.iter().all(|row| asked.iter().any(|one| one["sni"] == row["inferred_from"])));
    assert!(
        rows.iter()
            .all(|row| (row["delivery"].as_str(), row["reason"].as_str()) == ("deferred", "connect_refused"))
    );
    let lines = std::fs::read_to_string(run.path("observations.jsonl")).unwrap();
    let told = lines.lines().filter(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["inferred_from"]["sni"].is_string() && line["inferred_from"]["total_us"].is_u64()
    });
    assert_eq!(told.count(), NAMES - 3);
}
