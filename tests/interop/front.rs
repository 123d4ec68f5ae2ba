//! The SMTP that the stacks' servers do not speak: up to the 220 to STARTTLS,
//! and from there bytes to and fro.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Listens until the test ends.
pub struct Front {
    pub address: SocketAddr,
}

impl Front {
    /// In front of a server at `behind`.
    pub fn start(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                thread::spawn(move || serve(client, behind));
            }
        });
        Self { address }
    }
}

fn serve(mut client: TcpStream, behind: SocketAddr) -> io::Result<()> {
    client.write_all(b"220 front.example ESMTP\r\n")?;
    let mut lines = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.trim_end() {
            "STARTTLS" => break,
            "QUIT" => return client.write_all(b"221 bye\r\n"),
            _ => client.write_all(b"250-front.example\r\n250 STARTTLS\r\n")?,
        }
    }
    client.write_all(b"220 go ahead\r\n")?;
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
