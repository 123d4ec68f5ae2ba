//! The fleet is what its scenario files say, asked by a client that shares no
//! code with the scanner: plain sockets, rustls and hickory-resolver.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used)]

mod lab_client;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use lab_client::{End, ask};
use mxray::internals::lab::{EndpointTruth, Fleet, FleetOptions, LabError, Scenario, scenario, scenarios};
use mxray::internals::model::DomainName;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// More than any server of the fleet takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Enough to be sure that nothing comes.
const IMPATIENCE: Duration = Duration::from_secs(4);

fn domains(count: usize) -> Vec<DomainName> {
    (0..count).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect()
}

async fn fleet_of(scenarios: Vec<Scenario>, count: usize) -> Fleet {
    let options = FleetOptions { scenarios, ..FleetOptions::new(domains(count)).unwrap() };
    Fleet::start(options).await.unwrap()
}

async fn fleet_playing(name: &str) -> Fleet {
    fleet_of(vec![scenario(name).unwrap()], 1).await
}

fn first_endpoint(fleet: &Fleet) -> (SocketAddr, String) {
    let endpoint = &fleet.endpoints()[0];
    (SocketAddr::new(endpoint.ip, fleet.smtp_port()), endpoint.host.clone())
}

#[tokio::test]
async fn every_server_behaves_as_its_file_says() {
    let fleet = fleet_of(scenarios().unwrap(), 150).await;
    let port = fleet.smtp_port();
    let mut asked = JoinSet::new();
    for truth in fleet.endpoints() {
        let truth = truth.clone();
        asked.spawn(async move { compare(&truth, port).await });
    }
    let wrong: Vec<String> = asked.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    fleet.shutdown().await;
}

/// What a server says against what is expected of it, as far as a client can
/// tell that does not judge.
async fn compare(truth: &EndpointTruth, port: u16) -> Vec<String> {
    let expected: std::collections::BTreeMap<_, _> = truth.columns().into_iter().collect();
    let outcome = expected["outcome"].as_str();
    let patience = if outcome == "timeout" { IMPATIENCE } else { PATIENCE };
    let heard = ask(SocketAddr::new(truth.ip, port), Some(&truth.host), patience).await;
    let mut wrong = Vec::new();
    let end = match outcome {
        "ok" => End::Complete,
        "timeout" => End::Silence,
        "closed" => End::Closed,
        "refused" if expected["phase"] == "connect" => End::Refused,
        "alert" | "no_common_version" | "no_common_suite" | "client_certificate_required" | "not_tls" => {
            End::Handshake
        }
        "downgrade_detected" => End::Handshake,
        // This client goes on after it, where its library lets it.
        "signature_failed" | "bad_certificate" if heard.end == End::Complete => End::Complete,
        "signature_failed" | "bad_certificate" => End::Handshake,
        _ => End::Reply,
    };
    // The library takes no RSA key as short, and no point in hybrid form.
    let signature = expected.get("signature").map_or("", String::as_str);
    let not_taken = ["cert_rsa_1024", "cert_hybrid_point"].contains(&truth.scenario.name.as_str());
    let contradicts = match heard.verified {
        Some(true) => signature == "failed",
        Some(false) => signature == "verified" && !not_taken,
        None => false,
    };
    if contradicts {
        wrong.push(format!("{}: the signature is not {signature}", truth.scenario.name));
    }
    if heard.end != end {
        wrong.push(format!("{}: ended with {:?}, not {end:?}", truth.scenario.name, heard.end));
    }
    for (column, cell) in &heard.columns {
        // Where no reply decides, the scanner keeps no code; and what is said in
        // clear where a handshake belongs is no reply to this client.
        let replied = !expected["reply_code"].is_empty() && expected["phase"] != "tls";
        // What a session that the scanner ends would have had is not seen by it.
        let ended = outcome == "signature_failed" && *column == "key_exchange_group";
        let decides = (*column != "reply_code" || replied) && !ended;
        if let Some(expected) = expected.get(*column).filter(|expected| decides && *expected != cell) {
            wrong.push(format!("{}: {column} is {cell}, not {expected}", truth.scenario.name));
        }
    }
    if !expected["alert"].is_empty() && !heard.columns.contains_key("alert") {
        wrong.push(format!("{}: no alert", truth.scenario.name));
    }
    let plaintext = String::from_utf8_lossy(&heard.plaintext).replace("\r\n", r"\x0d\x0a");
    if plaintext != expected.get("plaintext_after_starttls").map_or("", String::as_str) {
        wrong.push(format!("{}: plaintext {plaintext}", truth.scenario.name));
    }
    wrong
}

