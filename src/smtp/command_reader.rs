//! Command lines out of a byte stream, bounded (RFC 5321 §2.3.8).

use super::received_command::{COMMAND_LINE_BYTES_MAX, ReceivedCommand};

/// Most octets taken of a client before TLS, and again inside it. A session of an
/// ordinary client is under 4 KiB.
pub const CLIENT_STREAM_BYTES_MAX: usize = 64 * 1024;

/// Type and major version of a record of a handshake.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// Why a stream holds no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandFault {
    /// A line over [`COMMAND_LINE_BYTES_MAX`].
    LineTooLong,
    /// A stream over [`CLIENT_STREAM_BYTES_MAX`].
    StreamTooLong,
}

/// Cuts a byte stream into commands. What comes out depends on the bytes alone,
/// never on how they were cut up on the way in.
#[derive(Debug, Default)]
pub struct CommandReader {
    buffer: Vec<u8>,
    /// Bytes at the front that were read.
    read: usize,
    /// Bytes taken so far.
    taken: usize,
    /// Whether bytes were dropped because of the limit of the stream.
    overflowed: bool,
    bare_lf: bool,
}

impl CommandReader {
    /// Takes bytes of the client, up to [`CLIENT_STREAM_BYTES_MAX`] in all.
    pub fn receive(&mut self, bytes: &[u8]) {
        let room = CLIENT_STREAM_BYTES_MAX - self.taken;
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.overflowed |= kept.len() < bytes.len();
        self.taken += kept.len();
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(kept);
    }

    /// The next command, once its line is whole. After a fault there is no other.
    pub fn next_command(&mut self) -> Option<Result<ReceivedCommand, CommandFault>> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let window = rest.get(..COMMAND_LINE_BYTES_MAX).unwrap_or(rest);
        let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
            return match (window.len() == COMMAND_LINE_BYTES_MAX, self.overflowed) {
                (true, _) => Some(Err(CommandFault::LineTooLong)),
                (false, true) => Some(Err(CommandFault::StreamTooLong)),
                (false, false) => None,
            };
        };
        let line = window.get(..end).unwrap_or_default();
        self.bare_lf |= !line.ends_with(b"\r");
        let command = ReceivedCommand::read(line.strip_suffix(b"\r").unwrap_or(line));
        self.read += end + 1;
        Some(Ok(command))
    }

    /// Whether the stream begins as a TLS record of a handshake does (RFC 8446 §5.1), and
    /// not as a command.
    pub fn begins_as_tls(&self) -> bool {
        self.read == 0 && self.taken == self.buffer.len() && self.buffer.starts_with(&TLS_HANDSHAKE)
    }

    /// Whether a line so far ended in LF alone.
    pub fn saw_bare_lf(&self) -> bool {
        self.bare_lf
    }

    /// Whether nothing is left that was not read.
    pub fn is_empty(&self) -> bool {
        self.read == self.buffer.len() && !self.overflowed
    }
}
