//! Policies of MTA-STS fetched over HTTPS from policy hosts with every fault
//! (RFC 8461 §3.3): what is told, what is kept, and that nothing hangs.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use mxray::internals::fetch::Resolve;
use mxray::internals::fetch::policy::PolicyFetcher;
use mxray::internals::model::mta_sts::{POLICY_BYTES_MAX, StsFetch, StsFetchFailure};
use mxray::internals::model::{Blocklist, Failure, Kind, Phase};
use mxray::internals::net::Gate;
use rcgen::{CertificateParams, CustomExtension, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

const HOST: &str = "mta-sts.example.com";
const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n";
/// Patience where an answer is sure to come.
const LONG: Duration = Duration::from_secs(60);
/// Patience where none is.
const SHORT: Duration = Duration::from_millis(1500);

/// Every name is this machine.
struct Loopback;

impl Resolve for Loopback {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if host == HOST {
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        } else {
            Err(Failure::new(Phase::Dns, Kind::Nxdomain))
        }
    }
}

/// Names and where they are, with why there may be more.
struct At(Vec<(&'static str, Vec<[u8; 4]>)>, Option<&'static str>);

impl Resolve for At {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let found = self.0.iter().find(|(name, _)| *name == host);
        found
            .map(|(_, addresses)| addresses.iter().copied().map(IpAddr::from).collect())
            .ok_or_else(|| Failure::new(Phase::Dns, Kind::Nxdomain))
    }

    async fn resolve_with_others(&self, host: &str) -> Result<(Vec<IpAddr>, Option<String>), Failure> {
        Ok((self.resolve(host).await?, self.1.map(str::to_owned)))
    }
}

