//! A dialogue out of the whole stream of a server: the same however the stream
//! is cut, and whenever the client comes to write but for what it says of
//! replies that came too early; over once the stream has ended, and over as well
//! where it never ends. No "no TLS" stands beside a reply too many.

use super::cuts::cuts;
use super::transcripts::{self, HANDSHAKE};
use super::{Seed, smtp_reply};
use mxray::internals::model::text::{is_unprintable, unescape};
use mxray::internals::model::{Deviation, Dialogue, Failure, Kind, Phase, Reply, SmtpCommand};
use mxray::internals::smtp::client::{BROKEN_OFF_BYTES_MAX, PLAINTEXT_BYTES_MAX};
use mxray::internals::smtp::ehlo::{StarttlsKeyword, starttls_keyword};
use mxray::internals::smtp::reply::STREAM_BYTES_MAX;
use mxray::internals::smtp::{EhloName, SmtpAction, SmtpClient};

/// The name that the client gives itself.
pub const NAME: &str = "scan.example";

/// Commands of the longest dialogue: EHLO, STARTTLS, EHLO and QUIT, or EHLO,
/// HELO and QUIT.
const COMMANDS_MAX: usize = 4;

/// Most replies kept that nobody asked for.
const COUNTED_MAX: usize = 16;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    let played = |manner| [0, 1, 2].map(|pieces| play(stream, &clear[pieces], &inside[pieces], manner));
    let late = played(Manner::Late);
    assert_eq!(late[1], late[0], "byte by byte is no different");
    assert_eq!(late[2], late[0], "cutting changes nothing");
    let ready = played(Manner::Ready);
    for other in &ready {
        assert_eq!(
            but_for_the_count(other),
            but_for_the_count(&late[0]),
            "when it writes changes nothing else"
        );
    }
    check_early(&late[0], &ready[1]);
    for one in late.iter().chain(&ready) {
        check_commands(one);
        check_kept(one, stream);
        check_count(one);
    }
    let [whole, ..] = ready;
    whole
}

/// What does not depend on when the client writes: not whether a reply was too
/// early, nor hence whether a "no TLS" is one, nor whether a 421 came before
/// QUIT or answers it.
fn but_for_the_count(played: &Played) -> Played {
    let Played { mut dialogue, mut commands, upgraded } = played.clone();
    let before_quit = dialogue.unsolicited.as_ref().and_then(|kept| kept.last());
    if dialogue.quit.as_ref().or(before_quit).is_some_and(|reply| reply.code == 421) {
        dialogue.quit = None;
        dialogue.unsolicited = None;
        dialogue.unanswered.take_if(|asked| *asked == SmtpCommand::Quit);
        // What comes behind it is looked at only where it answers.
        dialogue.broken_off = None;
        dialogue.broken_off_deviations.iter_mut().for_each(Vec::clear);
        commands.retain(|command| command != "QUIT\r\n");
        if dialogue.failure.as_ref().is_some_and(|failure| failure.kind == Kind::Throttled) {
            dialogue.failure = Some(Failure::new(Phase::Starttls, Kind::OutOfStep));
        }
    }
    let slots = [
        &mut dialogue.greeting,
        &mut dialogue.ehlo,
        &mut dialogue.helo,
        &mut dialogue.starttls,
        &mut dialogue.ehlo_tls,
        &mut dialogue.quit,
    ];
    let replies = slots.into_iter().flatten().chain(dialogue.unsolicited.iter_mut().flatten());
    let deviations = replies.map(|reply| &mut reply.deviations).chain(&mut dialogue.broken_off_deviations);
    deviations.for_each(|all| all.retain(|one| *one != Deviation::UnsolicitedReply));
    if let Some(failure) = &mut dialogue.failure
        && (failure.denies_tls() || failure.kind == Kind::OutOfStep)
    {
        *failure = Failure::new(Phase::Starttls, Kind::OutOfStep);
    }
    Played { dialogue, commands, upgraded }
}

/// A client that comes late finds every answer there before it has asked, and
/// one that is as quick as the server's bytes none.
fn check_early(late: &Played, quick: &Played) {
    let Dialogue { ehlo, helo, starttls, ehlo_tls, .. } = &late.dialogue;
    for reply in [ehlo, helo, starttls, ehlo_tls].into_iter().flatten() {
        assert_eq!(reply.has(Deviation::UnsolicitedReply), reply.code != 421, "{:?}", late.dialogue);
    }
    let Dialogue { greeting, ehlo, helo, starttls, ehlo_tls, .. } = &quick.dialogue;
    for reply in [greeting, ehlo, helo, starttls, ehlo_tls].into_iter().flatten() {
        assert!(!reply.has(Deviation::UnsolicitedReply), "{:?}", quick.dialogue);
    }
}

