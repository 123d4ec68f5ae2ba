//! One connection, from its first byte to its last.

use super::client_certificates::ClientCertificates;
use super::config::ListenerConfig;
use super::tls;
use crate::model::inbound::{InboundDialogue, InboundEnd, InboundTls, InboundTlsFailure, StarttlsUse};
use crate::smtp::{ServerAction, SmtpServer, StarttlsManner};
use crate::tls::{TlsServer, TlsServerFault};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

/// How long a closed connection is still read, so that what was said last is not lost
/// in a reset.
pub(super) const LINGER_MAX: Duration = Duration::from_secs(2);
/// Bytes that are read at once.
pub(super) const READ_BYTES: usize = 4096;

/// What one connection came to, while it goes on.
pub(super) struct Session<'c, S> {
    stream: S,
    config: &'c ListenerConfig,
    smtp: SmtpServer,
    tls: Option<Upgraded>,
    began: Instant,
    /// When we said last what we said.
    said: Duration,
    /// When we said that over which there is no TLS.
    without_tls: Option<Duration>,
    /// How long it took; without the time in which a closed connection is still read.
    total: Option<Duration>,
    bytes_in: u64,
    bytes_out: u64,
}

/// TLS, from the answer to STARTTLS on.
struct Upgraded {
    server: TlsServer,
    certificates: Arc<ClientCertificates>,
    /// Why it was given up, where TLS itself has no fault.
    given_up: Option<InboundTlsFailure>,
}

