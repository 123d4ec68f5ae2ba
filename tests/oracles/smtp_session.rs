//! A dialogue out of the whole stream of a server: the same however the stream
//! is cut and whenever the client comes to write, over once the stream has
//! ended, and over as well where it never ends.

use super::cuts::cuts;
use super::transcripts::{self, HANDSHAKE};
use super::{Seed, smtp_reply};
use mxray::model::{Dialogue, Failure, Kind, Phase, Reply};
use mxray::smtp::ehlo::{Offer, starttls_offer};
use mxray::smtp::reply::STREAM_BYTES_MAX;
use mxray::smtp::session::RESIDUE_BYTES_MAX;
use mxray::smtp::{EhloName, Session, Step};

/// The name that the client gives itself.
pub const NAME: &str = "scan.example";

/// Commands of the longest dialogue: EHLO, STARTTLS, EHLO and QUIT, or EHLO,
/// HELO and QUIT.
const COMMANDS_MAX: usize = 4;

/// How the server's side ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, arbitrary::Arbitrary)]
pub enum Ending {
    Closed,
    Reset,
    Silence,
}

/// A stream of the server: what comes in clear, and what comes inside TLS;
/// `None` where the handshake fails.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    pub clear: &'a [u8],
    pub inside: Option<&'a [u8]>,
    pub ending: Ending,
}

/// What a session made of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Played {
    pub dialogue: Dialogue,
    pub commands: Vec<String>,
    pub upgraded: bool,
}

/// The first byte of a TLS record parts what is said in clear from what is
/// said inside TLS.
pub fn check(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == HANDSHAKE);
    let clear = parts.next().unwrap_or_default();
    let inside = parts.next();
    for ending in [Ending::Closed, Ending::Reset, Ending::Silence] {
        check_stream(Stream { clear, inside, ending }, cuts);
    }
    check_end_comes(clear, None);
    if let Some(inside) = inside {
        check_end_comes(inside, Some(clear));
    }
}

/// Plays a stream cut in every way that `cuts` knows, and holds what comes of
/// it against what a dialogue must be.
pub fn check_stream(stream: Stream<'_>, cuts: impl Fn(&[u8]) -> [Vec<&[u8]>; 3]) -> Played {
    let (clear, inside) = (cuts(stream.clear), cuts(stream.inside.unwrap_or_default()));
    let [whole, bytes, odd] =
        [0, 1, 2].map(|manner| play(stream, &clear[manner], &inside[manner], Manner::Ready));
    assert_eq!(bytes, whole, "byte by byte is no different");
    assert_eq!(odd, whole, "cutting changes nothing");
    let late = play(stream, &clear[2], &inside[2], Manner::Late);
    assert_eq!(late, whole, "a client that comes late to its answers is no different");
    check_commands(&whole);
    check_kept(&whole, stream);
    whole
}

/// When the client writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As soon as it can.
    Ready,
    /// When all of the stream has come in.
    Late,
}

fn play(stream: Stream<'_>, clear: &[&[u8]], inside: &[&[u8]], manner: Manner) -> Played {
    let mut session = Session::new(EhloName::new(NAME).unwrap());
    let mut commands = Vec::new();
    feed(&mut session, clear, &mut commands, manner);
    let upgraded = turn(&mut session, &mut commands) == Next::Upgrade && stream.inside.is_some();
    if upgraded {
        session.upgraded();
        feed(&mut session, inside, &mut commands, manner);
    }
    end(&mut session, stream.ending, &mut commands);
    Played { dialogue: session.into_dialogue(), commands, upgraded }
}

fn feed(session: &mut Session, pieces: &[&[u8]], commands: &mut Vec<String>, manner: Manner) {
    for piece in pieces {
        if manner == Manner::Ready {
            turn(session, commands);
        }
        session.receive(piece);
    }
}

/// Ends the stream, as the driver tells it, and sees the session end by that.
fn end(session: &mut Session, ending: Ending, commands: &mut Vec<String>) {
    turn(session, commands);
    match ending {
        Ending::Closed => session.receive_eof(false),
        Ending::Reset => session.receive_eof(true),
        Ending::Silence => session.timed_out(),
    }
    assert_eq!(turn(session, commands), Next::Done, "a stream that has ended ends the session");
    // The driver may say more than it needs to.
    session.receive(b"220 late\r\n");
    session.receive_eof(false);
    assert_eq!(turn(session, commands), Next::Done, "the end is the end");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Read,
    Upgrade,
    Done,
}

