//! Questions over UDP to one resolver.
//!
//! Each question has a connected socket to itself while it is under way, so
//! that only the resolver's datagrams reach it, and that a port at which nobody
//! listens is told at once (ICMP). Which of at least [`SOCKETS_MIN`] it gets is
//! random, as is its number (RFC 5452 §9.2): whoever would forge a reply has to
//! guess both.

use super::trouble::{Strays, Trouble};
use crate::dns::{Question, Reading, Stray, read};
use socket2::SockRef;
use std::cell::RefCell;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Sockets to one resolver of which each question gets one at random, at least,
/// unless fewer questions than that may be under way.
const SOCKETS_MIN: usize = 64;

/// Most sockets to one resolver that are kept open between questions.
const SOCKETS_IDLE_MAX: usize = 256;

/// Questions after which a socket, and with it the port, is replaced.
const QUESTIONS_PER_SOCKET_MAX: u32 = 1000;

/// Datagrams that are dropped while one question is under way; after more the
/// socket is given up.
const STRAYS_MAX: u32 = 1000;

/// Longest datagram there is, in octets. Some resolvers send more than was
/// offered to them.
const DATAGRAM_OCTETS_MAX: usize = 65_535;

/// A datagram, or what an ICMP message says of the last one that was sent: by
/// itself that makes nothing readable.
const RECEIVES: Interest = Interest::READABLE.add(Interest::ERROR);

thread_local! {
    /// What came is read where it lies, and nothing of it is kept.
    static DATAGRAM: RefCell<Box<[u8]>> = RefCell::new(vec![0; DATAGRAM_OCTETS_MAX].into());
}

/// The sockets to one resolver.
pub(super) struct UdpSockets {
    nameserver: SocketAddr,
    sockets_min: usize,
    sockets_idle_max: usize,
    idle: Mutex<Vec<Connected>>,
    open: Arc<AtomicUsize>,
}

