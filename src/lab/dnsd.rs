//! The DNS server of the fleet, UDP and TCP on one port.
//!
//! It has a thread to itself: on a machine that is busy with handshakes a
//! datagram that waits behind them overflows the socket buffer, and the
//! resolver then waits for its timeout.

use super::address::latency;
use super::counters::QueryCounter;
use super::error::LabError;
use super::zone::{Transport, Zone};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Largest query that is read, in bytes.
const QUERY_BYTES_MAX: usize = 4096;
/// Most TCP connections at a time.
const CONNECTIONS_MAX: usize = 512;
/// How long an idle TCP connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// Pause after a socket error (for one: no descriptor left to accept with).
const ERROR_PAUSE: Duration = Duration::from_millis(10);
/// Attempts to find a port that is free for both protocols.
const PORT_ATTEMPTS_MAX: u32 = 20;

/// A running DNS server.
#[derive(Debug)]
pub(super) struct Dnsd {
    address: SocketAddr,
    queries: Arc<QueryCounter>,
    thread: JoinHandle<()>,
}

impl Dnsd {
    /// Binds both sockets and starts to answer.
    pub(super) fn start(
        at: SocketAddr,
        zone: Zone,
        latency_ms: (u64, u64),
        stop: CancellationToken,
    ) -> Result<Self, LabError> {
        let (udp, tcp) = bind(at)?;
        let address = udp.local_addr().map_err(|cause| listen_error(at, cause))?;
        let queries = Arc::new(QueryCounter::default());
        let counter = queries.clone();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LabError::Thread)?;
        let run = move || {
            // Sockets must be registered inside the runtime that reads them.
            let served = runtime.block_on(async {
                let server = Arc::new(DnsServer { zone, latency_ms, queries: counter });
                let (udp, tcp) = (Arc::new(UdpSocket::from_std(udp)?), TcpListener::from_std(tcp)?);
                tokio::select! {
                    () = stop.cancelled() => Ok(()),
                    end = server.udp(&udp) => end,
                    () = server.clone().tcp(&tcp) => Ok(()),
                }
            });
            if let Err(cause) = served {
                tracing::error!(%cause, "the DNS server of the lab has ended");
            }
        };
        let thread =
            std::thread::Builder::new().name("lab-dns".into()).spawn(run).map_err(LabError::Thread)?;
        Ok(Self { address, queries, thread })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was asked.
    pub(super) fn queries(&self) -> &QueryCounter {
        &self.queries
    }

    /// Waits for the end, which the token has asked for.
    pub(super) async fn join(self) {
        let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
    }
}

fn bind(at: SocketAddr) -> Result<(std::net::UdpSocket, std::net::TcpListener), LabError> {
    let attempts = if at.port() == 0 { PORT_ATTEMPTS_MAX } else { 1 };
    for attempt in 1..=attempts {
        match bind_once(at) {
            Ok(sockets) => return Ok(sockets),
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse && attempt < attempts => {}
            Err(cause) => return Err(listen_error(at, cause)),
        }
    }
    Err(LabError::NoFreePort(attempts))
}

fn bind_once(at: SocketAddr) -> io::Result<(std::net::UdpSocket, std::net::TcpListener)> {
    let tcp = std::net::TcpListener::bind(at)?;
    let udp = std::net::UdpSocket::bind(tcp.local_addr()?)?;
    udp.set_nonblocking(true)?;
    tcp.set_nonblocking(true)?;
    Ok((udp, tcp))
}

fn listen_error(at: SocketAddr, cause: io::Error) -> LabError {
    LabError::Listen { what: format!("{at} (DNS)"), cause }
}

struct DnsServer {
    zone: Zone,
    latency_ms: (u64, u64),
    queries: Arc<QueryCounter>,
}

impl DnsServer {
    /// What is answered, and after how long.
    fn answer(&self, query: &[u8], transport: Transport) -> Option<(Vec<u8>, Duration)> {
        let (query, reply) = self.zone.answer(query, transport)?;
        let mut name = query.name().to_ascii();
        name.make_ascii_lowercase();
        let name = name.trim_end_matches('.');
        self.queries.add(name, &query.query_type().to_string());
        Some((reply?, latency(self.latency_ms, name)))
    }

    async fn udp(&self, socket: &Arc<UdpSocket>) -> io::Result<()> {
        let mut buffer = vec![0; QUERY_BYTES_MAX];
        loop {
            // An ICMP error about an earlier answer comes back as an error of
            // this call and says nothing about the socket.
            let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
                sleep(ERROR_PAUSE).await;
                continue;
            };
            let query = buffer.get(..length).unwrap_or_default();
            match self.answer(query, Transport::Udp) {
                Some((reply, Duration::ZERO)) => drop(socket.send_to(&reply, client).await),
                Some((reply, wait)) => {
                    let socket = socket.clone();
                    tokio::spawn(async move {
                        sleep(wait).await;
                        let _ = socket.send_to(&reply, client).await;
                    });
                }
                None => {}
            }
        }
    }

    async fn tcp(self: Arc<Self>, listener: &TcpListener) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                sleep(ERROR_PAUSE).await;
                continue;
            };
            let server = self.clone();
            tokio::spawn(async move {
                let _slot = slot;
                // A client that goes away mid-question is no event.
                let _ = server.connection(stream).await;
            });
        }
    }

    /// Messages with a length of two bytes before each (RFC 7766 §8).
    async fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        loop {
            let length = usize::from(timeout(IDLE_MAX, stream.read_u16()).await??);
            if length > QUERY_BYTES_MAX {
                return Ok(());
            }
            let mut query = vec![0; length];
            timeout(IDLE_MAX, stream.read_exact(&mut query)).await??;
            if let Some((reply, wait)) = self.answer(&query, Transport::Tcp) {
                sleep(wait).await;
                let prefix = u16::try_from(reply.len()).unwrap_or(u16::MAX).to_be_bytes();
                stream.write_all(&[prefix.as_slice(), reply.as_slice()].concat()).await?;
            }
        }
    }
}