/// Takes all that the session has to write.
fn turn(session: &mut Session, commands: &mut Vec<String>) -> Next {
    loop {
        match session.next() {
            Step::Write(said) => commands.push(String::from_utf8(said.to_vec()).unwrap()),
            Step::Read => return Next::Read,
            Step::Upgrade => return Next::Upgrade,
            Step::Done => return Next::Done,
        }
        assert!(commands.len() <= COMMANDS_MAX, "the client comes to an end: {commands:?}");
    }
}

/// Each question follows from the answer to the one before.
fn check_commands(played: &Played) {
    let Dialogue { greeting, ehlo, helo, starttls, ehlo_tls, .. } = &played.dialogue;
    let code = |reply: &Option<Reply>| reply.as_ref().map_or(0, |reply| reply.code);
    let mut due = Vec::new();
    let ehlo_line = format!("EHLO {NAME}\r\n");
    let accepted = |reply: &Option<Reply>| code(reply) == 220;
    let listed = ehlo.as_ref().is_some_and(|reply| starttls_offer(reply) == Offer::Listed);
    if accepted(greeting) {
        due.push(ehlo_line.clone());
        if code(ehlo) == 250 && listed {
            due.push("STARTTLS\r\n".into());
        }
        if (500..600).contains(&code(ehlo)) {
            due.push(format!("HELO {NAME}\r\n"));
        }
    }
    if played.upgraded {
        assert!(accepted(starttls), "TLS begins with the server's leave");
        due.push(ehlo_line);
    }
    let said: Vec<&String> = played.commands.iter().filter(|command| *command != "QUIT\r\n").collect();
    assert_eq!(said, due.iter().collect::<Vec<_>>(), "{:?}", played.dialogue);
    assert!(helo.is_none() || (500..600).contains(&code(ehlo)), "HELO only where EHLO was refused");
    assert!(ehlo_tls.is_none() || played.upgraded);
}

/// What is kept came in, is within the limits, and agrees with the failure.
fn check_kept(played: &Played, stream: Stream<'_>) {
    let dialogue = &played.dialogue;
    let Dialogue { greeting, ehlo, helo, starttls, ehlo_tls, quit, .. } = dialogue;
    let replies = [greeting, ehlo, helo, starttls, ehlo_tls, quit];
    replies.into_iter().flatten().for_each(smtp_reply::check_reply);
    // An octet that is escaped stands as four.
    assert!(dialogue.residue.len() <= 4 * RESIDUE_BYTES_MAX, "the residue is bounded");
    assert!(dialogue.residue.is_empty() || starttls.is_some(), "it came after the leave to begin TLS");
    let lines: usize = replies.into_iter().flatten().map(|reply| reply.lines.len()).sum();
    let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines <= breaks(stream.clear) + stream.inside.map_or(0, breaks), "every line came in whole");
    match &dialogue.failure {
        None => assert_eq!(ehlo_tls.as_ref().map(|reply| reply.code), Some(250), "it ran to its end"),
        Some(failure) => check_failure(failure, played),
    }
}

fn check_failure(failure: &Failure, played: &Played) {
    assert_eq!(failure.phase == Phase::AfterTls, played.upgraded, "{failure:?}");
    let quit = played.commands.last().is_some_and(|command| command == "QUIT\r\n");
    // Nobody is there to say it to, or what speaks there is no server of mail.
    let hung_up = matches!(
        failure.kind,
        Kind::Closed | Kind::Timeout | Kind::Throttled | Kind::NotSmtp | Kind::Malformed | Kind::TooLong
    );
    assert!(!(quit && hung_up), "QUIT is said to a server that listens: {failure:?}");
    assert!(failure.detail.as_ref().is_none_or(|detail| !detail.chars().any(char::is_control)));
}

/// A server that says the same over and over comes to an end as well.
fn check_end_comes(stream: &[u8], before: Option<&[u8]>) {
    if stream.is_empty() {
        return;
    }
    let piece = stream.repeat(2048_usize.div_ceil(stream.len()));
    let mut session = Session::new(EhloName::new(NAME).unwrap());
    let mut commands = Vec::new();
    if let Some(clear) = before {
        session.receive(clear);
        if turn(&mut session, &mut commands) != Next::Upgrade {
            return;
        }
        session.upgraded();
    }
    let mut given = 0;
    while turn(&mut session, &mut commands) == Next::Read {
        assert!(given <= STREAM_BYTES_MAX, "no end after {given} bytes");
        session.receive(&piece);
        given += piece.len();
    }
}

pub fn seeds() -> Vec<Seed> {
    transcripts::all()
}
