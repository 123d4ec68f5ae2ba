//! Replies out of a byte stream: framing and parsing in one linear scan,
//! bounded in every direction (RFC 5321 §4.2).

use crate::model::text::{escape, is_plain};
use crate::model::{Deviation, Reply};

/// Longest reply line that is read, in octets with its line end. RFC 5321
/// §4.5.3.1.5 allows 512; what lies between is a [`Deviation`].
pub const REPLY_LINE_BYTES_MAX: usize = 2048;
/// Longest reply line of the letter of RFC 5321 §4.5.3.1.5, in octets.
const RFC_LINE_BYTES_MAX: usize = 512;
/// Most lines of one reply, empty ones before and between them included.
pub const REPLY_LINES_MAX: usize = 128;
/// Longest reply over all its lines, in octets.
pub const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Most octets taken from a peer before TLS, and again inside it. Six replies
/// of ordinary servers are under 4 KiB together.
pub const STREAM_BYTES_MAX: usize = 256 * 1024;

/// Why a stream holds no reply where one is due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyFault {
    /// The first line is no reply line; it stands here, escaped.
    #[error("not an SMTP reply: {0}")]
    NotReply(String),
    /// A later line is no reply line; it stands here, escaped.
    #[error("not a reply line: {0}")]
    BadLine(String),
    /// The code changes from line to line, against RFC 5321 §4.2.1.
    #[error("reply code changes from {0} to {1}")]
    CodeChange(u16, u16),
    /// A line over [`REPLY_LINE_BYTES_MAX`].
    #[error("a line over {REPLY_LINE_BYTES_MAX} bytes")]
    LineTooLong,
    /// A reply over [`REPLY_LINES_MAX`].
    #[error("a reply over {REPLY_LINES_MAX} lines")]
    TooManyLines,
    /// A reply over [`REPLY_BYTES_MAX`].
    #[error("a reply over {REPLY_BYTES_MAX} bytes")]
    ReplyTooLong,
    /// A stream over [`STREAM_BYTES_MAX`].
    #[error("over {STREAM_BYTES_MAX} bytes in one dialogue")]
    StreamTooLong,
}

/// Cuts a byte stream into replies. What comes out depends on the bytes
/// alone, never on how they were cut up on the way in.
#[derive(Debug, Default)]
pub struct ReplyReader {
    buffer: Vec<u8>,
    /// Start of the current reply in `buffer`.
    reply: usize,
    /// Start of the current line there.
    line: usize,
    /// Bytes of the current line that are known to hold no LF.
    scanned: usize,
    /// Bytes taken so far, by the limit of the stream.
    taken: usize,
    /// Whether bytes were dropped because of that limit.
    overflowed: bool,
    /// Whether there was a fault: what comes behind it means nothing.
    faulty: bool,
    partial: Partial,
}

/// The reply that is being read.
#[derive(Debug, Default)]
struct Partial {
    code: u16,
    lines: Vec<String>,
    /// Lines so far, the empty ones too.
    count: usize,
    bytes: usize,
    deviations: Vec<Deviation>,
}

impl ReplyReader {
    /// Takes bytes of the peer, up to [`STREAM_BYTES_MAX`] in all.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.faulty {
            return;
        }
        let room = STREAM_BYTES_MAX - self.taken;
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.overflowed |= kept.len() < bytes.len();
        self.taken += kept.len();
        if self.reply > 0 {
            self.buffer.drain(..self.reply);
            self.line -= self.reply;
            self.reply = 0;
        }
        self.buffer.extend_from_slice(kept);
    }

    /// The next complete reply; `None` if more bytes are needed. After a
    /// fault the stream has no meaning any more.
    pub fn next_reply(&mut self) -> Option<Result<Reply, ReplyFault>> {
        loop {
            let pending = self.buffer.get(self.line..)?;
            let window = pending.get(..REPLY_LINE_BYTES_MAX).unwrap_or(pending);
            let fresh = window.get(self.scanned..).unwrap_or_default();
            let Some(found) = fresh.iter().position(|byte| *byte == b'\n') else {
                self.scanned = window.len();
                let fault = self.starved()?;
                return Some(Err(self.broken(self.line + self.scanned, fault)));
            };
            let end = self.line + self.scanned + found + 1;
            let line = self.buffer.get(self.line..end).unwrap_or_default();
            let last = self.partial.push(line);
            self.line = end;
            self.scanned = 0;
            match last {
                Ok(false) if self.partial.lines.is_empty() => self.reply = end,
                Ok(false) => {}
                Ok(true) => {
                    self.reply = end;
                    return Some(Ok(std::mem::take(&mut self.partial).finish()));
                }
                Err(fault) => return Some(Err(self.broken(end, fault))),
            }
        }
    }

    /// Nothing counts behind the line that ends in a fault.
    fn broken(&mut self, end: usize, fault: ReplyFault) -> ReplyFault {
        self.buffer.truncate(end);
        self.faulty = true;
        fault
    }

    /// The fault of a stream that cannot bring the line end any more.
    fn starved(&self) -> Option<ReplyFault> {
        if self.scanned >= REPLY_LINE_BYTES_MAX {
            return Some(ReplyFault::LineTooLong);
        }
        self.overflowed.then_some(ReplyFault::StreamTooLong)
    }

    /// What came in after the last complete line.
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.line..).unwrap_or_default()
    }

    /// What came in after the last complete reply, the lines of a reply that
    /// is not complete included; after a fault, the reply that is none.
    pub fn unfinished(&self) -> &[u8] {
        self.buffer.get(self.reply..).unwrap_or_default()
    }

    /// What is odd about [`ReplyReader::unfinished`], each oddity once, in
    /// order.
    pub fn unfinished_deviations(&self) -> Vec<Deviation> {
        let mut odd = self.partial.deviations.clone();
        let rest = self.rest();
        let (content, bare_lf) = match rest.last() {
            Some(b'\n') => without_line_end(rest),
            // A CR at its end may be half of a line end.
            _ => (rest.strip_suffix(b"\r").unwrap_or(rest), false),
        };
        odd.extend(oddities(content, rest.len()));
        odd.extend(bare_lf.then_some(Deviation::BareLf));
        odd.sort_unstable();
        odd.dedup();
        odd
    }

    /// Whether nothing came in since the last complete reply. Empty lines that
    /// [`ReplyReader::next_reply`] has passed over are nothing.
    pub fn is_idle(&self) -> bool {
        self.rest().is_empty() && self.partial.lines.is_empty() && !self.overflowed
    }
}

