//! The two things a dialogue runs over: the socket itself, and TLS on it.
//!
//! TLS is driven here rather than by an adapter, because a handshake that
//! fails must leave its connection behind: what was negotiated before it
//! failed is evidence.

use rustls::ClientConnection;
use std::io::{self, ErrorKind, Read, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes asked of the socket at once. A flight of a server with its chain
/// takes two or three of them.
const READ_BYTES_MAX: usize = 4096;

/// Carries a dialogue.
pub(super) trait Wire {
    /// Reads what is there, waiting for the first byte; 0 is the end.
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all of it.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
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

    /// Reads what is there already, without waiting.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.try_read(buffer)?;
        self.bytes_in += read as u64;
        Ok(read)
    }
}

impl Wire for Socket {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer).await?;
        self.bytes_in += read as u64;
        Ok(read)
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.bytes_out += bytes.len() as u64;
        Ok(())
    }
}

/// TLS over the socket.
pub(super) struct TlsWire<'a> {
    socket: &'a mut Socket,
    connection: ClientConnection,
    /// Records on their way out, kept to be used again.
    outgoing: Vec<u8>,
}

impl<'a> TlsWire<'a> {
    pub(super) fn new(socket: &'a mut Socket, connection: ClientConnection) -> Self {
        Self { socket, connection, outgoing: Vec::new() }
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

    /// Says that nothing more comes. The connection ends when the socket is
    /// dropped.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.connection.send_close_notify();
        self.send().await
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
        let mut buffer = [0; READ_BYTES_MAX];
        let read = self.socket.read(&mut buffer).await?;
        let mut bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(false);
        }
        while !bytes.is_empty() {
            self.connection.read_tls(&mut bytes)?;
            if let Err(error) = self.connection.process_new_packets() {
                // The alert that says why; if it does not arrive, so be it.
                let _ = self.send().await;
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
        Ok(true)
    }
}

impl Wire for TlsWire<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // An end without close_notify is an end all the same: nothing
                // here depends on the length of what came before it.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                result => return result,
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
}
