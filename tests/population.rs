//! Populations: what is published is what a scan finds.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use mxray::internals::lab::{self, Fleet, FleetOptions, Population};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use survey::Scan;

fn population(name: &str) -> Population {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("datasets/population/{name}.toml"));
    Population::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn fleet(name: &str, count: usize, seed: u64) -> Fleet {
    hasty_fleet(name, count, seed, 1).await
}

/// The same, whose servers count and ban so many times as fast.
async fn hasty_fleet(name: &str, count: usize, seed: u64, times: u64) -> Fleet {
    let mut scenarios = population(name).scenarios(count).unwrap();
    for server in scenarios.iter_mut().flat_map(|scenario| scenario.server.values_mut()) {
        server.guard.window_ms /= times;
        server.guard.first_ms /= times;
        server.guard.ban_ms /= times;
    }
    let dns_latency_ms = population(name).dns_latency_ms;
    let domains = Population::domains(count).unwrap();
    let options = FleetOptions { seed, scenarios, dns_latency_ms, ..FleetOptions::new(domains).unwrap() };
    Fleet::start(options).await.unwrap()
}

#[test]
fn every_file_can_be_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/population");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            population(path.file_stem().unwrap().to_str().unwrap()).scenarios(1000).unwrap();
        }
    }
}

#[test]
fn what_is_no_population_is_refused() {
    let class = |name: &str, share: &str| {
        format!("[[class]]\nname = \"{name}\"\nshare = {share}\nsource = \"a\"\nscenario = \"tls13_ecdsa\"\n")
    };
    let parse = |classes: &[String]| {
        Population::parse("odd", &format!("name = \"odd\"\ntitle = \"Odd\"\n{}", classes.concat()))
    };
    parse(&[class("a", "40.0"), class("b", "60.0")]).unwrap();
    for (classes, cause) in [
        ([class("a", "40.0"), class("a", "60.0")], "twice"),
        ([class("a", "40.0"), class("b", "59.0")], "99.00"),
        ([class("a", "0.0"), class("b", "100.0")], "over 0"),
        ([class("a", "40.0"), class("b", "60.0\ncolour = 1")], "colour"),
    ] {
        let error = parse(&classes).unwrap_err().to_string();
        assert!(error.contains(cause), "{error}");
    }
}

/// Answers of the DNS take the time that the file says, each its own and not one after
/// the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dns_of_a_population_takes_its_time() {
    const NAMES: usize = 40;
    let domains = Population::domains(NAMES).unwrap();
    // All of these have an answer.
    let scenarios = population("alexa-2015").scenarios(NAMES).unwrap();
    let dns_latency_ms = (300, 400);
    let options = FleetOptions { scenarios, dns_latency_ms, ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let begun = std::time::Instant::now();
    for id in 0..NAMES {
        // RFC 1035 §4.1: the header with one question, and the question for MX in IN.
        let mut query = vec![0, id as u8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in [format!("d{id:06}"), "example".to_string()] {
            query.push(label.len() as u8);
            query.extend(label.bytes());
        }
        query.extend([0, 0, 15, 0, 1]);
        socket.send_to(&query, fleet.dns_addr()).await.unwrap();
    }
    let mut answer = [0; 512];
    socket.recv_from(&mut answer).await.unwrap();
    assert!(begun.elapsed().as_millis() >= 300);
    for _ in 1..NAMES {
        socket.recv_from(&mut answer).await.unwrap();
    }
    // One after the other they would take twelve seconds.
    assert!(begun.elapsed().as_secs() < 6);
}

/// Shares, names and addresses, as they are dealt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_internet_is_dealt_by_its_shares() {
    const COUNT: usize = 3000;
    let fleet = fleet("internet", COUNT, 1).await;
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    fleet.truth().iter().for_each(|row| *found.entry(&row.scenario.name).or_default() += 1);
    for class in population("internet").class {
        let expected = COUNT as f64 * class.share / 100.0;
        let count = found.get(class.name.as_str()).copied().unwrap_or_default() as f64;
        // Four standard deviations of a draw.
        let room = 4.0 * expected.sqrt().max(1.0);
        assert!((count - expected).abs() <= room, "{}: {count} of {expected}", class.name);
    }
    let of = |class: &str| {
        let theirs = fleet.endpoints().iter().filter(|endpoint| endpoint.scenario.name == class);
        let (names, ips): (BTreeSet<&str>, BTreeSet<IpAddr>) =
            theirs.map(|endpoint| (endpoint.host.as_str(), endpoint.ip)).unzip();
        (names.len(), ips.len())
    };
    let (names, addresses) = of("google_like");
    assert!(names <= 5 && addresses <= 10, "{names} {addresses}");
    let (names, addresses) = of("microsoft_like");
    assert!(names == found["microsoft_like"] && addresses == 20, "{names} {addresses}");
    let (names, addresses) = of("own_server");
    assert!(addresses * 3 > names && addresses < names, "{names} {addresses}");
}

