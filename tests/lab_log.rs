//! The lab's log of connections, and a scan held against it: what a scanner did
//! as its peers saw it.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use mxray::internals::lab::{
    self, ClientStage, ConnectionEnd, Excess, Fleet, FleetOptions, LimitedTo, LogTo, LoggedConnection,
    MannersLimits, MannersOf,
};
use mxray::internals::model::DomainName;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use survey::Scan;

async fn fleet(scenarios: &[&str], domains: usize, hosts: usize, log: LogTo) -> Fleet {
    let domains = (0..domains).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect();
    let mut scenarios: Vec<_> = scenarios.iter().map(|name| lab::scenario(name).unwrap()).collect();
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    let options =
        FleetOptions { scenarios, hosts_per_scenario: hosts, log, ..FleetOptions::new(domains).unwrap() };
    Fleet::start(options).await.unwrap()
}

/// The limits that the scans below are told.
fn told() -> MannersLimits {
    MannersLimits {
        all: MannersOf { at_a_time: Some(4), ..MannersOf::default() },
        address: MannersOf {
            at_a_time: Some(1),
            interval: Some(Duration::from_millis(250)),
            in_window: Some(30),
        },
        network: MannersOf { at_a_time: Some(2), ..MannersOf::default() },
        ..MannersLimits::default()
    }
}

