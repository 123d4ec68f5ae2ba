//! Carries the bytes of one dialogue between the state machine and the
//! socket, and keeps its deadlines.

use super::handshake::{self, ClientHelloForm, Handshaker};
use super::recorder::Recorder;
use super::wire::{Socket, TlsWire, TooManyBytes, Wire, is_torn};
use super::{ending, standstill, tls_failure, trace};
use crate::model::{
    AddressTls, ClientCertificate, Dialogue, Failure, Kind, Observation, Phase, ProbeKey, Timings,
    TlsObservation,
};
use crate::smtp::{EhloName, SmtpAction, SmtpClient};
use crate::tls::TlsClient;
use jiff::Timestamp;
use rustls::ClientConnection;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// How long each phase may take. RFC 5321 §4.5.3.2 gives a delivering client
/// five minutes for most of them; a survey has other mail to look after, so
/// the defaults are shorter and every expiry is recorded as `timeout`, never
/// as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseTimeouts {
    /// TCP connect of the first connection to a key. Most hosts that take longer
    /// take none, and would fill a survey. Default 5 s.
    pub connect: Duration,
    /// TCP connect of every later one; never shorter than [`Self::connect`].
    /// Default 10 s.
    pub connect_retry: Duration,
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
            connect: Duration::from_secs(5),
            connect_retry: Duration::from_secs(10),
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
    /// The same where a key is asked again so often. With no retry the first
    /// connection has the time of the later ones: what a short look has not seen
    /// would else be told as the last word of the host.
    pub fn for_retries(self, retries: u32) -> Self {
        let connect = if retries == 0 { self.connect.max(self.connect_retry) } else { self.connect };
        Self { connect, ..self }
    }

    /// The time for TCP.
    pub(super) fn connecting(&self, later: bool) -> Duration {
        if later { self.connect.max(self.connect_retry) } else { self.connect }
    }

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

/// How long a server that was asked before may take to say something inside TLS
/// before EHLO is sent to it: an answer from the other end of the world.
const LAST_WORDS_MAX: Duration = Duration::from_millis(500);

/// How long a server that says "no TLS" may take to go away, or say 421, before
/// QUIT is sent to it. What it sends behind its reply is there as soon as that
/// one, however far away it is.
const SECOND_THOUGHTS_MAX: Duration = Duration::from_millis(100);

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What comes of `work`, or that it took too long.
pub(super) async fn in_time<T>(
    deadline: Instant,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    standstill::by(deadline, work).await.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
}

/// Why the state machine gave the stream back.
#[derive(PartialEq, Eq)]
enum DialoguePause {
    Upgrade,
    Done,
}

