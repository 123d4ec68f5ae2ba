//! Further hellos over real sockets, against a server that answers by script.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod old_server;

use mxray::internals::model::{
    Blocklist, CipherSuite, ClientHelloSpec, DowngradeMark, Endpoint, HelloEnd, HelloObservation,
    HelloPurpose, Kind, MxHost, NamedGroup, Phase, ProbeKey, ProtocolVersion, SignatureScheme,
};
use mxray::internals::net::{Gate, Handshaker, KeyShares, NetProbe, PhaseTimeouts};
use mxray::internals::smtp::EhloName;
use mxray::internals::stage::Probe;
use mxray::internals::tls::ClientHello;
use old_server::{Answer, OldServer, alert, dhe_flight, hello_retry};
use std::time::Duration;

const GREETING: &str = "220 old.example ESMTP";
const DHE_RSA_AES_256_CBC_SHA: CipherSuite = CipherSuite(0x0039);

/// A certificate that can be read.
fn certificate() -> Vec<u8> {
    rcgen::generate_simple_self_signed(["mx.example".to_string()]).unwrap().cert.der().to_vec()
}

/// For a server that is silent; the others answer within, on a busy machine too.
const TLS_TIMEOUT: Duration = Duration::from_secs(4);

fn probe(allow_private: bool) -> NetProbe {
    let timeouts = PhaseTimeouts { tls: TLS_TIMEOUT, ..PhaseTimeouts::default() };
    let gate = Gate::new(Blocklist::default(), allow_private);
    let ehlo = EhloName::new("scanner.example").unwrap();
    NetProbe::new(gate, ehlo, timeouts, Handshaker::new(KeyShares::Reused).unwrap())
}

fn key(server: &OldServer) -> ProbeKey {
    let endpoint = Endpoint { ip: server.address.ip(), port: server.address.port() };
    ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) }
}

fn spec(purpose: HelloPurpose, versions: &[ProtocolVersion]) -> ClientHelloSpec {
    ClientHelloSpec {
        versions: versions.to_vec(),
        suites: vec![CipherSuite(0x1302), DHE_RSA_AES_256_CBC_SHA],
        groups: vec![NamedGroup(24), NamedGroup(23)],
        signature_schemes: vec![SignatureScheme(0x0401)],
        ..ClientHelloSpec::of(purpose)
    }
}

async fn ask(server: &OldServer, spec: &ClientHelloSpec) -> HelloObservation {
    probe(true).hello(key(server), spec).await
}

#[tokio::test]
async fn an_old_server_tells_version_suite_prime_and_chain() {
    let certificate = certificate();
    let shown = certificate.clone();
    let flight = move |_: &ClientHello| dhe_flight(DHE_RSA_AES_256_CBC_SHA, 1024, &shown);
    let server = OldServer::start(GREETING, flight).await;
    let version = spec(HelloPurpose::Version, &[ProtocolVersion::TLS10]);
    let seen = ask(&server, &version).await;
    assert_eq!((seen.end, &seen.failure), (HelloEnd::Agreed, &None));
    assert_eq!(seen.version, Some(ProtocolVersion::TLS10));
    assert_eq!((seen.suite, seen.dh_bits, seen.group), (Some(DHE_RSA_AES_256_CBC_SHA), Some(1024), None));
    assert_eq!(seen.chain.iter().map(|der| der.to_vec()).collect::<Vec<_>>(), [certificate]);
    assert_eq!((seen.offered_version, seen.offered_suites), (ProtocolVersion::TLS10, 2));
    assert!(seen.total_us > 0);

    let suites = spec(HelloPurpose::Suites, &[ProtocolVersion::TLS10]);
    assert!(ask(&server, &suites).await.chain.is_empty(), "an enumeration keeps no chains");

    let [hello, _] = &server.hellos()[..] else { panic!("two connections") };
    assert_eq!(hello.legacy_version, ProtocolVersion::TLS10);
    assert_eq!((&hello.sni, &hello.suites), (&Some(MxHost::new("mx.example")), &version.suites));
}

