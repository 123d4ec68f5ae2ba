//! The dialogue as a state machine: one connection from banner to QUIT.

use super::command::{CommandLine, EhloName};
use super::count;
use super::next_action::{
    DialogueStep, NextAction, faulty, gone_before_quit, next_action, rejected_by_ehlo, taken_leave,
};
use super::reply::{REPLY_BYTES_MAX, REPLY_LINE_BYTES_MAX, ReplyFault, ReplyReader};
use crate::model::text::escape;
use crate::model::{Deviation, Dialogue, Failure, Kind, Phase, Reply};

/// Most plaintext kept that comes in between the 220 to STARTTLS and the
/// handshake, in bytes; what is beyond is dropped, and
/// [`Dialogue::plaintext_after_starttls_cut`] says so.
pub const PLAINTEXT_BYTES_MAX: usize = 1024;
/// Most kept of a reply that never became whole, in bytes: a reply up to its
/// limit, and the line that breaks it.
pub const BROKEN_OFF_BYTES_MAX: usize = REPLY_BYTES_MAX + REPLY_LINE_BYTES_MAX;
/// Most of an unfinished line quoted in a failure, in bytes.
const UNFINISHED_BYTES_MAX: usize = 80;

/// What the driver is to do now.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpAction<'a> {
    /// Wait for bytes, the end of the stream or the deadline of the phase.
    Read,
    /// Send this. Handed out once: asking for the next step says it was sent.
    Write(&'a [u8]),
    /// Start TLS, then say [`SmtpClient::upgraded`] or
    /// [`SmtpClient::upgrade_failed`]. Plaintext that still comes in goes through
    /// [`SmtpClient::receive`] before that.
    Upgrade,
    /// All is said; close the connection.
    Done,
}

/// The client side of one connection.
///
/// It waits for the banner, says EHLO (HELO where that is refused), asks for
/// STARTTLS, says EHLO again inside TLS, and leaves with QUIT. The first
/// failure is the one that counts; whatever happens around QUIT is none.
///
/// Replies that come in before they were asked for are taken as the answers
/// to what is asked next, as a plain client does that reads line by line. But
/// they are counted (RFC 5321 §4.3.1): each has [`Deviation::UnsolicitedReply`],
/// and beside one of them a "no TLS" is [`Kind::OutOfStep`]. For that the
/// driver reads what is there before it sends a command
/// ([`SmtpClient::has_command`]), and QUIT is waited for until its own answer, a
/// 221, or the end.
///
/// A "no TLS" is the last word only of a server that stays until QUIT: one that
/// goes before it ([`SmtpClient::denies_tls`]), or says 421 before it or to it,
/// would go before a mail as well (RFC 5321 §3.8).
///
/// ```
/// use mxray::reply::{EhloName, SmtpAction, SmtpClient};
/// let mut session = SmtpClient::new(EhloName::new("scan.example").unwrap());
/// assert_eq!(session.next(), SmtpAction::Read);
/// session.receive(b"220 mx.example ESMTP\r\n");
/// assert_eq!(session.next(), SmtpAction::Write(b"EHLO scan.example\r\n"));
/// session.receive(b"250-mx.example\r\n250 STARTTLS\r\n");
/// assert_eq!(session.next(), SmtpAction::Write(b"STARTTLS\r\n"));
/// session.receive(b"220 go ahead\r\n");
/// assert_eq!(session.next(), SmtpAction::Upgrade);
/// ```
#[derive(Debug)]
pub struct SmtpClient {
    name: EhloName,
    state: DialogueState,
    reader: ReplyReader,
    /// The stream has ended, after the bytes that are in the reader.
    ended: Option<StreamEnd>,
    command: Vec<u8>,
    plaintext: Vec<u8>,
    plaintext_cut: bool,
    /// The reply that was found when its command was sent.
    ahead: Option<Result<Reply, ReplyFault>>,
    /// Whether the reply that is due had begun before its command was sent.
    early: bool,
    /// The phase of the last reply before that to QUIT.
    decided: Phase,
    dialogue: Dialogue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DialogueState {
    /// The command is to be handed out.
    Ask(DialogueStep),
    /// The reply is due.
    Await(DialogueStep),
    /// TLS is due.
    Upgrade,
    /// The server has taken its leave. What it still says is counted.
    Closing,
    /// Nothing is.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamEnd {
    Closed,
    Reset,
}

impl SmtpClient {
    /// A session on a connection that was just made.
    pub fn new(ehlo: EhloName) -> Self {
        Self {
            name: ehlo,
            state: DialogueState::Await(DialogueStep::Greeting),
            reader: ReplyReader::default(),
            ended: None,
            command: Vec::new(),
            plaintext: Vec::new(),
            plaintext_cut: false,
            ahead: None,
            early: false,
            decided: Phase::Greeting,
            dialogue: Dialogue::default(),
        }
    }

