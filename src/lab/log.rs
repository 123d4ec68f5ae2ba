//! The connection log: every connection that a mail server of the fleet took up,
//! when, how far it went and how it ended. By it a scanner's manners are judged
//! from outside ([`super::manners`]).
//!
//! A connection that the kernel answers by itself is not here: one that is
//! refused, and one to a server that takes none up.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::net::TcpStream;

/// Most connections that are kept in memory; those beyond are counted only
/// ([`ConnectionLog::unkept`]). A log that is written to a file has no limit.
pub const LOGGED_CONNECTIONS_MAX: usize = 1_000_000;

/// One connection as a server saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedConnection {
    /// Its number, in the order in which they were taken up; the first is 1.
    pub number: u64,
    /// When it was taken up, in microseconds since the lab began.
    pub opened_us: u64,
    /// When one of the two left it, in microseconds since the lab began: the
    /// client said QUIT or closed, or the server began its last words. While it is
    /// open, when the log was read.
    pub left_us: u64,
    /// Address and port of the client.
    pub peer: SocketAddr,
    /// Address and port of the server.
    pub own: SocketAddr,
    /// The name that the ClientHello asked for; empty where there was none.
    pub name: String,
    /// The last thing that the client did.
    pub reached: ClientStage,
    /// How it ended.
    pub end: ConnectionEnd,
    /// What there is to say of the end: the name of an alert, the rule that
    /// refused it, an error.
    pub detail: String,
}

/// How far a client came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientStage {
    /// It connected.
    Connected,
    /// It was greeted, or the greeting is under way.
    Greeted,
    /// It said EHLO or HELO.
    Ehlo,
    /// It said STARTTLS.
    Starttls,
    /// Its ClientHello was read.
    ClientHello,
    /// The handshake was finished.
    Handshake,
    /// It said EHLO or HELO inside TLS.
    EhloInTls,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionEnd {
    /// It is open.
    Open,
    /// The client said QUIT.
    Quit,
    /// The client closed without QUIT.
    ClientClosed,
    /// The client reset it.
    ClientReset,
    /// The client ended it by a TLS alert.
    ClientAlert,
    /// The server closed, as it was told to.
    ServerClosed,
    /// The server reset it, as it was told to.
    ServerReset,
    /// The handshake failed on the server's side.
    HandshakeFailed,
    /// A rule of the server refused it.
    Refused,
    /// The client said more than a command line may have.
    LineTooLong,
    /// It lasted longer than the lab lets one last.
    TimeLimit,
    /// The lab was stopped.
    LabStopped,
    /// Anything else.
    Failed,
}

/// What becomes of the log.
#[derive(Clone, Debug, Default)]
pub enum LogTo {
    /// There is none.
    Nowhere,
    /// It is kept, up to [`LOGGED_CONNECTIONS_MAX`].
    #[default]
    Memory,
    /// Each connection is written when it has ended: JSON Lines.
    File(Arc<File>),
}

/// The log of a fleet.
#[derive(Debug)]
pub struct ConnectionLog {
    began: Instant,
    to: LogTo,
    // Taken for a map access, and while a line is written.
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    last: u64,
    open: BTreeMap<u64, OpenConnection>,
    ended: Vec<LoggedConnection>,
    unkept: u64,
    closed: bool,
    error: Option<io::Error>,
}

#[derive(Debug)]
struct OpenConnection {
    seen: LoggedConnection,
    left: bool,
    socket: Option<SecondHandle>,
}