/// One dialogue in progress.
pub(super) struct Drive<'a> {
    session: SmtpClient,
    timeouts: &'a PhaseTimeouts,
    session_ends: Instant,
    phase: Phase,
    phase_begun: Instant,
    pub(super) timings: Timings,
    tls: Option<TlsObservation>,
    /// What ended TLS after the handshake.
    after_tls: Option<Failure>,
    /// Whether the server tore the connection down while we wrote.
    torn: bool,
    /// Whether this is not the first attempt at the server.
    asked_before: bool,
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
            session: SmtpClient::new(ehlo),
            timeouts,
            session_ends,
            phase: Phase::Greeting,
            phase_begun: connected,
            timings: Timings::default(),
            tls: None,
            after_tls: None,
            torn: false,
            asked_before: false,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// The same at a server that was asked before and gave no answer.
    pub(super) fn again(self, asked_before: bool) -> Self {
        Self { asked_before, ..self }
    }

    /// Runs the dialogue to its end, whatever that is.
    pub(super) async fn run(
        &mut self,
        tcp: TcpStream,
        handshaker: &Handshaker,
        form: ClientHelloForm,
        key: &ProbeKey,
    ) {
        let mut socket = Socket::new(tcp);
        if self.speak(&mut socket, None).await == DialoguePause::Upgrade && self.take_plaintext(&mut socket) {
            // Boxed: a session that waits for a banner has no room for TLS.
            Box::pin(self.upgrade(&mut socket, handshaker.begin(key, form))).await;
        }
        // What still comes in while it is closed is chance.
        self.bytes_in = socket.bytes_in;
        self.bytes_out = socket.bytes_out;
        ending::close(&mut socket, self.session_ends).await;
    }

    /// Speaks as far as the 220 to STARTTLS; gives the deadline of what comes
    /// then, and what came in clear behind the 220.
    ///
    /// # Errors
    /// Why the dialogue ended before that.
    pub(super) async fn into_upgrade(mut self, socket: &mut Socket) -> Result<(Instant, Vec<u8>), Failure> {
        if self.speak(socket, None).await == DialoguePause::Upgrade && self.take_plaintext(socket) {
            self.note_phase();
            return Ok((self.deadline(), self.session.plaintext_after_starttls().to_vec()));
        }
        let failure = self.session.into_dialogue().failure;
        Err(failure.unwrap_or_else(|| Failure::new(Phase::Starttls, Kind::Closed)))
    }

    /// What the probe saw.
    pub(super) fn into_observation(self, key: ProbeKey, started: Timestamp, attempts: u32) -> Observation {
        let mut dialogue: Dialogue = self.session.into_dialogue();
        if let Some(failure) = self.after_tls {
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
        let mut timings = self.timings;
        if dialogue.quit.is_none() {
            timings.quit_us = None;
        }
        Observation {
            key,
            started,
            attempts,
            other_attempts: Some(Vec::new()),
            tls_at_address: Some(AddressTls::Nothing),
            refused_temporarily_at_address: Some(false),
            opened_at_address: Some(false),
            tlsa: Some(false),
            stopped: Some(false),
            inferred_from: None,
            failure: dialogue.failure.clone(),
            dialogue,
            tls,
            extra_client_hellos: Vec::new(),
            timings,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
        }
    }

    /// Lets the state machine talk until it wants TLS or nothing more.
    async fn speak(&mut self, wire: &mut impl Wire, recorder: Option<&Recorder>) -> DialoguePause {
        loop {
            let deadline = self.deadline();
            if self.session.denies_tls() {
                self.hear_second_thoughts(wire).await;
            }
            if let Err(error) = self.hear_first(wire) {
                self.broken(&error, recorder);
            }
            let result = match self.session.next() {
                SmtpAction::Read => self.listen(wire, deadline).await.map(Some),
                SmtpAction::Write(bytes) => match in_time(deadline, wire.write(bytes)).await {
                    // What it said before it tore the connection down is still to be read.
                    Err(error) if is_torn(&error) => {
                        self.torn = true;
                        Ok(None)
                    }
                    written => written.map(|()| None),
                },
                SmtpAction::Upgrade => return DialoguePause::Upgrade,
                SmtpAction::Done => {
                    self.note_end();
                    return DialoguePause::Done;
                }
            };
            match result {
                Ok(Some(0)) => self.session.receive_eof(self.torn),
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

    /// Waits for what a server does of itself that has said "no TLS". Else it
    /// would be chance whether it went before QUIT or at it.
    async fn hear_second_thoughts(&mut self, wire: &mut impl Wire) {
        let ends = self.deadline().min(Instant::now() + SECOND_THOUGHTS_MAX);
        match self.listen(wire, ends).await {
            Ok(0) => self.session.receive_eof(false),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            Err(error) => self.broken(&error, None),
        }
        self.phase_begun = Instant::now();
    }

    /// Lets the state machine hear what comes.
    async fn listen(&mut self, wire: &mut impl Wire, deadline: Instant) -> io::Result<usize> {
        let session = &mut self.session;
        in_time(deadline, wire.read(|bytes| session.receive(bytes))).await
    }

    fn broken(&mut self, error: &io::Error, recorder: Option<&Recorder>) {
        if let (Some(recorder), Some(fault)) = (recorder, tls_failure::fault(error)) {
            if self.session.phase() == Phase::AfterTls {
                self.after_tls = Some(tls_failure::after_handshake(fault, recorder.client_certificate()));
            }
            self.session.receive_eof(true);
        } else if TooManyBytes::is_in(error) {
            self.session.too_many_bytes();
        } else if error.kind() == ErrorKind::TimedOut {
            self.session.timed_out();
        } else if tls_failure::is_end(error) {
            self.session.receive_eof(self.torn || error.kind() == ErrorKind::ConnectionReset);
        } else {
            self.session.broke_down(error);
        }
    }

    /// What is already there before the ClientHello is sent was not said
    /// through TLS and must not get there. Whether the session goes on after
    /// that: no more is read than a session may bring.
    fn take_plaintext(&mut self, socket: &mut Socket) -> bool {
        let session = &mut self.session;
        loop {
            match socket.try_read(|bytes| session.receive(bytes)) {
                Ok(1..) => {}
                Err(error) if TooManyBytes::is_in(&error) => {
                    session.too_many_bytes();
                    return false;
                }
                // Nothing is there, or an end that shows again.
                Ok(0) | Err(_) => return true,
            }
        }
    }

    async fn upgrade(
        &mut self,
        socket: &mut Socket,
        begun: Result<(ClientConnection, Arc<Recorder>), rustls::Error>,
    ) {
        let (connection, recorder) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                return self
                    .session
                    .upgrade_failed(tls_failure::from_rustls(&error, ClientCertificate::NeverAsked));
            }
        };
        let mut wire = TlsWire::new(socket, connection);
        match in_time(self.deadline(), wire.handshake()).await {
            Ok(()) => {
                self.session.upgraded();
                self.note_phase();
                trace::handshake(wire.tls().connection(), self.timings.handshake_us);
                self.hear_last_words(&mut wire).await;
                self.speak(&mut wire, Some(&recorder)).await;
                self.close(&mut wire).await;
            }
            Err(error) => {
                let failure = tls_failure::failure(&error, recorder.client_certificate());
                if TooManyBytes::is_in(&error) || self.floods(&mut wire, failure.kind).await {
                    self.session.too_many_bytes();
                } else {
                    let in_clear = self.said_in_clear(wire.tls(), failure.kind);
                    if !tls_failure::is_end(&error) {
                        self.call_off(&mut wire, in_clear.as_ref()).await;
                    }
                    let failure = in_clear.unwrap_or(failure);
                    trace::handshake_failed(&failure, micros(self.phase_begun.elapsed()));
                    self.session.upgrade_failed(recorder.explain(failure));
                }
            }
        }
        self.tls = Some(handshake::observe(wire.tls(), &recorder));
        recorder.session_ended(socket.bytes_in);
    }

    /// Gives a server that was asked before, without an answer, the time to say
    /// why: what it says and hangs up behind is lost where our EHLO comes in
    /// between (RFC 9293 §3.6.1 has it reset the connection then).
    async fn hear_last_words(&mut self, wire: &mut TlsWire<'_>) {
        if !self.asked_before {
            return;
        }
        let ends = self.deadline().min(Instant::now() + LAST_WORDS_MAX);
        // Whatever becomes of it shows again.
        let _ = timeout_at(ends, wire.hear_first()).await;
        self.phase_begun = Instant::now();
    }

    /// Whether what ended the handshake is the beginning of a flood. Where it
    /// is cut, and what it is called by then, is chance.
    async fn floods(&self, wire: &mut TlsWire<'_>, kind: Kind) -> bool {
        matches!(kind, Kind::NotTls | Kind::Malformed) && wire.floods(self.deadline()).await
    }

    /// Why the handshake failed, where the server never began it and goes on
    /// in SMTP. How soon after the 220 it does so, and whether that makes it
    /// plaintext after STARTTLS, is chance.
    fn said_in_clear(&self, tls: &TlsClient, kind: Kind) -> Option<Failure> {
        let may_be_silent = matches!(kind, Kind::NotTls | Kind::Closed | Kind::Timeout);
        let begun = tls.connection().protocol_version().is_some();
        if begun || !may_be_silent {
            return None;
        }
        tls_failure::in_clear(&[self.session.plaintext_after_starttls(), tls.text_in_clear()].concat())
    }

    /// Takes leave of a server that is still there, and whose handshake came to
    /// nothing: in SMTP where it went on in SMTP, else by what TLS has for it.
    async fn call_off(&self, wire: &mut TlsWire<'_>, in_clear: Option<&Failure>) {
        let ends = self.session_ends.min(Instant::now() + self.timeouts.quit);
        match in_clear {
            Some(said) if tls_failure::hangs_up(said) => {}
            Some(_) => ending::quit(wire.socket(), ends).await,
            None => {
                let _ = timeout_at(ends, wire.call_off()).await;
            }
        }
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
            let spent = micros(self.phase_begun.elapsed());
            self.timings.quit_us = Some(spent);
            trace::step(Phase::Quit, self.session.dialogue(), spent);
        }
    }

    /// Stops the clock of a phase that was left.
    fn note_phase(&mut self) {
        let phase = self.session.phase();
        if phase == self.phase {
            return;
        }
        let now = Instant::now();
        let spent = micros(now - self.phase_begun);
        trace::step(self.phase, self.session.dialogue(), spent);
        let spent = Some(spent);
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

/// What became of the client certificate, now that the connection is over. A
/// handshake that ends well does not show that the server was content: up to
/// TLS 1.2 it may take any certificate and refuse it in words, and in TLS 1.3 it
/// looks at it later (RFC 8446 §4.4.2.4). Only a 250 inside TLS does.
fn became_of_certificate(tls: &TlsObservation, dialogue: &Dialogue) -> ClientCertificate {
    let greeted = dialogue.ehlo_tls.as_ref().is_some_and(|reply| reply.code == 250);
    match tls.client_certificate {
        ClientCertificate::Shown => match tls.alert {
            _ if greeted => ClientCertificate::Accepted,
            Some(alert) if tls_failure::refuses_certificate(alert) => ClientCertificate::Refused(alert),
            _ => ClientCertificate::Shown,
        },
        known => known,
    }
}
