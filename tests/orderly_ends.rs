//! How a connection ends as the server sees it: the words that are due, then
//! the end of the stream, and no reset over what was not read.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod starttls_server;

use mxray::internals::model::{
    CipherSuite, ClientHelloSpec, HelloEnd, HelloPurpose, Kind, ProtocolVersion, SignatureScheme,
};
use mxray::internals::net::{Handshaker, KeyShares};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use starttls_server::speak_in_clear;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

/// What the server heard behind the ClientHello, or behind QUIT, and how the
/// stream ended.
#[derive(Debug)]
struct Heard {
    bytes: Vec<u8>,
    end: io::Result<()>,
}

impl Heard {
    /// The alerts in clear, each with its level.
    fn alerts(&self) -> Vec<[u8; 2]> {
        let records = self.bytes.chunks(7).map(|record| match record {
            [21, 3, _, 0, 2, level, description] => [*level, *description],
            other => panic!("no alert in clear: {other:?} of {:?}", self.bytes),
        });
        records.collect()
    }
}

/// Reads to the end of the stream, saying more all the time: a client that is
/// gone with that unread answers by a reset.
async fn hear_out(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let end = match stream.read_to_end(&mut bytes).await {
        Ok(_) => say_twice(stream).await,
        Err(error) => Err(error),
    };
    Heard { bytes, end }
}

/// On loopback the answer to the first is there before the second is written.
async fn say_twice(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"late").await?;
    tokio::task::yield_now().await;
    stream.write_all(b"later").await?;
    Ok(())
}

/// A server that says `answer` to the ClientHello, and tells what it hears then.
async fn server(answer: &'static [u8]) -> (SocketAddr, UnboundedReceiver<Heard>) {
    let (tell, heard) = unbounded_channel();
    let serve = move |stream: TcpStream, _: TlsAcceptor| {
        let tell = tell.clone();
        async move {
            let Some(mut stream) = speak_in_clear(stream).await? else { return Ok(()) };
            read_record(&mut stream).await?;
            stream.write_all(answer).await?;
            let _ = tell.send(hear_out(&mut stream).await);
            Ok(())
        }
    };
    (starttls_server::start(config(), serve).await, heard)
}

async fn read_record(stream: &mut TcpStream) -> io::Result<()> {
    let mut header = [0; 5];
    stream.read_exact(&mut header).await?;
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    stream.read_exact(&mut body).await?;
    Ok(())
}

fn config() -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["mx.example".to_string()]).unwrap().self_signed(&key).unwrap();
    let key = key.serialize_der().try_into().unwrap();
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}

fn handshaker() -> Handshaker {
    Handshaker::new(KeyShares::Reused).unwrap()
}

fn question(version: ProtocolVersion) -> ClientHelloSpec {
    ClientHelloSpec {
        versions: vec![version],
        suites: vec![CipherSuite(0x002f)],
        signature_schemes: vec![SignatureScheme(0x0401)],
        ..ClientHelloSpec::of(HelloPurpose::Suites)
    }
}

const CANCELED: [[u8; 2]; 2] = [[1, 90], [1, 0]];

/// A whole session: QUIT, its answer, close_notify both ways, and the end. What
/// the server still writes then finds somebody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_closed_by_both() {
    let (tell, mut heard) = unbounded_channel();
    let serve = move |stream: TcpStream, acceptor: TlsAcceptor| {
        let tell = tell.clone();
        async move {
            let Some(stream) = speak_in_clear(stream).await? else { return Ok(()) };
            let mut tls = acceptor.accept(stream).await?;
            let mut command = [0; 1024];
            let _ehlo = tls.read(&mut command).await?;
            tls.write_all(b"250 mx.example\r\n").await?;
            let _quit = tls.read(&mut command).await?;
            tls.write_all(b"221 bye\r\n").await?;
            assert_eq!(tls.read(&mut command).await?, 0, "close_notify");
            let _ = tell.send(hear_out(tls.get_mut().0).await);
            Ok(())
        }
    };
    let address = starttls_server::start(config(), serve).await;
    let seen = starttls_server::probe(address, handshaker(), 1).await;
    assert_eq!(seen.failure, None);
    let heard = heard.recv().await.unwrap();
    assert!(heard.end.is_ok() && heard.bytes.is_empty(), "{heard:?}");
}

