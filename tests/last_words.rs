//! Answers that come in two writes, and last words: servers whose answer waits
//! for our acknowledgement, that tear the connection down behind it, or that
//! say nothing any more to a client that has said close_notify. And words that
//! have no last.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod starttls_server;

use futures_util::FutureExt;
use mxray::internals::model::{Kind, Observation, Phase};
use mxray::internals::net::{Handshaker, KeyShares};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ProtocolVersion, ServerConfig, SupportedProtocolVersion};
use socket2::SockRef;
use starttls_server::speak_in_clear;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

const TLS12: &SupportedProtocolVersion = &rustls::version::TLS12;
const TLS13: &SupportedProtocolVersion = &rustls::version::TLS13;

/// What the server does inside TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Answers,
    /// It says 421 and tears the connection down.
    TearsDown,
    /// It says 421 and hangs up, and reads no more than it must: what it says
    /// waits until its segment is full, and is lost where it has our EHLO.
    HangsUp,
    /// It drops its 221 where the client has said close_notify.
    DropsAtClose,
    /// It sends this without end from the 220 to STARTTLS on.
    Floods(&'static [u8]),
    /// The same, behind the ClientHello.
    FloodsLater(&'static [u8]),
}

/// A mail server with tickets, whose kernel waits to fill a segment (RFC 896).
async fn server(version: &'static SupportedProtocolVersion, manner: Manner) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["mx.example".to_string()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_protocol_versions(&[version]).with_no_client_auth();
    let key = key.serialize_der().try_into().unwrap();
    let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    starttls_server::start(config, move |stream, acceptor| serve(stream, acceptor, manner)).await
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, manner: Manner) -> io::Result<()> {
    // What the kernel holds back is lost in a reset, whoever listens.
    stream.set_nodelay(manner == Manner::TearsDown)?;
    let Some(mut stream) = speak_in_clear(stream).await? else { return Ok(()) };
    if let Manner::Floods(with) | Manner::FloodsLater(with) = manner {
        if matches!(manner, Manner::FloodsLater(_)) {
            stream.read_u8().await?;
        }
        let much = with.repeat(65_536 / with.len());
        loop {
            stream.write_all(&much).await?;
        }
    }
    if manner == Manner::HangsUp {
        return hang_up(stream, acceptor).await;
    }
    let mut tls = BufReader::new(acceptor.accept(stream).await?);
    if manner == Manner::TearsDown {
        tls.write_all(BUSY).await?;
        tls.flush().await?;
        return tls.get_ref().get_ref().0.set_zero_linger();
    }
    let mut line = String::new();
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

const BUSY: &[u8] = b"421 4.7.0 mx.example Too busy\r\n";

async fn hang_up(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    SockRef::from(&stream).set_tcp_cork(true)?;
    let mut tls = acceptor.accept(Sparing { stream, header: Vec::new(), left: 0 }).await?;
    tls.write_all(BUSY).await?;
    tls.flush().await
}

/// Reads byte by byte, and nothing behind the first record of application data:
/// in TLS 1.3 that is the end of the handshake.
struct Sparing {
    stream: TcpStream,
    /// The header of the record that is coming in.
    header: Vec<u8>,
    /// How much of its body is still to come.
    left: usize,
}

impl Sparing {
    const HEADER_BYTES: usize = 5;
    const APPLICATION_DATA: u8 = 23;

    fn has_enough(&self) -> bool {
        self.header.len() == Self::HEADER_BYTES && self.left == 0 && self.header[0] == Self::APPLICATION_DATA
    }

    fn note(&mut self, byte: u8) {
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        if self.header.len() == Self::HEADER_BYTES {
            self.header.clear();
        }
        self.header.push(byte);
        if let [_, _, _, high, low] = self.header[..] {
            self.left = usize::from(u16::from_be_bytes([high, low]));
        }
    }
}

impl AsyncRead for Sparing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_enough() {
            return Poll::Pending;
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut one))?;
        one.filled().iter().for_each(|byte| self.note(*byte));
        into.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sparing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn probe(server: SocketAddr) -> Observation {
    probe_again(server, 1).await
}

async fn probe_again(server: SocketAddr, attempt: u32) -> Observation {
    starttls_server::probe(server, Handshaker::new(KeyShares::Reused).unwrap(), attempt).await
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

/// The first time its words are lost with our EHLO, as no client can know
/// that it speaks first; asked again, it is given the time.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_with_our_ehlo_is_heard_the_second_time() {
    for version in [TLS13, TLS12] {
        let server = server(version, Manner::HangsUp).await;
        let first = probe(server).await.failure.unwrap();
        // In TLS 1.2 the server has the last word of the handshake, too.
        let kind = if version.version == ProtocolVersion::TLSv1_3 { Kind::Closed } else { Kind::Throttled };
        assert_eq!((first.phase, first.kind), (Phase::AfterTls, kind), "{version:?}: {first}");
        let seen = probe_again(server, 2).await;
        let failure = seen.failure.unwrap();
        let told = (failure.phase, failure.kind, failure.reply_code);
        assert_eq!(told, (Phase::AfterTls, Kind::Throttled, Some(421)), "{version:?}: {failure}");
    }
}

/// Who says nothing before EHLO is asked as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_asked_before_is_no_other() {
    for version in [TLS13, TLS12] {
        let seen = probe_again(server(version, Manner::Answers).await, 2).await;
        assert_eq!((seen.failure, seen.attempts), (None, 2), "{version:?}");
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

/// Where the flood is cut, and so what stands at the front of it, is chance;
/// what it is called and what it costs is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_one_wherever_it_is_cut() {
    // Garbage, replies, empty records, warnings, ChangeCipherSpecs.
    let with: [&[u8]; 5] = [
        b"B",
        b"500 What?\r\n",
        b"\x16\x03\x03\0\0",
        b"\x15\x03\x03\0\x02\x01\x5a",
        b"\x14\x03\x03\0\x01\x01",
    ];
    for (with, later) in with.into_iter().flat_map(|with| [(with, false), (with, true)]) {
        let manner = if later { Manner::FloodsLater(with) } else { Manner::Floods(with) };
        let server = server(TLS13, manner).await;
        for _ in 0..SESSIONS {
            let seen = probe(server).await;
            let failure = seen.failure.unwrap();
            let told = (failure.phase, failure.kind);
            assert_eq!(told, (Phase::Tls, Kind::TooManyBytes), "{}: {failure}", with.escape_ascii());
            assert!(seen.bytes_in <= SESSION_BYTES_MAX, "{} bytes", seen.bytes_in);
        }
    }
}
