//! Records whole, in pieces and too long, and what is no record.

use super::*;
use proptest::prelude::*;

/// Type, version and content of a record.
type SeenRecord = (u8, u16, Vec<u8>);

/// What a stream that comes in these pieces and then ends is read as.
fn read(pieces: &[&[u8]]) -> (Vec<SeenRecord>, Result<(), RecordFault>) {
    let mut reader = RecordReader::default();
    let mut records = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match reader.next_record(&mut input) {
                Ok(Some(record)) => {
                    records.push((record.content_type.0, record.version.0, record.fragment.to_vec()));
                }
                Ok(None) => break,
                Err(fault) => return (records, Err(fault)),
            }
        }
        assert!(input.is_empty());
        assert!(reader.buffer.len() <= HEADER_BYTES + RECORD_BYTES_MAX);
    }
    (records, reader.finish())
}

fn fault(stream: &[u8]) -> RecordFault {
    let (_, end) = read(&[stream]);
    end.unwrap_err()
}

#[test]
fn records_of_every_type_are_handed_out() {
    let stream = b"\x16\x03\x01\x00\x02hi\x15\x03\x03\x00\x00\x14\x03\x03\x00\x01\x01\x17\x03\x04\x00\x03abc";
    let (records, end) = read(&[stream]);
    let expected: [(u8, u16, &[u8]); 4] =
        [(22, 0x0301, b"hi"), (21, 0x0303, b""), (20, 0x0303, b"\x01"), (23, 0x0304, b"abc")];
    assert_eq!(records.len(), 4);
    for (have, want) in records.iter().zip(expected) {
        assert_eq!((have.0, have.1, have.2.as_slice()), want);
    }
    assert_eq!(end, Ok(()));
}

#[test]
fn a_record_that_is_not_whole_is_no_fault() {
    assert_eq!(read(&[]), (vec![], Ok(())));
    assert_eq!(read(&[b"\x16\x03"]), (vec![], Ok(())));
    assert_eq!(read(&[b"\x16\x03\x01\x00\x02h"]), (vec![], Ok(())));
}

#[test]
fn what_is_no_tls_is_said_so() {
    assert_eq!(fault(b"454 4.7.0 TLS not available\r\n"), RecordFault::NotTls { head: *b"454 4" });
    assert_eq!(fault(b"HTTP/1.1 400").to_string(), "not a TLS record: HTTP/");
    assert_eq!(fault(b"\x16\x02\x00\x00\x00"), RecordFault::NotTls { head: *b"\x16\x02\0\0\0" });
    assert_eq!(fault(b"\x19\x03\x01\x00\x00"), RecordFault::NotTls { head: *b"\x19\x03\x01\0\0" });
    // Too short for a header, but not for being none.
    assert_eq!(fault(b"no"), RecordFault::NotTls { head: *b"no\0\0\0" });
    // The second record counts as well as the first.
    let (records, end) = read(&[b"\x16\x03\x01\x00\x01hERROR"]);
    assert_eq!((records.len(), end), (1, Err(RecordFault::NotTls { head: *b"ERROR" })));
}

#[test]
fn sslv2_is_recognised() {
    assert_eq!(fault(b"\x80\x03\x00\x00\x01"), RecordFault::Sslv2 { error: true });
    let hello = b"\x80\x0b\x04\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00";
    assert_eq!(fault(hello), RecordFault::Sslv2 { error: false });
    assert_eq!(fault(hello).to_string(), "an SSLv2 ServerHello");
    // Too short for a SERVER-HELLO, too long for an ERROR.
    assert!(matches!(fault(b"\x80\x0a\x04\x00\x01"), RecordFault::NotTls { .. }));
    assert!(matches!(fault(b"\x80\x04\x00\x00\x01"), RecordFault::NotTls { .. }));
}

#[test]
fn a_record_is_bounded() {
    let length = u16::try_from(RECORD_BYTES_MAX).unwrap();
    let mut stream = vec![22, 3, 3];
    stream.extend(length.to_be_bytes());
    stream.extend(vec![0; RECORD_BYTES_MAX]);
    assert_eq!(read(&[&stream]).0.len(), 1);
    stream[3..5].copy_from_slice(&(length + 1).to_be_bytes());
    assert_eq!(fault(&stream), RecordFault::TooLong(RECORD_BYTES_MAX + 1));
}

#[test]
fn a_long_payload_becomes_several_records() {
    let mut out = Vec::new();
    let payload = vec![7; PLAINTEXT_BYTES_MAX + 1];
    put_records(&mut out, ContentType::HANDSHAKE, ProtocolVersion::TLS12, &payload).unwrap();
    let (records, end) = read(&[&out]);
    let lengths: Vec<usize> = records.iter().map(|record| record.2.len()).collect();
    assert_eq!((lengths.as_slice(), end), ([PLAINTEXT_BYTES_MAX, 1].as_slice(), Ok(())));
}

proptest! {
    #[test]
    fn cutting_up_changes_nothing(
        records in proptest::collection::vec(
            (20..26_u8, proptest::collection::vec(any::<u8>(), 0..40)), 0..6),
        tail in proptest::collection::vec(any::<u8>(), 0..12),
        cut in 1..9_usize,
    ) {
        let mut stream = Vec::new();
        for (content_type, payload) in records {
            put_records(&mut stream, ContentType(content_type), ProtocolVersion::TLS12, &payload).unwrap();
        }
        stream.extend(tail);
        let whole = read(&[&stream]);
        prop_assert_eq!(read(&stream.chunks(1).collect::<Vec<_>>()), whole.clone());
        prop_assert_eq!(read(&stream.chunks(cut).collect::<Vec<_>>()), whole);
    }
}
