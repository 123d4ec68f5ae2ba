//! A stretch of network in front of a server whose delay can be set, and that
//! loses connections if it is told to.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards until the test ends.
pub struct Delayed {
    pub address: SocketAddr,
    set: Arc<Set>,
}

#[derive(Default)]
struct Set {
    delay_ms: AtomicU64,
    /// Every so many connections one is closed at once; 0: none.
    loses_every: AtomicU64,
}

impl Delayed {
    /// In front of a server at `behind`.
    pub fn start(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let set = Arc::new(Set::default());
        let shared = set.clone();
        thread::spawn(move || {
            for (number, client) in (1..).zip(listener.incoming().flatten()) {
                let every = shared.loses_every.load(Ordering::SeqCst);
                if every > 0 && number % every == 0 {
                    continue;
                }
                let delay = Duration::from_millis(shared.delay_ms.load(Ordering::SeqCst));
                thread::spawn(move || forward(client, behind, delay));
            }
        });
        Self { address, set }
    }

    /// What each connection from now on waits for its banner.
    pub fn delay(&self, millis: u64) {
        self.set.delay_ms.store(millis, Ordering::SeqCst);
    }

    /// Closes one of so many connections at once.
    pub fn lose_every(&self, connections: u64) {
        self.set.loses_every.store(connections, Ordering::SeqCst);
    }
}

fn forward(client: TcpStream, behind: SocketAddr, delay: Duration) -> io::Result<()> {
    thread::sleep(delay);
    let server = TcpStream::connect(behind)?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (up_from, up_to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || carry(up_from, up_to));
    carry(server, client)
}

fn carry(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let carried = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    carried.map(drop)
}
