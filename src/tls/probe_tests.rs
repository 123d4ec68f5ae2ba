//! Whole answers, byte for byte, in every chunking and with every end.

use super::super::record::put_records;
use super::super::server_flight::KeyExchange;
use super::super::server_hello::HELLO_RETRY_RANDOM;
use super::*;
use crate::model::{CipherSuite, NamedGroup};
use proptest::collection::vec;
use proptest::prelude::*;

fn probe() -> HelloProbe {
    let hello = ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(0xc02f)], [7; 32]);
    HelloProbe::new(&hello).unwrap()
}

/// The answer to a probe that gets these pieces and then the end.
fn answer(pieces: &[&[u8]]) -> HelloAnswer {
    let mut probe = probe();
    assert!(matches!(probe.next(), HelloAction::Write(_)));
    for piece in pieces {
        probe.receive(piece);
        let expected = if probe.is_done() { HelloAction::Done } else { HelloAction::Read };
        assert_eq!(probe.next(), expected);
    }
    probe.receive_eof();
    assert_eq!(probe.next(), HelloAction::Done);
    probe.into_answer()
}

fn record(content_type: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_records(&mut out, ContentType(content_type), ProtocolVersion::TLS12, payload).unwrap();
    out
}

fn message(handshake_type: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[handshake_type], &length[1..], body].concat()
}

fn server_hello(version: u16, suite: u16, random: [u8; 32], extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    body.extend(extensions);
    message(2, &body)
}

/// A flight of TLS 1.2: hello, chain, stapled response, ECDHE, request, done.
fn flight() -> Vec<Vec<u8>> {
    vec![
        server_hello(0x0303, 0xc02f, [9; 32], &[0, 5, 0xff, 1, 0, 1, 0]),
        message(11, &[0, 0, 5, 0, 0, 2, 0x30, 0]),
        message(22, &[1, 0, 0, 1, 7]),
        message(12, &[3, 0, 29, 1, 4, 8, 4, 0, 1, 9]),
        message(13, &[1, 1, 0, 2, 4, 3, 0, 0]),
        message(14, &[]),
    ]
}

fn malformed(fault: &'static str) -> AnswerEnd {
    AnswerEnd::Malformed(Malformed { message: "flight", fault })
}

#[test]
fn a_flight_of_tls12_is_read_to_its_end() {
    let stream = record(22, &flight().concat());
    let read = answer(&[&stream]);
    assert_eq!(read.end, AnswerEnd::Complete);
    assert_eq!(read.version(), Some(ProtocolVersion::TLS12));
    assert_eq!(read.suite(), Some(CipherSuite(0xc02f)));
    assert_eq!((read.group(), read.dh_bits()), (Some(NamedGroup(29)), None));
    assert_eq!(read.signature_scheme().unwrap().0, 0x0804);
    assert_eq!(read.chain.as_ref().unwrap().certificates, [std::sync::Arc::from([0x30, 0].as_slice())]);
    assert!(read.ocsp_stapled && read.client_certificate_requested() && !read.hello_retry());
    assert_eq!(read.hello.as_ref().unwrap().extensions.len(), 1);
    // One record a message, and records of any size, are no different.
    let apart: Vec<u8> = flight().iter().flat_map(|message| record(22, message)).collect();
    assert_eq!(answer(&[&apart]), read);
    for size in 1..30 {
        let cut: Vec<u8> = flight().concat().chunks(size).flat_map(|piece| record(22, piece)).collect();
        assert_eq!(answer(&[&cut]), read, "records of {size} bytes");
    }
}

#[test]
fn sslv3_with_a_dh_prime_has_no_scheme() {
    let messages = [
        server_hello(0x0300, 0x0016, [9; 32], &[]),
        message(11, &[0, 0, 0]),
        message(12, &[0, 2, 0x80, 1, 0, 1, 2, 0, 1, 9, 0, 1, 9]),
        message(14, &[]),
    ];
    let read = answer(&[&record(22, &messages.concat())]);
    assert_eq!((read.end, read.version()), (AnswerEnd::Complete, Some(ProtocolVersion::SSL3)));
    assert_eq!((read.group(), read.dh_bits(), read.signature_scheme()), (None, Some(16), None));
    assert_eq!(read.key_exchange.unwrap().key_exchange, KeyExchange::Dh { prime_bits: 16 });
}

