//! One hello and what comes of it: the state machine between the two.

use super::alert::Alert;
use super::answer::{AnswerEnd, HelloAnswer, Limit};
use super::client_hello::ClientHello;
use super::handshake::{HandshakeReader, HandshakeType, Message};
use super::record::{ContentType, RecordFault, RecordReader};
use super::server_flight::{CertificateMessage, CertificateRequest, ServerKeyExchange};
use super::server_hello::ServerHello;
use super::wire::{Malformed, TooLong};
use crate::model::ProtocolVersion;

/// Most records of one answer. A flight has less than ten; a server may cut
/// it finer.
pub const RECORDS_MAX: usize = 1024;
/// Most bytes of one answer, without the headers of its records.
pub const FLIGHT_BYTES_MAX: usize = 256 * 1024;

/// What the driver is to do now.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloAction<'a> {
    /// Send this. Handed out once: asking for the next step says it was sent.
    Write(&'a [u8]),
    /// Wait for bytes, the end of the stream or the deadline.
    Read,
    /// All is said; close the connection.
    Done,
}

/// Sends one ClientHello and reads what the server would have agreed to.
///
/// It is done at the end of what comes in clear: ServerHelloDone, or in TLS
/// 1.3 ServerHello or HelloRetryRequest, or the alert that refuses. The first
/// of these counts, and nothing after it.
///
/// ```
/// use mxray::{CipherSuite, ProtocolVersion};
/// use mxray::hello::{AnswerEnd, ClientHello, HelloAction, HelloProbe};
/// let hello = ClientHello::new(ProtocolVersion::TLS10, [CipherSuite(0x000a)], [7; 32]);
/// let mut probe = HelloProbe::new(&hello).unwrap();
/// assert!(matches!(probe.next(), HelloAction::Write(bytes) if bytes.starts_with(&[22, 3, 1])));
/// assert_eq!(probe.next(), HelloAction::Read);
/// probe.receive(&[21, 3, 1, 0, 2, 2, 70]);
/// assert_eq!(probe.next(), HelloAction::Done);
/// let answer = probe.into_answer();
/// assert!(matches!(answer.end, AnswerEnd::Alert(alert) if alert.description.name() == "protocol_version"));
/// ```
#[derive(Debug)]
pub struct HelloProbe {
    hello: Vec<u8>,
    /// Whether the hello was handed out.
    written: bool,
    records: RecordReader,
    messages: HandshakeReader,
    records_seen: usize,
    bytes_seen: usize,
    answer: HelloAnswer,
}

impl HelloProbe {
    /// A probe on a connection that is ready for TLS.
    ///
    /// # Errors
    /// Where the hello cannot be written.
    pub fn new(hello: &ClientHello) -> Result<Self, TooLong> {
        Ok(Self {
            hello: hello.to_records()?,
            written: false,
            records: RecordReader::default(),
            messages: HandshakeReader::default(),
            records_seen: 0,
            bytes_seen: 0,
            answer: HelloAnswer::default(),
        })
    }

    /// What to do now.
    // Not an iterator: a step borrows from the probe, and there is always one.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> HelloAction<'_> {
        if self.is_done() {
            return HelloAction::Done;
        }
        if self.written {
            return HelloAction::Read;
        }
        self.written = true;
        HelloAction::Write(&self.hello)
    }

    /// Takes bytes of the server. Any cutting up gives the same answer.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while !self.is_done() {
            match self.next_record(&mut input) {
                Ok(true) => {}
                Ok(false) => break,
                Err(end) => self.answer.end = end,
            }
        }
    }

    /// The server closed the connection. That counts after all bytes that
    /// came in before.
    pub fn receive_eof(&mut self) {
        self.stop(AnswerEnd::Closed);
    }

    /// The deadline has passed.
    pub fn timed_out(&mut self) {
        self.stop(AnswerEnd::Timeout);
    }

    /// The server has sent more than the driver takes from it in one session.
    pub fn too_many_bytes(&mut self) {
        self.stop(AnswerEnd::TooLong(Limit::SessionBytes));
    }

    /// What was answered, up to here.
    pub fn into_answer(self) -> HelloAnswer {
        self.answer
    }

    fn is_done(&self) -> bool {
        self.answer.end != AnswerEnd::Unfinished
    }

    fn stop(&mut self, end: AnswerEnd) {
        if !self.is_done() {
            self.answer.end = self.records.finish().map_or_else(AnswerEnd::from, |()| end);
        }
    }

    /// Reads one record, if it is whole; how the answer ends, if it does.
    fn next_record(&mut self, input: &mut &[u8]) -> Result<bool, AnswerEnd> {
        let Some(record) = self.records.next_record(input)? else { return Ok(false) };
        self.records_seen += 1;
        self.bytes_seen += record.fragment.len();
        if self.records_seen > RECORDS_MAX {
            return Err(AnswerEnd::TooLong(Limit::Records));
        }
        if self.bytes_seen > FLIGHT_BYTES_MAX {
            return Err(AnswerEnd::TooLong(Limit::FlightBytes));
        }
        let chosen = self.answer.hello.as_ref().map(|hello| hello.legacy_version);
        if chosen.is_some_and(|chosen| chosen != record.version) {
            self.answer.foreign_record.get_or_insert(record.version);
        }
        match record.content_type {
            ContentType::ALERT => take_alerts(&mut self.answer, record.fragment)?,
            ContentType::HANDSHAKE => {
                self.messages.receive(record.fragment);
                while let Some(message) =
                    self.messages.next_message().map_err(|_| AnswerEnd::TooLong(Limit::MessageBytes))?
                {
                    take_message(&mut self.answer, message)?;
                }
            }
            _ => return Err(unexpected("a record that is neither handshake nor alert")),
        }
        Ok(true)
    }
}

