//! The client's side of TLS without sockets: rustls, fed byte by byte or in
//! any pieces, and what it cannot tell beside it.
//!
//! Whatever comes in is consumed, or the connection has ended: no input makes
//! [`TlsClient::receive`] go round without either.

use super::decrypted::take_decrypted;
use super::in_clear::{InClear, Resumable};
use super::last_words;
use super::objection::Objection;
use super::record::{HEADER_BYTES, may_begin_record};
use super::server_hello::ServerHello;
use crate::model::text::escape;
use crate::model::{AlertDescription, DowngradeMark};
use rustls::{ClientConnection, PeerMisbehaved, ProtocolVersion};
use std::io::{self, Write};
use thiserror::Error;

/// Most bytes kept of what comes in clear where a record is due: the longest
/// reply line of RFC 5321 §4.5.3.1.5.
pub const CLEAR_TEXT_BYTES_MAX: usize = 512;

/// Where the length of the session id stands in the records of a ClientHello:
/// behind both headers, the version and the random (RFC 8446 §4.1.2).
const SESSION_ID_AT: usize = HEADER_BYTES + 4 + 2 + 32;

/// The version of our records in clear.
const TLS12: crate::model::ProtocolVersion = crate::model::ProtocolVersion::TLS12;

/// Why a TLS connection goes no further.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TlsFault {
    /// The library refused it, or an alert came.
    #[error("{0}")]
    Library(#[from] rustls::Error),
    /// A message longer than the library puts together.
    #[error("a handshake message longer than what is read")]
    TooLong,
    /// What clients end the handshake over, and the library does not.
    #[error("{0}")]
    Objection(Objection),
    /// Bytes in clear stand where a record is due; they are kept up to the end
    /// of their line.
    #[error("not a TLS record: {}", escape(.0))]
    InClear(Box<[u8]>),
}

/// One connection.
#[derive(Debug)]
pub struct TlsClient {
    connection: ClientConnection,
    side: RecordReading,
    resumable: Resumable,
    downgrade_mark: Option<DowngradeMark>,
    /// The session id of the ClientHello, once that is written.
    session_id: Option<Box<[u8]>>,
    renegotiation_info: Option<bool>,
    /// What was decrypted and not taken yet: what one piece of input brings,
    /// and one record.
    plain: Vec<u8>,
    /// The line in clear that is coming in.
    line: Option<Vec<u8>>,
    fault: Option<TlsFault>,
    closed: bool,
}

/// How the records are looked at before the library has them.
#[derive(Debug)]
enum RecordReading {
    InClear(Box<InClear>),
    Encrypted(Boundaries),
}

impl TlsClient {
    /// The client of a connection on which nothing was said yet.
    pub fn new(connection: ClientConnection) -> Self {
        Self {
            connection,
            side: RecordReading::InClear(Box::default()),
            resumable: Resumable::default(),
            downgrade_mark: None,
            session_id: None,
            renegotiation_info: None,
            plain: Vec::new(),
            line: None,
            fault: None,
            closed: false,
        }
    }

    /// What the library knows of it, also where it has failed.
    pub fn connection(&self) -> &ClientConnection {
        &self.connection
    }

    /// Whether the handshake is not over.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Why it goes no further.
    pub fn fault(&self) -> Option<&TlsFault> {
        self.fault.as_ref()
    }

    /// Whether the peer said close_notify; what comes after it is ignored (RFC
    /// 8446 §6.1).
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// What was said in clear about resuming.
    pub fn resumable(&self) -> Resumable {
        self.resumable
    }

    /// What the random of a ServerHello says of newer versions; `None` before it
    /// came. Of TLS 1.3 it says nothing.
    pub fn downgrade_mark(&self) -> Option<DowngradeMark> {
        self.downgrade_mark
    }

    /// Whether the ServerHello answers the renegotiation extension; `None` before
    /// it came. In TLS 1.3 it has no place.
    pub fn renegotiation_info(&self) -> Option<bool> {
        self.renegotiation_info
    }

    /// What came in clear where a record is due, so far.
    pub fn text_in_clear(&self) -> &[u8] {
        match (&self.fault, &self.line) {
            (Some(TlsFault::InClear(text)), _) => text,
            (_, Some(line)) => line,
            _ => &[],
        }
    }