/// A socket, counted while it is open.
struct Connected {
    socket: UdpSocket,
    questions: u32,
    open: Arc<AtomicUsize>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl UdpSockets {
    /// None is open yet. `questions_max` is how many questions there may be under
    /// way.
    pub(super) fn new(nameserver: SocketAddr, questions_max: usize) -> Self {
        Self {
            nameserver,
            sockets_min: SOCKETS_MIN.min(questions_max),
            sockets_idle_max: SOCKETS_IDLE_MAX.min(questions_max),
            idle: Mutex::default(),
            open: Arc::default(),
        }
    }

    /// Asks once and waits for the reply, however long that takes. What comes
    /// meanwhile and is none is counted in `strays`. A socket on which the wait
    /// is given up, or on which something else came, is not used again.
    pub(super) async fn ask(
        &self,
        question: &Question,
        edns: bool,
        strays: &Strays,
    ) -> Result<Reading, Trouble> {
        let [a, b, c, d] = random().map_err(Trouble::from)?;
        let id = u16::from_be_bytes([a, b]);
        let request = question.encode(id, edns).map_err(Trouble::unsendable)?;
        let mut connected = self.take(u16::from_be_bytes([c, d])).map_err(Trouble::from)?;
        connected.questions += 1;
        connected.socket.send(&request).await.map_err(Trouble::from)?;
        let mut dropped = 0;
        loop {
            // A flood keeps the socket readable: time passes all the same.
            tokio::task::consume_budget().await;
            let ready = connected.socket.ready(RECEIVES).await.map_err(Trouble::from)?;
            // The library goes by one of them at a time.
            let receives = if ready.is_error() { Interest::ERROR } else { Interest::READABLE };
            match receive(&connected.socket, receives, id, question) {
                Ok(Ok(reading)) => {
                    if dropped == 0 {
                        self.give_back(connected);
                    }
                    return Ok(reading);
                }
                Ok(Err(stray)) => {
                    strays.add(stray);
                    dropped += 1;
                    if dropped >= STRAYS_MAX {
                        return Err(Trouble::silence(strays.told()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A socket for one question: a new one while there are few, else any of
    /// those that nobody uses.
    fn take(&self, random: u16) -> io::Result<Connected> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let any = |idle: &mut Vec<Connected>| {
            let place = usize::from(random).checked_rem(idle.len())?;
            Some(idle.swap_remove(place))
        };
        if self.open.load(Ordering::Relaxed) < self.sockets_min {
            // Where no more can be had, the few have to do.
            return self.connect().or_else(|error| any(&mut idle).ok_or(error));
        }
        match any(&mut idle) {
            Some(connected) => Ok(connected),
            None => self.connect(),
        }
    }

    fn connect(&self) -> io::Result<Connected> {
        let any: IpAddr = match self.nameserver {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // The system picks the port, at random (RFC 6056).
        let socket = std::net::UdpSocket::bind((any, 0))?;
        socket.connect(self.nameserver)?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Connected { socket, questions: 0, open: self.open.clone() })
    }

    fn give_back(&self, connected: Connected) {
        if connected.questions >= QUESTIONS_PER_SOCKET_MAX {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.sockets_idle_max {
            idle.push(connected);
        }
    }
}

/// One datagram, read as the reply to the question.
fn receive(
    socket: &UdpSocket,
    receives: Interest,
    id: u16,
    question: &Question,
) -> io::Result<Result<Reading, Stray>> {
    DATAGRAM.with_borrow_mut(|buffer| {
        let length = socket.try_io(receives, || (&*SockRef::from(socket)).read(buffer))?;
        Ok(read(buffer.get(..length).unwrap_or_default(), id, question))
    })
}

/// Numbers that nobody can guess.
pub(super) fn random() -> io::Result<[u8; 4]> {
    let mut random = [0; 4];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordType};
    use std::collections::{HashMap, HashSet};

    fn question() -> Question {
        Question::new(Name::from_ascii("d.example.").unwrap(), RecordType::MX)
    }

    /// Repeats every question with QR and RA: no data.
    async fn empty_zone() -> (tokio::net::UdpSocket, SocketAddr) {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    async fn answer_once(server: &UdpSocket) -> (u16, u16) {
        let mut buffer = [0; 512];
        let (length, client) = server.recv_from(&mut buffer).await.unwrap();
        buffer[2] |= 0x80;
        buffer[3] |= 0x80;
        server.send_to(&buffer[..length], client).await.unwrap();
        (client.port(), u16::from_be_bytes([buffer[0], buffer[1]]))
    }

    #[tokio::test]
    async fn ports_and_numbers_change_and_ports_are_left_in_time() {
        const QUESTIONS: usize = 4 * SOCKETS_MIN;
        let (server, address) = empty_zone().await;
        let (sockets, question, strays) = (UdpSockets::new(address, 1024), question(), Strays::default());
        let (mut ports, mut numbers) = (HashMap::<u16, u32>::new(), HashSet::new());
        for _ in 0..QUESTIONS {
            let (told, (port, number)) =
                tokio::join!(sockets.ask(&question, true, &strays), answer_once(&server));
            assert!(matches!(told, Ok(Reading::Answer(_))));
            *ports.entry(port).or_default() += 1;
            numbers.insert(number);
        }
        assert_eq!(ports.len(), SOCKETS_MIN);
        assert!(numbers.len() > QUESTIONS * 9 / 10, "{} numbers", numbers.len());
        // Whichever is next has come to its end.
        for connected in sockets.idle.lock().unwrap().iter_mut() {
            connected.questions = QUESTIONS_PER_SOCKET_MAX - 1;
        }
        let before = sockets.open.load(Ordering::Relaxed);
        let _ = tokio::join!(sockets.ask(&question, true, &strays), answer_once(&server));
        assert_eq!(sockets.open.load(Ordering::Relaxed), before - 1);
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_no_socket() {
        let (_server, address) = empty_zone().await;
        let sockets = UdpSockets::new(address, 1024);
        let (question, strays) = (question(), Strays::default());
        let waiting = sockets.ask(&question, true, &strays);
        assert!(futures_util::FutureExt::now_or_never(waiting).is_none());
        assert_eq!(sockets.open.load(Ordering::Relaxed), 0);
    }
}
