//! The record layer and the messages in it: records are what came in, however
//! it was cut, and a message is the same however records cut it.

use super::Seed;
use super::cuts::cuts;
use mxray::internals::model::ProtocolVersion;
use mxray::internals::tls::handshake::{HANDSHAKE_MESSAGE_BYTES_MAX, HandshakeReader, MessageTooLong};
use mxray::internals::tls::record::{ContentType, RECORD_BYTES_MAX, RecordFault, RecordReader};

/// All that a reader hands out of one stream.
#[derive(Debug, Default, PartialEq)]
struct Read {
    records: Vec<(u8, u16, Vec<u8>)>,
    /// Why no more can be read, or what the end of the stream shows.
    fault: Option<RecordFault>,
}

pub fn check(stream: &[u8]) {
    let [whole, bytes, odd] = cuts(stream).map(|pieces| read(&pieces));
    assert_eq!(whole, bytes, "byte by byte is no different");
    assert_eq!(whole, odd, "cutting changes nothing");
    assert!(stream.starts_with(&written(&whole)), "records are what came in");
    check_messages(&whole);
}

fn read(pieces: &[&[u8]]) -> Read {
    let mut reader = RecordReader::default();
    let mut read = Read::default();
    for piece in pieces {
        let mut input = *piece;
        loop {
            let before = input.len();
            let record = match reader.next_record(&mut input) {
                Ok(record) => record,
                Err(fault) => return Read { fault: Some(fault), ..read },
            };
            assert!(input.len() <= before, "no more is taken than was given");
            let Some(record) = record else {
                assert!(input.is_empty(), "all is taken before more is asked for");
                break;
            };
            assert!(input.len() < before, "a record takes what completes it");
            assert!(record.fragment.len() <= RECORD_BYTES_MAX);
            read.records.push((record.content_type.0, record.version.0, record.fragment.to_vec()));
        }
    }
    read.fault = reader.finish().err();
    read
}

/// The records as they stood in the stream.
fn written(read: &Read) -> Vec<u8> {
    let mut out = Vec::new();
    for (content_type, version, fragment) in &read.records {
        out.push(*content_type);
        out.extend(version.to_be_bytes());
        out.extend(u16::try_from(fragment.len()).unwrap().to_be_bytes());
        out.extend(fragment);
    }
    out
}

/// Messages over record boundaries, against the same bytes in one piece.
fn check_messages(read: &Read) {
    let fragments: Vec<&[u8]> = read
        .records
        .iter()
        .filter(|(content_type, ..)| *content_type == ContentType::HANDSHAKE.0)
        .map(|(_, _, fragment)| fragment.as_slice())
        .collect();
    let whole = fragments.concat();
    let (messages, too_long) = read_messages(&[&whole]);
    assert_eq!((&messages, too_long), (&read_messages(&fragments).0, read_messages(&fragments).1));
    let written: Vec<u8> = messages.iter().flat_map(|(kind, body)| message(*kind, body)).collect();
    assert!(whole.starts_with(&written), "messages are what came in");
}

fn read_messages(fragments: &[&[u8]]) -> (Vec<(u8, Vec<u8>)>, Option<MessageTooLong>) {
    let mut reader = HandshakeReader::default();
    let mut messages = Vec::new();
    for fragment in fragments {
        reader.receive(fragment);
        loop {
            match reader.next_message() {
                Ok(None) => break,
                Ok(Some(message)) => {
                    assert!(message.body.len() <= HANDSHAKE_MESSAGE_BYTES_MAX);
                    messages.push((message.handshake_type.0, message.body.to_vec()));
                }
                Err(too_long) => return (messages, Some(too_long)),
            }
        }
    }
    (messages, None)
}

/// A handshake message as it is written.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

/// A record of TLS 1.2.
pub fn record(content_type: ContentType, fragment: &[u8]) -> Vec<u8> {
    let version = ProtocolVersion::TLS12.0;
    written(&Read { records: vec![(content_type.0, version, fragment.to_vec())], fault: None })
}

pub fn seeds() -> Vec<Seed> {
    let done = message(14, &[]);
    let chain = message(11, &[0, 0, 5, 0, 0, 2, 0x30, 0]);
    let two = record(ContentType::HANDSHAKE, &[chain.clone(), done].concat());
    let (front, back) = chain.split_at(6);
    let cut = [record(ContentType::HANDSHAKE, front), record(ContentType::HANDSHAKE, back)].concat();
    vec![
        ("two-messages-in-one-record", two),
        ("one-message-in-two-records", cut),
        ("empty-record", record(ContentType::HANDSHAKE, &[])),
        ("alert", record(ContentType::ALERT, &[2, 40])),
        ("sslv2-server-hello", vec![0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0]),
        ("sslv2-error", vec![0x80, 3, 0, 0, 1]),
        ("smtp", b"220 mx.example ESMTP\r\n".to_vec()),
        ("record-too-long", vec![22, 3, 3, 0xff, 0xff]),
        ("message-too-long", record(ContentType::HANDSHAKE, &[11, 0xff, 0xff, 0xff])),
    ]
}