    /// Takes bytes of the server, plaintext of TLS included. Any cutting up
    /// gives the same result.
    pub fn receive(&mut self, bytes: &[u8]) {
        match self.state {
            DialogueState::Ask(_) | DialogueState::Await(_) | DialogueState::Closing => {
                self.reader.receive(bytes);
                self.advance();
            }
            DialogueState::Upgrade => self.keep_plaintext(bytes),
            DialogueState::Done => {}
        }
    }

    /// Whether the next step is a command. What the server has said by then, it
    /// has said before it was asked: a driver hands that over first.
    pub fn has_command(&self) -> bool {
        matches!(self.state, DialogueState::Ask(_))
    }

    /// Whether the next step is the QUIT to a server that says "no TLS". Whether
    /// it stays for that is part of what it says: a driver gives it a moment.
    pub fn denies_tls(&self) -> bool {
        let denial = self.dialogue.failure.as_ref().is_some_and(Failure::denies_tls);
        denial && self.state == DialogueState::Ask(DialogueStep::Quit)
    }

    /// The server closed the connection or, with `reset`, tore it down. That
    /// counts after all bytes that came in before.
    pub fn receive_eof(&mut self, reset: bool) {
        self.ended = Some(if reset { StreamEnd::Reset } else { StreamEnd::Closed });
        self.advance();
    }

    /// The deadline for the phase has passed.
    pub fn timed_out(&mut self) {
        self.stop(Kind::Timeout, "");
    }

    /// This machine could not go on; `cause` is in the words of the system.
    pub fn broke_down(&mut self, cause: impl std::fmt::Display) {
        self.stop(Kind::LocalError, &cause.to_string());
    }

    /// The server has sent more than is taken from it in one session.
    pub fn too_many_bytes(&mut self) {
        self.stop(Kind::TooManyBytes, "more than is taken in one session");
    }

    /// Plaintext after the 220 to STARTTLS, as far as it is kept.
    pub fn plaintext_after_starttls(&self) -> &[u8] {
        &self.plaintext
    }

    /// What was said so far.
    pub fn dialogue(&self) -> &Dialogue {
        &self.dialogue
    }

    /// TLS is established. What is left of the plaintext is forgotten.
    pub fn upgraded(&mut self) {
        if self.state == DialogueState::Upgrade {
            self.reader = ReplyReader::default();
            self.early = false;
            self.ask(DialogueStep::EhloTls);
        }
    }

    /// TLS was not established: the dialogue is over, nothing more is said.
    pub fn upgrade_failed(&mut self, failure: Failure) {
        if self.state == DialogueState::Upgrade {
            self.fail(failure);
            self.state = DialogueState::Done;
        }
    }

    /// The phase whose deadline runs now; [`Phase::Quit`] when all is said.
    pub fn phase(&self) -> Phase {
        match self.state {
            DialogueState::Ask(question) | DialogueState::Await(question) => question.phase(),
            DialogueState::Upgrade => Phase::Tls,
            DialogueState::Closing | DialogueState::Done => Phase::Quit,
        }
    }

    /// What to do now.
    // Not an iterator: a step borrows from the session, and there is always one.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> SmtpAction<'_> {
        if !matches!(self.state, DialogueState::Ask(_)) {
            self.advance();
        }
        match self.state {
            DialogueState::Ask(question) => {
                // Empty lines are no reply, and the reader passes over them
                // only where it looks for one.
                self.ahead = self.reader.next_reply();
                let leaves =
                    |reply: &Reply| question == DialogueStep::Quit && reply.code == count::NOT_AVAILABLE;
                if let Some(Ok(reply)) = self.ahead.take_if(|reply| reply.as_ref().is_ok_and(leaves)) {
                    self.take_leave(reply);
                    return SmtpAction::Done;
                }
                if self.ahead.is_none() && self.ended.is_some() && self.denies_tls() {
                    self.stop_at_end();
                    return SmtpAction::Done;
                }
                self.early = self.ahead.is_some() || !self.reader.is_idle();
                self.dialogue.unanswered = question.command();
                self.state = DialogueState::Await(question);
                SmtpAction::Write(&self.command)
            }
            DialogueState::Await(_) => SmtpAction::Read,
            DialogueState::Upgrade => SmtpAction::Upgrade,
            DialogueState::Closing | DialogueState::Done => SmtpAction::Done,
        }
    }