/// A further hello that was agreed to is called off in the words that TLS has
/// for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_further_hello_is_called_off_in_order() {
    // A ServerHello with TLS_RSA_WITH_AES_128_CBC_SHA and a ServerHelloDone, in
    // records of the version.
    for minor in 1..=3 {
        let hello: Vec<u8> =
            [&[2, 0, 0, 38, 3, minor][..], &[7; 32], &[0, 0, 0x2f, 0], &[14, 0, 0, 0]].concat();
        let certificate = [11, 0, 0, 3, 0, 0, 0];
        let flight = [&hello[..42], &certificate, &hello[42..]].concat();
        let record = [&[22, 3, minor, 0, u8::try_from(flight.len()).unwrap()][..], &flight].concat();
        let (address, mut heard) = server(record.leak()).await;
        let spec = question(ProtocolVersion(0x0300 | u16::from(minor)));
        let seen = starttls_server::hello(address, handshaker(), &spec).await;
        assert_eq!(seen.suite, Some(CipherSuite(0x002f)), "{seen:?}");
        let heard = heard.recv().await.unwrap();
        assert_eq!(heard.alerts(), CANCELED, "{minor}");
        assert!(heard.bytes.starts_with(&[21, 3, minor]), "{heard:?}");
        assert!(heard.end.is_ok(), "{heard:?}");
    }
}

/// An answer that cannot be taken is refused by an alert that says so (RFC 8446
/// §6.2), by the probe and by a further hello.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_fails_here_ends_with_an_alert() {
    // A ServerHelloDone where a ServerHello is due.
    let answer = b"\x16\x03\x03\0\x04\x0e\0\0\0";
    let (address, mut heard) = server(answer).await;
    let seen = starttls_server::probe(address, handshaker(), 1).await;
    assert_eq!(seen.failure.unwrap().kind, Kind::Malformed);
    let ended = heard.recv().await.unwrap();
    assert!(matches!(ended.alerts()[..], [[2, 10]]) && ended.end.is_ok(), "{ended:?}");

    let seen = starttls_server::hello(address, handshaker(), &question(ProtocolVersion::TLS12)).await;
    assert_eq!(seen.end, HelloEnd::Malformed);
    let ended = heard.recv().await.unwrap();
    assert!(matches!(ended.alerts()[..], [[2, 40]]) && ended.end.is_ok(), "{ended:?}");
}

/// The server's own alert needs no answer, and is read to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_fails_there_is_closed_in_silence() {
    let (address, mut heard) = server(b"\x15\x03\x03\0\x02\x02\x28").await;
    let seen = starttls_server::probe(address, handshaker(), 1).await;
    assert_eq!(seen.failure.unwrap().kind, Kind::Alert);
    let ended = heard.recv().await.unwrap();
    assert!(ended.bytes.is_empty() && ended.end.is_ok(), "{ended:?}");
    let seen = starttls_server::hello(address, handshaker(), &question(ProtocolVersion::TLS12)).await;
    assert_eq!(seen.end, HelloEnd::Alert);
    let ended = heard.recv().await.unwrap();
    assert!(ended.bytes.is_empty() && ended.end.is_ok(), "{ended:?}");
}

/// A server that goes on in SMTP hears QUIT, on a line of its own whatever it
/// made of the ClientHello. One that says 421 goes by itself (RFC 5321 §3.8).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_on_in_smtp_hears_quit() {
    for (answer, said) in [(&b"500 what?\r\n"[..], &b"\r\nQUIT\r\n"[..]), (b"421 busy\r\n", b"")] {
        let (address, mut heard) = server(answer).await;
        for further in [false, true] {
            if further {
                let spec = question(ProtocolVersion::TLS12);
                let _seen = starttls_server::hello(address, handshaker(), &spec).await;
            } else {
                let _seen = starttls_server::probe(address, handshaker(), 1).await;
            }
            let ended = heard.recv().await.unwrap();
            assert_eq!(ended.bytes.escape_ascii().to_string(), said.escape_ascii().to_string(), "{further}");
            assert!(ended.end.is_ok(), "{ended:?}");
        }
    }
}

/// Where nothing comes to a ClientHello it is called off, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_handshake_is_called_off() {
    let (address, mut heard) = server(b"").await;
    let seen = starttls_server::probe_in(address, handshaker(), SHORT).await;
    assert_eq!(seen.failure.unwrap().kind, Kind::Timeout);
    let ended = heard.recv().await.unwrap();
    assert_eq!(ended.alerts(), CANCELED);
    assert!(ended.end.is_ok(), "{ended:?}");
}

/// Time for a handshake with a server that is silent.
const SHORT: std::time::Duration = std::time::Duration::from_millis(300);