/// Scans twenty-four names on six addresses of two networks under these options,
/// and gives the log and what in it is against the limits of [`told`].
async fn scanned(options: &[(&str, &str)]) -> (Vec<LoggedConnection>, Vec<lab::Violation>) {
    let fleet = fleet(&["tls13_ecdsa", "starttls_absent"], 24, 3, LogTo::Memory).await;
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    for (option, value) in [("--timeout", "20s"), ("--in-flight", "4"), ("--per-network-connections", "2")] {
        scan.arg(option, value);
    }
    scan.arg("--per-ip-interval", "250ms").arg("--extra-client-hellos", "1");
    options.iter().for_each(|(option, value)| _ = scan.arg(option, *value));
    let list: String = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    run.check_books(24);
    let log = fleet.log().connections();
    let found = lab::violations(&log, &told(), &BTreeMap::new());
    (log, found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_keeps_to_the_limits_that_it_is_told() {
    let (log, found) = scanned(&[]).await;
    assert!(found.is_empty(), "{found:#?}");
    assert!(log.len() > 24, "{}", log.len());
    let without = log.iter().filter(|one| one.name.is_empty() && one.reached > ClientStage::Starttls).count();
    assert_eq!(without, 0, "{log:#?}");
    let quits = log.iter().filter(|one| one.end == ConnectionEnd::Quit).count();
    assert!(quits >= 24, "{log:#?}");
}

/// The same scan without limits: the judge sees what it is there for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_without_limits_is_found_out() {
    let (_, found) = scanned(&[
        ("--in-flight", "16"),
        ("--per-ip-connections", "0"),
        ("--per-network-connections", "0"),
        ("--per-ip-interval", "0"),
    ])
    .await;
    let of = |excess: fn(&Excess) -> bool, bucket: fn(&LimitedTo) -> bool| {
        found.iter().any(|violation| excess(&violation.excess) && bucket(&violation.bucket))
    };
    let at_a_time = |excess: &Excess| matches!(excess, Excess::AtATime { .. });
    assert!(of(at_a_time, |bucket| *bucket == LimitedTo::All), "{found:#?}");
    assert!(of(at_a_time, |bucket| matches!(bucket, LimitedTo::Network(_))), "{found:#?}");
    assert!(of(at_a_time, |bucket| matches!(bucket, LimitedTo::Address(_))), "{found:#?}");
    let interval = |excess: &Excess| matches!(excess, Excess::Interval { .. });
    assert!(of(interval, |bucket| matches!(bucket, LimitedTo::Address(_))), "{found:#?}");
}

/// Connects, reads the greeting, and says something.
fn greeted(at: SocketAddr, words: &[&[u8]]) -> TcpStream {
    let mut stream = TcpStream::connect(at).unwrap();
    let mut answer = [0; 512];
    let count = stream.read(&mut answer).unwrap();
    assert!(answer[..count].starts_with(b"220"));
    for word in words {
        stream.write_all(word).unwrap();
        assert!(stream.read(&mut answer).unwrap() > 0);
    }
    stream
}

/// The log once this many connections in it have ended.
async fn ended(fleet: &Fleet, count: usize) -> Vec<LoggedConnection> {
    loop {
        let log = fleet.log().connections();
        if log.iter().filter(|one| one.end != ConnectionEnd::Open).count() >= count {
            return log;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_apart() {
    let fleet = fleet(&["tls13_ecdsa"], 1, 1, LogTo::Memory).await;
    let at = SocketAddr::new(fleet.endpoints()[0].ip, fleet.smtp_port());
    let (ehlo, starttls): (&[u8], &[u8]) = (b"EHLO me.example\r\n", b"STARTTLS\r\n");
    let mut expected = Vec::new();
    let mut ends = async |stream: TcpStream, reached, end, detail: &str| {
        let own = stream.local_addr().unwrap();
        drop(stream);
        expected.push((own, reached, end, detail.to_string()));
        ended(&fleet, expected.len()).await
    };
    ends(greeted(at, &[ehlo, b"QUIT\r\n"]), ClientStage::Ehlo, ConnectionEnd::Quit, "").await;
    ends(greeted(at, &[]), ClientStage::Greeted, ConnectionEnd::ClientClosed, "").await;
    ends(greeted(at, &[ehlo, starttls]), ClientStage::Starttls, ConnectionEnd::ClientClosed, "").await;
    let rude = greeted(at, &[ehlo]);
    socket2::SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
    ends(rude, ClientStage::Ehlo, ConnectionEnd::ClientReset, "").await;
    let mut long = greeted(at, &[]);
    long.write_all(&[b'x'; 2000]).unwrap();
    ends(long, ClientStage::Greeted, ConnectionEnd::LineTooLong, "").await;
    // A fatal user_canceled in place of a ClientHello.
    let mut alert = greeted(at, &[ehlo, starttls]);
    alert.write_all(&[21, 3, 3, 0, 2, 2, 90]).unwrap();
    let log =
        ends(alert, ClientStage::Starttls, ConnectionEnd::ClientAlert, "in place of a ClientHello").await;
    let seen: Vec<_> = log.iter().map(|one| (one.peer, one.reached, one.end, one.detail.clone())).collect();
    assert_eq!(seen, expected);
    assert!(log.iter().all(|one| one.own == at && one.opened_us <= one.left_us), "{log:#?}");
    assert!(log.iter().map(|one| one.number).eq(1..=6));
    let open = greeted(at, &[]);
    assert_eq!(fleet.log().connections().last().unwrap().end, ConnectionEnd::Open);
    drop(open);
}

/// Who closes one connection before the next begins is never accused of two,
/// however late the server reads the end of the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_at_a_time_is_never_taken_for_two() {
    let fleet = fleet(&["tls13_ecdsa"], 1, 1, LogTo::Memory).await;
    let at = SocketAddr::new(fleet.endpoints()[0].ip, fleet.smtp_port());
    let one = MannersOf { at_a_time: Some(1), ..MannersOf::default() };
    let limits = MannersLimits { address: one, ..MannersLimits::default() };
    let judge = || lab::violations(&fleet.log().connections(), &limits, &BTreeMap::new());
    tokio::task::spawn_blocking(move || {
        for _ in 0..500 {
            let mut stream = greeted(at, &[]);
            stream.write_all(b"EHLO me.example\r\n").unwrap();
        }
    })
    .await
    .unwrap();
    assert_eq!(judge(), []);
    let pair = tokio::task::spawn_blocking(move || (greeted(at, &[]), greeted(at, &[]))).await.unwrap();
    assert_eq!(judge().len(), 1);
    drop(pair);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_a_file_has_a_line_for_each_connection() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let to = LogTo::File(Arc::new(File::create(file.path()).unwrap()));
    let fleet = fleet(&["tls13_ecdsa"], 1, 1, to).await;
    let at = SocketAddr::new(fleet.endpoints()[0].ip, fleet.smtp_port());
    drop(greeted(at, &[b"QUIT\r\n"]));
    let open = greeted(at, &[b"EHLO me.example\r\n"]);
    let log = fleet.log().clone();
    fleet.shutdown().await;
    log.close().unwrap();
    drop(open);
    let text = std::fs::read_to_string(file.path()).unwrap();
    let lines: Vec<LoggedConnection> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ends: Vec<_> = lines.iter().map(|one| (one.number, one.reached, one.end)).collect();
    assert_eq!(
        ends,
        [(1, ClientStage::Greeted, ConnectionEnd::Quit), (2, ClientStage::Ehlo, ConnectionEnd::LabStopped)]
    );
}
