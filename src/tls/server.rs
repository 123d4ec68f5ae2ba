//! The server's side of TLS without sockets: the ClientHello read by our own codec,
//! whatever it offers, and rustls for what comes then.
//!
//! Whatever comes in is consumed, or the connection has ended.

use super::alert::{Alert, AlertLevel};
use super::client_hello::ClientHello;
use super::decrypted::take_decrypted;
use super::handshake::{HandshakeReader, HandshakeType, MessageTooLong};
use super::last_words;
use super::old_server;
use super::received_offer::offer_of;
use super::record::{ContentType, RecordFault, RecordReader};
use super::second_hello::second_hello;
use super::wire::Malformed;
use crate::model::inbound::{ReceivedOffer, SecondHello};
use crate::model::{AlertDescription, CipherSuite, ProtocolVersion};
use rustls::{HandshakeKind, ServerConfig, ServerConnection};
use std::io::{self, Write};
use std::sync::Arc;
use thiserror::Error;

/// Most bytes that a ClientHello may take, the headers of its records included. With
/// a ticket, a certificate's worth of it, and post-quantum shares it has under 8 KiB.
pub const CLIENT_HELLO_BYTES_MAX: usize = 64 * 1024;

/// The first message of a client that goes along (RFC 2246 §7.4.7): it shows no
/// certificate, for none is asked for.
const CLIENT_KEY_EXCHANGE: u8 = 16;

/// What the server does with a ClientHello, on purpose.
#[derive(Clone, Debug)]
pub enum TlsServerManner {
    /// It goes through the handshake.
    Handshake(Arc<ServerConfig>),
    /// It refuses by a fatal alert.
    Refuse(AlertDescription),
    /// It has TLS 1.0 and nothing newer, shows this chain, leaf first, and ends the
    /// connection once the client has gone along: mxray finishes no handshake of that
    /// version.
    Tls10(Vec<Arc<[u8]>>),
}

