//! Replies out of a stream: the same however it is cut, the same that a plain
//! reading of the whole stream finds, and the same when written and read again.

use super::cuts::cuts;
use super::{Seed, transcripts};
use mxray::internals::model::text::{is_unprintable, unescape};
use mxray::internals::model::{Deviation, Reply};
use mxray::internals::smtp::reply::{
    REPLY_BYTES_MAX, REPLY_LINE_BYTES_MAX, REPLY_LINES_MAX, ReplyFault, ReplyReader, STREAM_BYTES_MAX,
};

/// Longest line of the letter of RFC 5321 §4.5.3.1.5, in octets.
const RFC_LINE_BYTES_MAX: usize = 512;

pub fn check(stream: &[u8]) {
    let [whole, bytes, odd] = cuts(stream).map(|pieces| read(&pieces));
    assert_eq!(whole, plainly(stream), "a plain reading finds the same");
    assert_eq!(bytes, whole, "byte by byte is no different");
    assert_eq!(odd, whole, "cutting changes nothing");
    whole.replies.iter().for_each(check_reply);
    let waits = whole.replies.is_empty() && whole.fault.is_none() && whole.rest.is_empty();
    if waits && !stream.is_empty() {
        check_without_end(stream);
    }
}

/// A reply that only goes on comes to a limit.
fn check_without_end(lines: &[u8]) {
    let bytes = lines.repeat(REPLY_BYTES_MAX / lines.len() + 2);
    let count = lines.repeat(REPLY_LINES_MAX + 1);
    let shorter = if bytes.len() < count.len() { bytes } else { count };
    let whole = read(&[&shorter]);
    assert!(matches!(whole.fault, Some(ReplyFault::TooManyLines | ReplyFault::ReplyTooLong)), "{whole:?}");
    assert_eq!(whole, plainly(&shorter), "a reply that only goes on");
}

/// All that a stream comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub replies: Vec<Reply>,
    pub fault: Option<ReplyFault>,
    /// Bytes after the last whole line.
    pub rest: Vec<u8>,
}

fn read(pieces: &[&[u8]]) -> Read {
    let mut reader = ReplyReader::default();
    let mut read = Read::default();
    let mut given = 0;
    for piece in pieces {
        reader.receive(piece);
        given += piece.len();
        while let Some(reply) = reader.next_reply() {
            match reply {
                Ok(reply) => read.replies.push(reply),
                Err(fault) => return Read { fault: Some(fault), ..read },
            }
        }
        assert!(reader.rest().len() < REPLY_LINE_BYTES_MAX, "an unfinished line is kept within its limit");
        assert!(given <= STREAM_BYTES_MAX, "a stream over its limit is a fault");
    }
    read.rest = reader.rest().to_vec();
    read
}

/// The same by the shortest reading that can be written down, which holds the
/// whole stream.
fn plainly(stream: &[u8]) -> Read {
    let mut read = Read::default();
    let mut lines: Vec<&[u8]> = Vec::new();
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let ended = line.ends_with(b"\n");
        if line.len() > REPLY_LINE_BYTES_MAX || (!ended && line.len() == REPLY_LINE_BYTES_MAX) {
            return Read { fault: Some(ReplyFault::LineTooLong), ..read };
        }
        if !ended {
            return Read { rest: line.to_vec(), ..read };
        }
        lines.push(line);
        if let Some(fault) = fault_of(&lines) {
            return Read { fault: Some(fault), ..read };
        }
        if !content(line).is_empty() && line.get(3) != Some(&b'-') {
            read.replies.push(reply_of(&std::mem::take(&mut lines)));
        }
    }
    read
}

/// What is wrong with the last of these lines of a reply.
fn fault_of(lines: &[&[u8]]) -> Option<ReplyFault> {
    let (last, before) = lines.split_last().unwrap();
    if before.len() == REPLY_LINES_MAX {
        return Some(ReplyFault::TooManyLines);
    }
    if lines.iter().map(|line| line.len()).sum::<usize>() > REPLY_BYTES_MAX {
        return Some(ReplyFault::ReplyTooLong);
    }
    let content = content(last);
    if content.is_empty() {
        return None;
    }
    let before: Vec<&[u8]> = before.iter().copied().filter(|line| !self::content(line).is_empty()).collect();
    let Some(code) = code(content).filter(|_| matches!(content.get(3), None | Some(b' ' | b'-'))) else {
        let text = mxray::internals::model::text::escape(content);
        return Some(if before.is_empty() { ReplyFault::NotReply(text) } else { ReplyFault::BadLine(text) });
    };
    let first = before.first().map_or(code, |line| self::code(line).unwrap());
    (first != code).then_some(ReplyFault::CodeChange(first, code))
}

