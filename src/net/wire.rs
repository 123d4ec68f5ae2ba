//! The two things a dialogue runs over: the socket itself, and TLS on it.
//!
//! TLS is driven here rather than by an adapter, because a handshake that
//! fails must leave its connection behind: what was negotiated before it
//! failed is evidence.

use rustls::{ClientConnection, ProtocolVersion};
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Bytes asked of the socket at once. A flight of a server with its chain
/// takes one or two of them.
const READ_BYTES_MAX: usize = 4096;

/// Carries a dialogue.
///
/// What is read is handed on at once and kept nowhere: a session that waits
/// for its server, as most do most of the time, holds no buffer.
pub(super) trait Wire {
    /// Hands what is there already to `take`, at most what is read at once,
    /// and waits for nothing.
    fn read_ready(&mut self, take: impl FnMut(&[u8])) -> io::Result<()>;
    /// Hands what is there to `take`, waiting for the first byte, and says how
    /// much it was; 0 is the end.
    async fn read(&mut self, take: impl FnMut(&[u8])) -> io::Result<usize>;
    /// Writes all of it.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Writes all of it, and says that nothing more comes where the protocol
    /// lets that be said before the answer.
    async fn write_last(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The socket, with its bytes counted.
pub(super) struct Socket {
    stream: TcpStream,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, bytes_in: 0, bytes_out: 0 }
    }

    /// Hands on what is there already, without waiting, and says how much it
    /// was.
    pub(super) fn try_read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut space = [0; READ_BYTES_MAX];
        let read = self.stream.try_read(&mut space)?;
        self.bytes_in += read as u64;
        take(space.get(..read).unwrap_or_default());
        Ok(read)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, take: &mut impl FnMut(&[u8])) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES_MAX];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        self.bytes_in += bytes.len() as u64;
        take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}

impl Wire for Socket {
    fn read_ready(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut space = [0; READ_BYTES_MAX];
        // Asks the system itself: the runtime hears of what has come in only
        // when it is polled.
        let read = match (&*SockRef::from(&self.stream)).read(&mut space) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            read => read?,
        };
        self.bytes_in += read as u64;
        take(space.get(..read).unwrap_or_default());
        Ok(())
    }

    async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, &mut take)).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.bytes_out += bytes.len() as u64;
        Ok(())
    }

    async fn write_last(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).await
    }
}

/// TLS over the socket.
pub(super) struct TlsWire<'a> {
    socket: &'a mut Socket,
    connection: ClientConnection,
    /// Records on their way out, kept to be used again.
    outgoing: Vec<u8>,
    /// Whether close_notify is said.
    closed: bool,
}

impl<'a> TlsWire<'a> {
    pub(super) fn new(socket: &'a mut Socket, connection: ClientConnection) -> Self {
        Self { socket, connection, outgoing: Vec::new(), closed: false }
    }

    pub(super) fn connection(&self) -> &ClientConnection {
        &self.connection
    }

    /// Shakes hands. After an error, [`TlsWire::connection`] still tells how
    /// far it came. Our last flight may still be due: it goes out with the
    /// first command, in one packet.
    pub(super) async fn handshake(&mut self) -> io::Result<()> {
        while self.connection.is_handshaking() {
            self.send().await?;
            if !self.receive().await? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Says that nothing more comes (close_notify, RFC 8446 §6.1), unless that
    /// was said. The connection ends when the socket is dropped.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        if !self.closed {
            self.say_close();
            self.send().await?;
        }
        Ok(())
    }

    fn say_close(&mut self) {
        self.connection.send_close_notify();
        self.closed = true;
    }

    /// Sends every record that is due.
    async fn send(&mut self) -> io::Result<()> {
        self.outgoing.clear();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut self.outgoing)?;
        }
        if self.outgoing.is_empty() {
            return Ok(());
        }
        self.socket.write(&self.outgoing).await
    }

    /// Takes in what the socket has; says whether that was anything.
    async fn receive(&mut self) -> io::Result<bool> {
        let (socket, connection) = (&mut self.socket, &mut self.connection);
        let mut result = Ok(());
        let read = socket.read(|bytes| result = take_in(connection, bytes)).await?;
        if let Err(error) = result {
            // The alert that says why; if it does not arrive, so be it.
            let _ = self.send().await;
            return Err(error);
        }
        Ok(read > 0)
    }
}

fn take_in(connection: &mut ClientConnection, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        connection.read_tls(&mut bytes)?;
        connection.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    }
    Ok(())
}

impl Wire for TlsWire<'_> {
    fn read_ready(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let (socket, connection) = (&mut self.socket, &mut self.connection);
        let mut result = Ok(());
        socket.read_ready(|bytes| result = take_in(connection, bytes))?;
        result?;
        let mut reader = connection.reader();
        if let Ok(bytes) = reader.fill_buf() {
            let read = bytes.len();
            take(bytes);
            reader.consume(read);
        }
        Ok(())
    }

    async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        loop {
            let mut reader = self.connection.reader();
            match reader.fill_buf() {
                Ok(bytes) => {
                    let read = bytes.len();
                    take(bytes);
                    reader.consume(read);
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // An end without close_notify is an end all the same: nothing
                // here depends on the length of what came before it.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) => return Err(error),
            }
            self.send().await?;
            if !self.receive().await? {
                return Ok(0);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.writer().write_all(bytes)?;
        self.send().await
    }

    /// Since TLS 1.3 close_notify ends one direction only, and goes out with
    /// the last words in one packet; before, the server would have to hang up
    /// over it (RFC 5246 §7.2.1).
    async fn write_last(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.writer().write_all(bytes)?;
        if self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3) {
            self.say_close();
        }
        self.send().await
    }
}
