//! What a server says in clear while a handshake is under way, on its way to a
//! TLS library: HelloRequests are taken out, and what the library does not
//! tell is noted.
//!
//! A server may send a HelloRequest at any time, and a client that is
//! negotiating a session already has to ignore it (RFC 5246 §7.4.1.1). rustls
//! ends the handshake over it.

use super::handshake::{HANDSHAKE_MESSAGE_BYTES_MAX, HandshakeType};
use super::objection::{self, Objection};
use super::record::{ContentType, HEADER_BYTES, PLAINTEXT_BYTES_MAX, RecordFault, RecordReader};
use super::server_hello::{MARK_BYTES, ServerHello, mark_of};
use crate::model::{DowngradeMark, ProtocolVersion};

/// Length of a message's header, in bytes.
const MESSAGE_HEADER_BYTES: usize = 4;
/// A HelloRequest, which is a header and nothing else.
const HELLO_REQUEST: [u8; MESSAGE_HEADER_BYTES] = [0; MESSAGE_HEADER_BYTES];
/// Most empty records of handshake messages in a row that are passed over. They
/// are forbidden (RFC 8446 §5.1), and OpenSSL takes as many.
const EMPTY_RECORDS_MAX: u32 = 32;
/// Where the end of the random stands in a ServerHello.
const RANDOM_END_AT: usize = SESSION_ID_LENGTH_AT - MARK_BYTES;
/// Where the length of the session id stands in a ServerHello, behind the
/// version and the random (RFC 5246 §7.4.1.3).
const SESSION_ID_LENGTH_AT: usize = 34;
/// Lifetime hint and length, which a NewSessionTicket without a ticket has too
/// (RFC 5077 §3.3).
const EMPTY_TICKET_BYTES: usize = 6;

/// What a server of TLS 1.2 or before says in clear about resuming the
/// session. Whether it would resume is not tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resumable {
    /// NewSessionTicket messages with a ticket in them (RFC 5077 §3.3).
    pub tickets: u32,
    /// Whether the ServerHello names a session id (RFC 5246 §7.4.1.3).
    pub session_id: bool,
}

/// The end of the ServerHello's random, which speaks of newer versions (RFC
/// 8446 §4.1.3): as much as came by.
#[derive(Clone, Copy, Debug, Default)]
struct RandomEnd {
    bytes: [u8; MARK_BYTES],
    known: usize,
}

/// Hands a stream on record by record, as long as it is in clear.
#[derive(Debug)]
pub(super) struct InClear {
    records: RecordReader,
    messages: MessageFilter,
    /// What of the record that came in goes to the library.
    out: Vec<u8>,
    last: ContentType,
    /// Empty records in a row.
    empty: u32,
    /// The version in the header of a record behind the ServerHello that is not
    /// the chosen one.
    foreign_record: Option<ProtocolVersion>,
}

impl Default for InClear {
    fn default() -> Self {
        Self {
            records: RecordReader::default(),
            messages: MessageFilter::default(),
            out: Vec::new(),
            last: ContentType::HANDSHAKE,
            empty: 0,
            foreign_record: None,
        }
    }
}

