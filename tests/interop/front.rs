//! The SMTP that the stacks' servers do not speak, up to the 220 to STARTTLS,
//! and from there bytes to and fro.

use super::smtp::{self, Comes};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

/// Listens until the test ends.
pub struct Front {
    pub address: SocketAddr,
}

impl Front {
    /// In front of a server at `behind`.
    pub fn start(behind: SocketAddr) -> Self {
        let serve = move |client| drop(thread::spawn(move || serve(client, behind)));
        Self { address: smtp::listen(serve) }
    }
}

fn serve(mut client: TcpStream, behind: SocketAddr) -> io::Result<()> {
    let Comes::ToTls(lines) = smtp::speak(&mut client)? else { return Ok(()) };
    let server = TcpStream::connect(behind)?;
    let (mut up_to, mut up_from) = (server.try_clone()?, lines);
    thread::spawn(move || {
        let sent = io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
        sent
    });
    let (mut down_from, mut down_to) = (server, client);
    io::copy(&mut down_from, &mut down_to)?;
    down_to.shutdown(Shutdown::Both)
}