/// How a policy host answers.
#[derive(Clone)]
enum Plays {
    /// These bytes inside TLS, and the end.
    Answer(Vec<u8>),
    /// These, and then nothing any more.
    Hang(Vec<u8>),
    /// The body never ends.
    Endless,
    /// No TLS: these bytes.
    Plain(&'static [u8]),
    /// No TLS: a reset.
    Reset,
}

fn ok(body: &str) -> Plays {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    Plays::Answer(format!("{head}{body}").into_bytes())
}

fn identity() -> (Arc<ServerConfig>, Arc<[u8]>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([HOST.to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = certificate.der().clone();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![der.clone()], private);
    (Arc::new(config.unwrap()), Arc::from(der.as_ref()))
}

/// What it was asked: the name in the handshake, and the request.
type Asked = (Option<String>, String);

async fn play(listener: TcpListener, config: Arc<ServerConfig>, plays: Plays) -> Asked {
    let (mut stream, _) = listener.accept().await.unwrap();
    if let Plays::Reset = plays {
        let _ = stream.read(&mut [0; 16_384]).await.unwrap();
        stream.set_zero_linger().unwrap();
        return (None, String::new());
    }
    if let Plays::Plain(bytes) = plays {
        // With nothing unread the end is no reset.
        let _ = stream.read(&mut [0; 16_384]).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let _ = stream.shutdown().await;
        let _ = stream.read_u8().await;
        return (None, String::new());
    }
    let mut tls = TlsAcceptor::from(config).accept(stream).await.unwrap();
    let name = tls.get_ref().1.server_name().map(str::to_owned);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert!(tls.read_buf(&mut request).await.unwrap() > 0);
    }
    match plays {
        Plays::Answer(bytes) => {
            tls.write_all(&bytes).await.unwrap();
            let _ = tls.shutdown().await;
        }
        Plays::Hang(bytes) => {
            tls.write_all(&bytes).await.unwrap();
            tls.flush().await.unwrap();
            // Until the client has had enough.
            let _ = tls.read_u8().await;
        }
        Plays::Endless => {
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while tls.write_all(&[b'a'; 4096]).await.is_ok() {}
        }
        Plays::Plain(_) | Plays::Reset => {}
    }
    (name, String::from_utf8(request).unwrap())
}

async fn fetch(plays: Plays, time: Duration) -> (StsFetch, Asked, Arc<[u8]>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (config, der) = identity();
    let host = tokio::spawn(play(listener, config, plays));
    let gate = Gate::new(Blocklist::default(), true);
    let fetched = PolicyFetcher::new(gate, Loopback).at(port, time).fetch(HOST).await;
    (fetched, host.await.unwrap(), der)
}

#[tokio::test]
async fn a_policy_is_fetched_with_the_chain_that_its_host_showed() {
    let (fetched, (name, request), der) = fetch(ok(POLICY), LONG).await;
    assert_eq!(fetched.failure, None);
    assert_eq!(fetched.body.as_deref(), Some(POLICY));
    assert_eq!((fetched.status, fetched.content_type.as_deref()), (Some(200), Some("text/plain")));
    assert_eq!(fetched.chain, [der]);
    assert_eq!(name.as_deref(), Some(HOST));
    assert!(request.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"), "{request}");
    let request = request.to_ascii_lowercase();
    assert!(request.contains("\r\nhost: mta-sts.example.com\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: mxray/"), "{request}");
}

#[tokio::test]
async fn what_is_no_policy_is_told_with_how_far_it_came() {
    use StsFetchFailure::{
        Encoding, Http, HttpClosed, NotAllowed, Redirect, Status, Tls, TlsClosed, TooLong,
    };
    let answer = |text: &str| Plays::Answer(text.as_bytes().to_vec());
    let long = ok(&"a".repeat(POLICY_BYTES_MAX + 1));
    let whole = ok(&"a".repeat(POLICY_BYTES_MAX));
    let not_utf8 = Plays::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff".to_vec());
    let moved = answer("HTTP/1.1 301 Moved\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n");
    let missing = answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let status = |code: u16| answer(&format!("HTTP/1.1 {code} So\r\nContent-Length: 0\r\n\r\n"));
    let folded = answer("HTTP/1.1 200 OK\r\nX-Long: a\r\n b\r\nContent-Length: 0\r\n\r\n");
    let cut = answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nversion");
    let many_fields = |count: usize| {
        let fields = "X: y\r\n".repeat(count);
        Plays::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{fields}\r\n").into_bytes())
    };
    for (plays, status, expected) in [
        // What is too much for this program alone, or what this program alone lacks.
        (many_fields(400), Some(200), "none"),
        (many_fields(600), None, "ours"),
        (Plays::Plain(b"\x15\x03\x03\x00\x02\x02\x28"), None, "ours, no TLS"), // handshake_failure
        (Plays::Plain(b"\x15\x03\x03\x00\x02\x02\x46"), None, "ours, no TLS"), // protocol_version
        (Plays::Plain(b"\x15\x03\x03\x00\x02\x02\x50"), None, "tls"),          // internal_error
        (whole, Some(200), "none"),
        (long, Some(200), "too_long"),
        (Plays::Endless, Some(200), "too_long"),
        (not_utf8, Some(200), "encoding"),
        (moved, Some(301), "redirect"),
        (missing, Some(404), "status"),
        (folded, Some(200), "none"),
        (status(503), Some(503), "status, now"),
        (status(500), Some(500), "status, now"),
        (status(429), Some(429), "status, now"),
        (answer("SSH-2.0\r\n\r\n"), None, "http"),
        (cut, Some(200), "http, now"),
        (answer(""), None, "http, now"),
        (answer("HTTP/1.1 200"), None, "http, now"),
        (Plays::Plain(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None, "tls"),
        (Plays::Plain(b""), None, "now, tls"),
        (Plays::Plain(b"\x16\x03\x03"), None, "now, tls"),
        (Plays::Reset, None, "now, tls"),
    ] {
        let (fetched, ..) = fetch(plays, LONG).await;
        let told = match &fetched.failure {
            None => "none",
            Some(TooLong(POLICY_BYTES_MAX)) => "too_long",
            Some(Encoding) => "encoding",
            Some(Redirect(301)) => "redirect",
            Some(Status(404)) => "status",
            Some(Status(429 | 500 | 503)) => "status, now",
            Some(Http(why)) if why.starts_with("HTTP") => "HTTP twice",
            Some(Http(_)) => "http",
            Some(HttpClosed(_)) => "http, now",
            Some(TlsClosed(_)) => "now, tls",
            Some(NotAllowed(_)) if fetched.chain.is_empty() => "ours, no TLS",
            Some(NotAllowed(_)) => "ours",
            Some(Tls(_)) => "tls",
            Some(_) => "another",
        };
        assert_eq!((told, fetched.status), (expected, status), "{fetched:?}");
        let may_pass = fetched.failure.as_ref().is_some_and(StsFetchFailure::may_pass);
        assert_eq!(may_pass, expected.contains("now"), "{fetched:?}");
        assert_eq!(fetched.body.is_some(), expected == "none");
        assert_eq!(fetched.chain.is_empty(), expected.ends_with("tls") || expected.ends_with("no TLS"));
    }
}

#[tokio::test]
async fn no_host_holds_a_fetch_longer_than_its_time() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nversion";
    for (bytes, status) in [(&b""[..], None), (b"HTTP/1.1 200", None), (head, Some(200))] {
        let (fetched, ..) = fetch(Plays::Hang(bytes.to_vec()), SHORT).await;
        assert_eq!(fetched.failure, Some(StsFetchFailure::Timeout(SHORT.as_secs())));
        assert_eq!(fetched.status, status);
        // Its chain was seen, and is kept.
        assert_eq!(fetched.chain.len(), 1);
    }
}

/// A resolver that is away for longer than a fetch may take.
struct Away;

impl Resolve for Away {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, Failure> {
        tokio::time::sleep(SHORT).await;
        Err(Failure::new(Phase::Dns, Kind::Timeout))
    }
}

/// That nobody says where the host is, the host has not done.
#[tokio::test]
async fn the_time_of_the_dns_is_not_that_of_the_host() {
    let gate = Gate::new(Blocklist::default(), true);
    let fetched = PolicyFetcher::new(gate, Away).at(1, SHORT / 100).fetch(HOST).await;
    let Some(StsFetchFailure::Unresolved(failure)) = &fetched.failure else { panic!("{fetched:?}") };
    assert_eq!((failure.kind, fetched.failure.as_ref().unwrap().may_pass()), (Kind::Timeout, true));
}

/// What this client cannot read of a chain, others may.
#[tokio::test]
async fn certificates_that_this_client_alone_does_not_read_are_not_the_hosts_fault() {
    let key = KeyPair::generate().unwrap();
    let private = || PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let plain = CertificateParams::new([HOST.to_owned()]).unwrap();
    let mut critical = plain.clone();
    // Policy constraints: requireExplicitPolicy 0.
    let mut constraints = CustomExtension::from_oid_content(&[2, 5, 29, 36], vec![0x30, 3, 0x80, 1, 0]);
    constraints.set_criticality(true);
    critical.custom_extensions = vec![constraints];
    let mut long = plain.clone();
    let name = |n: usize| format!("{n}.{}.example", "a".repeat(60)).try_into().unwrap();
    long.subject_alt_names.extend((0..1000).map(|n| SanType::DnsName(name(n))));
    for (params, kept) in [(critical, 1), (long, 0)] {
        let der = params.self_signed(&key).unwrap().der().clone();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_cert_resolver(Arc::new(Shows(der, private())));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
        });
        let gate = Gate::new(Blocklist::default(), true);
        let fetched = PolicyFetcher::new(gate, Loopback).at(port, LONG).fetch(HOST).await;
        let Some(StsFetchFailure::NotAllowed(why)) = &fetched.failure else { panic!("{fetched:?}") };
        assert!(why.contains("cannot read the certificates"), "{why}");
        assert_eq!(fetched.chain.len(), kept);
    }
}

