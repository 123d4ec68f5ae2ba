//! A mail server on loopback whose TLS is rustls and whose manners are the
//! test's, and a probe of it.

use mxray::internals::model::{
    Blocklist, ClientHelloSpec, Endpoint, HelloObservation, MxHost, Observation, ProbeKey,
};
use mxray::internals::net::{Gate, Handshaker, NetProbe, PhaseTimeouts};
use mxray::internals::smtp::EhloName;
use mxray::internals::stage::Probe;
use rustls::ServerConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Serves one connection after the other, each by `serve`. That one of them
/// breaks off is what some of the tests are about.
pub async fn start<S, F>(config: ServerConfig, serve: S) -> SocketAddr
where
    S: Fn(TcpStream, TlsAcceptor) -> F + Send + 'static,
    F: Future<Output = io::Result<()>> + Send,
{
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = serve(stream, acceptor.clone()).await;
        }
    });
    address
}

/// Speaks as far as the 220 to STARTTLS; `None` if the client went before.
pub async fn speak_in_clear(stream: TcpStream) -> io::Result<Option<TcpStream>> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mx.example ESMTP\r\n").await?;
    let mut line = String::new();
    while line != "STARTTLS\r\n" {
        let reply: &[u8] = if line.is_empty() { b"" } else { b"250-mx.example\r\n250 STARTTLS\r\n" };
        stream.write_all(reply).await?;
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
    }
    stream.write_all(b"220 go ahead\r\n").await?;
    Ok(Some(stream.into_inner()))
}

fn probe_with(handshaker: Handshaker) -> NetProbe {
    probe_within(handshaker, PhaseTimeouts::default())
}

fn probe_within(handshaker: Handshaker, timeouts: PhaseTimeouts) -> NetProbe {
    let gate = Gate::new(Blocklist::default(), true);
    let ehlo = EhloName::new("scanner.example").unwrap();
    NetProbe::new(gate, ehlo, timeouts, handshaker)
}

fn key(server: SocketAddr) -> ProbeKey {
    let endpoint = Endpoint { ip: server.ip(), port: server.port() };
    ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) }
}

/// Probes it as `mx.example`, for the time that `attempt` says.
pub async fn probe(server: SocketAddr, handshaker: Handshaker, attempt: u32) -> Observation {
    probe_with(handshaker).probe(key(server), attempt).await
}

/// Probes it with so much time for the handshake.
#[allow(dead_code, reason = "not every test that includes this does")]
pub async fn probe_in(server: SocketAddr, handshaker: Handshaker, tls: Duration) -> Observation {
    let timeouts = PhaseTimeouts { tls, ..PhaseTimeouts::default() };
    probe_within(handshaker, timeouts).probe(key(server), 1).await
}

/// Sends it a further hello.
#[allow(dead_code, reason = "not every test that includes this does")]
pub async fn hello(
    server: SocketAddr,
    handshaker: Handshaker,
    question: &ClientHelloSpec,
) -> HelloObservation {
    probe_with(handshaker).hello(key(server), question).await
}
