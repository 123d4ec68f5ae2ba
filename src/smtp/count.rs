//! Replies counted against commands (RFC 5321 §4.3.1): one to each, and one to
//! the connection. Where there is one more, nobody knows to which command a
//! reply belongs, and what the last of them says of TLS is no answer.

use crate::model::{Deviation, Dialogue, Failure, Kind, Phase, Reply};

/// Most replies kept beyond those that were asked for; a server that goes on is
/// left.
pub const UNSOLICITED_REPLIES_MAX: usize = 16;

/// The code by which a server takes its leave (RFC 5321 §4.1.1.10).
pub(super) const CLOSING: u16 = 221;
/// May come at any moment, in place of any answer (RFC 5321 §3.8).
pub(super) const NOT_AVAILABLE: u16 = 421;

/// Keeps a reply that nobody asked for; false if there were too many.
pub(super) fn keep(dialogue: &mut Dialogue, mut reply: Reply) -> bool {
    let kept = dialogue.unsolicited.get_or_insert_default();
    if reply.code != NOT_AVAILABLE {
        reply.note(Deviation::UnsolicitedReply);
    }
    kept.push(reply);
    kept.len() < UNSOLICITED_REPLIES_MAX
}

/// Sums up: what answers QUIT and is neither its 221 nor a refusal is the
/// answer to something else, and a "no TLS" among replies that do not match
/// their commands is none. `decided` is the phase of the last reply before
/// QUIT's.
pub(super) fn settle(dialogue: &mut Dialogue, decided: Phase) {
    dialogue.unsolicited.get_or_insert_default();
    if let Some(quit) = dialogue.quit.as_mut().filter(|quit| quit.code < 400 && quit.code != CLOSING) {
        quit.note(Deviation::UnsolicitedReply);
    }
    let extra = dialogue.replies().find(|reply| reply.has(Deviation::UnsolicitedReply));
    if let (Some(extra), Some(failure)) = (extra, &dialogue.failure)
        && failure.denies_tls()
    {
        dialogue.failure = Some(out_of_step(extra, failure, decided, dialogue));
    }
}

fn out_of_step(extra: &Reply, failure: &Failure, phase: Phase, dialogue: &Dialogue) -> Failure {
    let told = Failure::new(phase, Kind::OutOfStep).with_detail(format_args!(
        "{}: {} but for a reply that no command had asked for: {} {}",
        failure.phase,
        failure.kind,
        extra.code,
        extra.words().unwrap_or_default()
    ));
    let deciding = if phase == Phase::Starttls { &dialogue.starttls } else { &dialogue.ehlo };
    match failure.reply_code.or(deciding.as_ref().map(|reply| reply.code)) {
        Some(code) => told.with_reply(code),
        None => told,
    }
}
