//! What a listener is told: its name, its manners, its limits.

use super::tls::ListenerTls;
use crate::smtp::ServerManner;
use std::time::Duration;

/// How much a listener lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenLimits {
    /// Sessions at once.
    pub sessions: usize,
    /// Sessions at once from one address.
    pub sessions_per_address: usize,
    /// Longest session.
    pub session: Duration,
    /// Longest wait for the client (RFC 5321 §4.5.3.2.7 asks for five minutes).
    pub silence: Duration,
    /// Most bytes taken from one session, TLS included.
    pub bytes: u64,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            sessions: 200,
            sessions_per_address: 20,
            session: Duration::from_secs(600),
            silence: Duration::from_secs(300),
            bytes: 1 << 20,
        }
    }
}

/// What a listener does with each connection.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// The name in the greeting.
    pub host: Box<str>,
    /// What it says in SMTP.
    pub smtp: ServerManner,
    /// What it does with a ClientHello.
    pub tls: ListenerTls,
    /// How long it waits before the greeting, to see who does not (RFC 5321 §3.1).
    pub greeting_delay: Duration,
    /// How long it waits before everything that it says.
    pub reply_delay: Duration,
    /// How much it lets in.
    pub limits: ListenLimits,
}