impl ConnectionLog {
    pub(super) fn new(to: LogTo) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), to, book: Mutex::default() })
    }

    /// A connection was taken up.
    pub(super) fn enter(self: &Arc<Self>, stream: &TcpStream) -> LogEntry {
        let addresses = stream.peer_addr().and_then(|peer| Ok((peer, stream.local_addr()?)));
        let (LogTo::Memory | LogTo::File(_), Ok((peer, own))) = (&self.to, addresses) else {
            return LogEntry { log: None, number: 0 };
        };
        let mut book = self.book();
        // Who closes one connection and begins the next is not to be accused
        // because we read the end of the first late.
        let now = self.now_us();
        book.open.values_mut().for_each(|open| open.look(now));
        book.last += 1;
        let number = book.last;
        let seen = LoggedConnection {
            number,
            opened_us: now,
            left_us: now,
            peer,
            own,
            name: String::new(),
            reached: ClientStage::Connected,
            end: ConnectionEnd::Open,
            detail: String::new(),
        };
        book.open.insert(number, OpenConnection { seen, left: false, socket: SecondHandle::new(stream) });
        LogEntry { log: Some(self.clone()), number }
    }

    /// All connections so far, in the order in which they were taken up; of a log
    /// in a file, those that are open.
    pub fn connections(&self) -> Vec<LoggedConnection> {
        let now = self.now_us();
        let mut book = self.book();
        book.open.values_mut().for_each(|open| open.look(now));
        let open = book.open.values().map(|open| {
            let left_us = if open.left { open.seen.left_us } else { now };
            LoggedConnection { left_us, ..open.seen.clone() }
        });
        let mut all: Vec<_> = book.ended.iter().cloned().chain(open).collect();
        all.sort_unstable_by_key(|connection| connection.number);
        all
    }

    /// How many ended connections were not kept, since
    /// [`LOGGED_CONNECTIONS_MAX`] were.
    pub fn unkept(&self) -> u64 {
        self.book().unkept
    }

    /// Ends the log: what is open has ended by the lab's end.
    ///
    /// # Errors
    /// The first one of the file.
    pub fn close(&self) -> io::Result<()> {
        let now = self.now_us();
        let mut book = self.book();
        while let Some((_, open)) = book.open.pop_first() {
            self.keep(&mut book, open.ended(now, ConnectionEnd::LabStopped, ""));
        }
        book.closed = true;
        book.error.take().map_or(Ok(()), Err)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut OpenConnection, u64)) {
        let now = self.now_us();
        if let Some(open) = self.book().open.get_mut(&number) {
            change(open, now);
        }
    }

    fn end(&self, number: u64, end: ConnectionEnd, detail: &str) {
        let now = self.now_us();
        let mut book = self.book();
        if let Some(open) = book.open.remove(&number) {
            self.keep(&mut book, open.ended(now, end, detail));
        }
    }

    fn keep(&self, book: &mut Book, connection: LoggedConnection) {
        match &self.to {
            _ if book.closed => {}
            LogTo::Nowhere => {}
            LogTo::Memory if book.ended.len() < LOGGED_CONNECTIONS_MAX => book.ended.push(connection),
            LogTo::Memory => book.unkept += 1,
            LogTo::File(file) => {
                let line = serde_json::to_string(&connection).map_err(io::Error::from);
                let written = line.and_then(|line| (&**file).write_all((line + "\n").as_bytes()));
                if let Err(error) = written {
                    book.error.get_or_insert(error);
                }
            }
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // The book is whole after every statement, so poison means nothing.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnection {
    fn leave(&mut self, now: u64) {
        if !std::mem::replace(&mut self.left, true) {
            self.seen.left_us = now;
        }
        self.socket = None;
    }

    /// Has the client left it, whatever of it is still to be read?
    fn look(&mut self, now: u64) {
        if self.socket.as_ref().is_some_and(SecondHandle::is_left) {
            self.leave(now);
        }
    }

    fn ended(mut self, now: u64, end: ConnectionEnd, detail: &str) -> LoggedConnection {
        self.leave(now);
        if self.seen.end == ConnectionEnd::Open {
            self.seen.end = end;
            self.seen.detail = detail.to_string();
        }
        self.seen
    }
}

/// One connection in the log. What is dropped without a word has ended with the
/// lab.
#[derive(Debug)]
pub(super) struct LogEntry {
    log: Option<Arc<ConnectionLog>>,
    number: u64,
}

impl LogEntry {
    fn change(&self, change: impl FnOnce(&mut OpenConnection, u64)) {
        if let Some(log) = &self.log {
            log.change(self.number, change);
        }
    }

    /// The client came so far.
    pub(super) fn reached(&self, reached: ClientStage) {
        self.change(|open, _| open.seen.reached = open.seen.reached.max(reached));
    }

    /// The ClientHello asks for this name.
    pub(super) fn named(&self, name: &str) {
        self.change(|open, _| open.seen.name = name.to_string());
    }

    /// The connection does not count as open any more.
    pub(super) fn leave(&self) {
        self.change(OpenConnection::leave);
    }

    /// It is known how the connection ends; what comes later changes nothing.
    pub(super) fn ends(&self, end: ConnectionEnd, detail: &str) {
        self.change(|open, _| {
            if open.seen.end == ConnectionEnd::Open {
                open.seen.end = end;
                open.seen.detail = detail.to_string();
            }
        });
    }

    /// The connection has ended.
    pub(super) fn ended(&mut self, end: ConnectionEnd, detail: &str) {
        if let Some(log) = self.log.take() {
            log.end(self.number, end, detail);
        }
    }
}

impl Drop for LogEntry {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            log.end(self.number, ConnectionEnd::LabStopped, "");
        }
    }
}

/// The socket beside the one that is read and written, to look whether the peer has
/// left. It is dropped before the server closes, or the peer would not see that.
#[derive(Debug)]
struct SecondHandle {
    #[cfg(target_os = "linux")]
    socket: std::os::fd::OwnedFd,
}

impl SecondHandle {
    #[cfg(target_os = "linux")]
    fn new(stream: &TcpStream) -> Option<Self> {
        use std::os::fd::AsFd;
        Some(Self { socket: stream.as_fd().try_clone_to_owned().ok()? })
    }

    /// Elsewhere the end is told when it is read.
    #[cfg(not(target_os = "linux"))]
    fn new(_: &TcpStream) -> Option<Self> {
        None
    }

    /// Whether the peer has closed or reset it.
    #[cfg(target_os = "linux")]
    fn is_left(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut asked = [PollFd::new(&self.socket, PollFlags::RDHUP)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok_and(|count| count > 0)
    }

    #[cfg(not(target_os = "linux"))]
    fn is_left(&self) -> bool {
        false
    }
}
