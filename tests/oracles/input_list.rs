//! Lists of domains and endpoints: the same however the file is read, one
//! entry a line at most, and what is a target is one again when written.

use super::cuts::cuts;
use super::{Seed, message};
use mxray::input::{Entry, InputError, InputKind, InputOptions, REJECTED_TEXT_BYTES_MAX, read};
use mxray::model::{DomainName, Rejected, Subject, Target};
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

fn check_list(input: &[u8], options: &InputOptions) {
    let [whole, bytes, odd] = cuts(input).map(|pieces| entries(&pieces, options));
    assert_eq!(bytes, whole, "byte by byte is no different");
    assert_eq!(odd, whole, "cutting changes nothing");
    let entries = match whole {
        Ok(entries) => entries,
        Err(error) => return message::check(&error),
    };
    let lines = entries.iter().map(|entry| match entry {
        Ok(Entry::Target(Target { line, .. }) | Entry::Rejected(Rejected { line, .. })) => *line,
        Err(_) => u64::MAX,
    });
    assert!(lines.clone().is_sorted_by(|before, after| before < after), "one entry a line");
    assert!(lines.into_iter().all(|line| line > 0));
    entries.iter().for_each(check_entry);
    if options.kind == InputKind::Domains {
        check_written(&entries);
    }
}

type Entries = Result<Vec<Result<Entry, String>>, String>;

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

fn entries(pieces: &[&[u8]], options: &InputOptions) -> Entries {
    // An empty piece would be the end of the file.
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect();
    let list = read("list", Pieces(pieces), options).map_err(|error: InputError| error.to_string())?;
    let entries = list.take(ENTRIES_MAX).map(|entry| entry.map_err(|error| error.to_string()));
    Ok(entries.collect())
}

fn check_entry(entry: &Result<Entry, String>) {
    match entry {
        Err(error) => message::check(error),
        Ok(Entry::Rejected(Rejected { text, cause, .. })) => {
            assert!(text.len() <= REJECTED_TEXT_BYTES_MAX && !text.chars().any(char::is_control), "{text:?}");
            assert!((1..=CAUSE_BYTES_MAX).contains(&cause.len()) && !cause.chars().any(char::is_control));
        }
        Ok(Entry::Target(target)) => match &target.subject {
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
        },
    }
}

/// The targets as a plain list, read again.
fn check_written(entries: &[Result<Entry, String>]) {
    let targets = |entries: &[Result<Entry, String>]| -> Vec<String> {
        let subjects = entries.iter().filter_map(|entry| match entry {
            Ok(Entry::Target(target)) => target.subject.domain().map(str::to_owned),
            _ => None,
        });
        subjects.collect()
    };
    let names = targets(entries);
    let written: String = names.iter().map(|name| format!("{name}\n")).collect();
    let again = self::entries(&[written.as_bytes()], &InputOptions::default()).unwrap();
    assert_eq!(targets(&again), names, "a plain list of them is the same list");
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
