//! A resolver on loopback that says what a script has it say, written here byte
//! by byte (RFC 1035 §4).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};

/// Ports tried until one is free for UDP and TCP alike.
const BINDS_MAX: usize = 32;

/// Type numbers (RFC 1035 §3.2.2).
pub const NS: u16 = 2;
pub const MX: u16 = 15;

/// QR, RD and RA: the header of an ordinary reply of a recursive resolver.
pub const REPLY: u16 = 0x8180;

/// A question as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub bytes: Vec<u8>,
    /// Where the name ends, behind its last octet.
    name_ends: usize,
    /// In lower case, without the final dot.
    pub name: String,
    pub record_type: u16,
}

impl Asked {
    fn read(bytes: &[u8]) -> Self {
        let mut labels = Vec::new();
        let mut at = 12;
        while bytes[at] > 0 {
            let end = at + 1 + usize::from(bytes[at]);
            labels.push(String::from_utf8(bytes[at + 1..end].to_vec()).unwrap().to_lowercase());
            at = end;
        }
        let name_ends = at + 1;
        let record_type = u16::from_be_bytes([bytes[name_ends], bytes[name_ends + 1]]);
        Self { bytes: bytes.to_vec(), name_ends, name: labels.join("."), record_type }
    }

    /// What stands behind the question: an OPT record, or nothing.
    pub fn options(&self) -> &[u8] {
        &self.bytes[self.name_ends + 4..]
    }

    pub fn flags(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// A reply with these flags, and so many records in each section.
    pub fn reply(&self, flags: u16, counts: [u16; 3], records: &[u8]) -> Vec<u8> {
        let mut reply = self.bytes[..2].to_vec();
        for field in [flags, 1].into_iter().chain(counts) {
            reply.extend(field.to_be_bytes());
        }
        reply.extend(&self.bytes[12..self.name_ends + 4]);
        reply.extend(records);
        reply
    }

    /// No records, this code.
    pub fn code(&self, code: u16) -> Vec<u8> {
        self.reply(REPLY | code, [0; 3], b"")
    }

    /// `0 .` for this name (RFC 7505 §3), for so many seconds.
    pub fn null_mx(&self, ttl: u32) -> Vec<u8> {
        self.reply(REPLY, [1, 0, 0], &null_mx_record(b"\xc0\x0c", ttl))
    }

    /// No records, and a SOA of the root whose denials may be kept so many
    /// seconds.
    pub fn no_data(&self, ttl: u32) -> Vec<u8> {
        let mut soa = b"\0\0\x06\0\x01".to_vec();
        soa.extend(ttl.to_be_bytes());
        soa.extend(b"\0\x16\0\0");
        [1, 60, 60, 60, ttl].iter().for_each(|field: &u32| soa.extend(field.to_be_bytes()));
        self.reply(REPLY, [0, 1, 0], &soa)
    }
}

/// The MX record `0 .` of an owner in the form of the wire.
pub fn null_mx_record(owner: &[u8], ttl: u32) -> Vec<u8> {
    [owner, b"\0\x0f\0\x01", &ttl.to_be_bytes(), b"\0\x03\0\0\0"].concat()
}

/// The resolver; it goes on until the runtime ends.
pub struct Scripted {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Sends all that `script` says to a question, in that order, over UDP. Over
    /// TCP it refuses.
    pub async fn start(script: impl Fn(&Asked) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        Self::late(Duration::ZERO, script).await
    }

    /// The same, each time after a delay.
    pub async fn late(delay: Duration, script: impl Fn(&Asked) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self::on(socket, delay, script)
    }

    /// The same on a port where something else is done over TCP.
    pub fn on(
        socket: UdpSocket,
        delay: Duration,
        script: impl Fn(&Asked) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let address = socket.local_addr().unwrap();
        let log: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let written = log.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            loop {
                // An error is about an earlier reply, to a socket that is gone.
                let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
                let asked = Asked::read(&buffer[..length]);
                written.lock().unwrap().push(asked.clone());
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                for reply in script(&asked) {
                    let _ = socket.send_to(&reply, client).await;
                }
            }
        });
        Self { address, log }
    }

    /// All that was asked, in order.
    pub fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// How often a name was asked for.
    pub fn count(&self, name: &str) -> usize {
        self.log().iter().filter(|asked| asked.name == name).count()
    }
}

/// A port that is free for both.
pub async fn bind() -> (UdpSocket, TcpListener) {
    for _ in 0..BINDS_MAX {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

/// A port of UDP and TCP at which nobody listens: no test binds that address.
pub fn closed_port() -> SocketAddr {
    SocketAddr::from(([127, 98, 76, 54], 1))
}