    /// What was said, up to here.
    pub fn into_dialogue(mut self) -> Dialogue {
        count::settle(&mut self.dialogue, self.decided);
        Dialogue {
            plaintext_after_starttls: escape(&self.plaintext),
            plaintext_after_starttls_cut: Some(self.plaintext_cut),
            ..self.dialogue
        }
    }

    /// Takes what is due of the replies that are there, and goes where they
    /// lead.
    fn advance(&mut self) {
        while let DialogueState::Await(question) = self.state
            && let Some(reply) = self.ahead.take().or_else(|| self.reader.next_reply())
        {
            match reply {
                Ok(reply) if question == DialogueStep::Quit => self.part(reply),
                Ok(reply) => self.answer(question, reply),
                Err(fault) => {
                    self.keep_broken_off();
                    self.take(match question {
                        DialogueStep::Quit => NextAction::Finish,
                        _ => NextAction::Disconnect(faulty(question.phase(), &fault)),
                    });
                }
            }
        }
        self.count_late();
        self.notice_end();
    }

    /// Takes the reply to a question.
    fn answer(&mut self, question: DialogueStep, reply: Reply) {
        let reply = self.in_its_place(reply);
        let turn = next_action(question, &reply, &self.dialogue);
        self.decided = question.phase();
        *question.slot(&mut self.dialogue) = Some(reply);
        self.dialogue.unanswered = None;
        self.take(turn);
    }

    /// Notes of the reply that is due whether it was too early.
    fn in_its_place(&mut self, mut reply: Reply) -> Reply {
        if std::mem::take(&mut self.early) && reply.code != count::NOT_AVAILABLE {
            reply.note(Deviation::UnsolicitedReply);
        }
        reply
    }

    /// Takes a reply after QUIT. Only 221 is its own; a reply before that was
    /// one too many. Whether a 421 came before QUIT or to it is chance, and in
    /// either case it takes a "no TLS" back.
    fn part(&mut self, reply: Reply) {
        if reply.code == count::NOT_AVAILABLE {
            if self.early {
                return self.take_leave(reply);
            }
            self.take_back(&reply);
        }
        let reply = self.in_its_place(reply);
        let last = matches!(reply.code, count::CLOSING | count::NOT_AVAILABLE);
        self.dialogue.unanswered = None;
        let kept = match self.dialogue.quit.replace(reply) {
            Some(before) => count::keep(&mut self.dialogue, before),
            None => true,
        };
        if last || !kept {
            self.state = if last { DialogueState::Closing } else { DialogueState::Done };
        }
    }

    /// Takes a 421 that came, or began to come, before QUIT was sent.
    fn take_leave(&mut self, reply: Reply) {
        self.take_back(&reply);
        count::keep(&mut self.dialogue, reply);
        self.state = DialogueState::Done;
    }

    /// The server goes away (RFC 5321 §3.8), and "no TLS" was not its last word.
    fn take_back(&mut self, reply: &Reply) {
        if self.dialogue.failure.as_ref().is_some_and(Failure::denies_tls) {
            self.fail(taken_leave(reply, self.decided));
        }
    }

    /// Counts what comes behind the answer to QUIT.
    fn count_late(&mut self) {
        while self.state == DialogueState::Closing
            && let Some(reply) = self.reader.next_reply()
        {
            let goes_on = reply.is_ok_and(|reply| count::keep(&mut self.dialogue, reply));
            if !goes_on {
                self.state = DialogueState::Done;
            }
        }
    }

    fn take(&mut self, turn: NextAction) {
        match turn {
            NextAction::Send(question) => self.ask(question),
            NextAction::Upgrade => {
                self.state = DialogueState::Upgrade;
                let rest = self.reader.rest().to_vec();
                self.keep_plaintext(&rest);
            }
            NextAction::QuitAfter(failure) => {
                self.fail(failure);
                self.ask(DialogueStep::Quit);
            }
            NextAction::Disconnect(failure) => {
                self.fail(failure);
                self.state = DialogueState::Done;
            }
            NextAction::Finish => self.state = DialogueState::Done,
        }
    }