/// Clients end the handshake over it, whatever is signed then.
#[tokio::test]
async fn a_certificate_that_is_none_is_no_agreement() {
    for shown in [&[][..], &[0x30, 3, 2, 1, 7], &[certificate(), vec![0]].concat()] {
        let shown = shown.to_vec();
        let flight = move |_: &ClientHello| dhe_flight(DHE_RSA_AES_256_CBC_SHA, 1024, &shown);
        let server = OldServer::start(GREETING, flight).await;
        let seen = ask(&server, &spec(HelloPurpose::Version, &[ProtocolVersion::TLS10])).await;
        assert_eq!((seen.end, &seen.failure), (HelloEnd::BadCertificate, &None));
        assert_eq!((seen.suite, seen.chain.len()), (Some(DHE_RSA_AES_256_CBC_SHA), 1));
        assert_eq!(seen.downgrade_mark, Some(DowngradeMark::None));
    }
}

#[tokio::test]
async fn a_server_of_tls13_names_the_group_it_wants() {
    let server = OldServer::start(GREETING, |asked| hello_retry(asked, CipherSuite(0x1302), 24)).await;
    let versions = [ProtocolVersion::TLS13, ProtocolVersion::TLS12];
    let seen = ask(&server, &spec(HelloPurpose::Sender, &versions)).await;
    assert_eq!((seen.end, seen.hello_retry), (HelloEnd::Agreed, true));
    assert_eq!(seen.version, Some(ProtocolVersion::TLS13));
    assert_eq!((seen.suite, seen.group), (Some(CipherSuite(0x1302)), Some(NamedGroup(24))));
    let hello = &server.hellos()[0];
    assert_eq!(hello.supported_versions, versions);
    assert_eq!(hello.key_shares, Some(Vec::new()));
}

#[tokio::test]
async fn every_other_end_has_its_name() {
    type Script = fn() -> Answer;
    let scripts: [(Script, HelloEnd); 6] = [
        (|| alert(70), HelloEnd::Alert),
        (|| Answer::Close, HelloEnd::Closed),
        (|| Answer::Silence, HelloEnd::Timeout),
        (|| Answer::Bytes(b"500 what?\r\n".to_vec()), HelloEnd::NotTls),
        (|| Answer::Bytes(vec![0x80, 3, 0, 0, 1]), HelloEnd::Sslv2),
        (|| Answer::Bytes(vec![22, 3, 1, 0, 4, 14, 0, 0, 0]), HelloEnd::Malformed),
    ];
    for (script, end) in scripts {
        let server = OldServer::start(GREETING, move |_| script()).await;
        let seen = ask(&server, &spec(HelloPurpose::Version, &[ProtocolVersion::TLS11])).await;
        assert_eq!((seen.end, &seen.failure, seen.version), (end, &None, None), "{end:?}");
        assert_eq!(seen.alert.map(|alert| alert.0), (end == HelloEnd::Alert).then_some(70));
    }
}

#[tokio::test]
async fn a_dialogue_that_never_comes_to_the_hello_says_why() {
    let server = OldServer::start("421 too many connections", |_| Answer::Silence).await;
    let seen = ask(&server, &spec(HelloPurpose::Version, &[ProtocolVersion::TLS10])).await;
    let failure = seen.failure.unwrap();
    assert_eq!(
        (seen.end, failure.phase, failure.kind),
        (HelloEnd::NotAsked, Phase::Greeting, Kind::Throttled)
    );
    assert!(server.hellos().is_empty());
}

#[tokio::test]
async fn the_gate_holds_for_further_hellos_too() {
    let server = OldServer::start(GREETING, |_| Answer::Silence).await;
    let version = spec(HelloPurpose::Version, &[ProtocolVersion::TLS10]);
    let seen = probe(false).hello(key(&server), &version).await;
    assert_eq!((seen.end, seen.failure.unwrap().kind), (HelloEnd::NotAsked, Kind::PrivateAddress));
    assert!(server.hellos().is_empty());
}
