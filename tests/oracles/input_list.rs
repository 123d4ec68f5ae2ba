//! Lists of domains and endpoints: the same however the file is read, one
//! entry a line at most, and what is a target is one again when written.

use super::cuts::cuts;
use super::{Seed, message};
use mxray::internals::input::{Entry, InputError, InputKind, InputOptions, REJECTED_TEXT_BYTES_MAX, read};
use mxray::internals::model::{DomainName, Rejected, Subject, Target};
use std::collections::VecDeque;
use std::io;

/// Longest domain in octets (RFC 1035 §2.3.4).
const NAME_BYTES_MAX: usize = 253;
/// Longest cause of a rejection, in bytes.
const CAUSE_BYTES_MAX: usize = 200;
/// Most entries that are looked at: gzip makes many lines of few bytes.
const ENTRIES_MAX: usize = 20_000;

pub fn check(input: &[u8]) {
    for options in [
        InputOptions::default(),
        InputOptions { column: Some("host".into()), ..InputOptions::default() },
        InputOptions { kind: InputKind::Endpoints, column: None },
    ] {
        check_list(input, &options);
    }
}

/// First bytes of what is not text in UTF-8, or whose encoding they tell.
fn is_told_by_its_start(input: &[u8]) -> bool {
    let packed: [&[u8]; 3] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0xef, 0xbb, 0xbf]];
    packed.iter().any(|magic| input.starts_with(magic))
        || matches!(input, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] | [1..=255, 0, ..] | [0, 1..=255, ..])
}

/// In UTF-16 it is the same list.
fn check_utf16(input: &[u8], options: &InputOptions, whole: &List) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if is_told_by_its_start(input) {
        return;
    }
    let units = || ['\u{feff}'].into_iter().chain(text.chars()).collect::<String>();
    let little: Vec<u8> = units().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        assert_eq!(list(&[&bytes], options), *whole, "UTF-16 changes nothing");
    }
}

fn check_list(input: &[u8], options: &InputOptions) {
    let [whole, bytes, odd] = cuts(input).map(|pieces| list(&pieces, options));
    check_same(&bytes, &whole);
    check_same(&odd, &whole);
    check_utf16(input, options, &whole);
    whole.error.iter().for_each(|error| message::check(error));
    let entries = whole.entries;
    let lines = entries.iter().map(|entry| match entry {
        Entry::Target(Target { line, .. }) | Entry::Rejected(Rejected { line, .. }) => *line,
    });
    assert!(lines.clone().is_sorted_by(|before, after| before < after), "one entry a line");
    assert!(lines.into_iter().all(|line| line > 0));
    entries.iter().for_each(check_entry);
    let targets = entries.iter().filter(|entry| matches!(entry, Entry::Target(_))).count() as u64;
    assert!(whole.taken.0 + whole.taken.1 <= targets, "each is taken from one thing");
    if options.kind == InputKind::Domains {
        check_written(&entries);
    }
}

/// All that comes of a list.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    entries: Vec<Entry>,
    /// Domains taken from URLs and from mail addresses.
    taken: (u64, u64),
    error: Option<String>,
    /// The error came of reading: gzip that is broken.
    broken: bool,
}

/// How the file is cut changes nothing. Of gzip that is broken a decompressor
/// hands out more or less before it says so, and what it has handed out may be
/// refused before; but it is an error either way.
fn check_same(one: &List, other: &List) {
    if one.broken || other.broken {
        assert!(one.error.is_some() && other.error.is_some(), "{one:?}, {other:?}");
        let mut both = one.entries.iter().zip(&other.entries);
        assert!(both.all(|(one, other)| one == other), "{one:?}, {other:?}");
    } else {
        assert_eq!(one, other, "cutting changes nothing");
    }
}

/// A file that comes in pieces of these sizes.
struct Pieces(VecDeque<Vec<u8>>);

impl io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.0.pop_front() else { return Ok(0) };
        if piece.len() > buffer.len() {
            self.0.push_front(piece.split_off(buffer.len()));
        }
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

fn list(pieces: &[&[u8]], options: &InputOptions) -> List {
    // An empty piece would be the end of the file.
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect();
    let mut list = List::default();
    let entries = match read("list", Pieces(pieces), options) {
        Ok(entries) => entries,
        Err(error) => {
            list.broken = matches!(error, InputError::Read { .. });
            list.error = Some(error.to_string());
            return list;
        }
    };
    let taken = entries.taken();
    for entry in entries.take(ENTRIES_MAX) {
        match entry {
            Ok(entry) => list.entries.push(entry),
            Err(error) => (list.error, list.broken) = (Some(error.to_string()), true),
        }
    }
    list.taken = (taken.urls(), taken.mail_addresses());
    list
}