impl InClear {
    /// Takes one record from the front of `input`, and gives what of it is the
    /// library's; `None` where it is not whole yet.
    ///
    /// # Errors
    /// Where there is no record.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, RecordFault> {
        let Some(record) = self.records.next_record(input)? else { return Ok(None) };
        self.out.clear();
        let (content_type, version) = (record.content_type, record.version);
        self.last = content_type;
        let spoken = matches!(content_type, ContentType::HANDSHAKE | ContentType::CHANGE_CIPHER_SPEC);
        let chosen = self.messages.server_hello.as_ref().and_then(before_tls13);
        if spoken && chosen.is_some_and(|chosen| chosen != version) {
            self.foreign_record.get_or_insert(version);
        }
        self.empty = if record.fragment.is_empty() { self.empty + 1 } else { 0 };
        if content_type == ContentType::HANDSHAKE && self.empty <= EMPTY_RECORDS_MAX {
            for part in self.messages.pass(record.fragment).chunks(PLAINTEXT_BYTES_MAX) {
                put_record(&mut self.out, content_type, version, part);
            }
            return Ok(Some(&self.out));
        }
        if content_type != ContentType::HANDSHAKE {
            // The library is to see that a message was interrupted.
            let held = self.messages.release();
            if !held.is_empty() {
                put_record(&mut self.out, ContentType::HANDSHAKE, version, held);
            }
        }
        put_record(&mut self.out, content_type, version, record.fragment);
        Ok(Some(&self.out))
    }

    /// Whether what follows the last record is encrypted. In TLS 1.3 a
    /// ChangeCipherSpec says nothing (RFC 8446 §D.4), and encrypted records
    /// show by their type.
    pub(super) fn is_over(&self, tls13: bool) -> bool {
        match self.last {
            ContentType::APPLICATION_DATA => true,
            ContentType::CHANGE_CIPHER_SPEC => !tls13,
            _ => false,
        }
    }

    /// The part of a record that came in so far.
    pub(super) fn unfinished(&self) -> &[u8] {
        self.records.unfinished()
    }

    /// What the end of the stream shows.
    ///
    /// # Errors
    /// Where what is left does not begin a record.
    pub(super) fn finish(&self) -> Result<(), RecordFault> {
        self.records.finish()
    }

    /// What [`Self::next`] gave last.
    pub(super) fn passed(&self) -> &[u8] {
        &self.out
    }

    /// The ServerHello, or the HelloRetryRequest, that came last.
    pub(super) fn server_hello(&self) -> Option<&ServerHello> {
        self.messages.server_hello.as_ref()
    }

    /// What clients end the handshake over and the library does not look at.
    /// `session_id` is that of the ClientHello.
    pub(super) fn objection(&self, session_id: Option<&[u8]>) -> Option<Objection> {
        let hello = self.server_hello()?;
        let checked = match (before_tls13(hello), session_id) {
            (Some(_), _) => objection::check_renegotiation(hello)
                .and_then(|()| objection::check_records(self.foreign_record)),
            (None, Some(session_id)) => objection::check_echo(session_id, hello),
            (None, None) => Ok(()),
        };
        checked.err()
    }

    /// What clients say to a suite of another version, where the library finds
    /// one: it does not tell over which of them every client ends the handshake.
    pub(super) fn objection_to_suite(&self) -> Option<Objection> {
        objection::check_suite(self.server_hello()?).err()
    }

    /// What was said of resuming.
    pub(super) fn resumable(&self) -> Resumable {
        self.messages.resumable
    }

    /// What the random of the ServerHello says of newer versions; `None` before
    /// it came.
    pub(super) fn downgrade_mark(&self) -> Option<DowngradeMark> {
        let RandomEnd { bytes, known } = &self.messages.random_end;
        (*known == MARK_BYTES).then(|| mark_of(bytes))
    }
}

/// The version that was chosen, if it is older than TLS 1.3.
fn before_tls13(hello: &ServerHello) -> Option<ProtocolVersion> {
    let chosen = Some(hello.version()).filter(|version| *version < ProtocolVersion::TLS13);
    chosen.filter(|_| !hello.is_hello_retry())
}

