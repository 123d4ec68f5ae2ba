//! Server streams of common and odd mail systems, each played to the session
//! whole, byte by byte and split at every point: the dialogue must be what the
//! file says, and the same each time.
//!
//! A file of `streams/` is a transcript, one event a line:
//!
//! ```text
//! # why it is here
//! S text      the server says this line (CRLF is added)
//! R text      the server says these bytes; \r \n \\ \xHH are escapes
//! N 3 text    the same, three times over
//! C text      the client must say this line
//! TLS         the handshake succeeds; TLS-FAILS: it does not
//! EOF         the server closes; RESET, TIMEOUT: as they say
//! ~ text      the plaintext after STARTTLS that must be kept
//! ! names     the deviations that must be told, blanks between
//! = ok        how it must end: ok, or phase, kind and reply code
//! ```

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::model::{Deviation, Dialogue, Failure, Kind, Phase};
use mxray::internals::smtp::{EhloName, SmtpAction, SmtpClient};
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Server(Vec<u8>),
    Client(String),
    Tls { established: bool },
    Eof { reset: bool },
    Timeout,
}

#[derive(Debug)]
struct Transcript {
    name: String,
    events: Vec<Event>,
    plaintext: String,
    deviations: String,
    end: String,
}

impl Transcript {
    fn parse(name: String, text: &str) -> Self {
        let mut transcript = Self {
            name,
            events: Vec::new(),
            plaintext: String::new(),
            deviations: String::new(),
            end: String::new(),
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            match verb {
                "S" => transcript.server(format!("{rest}\r\n").into_bytes()),
                "R" => transcript.server(unescape(rest)),
                "N" => {
                    let (count, rest) = rest.split_once(' ').unwrap();
                    transcript.server(unescape(rest).repeat(count.parse().unwrap()));
                }
                "C" => transcript.events.push(Event::Client(format!("{rest}\r\n"))),
                "TLS" => transcript.events.push(Event::Tls { established: true }),
                "TLS-FAILS" => transcript.events.push(Event::Tls { established: false }),
                "EOF" => transcript.events.push(Event::Eof { reset: false }),
                "RESET" => transcript.events.push(Event::Eof { reset: true }),
                "TIMEOUT" => transcript.events.push(Event::Timeout),
                "~" => transcript.plaintext = rest.to_string(),
                "!" => transcript.deviations = rest.to_string(),
                "=" => transcript.end = rest.to_string(),
                other => panic!("{}: no such event: {other}", transcript.name),
            }
        }
        assert!(!transcript.end.is_empty(), "{}: no end", transcript.name);
        transcript
    }

    /// Lines that follow each other are one segment.
    fn server(&mut self, bytes: Vec<u8>) {
        match self.events.last_mut() {
            Some(Event::Server(segment)) => segment.extend(bytes),
            _ => self.events.push(Event::Server(bytes)),
        }
    }