/// A certificate that rustls would not take for a server's, and shows none the less.
#[derive(Debug)]
struct Shows(CertificateDer<'static>, PrivateKeyDer<'static>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&self.1).unwrap();
        Some(Arc::new(CertifiedKey::new(vec![self.0.clone()], key)))
    }
}

#[tokio::test]
async fn nothing_is_asked_where_nobody_may_go_or_nobody_is() {
    // Bound, so that nobody else has it, and not listened at.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = nobody.local_addr().unwrap().port();
    let fetch =
        async |gate: Gate, host: &str| PolicyFetcher::new(gate, Loopback).at(port, LONG).fetch(host).await;
    let private = fetch(Gate::new(Blocklist::default(), false), HOST).await;
    assert!(matches!(private.failure, Some(StsFetchFailure::NotAllowed(_))), "{private:?}");
    let open = || Gate::new(Blocklist::default(), true);
    let refused = fetch(open(), HOST).await;
    assert!(matches!(refused.failure, Some(StsFetchFailure::Connect(_))), "{refused:?}");
    let unknown = fetch(open(), "mta-sts.example.net").await;
    assert!(matches!(unknown.failure, Some(StsFetchFailure::Unresolved(_))), "{unknown:?}");
    assert!(unknown.chain.is_empty() && unknown.status.is_none());
}

fn fetcher(resolver: At, port: u16, time: Duration) -> PolicyFetcher<At> {
    let blocklist = Blocklist::parse("127.0.0.9").unwrap();
    PolicyFetcher::new(Gate::new(blocklist, true), resolver).at(port, time)
}

