//! The SMTP dialogue of one session, as the listener saw it.

use super::greeting::{ClientName, MailSender, PathDomain};
use serde::{Deserialize, Serialize};

/// Most domains of recipients kept of one MAIL. A message to more is told as one to
/// these and others.
pub const RECIPIENT_DOMAINS_MAX: usize = 16;

/// What the client made of STARTTLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StarttlsUse {
    /// It did not ask.
    #[default]
    NotAsked,
    /// It asked, and was refused on purpose or because it had no place.
    Refused,
    /// It asked, and was told to go ahead.
    Accepted,
    /// It asked and went on talking before it had an answer, which ends the session
    /// (RFC 3207 §4).
    Pipelined,
}

/// One MAIL, and the recipients that were named after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAttempt {
    /// Whether it came inside TLS.
    pub in_tls: bool,
    /// What MAIL said.
    pub sender: MailSender,
    /// The distinct domains of RCPT, at most [`RECIPIENT_DOMAINS_MAX`].
    pub recipients: Vec<PathDomain>,
    /// Whether there were more of them.
    pub more_recipients: bool,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InboundEnd {
    /// QUIT.
    Quit,
    /// The client closed.
    Closed,
    /// The client reset the connection.
    Reset,
    /// The client said nothing for as long as we wait. That is our limit.
    TimedOut,
    /// The session reached a limit of ours: of time, bytes, commands or errors, or the TLS
    /// that mxray has.
    Limit,
    /// We ended it, as we were told to (`--behave`) or because we stop.
    ByUs,
    /// What the client said is no SMTP: a line too long, or commands where an answer
    /// has to be awaited. Or it is no TLS.
    Protocol,
}

/// What a client said over one connection, in clear and inside TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundDialogue {
    /// Whether it spoke before it was greeted (RFC 5321 §3.1).
    pub spoke_first: bool,
    /// The first EHLO in clear.
    pub ehlo: Option<ClientName>,
    /// The first HELO in clear, where there was no EHLO before it.
    pub helo: Option<ClientName>,
    /// The first EHLO or HELO inside TLS.
    pub ehlo_tls: Option<ClientName>,
    /// What it made of STARTTLS.
    pub starttls: StarttlsUse,
    /// Every MAIL that was well formed and in its place.
    pub mail: Vec<MailAttempt>,
    /// Whether there were more of them than are kept.
    pub more_mail: bool,
    /// Whether it tried AUTH; of what it said nothing is kept.
    pub auth: bool,
    /// Whether it began with a TLS ClientHello in place of SMTP, as on a port of implicit
    /// TLS (RFC 8314 §3).
    #[serde(default)]
    pub implicit_tls: bool,
    /// Whether a line ended in LF alone, against RFC 5321 §2.3.8.
    pub bare_lf: bool,
    /// Commands, those that were refused included.
    pub commands: u32,
    /// Commands that were answered by 5yz.
    pub errors: u32,
    /// How it ended; `None` while it goes on.
    pub end: Option<InboundEnd>,
}
