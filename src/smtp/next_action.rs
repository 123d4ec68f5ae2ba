//! What follows from a reply: the whole table of the dialogue, without state.

use super::count::NOT_AVAILABLE;
use super::ehlo::{StarttlsKeyword, starttls_keyword};
use super::refusal::{About, about};
use super::reply::ReplyFault;
use crate::model::{Dialogue, Failure, Kind, Phase, Reply, SmtpCommand};

/// What the server is asked; the greeting is asked by connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DialogueStep {
    Greeting,
    Ehlo,
    Helo,
    Starttls,
    EhloTls,
    Quit,
}

impl DialogueStep {
    pub(super) fn phase(self) -> Phase {
        match self {
            DialogueStep::Greeting => Phase::Greeting,
            DialogueStep::Ehlo | DialogueStep::Helo => Phase::Ehlo,
            DialogueStep::Starttls => Phase::Starttls,
            DialogueStep::EhloTls => Phase::AfterTls,
            DialogueStep::Quit => Phase::Quit,
        }
    }

    /// The command; none for the greeting.
    pub(super) fn command(self) -> Option<SmtpCommand> {
        Some(match self {
            DialogueStep::Greeting => return None,
            DialogueStep::Ehlo => SmtpCommand::Ehlo,
            DialogueStep::Helo => SmtpCommand::Helo,
            DialogueStep::Starttls => SmtpCommand::Starttls,
            DialogueStep::EhloTls => SmtpCommand::EhloTls,
            DialogueStep::Quit => SmtpCommand::Quit,
        })
    }

