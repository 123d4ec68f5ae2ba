//! The blocks of a PEM text (RFC 7468 §2) that hold certificates, read more
//! leniently than the grammar: boundaries may be indented, stand on one line,
//! or behind other text, and lines of base64 may have any length.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Labels of certificates: RFC 7468 §5, those that OpenSSL reads as well, and
/// the one that RFC 7468 §5.1 knows from old files.
const LABELS: [&str; 4] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X.509 CERTIFICATE"];

/// Labels of what may hold certificates in a form that is not read here.
const PKCS7_LABELS: [&str; 3] = ["PKCS7", "PKCS #7 SIGNED DATA", "CMS"];

/// The dashes on either side of a boundary.
const DASHES: &str = "-----";

/// Shortest line of base64 outside a block that is taken for one whose
/// boundaries are lost, in bytes; lines of PEM have 64 or 76.
const BARE_BASE64_BYTES_MIN: usize = 60;

/// As every certificate of more than 255 bytes begins in base64.
const CERTIFICATE_BASE64: &[u8] = b"MII";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of a block with the label of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line in which it begins, from 1.
    pub(super) line: u64,
    pub(super) der: Vec<u8>,
}

/// What looks like a certificate and is no such block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The line in which it begins, from 1.
    pub(super) line: u64,
    pub(super) what: String,
}

/// The blocks of a text one after another; the text begins in this line.
pub(super) fn blocks(text: &[u8], line: u64) -> impl Iterator<Item = Result<Block, Broken>> + '_ {
    Blocks { text, at: 0, line, open: None, pending: None, ended: false }
}

/// Whether a text has a boundary, of whatever label, or what is meant as one.
pub(super) fn has_boundary(text: &[u8]) -> bool {
    next_mark(text, 0).is_some()
}

/// A boundary, or what was meant as one.
struct Mark<'a> {
    /// Where it begins and ends in the text.
    from: usize,
    to: usize,
    is_begin: bool,
    label: &'a str,
    /// As the grammar wants it.
    exact: bool,
}

/// A block whose end has not come yet.
struct Open<'a> {
    label: &'a str,
    line: u64,
    body: usize,
}

impl Open<'_> {
    fn broken(&self, what: String) -> Option<Result<Block, Broken>> {
        is_certificate(self.label).then_some(Err(Broken { line: self.line, what }))
    }

    fn cut_off(&self) -> Option<Result<Block, Broken>> {
        self.broken(format!("cut off before `{DASHES}END {}{DASHES}`", self.label))
    }
}

struct Blocks<'a> {
    text: &'a [u8],
    at: usize,
    /// The line in which `at` stands.
    line: u64,
    open: Option<Open<'a>>,
    /// A second finding of one mark.
    pending: Option<Broken>,
    ended: bool,
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            if let Some(broken) = self.pending.take() {
                return Some(Err(broken));
            }
            let found = match next_mark(self.text, self.at) {
                Some(mark) => self.take(&mark),
                None => {
                    self.ended = true;
                    match self.open.take() {
                        Some(open) => open.cut_off(),
                        None => self.bare(self.text.len()),
                    }
                }
            };
            if found.is_some() {
                return found;
            }
        }
        self.pending.take().map(Err)
    }
}

impl<'a> Blocks<'a> {
    /// Goes on to the end of a mark, and says what that completes.
    fn take(&mut self, mark: &Mark<'a>) -> Option<Result<Block, Broken>> {
        let before = if self.open.is_none() { self.bare(mark.from) } else { None };
        let start = self.at;
        self.line += line_ends(self.text.get(start..mark.from).unwrap_or_default());
        self.at = mark.to;
        let found = match self.open.take() {
            open if !mark.exact => self.inexact(open, mark),
            open if mark.is_begin => {
                let found = open.and_then(|open| open.cut_off());
                let refused = self.begin(mark);
                if found.is_some() { self.hold(refused, found) } else { refused }
            }
            Some(open) if open.label == mark.label => self.end(&open, mark.from),
            Some(open) => open
                .broken(format!("ends as `{DASHES}END {}{DASHES}`", mark.label))
                .or_else(|| self.lone_end(mark)),
            None => self.lone_end(mark),
        };
        if before.is_some() { self.hold(found, before) } else { found }
    }

    /// Puts off `later` until after `first`.
    fn hold(
        &mut self,
        later: Option<Result<Block, Broken>>,
        first: Option<Result<Block, Broken>>,
    ) -> Option<Result<Block, Broken>> {
        // Only a begin or a lone end follows here, and neither gives a block.
        if let Some(Err(broken)) = later {
            self.pending = Some(broken);
        }
        first
    }

    fn begin(&mut self, mark: &Mark<'a>) -> Option<Result<Block, Broken>> {
        let mut refused = None;
        if PKCS7_LABELS.contains(&mark.label) {
            let what = format!("`{}` is not read; `openssl pkcs7 -print_certs` makes PEM of it", mark.label);
            refused = Some(Err(Broken { line: self.line, what }));
        }
        self.open = Some(Open { label: mark.label, line: self.line, body: mark.to });
        refused
    }

    fn end(&self, open: &Open<'a>, body_end: usize) -> Option<Result<Block, Broken>> {
        if !is_certificate(open.label) {
            return None;
        }
        let body = self.text.get(open.body..body_end).unwrap_or_default();
        match decode(body) {
            Ok(der) => Some(Ok(Block { line: open.line, der })),
            Err(what) => open.broken(what),
        }
    }

