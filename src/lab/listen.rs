//! The listening sockets of the SMTP servers: one an address, one port for
//! all.

use super::counters::AddressCounter;
use super::error::LabError;
use super::log::ConnectionLog;
use super::smtpd::{Script, serve};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Attempts to find a port that is free on all addresses.
const PORT_ATTEMPTS_MAX: u32 = 20;
/// Pause after an accept that failed, for want of descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Whether this machine has `::1`.
pub(super) fn has_ipv6(address: IpAddr) -> bool {
    std::net::TcpListener::bind((address, 0)).is_ok()
}

/// Binds one port on all addresses, each with its backlog: any port that is
/// free where `port` is 0. Gives the port and the sockets in the order of the
/// addresses.
pub(super) fn bind_all(addresses: &[(IpAddr, u32)], port: u16) -> Result<(u16, Vec<TcpListener>), LabError> {
    if let Some(outside) = addresses.iter().find(|(ip, _)| !ip.is_loopback()) {
        return Err(LabError::NotLoopback(outside.0));
    }
    let attempts = if port == 0 { PORT_ATTEMPTS_MAX } else { 1 };
    for attempt in 1..=attempts {
        let port = if port == 0 { free_port()? } else { port };
        let sockets: Result<Vec<_>, LabError> =
            addresses.iter().map(|(ip, backlog)| bind(*ip, port, *backlog)).collect();
        match sockets {
            Ok(sockets) => return Ok((port, sockets)),
            Err(LabError::Listen { cause, .. })
                if cause.kind() == io::ErrorKind::AddrInUse && attempt < attempts => {}
            Err(error) => return Err(error),
        }
    }
    Err(LabError::NoFreePort(attempts))
}

fn free_port() -> Result<u16, LabError> {
    let anchor = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let port = std::net::TcpListener::bind(anchor).and_then(|socket| socket.local_addr());
    let port = port.map_err(|cause| LabError::Listen { what: anchor.to_string(), cause })?;
    Ok(port.port())
}

fn bind(ip: IpAddr, port: u16, backlog: u32) -> Result<TcpListener, LabError> {
    let address = SocketAddr::new(ip, port);
    let open = || {
        let socket = if ip.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // So that a fleet can be started again on the port of the last one.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(backlog)
    };
    open().map_err(|cause| LabError::Listen { what: format!("{address} (SMTP)"), cause })
}

/// One listening server.
pub(super) struct Listener {
    pub socket: TcpListener,
    /// What is played; `None`: connections are left in the backlog.
    pub script: Option<Script>,
    /// A connection that waits for ever, so that no other may.
    pub _stopper: Option<TcpStream>,
    pub counter: Arc<AddressCounter>,
    pub log: Arc<ConnectionLog>,
}

/// Takes the only place in the backlog of a server that has one: from then on
/// the kernel answers no connection there. Elsewhere nothing is done.
pub(super) async fn stopper(at: SocketAddr, backlog: u32) -> Result<Option<TcpStream>, LabError> {
    if backlog > 0 {
        return Ok(None);
    }
    let connected = TcpStream::connect(at).await;
    connected.map(Some).map_err(|cause| LabError::Listen { what: format!("{at} (to be full)"), cause })
}

impl Listener {
    /// Serves until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        let Some(script) = self.script else { return stop.cancelled().await };
        let (script, counter) = (Arc::new(script), self.counter);
        serve_each(&self.socket, &stop, |stream| {
            let entry = self.log.enter(&stream);
            let (script, counter) = (script.clone(), counter.clone());
            async move { serve(stream, &script, &counter, entry).await }
        })
        .await;
    }
}

/// Gives each connection a task of its own, until told to stop; they end then,
/// too.
pub(super) async fn serve_each<F>(
    socket: &TcpListener,
    stop: &CancellationToken,
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ERROR_PAUSE).await;
            continue;
        };
        let (serving, stop) = (serve(stream), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(serving).await;
        });
    }
}