#[test]
fn tls13_ends_with_its_hello() {
    let shares = [0, 15, 0, 43, 0, 2, 3, 4, 0, 51, 0, 5, 0, 29, 0, 1, 7];
    let mut stream = record(22, &server_hello(0x0303, 0x1301, [9; 32], &shares));
    stream.extend(record(20, &[1]));
    stream.extend(record(23, &[1, 2, 3]));
    let read = answer(&[&stream]);
    assert_eq!((read.end, read.version()), (AnswerEnd::Complete, Some(ProtocolVersion::TLS13)));
    assert_eq!((read.group(), read.hello_retry()), (Some(NamedGroup(29)), false));
    let shares = [0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24];
    let read = answer(&[&record(22, &server_hello(0x0303, 0x1301, HELLO_RETRY_RANDOM, &shares))]);
    assert_eq!(
        (read.end, read.group(), read.hello_retry()),
        (AnswerEnd::Complete, Some(NamedGroup(24)), true)
    );
    // Nothing follows a retry, even one that forgets to name its version.
    let read = answer(&[&record(22, &server_hello(0x0303, 0x1301, HELLO_RETRY_RANDOM, &[]))]);
    assert_eq!((read.end, read.group(), read.hello_retry()), (AnswerEnd::Complete, None, true));
}

#[test]
fn an_alert_refuses_and_a_warning_does_not() {
    let read = answer(&[&record(21, &[2, 40])]);
    assert_eq!((read.alert().unwrap().0, read.warning, read.hello), (40, None, None));
    let mut stream = record(21, &[1, 112]);
    stream.extend(record(21, &[1, 90]));
    stream.extend(record(22, &flight().concat()));
    let read = answer(&[&stream]);
    assert_eq!((read.end, read.warning.unwrap().0), (AnswerEnd::Complete, 112));
    // Refused in the middle: what was said before stays.
    let stream = [record(22, &flight()[0]), record(21, &[2, 80])].concat();
    let read = answer(&[&stream]);
    assert_eq!((read.alert().unwrap().0, read.suite()), (80, Some(CipherSuite(0xc02f))));
    let read = answer(&[&record(21, &[1, 0])]);
    assert_eq!(read.alert().unwrap().name(), "close_notify");
}

#[test]
fn an_answer_may_end_at_any_byte() {
    let stream = record(22, &flight().concat());
    for end in 0..stream.len() {
        assert_eq!(answer(&[&stream[..end]]).end, AnswerEnd::Closed, "after {end}");
    }
    let mut silent = probe();
    silent.timed_out();
    silent.receive(&stream);
    assert_eq!(silent.into_answer().end, AnswerEnd::Timeout);
    assert_eq!(probe().into_answer().end, AnswerEnd::Unfinished);
}

#[test]
fn what_is_no_tls_is_told_apart() {
    assert_eq!(answer(&[b"454 4.7.0 no\r\n"]).end, AnswerEnd::NotTls { head: *b"454 4" });
    assert_eq!(answer(&[b"no"]).end, AnswerEnd::NotTls { head: *b"no\0\0\0" });
    assert_eq!(answer(&[&[0x80, 3, 0, 0, 1]]).end, AnswerEnd::Sslv2 { error: true });
    assert_eq!(answer(&[&[0x80, 40, 4, 0, 1, 0, 2]]).end, AnswerEnd::Sslv2 { error: false });
    let mut slow = probe();
    slow.receive(b"no");
    slow.timed_out();
    assert!(matches!(slow.into_answer().end, AnswerEnd::NotTls { .. }));
}

