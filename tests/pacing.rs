//! Manners and thrift, proved from outside: what the lab counted on its side
//! of the wire, and when each connection was begun. Only lower bounds: a slow
//! machine makes nothing begin too early.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use mxray::internals::lab::{self, Fleet, FleetOptions};
use mxray::internals::model::DomainName;
use survey::{Row, Run, Scan, rows, started};

/// How often one question may come at most: twice, each time sent three times
/// over UDP where the machine is slow to answer.
const QUESTIONS_MAX: u64 = 6;

/// How far timers and timestamps, each coarse to a millisecond, may be off.
const GRAIN_MS: i64 = 5;

/// How much later than its start a connection may be written down: a busy
/// machine stops for a while in between.
const LATE_MS: i64 = 100;

async fn fleet(scenarios: &[&str], domains: usize, hosts: usize) -> Fleet {
    let domains = (0..domains).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect();
    let mut scenarios: Vec<_> = scenarios.iter().map(|name| lab::scenario(name).unwrap()).collect();
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    let options =
        FleetOptions { scenarios, hosts_per_scenario: hosts, ..FleetOptions::new(domains).unwrap() };
    Fleet::start(options).await.unwrap()
}

fn domains_of(fleet: &Fleet) -> String {
    fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect()
}

async fn run(fleet: &Fleet, list: String, args: &[(&str, &str)]) -> Run {
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--timeout", "20s");
    args.iter().for_each(|(option, value)| {
        scan.arg(option, *value);
    });
    tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap()
}

/// When each connection of a run was begun, in milliseconds since the run was,
/// in their order.
fn starts<'a>(run: &Run, rows: impl Iterator<Item = &'a Row>) -> Vec<i64> {
    let info = run.info();
    let begun: jiff::Timestamp = info["started"].as_str().unwrap().parse().unwrap();
    let mut starts: Vec<i64> = rows.map(|row| started(row) - begun.as_millisecond()).collect();
    starts.sort_unstable();
    starts
}

fn counters(fleet: &Fleet) -> Vec<Row> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fleet.write_counters(&file).unwrap();
    rows(file.path())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_domains_on_one_host_cost_no_more_connections_than_one() {
    let fleet = fleet(&["provider_one_host"], 1000, 8).await;
    let run = run(&fleet, domains_of(&fleet), &[]).await;
    run.check_books(1000);
    let wrong = lab::disagreements(&fleet, lab::USUAL_SENDER, run.file("domains.csv")).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let counted = fleet.counters();
    // The handshake, and the sender's own hello.
    assert_eq!((counted.connections(), counted.handshakes()), (2, 1));
    assert_eq!(run.rows("endpoints.csv").len(), 1);
    for ((name, kind), count) in counted.queries {
        assert!(count <= QUESTIONS_MAX, "{count} questions for {name} {kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_names_at_one_address_are_asked_one_at_a_time() {
    let fleet = fleet(&["tls13_ecdsa", "starttls_absent", "greeting_554"], 60, 1).await;
    // A further hello ends without QUIT, and the server may see that late.
    let run = run(&fleet, domains_of(&fleet), &[("--extra-client-hellos", "0")]).await;
    run.check_books(60);
    let counted = fleet.counters();
    // A "no TLS" is looked at twice.
    let absent = fleet.truth().iter().filter(|row| row.scenario.name == "starttls_absent").count();
    assert_eq!(counted.connections(), 60 + absent as u64);
    assert_eq!(counted.addresses.len(), 3);
    let most: Vec<u64> = counted.addresses.values().map(|address| address.max_concurrent).collect();
    assert_eq!(most, [1, 1, 1]);
    assert_eq!(run.check_counters(&counters(&fleet)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_connections_are_begun_in_a_second_than_the_rate_says() {
    for (rate, burst) in [(20, 1), (100, 2)] {
        let fleet = fleet(&["tls13_ecdsa"], rate + rate / 2, 1000).await;
        let run = run(&fleet, domains_of(&fleet), &[("--rate", &rate.to_string())]).await;
        let endpoints = run.rows("endpoints.csv");
        assert_eq!(endpoints.len(), rate + rate / 2);
        for (index, start) in starts(&run, endpoints.iter()).into_iter().enumerate() {
            let earliest = index.saturating_sub(burst - 1) as i64 * 1000 / rate as i64;
            assert!(start + GRAIN_MS >= earliest, "rate {rate}: connection {index} after {start} ms");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_its_pause() {
    let fleet = fleet(&["tls13_ecdsa"], 8, 1).await;
    let run = run(&fleet, domains_of(&fleet), &[("--per-ip-interval", "200ms")]).await;
    let endpoints = run.rows("endpoints.csv");
    assert_eq!(endpoints.len(), 8);
    let starts = starts(&run, endpoints.iter());
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] + LATE_MS >= 200), "{starts:?}");
}

/// The same, where the hosts have an address each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_and_an_operator_have_their_pauses() {
    const NAMES: usize = 6;
    const INTERVAL_MS: i64 = 200;
    for option in ["--per-network-interval", "--per-operator-interval"] {
        let fleet = fleet(&["tls13_ecdsa"], NAMES, NAMES).await;
        let hosts: Vec<_> = fleet.endpoints().iter().map(|endpoint| endpoint.ip).collect();
        let list: String =
            hosts.iter().enumerate().map(|(n, ip)| format!("{ip},mx{n}.operator.example\n")).collect();
        let run = run(&fleet, list, &[(option, "200ms"), ("--input", "endpoints")]).await;
        let endpoints = run.rows("endpoints.csv");
        assert_eq!(endpoints.len(), NAMES);
        let starts = starts(&run, endpoints.iter());
        let whole = starts[NAMES - 1] - starts[0];
        assert!(whole + LATE_MS >= INTERVAL_MS * (NAMES as i64 - 1), "{option}: {starts:?}");
    }
}

/// The pause runs from one connection to the next, not from the moment at
/// which the first came into the queue that the rate lets through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_its_pause_behind_a_long_queue() {
    const NAMES: usize = 4;
    const INTERVAL_MS: i64 = 1000;
    let fleet = fleet(&["tls13_ecdsa"], 40, 1000).await;
    let ip = fleet.endpoints()[0].ip;
    let mut list: String =
        fleet.endpoints().iter().map(|endpoint| format!("{},{}\n", endpoint.ip, endpoint.host)).collect();
    (0..NAMES).for_each(|name| list += &format!("{ip},n{name}.example\n"));
    let pace = [("--rate", "20"), ("--per-ip-interval", "1s"), ("--per-ip-connections", "2")];
    let run = run(&fleet, list, &[&pace[..], &[("--input", "endpoints")]].concat()).await;
    let endpoints = run.rows("endpoints.csv");
    let starts = starts(&run, endpoints.iter().filter(|row| row["ip"] == ip.to_string()));
    assert!(starts.len() > NAMES, "{starts:?}");
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] + LATE_MS >= INTERVAL_MS), "{starts:?}");
}
