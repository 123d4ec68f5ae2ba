//! The server's side of one connection without sockets: it hears a client out up to
//! its recipients and takes no message (RFC 5321, RFC 3207).
//!
//! There is no state in which a message is accepted: every RCPT is refused, so that
//! DATA and BDAT are out of place wherever they come.

use super::command_reader::{CommandFault, CommandReader};
use super::received_command::ReceivedCommand;
use super::server_manner::{ServerManner, StarttlsManner};
use super::server_words::ServerWords;
use crate::model::inbound::{
    ClientName, InboundDialogue, InboundEnd, MailAttempt, MailSender, PathDomain, RECIPIENT_DOMAINS_MAX,
    StarttlsUse,
};

/// Most commands of one session.
pub const COMMANDS_MAX: u32 = 200;
/// Most commands of one session that are answered by 5yz, before it is ended.
pub const ERRORS_MAX: u32 = 20;
/// Most MAIL kept of one session.
pub const MAIL_ATTEMPTS_MAX: usize = 16;

/// What the driver is to do now.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerAction<'a> {
    /// Wait for bytes, the end of the stream or a deadline.
    Read,
    /// Send this. Handed out once.
    Write(&'a [u8]),
    /// Start TLS, then say [`SmtpServer::upgraded`]. Whatever comes in now is TLS's.
    Upgrade,
    /// Close the connection.
    Done,
}

/// The server side of one connection.
///
/// ```
/// use mxray::reply::{ServerAction, ServerManner, SmtpServer};
/// let mut server = SmtpServer::new("mx.example", ServerManner::default());
/// assert!(matches!(server.next(), ServerAction::Write(words) if words.starts_with(b"220 mx.example ")));
/// server.receive(b"EHLO client.example\r\nSTARTTLS\r\n");
/// ```
#[derive(Debug)]
pub struct SmtpServer {
    words: ServerWords,
    reader: CommandReader,
    state: ServerState,
    in_tls: bool,
    /// Whether the client has introduced itself since the stream began.
    introduced: bool,
    /// Whether MAIL was taken, and RCPT is in its place.
    in_mail: bool,
    /// Whether a message was refused, and nothing was begun anew since.
    message_refused: bool,
    reply: Vec<u8>,
    dialogue: InboundDialogue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerState {
    /// The reply is to be handed out, and then this.
    Say(AfterReply),
    Listen,
    Upgrade,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterReply {
    Listen,
    Upgrade,
    Close(InboundEnd),
}

impl SmtpServer {
    /// A session on a connection that was just taken, of the server named `host`.
    pub fn new(host: &str, manner: ServerManner) -> Self {
        let words = ServerWords::new(host, manner);
        let mut reply = Vec::new();
        let then = match words.greet(&mut reply) {
            true => AfterReply::Listen,
            false => AfterReply::Close(InboundEnd::ByUs),
        };
        Self {
            words,
            reader: CommandReader::default(),
            state: ServerState::Say(then),
            in_tls: false,
            introduced: false,
            in_mail: false,
            message_refused: false,
            reply,
            dialogue: InboundDialogue::default(),
        }
    }

    /// What is to be done. Asking says that what was handed out before was done.
    // Not an iterator: a step borrows from the session, and there is always one.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> ServerAction<'_> {
        match self.state {
            ServerState::Say(then) => {
                self.state = match then {
                    AfterReply::Listen => ServerState::Listen,
                    AfterReply::Upgrade => ServerState::Upgrade,
                    AfterReply::Close(end) => {
                        self.dialogue.end.get_or_insert(end);
                        ServerState::Done
                    }
                };
                ServerAction::Write(&self.reply)
            }
            ServerState::Listen => {
                self.answer();
                if self.state == ServerState::Listen { ServerAction::Read } else { self.next() }
            }
            ServerState::Upgrade => ServerAction::Upgrade,
            ServerState::Done => ServerAction::Done,
        }
    }

    /// Takes bytes of the client: in clear, or what TLS decrypted.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.dialogue.spoke_first |= self.dialogue.commands == 0 && matches!(self.state, ServerState::Say(_));
        self.reader.receive(bytes);
    }

