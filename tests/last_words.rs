//! Answers that come in two writes, and last words: servers whose answer waits
//! for our acknowledgement, that tear the connection down behind it, or that
//! say nothing any more to a client that has said close_notify. And words that
//! have no last.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use futures_util::FutureExt;
use mxray::engine::stage::Probe;
use mxray::model::{Endpoint, Kind, MxHost, Observation, Phase, ProbeKey};
use mxray::net::{Blocklist, Gate, Handshaker, KeyShares, NetProbe, PhaseTimeouts};
use mxray::smtp::EhloName;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, SupportedProtocolVersion};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const TLS12: &SupportedProtocolVersion = &rustls::version::TLS12;
const TLS13: &SupportedProtocolVersion = &rustls::version::TLS13;

/// What the server does inside TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It answers.
    Answers,
    /// It says 421 and tears the connection down.
    TearsDown,
    /// It drops its 221 where the client has said close_notify.
    DropsAtClose,
    /// It sends without end from the 220 to STARTTLS on.
    Floods,
}

/// A mail server with tickets, whose kernel waits to fill a segment (RFC 896).
async fn server(version: &'static SupportedProtocolVersion, manner: Manner) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["mx.example".to_string()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_protocol_versions(&[version]).with_no_client_auth();
    let key = key.serialize_der().try_into().unwrap();
    let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = serve(stream, acceptor.clone(), manner).await;
        }
    });
    address
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, manner: Manner) -> io::Result<()> {
    // What the kernel holds back is lost in a reset, whoever listens.
    stream.set_nodelay(manner == Manner::TearsDown)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mx.example ESMTP\r\n").await?;
    let mut line = String::new();
    while line != "STARTTLS\r\n" {
        let reply: &[u8] = if line.is_empty() { b"" } else { b"250-mx.example\r\n250 STARTTLS\r\n" };
        stream.write_all(reply).await?;
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(b"220 go ahead\r\n").await?;
    if manner == Manner::Floods {
        loop {
            stream.write_all(&[b'B'; 65_536]).await?;
        }
    }
    let mut tls = BufReader::new(acceptor.accept(stream.into_inner()).await?);
    if manner == Manner::TearsDown {
        tls.write_all(b"421 4.7.0 mx.example Too busy\r\n").await?;
        tls.flush().await?;
        return tls.get_ref().get_ref().0.set_zero_linger();
    }
    tls.read_line(&mut line).await?;
    tls.write_all(b"250 mx.example\r\n").await?;
    tls.flush().await?;
    tls.read_line(&mut line).await?;
    let closed = tls.read_u8().now_or_never().is_some();
    if manner == Manner::Answers || !closed {
        tls.write_all(b"221 bye\r\n").await?;
    }
    tls.shutdown().await
}

async fn probe(server: SocketAddr) -> Observation {
    let handshaker = Handshaker::new(KeyShares::Reused).unwrap();
    let gate = Gate::new(Blocklist::default(), true);
    let ehlo = EhloName::new("scanner.example").unwrap();
    let probe = NetProbe::new(gate, ehlo, PhaseTimeouts::default(), handshaker);
    let endpoint = Endpoint { ip: server.ip(), port: server.port() };
    probe.probe(ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) }, 1).await
}

/// Sessions of which the fastest counts: others may have had to wait for a
/// processor.
const SESSIONS: usize = 7;
/// Half of what systems delay an acknowledgement by (RFC 1122 §4.2.3.2: up to
/// 500 ms; Linux 40), in microseconds.
const LATE_US: u64 = 20_000;

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_behind_tickets_is_not_late() {
    let server = server(TLS13, Manner::Answers).await;
    let mut fastest = u64::MAX;
    for _ in 0..SESSIONS {
        let seen = probe(server).await;
        assert_eq!((seen.failure, seen.tls.unwrap().tickets), (None, Some(2)));
        fastest = fastest.min(seen.timings.ehlo_tls_us.unwrap());
    }
    assert!(fastest < LATE_US, "{fastest} us");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_before_a_reset_is_heard() {
    for version in [TLS13, TLS12] {
        let seen = probe(server(version, Manner::TearsDown).await).await;
        let failure = seen.failure.unwrap();
        let told = (failure.phase, failure.kind, failure.reply_code);
        assert_eq!(told, (Phase::AfterTls, Kind::Throttled, Some(421)), "{version:?}: {failure}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quit_is_answered_before_close_notify() {
    for version in [TLS13, TLS12] {
        let seen = probe(server(version, Manner::DropsAtClose).await).await;
        assert_eq!(seen.dialogue.quit.map(|reply| reply.code), Some(221), "{version:?}");
        assert!(seen.timings.quit_us.is_some());
    }
}

/// Most bytes of a session, and what is read at once.
const SESSION_BYTES_MAX: u64 = (1 << 20) + 4096;

/// Whether the flood is there before the ClientHello is sent is chance; what it
/// costs is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_costs_what_a_session_may_bring() {
    let server = server(TLS13, Manner::Floods).await;
    for _ in 0..SESSIONS {
        let seen = probe(server).await;
        let failure = seen.failure.unwrap();
        assert_eq!(failure.phase, Phase::Tls);
        assert!(matches!(failure.kind, Kind::TooManyBytes | Kind::NotTls), "{failure}");
        assert!(seen.bytes_in <= SESSION_BYTES_MAX, "{} bytes", seen.bytes_in);
    }
}
