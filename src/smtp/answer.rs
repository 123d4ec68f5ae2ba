//! What follows from a reply: the whole table of the dialogue, without state.

use super::ehlo::{Offer, starttls_offer};
use super::reply::Fault;
use crate::model::{Dialogue, Failure, Kind, Phase, Reply};

/// What the server is asked; the greeting is asked by connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Greeting,
    Ehlo,
    Helo,
    Starttls,
    EhloTls,
    Quit,
}

impl Question {
    pub(super) fn phase(self) -> Phase {
        match self {
            Question::Greeting => Phase::Greeting,
            Question::Ehlo | Question::Helo => Phase::Ehlo,
            Question::Starttls => Phase::Starttls,
            Question::EhloTls => Phase::AfterTls,
            Question::Quit => Phase::Quit,
        }
    }

    /// Where the answer is kept.
    pub(super) fn slot(self, dialogue: &mut Dialogue) -> &mut Option<Reply> {
        match self {
            Question::Greeting => &mut dialogue.greeting,
            Question::Ehlo => &mut dialogue.ehlo,
            Question::Helo => &mut dialogue.helo,
            Question::Starttls => &mut dialogue.starttls,
            Question::EhloTls => &mut dialogue.ehlo_tls,
            Question::Quit => &mut dialogue.quit,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Ask this.
    Ask(Question),
    /// Start TLS.
    Upgrade,
    /// It ends here; the connection is sane, so the client says QUIT.
    Part(Failure),
    /// It ends here, and there is nobody to say QUIT to: the server hangs up
    /// (421 announces it, RFC 5321 §3.8) or its bytes make no sense.
    Leave(Failure),
    /// All is said.
    Finish,
}

/// What the reply to a question leads to. `before` holds the replies to the
/// questions before it.
pub(super) fn follow(question: Question, reply: &Reply, before: &Dialogue) -> Turn {
    match question {
        Question::Greeting => after_greeting(reply),
        Question::Ehlo => after_ehlo(reply),
        Question::Helo => after_helo(reply, before.ehlo.as_ref()),
        Question::Starttls => after_starttls(reply),
        Question::EhloTls => after_ehlo_tls(reply),
        Question::Quit => Turn::Finish,
    }
}

fn after_greeting(reply: &Reply) -> Turn {
    let failed = |kind| decided_by(reply, Phase::Greeting, kind);
    match reply.code {
        220 => Turn::Ask(Question::Ehlo),
        421 => Turn::Leave(failed(Kind::Throttled)),
        400..=499 => Turn::Part(failed(Kind::Tempfail)),
        500..=599 => Turn::Part(failed(Kind::Rejected)),
        _ => Turn::Leave(failed(Kind::NotSmtp)),
    }
}

fn after_ehlo(reply: &Reply) -> Turn {
    let failed = |kind| decided_by(reply, Phase::Ehlo, kind);
    match reply.code {
        250 => match starttls_offer(reply) {
            Offer::Listed => Turn::Ask(Question::Starttls),
            Offer::Absent => Turn::Part(Failure::new(Phase::Starttls, Kind::NotOffered)),
            Offer::Mangled(keyword) => {
                Turn::Part(Failure::new(Phase::Starttls, Kind::KeywordMangled).with_detail(keyword))
            }
        },
        421 => Turn::Leave(failed(Kind::Throttled)),
        400..=499 => Turn::Part(failed(Kind::Tempfail)),
        500..=599 => Turn::Ask(Question::Helo),
        _ => Turn::Leave(failed(Kind::Malformed)),
    }
}

/// HELO is asked only where EHLO was refused. Accepted, the failure is that
/// refusal, with its code; refused as well, the code is that of HELO.
fn after_helo(reply: &Reply, ehlo: Option<&Reply>) -> Turn {
    let failed = |kind| decided_by(reply, Phase::Ehlo, kind);
    match reply.code {
        250 => Turn::Part(decided_by(ehlo.unwrap_or(reply), Phase::Ehlo, Kind::HeloOnly)),
        421 => Turn::Leave(failed(Kind::Throttled)),
        400..=499 => Turn::Part(failed(Kind::Tempfail)),
        500..=599 => Turn::Part(failed(Kind::Rejected)),
        _ => Turn::Leave(failed(Kind::Malformed)),
    }
}

fn after_starttls(reply: &Reply) -> Turn {
    let failed = |kind| decided_by(reply, Phase::Starttls, kind);
    match reply.code {
        220 => Turn::Upgrade,
        421 => Turn::Leave(failed(Kind::Throttled)),
        400..=499 => Turn::Part(failed(Kind::RefusedTemporarily)),
        500..=599 => Turn::Part(failed(Kind::Refused)),
        _ => Turn::Leave(failed(Kind::Malformed)),
    }
}

fn after_ehlo_tls(reply: &Reply) -> Turn {
    let failed = |kind| decided_by(reply, Phase::AfterTls, kind);
    match reply.code {
        250 => Turn::Ask(Question::Quit),
        421 => Turn::Leave(failed(Kind::Throttled)),
        _ => Turn::Part(failed(Kind::EhloRejected)),
    }
}

/// A failure that a reply decided, with its code and the first line of its
/// text that says anything.
fn decided_by(reply: &Reply, phase: Phase, kind: Kind) -> Failure {
    let failure = Failure::new(phase, kind).with_reply(reply.code);
    match reply.lines.iter().find(|line| !line.trim().is_empty()) {
        Some(text) => failure.with_detail(text),
        None => failure,
    }
}

/// What a stream without a reply means in a phase.
pub(super) fn faulty(phase: Phase, fault: &Fault) -> Failure {
    let kind = match fault {
        Fault::NotReply(_) if phase == Phase::Greeting => Kind::NotSmtp,
        Fault::NotReply(_) | Fault::BadLine(_) | Fault::CodeChange(..) => Kind::Malformed,
        Fault::LineTooLong | Fault::TooManyLines | Fault::ReplyTooLong | Fault::StreamTooLong => {
            Kind::TooLong
        }
    };
    Failure::new(phase, kind).with_detail(fault)
}
