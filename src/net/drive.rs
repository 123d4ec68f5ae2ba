//! Carries the bytes of one dialogue between the state machine and the
//! socket, and keeps its deadlines.

use super::handshake::{self, Handshaker};
use super::recorder::Recorder;
use super::tls_failure;
use super::wire::{Socket, TlsWire, Wire};
use crate::model::{
    ClientCertificate, Dialogue, Failure, Kind, Observation, Phase, ProbeKey, ProtocolVersion, Timings,
    TlsObservation,
};
use crate::smtp::{EhloName, Session, Step};
use jiff::Timestamp;
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// How long each phase may take. RFC 5321 §4.5.3.2 gives a delivering client
/// five minutes for most of them; a survey has other mail to look after, so
/// the defaults are shorter and every expiry is recorded as `timeout`, never
/// as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseTimeouts {
    /// TCP connect. Default 10 s.
    pub connect: Duration,
    /// Connected to the end of the banner. Default 30 s.
    pub greeting: Duration,
    /// EHLO, and HELO where it is refused, to the last answer. Default 15 s.
    pub ehlo: Duration,
    /// STARTTLS to its answer. Default 15 s.
    pub starttls: Duration,
    /// The handshake. Default 15 s.
    pub tls: Duration,
    /// EHLO inside TLS to its answer. Default 15 s.
    pub after_tls: Duration,
    /// QUIT to its answer and the end of the connection. Default 2 s.
    pub quit: Duration,
    /// The whole session. Default 90 s.
    pub session: Duration,
}

impl Default for PhaseTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            greeting: Duration::from_secs(30),
            ehlo: Duration::from_secs(15),
            starttls: Duration::from_secs(15),
            tls: Duration::from_secs(15),
            after_tls: Duration::from_secs(15),
            quit: Duration::from_secs(2),
            session: Duration::from_secs(90),
        }
    }
}

impl PhaseTimeouts {
    fn of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Input | Phase::Dns | Phase::Connect => self.connect,
            Phase::Greeting => self.greeting,
            Phase::Ehlo => self.ehlo,
            Phase::Starttls => self.starttls,
            Phase::Tls => self.tls,
            Phase::AfterTls => self.after_tls,
            Phase::Quit => self.quit,
        }
    }
}

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What comes of `work`, or that it took too long.
async fn in_time<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Why the state machine gave the stream back.
#[derive(PartialEq, Eq)]
enum Pause {
    Upgrade,
    Done,
}

/// One dialogue in progress.
pub(super) struct Drive<'a> {
    session: Session,
    timeouts: &'a PhaseTimeouts,
    session_ends: Instant,
    phase: Phase,
    phase_begun: Instant,
    pub(super) timings: Timings,
    tls: Option<TlsObservation>,
    /// An alert that came in after the handshake: TLS 1.3 servers refuse a
    /// client without a certificate only then (RFC 8446 §4.4.2.4).
    late_alert: Option<Failure>,
    bytes_in: u64,
    bytes_out: u64,
}