/// Replies are counted against commands to the end of QUIT.
fn check_count(played: &Played) {
    let dialogue = &played.dialogue;
    let extra = dialogue.replies().filter(|reply| reply.has(Deviation::UnsolicitedReply)).count();
    let no_tls = dialogue.failure.as_ref().is_some_and(Failure::denies_tls);
    let out_of_step = dialogue.failure.as_ref().is_some_and(|failure| failure.kind == Kind::OutOfStep);
    assert!(!(no_tls && extra > 0), "no answer beside a reply too many: {dialogue:?}");
    assert!(!out_of_step || extra > 0, "{dialogue:?}");
    let meant = dialogue.replies().filter(|reply| reply.code == 421).count();
    let too_many = dialogue.replies().count().saturating_sub(played.commands.len() + 1);
    assert!(too_many <= extra + meant, "one too many is told: {dialogue:?}");
    assert!(dialogue.unsolicited.as_ref().is_some_and(|kept| kept.len() <= COUNTED_MAX));
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
    let mut session = SmtpClient::new(EhloName::new(NAME).unwrap());
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

fn feed(session: &mut SmtpClient, pieces: &[&[u8]], commands: &mut Vec<String>, manner: Manner) {
    for piece in pieces {
        if manner == Manner::Ready {
            turn(session, commands);
        }
        session.receive(piece);
    }
}

/// Ends the stream, as the driver tells it, and sees the session end by that.
fn end(session: &mut SmtpClient, ending: Ending, commands: &mut Vec<String>) {
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
fn turn(session: &mut SmtpClient, commands: &mut Vec<String>) -> Next {
    loop {
        match session.next() {
            SmtpAction::Write(said) => commands.push(String::from_utf8(said.to_vec()).unwrap()),
            SmtpAction::Read => return Next::Read,
            SmtpAction::Upgrade => return Next::Upgrade,
            SmtpAction::Done => return Next::Done,
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
    let listed = ehlo.as_ref().is_some_and(|reply| starttls_keyword(reply) == StarttlsKeyword::Listed);
    if accepted(greeting) {
        due.push(ehlo_line.clone());
        if code(ehlo) == 250 && listed {
            due.push("STARTTLS\r\n".into());
        }
        if (500..600).contains(&code(ehlo)) && code(ehlo) != 530 {
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
    let Dialogue { starttls, ehlo_tls, .. } = dialogue;
    dialogue.replies().for_each(smtp_reply::check_reply);
    let broken_off = dialogue.broken_off.as_deref().map(unescape).unwrap_or_default();
    assert!(broken_off.len() <= BROKEN_OFF_BYTES_MAX, "{} bytes of a reply that broke off", broken_off.len());
    let said = |bytes: &[u8]| bytes.windows(broken_off.len().max(1)).any(|part| *part == *broken_off);
    let odd = dialogue.broken_off_deviations.as_ref().unwrap();
    let behind_quit = dialogue.quit.is_some() || dialogue.unanswered == Some(SmtpCommand::Quit);
    assert_eq!(odd.contains(&Deviation::EightBit), !behind_quit && !broken_off.is_ascii(), "{dialogue:?}");
    assert_eq!(odd.contains(&Deviation::NulByte), !behind_quit && broken_off.contains(&0), "{dialogue:?}");
    assert!(!broken_off.is_empty() || odd.is_empty(), "{dialogue:?}");
    assert!(broken_off.is_empty() || said(stream.clear) || stream.inside.is_some_and(said), "it came in so");
    // An octet that is escaped stands as four.
    assert!(dialogue.plaintext_after_starttls.len() <= 4 * PLAINTEXT_BYTES_MAX, "the plaintext is bounded");
    assert!(
        dialogue.plaintext_after_starttls.is_empty() || starttls.is_some(),
        "it came after the leave to begin TLS"
    );
    let lines: usize = dialogue.replies().map(|reply| reply.lines.len()).sum();
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
    let hung_up = hung_up || failure.kind == Kind::UnexpectedCode && failure.reply_code == Some(221);
    // It had begun to say so before QUIT, or says so to it.
    let unsolicited = played.dialogue.unsolicited.as_ref().and_then(|kept| kept.last());
    let was_leaving = [unsolicited, played.dialogue.quit.as_ref()].into_iter().flatten();
    let was_leaving = was_leaving.into_iter().any(|reply| reply.code == 421);
    assert!(!(quit && hung_up) || was_leaving, "QUIT is said to a server that listens: {failure:?}");
    let refused =
        matches!(failure.kind, Kind::Rejected | Kind::EhloRejected | Kind::Refused | Kind::TlsRequired);
    assert!(!refused || failure.reply_code.is_some_and(|code| (500..600).contains(&code)), "{failure:?}");
    assert!(failure.kind != Kind::TlsRequired || failure.reply_code == Some(530) || asks_for_tls(played));
    assert!(failure.detail.as_ref().is_none_or(|detail| !detail.chars().any(is_unprintable)));
}

/// Whether a reply says in words or by its status that TLS is wanted first.
fn asks_for_tls(played: &Played) -> bool {
    let lines = played.dialogue.replies().flat_map(|reply| &reply.lines);
    let text = lines.map(|line| line.to_lowercase()).collect::<Vec<_>>().join(" ");
    ["starttls", "encryption", ".7.10", ".7.11"].iter().any(|sign| text.contains(sign))
}

/// A server that says the same over and over comes to an end as well.
fn check_end_comes(stream: &[u8], before: Option<&[u8]>) {
    if stream.is_empty() {
        return;
    }
    let piece = stream.repeat(2048_usize.div_ceil(stream.len()));
    let mut session = SmtpClient::new(EhloName::new(NAME).unwrap());
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