/// What was seen on a connection.
pub(super) struct Seen {
    pub(super) dialogue: InboundDialogue,
    pub(super) tls: Option<InboundTls>,
    /// When we said that over which it came to nothing, or what we said last.
    pub(super) over: Duration,
    pub(super) total: Duration,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl<'c, S: AsyncRead + AsyncWrite + Unpin> Session<'c, S> {
    pub(super) fn new(stream: S, config: &'c ListenerConfig) -> Self {
        let smtp = SmtpServer::new(&config.host, config.smtp.clone());
        Self {
            stream,
            config,
            smtp,
            tls: None,
            began: Instant::now(),
            said: Duration::ZERO,
            without_tls: None,
            total: None,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Serves the connection until it is over.
    pub(super) async fn serve(&mut self) {
        if let Err(end) = self.play().await {
            self.end(end);
        }
        self.total = Some(self.began.elapsed());
        // Whoever is gone hears nothing of it.
        let _ = timeout(LINGER_MAX, self.leave()).await;
    }

    /// The session is over, for a reason that is not the client's.
    pub(super) fn end(&mut self, end: InboundEnd) {
        if let Some(tls) = self.tls.as_mut().filter(|tls| !tls.server.is_established()) {
            tls.given_up.get_or_insert(match end {
                InboundEnd::TimedOut | InboundEnd::Limit => InboundTlsFailure::TimedOut,
                InboundEnd::ByUs => InboundTlsFailure::Stopped,
                _ => InboundTlsFailure::ClientLeft,
            });
        }
        self.smtp.end(end);
    }

    /// What was seen.
    pub(super) fn into_seen(self) -> Seen {
        let tls = self.tls.map(|upgraded| {
            let mut seen = tls::observe(&upgraded.server, &upgraded.certificates);
            let open = seen.failure.is_none() && !seen.established;
            seen.failure = if open { upgraded.given_up } else { seen.failure };
            seen
        });
        let Self { smtp, bytes_in, bytes_out, .. } = self;
        let total = self.total.unwrap_or_else(|| self.began.elapsed());
        let has_tls = tls.as_ref().is_some_and(|tls| tls.established);
        let over = self.without_tls.filter(|_| !has_tls).unwrap_or(self.said);
        Seen { dialogue: smtp.into_dialogue(), tls, over, total, bytes_in, bytes_out }
    }

    async fn play(&mut self) -> Result<(), InboundEnd> {
        self.await_greeting().await?;
        loop {
            let said = match self.smtp.next() {
                ServerAction::Write(bytes) => bytes.to_vec(),
                ServerAction::Read => {
                    self.read().await?;
                    continue;
                }
                ServerAction::Upgrade => {
                    let upgraded = self.upgrade().await;
                    self.see_whether_tls_is_over(upgraded.is_err());
                    upgraded?;
                    continue;
                }
                ServerAction::Done => return Ok(()),
            };
            sleep(self.config.reply_delay).await;
            self.say(&said).await?;
            self.see_whether_tls_is_over(false);
        }
    }

    /// Keeps the moment of what we said last, if there is no TLS any more on this connection.
    fn see_whether_tls_is_over(&mut self, has_failed: bool) {
        let (dialogue, manner) = (self.smtp.dialogue(), &self.config.smtp);
        let has_greeted = dialogue.ehlo.is_some() || dialogue.helo.is_some();
        let offers = matches!(manner.starttls, StarttlsManner::Offered | StarttlsManner::RefusedForNow);
        let is_over = has_failed
            || manner.unavailable
            || dialogue.starttls == StarttlsUse::Refused
            || (has_greeted && !offers);
        if is_over {
            self.without_tls.get_or_insert(self.said);
        }
    }

    /// Waits before the greeting, so that a client that does not wait for it is seen.
    async fn await_greeting(&mut self) -> Result<(), InboundEnd> {
        let delay = self.config.greeting_delay;
        match timeout(delay, self.read()).await {
            // It spoke, or left.
            Ok(read) => read,
            Err(_) => Ok(()),
        }
    }

    /// Goes through the handshake.
    async fn upgrade(&mut self) -> Result<(), InboundEnd> {
        // The provider has what both versions need: what it lacked would have failed in
        // the identity's making.
        let (server, certificates) = tls::begin(&self.config.tls).map_err(|_| InboundEnd::ByUs)?;
        self.tls = Some(Upgraded { server, certificates, given_up: None });
        loop {
            self.flush_records().await?;
            let Some(tls) = &self.tls else { return Ok(()) };
            if tls.server.is_established() {
                self.smtp.upgraded();
                self.hand_over();
                return Ok(());
            }
            if tls.server.is_over() {
                return Err(end_of_tls(&tls.server));
            }
            let bytes = self.read_bytes().await?;
            if let Some(tls) = &mut self.tls {
                tls.server.receive(&bytes);
            }
        }
    }

    /// Reads on, and hands what came in to the dialogue.
    async fn read(&mut self) -> Result<(), InboundEnd> {
        let bytes = self.read_bytes().await?;
        match &mut self.tls {
            None => self.smtp.receive(&bytes),
            Some(tls) => {
                tls.server.receive(&bytes);
                let end = tls.server.is_over().then(|| end_of_tls(&tls.server));
                self.hand_over();
                self.flush_records().await?;
                if let Some(end) = end {
                    return Err(end);
                }
            }
        }
        Ok(())
    }

    /// Hands what TLS decrypted to the dialogue.
    fn hand_over(&mut self) {
        if let Some(tls) = &mut self.tls {
            let plain = tls.server.take_plain();
            if !plain.is_empty() {
                self.smtp.receive(&plain);
            }
        }
    }

    async fn read_bytes(&mut self) -> Result<Vec<u8>, InboundEnd> {
        let limits = &self.config.limits;
        if self.bytes_in >= limits.bytes {
            return Err(InboundEnd::Limit);
        }
        let mut buffer = vec![0; READ_BYTES];
        let read = timeout(limits.silence, self.stream.read(&mut buffer)).await;
        let count = read.map_err(|_| InboundEnd::TimedOut)?.map_err(|error| ended_by(&error))?;
        if count == 0 {
            return Err(InboundEnd::Closed);
        }
        self.bytes_in += count as u64;
        buffer.truncate(count);
        Ok(buffer)
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), InboundEnd> {
        match &mut self.tls {
            None => self.write(bytes).await,
            Some(tls) => {
                tls.server.say(bytes).map_err(|_| InboundEnd::Closed)?;
                self.flush_records().await
            }
        }
    }

    async fn flush_records(&mut self) -> Result<(), InboundEnd> {
        let mut records = Vec::new();
        if let Some(tls) = &mut self.tls {
            // Writing to memory does not fail.
            let _ = tls.server.write_records(&mut records);
        }
        if records.is_empty() { Ok(()) } else { self.write(&records).await }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), InboundEnd> {
        self.said = self.began.elapsed();
        let written = timeout(self.config.limits.silence, self.stream.write_all(bytes)).await;
        written.map_err(|_| InboundEnd::TimedOut)?.map_err(|error| ended_by(&error))?;
        self.bytes_out += bytes.len() as u64;
        Ok(())
    }

    /// Says close_notify, closes, and reads until the client has closed as well.
    async fn leave(&mut self) -> Result<(), InboundEnd> {
        if let Some(tls) = self.tls.as_mut().filter(|tls| tls.server.is_established()) {
            tls.server.say_close();
        }
        self.flush_records().await?;
        self.stream.shutdown().await.map_err(|error| ended_by(&error))?;
        let mut buffer = [0; READ_BYTES];
        while self.stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        Ok(())
    }
}

/// How a connection has ended on which TLS goes no further.
fn end_of_tls(server: &TlsServer) -> InboundEnd {
    match server.fault() {
        None | Some(TlsServerFault::Library(rustls::Error::AlertReceived(_))) => InboundEnd::Closed,
        Some(TlsServerFault::OnPurpose(_) | TlsServerFault::Agreed) => InboundEnd::ByUs,
        // What mxray lacks is no fault of the client's.
        Some(TlsServerFault::Library(rustls::Error::PeerIncompatible(_))) => InboundEnd::Limit,
        Some(_) => InboundEnd::Protocol,
    }
}

/// How a connection has ended over which this went wrong.
fn ended_by(error: &io::Error) -> InboundEnd {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            InboundEnd::Reset
        }
        _ => InboundEnd::Closed,
    }
}