    fn ask(&mut self, question: DialogueStep) {
        let command = match question {
            DialogueStep::Greeting => return,
            DialogueStep::Ehlo | DialogueStep::EhloTls => CommandLine::Ehlo(&self.name),
            DialogueStep::Helo => CommandLine::Helo(&self.name),
            DialogueStep::Starttls => CommandLine::Starttls,
            DialogueStep::Quit => CommandLine::Quit,
        };
        self.command.clear();
        command.write(&mut self.command);
        self.state = DialogueState::Ask(question);
    }

    /// Ends the session where the stream has ended and nothing that came in
    /// before can still lead anywhere.
    fn notice_end(&mut self) {
        let Some(end) = self.ended else { return };
        let waiting = match self.state {
            DialogueState::Ask(_) => self.reader.is_idle(),
            DialogueState::Await(_) | DialogueState::Upgrade | DialogueState::Closing => true,
            DialogueState::Done => false,
        };
        if waiting {
            self.stop_at(end);
        }
    }

    fn stop_at_end(&mut self) {
        if let Some(end) = self.ended {
            self.stop_at(end);
        }
    }

    fn stop_at(&mut self, end: StreamEnd) {
        self.stop(Kind::Closed, if end == StreamEnd::Reset { "connection reset" } else { "" });
    }

    /// Ends the session here and now. QUIT has nothing left to fail.
    fn stop(&mut self, kind: Kind, cause: &str) {
        let phase = self.phase();
        if matches!(self.state, DialogueState::Ask(_) | DialogueState::Await(_)) {
            self.keep_broken_off();
        }
        if phase != Phase::Quit {
            let refusal = self.refused_ehlo().filter(|_| kind == Kind::Closed).map(rejected_by_ehlo);
            self.fail(refusal.unwrap_or_else(|| self.stopped(phase, kind, cause)));
        } else if self.denies_tls()
            && let Some(denial) = &self.dialogue.failure
        {
            self.fail(gone_before_quit(denial, self.decided, kind, cause));
        }
        self.state = DialogueState::Done;
    }

    /// The refusal of EHLO, where HELO comes or came after it.
    fn refused_ehlo(&self) -> Option<&Reply> {
        let helo = matches!(
            self.state,
            DialogueState::Ask(DialogueStep::Helo) | DialogueState::Await(DialogueStep::Helo)
        );
        self.dialogue.ehlo.as_ref().filter(|_| helo)
    }

    fn stopped(&self, phase: Phase, kind: Kind, cause: &str) -> Failure {
        let failure = Failure::new(phase, kind);
        match (cause, self.unfinished()) {
            ("", None) => failure,
            (cause, None) => failure.with_detail(cause),
            ("", Some(line)) => failure.with_detail(format_args!("after an unfinished line: {line}")),
            (cause, Some(line)) => {
                failure.with_detail(format_args!("{cause} after an unfinished line: {line}"))
            }
        }
    }

    /// The line that never ended: it may say what speaks there.
    fn unfinished(&self) -> Option<String> {
        let rest = if self.state == DialogueState::Upgrade { &[] } else { self.reader.rest() };
        let quoted = rest.get(..UNFINISHED_BYTES_MAX).unwrap_or(rest);
        (!quoted.is_empty()).then(|| escape(quoted))
    }

    /// Keeps what there is of a reply that is none, or not whole.
    fn keep_broken_off(&mut self) {
        let bytes = self.reader.unfinished();
        let kept = bytes.get(..BROKEN_OFF_BYTES_MAX).unwrap_or(bytes);
        if kept.is_empty() {
            return;
        }
        self.dialogue.broken_off = Some(escape(kept));
        // At QUIT it may be anything, TLS too, and whether it comes in is chance.
        if self.phase() != Phase::Quit {
            let mut deviations = self.reader.unfinished_deviations();
            deviations.extend(std::mem::take(&mut self.early).then_some(Deviation::UnsolicitedReply));
            self.dialogue.broken_off_deviations = Some(deviations);
        }
    }

    /// Said once at most, but where a "no TLS" is taken back: only QUIT comes
    /// after it, which cannot fail.
    fn fail(&mut self, failure: Failure) {
        self.dialogue.failure = Some(failure);
    }

    fn keep_plaintext(&mut self, bytes: &[u8]) {
        let room = PLAINTEXT_BYTES_MAX - self.plaintext.len();
        self.plaintext_cut |= bytes.len() > room;
        self.plaintext.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