    fn lone_end(&self, mark: &Mark<'a>) -> Option<Result<Block, Broken>> {
        is_certificate(mark.label).then(|| {
            let what = format!("`{DASHES}END {}{DASHES}` without its begin", mark.label);
            Err(Broken { line: self.line, what })
        })
    }

    fn inexact(&mut self, open: Option<Open<'a>>, mark: &Mark<'a>) -> Option<Result<Block, Broken>> {
        let word = if mark.is_begin { "BEGIN" } else { "END" };
        let what = format!("no `{DASHES}{word} {}{DASHES}`, but like it", mark.label.to_ascii_uppercase());
        let broken = Some(Err(Broken { line: self.line, what }));
        match open.and_then(|open| open.cut_off()) {
            Some(cut_off) => self.hold(broken, Some(cut_off)),
            None => broken,
        }
    }

    /// Base64 between here and `end`, outside every block.
    fn bare(&self, end: usize) -> Option<Result<Block, Broken>> {
        let between = self.text.get(self.at..end)?;
        let mut from = 0;
        for line in between.split(|byte| matches!(byte, b'\n' | b'\r')) {
            if is_bare_base64(line) {
                let what = format!("base64 that no `{DASHES}BEGIN CERTIFICATE{DASHES}` stands before");
                return Some(Err(Broken { line: self.line + line_ends(between.get(..from)?), what }));
            }
            from += line.len() + 1;
        }
        None
    }
}

fn is_certificate(label: &str) -> bool {
    LABELS.iter().any(|known| known.eq_ignore_ascii_case(label))
}

/// Ends of lines: LF, CRLF or CR alone.
pub(super) fn line_ends(text: &[u8]) -> u64 {
    let mut ends = 0;
    let mut before = 0;
    for byte in text {
        ends += u64::from(*byte == b'\r' || (*byte == b'\n' && before != b'\r'));
        before = *byte;
    }
    ends
}

fn is_bare_base64(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.len() >= BARE_BASE64_BYTES_MIN
        && line.starts_with(CERTIFICATE_BASE64)
        && line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
}

/// The body of a block: base64 in lines of any length, behind headers as RFC
/// 1421 §4.4 has them, which end with an empty line.
fn decode(body: &[u8]) -> Result<Vec<u8>, String> {
    let body = if body.contains(&b':') { behind_headers(body) } else { body };
    let digits: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match BASE64.decode(&digits) {
        Ok(der) if der.is_empty() => Err("a certificate of no bytes".to_string()),
        Ok(der) => Ok(der),
        Err(error) => Err(format!("not base64: {}", error.to_string().trim_end_matches('.'))),
    }
}

fn behind_headers(body: &[u8]) -> &[u8] {
    let blank = [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"].into_iter().find_map(|blank| {
        let at = body.windows(blank.len()).position(|part| part == blank)?;
        body.get(at..)
    });
    blank.unwrap_or(body)
}

/// The next boundary from `from` on, or what is meant as one of a certificate.
fn next_mark(text: &[u8], from: usize) -> Option<Mark<'_>> {
    let mut at = from;
    loop {
        let found = text.get(at..)?.iter().position(|byte| matches!(byte, b'B' | b'b' | b'E' | b'e'))?;
        at += found;
        if let Some(mark) = mark_at(text, from, at) {
            return Some(mark);
        }
        at += 1;
    }
}

/// A mark whose word begins at `at`. Dashes before `from` belong to another,
/// and make this one look like a mark without being exact.
fn mark_at(text: &[u8], from: usize, at: usize) -> Option<Mark<'_>> {
    let rest = text.get(at..)?;
    let (word, is_begin) = [(&b"BEGIN "[..], true), (b"END ", false)]
        .into_iter()
        .find(|(word, _)| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))?;
    if !ends_with_dash(text.get(..at)?) {
        return None;
    }
    let before = text.get(from..at)?;
    let behind = rest.get(word.len()..)?;
    let label_bytes =
        behind.iter().position(|byte| !matches!(byte, b' ' | b'#' | b'.') && !byte.is_ascii_alphanumeric());
    let raw = behind.get(..label_bytes.unwrap_or(behind.len()))?;
    let after = behind.get(raw.len()..)?;
    let label = std::str::from_utf8(raw.trim_ascii()).ok()?;
    let dashes = DASHES.as_bytes();
    let exact = before.ends_with(dashes)
        && rest.starts_with(word)
        && raw.len() == label.len()
        && !label.is_empty()
        && after.starts_with(dashes)
        && !label.bytes().any(|byte| byte.is_ascii_lowercase());
    let end = at + word.len() + raw.len();
    let (from, to) = if exact { (at - dashes.len(), end + dashes.len()) } else { (at, end) };
    (exact || is_certificate(label)).then_some(Mark { from, to, is_begin, label, exact })
}

/// A dash as PEM has it, or what an editor makes of several; blanks may follow.
fn ends_with_dash(text: &[u8]) -> bool {
    let blanks = text.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let text = text.get(..text.len() - blanks).unwrap_or_default();
    ["-", "\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}"]
        .iter()
        .any(|dash| text.ends_with(dash.as_bytes()))
}