    /// Takes all of `bytes`. Any cutting up gives the same.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while !input.is_empty() && !self.is_over() {
            let before = input.len();
            if let Err(fault) = self.take_in(&mut input) {
                self.fault = Some(fault);
            }
            // What is left would be looked at in the same way again.
            if input.len() == before {
                return;
            }
        }
    }

    /// The stream has ended: what came in clear is whole.
    pub fn receive_eof(&mut self) {
        if self.is_over() {
            return;
        }
        let unfinished = match &self.side {
            RecordReading::InClear(clear) if clear.finish().is_err() => clear.unfinished(),
            _ => &[],
        };
        let text = self.line.take().unwrap_or_else(|| unfinished.to_vec());
        if !text.is_empty() {
            self.fault = Some(TlsFault::InClear(text.into()));
        }
    }

    /// Whether anything was decrypted since it was last taken.
    pub fn has_plain(&self) -> bool {
        !self.plain.is_empty()
    }

    /// What was decrypted since it was last taken.
    pub fn take_plain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.plain)
    }

    /// Encrypts `bytes`, as soon as the handshake is over.
    ///
    /// # Errors
    /// Where the connection has failed.
    pub fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.writer().write_all(bytes)
    }

    /// Says that nothing more comes (close_notify, RFC 8446 §6.1).
    pub fn say_close(&mut self) {
        self.connection.send_close_notify();
    }

    /// Appends what is due where the handshake came to nothing here: the alert
    /// that refuses, where the library has not said it already; where it is
    /// nobody's fault, user_canceled and close_notify (RFC 8446 §6.1). What would
    /// have to be encrypted the library says, which has no word but the latter.
    ///
    /// # Errors
    /// None: memory takes what it is given.
    pub fn write_last_words(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self.fault {
            // The library has not even seen the ServerHello that it is about.
            Some(TlsFault::Objection(_)) => {
                last_words::refuse(out, AlertDescription::ILLEGAL_PARAMETER, TLS12)
            }
            Some(TlsFault::Library(_) | TlsFault::InClear(_)) => {}
            None if self.connection.protocol_version().is_none() => last_words::call_off(out, TLS12),
            Some(TlsFault::TooLong) | None => self.say_close(),
        }
        self.write_records(out)
    }

    /// Appends the records that are due.
    ///
    /// # Errors
    /// None: memory takes what it is given.
    pub fn write_records(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let before = out.len();
        while self.connection.wants_write() {
            self.connection.write_tls(out)?;
        }
        if self.session_id.is_none() {
            self.session_id = out.get(before..).and_then(session_id);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.closed || self.fault.is_some()
    }

    /// Takes in some of `input`: at most one record while all is in clear.
    fn take_in(&mut self, input: &mut &[u8]) -> Result<(), TlsFault> {
        if self.line.is_some() {
            return self.take_line(input);
        }
        match &mut self.side {
            RecordReading::InClear(clear) => match clear.next(input) {
                Ok(None) => Ok(()),
                Ok(Some(_)) => {
                    self.renegotiation_info = clear.server_hello().map(ServerHello::has_renegotiation_info);
                    if let Some(objection) = clear.objection(self.session_id.as_deref()) {
                        return Err(TlsFault::Objection(objection));
                    }
                    let fed = feed(&mut self.connection, clear.passed(), &mut self.plain);
                    let fed = fed.map_err(|fault| told_apart(fault, clear));
                    self.resumable = clear.resumable();
                    self.downgrade_mark = clear.downgrade_mark();
                    let tls13 = self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
                    if clear.is_over(tls13) || !self.connection.is_handshaking() {
                        self.side = RecordReading::Encrypted(Boundaries::default());
                    }
                    self.closed = !fed?;
                    Ok(())
                }
                Err(_) => {
                    self.line = Some(clear.unfinished().to_vec());
                    self.take_line(input)
                }
            },
            RecordReading::Encrypted(boundaries) => {
                let (records, foreign) = boundaries.split(input);
                *input = foreign.unwrap_or_default();
                self.closed = !feed(&mut self.connection, records, &mut self.plain)?;
                if foreign.is_some() && !self.closed {
                    self.line = Some(boundaries.header().to_vec());
                    self.take_line(input)?;
                }
                Ok(())
            }
        }
    }

    /// Keeps what is in clear, to the end of the line.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<(), TlsFault> {
        let line = self.line.get_or_insert_default();
        let bytes = std::mem::take(input);
        let room = CLEAR_TEXT_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let end = line.iter().position(|byte| *byte == b'\n');
        if end.is_none() && line.len() < CLEAR_TEXT_BYTES_MAX {
            return Ok(());
        }
        line.truncate(end.map_or(CLEAR_TEXT_BYTES_MAX, |end| end + 1));
        Err(TlsFault::InClear(std::mem::take(line).into()))
    }
}

/// Gives the library all of `bytes`, and moves what it decrypts to `plain`;
/// whether the peer goes on after that.
fn feed(connection: &mut ClientConnection, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<bool, TlsFault> {
    while !bytes.is_empty() {
        // It takes no bytes after close_notify, and says so by 0.
        let read = connection.read_tls(&mut bytes).map_err(|_| TlsFault::TooLong)?;
        let processed = connection.process_new_packets();
        take_decrypted(connection, plain);
        if processed?.peer_has_closed() || read == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A fault with what the library does not tell of it.
fn told_apart(fault: TlsFault, clear: &InClear) -> TlsFault {
    let of_suite = PeerMisbehaved::SelectedUnusableCipherSuiteForVersion.into();
    let objection = (fault == TlsFault::Library(of_suite)).then(|| clear.objection_to_suite()).flatten();
    objection.map_or(fault, TlsFault::Objection)
}

/// The session id of the ClientHello at the front of these records.
fn session_id(records: &[u8]) -> Option<Box<[u8]>> {
    let (length, rest) = records.get(SESSION_ID_AT..)?.split_first()?;
    rest.get(..usize::from(*length)).map(Into::into)
}

/// Where records begin in a stream that only the library can read.
#[derive(Debug, Default)]
struct Boundaries {
    header: [u8; HEADER_BYTES],
    /// How much of the header came in.
    known: usize,
    /// How much of the record is still to come.
    left: usize,
}

impl Boundaries {
    /// Parts what belongs to records from what begins none. What is withheld
    /// of a header that turned out to be none is in [`Self::header`].
    fn split<'a>(&mut self, input: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
        let mut rest = input;
        while !rest.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(rest.len());
                self.left -= taken;
                rest = rest.get(taken..).unwrap_or_default();
                continue;
            }
            let Some((byte, after)) = rest.split_first() else { break };
            if let Some(place) = self.header.get_mut(self.known) {
                *place = *byte;
            }
            if !self.header.get(..=self.known).is_some_and(may_begin_record) {
                let records = input.len() - rest.len();
                return (input.get(..records).unwrap_or_default(), Some(rest));
            }
            rest = after;
            self.known += 1;
            if self.known == HEADER_BYTES {
                let [.., high, low] = self.header;
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.known = 0;
            }
        }
        (input, None)
    }

    /// The bytes of a header before the one that fits none.
    fn header(&self) -> &[u8] {
        self.header.get(..self.known).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
