//! What the examples show is so: each is asked here as a person would, against
//! the fleet on loopback where it needs a server.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../examples/decode_client_hello.rs"]
mod decode_client_hello;
#[path = "../examples/judge_again.rs"]
mod judge_again;
#[path = "../examples/probe_host.rs"]
mod probe_host;
#[path = "../examples/read_reply.rs"]
mod read_reply;

use mxray::hello::ClientHello;
use mxray::judge::{Sender, Store};
use mxray::scan::{EhloName, ScannerConfig};
use mxray::testing::{Fleet, FleetOptions, scenario};
use mxray::{CipherSuite, DomainName, MxHost, ProtocolVersion};
use std::fs;
use std::path::Path;

async fn probed(play: &str) -> Vec<String> {
    let domains = vec![DomainName::parse("a.example").unwrap()];
    let scenarios = vec![scenario(play).unwrap()];
    let options = FleetOptions { scenarios, ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let mut roots = Store::new("lab");
    fleet.root_certificates().iter().for_each(|root| roots.add_der(root).unwrap());
    let mut config = ScannerConfig::new(EhloName::new("scanner.example.org").unwrap());
    config.lookup.nameservers = vec![fleet.dns_addr()];
    config.engine.port = fleet.smtp_port();
    config.engine.limits.per_ip.interval = std::time::Duration::ZERO;
    config.allow_private = true;
    let told = probe_host::probe(config, roots, probe_host::target("a.example").unwrap()).await.unwrap();
    fleet.shutdown().await;
    told
}

#[tokio::test]
async fn a_host_is_probed() {
    let told = probed("tls13_ecdsa").await;
    assert!(told[0].ends_with(": TLSv1.3"), "{told:?}");
    assert_eq!(told[1..], ["mail: encrypted"]);
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_of() {
    let told = probed("dns_nxdomain").await;
    assert_eq!(told, ["mail: undeliverable (dns_nxdomain)"]);
}

#[test]
fn a_run_is_judged_again() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs/schema1");
    let mut roots = Store::new("lab");
    roots.add_whole_file(&fs::read(run.join("roots.pem")).unwrap()).unwrap();
    let rows = fs::read_to_string(run.join("domains.csv")).unwrap().lines().count() - 1;
    let judge =
        |sender| judge_again::judge_again(&run, roots.clone(), Sender::named(sender).unwrap()).unwrap();
    let (one, other) = (judge("exchange-online"), judge("postfix-encrypt"));
    assert_eq!((one.len(), other.len()), (rows, rows));
    // An answer is that of one sender.
    assert_ne!(one, other);
}

#[test]
fn a_client_hello_is_decoded() {
    let mut hello =
        ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(0xc030), CipherSuite(0x1a1a)], [7; 32]);
    hello.sni = Some(MxHost::new("mx.example"));
    let message = hello.to_message().unwrap();
    let hex: String = message[4..].iter().map(|byte| format!("{byte:02x} ")).collect();
    let told = decode_client_hello::offer(&decode_client_hello::bytes(&hex).unwrap()).unwrap();
    assert_eq!(told, ["for mx.example", "up to TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "0x1a1a"]);
    assert!(decode_client_hello::offer(&message[4..20]).is_err());
    assert_eq!((decode_client_hello::bytes("0"), decode_client_hello::bytes("0g")), (None, None));
}

#[test]
fn replies_are_read() {
    let told = read_reply::replies(b"220 mx.example\n250-mx.example\r\n250 STARTTLS\r\n").unwrap();
    assert_eq!(told, ["220 in 1 lines [\"bare_lf\"]", "250 in 2 lines, offers STARTTLS []"]);
    assert!(read_reply::replies(b"SSH-2.0-x\r\n").is_err());
}