    fn longest_segment(&self) -> usize {
        let lengths = self.events.iter().map(|event| match event {
            Event::Server(segment) => segment.len(),
            _ => 0,
        });
        lengths.max().unwrap_or(0)
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..position]);
        let length = match rest.as_bytes()[position + 1] {
            b'r' => (b'\r', 2),
            b'n' => (b'\n', 2),
            b'\\' => (b'\\', 2),
            b'x' => (u8::from_str_radix(&rest[position + 2..position + 4], 16).unwrap(), 4),
            other => panic!("no such escape: {other}"),
        };
        bytes.push(length.0);
        rest = &rest[position + length.1..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn transcripts() -> Vec<Transcript> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");
    let mut all: Vec<Transcript> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            Transcript::parse(name, &std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(all.len() >= 40);
    all
}

/// Plays a transcript to a session, each segment cut by `cut`. What the server
/// says in one segment is there before the client says anything more.
fn play(transcript: &Transcript, cut: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Dialogue {
    let name = &transcript.name;
    let mut session = SmtpClient::new(EhloName::new("scan.example").unwrap());
    let mut events = transcript.events.iter();
    let mut pieces: VecDeque<Vec<u8>> = VecDeque::new();
    loop {
        if session.has_command() {
            pieces.drain(..).for_each(|piece| session.receive(&piece));
        }
        match session.next() {
            SmtpAction::Read => match pieces.pop_front() {
                Some(piece) => session.receive(&piece),
                None => match events.next() {
                    Some(Event::Server(segment)) => pieces.extend(cut(segment)),
                    Some(Event::Eof { reset }) => session.receive_eof(*reset),
                    Some(Event::Timeout) => session.timed_out(),
                    other => panic!("{name}: the client waits, but {other:?}"),
                },
            },
            SmtpAction::Write(said) => {
                let said = String::from_utf8(said.to_vec()).unwrap();
                assert_eq!(Some(&Event::Client(said)), events.next(), "{name}");
            }
            SmtpAction::Upgrade => {
                pieces.drain(..).for_each(|piece| session.receive(&piece));
                match events.next() {
                    Some(Event::Tls { established: true }) => session.upgraded(),
                    Some(Event::Tls { established: false }) => {
                        session.upgrade_failed(Failure::new(Phase::Tls, Kind::Alert));
                    }
                    other => panic!("{name}: the client wants TLS, but {other:?}"),
                }
            }
            SmtpAction::Done => {
                pieces.drain(..).for_each(|piece| session.receive(&piece));
                break;
            }
        }
    }
    for event in events {
        // What is left is how the server takes the client's leave.
        assert!(matches!(event, Event::Server(_) | Event::Eof { .. } | Event::Timeout), "{name}: {event:?}");
    }
    session.into_dialogue()
}

fn end(dialogue: &Dialogue) -> String {
    match &dialogue.failure {
        None => "ok".to_string(),
        Some(Failure { phase, kind, reply_code: Some(code), .. }) => format!("{phase} {kind} {code}"),
        Some(Failure { phase, kind, .. }) => format!("{phase} {kind}"),
    }
}

fn deviations(dialogue: &Dialogue) -> String {
    let all = dialogue.replies().flat_map(|reply| reply.deviations.iter().copied());
    let names: Vec<&str> = all.collect::<BTreeSet<_>>().into_iter().map(Deviation::name).collect();
    names.join(" ")
}

#[test]
fn streams_end_as_they_say() {
    for transcript in transcripts() {
        let dialogue = play(&transcript, |segment| vec![segment.to_vec()]);
        assert_eq!(end(&dialogue), transcript.end, "{}", transcript.name);
        assert_eq!(dialogue.plaintext_after_starttls, transcript.plaintext, "{}", transcript.name);
        assert_eq!(deviations(&dialogue), transcript.deviations, "{}", transcript.name);
    }
}

#[test]
fn byte_by_byte_is_the_same() {
    for transcript in transcripts() {
        let whole = play(&transcript, |segment| vec![segment.to_vec()]);
        let bytes = play(&transcript, |segment| segment.iter().map(|byte| vec![*byte]).collect());
        assert_eq!(bytes, whole, "{}", transcript.name);
    }
}

#[test]
fn split_at_every_point_is_the_same() {
    for transcript in transcripts() {
        let whole = play(&transcript, |segment| vec![segment.to_vec()]);
        for point in 0..transcript.longest_segment() {
            let split = play(&transcript, |segment| {
                let (first, second) = segment.split_at(point.min(segment.len()));
                vec![first.to_vec(), second.to_vec()]
            });
            assert_eq!(split, whole, "{} at {point}", transcript.name);
        }
    }
}

/// Plays what the server says up to a point, where it closes.
fn break_off(transcript: &Transcript, point: usize) -> Dialogue {
    let mut session = SmtpClient::new(EhloName::new("scan.example").unwrap());
    let mut events = transcript.events.iter();
    let mut left = point;
    loop {
        match session.next() {
            SmtpAction::Read => match events.find(|event| !matches!(event, Event::Client(_))) {
                Some(Event::Server(segment)) if left > 0 => {
                    let heard = &segment[..segment.len().min(left)];
                    left -= heard.len();
                    session.receive(heard);
                }
                Some(Event::Timeout) if left > 0 => session.timed_out(),
                Some(Event::Eof { reset }) if left > 0 => session.receive_eof(*reset),
                _ => session.receive_eof(false),
            },
            SmtpAction::Write(_) => {}
            SmtpAction::Upgrade if left > 0 => {
                match events.find(|event| matches!(event, Event::Tls { .. })) {
                    Some(Event::Tls { established: true }) => session.upgraded(),
                    _ => session.upgrade_failed(Failure::new(Phase::Tls, Kind::Alert)),
                }
            }
            SmtpAction::Upgrade => session.upgrade_failed(Failure::new(Phase::Tls, Kind::Closed)),
            SmtpAction::Done => return session.into_dialogue(),
        }
    }
}

#[test]
fn broken_off_at_any_point_is_closed_or_what_the_whole_is() {
    for transcript in transcripts() {
        let segments = transcript.events.iter().map(|event| match event {
            Event::Server(segment) => segment.len(),
            _ => 0,
        });
        for point in 0..segments.sum() {
            let dialogue = break_off(&transcript, point);
            let failure = dialogue.failure.as_ref();
            let closed = failure.is_some_and(|failure| {
                // Whoever hangs up at HELO has refused with EHLO.
                let at_helo = failure.kind == Kind::Rejected && dialogue.helo.is_none();
                failure.kind == Kind::Closed || at_helo
            });
            // What would have been one too many did not come.
            let counted = transcript.end.contains("out_of_step") && failure.is_some_and(Failure::denies_tls);
            assert!(
                closed || counted || end(&dialogue) == transcript.end,
                "{} at {point}: {dialogue:?}",
                transcript.name
            );
        }
    }
}