#[tokio::test]
async fn the_greeting_names_the_host_and_waits_for_nobody() {
    let fleet = fleet_playing("tls13_ecdsa").await;
    let (at, host) = first_endpoint(&fleet);
    let heard = ask(at, Some(&host), PATIENCE).await;
    assert_eq!(heard.clear[0], format!("220 {host} ESMTP\r\n"));
    assert!(heard.clear[1].contains("250-STARTTLS\r\n"), "{}", heard.clear[1]);
    assert_eq!(host, "mx1.d0.example");
}

#[tokio::test]
async fn odd_bytes_come_as_they_stand_in_the_file() {
    for (name, reply, expected) in [
        ("ehlo_nul_byte", 1, "250-SIZE\u{0}1000\r\n"),
        ("ehlo_eight_bit", 0, " Gr\u{fc}\u{df}e\r\n"),
        ("ehlo_bare_lf", 1, "250-SIZE 10240000\n250 STARTTLS\n"),
        ("ehlo_code_changes", 1, "\r\n550-SIZE 10240000\r\n250 STARTTLS\r\n"),
        ("starttls_mangled", 1, "250-XXXXXXXA\r\n"),
    ] {
        let fleet = fleet_playing(name).await;
        let (at, host) = first_endpoint(&fleet);
        let heard = ask(at, Some(&host), PATIENCE).await;
        assert!(heard.clear[reply].contains(expected), "{name}: {:?}", heard.clear);
    }
}

#[tokio::test]
async fn a_reset_is_no_close() {
    let mut ends = Vec::new();
    for name in ["ehlo_reset", "ehlo_closed_mid_reply"] {
        let fleet = fleet_playing(name).await;
        let mut stream = TcpStream::connect(first_endpoint(&fleet).0).await.unwrap();
        stream.write_all(b"EHLO probe.example\r\n").await.unwrap();
        let mut heard = Vec::new();
        let end = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.unwrap();
        ends.push((
            end.map_err(|error| error.kind()).err(),
            String::from_utf8_lossy(&heard).ends_with("250-SI"),
        ));
    }
    assert_eq!(ends, [(Some(ErrorKind::ConnectionReset), false), (None, true)]);
}

#[tokio::test]
async fn pieces_come_one_by_one() {
    let fleet = fleet_playing("bytewise").await;
    let mut stream = TcpStream::connect(first_endpoint(&fleet).0).await.unwrap();
    let mut reads = 0;
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n") {
        let mut chunk = [0; 64];
        let count = timeout(PATIENCE, stream.read(&mut chunk)).await.unwrap().unwrap();
        heard.extend_from_slice(&chunk[..count]);
        reads += 1;
    }
    // On a busy machine some arrive together.
    assert!(reads > 1, "{reads} reads for {} bytes", heard.len());
}

#[tokio::test]
async fn the_certificate_depends_on_the_name_asked_for() {
    let fleet = fleet_playing("cert_by_sni").await;
    let (at, host) = first_endpoint(&fleet);
    let [named, again, unnamed] = [
        ask(at, Some(&host), PATIENCE).await,
        ask(at, Some(&host), PATIENCE).await,
        ask(at, None, PATIENCE).await,
    ];
    assert_eq!(named.chain, again.chain, "a certificate is made once");
    assert_eq!((named.chain.len(), unnamed.chain.len()), (2, 1));
    assert_ne!(named.chain[0], unnamed.chain[0]);
}

#[tokio::test]
async fn connections_and_handshakes_are_counted() {
    let fleet = fleet_playing("tls13_ecdsa").await;
    let (at, host) = first_endpoint(&fleet);
    for _ in 0..3 {
        assert_eq!(ask(at, Some(&host), PATIENCE).await.end, End::Complete);
    }
    drop(TcpStream::connect(at).await.unwrap());
    let counters = loop {
        let counters = fleet.counters();
        if counters.connections() == 4 {
            break counters;
        }
        tokio::task::yield_now().await;
    };
    let named = counters.endpoints[&(at.ip(), host)];
    assert_eq!((named.connections, named.handshakes), (3, 3));
    assert_eq!(counters.endpoints[&(at.ip(), String::new())].connections, 1);
    assert_eq!(counters.addresses[&at.ip()].max_concurrent, 1);
    assert_eq!(counters.handshakes(), 3);
    let mut csv = Vec::new();
    fleet.write_counters(&mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains(&format!("endpoint,{},mx1.d0.example,,3,3,,\n", at.ip())), "{csv}");
}

#[tokio::test]
async fn many_connections_at_a_time_are_seen() {
    let fleet = fleet_playing("greeting_silence").await;
    let (at, _) = first_endpoint(&fleet);
    let open: Vec<_> = futures_util::future::join_all((0..20).map(|_| TcpStream::connect(at))).await;
    while fleet.counters().connections() < 20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fleet.counters().addresses[&at.ip()].max_concurrent, 20);
    drop(open);
    fleet.shutdown().await;
}