/// Why a connection goes no further.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TlsServerFault {
    /// The library refused it, or an alert came.
    #[error("{0}")]
    Library(#[from] rustls::Error),
    /// What stands in place of a ClientHello is no TLS.
    #[error("{0}")]
    Record(#[from] RecordFault),
    /// A message that announces too much.
    #[error("{0}")]
    Message(#[from] MessageTooLong),
    /// A ClientHello that cannot be read.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// Another message in place of the ClientHello, or an alert.
    #[error("no ClientHello")]
    NoClientHello,
    /// Another message in place of the ClientKeyExchange.
    #[error("no ClientKeyExchange")]
    NoClientKeyExchange,
    /// A ClientHello over [`CLIENT_HELLO_BYTES_MAX`], or a message longer than the
    /// library puts together.
    #[error("a message longer than what is read")]
    TooLong,
    /// The client went along with what was agreed, and we end it, as we were told to.
    #[error("agreed to, and ended on purpose")]
    Agreed,
    /// We refused it, as we were told to.
    #[error("refused on purpose by {0}")]
    OnPurpose(AlertDescription),
}

/// One connection.
#[derive(Debug)]
pub struct TlsServer {
    manner: TlsServerManner,
    records: RecordReader,
    messages: HandshakeReader,
    /// What came in before the ClientHello was whole, for the library.
    raw: Vec<u8>,
    offer: Option<ReceivedOffer>,
    /// The first ClientHello, while the one after a HelloRetryRequest is due.
    retried: Option<Box<ClientHello>>,
    second_hello: Option<SecondHello>,
    connection: Option<ServerConnection>,
    /// What an old server agreed to: the client's flight is due.
    agreed: Option<(ProtocolVersion, CipherSuite)>,
    /// The flight of an old server that was not handed out yet.
    flight: Vec<u8>,
    /// The alert that refuses, before the library has anything to say.
    refusal: Option<AlertDescription>,
    plain: Vec<u8>,
    fault: Option<TlsServerFault>,
    closed: bool,
}

impl TlsServer {
    /// The server of a connection on which TLS is due and nothing was said of it.
    pub fn new(manner: TlsServerManner) -> Self {
        Self {
            manner,
            records: RecordReader::default(),
            messages: HandshakeReader::default(),
            raw: Vec::new(),
            offer: None,
            retried: None,
            second_hello: None,
            connection: None,
            agreed: None,
            flight: Vec::new(),
            refusal: None,
            plain: Vec::new(),
            fault: None,
            closed: false,
        }
    }

    /// What the ClientHello offers, once that was read.
    pub fn offer(&self) -> Option<&ReceivedOffer> {
        self.offer.as_ref()
    }

    /// What came of a HelloRetryRequest, once that was read.
    pub fn second_hello(&self) -> Option<&SecondHello> {
        self.second_hello.as_ref()
    }

    /// What the library knows of it, also where it has failed; `None` before a
    /// ClientHello is whole, and where we refuse.
    pub fn connection(&self) -> Option<&ServerConnection> {
        self.connection.as_ref()
    }

    /// What was agreed to on purpose, in a version that is not gone through with.
    pub fn agreed(&self) -> Option<(ProtocolVersion, CipherSuite)> {
        self.agreed
    }

    /// Whether the handshake is over and has held.
    pub fn is_established(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_handshaking())
    }

    /// Why it goes no further.
    pub fn fault(&self) -> Option<&TlsServerFault> {
        self.fault.as_ref()
    }

    /// Whether the peer said close_notify, or it goes no further.
    pub fn is_over(&self) -> bool {
        self.closed || self.fault.is_some()
    }

    /// Takes all of `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.is_over() {
            return;
        }
        let taken = match (&self.connection, self.agreed) {
            (Some(_), _) => {
                self.read_second_hello(bytes);
                self.feed(bytes)
            }
            (None, Some(_)) => self.read_flight(bytes),
            (None, None) => self.read_hello(bytes),
        };
        if let Err(fault) = taken {
            self.fault = Some(fault);
        }
    }

    /// What was decrypted since it was last taken.
    pub fn take_plain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.plain)
    }

    /// Encrypts `bytes`.
    ///
    /// # Errors
    /// Where the connection has failed.
    pub fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        connection.writer().write_all(bytes)
    }

    /// Says that nothing more comes (close_notify, RFC 8446 §6.1).
    pub fn say_close(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.send_close_notify();
        }
    }

    /// Appends the records that are due.
    ///
    /// # Errors
    /// None: memory takes what it is given.
    pub fn write_records(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        out.append(&mut self.flight);
        if let Some(description) = self.refusal.take() {
            let version = self.agreed.map_or(ProtocolVersion::TLS12, |(version, _)| version);
            last_words::refuse(out, description, version);
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        while connection.wants_write() {
            connection.write_tls(out)?;
        }
        Ok(())
    }

    /// Reads on until the ClientHello is whole, and begins to answer it.
    fn read_hello(&mut self, bytes: &[u8]) -> Result<(), TlsServerFault> {
        let room = CLIENT_HELLO_BYTES_MAX - self.raw.len();
        self.raw.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let mut input = bytes;
        while let Some(record) = self.records.next_record(&mut input)? {
            match record.content_type {
                ContentType::HANDSHAKE => self.messages.receive(record.fragment),
                ContentType::ALERT => return Err(alert(record.fragment)),
                _ => return Err(TlsServerFault::NoClientHello),
            }
            let Some(message) = self.messages.next_message()? else { continue };
            if message.handshake_type != HandshakeType::CLIENT_HELLO {
                return Err(TlsServerFault::NoClientHello);
            }
            let length = message.body.len();
            let hello = ClientHello::decode(message.body);
            self.answer(hello, length, bytes.len() > room)?;
            self.read_second_hello(input);
            return Ok(());
        }
        if bytes.len() > room { Err(TlsServerFault::TooLong) } else { Ok(()) }
    }

    fn answer(
        &mut self,
        hello: Result<ClientHello, Malformed>,
        length: usize,
        cut: bool,
    ) -> Result<(), TlsServerFault> {
        let hello = hello.inspect_err(|_| self.refusal = Some(AlertDescription::DECODE_ERROR))?;
        self.offer = Some(offer_of(hello.clone(), length));
        if cut {
            return Err(TlsServerFault::TooLong);
        }
        match &self.manner {
            TlsServerManner::Refuse(description) => {
                let description = *description;
                self.refuse(description)
            }
            TlsServerManner::Tls10(chain) => match old_server::flight(&hello, chain) {
                Err(description) => self.refuse(description),
                Ok((flight, suite)) => {
                    self.flight = flight;
                    self.agreed = Some((ProtocolVersion::TLS10, suite));
                    Ok(())
                }
            },
            TlsServerManner::Handshake(config) => {
                self.connection = Some(ServerConnection::new(config.clone())?);
                let raw = std::mem::take(&mut self.raw);
                self.feed(&raw)?;
                if self.asked_again() {
                    self.retried = Some(Box::new(hello));
                }
                Ok(())
            }
        }
    }

    /// Whether a HelloRetryRequest was said (RFC 8446 §4.1.4).
    fn asked_again(&self) -> bool {
        let kind = self.connection.as_ref().and_then(|connection| connection.handshake_kind());
        kind == Some(HandshakeKind::FullWithHelloRetryRequest)
    }

    /// Reads, beside the library, the ClientHello after a HelloRetryRequest. What cannot
    /// be read is for the library to refuse.
    fn read_second_hello(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while self.retried.is_some()
            && let Ok(Some(record)) = self.records.next_record(&mut input)
        {
            // change_cipher_spec and early data may stand before it (RFC 8446 §4.2.10,
            // appendix D.4).
            if record.content_type != ContentType::HANDSHAKE {
                continue;
            }
            self.messages.receive(record.fragment);
            let Ok(Some(message)) = self.messages.next_message() else { continue };
            let decoded = ClientHello::decode(message.body).ok();
            let hello = decoded.filter(|_| message.handshake_type == HandshakeType::CLIENT_HELLO);
            let first = self.retried.take();
            self.second_hello = first.zip(hello).map(|(first, second)| second_hello(*first, second));
        }
    }

    fn refuse(&mut self, description: AlertDescription) -> Result<(), TlsServerFault> {
        self.refusal = Some(description);
        Err(TlsServerFault::OnPurpose(description))
    }

    /// Reads what the client says to the flight of an old server: it goes along, or
    /// refuses.
    fn read_flight(&mut self, bytes: &[u8]) -> Result<(), TlsServerFault> {
        let mut input = bytes;
        let Some(record) = self.records.next_record(&mut input)? else { return Ok(()) };
        Err(match record.content_type {
            ContentType::ALERT => alert(record.fragment),
            ContentType::HANDSHAKE if record.fragment.first() == Some(&CLIENT_KEY_EXCHANGE) => {
                self.refusal = Some(AlertDescription::HANDSHAKE_FAILURE);
                TlsServerFault::Agreed
            }
            _ => TlsServerFault::NoClientKeyExchange,
        })
    }

    /// Gives the library all of `bytes`, and keeps what it decrypts.
    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), TlsServerFault> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        while !bytes.is_empty() && !self.closed {
            // It takes no bytes after close_notify, and says so by 0.
            let read = connection.read_tls(&mut bytes).map_err(|_| TlsServerFault::TooLong)?;
            let processed = connection.process_new_packets();
            take_decrypted(connection, &mut self.plain);
            self.closed = processed?.peer_has_closed() || read == 0;
        }
        Ok(())
    }
}

/// What an alert in place of a ClientHello says.
fn alert(fragment: &[u8]) -> TlsServerFault {
    let first = Alert::decode_all(fragment).ok().and_then(|mut alerts| alerts.next());
    match first {
        Some(Alert { level: AlertLevel::FATAL | AlertLevel::WARNING, description }) => {
            rustls::Error::AlertReceived(description.0.into()).into()
        }
        _ => TlsServerFault::NoClientHello,
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
