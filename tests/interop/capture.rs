//! A server that mail systems deliver to: it offers STARTTLS, keeps the
//! ClientHello that comes then, and refuses it, so that it is also seen what
//! becomes of the message.

use super::smtp::{self, Comes};
use mxray::internals::tls::ClientHello;
use mxray::internals::tls::handshake::{HandshakeReader, HandshakeType};
use mxray::internals::tls::record::{ContentType, RecordReader};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long a mail system may take until it says the next thing. OpenSMTPD
/// waits for seconds before it connects, and all start slowly beside others.
const SAID_WITHIN: Duration = Duration::from_secs(60);

/// The alert handshake_failure, fatal, in its record.
const REFUSAL: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// What a mail system said.
#[derive(Debug)]
pub enum Said {
    /// Its offer, after STARTTLS.
    Hello(Box<ClientHello>),
    /// MAIL without TLS.
    MailInClear,
}

/// Listens until the test ends.
pub struct Capture {
    pub port: u16,
    said: Receiver<Said>,
}

impl Capture {
    pub fn start() -> Self {
        let (tell, said) = channel();
        // One that leaves early says nothing.
        let address = smtp::listen(move |client| drop(serve(client, &tell)));
        Self { port: address.port(), said }
    }

    /// What is said next; `None` where nothing is in time.
    pub fn next(&self) -> Option<Said> {
        self.said.recv_timeout(SAID_WITHIN).ok()
    }
}

fn serve(mut client: TcpStream, tell: &Sender<Said>) -> io::Result<()> {
    client.set_read_timeout(Some(SAID_WITHIN))?;
    match smtp::speak(&mut client)? {
        Comes::ToTls(mut lines) => {
            let hello = read_hello(&mut lines)?;
            let _ = tell.send(Said::Hello(Box::new(hello)));
            client.write_all(&REFUSAL)?;
        }
        Comes::ToMail => drop(tell.send(Said::MailInClear)),
        Comes::Nowhere => {}
    }
    Ok(())
}

fn read_hello(stream: &mut impl Read) -> io::Result<ClientHello> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let (mut records, mut messages) = (RecordReader::default(), HandshakeReader::default());
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte)?;
        let record = records.next_record(&mut &byte[..]).map_err(|_| malformed())?;
        let Some(record) = record else { continue };
        assert_eq!(record.content_type, ContentType::HANDSHAKE, "no ClientHello");
        messages.receive(record.fragment);
        if let Some(message) = messages.next_message().map_err(|_| malformed())? {
            assert_eq!(message.handshake_type, HandshakeType::CLIENT_HELLO, "no ClientHello");
            return ClientHello::decode(message.body).map_err(|_| malformed());
        }
    }
}
