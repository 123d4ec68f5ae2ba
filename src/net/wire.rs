//! The two things a dialogue runs over: the socket itself, and TLS on it.
//!
//! TLS is driven here rather than by an adapter, because a handshake that
//! fails must leave its connection behind: what was negotiated before it
//! failed is evidence. What bytes do to it is [`TlsClient`]'s; here they are
//! only carried.

use crate::tls::TlsClient;
use rustls::ClientConnection;
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Most bytes taken from a server in one session, counted on the socket: in
/// clear and inside TLS together. The longest chains that OpenSSL takes have
/// 100 KiB; an ordinary session is under 16 KiB.
pub const SESSION_BYTES_MAX: u64 = 1 << 20;

/// Bytes asked of the socket at once. A flight of a server with its chain
/// takes one or two of them.
const READ_BYTES_MAX: usize = 4096;

/// How long a server that floods may pause before it counts as one that has
/// stopped: many times what a busy machine needs to go on.
const QUIET_MAX: Duration = Duration::from_secs(1);

/// A server that goes on past [`SESSION_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("over {SESSION_BYTES_MAX} bytes in one session")]
pub(super) struct TooManyBytes;

impl TooManyBytes {
    /// Whether that is what an I/O error says.
    pub(super) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// Whether the server tore the connection down. What it said before that may
/// still be there to be read.
pub(super) fn is_torn(error: &io::Error) -> bool {
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
    kinds.contains(&error.kind())
}

/// Carries a dialogue.
///
/// What is read is handed on at once and kept nowhere: a session that waits
/// for its server, as most do most of the time, holds no buffer.
pub(super) trait Wire {
    /// Hands what is there already to `take`, at most what is read at once,
    /// and waits for nothing. Asks the system only where anything can be there
    /// that the last read has not brought.
    fn read_ready(&mut self, take: impl FnMut(&[u8])) -> io::Result<()>;
    /// Hands what is there to `take`, waiting for the first byte, and says how
    /// much it was; 0 is the end.
    async fn read(&mut self, take: impl FnMut(&[u8])) -> io::Result<usize>;
    /// Writes all of it.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The socket, with its bytes counted.
pub(super) struct Socket {
    stream: TcpStream,
    /// Whether the last read took all there was, just now: since then nothing
    /// was sent, waited for or computed.
    drained: bool,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, drained: false, bytes_in: 0, bytes_out: 0 }
    }

    /// Hands on what is there already, without waiting, and says how much it
    /// was.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] where nothing is, [`TooManyBytes`], and what
    /// the socket says.
    pub(super) fn try_read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut space = [0; READ_BYTES_MAX];
        let read = self.stream.try_read(&mut space)?;
        self.count(read)?;
        take(space.get(..read).unwrap_or_default());
        Ok(read)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, take: &mut impl FnMut(&[u8])) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES_MAX];
        let mut buffer = ReadBuf::uninit(&mut space);
        self.drained = false;
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        // Less than there was room for is all (tokio goes by the same).
        self.drained = bytes.len() < READ_BYTES_MAX;
        self.count(bytes.len())?;
        take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Says that nothing more comes: the end of our side of the stream.
    pub(super) async fn shut(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    fn count(&mut self, read: usize) -> io::Result<()> {
        self.bytes_in += read as u64;
        if self.bytes_in > SESSION_BYTES_MAX {
            return Err(io::Error::other(TooManyBytes));
        }
        Ok(())
    }

    /// Has what comes in now acknowledged at once. A server that writes twice,
    /// as one with tickets does before its answer to EHLO, may hold the second
    /// back until the first is acknowledged (RFC 896), which systems else delay
    /// by 40 ms (RFC 1122 §4.2.3.2); and where it hangs up meanwhile, the second
    /// is lost.
    fn acknowledge_at_once(&self) {
        // Where that cannot be had it is slower, and nothing else.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(&self.stream).set_tcp_quickack(true);
    }
}

impl Wire for Socket {
    fn read_ready(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        if self.drained {
            return Ok(());
        }
        let mut space = [0; READ_BYTES_MAX];
        // Asks the system itself: the runtime hears of what has come in only
        // when it is polled.
        let read = match (&*SockRef::from(&self.stream)).read(&mut space) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            read => read?,
        };
        self.count(read)?;
        take(space.get(..read).unwrap_or_default());
        Ok(())
    }

    async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, &mut take)).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.drained = false;
        self.stream.write_all(bytes).await?;
        self.bytes_out += bytes.len() as u64;
        Ok(())
    }
}

/// TLS over the socket.
pub(super) struct TlsWire<'a> {
    socket: &'a mut Socket,
    tls: TlsClient,
    /// Records on their way out, kept to be used again.
    outgoing: Vec<u8>,
    /// Whether anything was said inside TLS.
    heard: bool,
}