fn check_entry(entry: &Entry) {
    match entry {
        Entry::Rejected(Rejected { text, cause, .. }) => {
            assert!(text.len() <= REJECTED_TEXT_BYTES_MAX && !text.chars().any(char::is_control), "{text:?}");
            let before_sign = text.rsplit_once('@').map_or("…", |(before, _)| before);
            assert_eq!(before_sign, "…", "a local part is written nowhere: {text:?}");
            assert!((1..=CAUSE_BYTES_MAX).contains(&cause.len()) && !cause.chars().any(char::is_control));
        }
        Entry::Target(target) => match &target.subject {
            Subject::Domain(domain) => {
                let name = domain.as_str();
                assert!(name.len() <= NAME_BYTES_MAX && name.contains('.') && !name.ends_with('.'));
                let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
                assert!(name.bytes().all(plain), "lower-case A-labels: {name:?}");
                assert_eq!(DomainName::parse(name).as_ref(), Ok(domain), "a name is itself");
            }
            Subject::Endpoint { ip, port, .. } => {
                assert_eq!(*ip, ip.to_canonical());
                assert_ne!(*port, Some(0));
            }
            other => panic!("no list names that: {other:?}"),
        },
    }
}

/// The targets as a plain list, read again.
fn check_written(entries: &[Entry]) {
    let targets = |entries: &[Entry]| -> Vec<String> {
        let subjects = entries.iter().filter_map(|entry| match entry {
            Entry::Target(target) => target.subject.domain().map(str::to_owned),
            Entry::Rejected(_) => None,
        });
        subjects.collect()
    };
    let names = targets(entries);
    let written: String = names.iter().map(|name| format!("{name}\n")).collect();
    let again = list(&[written.as_bytes()], &InputOptions::default());
    assert_eq!(targets(&again.entries), names, "a plain list of them is the same list");
}

pub fn seeds() -> Vec<Seed> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("plain", text("a.example\n# no domain\n\nB\u{fc}cher.example. # kept\r\nlocalhost\n")),
        ("csv", text("name,Domain,x\n\"a, b\",a.example,1\nc,\"b.example\",2\n\"d,c.example\n")),
        ("ranked", text("1,a.example\n2,b.example\n3,192.0.2.1\n")),
        ("host-column", text("host,domain\nmx.example,a.example\n")),
        ("no-column", text("x,y\n1,a.example\n")),
        (
            "endpoints",
            text("ip,name,port\n192.0.2.1,mx.example,25\n[2001:db8::1],,2525\n::ffff:192.0.2.2\nx\n"),
        ),
        ("mark-and-cr", text("\u{feff}a.example\rb.example\r\n\rc.example")),
        ("utf-16", [0xff, 0xfe, b'a', 0].to_vec()),
        ("utf-16-unmarked", b"a\0.\0e\0x\0\n\0b\0.\0e\0x\0".to_vec()),
        ("semicolons", text("sep=;\nx;domain\n\"1;2\";a.example\n")),
        ("tabs", text("1\ta.example\n2\t\"b.example\"\n")),
        ("quoted", text("\"a.example\"\r\n\"b.example\"\r\n")),
        (
            "addresses",
            text("bob@a.example\nBob <bob@b.example>\nmailto:bob@c.example?cc=x\nbob@x eve@y\nbob@x\n"),
        ),
        ("urls", text("https://bob:pw@a.example:25/x@y\nb.example/\nhttps://192.0.2.1/\n")),
        (
            "zmap-and-zgrab2",
            text("192.0.2.1,25\n192.0.2.1,mx.example,tag,25\n192.0.2.1:25\n192.0.2.1,a,b,c,d\n"),
        ),
        ("zstd", ZSTD.to_vec()),
        ("no-text", b"a.example\n\xff\xfe.example\nx\x1b[31m.example\n".to_vec()),
        ("too-long", [&b"a.example\n"[..], &[b'x'; 4097], b"\nb.example\n"].concat()),
        ("long-enough", [&[b'x'; 4096][..], b"\nb.example\n"].concat()),
        ("gzip", GZIP.to_vec()),
    ]
}

/// `a.example` and `b.example`, a line each.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xd4, 0x4b, 0xad, 0x48, 0xcc, 0x2d,
    0xc8, 0x49, 0xe5, 0x4a, 0x82, 0xb3, 0x00, 0x43, 0x96, 0xb1, 0xdb, 0x14, 0x00, 0x00, 0x00,
];

/// The same, as `zstd` packs it.
const ZSTD: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x8d, 0x00, 0x00, 0x58, 0x61, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70,
    0x6c, 0x65, 0x0a, 0x62, 0x01, 0x00, 0x2d, 0x8a, 0x17, 0xe3, 0x0f, 0x8e, 0x05,
];