fn reply_of(lines: &[&[u8]]) -> Reply {
    let said: Vec<&[u8]> = lines.iter().copied().filter(|line| !content(line).is_empty()).collect();
    let texts: Vec<&[u8]> = said.iter().map(|line| content(line).get(4..).unwrap_or_default()).collect();
    let holds = |wanted: fn(u8) -> bool| texts.iter().any(|text| text.iter().any(|byte| wanted(*byte)));
    let deviations = [
        (Deviation::BareLf, lines.iter().any(|line| !line.ends_with(b"\r\n"))),
        (Deviation::BareCr, holds(|byte| byte == b'\r')),
        (Deviation::NulByte, holds(|byte| byte == 0)),
        (Deviation::ControlCharacter, holds(|byte| matches!(byte, 1..=8 | 11..=12 | 14..=31 | 127))),
        (Deviation::EightBit, texts.iter().any(|text| !text.is_ascii())),
        (Deviation::OverlongLine, lines.iter().any(|line| line.len() > RFC_LINE_BYTES_MAX)),
        (Deviation::EmptyLine, said.len() < lines.len()),
    ];
    Reply {
        code: code(said[0]).unwrap(),
        lines: texts.into_iter().map(mxray::internals::model::text::escape).collect(),
        deviations: deviations.into_iter().filter_map(|(which, seen)| seen.then_some(which)).collect(),
    }
}

fn content(line: &[u8]) -> &[u8] {
    let content = line.strip_suffix(b"\n").unwrap();
    content.strip_suffix(b"\r").unwrap_or(content)
}

fn code(line: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(line.get(..3)?).ok()?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|code| plain && (200..600).contains(code))
}

/// Within the limits, and the same once it is written and read again.
pub fn check_reply(reply: &Reply) {
    assert!((1..=REPLY_LINES_MAX).contains(&reply.lines.len()));
    // An octet that is escaped stands as four.
    let octets: usize = reply.lines.iter().map(String::len).sum();
    assert!(octets <= 4 * REPLY_BYTES_MAX, "{octets} octets kept");
    assert!(reply.lines.iter().all(|line| !line.chars().any(is_unprintable)), "{reply:?}");
    let written = encode(reply);
    let again = plainly(&written);
    let deviations = again.replies[0].deviations.clone();
    assert_eq!(again.replies, [Reply { deviations, ..reply.clone() }], "written and read again");
    assert_eq!(read(&[&written]), again);
}

/// A reply as a server writes it: the very bytes of its lines.
pub fn encode(reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, line) in reply.lines.iter().enumerate() {
        let separator = if place + 1 == reply.lines.len() { ' ' } else { '-' };
        out.extend(format!("{}{separator}", reply.code).bytes());
        out.extend(&*unescape(line));
        out.extend(b"\r\n");
    }
    out
}

pub fn seeds() -> Vec<Seed> {
    let lines = |count: usize| format!("{}250 end\r\n", "250-x\r\n".repeat(count - 1)).into_bytes();
    let line = |octets: usize| format!("220 {}\r\n", "x".repeat(octets - 6)).into_bytes();
    let mut seeds = vec![
        ("bare-code", b"220\r\n".to_vec()),
        ("bare-lf", b"250-a\n250 b\n".to_vec()),
        ("code-changes", b"250-a\r\n251 b\r\n".to_vec()),
        ("no-reply", b"+OK POP3 ready\r\n".to_vec()),
        ("odd-bytes", b"220 a\0b\xfc\t\r\r\n".to_vec()),
        ("empty-lines", b"\r\n220-a\r\n\n220 b\r\n".to_vec()),
        ("like-an-escape", br"220 a\x1b\\".iter().copied().chain(*b"\r\n").collect()),
        ("turned-around", "220 a\u{202e}b\u{2028}\r\n".into()),
        ("unfinished", b"250-mx.example\r\n250-SIZE".to_vec()),
        ("most-lines", lines(REPLY_LINES_MAX)),
        ("a-line-too-many", lines(REPLY_LINES_MAX + 1)),
        ("longest-line", line(REPLY_LINE_BYTES_MAX)),
        ("line-too-long", line(REPLY_LINE_BYTES_MAX + 1)),
        ("line-of-512", line(RFC_LINE_BYTES_MAX)),
        ("wide-line", format!("250-{}\r\n", "x".repeat(1018)).into_bytes()),
    ];
    seeds.extend(transcripts::all().into_iter().filter(|(name, _)| !name.contains('-')));
    seeds
}
