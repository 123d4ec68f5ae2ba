//! The SMTP up to TLS that a server speaks to mail systems, and to mxray.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Where a client comes to.
pub enum Comes {
    /// STARTTLS, to which it was told to go ahead: what it says from there on.
    ToTls(BufReader<TcpStream>),
    /// MAIL in clear, to which it was told to go.
    ToMail,
    Nowhere,
}

/// Listens until the test ends, and serves one client after the other.
pub fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    address
}

/// Speaks as a server that offers STARTTLS.
pub fn speak(client: &mut TcpStream) -> io::Result<Comes> {
    client.write_all(b"220 front.example ESMTP\r\n")?;
    let mut lines = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(Comes::Nowhere);
        }
        match line.split_ascii_whitespace().next().unwrap_or_default() {
            "EHLO" => client.write_all(b"250-front.example\r\n250 STARTTLS\r\n")?,
            "STARTTLS" => {
                client.write_all(b"220 go ahead\r\n")?;
                return Ok(Comes::ToTls(lines));
            }
            "MAIL" => {
                client.write_all(b"421 that was all\r\n")?;
                return Ok(Comes::ToMail);
            }
            "QUIT" => {
                client.write_all(b"221 bye\r\n")?;
                return Ok(Comes::Nowhere);
            }
            _ => client.write_all(b"250 ok\r\n")?,
        }
    }
}