/// That none of the addresses opens is the host's only if all were tried, and
/// none of them was left alone.
#[tokio::test]
async fn what_is_not_tried_is_not_told_as_the_hosts() {
    const REFUSES: [u8; 4] = [127, 0, 0, 1];
    const LISTED: [u8; 4] = [127, 0, 0, 9];
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = nobody.local_addr().unwrap().port();
    for (addresses, others, is_hosts) in [
        (vec![REFUSES], None, true),
        (vec![REFUSES; 3], None, true),
        (vec![LISTED, REFUSES], None, false),
        (vec![REFUSES, LISTED], None, false),
        (vec![REFUSES], Some("2 addresses of a family that is not used"), false),
    ] {
        let told = format!("{addresses:?} {others:?}");
        let fetched = fetcher(At(vec![(HOST, addresses)], others), port, LONG).fetch(HOST).await;
        match fetched.failure {
            Some(StsFetchFailure::Connect(_)) => assert!(is_hosts, "{told}"),
            Some(StsFetchFailure::NotAllowed(why)) => {
                assert!(!is_hosts, "{told}");
                assert!(why.contains("127.0.0.1"), "{why}");
            }
            other => panic!("{told}: {other:?}"),
        }
    }
    let many = (0..20).map(|_| LISTED).collect();
    let fetched = fetcher(At(vec![(HOST, many)], None), port, LONG).fetch(HOST).await;
    let Some(StsFetchFailure::NotAllowed(why)) = fetched.failure else { panic!("{fetched:?}") };
    assert!(why.ends_with("12 addresses were not tried"), "{why}");
}

/// A policy host at 127.0.0.1.
async fn answering() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(play(listener, identity().0, ok(POLICY)));
    port
}

/// An address that has been silent is left alone, and not the hosts that have
/// another beside it.
#[tokio::test]
async fn the_turn_is_at_the_address_that_is_connected_to() {
    const AWAY: [u8; 4] = [127, 0, 0, 2];
    let port = answering().await;
    let names = vec![("mta-sts.example.net", vec![AWAY]), (HOST, vec![AWAY, [127, 0, 0, 1]])];
    let fetcher = fetcher(At(names, None), port, LONG);
    for _ in 0..3 {
        let refused = fetcher.fetch("mta-sts.example.net").await;
        assert!(matches!(refused.failure, Some(StsFetchFailure::Connect(_))), "{refused:?}");
    }
    let resting = fetcher.fetch("mta-sts.example.net").await;
    let Some(StsFetchFailure::Unfinished(why)) = &resting.failure else { panic!("{resting:?}") };
    assert!(why.kind.is_transient(), "{why}");
    assert_eq!(fetcher.fetch(HOST).await.body.as_deref(), Some(POLICY));
}

/// A first address that swallows every SYN leaves time for the second.
#[tokio::test]
async fn a_silent_address_does_not_take_the_time_of_the_others() {
    let port = answering().await;
    // Nobody accepts here, and there is no room to wait.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::new(127, 0, 0, 2), port).into()).unwrap();
    let silent = silent.listen(0).unwrap();
    let mut filling = Vec::new();
    while let Ok(filled) = tokio::time::timeout(
        Duration::from_millis(300),
        tokio::net::TcpStream::connect(silent.local_addr().unwrap()),
    )
    .await
    {
        filling.push(filled.unwrap());
    }
    let names = vec![(HOST, vec![[127, 0, 0, 2], [127, 0, 0, 1]])];
    let fetched = fetcher(At(names, None), port, Duration::from_secs(4)).fetch(HOST).await;
    assert_eq!(fetched.body.as_deref(), Some(POLICY), "{fetched:?}");
}

/// One that says that it is asked too often is asked no more, for a while.
#[tokio::test]
async fn an_address_that_is_asked_too_often_is_left_alone() {
    const ASKED: [(&str, usize); 2] = [("429 Too Many Requests", 3), ("503 Service Unavailable", 5)];
    for (status, fetches) in ASKED {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes();
        let (config, _) = identity();
        let host = tokio::spawn(async move {
            for _ in 0..fetches {
                let (stream, _) = listener.accept().await.unwrap();
                let mut tls = TlsAcceptor::from(config.clone()).accept(stream).await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && tls.read_buf(&mut request).await.unwrap() > 0 {}
                tls.write_all(&answer).await.unwrap();
                let _ = tls.shutdown().await;
            }
        });
        let fetcher = fetcher(At(vec![(HOST, vec![[127, 0, 0, 1]])], None), port, LONG);
        let mut ends = Vec::new();
        for _ in 0..5 {
            ends.push(matches!(fetcher.fetch(HOST).await.failure, Some(StsFetchFailure::Unfinished(_))));
        }
        assert_eq!(ends.iter().filter(|is_left_alone| !**is_left_alone).count(), fetches, "{status}");
        host.await.unwrap();
    }
}
