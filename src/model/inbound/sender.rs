//! What a session came to, and what was seen of one sender.

use super::dialogue::MailAttempt;
use super::session::InboundSession;
use serde::Serialize;
use std::fmt;
use std::net::{AddrParseError, IpAddr};
use std::str::FromStr;

/// Most senders of a run that are brought together. The sessions of others are written
/// like all.
pub const SENDERS_MAX: usize = 1000;
/// Most sessions without MAIL of one sender of which it is told what came after.
pub const COMEBACKS_MAX: usize = 50;

/// By what one sender is told from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderKey {
    /// Its address.
    pub address: IpAddr,
    /// The name after its first EHLO or HELO in clear; `None` of one that gave none.
    pub name: Option<String>,
}

impl SenderKey {
    /// That of whoever began a session.
    pub fn of(session: &InboundSession) -> Self {
        let dialogue = &session.dialogue;
        let name = dialogue.ehlo.as_ref().or(dialogue.helo.as_ref()).map(|name| name.text.clone());
        Self { address: session.peer.ip(), name }
    }
}

/// A sender as it is named on the command line: `192.0.2.1`, or `192.0.2.1/out.example` where
/// several come from that address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnOf {
    /// Its address, not one of IPv4 within IPv6.
    pub address: IpAddr,
    /// The name of its EHLO; `None` for any.
    pub name: Option<String>,
}

impl LearnOf {
    /// Whether that is the sender.
    pub fn is(&self, key: &SenderKey) -> bool {
        self.address == key.address && (self.name.is_none() || self.name == key.name)
    }
}

impl FromStr for LearnOf {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let (address, name) = match text.split_once('/') {
            Some((address, name)) => (address, Some(name.to_string())),
            None => (text, None),
        };
        Ok(Self { address: address.parse::<IpAddr>()?.to_canonical(), name })
    }
}

impl From<&SenderKey> for LearnOf {
    fn from(key: &SenderKey) -> Self {
        Self { address: key.address, name: key.name.clone() }
    }
}

impl fmt::Display for LearnOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// What a session came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionResult {
    /// MAIL inside TLS.
    MailInTls,
    /// MAIL in clear.
    MailInClear,
    /// TLS, and no MAIL: the client left once it had seen the certificate, or had no mail.
    TlsWithoutMail,
    /// A handshake that came to nothing, and no MAIL.
    HandshakeFailed,
    /// No handshake, and no MAIL.
    Nothing,
}

impl SessionResult {
    /// That of a session.
    pub fn of(session: &InboundSession) -> Self {
        let mail =
            |in_tls| session.dialogue.mail.iter().any(|attempt: &MailAttempt| attempt.in_tls == in_tls);
        match &session.tls {
            _ if mail(false) => Self::MailInClear,
            Some(tls) if tls.established && mail(true) => Self::MailInTls,
            Some(tls) if tls.established => Self::TlsWithoutMail,
            Some(_) => Self::HandshakeFailed,
            None => Self::Nothing,
        }
    }

    /// Whether the sender said no MAIL, so that it still has what it may have come with.
    pub fn has_to_come_again(self) -> bool {
        matches!(self, Self::TlsWithoutMail | Self::HandshakeFailed | Self::Nothing)
    }
}

/// What came after a session in which a sender said no MAIL. Only what began after it was
/// clear that the session comes to nothing ([`InboundSession::over_at`]) came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comeback {
    /// The sender came again.
    Again {
        /// How many seconds after that moment.
        after_s: i64,
        /// What that session came to.
        result: SessionResult,
        /// Whether its ClientHello had another fingerprint; `None` where one of the two
        /// had no hello.
        other_offer: Option<bool>,
    },
    /// Nothing came for as long as was watched (`--watch`). What the sender did with the
    /// mail cannot be seen from here.
    NothingCame,
    /// The run ended before that time was over: not determined.
    RunEnded,
}

/// A sender, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenSender {
    /// Its address.
    pub address: IpAddr,
    /// The name after its first EHLO or HELO; `None` of one that gave none.
    pub name: Option<String>,
    /// Its sessions.
    pub sessions: u64,
    /// Of them, those with MAIL inside TLS.
    pub mail_in_tls: u64,
    /// Of them, those with MAIL in clear.
    pub mail_in_clear: u64,
    /// Of them, those with TLS and without MAIL.
    pub tls_without_mail: u64,
    /// Of them, those whose handshake came to nothing.
    pub handshakes_failed: u64,
    /// What came after each session without MAIL, at most [`COMEBACKS_MAX`].
    pub comebacks: Vec<Comeback>,
}
