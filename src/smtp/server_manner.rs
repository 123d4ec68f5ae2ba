//! What a server does on purpose: plain data, played by [`SmtpServer`](super::SmtpServer).

use serde::Deserialize;

/// What a server does with STARTTLS, on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StarttlsManner {
    /// It is offered and taken.
    #[default]
    Offered,
    /// It is not offered, and refused as a command that is not known.
    Absent,
    /// Something like it is offered: the keyword as a firewall leaves it that writes
    /// over it.
    Mangled,
    /// It is offered and refused for now: 454 (RFC 3207 §4).
    RefusedForNow,
}

/// What a server says and does, on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerManner {
    /// What becomes of STARTTLS.
    pub starttls: StarttlsManner,
    /// Whether it closes in place of a greeting, with 421 (RFC 5321 §3.8).
    pub unavailable: bool,
    /// Reply code to every RCPT: 4yz keeps the mail at the sender, 5yz returns it.
    pub refusal: u16,
}

impl Default for ServerManner {
    fn default() -> Self {
        Self { starttls: StarttlsManner::Offered, unavailable: false, refusal: 451 }
    }
}