impl<'a> Drive<'a> {
    pub(super) fn new(
        ehlo: EhloName,
        timeouts: &'a PhaseTimeouts,
        connected: Instant,
        session_ends: Instant,
    ) -> Self {
        Self {
            session: Session::new(ehlo),
            timeouts,
            session_ends,
            phase: Phase::Greeting,
            phase_begun: connected,
            timings: Timings::default(),
            tls: None,
            late_alert: None,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Runs the dialogue to its end, whatever that is.
    pub(super) async fn run(mut self, tcp: TcpStream, handshaker: &Handshaker, key: &ProbeKey) -> Self {
        let mut socket = Socket::new(tcp);
        if self.speak(&mut socket, None).await == Pause::Upgrade {
            self.take_residue(&mut socket);
            self.upgrade(&mut socket, handshaker, key).await;
        }
        self.bytes_in = socket.bytes_in;
        self.bytes_out = socket.bytes_out;
        self
    }

    /// Speaks as far as the 220 to STARTTLS; gives the deadline of what comes
    /// then.
    ///
    /// # Errors
    /// Why the dialogue ended before that.
    pub(super) async fn into_upgrade(mut self, socket: &mut Socket) -> Result<Instant, Failure> {
        if self.speak(socket, None).await == Pause::Upgrade {
            self.note_phase();
            self.take_residue(socket);
            return Ok(self.deadline());
        }
        let failure = self.session.into_dialogue().failure;
        Err(failure.unwrap_or_else(|| Failure::new(Phase::Starttls, Kind::Closed)))
    }

    /// What the probe saw.
    pub(super) fn into_observation(self, key: ProbeKey, started: Timestamp, attempts: u32) -> Observation {
        let mut dialogue: Dialogue = self.session.into_dialogue();
        let alert = self.late_alert;
        if let Some(failure) = alert {
            dialogue.failure = Some(failure);
        }
        let mut tls = self.tls;
        if let Some(tls) = &tls {
            let (failure, first) = (dialogue.failure.take(), dialogue.ehlo_tls.as_ref());
            let judged = |failure| tls_failure::after_tls(failure, first, tls.client_certificate);
            dialogue.failure = failure.map(judged);
        }
        if let (Some(tls), Some(failure)) = (&mut tls, &dialogue.failure) {
            tls.alert = failure.alert;
        }
        if let Some(tls) = &mut tls {
            tls.client_certificate = became_of_certificate(tls, &dialogue);
        }
        Observation {
            key,
            started,
            attempts,
            failure: dialogue.failure.clone(),
            dialogue,
            tls,
            hellos: Vec::new(),
            timings: self.timings,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
        }
    }

    /// Lets the state machine talk until it wants TLS or nothing more.
    async fn speak(&mut self, wire: &mut impl Wire, recorder: Option<&Recorder>) -> Pause {
        loop {
            let deadline = self.deadline();
            let last = self.session.phase() == Phase::Quit;
            if let Err(error) = self.hear_first(wire) {
                self.broken(&error, recorder);
            }
            let result = match self.session.next() {
                Step::Read => self.listen(wire, deadline).await.map(Some),
                Step::Write(bytes) if last => in_time(deadline, wire.write_last(bytes)).await.map(|()| None),
                Step::Write(bytes) => in_time(deadline, wire.write(bytes)).await.map(|()| None),
                Step::Upgrade => return Pause::Upgrade,
                Step::Done => {
                    self.note_end();
                    return Pause::Done;
                }
            };
            match result {
                Ok(Some(0)) => self.session.receive_eof(false),
                Ok(_) => {}
                Err(error) => self.broken(&error, recorder),
            }
            self.note_phase();
        }
    }

    /// What is there before a command is sent does not answer it, and the state
    /// machine has to know. The end of the stream is noticed when it is waited
    /// for.
    fn hear_first(&mut self, wire: &mut impl Wire) -> io::Result<()> {
        if !self.session.has_command() {
            return Ok(());
        }
        let session = &mut self.session;
        wire.read_ready(|bytes| session.receive(bytes))
    }

    /// Lets the state machine hear what comes.
    async fn listen(&mut self, wire: &mut impl Wire, deadline: Instant) -> io::Result<usize> {
        let session = &mut self.session;
        in_time(deadline, wire.read(|bytes| session.receive(bytes))).await
    }

    fn broken(&mut self, error: &io::Error, recorder: Option<&Recorder>) {
        if let (Some(recorder), Some(error)) = (recorder, tls_failure::tls_error(error)) {
            if self.session.phase() == Phase::AfterTls {
                self.late_alert = Some(tls_failure::from_rustls(error, recorder.client_certificate()));
            }
            self.session.receive_eof(true);
        } else if error.kind() == ErrorKind::TimedOut {
            self.session.timed_out();
        } else {
            self.session.receive_eof(error.kind() == ErrorKind::ConnectionReset);
        }
    }

    /// What is already there before the ClientHello is sent was not said
    /// through TLS and must not get there.
    fn take_residue(&mut self, socket: &mut Socket) {
        let session = &mut self.session;
        while socket.try_read(|bytes| session.receive(bytes)).is_ok_and(|read| read > 0) {}
    }

    async fn upgrade(&mut self, socket: &mut Socket, handshaker: &Handshaker, key: &ProbeKey) {
        let (connection, recorder) = match handshaker.begin(key) {
            Ok(begun) => begun,
            Err(error) => {
                return self
                    .session
                    .upgrade_failed(tls_failure::from_rustls(&error, ClientCertificate::NeverAsked));
            }
        };
        let mut wire = TlsWire::new(socket, connection);
        match timeout_at(self.deadline(), wire.handshake()).await {
            Ok(Ok(())) => {
                self.session.upgraded();
                self.note_phase();
                self.speak(&mut wire, Some(&recorder)).await;
                self.close(&mut wire).await;
            }
            Ok(Err(error)) => {
                self.session.upgrade_failed(tls_failure::failure(&error, recorder.client_certificate()));
            }
            Err(_) => self.session.upgrade_failed(Failure::new(Phase::Tls, Kind::Timeout)),
        }
        self.tls = Some(handshake::observe(wire.connection(), &recorder));
    }

    /// Says close_notify (RFC 8446 §6.1). Nothing that happens now is a finding.
    async fn close(&self, wire: &mut TlsWire<'_>) {
        let ends = Instant::now() + self.timeouts.quit;
        let _ = timeout_at(ends.min(self.session_ends), wire.close()).await;
    }

    fn deadline(&self) -> Instant {
        (self.phase_begun + self.timeouts.of(self.phase)).min(self.session_ends)
    }

    /// Stops the clock of QUIT, after which no phase follows.
    fn note_end(&mut self) {
        if self.phase == Phase::Quit {
            self.timings.quit_us = Some(micros(self.phase_begun.elapsed()));
        }
    }

    /// Stops the clock of a phase that was left.
    fn note_phase(&mut self) {
        let phase = self.session.phase();
        if phase == self.phase {
            return;
        }
        let now = Instant::now();
        let spent = Some(micros(now - self.phase_begun));
        match self.phase {
            Phase::Greeting => self.timings.greeting_us = spent,
            Phase::Ehlo => self.timings.ehlo_us = spent,
            Phase::Starttls => self.timings.starttls_us = spent,
            Phase::Tls => self.timings.handshake_us = spent,
            Phase::AfterTls => self.timings.ehlo_tls_us = spent,
            Phase::Quit => self.timings.quit_us = spent,
            Phase::Input | Phase::Dns | Phase::Connect => {}
        }
        self.phase = phase;
        self.phase_begun = now;
    }
}

/// What became of the client certificate, now that the connection is over. Up
/// to TLS 1.2 the server looks at it before it ends the handshake; in TLS 1.3
/// only what it says then shows that it was content (RFC 8446 §4.4.2.4).
fn became_of_certificate(tls: &TlsObservation, dialogue: &Dialogue) -> ClientCertificate {
    let looked_at = tls.version.is_some_and(|version| version < ProtocolVersion::TLS13);
    let greeted = dialogue.ehlo_tls.as_ref().is_some_and(|reply| reply.code == 250);
    let refused =
        dialogue.failure.as_ref().map(|failure| failure.kind) == Some(Kind::ClientCertificateRefused);
    match tls.client_certificate {
        ClientCertificate::Shown => match tls.alert {
            _ if greeted => ClientCertificate::Accepted,
            _ if tls.established && looked_at && !refused => ClientCertificate::Accepted,
            Some(alert) if tls_failure::refuses_certificate(alert) => ClientCertificate::Refused(alert),
            _ => ClientCertificate::Shown,
        },
        known => known,
    }
}