    /// Where the answer is kept.
    pub(super) fn slot(self, dialogue: &mut Dialogue) -> &mut Option<Reply> {
        match self {
            DialogueStep::Greeting => &mut dialogue.greeting,
            DialogueStep::Ehlo => &mut dialogue.ehlo,
            DialogueStep::Helo => &mut dialogue.helo,
            DialogueStep::Starttls => &mut dialogue.starttls,
            DialogueStep::EhloTls => &mut dialogue.ehlo_tls,
            DialogueStep::Quit => &mut dialogue.quit,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NextAction {
    /// Ask this.
    Send(DialogueStep),
    /// Start TLS.
    Upgrade,
    /// It ends here; the connection is sane, so the client says QUIT.
    QuitAfter(Failure),
    /// It ends here, and there is nobody to say QUIT to: the server hangs up
    /// (421 and 221 announce it, RFC 5321 §3.8) or its bytes make no sense.
    Disconnect(Failure),
    /// All is said.
    Finish,
}

/// What the reply to a question leads to. `before` holds the replies to the
/// questions before it.
pub(super) fn next_action(question: DialogueStep, reply: &Reply, before: &Dialogue) -> NextAction {
    match question {
        DialogueStep::Greeting => after_greeting(reply),
        DialogueStep::Ehlo => after_ehlo(reply),
        DialogueStep::Helo => after_helo(reply, before.ehlo.as_ref()),
        DialogueStep::Starttls => after_starttls(reply),
        DialogueStep::EhloTls => after_ehlo_tls(reply),
        DialogueStep::Quit => NextAction::Finish,
    }
}

fn after_greeting(reply: &Reply) -> NextAction {
    match reply.code {
        220 => NextAction::Send(DialogueStep::Ehlo),
        _ => refused(reply, Phase::Greeting, Kind::Tempfail, Kind::Rejected),
    }
}

fn after_ehlo(reply: &Reply) -> NextAction {
    match reply.code {
        250 => match starttls_keyword(reply) {
            StarttlsKeyword::Listed => NextAction::Send(DialogueStep::Starttls),
            StarttlsKeyword::Absent => NextAction::QuitAfter(Failure::new(Phase::Starttls, Kind::NotOffered)),
            StarttlsKeyword::Mangled(keyword) => NextAction::QuitAfter(
                Failure::new(Phase::Starttls, Kind::KeywordMangled).with_detail(keyword),
            ),
        },
        TLS_REQUIRED => NextAction::QuitAfter(decided_by(reply, Phase::Ehlo, Kind::TlsRequired)),
        500..=599 => NextAction::Send(DialogueStep::Helo),
        _ => refused(reply, Phase::Ehlo, Kind::Tempfail, Kind::Rejected),
    }
}

/// HELO is asked only where EHLO was refused. Accepted, the failure is that
/// refusal, with its code; refused as well, the code is that of HELO. A refusal
/// that was meant for the client says nothing of what others are offered.
fn after_helo(reply: &Reply, ehlo: Option<&Reply>) -> NextAction {
    match reply.code {
        250 => {
            let refusal = ehlo.unwrap_or(reply);
            let kind = match about(refusal) {
                About::TlsRequired => Kind::TlsRequired,
                About::Tls if is_unknown(refusal) => Kind::HeloOnly,
                _ => Kind::Rejected,
            };
            NextAction::QuitAfter(decided_by(refusal, Phase::Ehlo, kind))
        }
        _ => {
            let required = about(reply) == About::TlsRequired;
            let permanent = if required { Kind::TlsRequired } else { Kind::Rejected };
            refused(reply, Phase::Ehlo, Kind::Tempfail, permanent)
        }
    }
}

fn after_starttls(reply: &Reply) -> NextAction {
    if reply.code == 220 {
        return NextAction::Upgrade;
    }
    let (transient, permanent) = match about(reply) {
        About::Tls => (Kind::RefusedTemporarily, Kind::Refused),
        About::TlsRequired => (Kind::Tempfail, Kind::TlsRequired),
        About::Client | About::Load => (Kind::Tempfail, Kind::Rejected),
    };
    refused(reply, Phase::Starttls, transient, permanent)
}

fn after_ehlo_tls(reply: &Reply) -> NextAction {
    match reply.code {
        250 => NextAction::Send(DialogueStep::Quit),
        _ => refused(reply, Phase::AfterTls, Kind::Tempfail, Kind::EhloRejected),
    }
}

/// "Must issue a STARTTLS command first" (RFC 3207 §4): the server does have
/// TLS, and asks for nothing else.
const TLS_REQUIRED: u16 = 530;

/// What every other reply comes to: `transient` for 4yz, `permanent` for 5yz;
/// a code that means nothing here is no refusal. 421 and 221 announce that the
/// server closes (RFC 5321 §3.8, §4.2.3).
fn refused(reply: &Reply, phase: Phase, transient: Kind, permanent: Kind) -> NextAction {
    let failed = |kind| decided_by(reply, phase, kind);
    match reply.code {
        421 => NextAction::Disconnect(failed(Kind::Throttled)),
        400..=499 => NextAction::QuitAfter(failed(transient)),
        500..=599 => NextAction::QuitAfter(failed(permanent)),
        221 => NextAction::Disconnect(failed(Kind::UnexpectedCode)),
        _ => NextAction::QuitAfter(failed(Kind::UnexpectedCode)),
    }
}

/// Whether a refusal of EHLO is said of the command, unknown or not to be had
/// there (RFC 5321 §3.2; 503 by servers that know HELO only). Other codes speak
/// of the name after it (501, 504) or of whoever says it.
fn is_unknown(reply: &Reply) -> bool {
    matches!(reply.code, 500 | 502 | 503)
}

/// Where EHLO was refused and the server hangs up at HELO: the refusal, which
/// was meant for the client and not for the command.
pub(super) fn rejected_by_ehlo(ehlo: &Reply) -> Failure {
    decided_by(ehlo, Phase::Ehlo, Kind::Rejected)
}

/// What it comes to where a server has said "no TLS" by its reply in `phase`,
/// and does not stay for QUIT: a client that went on in clear would have been
/// left alone with its message (RFC 5321 §3.8).
pub(super) fn gone_before_quit(denial: &Failure, phase: Phase, kind: Kind, cause: &str) -> Failure {
    let comma = if cause.is_empty() { "" } else { ", " };
    let told = format_args!("{cause}{comma}behind {denial} and before QUIT");
    Failure::new(phase, kind).with_detail(told)
}

/// What a 421 comes to behind a "no TLS" in `phase`, before QUIT or to it.
pub(super) fn taken_leave(reply: &Reply, phase: Phase) -> Failure {
    decided_by(reply, phase, Kind::Throttled)
}

/// A failure that a reply decided, with its code and the lines of its text that
/// say anything, blanks between.
fn decided_by(reply: &Reply, phase: Phase, kind: Kind) -> Failure {
    let failure = Failure::new(phase, kind).with_reply(reply.code);
    let told: Vec<&str> =
        reply.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    if told.is_empty() { failure } else { failure.with_detail(told.join(" ")) }
}

/// What a stream without a reply means in a phase.
pub(super) fn faulty(phase: Phase, fault: &ReplyFault) -> Failure {
    let kind = match fault {
        // It gave up in the middle of a reply (RFC 5321 §3.8).
        ReplyFault::CodeChange(_, NOT_AVAILABLE) => {
            return Failure::new(phase, Kind::Throttled).with_reply(NOT_AVAILABLE).with_detail(fault);
        }
        ReplyFault::NotReply(_) if phase == Phase::Greeting => Kind::NotSmtp,
        ReplyFault::NotReply(_) | ReplyFault::BadLine(_) | ReplyFault::CodeChange(..) => Kind::Malformed,
        ReplyFault::LineTooLong
        | ReplyFault::TooManyLines
        | ReplyFault::ReplyTooLong
        | ReplyFault::StreamTooLong => Kind::TooLong,
    };
    Failure::new(phase, kind).with_detail(fault)
}