    /// The handshake is over; what the client said in clear counts no more (RFC 3207
    /// §4.2).
    pub fn upgraded(&mut self) {
        self.in_tls = true;
        self.introduced = false;
        self.in_mail = false;
        self.reader = CommandReader::default();
        self.state = ServerState::Listen;
    }

    /// The session is over, for this reason. The first counts.
    pub fn end(&mut self, end: InboundEnd) {
        self.dialogue.end.get_or_insert(end);
        self.state = ServerState::Done;
    }

    /// What the client said.
    pub fn dialogue(&self) -> &InboundDialogue {
        &self.dialogue
    }

    /// What the client said.
    pub fn into_dialogue(self) -> InboundDialogue {
        self.dialogue
    }

    /// Answers the next command that is whole.
    fn answer(&mut self) {
        if !self.in_tls && self.reader.begins_as_tls() {
            self.dialogue.implicit_tls = true;
            let text = "This port speaks SMTP, and TLS after STARTTLS";
            return self.say(554, "5.5.1", text, AfterReply::Close(InboundEnd::Protocol));
        }
        let command = match self.reader.next_command() {
            None => return,
            Some(Ok(command)) => command,
            Some(Err(CommandFault::LineTooLong)) => {
                return self.say(500, "5.5.2", "Line too long", AfterReply::Close(InboundEnd::Protocol));
            }
            Some(Err(CommandFault::StreamTooLong)) => return self.give_up(),
        };
        self.dialogue.bare_lf |= self.reader.saw_bare_lf();
        self.dialogue.commands += 1;
        if self.dialogue.commands > COMMANDS_MAX || self.dialogue.errors >= ERRORS_MAX {
            return self.give_up();
        }
        self.take(command);
    }

    fn take(&mut self, command: ReceivedCommand) {
        match command {
            ReceivedCommand::Ehlo(name) => self.introduce(name, true),
            ReceivedCommand::Helo(name) => self.introduce(name, false),
            ReceivedCommand::Starttls => self.starttls(),
            ReceivedCommand::Mail(sender) => self.mail(sender),
            ReceivedCommand::Rcpt(domain) => self.recipient(domain),
            ReceivedCommand::Message => {
                let text = if self.in_mail { "No valid recipients" } else { "Send MAIL first" };
                self.in_mail = false;
                self.message_refused = true;
                self.refuse(503, "5.5.1", text);
            }
            ReceivedCommand::Rset => {
                self.in_mail = false;
                self.message_refused = false;
                self.say(250, "2.0.0", "Reset", AfterReply::Listen);
            }
            ReceivedCommand::Noop => self.say(250, "2.0.0", "OK", AfterReply::Listen),
            ReceivedCommand::Auth => {
                self.dialogue.auth = true;
                self.refuse(502, "5.5.1", "No AUTH here");
            }
            ReceivedCommand::Quit => self.say(221, "2.0.0", "Bye", AfterReply::Close(InboundEnd::Quit)),
            ReceivedCommand::Malformed => self.refuse(501, "5.5.4", "Syntax error in parameters"),
            // A message all the same: what it holds must not be read as commands.
            ReceivedCommand::Unknown if self.message_refused => {
                self.say(554, "5.5.1", "No message is taken", AfterReply::Close(InboundEnd::Protocol));
            }
            ReceivedCommand::Unknown => self.refuse(500, "5.5.2", "Command not recognised"),
        }
    }