#[test]
fn what_comes_out_of_turn_is_malformed() {
    let [hello, chain, _, exchange, request, _] = flight().try_into().unwrap();
    for (stream, fault) in [
        (record(22, &chain), "a message before ServerHello"),
        (record(22, &[&hello[..], &hello].concat()), "a second ServerHello"),
        (record(22, &[&hello[..], &chain, &chain].concat()), "a second Certificate"),
        (record(22, &[&hello[..], &exchange, &exchange].concat()), "a second ServerKeyExchange"),
        (record(22, &[&hello[..], &request, &request].concat()), "a second CertificateRequest"),
        (record(20, &[1]), "a record that is neither handshake nor alert"),
        (record(23, &[1]), "a record that is neither handshake nor alert"),
    ] {
        assert_eq!(answer(&[&stream]).end, malformed(fault));
    }
    // HelloRequest and what is unknown may stand anywhere after the hello.
    let stream = [message(0, &[]), hello, message(99, &[1]), message(14, &[])].concat();
    assert_eq!(answer(&[&record(22, &stream)]).end, AnswerEnd::Complete);
    // A message that cannot be read keeps what came before it.
    let stream = [flight()[0].clone(), message(12, &[9])].concat();
    let read = answer(&[&record(22, &stream)]);
    assert!(matches!(read.end, AnswerEnd::Malformed(fault) if fault.message == "ServerKeyExchange"));
    assert_eq!(read.version(), Some(ProtocolVersion::TLS12));
}

#[test]
fn every_limit_has_its_end() {
    assert_eq!(answer(&[&[22, 3, 3, 0xff, 0xff]]).end, AnswerEnd::TooLong(Limit::RecordBytes));
    assert_eq!(answer(&[&record(22, &[2, 0xff, 0, 0])]).end, AnswerEnd::TooLong(Limit::MessageBytes));
    let empty = [22, 3, 3, 0, 0].repeat(RECORDS_MAX);
    assert_eq!(answer(&[&empty]).end, AnswerEnd::Closed);
    assert_eq!(answer(&[&empty, &[22, 3, 3, 0, 0]]).end, AnswerEnd::TooLong(Limit::Records));
    let mut flood = record(22, &flight()[0]);
    let filler = record(22, &message(99, &vec![0; 16_000]));
    flood.extend(filler.repeat(FLIGHT_BYTES_MAX / 16_000 + 1));
    assert_eq!(answer(&[&flood]).end, AnswerEnd::TooLong(Limit::FlightBytes));
}

#[test]
fn the_hello_is_handed_out_once() {
    let hello = ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(0xc02f)], [7; 32]);
    let mut probe = HelloProbe::new(&hello).unwrap();
    assert_eq!(probe.next(), HelloAction::Write(&hello.to_records().unwrap()));
    assert_eq!(probe.next(), HelloAction::Read);
    assert_eq!(probe.next(), HelloAction::Read);
}

/// Streams that get somewhere, among bytes of every kind.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let body = vec(any::<u8>(), 0..30);
    let said = prop_oneof![
        5 => (0..6_usize).prop_map(|index| flight()[index].clone()),
        1 => (any::<u8>(), body).prop_map(|(kind, body)| message(kind, &body)),
    ];
    let piece = prop_oneof![
        8 => said.prop_map(|message| record(22, &message)),
        1 => Just(record(22, &flight().concat())),
        1 => Just(record(21, &[1, 112])),
        1 => vec(any::<u8>(), 0..5).prop_map(|payload| record(21, &payload)),
        1 => vec(any::<u8>(), 0..20).prop_map(|payload| record(22, &payload)),
        1 => vec(any::<u8>(), 0..20),
    ];
    (any::<bool>(), vec(piece, 0..9)).prop_map(|(hello, pieces)| {
        let start = if hello { record(22, &flight()[0]) } else { Vec::new() };
        [start, pieces.concat()].concat()
    })
}

proptest! {
    #[test]
    fn cutting_up_changes_nothing(stream in stream(), cuts in vec(any::<prop::sample::Index>(), 0..12)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let whole = answer(&[&stream]);
        prop_assert_eq!(&answer(&pieces), &whole);
        prop_assert_eq!(&answer(&stream.chunks(1).collect::<Vec<_>>()), &whole);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in vec(vec(any::<u8>(), 0..300), 0..6)) {
        answer(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