impl<'a> TlsWire<'a> {
    pub(super) fn new(socket: &'a mut Socket, connection: ClientConnection) -> Self {
        Self { socket, tls: TlsClient::new(connection), outgoing: Vec::new(), heard: false }
    }

    pub(super) fn tls(&self) -> &TlsClient {
        &self.tls
    }

    /// Shakes hands. After an error, [`TlsWire::tls`] still tells how far it
    /// came. Our last flight may still be due: it goes out with the first
    /// command, in one packet.
    pub(super) async fn handshake(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() {
            if let Err(error) = self.send().await {
                self.hear_out().await?;
                return Err(error);
            }
            let more = self.receive().await?;
            if !self.tls.is_handshaking() {
                // Its arithmetic took long enough for more to have come.
                self.socket.drained = false;
                // What is wrong behind it is no matter of the handshake.
                return Ok(());
            }
            self.check().await?;
            if !more {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Waits, once the handshake is over, for what the server says before it
    /// is asked. It is there to be read then, as its end and errors are.
    pub(super) async fn hear_first(&mut self) -> io::Result<()> {
        self.send().await?;
        while !self.tls.has_plain() && !self.tls.is_closed() && self.tls.fault().is_none() {
            if !self.receive().await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether a server whose handshake came to nothing goes on until it has
    /// sent more than is taken in one session. It is listened to until it has
    /// stopped, for [`QUIET_MAX`], and no longer than `deadline`.
    pub(super) async fn floods(&mut self, deadline: Instant) -> bool {
        loop {
            let quiet = deadline.min(Instant::now() + QUIET_MAX);
            match timeout_at(quiet, self.socket.read(|_| {})).await {
                Ok(Ok(1..)) => {}
                Ok(Err(error)) => return TooManyBytes::is_in(&error),
                Ok(Ok(0)) | Err(_) => return false,
            }
        }
    }

    /// The socket under it.
    pub(super) fn socket(&mut self) -> &mut Socket {
        self.socket
    }

    /// Says what is due where the handshake came to nothing here.
    pub(super) async fn call_off(&mut self) -> io::Result<()> {
        self.outgoing.clear();
        self.tls.write_last_words(&mut self.outgoing)?;
        self.socket.write(&self.outgoing).await
    }

    /// Says that nothing more comes (close_notify, RFC 8446 §6.1). The stream
    /// is ended by whoever has the socket.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.tls.say_close();
        self.send().await
    }

    /// Sends every record that is due.
    async fn send(&mut self) -> io::Result<()> {
        self.outgoing.clear();
        self.tls.write_records(&mut self.outgoing)?;
        if self.outgoing.is_empty() {
            return Ok(());
        }
        self.socket.write(&self.outgoing).await?;
        if !self.heard {
            self.socket.acknowledge_at_once();
        }
        Ok(())
    }

    /// Takes in what the socket has; says whether that was anything.
    async fn receive(&mut self) -> io::Result<bool> {
        let (socket, tls) = (&mut self.socket, &mut self.tls);
        let read = socket.read(|bytes| tls.receive(bytes)).await?;
        if read == 0 {
            self.tls.receive_eof();
        }
        Ok(read > 0)
    }

    /// Reads what the server said before it tore the connection down.
    async fn hear_out(&mut self) -> io::Result<()> {
        while self.tls.fault().is_none() && self.receive().await? {}
        self.check().await
    }

    /// Ends where TLS has ended.
    async fn check(&mut self) -> io::Result<()> {
        let Some(fault) = self.tls.fault().cloned() else { return Ok(()) };
        // The alert that says why; if it does not arrive, so be it.
        let _ = self.send().await;
        Err(io::Error::new(ErrorKind::InvalidData, fault))
    }
}

impl Wire for TlsWire<'_> {
    fn read_ready(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        // What came in with the end of the handshake is heard also where the
        // socket has an error behind it, which shows again.
        let mut plain = self.tls.take_plain();
        if plain.is_empty() {
            let (socket, tls) = (&mut self.socket, &mut self.tls);
            socket.read_ready(|bytes| tls.receive(bytes))?;
            plain = self.tls.take_plain();
        }
        if !plain.is_empty() {
            take(&plain);
        }
        Ok(())
    }

    async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        loop {
            let plain = self.tls.take_plain();
            if !plain.is_empty() {
                self.heard = true;
                take(&plain);
                return Ok(plain.len());
            }
            // An end without close_notify is an end all the same: nothing here
            // depends on the length of what came before it.
            if self.tls.is_closed() {
                return Ok(0);
            }
            self.check().await?;
            self.send().await?;
            if !self.receive().await? {
                self.check().await?;
                return Ok(0);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check().await?;
        self.tls.say(bytes)?;
        self.send().await
    }
}