impl Partial {
    /// Adds a line, its end included; whether it is the last of its reply. An
    /// empty line says nothing, and what follows it may still be read.
    fn push(&mut self, line: &[u8]) -> Result<bool, ReplyFault> {
        self.bytes += line.len();
        if self.count == REPLY_LINES_MAX {
            return Err(ReplyFault::TooManyLines);
        }
        self.count += 1;
        if self.bytes > REPLY_BYTES_MAX {
            return Err(ReplyFault::ReplyTooLong);
        }
        let (content, bare_lf) = without_line_end(line);
        self.note(bare_lf, Deviation::BareLf);
        if content.is_empty() {
            self.note(true, Deviation::EmptyLine);
            return Ok(false);
        }
        oddities(content, line.len()).for_each(|deviation| self.note(true, deviation));
        let Some((code, last, text)) = split_line(content) else {
            let text = escape(content);
            return Err(if self.lines.is_empty() {
                ReplyFault::NotReply(text)
            } else {
                ReplyFault::BadLine(text)
            });
        };
        if self.lines.is_empty() {
            self.code = code;
        } else if self.code != code {
            return Err(ReplyFault::CodeChange(self.code, code));
        }
        self.lines.push(escape(text));
        Ok(last)
    }

    fn note(&mut self, seen: bool, deviation: Deviation) {
        if seen && !self.deviations.contains(&deviation) {
            self.deviations.push(deviation);
        }
    }

    fn finish(mut self) -> Reply {
        self.deviations.sort_unstable();
        Reply { code: self.code, lines: self.lines, deviations: self.deviations }
    }
}

/// What is odd about a line of so many bytes with its end, `content` without.
fn oddities(content: &[u8], line_bytes: usize) -> impl Iterator<Item = Deviation> {
    let plain = is_plain(content);
    [
        (!plain && content.contains(&b'\r'), Deviation::BareCr),
        (!plain && content.contains(&0), Deviation::NulByte),
        (!plain && content.iter().any(is_other_control), Deviation::ControlCharacter),
        (!plain && !content.is_ascii(), Deviation::EightBit),
        (line_bytes > RFC_LINE_BYTES_MAX, Deviation::OverlongLine),
    ]
    .into_iter()
    .filter_map(|(seen, deviation)| seen.then_some(deviation))
}

/// Whether no text of a reply may hold the byte (RFC 5321 §4.2), the controls
/// that have a [`Deviation`] of their own aside.
fn is_other_control(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, 0 | b'\t' | b'\r')
}

/// The code of a line that could stand in a reply, with or without its end.
pub fn code_of(line: &[u8]) -> Option<u16> {
    let (content, _) = without_line_end(line);
    split_line(content).map(|(code, ..)| code)
}

/// The line without LF or CRLF, and whether CR was missing.
fn without_line_end(line: &[u8]) -> (&[u8], bool) {
    let content = line.strip_suffix(b"\n").unwrap_or(line);
    match content.strip_suffix(b"\r") {
        Some(content) => (content, false),
        None => (content, true),
    }
}

/// Code, whether the line is the last of its reply, and text. A code without
/// anything after it is a last line, for which clients MUST be prepared
/// (RFC 5321 §4.2).
fn split_line(content: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = content.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let (last, text) = match rest {
        [] => (true, rest),
        [b' ', text @ ..] => (true, text),
        [b'-', text @ ..] => (false, text),
        _ => return None,
    };
    (200..=599).contains(&code).then_some((code, last, text))
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