    fn introduce(&mut self, name: ClientName, is_ehlo: bool) {
        let place = match (self.in_tls, is_ehlo) {
            (true, _) => &mut self.dialogue.ehlo_tls,
            (false, true) => &mut self.dialogue.ehlo,
            (false, false) => &mut self.dialogue.helo,
        };
        place.get_or_insert(name);
        self.introduced = true;
        self.in_mail = false;
        self.message_refused = false;
        self.reply.clear();
        match is_ehlo {
            true => self.words.keywords(self.in_tls, &mut self.reply),
            false => self.words.say(250, "", "", &mut self.reply),
        }
        self.state = ServerState::Say(AfterReply::Listen);
    }

    fn starttls(&mut self) {
        if self.dialogue.starttls == StarttlsUse::NotAsked {
            self.dialogue.starttls = StarttlsUse::Refused;
        }
        if self.in_tls || !self.introduced {
            return self.refuse(503, "5.5.1", "Not now");
        }
        match self.words.manner().starttls {
            StarttlsManner::Absent | StarttlsManner::Mangled => {
                self.refuse(502, "5.5.1", "Command not implemented")
            }
            StarttlsManner::RefusedForNow => {
                self.say(454, "4.7.0", "TLS not available due to temporary reason", AfterReply::Listen);
            }
            // What stands behind the command was not said inside TLS, whoever said it.
            StarttlsManner::Offered if !self.reader.is_empty() => {
                self.dialogue.starttls = StarttlsUse::Pipelined;
                let text = "Nothing may follow STARTTLS before its answer";
                self.say(554, "5.5.0", text, AfterReply::Close(InboundEnd::Protocol));
            }
            StarttlsManner::Offered => {
                self.dialogue.starttls = StarttlsUse::Accepted;
                self.say(220, "2.0.0", "Ready to start TLS", AfterReply::Upgrade);
            }
        }
    }

    fn mail(&mut self, sender: MailSender) {
        if !self.introduced || self.in_mail {
            return self.refuse(503, "5.5.1", "Out of order");
        }
        // It is advertised inside TLS only (RFC 8689 §2).
        if sender.requiretls && !self.in_tls {
            self.note(sender);
            return self.refuse(555, "5.5.4", "REQUIRETLS is not offered here");
        }
        self.note(sender);
        self.in_mail = true;
        self.message_refused = false;
        self.say(250, "2.1.0", "OK", AfterReply::Listen);
    }

    fn note(&mut self, sender: MailSender) {
        if self.dialogue.mail.len() == MAIL_ATTEMPTS_MAX {
            self.dialogue.more_mail = true;
            return;
        }
        let attempt =
            MailAttempt { in_tls: self.in_tls, sender, recipients: Vec::new(), more_recipients: false };
        self.dialogue.mail.push(attempt);
    }

    fn recipient(&mut self, domain: PathDomain) {
        if !self.in_mail {
            return self.refuse(503, "5.5.1", "Send MAIL first");
        }
        let attempt = self.dialogue.mail.last_mut().filter(|_| !self.dialogue.more_mail);
        if let Some(attempt) = attempt.filter(|attempt| !attempt.recipients.contains(&domain)) {
            match attempt.recipients.len() {
                RECIPIENT_DOMAINS_MAX => attempt.more_recipients = true,
                _ => attempt.recipients.push(domain),
            }
        }
        self.reply.clear();
        self.words.refuse_recipient(&mut self.reply);
        self.state = ServerState::Say(AfterReply::Listen);
    }

    /// A limit of ours is reached.
    fn give_up(&mut self) {
        self.say(421, "4.7.0", "Too much for one session", AfterReply::Close(InboundEnd::Limit));
    }

    fn refuse(&mut self, code: u16, status: &str, text: &str) {
        self.dialogue.errors += 1;
        self.say(code, status, text, AfterReply::Listen);
    }

    fn say(&mut self, code: u16, status: &str, text: &str, then: AfterReply) {
        self.reply.clear();
        self.words.say(code, status, text, &mut self.reply);
        self.state = ServerState::Say(then);
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
