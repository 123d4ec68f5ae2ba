//! The rules of reply framing, one by one.

use super::*;

fn read(stream: &[u8]) -> Vec<Result<Reply, ReplyFault>> {
    let mut reader = ReplyReader::default();
    reader.receive(stream);
    let mut replies = Vec::new();
    while let Some(reply) = reader.next_reply() {
        let failed = reply.is_err();
        replies.push(reply);
        if failed {
            break;
        }
    }
    replies
}

fn only(stream: &[u8]) -> Result<Reply, ReplyFault> {
    let mut replies = read(stream);
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies.remove(0)
}

#[test]
fn lines_become_one_reply() {
    let reply = only(b"250-mx.example\r\n250-SIZE 10\r\n250 STARTTLS\r\n").unwrap();
    assert_eq!(reply.code, 250);
    assert_eq!(reply.lines, ["mx.example", "SIZE 10", "STARTTLS"]);
    assert_eq!(reply.deviations, []);
}

#[test]
fn replies_follow_each_other() {
    let codes: Vec<u16> = read(b"220 a\r\n250 b\r\n221\r\n").into_iter().map(|r| r.unwrap().code).collect();
    assert_eq!(codes, [220, 250, 221]);
}

#[test]
fn unfinished_replies_are_waited_for() {
    for stream in [&b""[..], b"220 a", b"220 a\r", b"250-a\r\n", b"250-a\r\n250 b"] {
        assert_eq!(read(stream), []);
    }
}

#[test]
fn separators_are_blank_hyphen_or_nothing() {
    assert_eq!(only(b"220\r\n").unwrap().lines, [""]);
    assert_eq!(only(b"220 \r\n").unwrap().lines, [""]);
    assert_eq!(only(b"220  a\r\n").unwrap().lines, [" a"]);
    assert_eq!(only(b"220-\r\n220\r\n").unwrap().lines, ["", ""]);
    for line in ["220a", "220\ta", "22 a", "2200 a", "+OK", "199 a", "600 a", "2", " ", "SSH-2.0-x"] {
        let stream = format!("{line}\r\n");
        assert!(matches!(only(stream.as_bytes()), Err(ReplyFault::NotReply(_))), "{line}");
    }
}

#[test]
fn codes_keep_still() {
    assert_eq!(only(b"220-a\r\n221 b\r\n"), Err(ReplyFault::CodeChange(220, 221)));
    assert_eq!(only(b"220-a\r\nhello\r\n"), Err(ReplyFault::BadLine("hello".into())));
}

#[test]
fn deviations_are_noted_once_and_in_order() {
    let long = "x".repeat(600);
    let stream = format!("250-\u{fc}\r\n250-{long}\r\n250-a\0b\r\n250-a\n250 \u{fc}\n");
    let reply = only(stream.as_bytes()).unwrap();
    assert_eq!(
        reply.deviations,
        [Deviation::BareLf, Deviation::NulByte, Deviation::EightBit, Deviation::OverlongLine]
    );
    assert_eq!(reply.lines[2], r"a\x00b");
}

#[test]
fn the_512th_octet_is_the_last_of_the_letter() {
    let line = |octets: usize| format!("220 {}\r\n", "x".repeat(octets - 6));
    assert_eq!(only(line(512).as_bytes()).unwrap().deviations, []);
    assert_eq!(only(line(513).as_bytes()).unwrap().deviations, [Deviation::OverlongLine]);
}

#[test]
fn lines_have_a_limit() {
    let line = |octets: usize| format!("220 {}\r\n", "x".repeat(octets - 6));
    assert!(only(line(REPLY_LINE_BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(only(line(REPLY_LINE_BYTES_MAX + 1).as_bytes()), Err(ReplyFault::LineTooLong));
    // Without any line end the limit strikes at once.
    assert_eq!(read(&vec![b'x'; REPLY_LINE_BYTES_MAX - 1]), []);
    assert_eq!(only(&vec![b'x'; REPLY_LINE_BYTES_MAX]), Err(ReplyFault::LineTooLong));
}

#[test]
fn replies_have_limits() {
    let lines = |n: usize| format!("{}250 end\r\n", "250-x\r\n".repeat(n - 1));
    assert_eq!(only(lines(REPLY_LINES_MAX).as_bytes()).unwrap().lines.len(), REPLY_LINES_MAX);
    assert_eq!(only(lines(REPLY_LINES_MAX + 1).as_bytes()), Err(ReplyFault::TooManyLines));
    let wide = format!("250-{}\r\n", "x".repeat(1018)).repeat(64);
    assert_eq!(wide.len(), REPLY_BYTES_MAX);
    assert_eq!(read(wide.as_bytes()), []);
    assert_eq!(only(format!("{wide}250\r\n").as_bytes()), Err(ReplyFault::ReplyTooLong));
}

#[test]
fn streams_have_a_limit() {
    let replies = read(&b"220 hello\r\n".repeat(STREAM_BYTES_MAX / 11 + 10));
    assert_eq!(replies.len(), STREAM_BYTES_MAX / 11 + 1);
    assert_eq!(replies.last(), Some(&Err(ReplyFault::StreamTooLong)));
}

#[test]
fn every_control_is_told() {
    use Deviation::{BareCr, BareLf, ControlCharacter, EightBit, EmptyLine, NulByte};
    for (stream, deviations) in [
        (&b"220 a\tb\r\n"[..], &[][..]),
        (b"220 a\rb\r\n", &[BareCr]),
        (b"220 a\r\r\n", &[BareCr]),
        (b"220 a\x1b[31mb\r\n", &[ControlCharacter]),
        (b"220 a\x7f\r\n", &[ControlCharacter]),
        (b"220 a\x00\x08\n", &[BareLf, NulByte, ControlCharacter]),
        ("220 \u{9b}\r\n".as_bytes(), &[EightBit]),
        (b"\r\n220 a\r\n", &[EmptyLine]),
        (b"220-a\r\n\n220 b\r\n", &[BareLf, EmptyLine]),
        (b"220\r\n", &[]),
        (br"220 a\b", &[]),
    ] {
        let stream = [stream, if stream.ends_with(b"\n") { b"" } else { b"\r\n" }].concat();
        assert_eq!(only(&stream).unwrap().deviations, deviations, "{}", stream.escape_ascii());
    }
}

#[test]
fn empty_lines_are_counted_with_the_others() {
    let empty = "\r\n".repeat(REPLY_LINES_MAX - 1);
    assert!(only(format!("{empty}220 a\r\n").as_bytes()).is_ok());
    assert_eq!(only(format!("{empty}\r\n220 a\r\n").as_bytes()), Err(ReplyFault::TooManyLines));
}

#[test]
fn what_is_unfinished_begins_with_its_reply() {
    let mut reader = ReplyReader::default();
    for piece in [&b"220 a\r\n250-b\r\n25"[..], b"0-c\r", b"\n250"] {
        reader.receive(piece);
        while let Some(reply) = reader.next_reply() {
            assert_eq!(reply.unwrap().code, 220);
        }
    }
    assert_eq!((reader.unfinished(), reader.rest()), (&b"250-b\r\n250-c\r\n250"[..], &b"250"[..]));
}