/// What the paper says of the servers of 2015 is what a scan of servers like them
/// finds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_of_2015_scan_back_to_the_published_shares() {
    const COUNT: usize = 600;
    let fleet = fleet("alexa-2015", COUNT, 1).await;
    let list: String = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--timeout", "20s").arg("--in-flight", "64").arg("--extra-client-hellos", "0");
    scan.arg("--per-network-connections", "0").arg("--per-operator-connections", "0");
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    run.check_books(COUNT);
    let rows = run.rows("domains.csv");
    let offered = rows.iter().filter(|row| row["starttls_offered"] == "yes").count();
    let authenticated = rows.iter().filter(|row| {
        let cell = |name: &str| row[name].as_str();
        (cell("cert_chain"), cell("cert_dates"), cell("cert_name")) == ("valid", "valid", "mx_host")
    });
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
    let (offered_share, authenticated_share) =
        (percent(offered, COUNT), percent(authenticated.count(), offered));
    // The draw follows from the seed; these are two standard deviations of it.
    assert!((offered_share - 82.0).abs() < 3.2, "{offered_share}");
    assert!((authenticated_share - 35.0).abs() < 4.3, "{authenticated_share}");
    let told = |name: &str| fleet.truth().iter().filter(|row| row.scenario.name == name).count();
    assert_eq!(offered, COUNT - told("no_starttls"), "the scan is not what was dealt");
    assert_eq!(lab::violations(&fleet.log().connections(), &polite(), &BTreeMap::new()), []);
}

/// One at a time to an address.
fn polite() -> lab::MannersLimits {
    let address = lab::MannersOf { at_a_time: Some(1), ..lab::MannersOf::default() };
    lab::MannersLimits { address, ..lab::MannersLimits::default() }
}

/// Providers by address: an address of these classes is one operator's.
fn operators(fleet: &Fleet) -> BTreeMap<IpAddr, String> {
    let provider = ["google_like", "microsoft_like", "filter", "other_provider"];
    let theirs = fleet.endpoints().iter().filter(|one| provider.contains(&one.scenario.name.as_str()));
    theirs
        .map(|one| {
            let labels: Vec<&str> = one.host.rsplitn(3, '.').take(2).collect();
            (one.ip, format!("{}.{}", labels[1], labels[0]))
        })
        .collect()
}

/// A scan of all sorts of servers, throttlers and those that ban among them, keeps
/// to every limit that it is told, as they saw it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_of_the_internet_keeps_to_every_limit() {
    const COUNT: usize = 400;
    let fleet = hasty_fleet("internet", COUNT, 3, 20).await;
    let list: String = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    for (option, value) in [
        ("--timeout", "6s,connect=1s,connect_retry=1s"),
        ("--in-flight", "40"),
        ("--slow-in-flight", "8"),
        ("--per-ip-interval", "150ms"),
        ("--per-ip-connections", "1"),
        ("--per-network-connections", "3"),
        ("--per-operator-connections", "4"),
        ("--per-operator-interval", "20ms"),
        ("--retries", "1"),
        ("--retry-delay", "1s"),
        ("--second-look-delay", "1s"),
        ("--extra-client-hellos", "1"),
        ("--cool-down", "4s"),
        ("--cool-down-max", "8s"),
    ] {
        scan.arg(option, value);
    }
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    run.check_books(COUNT);
    let limit = |at_a_time, interval_ms: Option<u64>| lab::MannersOf {
        at_a_time: Some(at_a_time),
        interval: interval_ms.map(std::time::Duration::from_millis),
        in_window: None,
    };
    let limits = lab::MannersLimits {
        all: limit(48, None),
        address: limit(1, Some(150)),
        network: limit(3, None),
        operator: limit(4, Some(20)),
        ..lab::MannersLimits::default()
    };
    let log = fleet.log().connections();
    let found = lab::violations(&log, &limits, &operators(&fleet));
    assert!(found.is_empty(), "{}", found.iter().map(|one| format!("{one}\n")).collect::<String>());
    let refused = log.iter().filter(|one| one.end == lab::ConnectionEnd::Refused).count();
    assert!(refused > 0, "no server defended itself");
    let wrong = lab::disagreements(&fleet, lab::USUAL_SENDER, run.file("domains.csv")).unwrap();
    // A second is too little to know that a host is dead, and who greylists is told as
    // it is at the first visit.
    let other = ["dead", "own_server_greylisting"];
    let wrong: Vec<_> = wrong.into_iter().filter(|one| !other.contains(&one.scenario.as_str())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let greylists = fleet.truth().iter().filter(|row| row.scenario.name == "own_server_greylisting");
    let greylists: BTreeSet<String> = greylists.map(|row| row.domain.to_string()).collect();
    let rows = run.rows("domains.csv");
    let waited_for = rows.iter().filter(|row| greylists.contains(&row["domain"]));
    assert!(!greylists.is_empty() && waited_for.clone().all(|row| row["delivery"] == "encrypted"));
}