/// One that has time enough for an answer; for none it waits as long as `timeout`.
fn resolver(fleet: &Fleet, timeout: Duration) -> TokioResolver {
    let mut server = NameServerConfig::udp_and_tcp(fleet.dns_addr().ip());
    server.connections.iter_mut().for_each(|connection| connection.port = fleet.dns_addr().port());
    let mut options = ResolverOpts::default();
    options.timeout = timeout;
    options.attempts = 1;
    options.use_hosts_file = ResolveHosts::Never;
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .unwrap()
}

async fn mx_of(fleet: &Fleet, timeout: Duration) -> Result<Vec<(u16, String)>, NetError> {
    let answer = resolver(fleet, timeout).mx_lookup("d0.example.").await?;
    let mx = answer.answers().iter().filter_map(|record| match &record.data {
        RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
        _ => None,
    });
    Ok(mx.collect())
}

#[tokio::test]
async fn the_dns_answers_with_the_exchanges() {
    for (name, expected) in [
        ("best_dead", vec![(10, "mx1.d0.example."), (20, "mx2.d0.example.")]),
        ("null_mx", vec![(0, ".")]),
        ("mx_is_address", vec![(10, "192.0.2.25.")]),
        ("mx_is_localhost", vec![(10, "localhost.")]),
        ("provider_one_host", vec![(0, "mx.bigmail.example.")]),
        // Cut over UDP: only a client that asks again over TCP has them.
        ("dns_truncated", vec![(10, "mx1.d0.example.")]),
    ] {
        let fleet = fleet_playing(name).await;
        let expected: Vec<_> = expected.into_iter().map(|(p, host)| (p, host.to_string())).collect();
        assert_eq!(mx_of(&fleet, PATIENCE).await.unwrap(), expected, "{name}");
    }
}

#[tokio::test]
async fn the_dns_fails_in_every_way() {
    for (name, expected) in [
        ("dns_nxdomain", Some(ResponseCode::NXDomain)),
        ("dns_servfail", Some(ResponseCode::ServFail)),
        ("dns_no_data", Some(ResponseCode::NoError)),
        ("implicit_mx", Some(ResponseCode::NoError)),
        ("dns_timeout", None),
    ] {
        let fleet = fleet_playing(name).await;
        let timeout = if expected.is_some() { PATIENCE } else { IMPATIENCE };
        let code = match mx_of(&fleet, timeout).await.unwrap_err() {
            NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
            NetError::Dns(DnsError::ResponseCode(code)) => Some(code),
            NetError::Timeout => None,
            other => panic!("{name}: {other}"),
        };
        assert_eq!(code, expected, "{name}");
        assert!(fleet.counters().queries[&("d0.example".to_string(), "MX".to_string())] > 0);
    }
}

#[tokio::test]
async fn hosts_have_the_addresses_of_their_servers() {
    for (name, host) in [("mx_cname", "mx1.d0.example."), ("implicit_mx", "d0.example.")] {
        let fleet = fleet_playing(name).await;
        let found: Vec<_> = resolver(&fleet, PATIENCE).lookup_ip(host).await.unwrap().iter().collect();
        assert_eq!(found, [fleet.endpoints()[0].ip], "{name}");
    }
    let fleet = fleet_playing("dual_stack").await;
    if fleet.left_out().is_empty() {
        let endpoints: Vec<_> = fleet.endpoints().iter().map(|endpoint| endpoint.ip).collect();
        assert!(endpoints[0].is_ipv4() && endpoints[1].is_ipv6(), "{endpoints:?}");
    }
}

#[tokio::test]
async fn nothing_but_loopback_is_served() {
    let outside = "192.0.2.1:0".parse().unwrap();
    let options = FleetOptions { dns: outside, ..FleetOptions::new(domains(1)).unwrap() };
    let refused = Fleet::start(options).await.unwrap_err();
    assert!(matches!(refused, LabError::NotLoopback(_)), "{refused}");
    assert!(refused.to_string().contains("127.0.0.0/8"), "{refused}");
}

#[tokio::test]
async fn a_port_in_use_is_said_and_a_fleet_starts_again_on_its_port() {
    let fleet = fleet_playing("tls13_ecdsa").await;
    let port = fleet.smtp_port();
    let again = || FleetOptions {
        smtp_port: port,
        scenarios: vec![scenario("tls13_ecdsa").unwrap()],
        ..FleetOptions::new(domains(1)).unwrap()
    };
    let refused = Fleet::start(again()).await.unwrap_err();
    assert!(refused.to_string().contains(&port.to_string()), "{refused}");
    fleet.shutdown().await;
    Fleet::start(again()).await.unwrap().shutdown().await;
}
