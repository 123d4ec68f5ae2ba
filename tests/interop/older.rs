//! What mail systems make of a server that has nothing newer than TLS 1.0: it
//! signs its key exchange under SHA-1, or it has no signature at all.

use super::mail_system::Root;
use super::openssl;
use super::smtp::{self, Comes};
use super::stack::{Identities, is_there};
use mxray::internals::sender::Sender;
use mxray::internals::tls::record::{ContentType, RecordReader};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender as Teller, channel};
use std::thread;
use std::time::Duration;

/// How long a mail system may take until it says the next thing.
const SAID_WITHIN: Duration = Duration::from_secs(60);

/// A suite that the server signs for, and one in which nothing is signed.
const SUITES: [(&str, bool); 2] = [("ECDHE-RSA-AES128-SHA", true), ("AES128-SHA", false)];

/// How a mail system goes on with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Encrypted,
    InClear,
}

/// Lets a system deliver to such a server: it goes through TLS, unless its file
/// says that it refuses the signature.
pub fn hold<R>(name: &str, system: &str, start: impl Fn(&Root, u16) -> R) {
    let Some(root) = Root::of(system) else { return };
    if !is_there("openssl", "version") {
        return;
    }
    let sender = Sender::named(name).unwrap();
    for (suite, signs) in SUITES {
        let identities = Identities::make();
        let list = format!("{suite}:@SECLEVEL=0");
        let stack = openssl::server(&identities, &["-tls1", "-cipher", &list]);
        let (port, said) = listen(stack.address);
        let running = start(&root, port);
        let goes = said.recv_timeout(SAID_WITHIN).unwrap_or_else(|_| panic!("{name} says nothing: {suite}"));
        drop(running);
        let refuses = signs && sender.refuses_sha1_signatures.value;
        let expected = if refuses { Goes::InClear } else { Goes::Encrypted };
        assert_eq!(goes, expected, "{name}: {suite}, by the packages\n{}", root.packages());
    }
}

/// Listens until the test ends, in front of a server that speaks TLS at once.
fn listen(behind: SocketAddr) -> (u16, Receiver<Goes>) {
    let (tell, said) = channel();
    // One that leaves early says nothing.
    let address = smtp::listen(move |client| drop(serve(client, behind, &tell)));
    (address.port(), said)
}

fn serve(mut client: TcpStream, behind: SocketAddr, tell: &Teller<Goes>) -> io::Result<()> {
    client.set_read_timeout(Some(SAID_WITHIN))?;
    match smtp::speak(&mut client)? {
        Comes::ToTls(lines) => relay(lines, client, TcpStream::connect(behind)?, tell)?,
        Comes::ToMail => drop(tell.send(Goes::InClear)),
        Comes::Nowhere => {}
    }
    Ok(())
}

/// Carries the handshake, until the client says something inside TLS.
fn relay(
    mut from: impl Read,
    mut to: TcpStream,
    mut server: TcpStream,
    tell: &Teller<Goes>,
) -> io::Result<()> {
    let mut down = server.try_clone()?;
    thread::spawn(move || io::copy(&mut down, &mut to));
    let (mut records, mut bytes) = (RecordReader::default(), [0; 4096]);
    loop {
        let read = from.read(&mut bytes)?;
        let mut input = &bytes[..read];
        while !input.is_empty() {
            let record = records.next_record(&mut input).map_err(|_| io::ErrorKind::InvalidData)?;
            if record.is_some_and(|record| record.content_type == ContentType::APPLICATION_DATA) {
                let _ = tell.send(Goes::Encrypted);
                return server.shutdown(std::net::Shutdown::Both);
            }
        }
        if read == 0 {
            return server.shutdown(std::net::Shutdown::Both);
        }
        server.write_all(&bytes[..read])?;
    }
}
