//! How one server behaves: the `[server.ROLE]` tables of a scenario.

use super::guard::Guard;
use super::inside::{self, Inside};
use super::legacy::Legacy;
use super::step::{Step, Then, WAIT_MS_MAX};
use super::tls_table::{Certificate, HandshakeSignature, LeafKeyKind, Tls};
use crate::smtp::StarttlsManner;
use serde::Deserialize;

/// A server. Every field has the default of a plain well-behaved server, so a
/// scenario says only what is odd about its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// What becomes of connections.
    pub listen: Listen,
    /// How it defends itself.
    pub guard: Guard,
    /// Least and most time that it takes for each of its replies, in
    /// milliseconds; each host has its own.
    pub latency_ms: (u64, u64),
    /// The banner.
    pub greeting: Step,
    /// Answer to EHLO in clear.
    pub ehlo: Step,
    /// Answer to HELO.
    pub helo: Step,
    /// Answer to STARTTLS; one that begins with 220 begins TLS.
    pub starttls: Step,
    /// What is wrong with STARTTLS, as `mxray receive --behave` plays it: the answers to
    /// EHLO in clear and to STARTTLS, in place of the two above.
    pub starttls_manner: Option<StarttlsManner>,
    /// What is said in clear, instead of a handshake, once the ClientHello is
    /// read.
    pub client_hello: Option<Step>,
    /// What is said in clear once the ClientHello is read, and before the
    /// handshake goes on.
    pub before_server_hello: Option<Step>,
    /// How the handshake goes.
    pub tls: Tls,
    /// A script in place of a TLS library.
    pub legacy: Option<Legacy>,
    /// What is said inside TLS before EHLO is answered, and no library says.
    pub inside: Vec<Inside>,
    /// Answer to EHLO inside TLS.
    pub ehlo_tls: Step,
    /// Answer to QUIT.
    pub quit: Step,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            guard: Guard::default(),
            latency_ms: (0, 0),
            greeting: Step::say("220 {host} ESMTP"),
            ehlo: Step::say("250-{host}\n250-PIPELINING\n250-SIZE 36700160\n250-STARTTLS\n250 8BITMIME"),
            helo: Step::say("250 {host}"),
            starttls: Step::say("220 2.0.0 Ready to start TLS"),
            starttls_manner: None,
            client_hello: None,
            before_server_hello: None,
            tls: Tls::default(),
            legacy: None,
            inside: Vec::new(),
            ehlo_tls: Step::say("250-{host}\n250-PIPELINING\n250-SIZE 36700160\n250 8BITMIME"),
            quit: Step { then: Then::Close, ..Step::say("221 2.0.0 Bye") },
        }
    }
}

impl Server {
    /// Whether every step can be said and every certificate made.
    pub(super) fn check(&self) -> Result<(), String> {
        self.tls.certificates().try_for_each(Certificate::check)?;
        let steps = [&self.greeting, &self.ehlo, &self.helo, &self.starttls, &self.ehlo_tls, &self.quit];
        let in_clear = self.client_hello.iter().chain(&self.before_server_hello);
        steps.into_iter().chain(in_clear).try_for_each(Step::check)?;
        let usual = Self::default();
        if self.starttls_manner.is_some() && (&self.ehlo, &self.starttls) != (&usual.ehlo, &usual.starttls) {
            return Err("starttls_manner has answers of its own to EHLO and STARTTLS".into());
        }
        inside::check(&self.inside)?;
        self.guard.check()?;
        if self.latency_ms.0 > self.latency_ms.1 || self.latency_ms.1 > WAIT_MS_MAX {
            return Err(format!("latency_ms: the least and the most, up to {WAIT_MS_MAX}"));
        }
        let salted = self.tls.handshake_signature == HandshakeSignature::OddSalt;
        if salted && self.tls.certificate.key != LeafKeyKind::Rsa2048 {
            return Err("only a key of RSA of 2048 bits signs with an odd salt".into());
        }
        let by_library = self.client_hello.is_none() && self.legacy.is_none();
        if !by_library && (self.before_server_hello.is_some() || !self.inside.is_empty()) {
            return Err("before_server_hello and inside go with a handshake that is finished".into());
        }
        match &self.legacy {
            Some(_) if self.client_hello.is_some() => Err("one of client_hello and legacy, not both".into()),
            Some(legacy) => legacy.check(&self.tls),
            None => Ok(()),
        }
    }
}

/// What becomes of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listen {
    /// They are served.
    #[default]
    Serve,
    /// Nobody listens: refused.
    Refuse,
    /// The kernel completes them, the server never takes them up.
    NeverAccept,
    /// The kernel does not even complete them: as many wait as may.
    NeverConnect,
}

/// Connections that may wait to be taken up, at each address; the kernel may
/// cap it lower.
const BACKLOG: u32 = 4096;

impl Listen {
    /// The connections that may wait to be taken up; `None` where no socket is
    /// needed.
    pub(super) fn backlog(self) -> Option<u32> {
        match self {
            Listen::Serve | Listen::NeverAccept => Some(BACKLOG),
            // Linux lets one more wait than it is told.
            Listen::NeverConnect => Some(0),
            Listen::Refuse => None,
        }
    }
}
