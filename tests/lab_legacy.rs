//! Servers by script, asked over real sockets: what they agree to, what they
//! refuse, and what they leave to a TLS library.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used)]

mod lab_client;

use lab_client::{End as Ended, ask};
use mxray::internals::lab::{Fleet, FleetOptions, Scenario, scenario};
use mxray::internals::model::{
    CipherSuite, DomainName, MxHost, NamedGroup, ProtocolVersion, SignatureScheme,
};
use mxray::internals::tls::{AnswerEnd, ClientHello, HelloAction, HelloAnswer, HelloProbe};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More than any of these servers takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn fleet_playing(scenario: Scenario) -> (Fleet, SocketAddr) {
    let domains = vec![DomainName::parse("d0.example").unwrap()];
    let options = FleetOptions { scenarios: vec![scenario], ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let at = SocketAddr::new(fleet.endpoints()[0].ip, fleet.smtp_port());
    (fleet, at)
}

fn hello(version: ProtocolVersion, suites: &[&str]) -> ClientHello {
    let suites: Vec<CipherSuite> = suites.iter().map(|name| name.parse().unwrap()).collect();
    let mut hello = ClientHello::new(version, suites, [7; 32]);
    if version > ProtocolVersion::SSL3 {
        hello.sni = Some(MxHost::new("mx1.d0.example"));
        hello.groups = vec![NamedGroup(24), NamedGroup(23)];
    }
    if version >= ProtocolVersion::TLS12 {
        hello.signature_schemes = [0x0403, 0x0804, 0x0401].map(SignatureScheme).to_vec();
    }
    hello
}

/// A connection on which STARTTLS was accepted.
async fn upgraded(at: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    for command in ["", "EHLO probe.example\r\n", "STARTTLS\r\n"] {
        stream.write_all(command.as_bytes()).await.unwrap();
        let mut reply = String::new();
        while !reply.lines().any(|line| line.as_bytes().get(3) == Some(&b' ')) {
            let mut byte = [0; 1];
            stream.read_exact(&mut byte).await.unwrap();
            reply.push(char::from(byte[0]));
        }
        assert!(reply.starts_with('2'), "{reply}");
        while !reply.ends_with('\n') {
            let mut byte = [0; 1];
            stream.read_exact(&mut byte).await.unwrap();
            reply.push(char::from(byte[0]));
        }
    }
    stream
}

/// What the server says to a hello, and the connection after it.
async fn answered(at: SocketAddr, hello: &ClientHello) -> (HelloAnswer, TcpStream) {
    let mut stream = upgraded(at).await;
    let mut probe = HelloProbe::new(hello).unwrap();
    loop {
        let bytes = match probe.next() {
            HelloAction::Write(bytes) => Some(bytes.to_vec()),
            HelloAction::Read => None,
            HelloAction::Done => return (probe.into_answer(), stream),
        };
        if let Some(bytes) = bytes {
            stream.write_all(&bytes).await.unwrap();
            continue;
        }
        let mut chunk = [0; 4096];
        match timeout(PATIENCE, stream.read(&mut chunk)).await {
            Ok(Ok(count)) if count > 0 => probe.receive(&chunk[..count]),
            Ok(_) => probe.receive_eof(),
            Err(_) => probe.timed_out(),
        }
    }
}

async fn answer(at: SocketAddr, hello: &ClientHello) -> HelloAnswer {
    answered(at, hello).await.0
}

fn alert(answer: &HelloAnswer) -> String {
    answer.alert().map(|alert| alert.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn an_old_server_agrees_in_clear_with_its_certificate() {
    let (fleet, at) = fleet_playing(scenario("tls10_only").unwrap()).await;
    let suites = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"];
    for offered in [ProtocolVersion::TLS10, ProtocolVersion::TLS12] {
        let answer = answer(at, &hello(offered, &suites)).await;
        assert_eq!(answer.end, AnswerEnd::Complete);
        assert_eq!(answer.version(), Some(ProtocolVersion::TLS10));
        assert_eq!(answer.suite().unwrap().name(), suites[1]);
        assert_eq!(answer.group().unwrap().name(), "secp256r1");
        assert_eq!(answer.chain.as_ref().unwrap().certificates.len(), 2);
    }
    let refused = answer(at, &hello(ProtocolVersion::SSL3, &suites)).await;
    assert_eq!(alert(&refused), "protocol_version");
    let refused = answer(at, &hello(ProtocolVersion::TLS10, &["TLS_RSA_WITH_RC4_128_SHA"])).await;
    assert_eq!(alert(&refused), "handshake_failure");
    fleet.shutdown().await;
}

#[tokio::test]
async fn every_kind_of_key_exchange_is_shown() {
    for (name, version, suite, bits) in [
        ("dhe_1024", ProtocolVersion::TLS12, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Some(1024)),
        ("export_only", ProtocolVersion::SSL3, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", Some(512)),
        ("export_only", ProtocolVersion::TLS10, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", None),
        ("static_rsa_only", ProtocolVersion::TLS12, "TLS_RSA_WITH_AES_256_CBC_SHA", None),
    ] {
        let (fleet, at) = fleet_playing(scenario(name).unwrap()).await;
        let answer = answer(at, &hello(version, &[suite])).await;
        assert_eq!((answer.end, answer.version()), (AnswerEnd::Complete, Some(version)), "{name}");
        assert_eq!(answer.dh_bits(), bits, "{name}");
        assert_eq!(answer.key_exchange.is_some(), name != "static_rsa_only", "{name}");
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_client_that_believes_what_it_was_told_is_refused() {
    let (fleet, at) = fleet_playing(scenario("static_rsa_only").unwrap()).await;
    let hello = hello(ProtocolVersion::TLS12, &["TLS_RSA_WITH_AES_128_GCM_SHA256"]);
    let (answer, mut stream) = answered(at, &hello).await;
    assert_eq!(answer.end, AnswerEnd::Complete);
    stream.write_all(&[22, 3, 3, 0, 1, 16]).await.unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, [21, 3, 3, 0, 2, 2, 40]);
    fleet.shutdown().await;
}

#[tokio::test]
async fn what_a_library_speaks_is_carried_to_the_end_as_the_script_chose() {
    let (fleet, at) = fleet_playing(scenario("prefers_cbc").unwrap()).await;
    let heard = ask(at, Some("mx1.d0.example"), PATIENCE).await;
    assert_eq!(heard.end, Ended::Complete);
    assert_eq!(heard.columns["cipher_suite"], "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    let both = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"];
    let answer = answer(at, &hello(ProtocolVersion::TLS12, &both)).await;
    assert_eq!(answer.suite().unwrap().name(), both[1]);
    let counted: u64 = fleet.counters().endpoints.values().map(|count| count.handshakes).sum();
    assert_eq!(counted, 1);
    fleet.shutdown().await;
}

#[tokio::test]
async fn intolerance_depends_on_the_hello() {
    let suites = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"];
    let short = hello(ProtocolVersion::TLS12, &suites);
    let modern = hello(ProtocolVersion::TLS13, &["TLS_AES_256_GCM_SHA384", suites[0]]);
    let mut long = short.clone();
    long.suites.extend((0..200).map(|code| CipherSuite(0xfa00 + code)));
    for (name, hello, end) in [
        ("intolerant_long_hello", &short, "complete"),
        ("intolerant_long_hello", &long, "closed"),
        ("intolerant_tls13_closes", &short, "complete"),
        ("intolerant_tls13_closes", &modern, "closed"),
        ("intolerant_tls13_alert", &modern, "protocol_version"),
    ] {
        let (fleet, at) = fleet_playing(scenario(name).unwrap()).await;
        let answer = answer(at, hello).await;
        let seen = match answer.end {
            AnswerEnd::Complete => "complete".to_string(),
            AnswerEnd::Closed => "closed".to_string(),
            _ => alert(&answer),
        };
        assert_eq!(seen, end, "{name}");
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn sslv2_is_what_it_says() {
    let (fleet, at) = fleet_playing(scenario("ssl2_only").unwrap()).await;
    for version in [ProtocolVersion::SSL3, ProtocolVersion::TLS12] {
        let answer = answer(at, &hello(version, &["TLS_RSA_WITH_RC4_128_MD5"])).await;
        assert_eq!(answer.end, AnswerEnd::Sslv2 { error: true });
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_certificate_may_be_asked_for_in_clear_and_a_share_for_a_retry() {
    let mut played = scenario("tls11_only").unwrap();
    let server = played.server.get_mut("mx").unwrap();
    server.tls.client_auth = mxray::internals::lab::ClientAuth::Requested;
    let suites = vec!["TLS_AES_128_CCM_SHA256".parse().unwrap()];
    server.legacy.as_mut().unwrap().suites.insert(ProtocolVersion::TLS13, suites);
    let (fleet, at) = fleet_playing(played).await;
    let old = answer(at, &hello(ProtocolVersion::TLS11, &["TLS_RSA_WITH_AES_128_CBC_SHA"])).await;
    assert!(old.client_certificate_requested());
    let retry = answer(at, &hello(ProtocolVersion::TLS13, &["TLS_AES_128_CCM_SHA256"])).await;
    assert!(retry.hello_retry());
    assert_eq!((retry.version(), retry.group()), (Some(ProtocolVersion::TLS13), Some(NamedGroup(23))));
    fleet.shutdown().await;
}
