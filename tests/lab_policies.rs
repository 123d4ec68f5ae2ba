//! The policy hosts of the fleet, asked by a TLS client that shares no code with
//! it.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used)]

mod lab_scenario;

use mxray::internals::lab::Fleet;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// More than any server of the fleet takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Enough to be sure that nothing comes.
const IMPATIENCE: Duration = Duration::from_millis(300);

const PATH: &str = "/.well-known/mta-sts.txt";

async fn fleet(policy: &str) -> Fleet {
    let dns = "[dns]\nexchanges = [{ host = 'mx1', server = 'mx' }]\n";
    lab_scenario::fleet(&format!("{dns}[policy]\n{policy}\n[server.mx]\n")).await
}

/// Where the policy host is: behind the one server, in the one network.
fn at(fleet: &Fleet) -> SocketAddr {
    let IpAddr::V4(server) = fleet.endpoints()[0].ip else { panic!() };
    (std::net::Ipv4Addr::from_bits(server.to_bits() + 1), fleet.policy_port()).into()
}

/// What a client is told that asks for `path` at `name`, up to the end of the
/// stream; with how that ends.
async fn get(fleet: &Fleet, name: &str, path: &str) -> (String, Option<ErrorKind>) {
    let mut roots = RootCertStore::empty();
    fleet.root_certificates().iter().for_each(|root| roots.add(root.clone()).unwrap());
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut said = Vec::new();
    let asked = async {
        let stream = TcpStream::connect(at(fleet)).await?;
        let server = ServerName::try_from(name.to_string()).unwrap();
        let mut tls = TlsConnector::from(Arc::new(config)).connect(server, stream).await?;
        tls.write_all(format!("GET {path} HTTP/1.1\r\nhost: {name}\r\n\r\n").as_bytes()).await?;
        tls.read_to_end(&mut said).await
    };
    let end = timeout(PATIENCE, asked).await.unwrap();
    (said.iter().copied().map(char::from).collect(), end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn a_policy_is_served_for_the_domain_that_is_asked_for() {
    let fleet = fleet("").await;
    let (said, end) = get(&fleet, "mta-sts.a.example", PATH).await;
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let policy = "version: STSv1\r\nmode: enforce\r\nmx: *.a.example\r\nmax_age: 86400\r\n";
    assert_eq!((body, end), (policy, None));
    let length = format!("Content-Length: {}", policy.len());
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains(&length), "{head}");
    assert!(head.contains("Content-Type: text/plain"), "{head}");
    let (elsewhere, _) = get(&fleet, "mta-sts.a.example", "/").await;
    assert!(elsewhere.starts_with("HTTP/1.1 404 "), "{elsewhere}");
    let counted = fleet.counters().policies;
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), [("mta-sts.a.example".to_string(), 2)]);
    fleet.shutdown().await;
}

#[tokio::test]
async fn an_answer_is_what_the_table_says() {
    for (policy, told) in [
        ("status = 404", "HTTP/1.1 404 "),
        ("status = 301\nlocation = \"https://b.example/\"", "\r\nLocation: https://b.example/\r\n"),
        ("content_type = \"text/html\"", "\r\nContent-Type: text/html\r\n"),
        ("body = { raw = \"a\\u00E9{domain}\" }", "\r\n\r\na\u{e9}a.example"),
        ("body = { raw = \"{fill}\", fill = 40000, repeat = 2 }", "Content-Length: 80000\r\n"),
        ("missing = 100\nbody = { raw = \"a\" }", "Content-Length: 101\r\n"),
        ("reply = \"220 {host} ESMTP\"", "220 mta-sts.a.example ESMTP\r\n"),
    ] {
        let fleet = fleet(policy).await;
        let (said, end) = get(&fleet, "mta-sts.a.example", PATH).await;
        assert!(said.contains(told) && end.is_none(), "{policy}: {said} {end:?}");
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_connection_fails_as_the_table_says() {
    for (policy, expected) in [
        ("listen = \"refuse\"", ErrorKind::ConnectionRefused),
        ("client_hello = { alert = \"handshake_failure\", then = \"close\" }", ErrorKind::InvalidData),
        ("body = { raw = \"a\", then = \"reset\" }", ErrorKind::ConnectionReset),
        ("[policy.tls.certificate]\nnames = [\"www.{parent}\"]", ErrorKind::InvalidData),
        ("[policy.tls.certificate]\nto_day = -1", ErrorKind::InvalidData),
        ("[policy.tls.certificate]\nissuer = \"itself\"", ErrorKind::InvalidData),
        ("[policy.tls.certificate]\nissuer = \"stranger\"", ErrorKind::InvalidData),
    ] {
        let fleet = fleet(policy).await;
        assert_eq!(get(&fleet, "mta-sts.a.example", PATH).await.1, Some(expected), "{policy}");
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_host_keeps_silent_as_the_table_says() {
    for policy in [
        "listen = \"never_accept\"",
        "client_hello = { then = \"silence\" }",
        "body = { then = \"silence\" }",
    ] {
        let fleet = fleet(policy).await;
        let asked = timeout(IMPATIENCE, get(&fleet, "mta-sts.a.example", PATH)).await;
        assert!(asked.is_err(), "{policy}: {asked:?}");
        fleet.shutdown().await;
    }
}