fn put_record(out: &mut Vec<u8>, content_type: ContentType, version: ProtocolVersion, fragment: &[u8]) {
    let length = u16::try_from(fragment.len()).unwrap_or(u16::MAX);
    out.reserve(HEADER_BYTES + fragment.len());
    out.push(content_type.0);
    out.extend_from_slice(&version.0.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(fragment);
}

/// Takes HelloRequests out of a stream of handshake messages, wherever records
/// cut it. Holds less than one header.
#[derive(Debug, Default)]
struct MessageFilter {
    header: Vec<u8>,
    message: Under,
    out: Vec<u8>,
    resumable: Resumable,
    random_end: RandomEnd,
    /// What came of a ServerHello, up to its end.
    server_hello_body: Vec<u8>,
    server_hello: Option<ServerHello>,
}

impl RandomEnd {
    /// Sees a part of a ServerHello go by, of which `passed` bytes have.
    fn note(&mut self, passed: usize, part: &[u8]) {
        for (place, kept) in self.bytes.iter_mut().enumerate() {
            let at = (RANDOM_END_AT + place).checked_sub(passed);
            if let Some(byte) = at.and_then(|at| part.get(at)) {
                *kept = *byte;
                self.known = place + 1;
            }
        }
    }
}

/// The message whose body is passing.
#[derive(Clone, Copy, Debug, Default)]
struct Under {
    handshake_type: u8,
    length: usize,
    /// How much of the body went by.
    passed: usize,
}

impl MessageFilter {
    /// What of a fragment, and of what was held before it, goes on.
    fn pass(&mut self, mut fragment: &[u8]) -> &[u8] {
        self.out.clear();
        while !fragment.is_empty() {
            let left = self.message.length - self.message.passed;
            let wanted = if left > 0 { left } else { MESSAGE_HEADER_BYTES - self.header.len() };
            let (taken, rest) = fragment.split_at(wanted.min(fragment.len()));
            fragment = rest;
            if left > 0 {
                self.note(taken);
                self.out.extend_from_slice(taken);
            } else {
                self.header.extend_from_slice(taken);
                self.begin();
            }
        }
        &self.out
    }

    /// Begins a message once its header is whole.
    fn begin(&mut self) {
        let Some(&header) = self.header.first_chunk::<MESSAGE_HEADER_BYTES>() else { return };
        self.header.clear();
        if header == HELLO_REQUEST {
            return;
        }
        let [handshake_type, high, middle, low] = header;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.message = Under { handshake_type, length, passed: 0 };
        self.out.extend_from_slice(&header);
        let ticket = HandshakeType(handshake_type) == HandshakeType::NEW_SESSION_TICKET;
        if ticket && length > EMPTY_TICKET_BYTES {
            self.resumable.tickets = self.resumable.tickets.saturating_add(1);
        }
    }

    /// Sees a part of a body go by.
    fn note(&mut self, part: &[u8]) {
        let Under { handshake_type, passed, .. } = self.message;
        self.message.passed += part.len();
        if HandshakeType(handshake_type) == HandshakeType::SERVER_HELLO {
            self.random_end.note(passed, part);
            let length = SESSION_ID_LENGTH_AT.checked_sub(passed).and_then(|place| part.get(place));
            self.resumable.session_id |= length.is_some_and(|length| *length > 0);
            self.keep(part);
        }
    }

    /// Keeps a part of a ServerHello, and reads it once it is whole. One that
    /// cannot be read the library refuses.
    fn keep(&mut self, part: &[u8]) {
        let Under { length, passed, .. } = self.message;
        if length > HANDSHAKE_MESSAGE_BYTES_MAX {
            return;
        }
        self.server_hello_body.extend_from_slice(part);
        if passed == length {
            self.server_hello = ServerHello::decode(&self.server_hello_body).ok();
            self.server_hello_body = Vec::new();
        }
    }

    /// Gives up a header that does not come to its end.
    fn release(&mut self) -> &[u8] {
        self.out.clear();
        self.out.append(&mut self.header);
        &self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content_type: u8, fragment: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_record(&mut out, ContentType(content_type), ProtocolVersion::TLS12, fragment);
        out
    }

    /// What the library is given of these records, and what was noted.
    fn pass(records: &[Vec<u8>]) -> (Vec<u8>, Resumable) {
        let mut filter = InClear::default();
        let stream = records.concat();
        let mut input = &stream[..];
        let mut out = Vec::new();
        while let Some(part) = filter.next(&mut input).unwrap() {
            out.extend_from_slice(part);
        }
        (out, filter.resumable())
    }

    #[test]
    fn a_hello_request_is_ignored_wherever_it_stands() {
        let hello = [2, 0, 0, 2, 3, 3];
        let done = [14, 0, 0, 0];
        for records in [
            vec![record(22, &HELLO_REQUEST), record(22, &hello), record(22, &done)],
            vec![record(22, &[&HELLO_REQUEST[..], &hello].concat()), record(22, &done)],
            vec![record(22, &[&hello[..], &HELLO_REQUEST, &HELLO_REQUEST].concat()), record(22, &done)],
            vec![record(22, &hello), record(22, &[0, 0]), record(22, &[0, 0]), record(22, &done)],
        ] {
            let (passed, _) = pass(&records);
            let mut reader = RecordReader::default();
            let (mut input, mut messages) = (&passed[..], Vec::new());
            while let Some(record) = reader.next_record(&mut input).unwrap() {
                messages.extend_from_slice(record.fragment);
            }
            assert_eq!(messages, [&hello[..], &done].concat(), "{records:?}");
        }
    }

    #[test]
    fn what_holds_no_hello_request_goes_on_as_it_came() {
        let records = [
            record(21, &[1, 112]),
            record(23, b""),
            record(22, &[11, 0, 0, 5, 0, 0]),
            record(22, &[0, 0, 0, 14, 0, 0, 0]),
            record(20, &[1]),
        ];
        assert_eq!(pass(&records).0, records.concat());
        // A header that is broken off by an alert is seen by the library too.
        let broken = [record(22, &[0, 0]), record(21, &[2, 40])];
        assert_eq!(pass(&broken).0, broken.concat());
    }

    #[test]
    fn a_few_empty_records_are_passed_over() {
        let empty = record(22, b"");
        assert_eq!(pass(&vec![empty.clone(); 32]).0, b"");
        assert_eq!(pass(&vec![empty.clone(); 34]).0, [&empty[..], &empty].concat());
        let apart = [vec![empty; 32], vec![record(22, &[14, 0, 0, 0])]].concat();
        assert_eq!(pass(&[apart.clone(), apart].concat()).0, record(22, &[14, 0, 0, 0]).repeat(2));
    }

    #[test]
    fn tickets_and_session_ids_are_told_apart() {
        let hello = |id: u8| {
            let body = [&[3, 3][..], &[7; 32], &[id], &vec![9; usize::from(id)]].concat();
            [&[2, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat()
        };
        let ticket = [4, 0, 0, 7, 0, 0, 0, 0, 0, 1, 9];
        let none = [4, 0, 0, 6, 0, 0, 0, 0, 0, 0];
        for (messages, expected) in [
            (hello(0), Resumable { tickets: 0, session_id: false }),
            (hello(32), Resumable { tickets: 0, session_id: true }),
            ([&hello(0)[..], &ticket].concat(), Resumable { tickets: 1, session_id: false }),
            ([&hello(1)[..], &none].concat(), Resumable { tickets: 0, session_id: true }),
        ] {
            for size in 1..messages.len() {
                let records: Vec<Vec<u8>> = messages.chunks(size).map(|part| record(22, part)).collect();
                assert_eq!(pass(&records).1, expected, "records of {size} bytes");
            }
        }
    }

    #[test]
    fn the_mark_of_a_downgrade_is_seen_however_records_cut_it() {
        for (end, expected) in [
            (b"DOWNGRD\x01", DowngradeMark::Tls12),
            (b"DOWNGRD\x00", DowngradeMark::Tls11),
            (b"DOWNGRD\x02", DowngradeMark::None),
        ] {
            let body = [&[3, 3][..], &[7; 24], end, &[0, 0xc0, 0x2f, 0]].concat();
            let message = [&[2, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat();
            for size in 1..=message.len() {
                let mut filter = InClear::default();
                assert_eq!(filter.downgrade_mark(), None);
                for part in message.chunks(size) {
                    let stream = record(22, part);
                    let _ = filter.next(&mut &stream[..]).unwrap();
                }
                assert_eq!(filter.downgrade_mark(), Some(expected), "records of {size} bytes");
            }
        }
    }
}