impl From<RecordFault> for AnswerEnd {
    fn from(fault: RecordFault) -> Self {
        match fault {
            RecordFault::Sslv2 { error } => AnswerEnd::Sslv2 { error },
            RecordFault::NotTls { head } => AnswerEnd::NotTls { head },
            RecordFault::TooLong(_) => AnswerEnd::TooLong(Limit::RecordBytes),
        }
    }
}

impl From<Malformed> for AnswerEnd {
    fn from(fault: Malformed) -> Self {
        AnswerEnd::Malformed(fault)
    }
}

fn unexpected(fault: &'static str) -> AnswerEnd {
    AnswerEnd::Malformed(Malformed { message: "flight", fault })
}

/// A warning is noted, anything else ends the answer.
fn take_alerts(answer: &mut HelloAnswer, fragment: &[u8]) -> Result<(), AnswerEnd> {
    for alert in Alert::decode_all(fragment)? {
        if alert.ends_handshake() {
            return Err(AnswerEnd::Alert(alert));
        }
        answer.warning.get_or_insert(alert.description);
    }
    Ok(())
}

/// Takes what a message says into the answer, in the order of RFC 5246 §7.3.
fn take_message(answer: &mut HelloAnswer, message: Message<'_>) -> Result<(), AnswerEnd> {
    let chosen = answer.hello.as_ref().map(|hello| (hello.version(), hello.suite));
    match (message.handshake_type, chosen) {
        (HandshakeType::HELLO_REQUEST, _) => Ok(()),
        (HandshakeType::SERVER_HELLO, None) => take_hello(answer, message.body),
        (HandshakeType::SERVER_HELLO, Some(_)) => Err(unexpected("a second ServerHello")),
        (_, None) => Err(unexpected("a message before ServerHello")),
        (HandshakeType::CERTIFICATE, Some(_)) => {
            fill(&mut answer.chain, CertificateMessage::decode(message.body)?, "a second Certificate")
        }
        (HandshakeType::SERVER_KEY_EXCHANGE, Some((version, suite))) => {
            let read = ServerKeyExchange::decode(message.body, version, suite)?;
            fill(&mut answer.key_exchange, read, "a second ServerKeyExchange")
        }
        (HandshakeType::CERTIFICATE_REQUEST, Some((version, _))) => {
            let read = CertificateRequest::decode(message.body, version)?;
            fill(&mut answer.certificate_request, read, "a second CertificateRequest")
        }
        (HandshakeType::CERTIFICATE_STATUS, Some(_)) => {
            answer.ocsp_stapled = true;
            Ok(())
        }
        (HandshakeType::SERVER_HELLO_DONE, Some(_)) if message.body.is_empty() => Err(AnswerEnd::Complete),
        (HandshakeType::SERVER_HELLO_DONE, Some(_)) => {
            Err(unexpected("a ServerHelloDone that says something"))
        }
        // Supplemental data and whatever else: it stands between, and is not ours.
        (_, Some(_)) => Ok(()),
    }
}

/// From TLS 1.3 on all that follows is encrypted, and after a retry it is for
/// the client to speak.
fn take_hello(answer: &mut HelloAnswer, body: &[u8]) -> Result<(), AnswerEnd> {
    let hello = ServerHello::decode(body)?;
    let last = hello.is_hello_retry() || hello.version() >= ProtocolVersion::TLS13;
    answer.hello = Some(hello);
    if last { Err(AnswerEnd::Complete) } else { Ok(()) }
}

fn fill<T>(place: &mut Option<T>, value: T, fault: &'static str) -> Result<(), AnswerEnd> {
    match place.replace(value) {
        None => Ok(()),
        Some(first) => {
            *place = Some(first);
            Err(unexpected(fault))
        }
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
