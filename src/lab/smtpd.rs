//! The SMTP server of the fleet: plays one server of a scenario to whoever
//! connects.

use super::address::latency;
use super::counters::{AddressCounter, Presence};
use super::guard::{Admission, Guard, Watch};
use super::hello::{ReceivedHello, read_hello};
use super::inside::{self, PreparedInside, Sealer};
use super::log::{ClientStage, ConnectionEnd, LogEntry};
use super::scripted::{Reaction, Scripted};
use super::server::Server;
use super::starttls_words::StarttlsWords;
use super::step::{Pace, Prepared, Step, Then};
use crate::model::registry::AlertDescription;
use rustls::server::Acceptor;
use rustls::{ContentType, ServerConfig};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, join};
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// Content type of an alert.
const ALERT: u8 = 21;
/// Longest session, whatever its script says.
const SESSION_MAX: Duration = Duration::from_secs(600);
/// Command buffer; RFC 5321 §4.5.3.1.4 allows a command line of 512 octets.
const COMMAND_BYTES_MAX: usize = 1024;
/// Pause between two pieces, so that whoever reads them meets each by itself.
const PIECE_PAUSE: Duration = Duration::from_millis(1);
/// Pieces at the beginning, and at the end, that have such a pause behind them.
/// On a busy machine each may take hundreds of times as long, and the client's
/// patience is that for one reply; those between follow at once.
const PAUSED_PIECES_MAX: usize = 2;
/// How long a closed connection is still read, so that what was said last is
/// not lost in a reset.
const LINGER_MAX: Duration = Duration::from_secs(2);

/// One server, ready to be played: its steps as bytes and its TLS.
#[derive(Debug)]
pub(super) struct Script {
    watch: Option<Watch>,
    greeting: Prepared,
    ehlo: Prepared,
    helo: Prepared,
    starttls: Prepared,
    before_server_hello: Option<Prepared>,
    handshake: Handshake,
    inside: PreparedInside,
    ehlo_tls: Prepared,
    quit: Prepared,
    unknown: Prepared,
}

/// Who answers a ClientHello.
#[derive(Clone, Debug)]
pub(super) enum Handshake {
    /// rustls.
    Library(Arc<ServerConfig>),
    /// A step, whatever it offers.
    Step(Arc<Prepared>),
    /// A script, by what it offers.
    Script(Arc<Scripted>),
}

impl Script {
    /// Prepares `server` under the name `host`.
    pub(super) fn new(server: &Server, host: &str, handshake: Handshake) -> Self {
        let latency = latency(server.latency_ms, host);
        let prepare = |step: &Step| {
            let step = step.prepare(host);
            Prepared { wait: step.wait + latency, ..step }
        };
        // What a manner says it says at once, in place of the step.
        let words = server.starttls_manner.map(|manner| StarttlsWords::of(manner, host));
        let (ehlo, starttls) = words.map(|words| (words.ehlo, words.starttls)).unzip();
        let said = |bytes: Box<[u8]>| Prepared { bytes, ..prepare(&Step::default()) };
        let guarded = server.guard != Guard::default();
        Self {
            watch: guarded.then(|| Watch::new(&server.guard, host)),
            greeting: prepare(&server.greeting),
            ehlo: ehlo.map_or_else(|| prepare(&server.ehlo), said),
            helo: prepare(&server.helo),
            starttls: starttls.map_or_else(|| prepare(&server.starttls), said),
            before_server_hello: server.before_server_hello.as_ref().map(|step| step.prepare(host)),
            handshake,
            inside: PreparedInside::new(&server.inside, host),
            ehlo_tls: prepare(&server.ehlo_tls),
            quit: prepare(&server.quit),
            unknown: prepare(&Step::say("502 5.5.1 Command not implemented")),
        }
    }
}

/// How a dialogue over one stream ended.
enum DialogueEnd {
    /// STARTTLS was accepted.
    Upgrade,
    /// The client left, or said more than a command.
    Gone,
    Script(Then),
}

/// Serves one connection to its end.
pub(super) async fn serve(mut stream: TcpStream, script: &Script, counter: &AddressCounter, entry: LogEntry) {
    let mut presence = counter.enter(entry);
    // Small answers to small questions: waiting to fill a segment only delays.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|peer| peer.ip());
    // What goes wrong with a socket is the client's story, not an error here.
    let played = timeout(SESSION_MAX, session(&mut stream, peer, script, &mut presence)).await;
    presence.leave();
    let (end, detail) = end_of(&played);
    if let Some((watch, peer)) = script.watch.as_ref().zip(peer) {
        let by_server = [
            ConnectionEnd::ServerClosed,
            ConnectionEnd::ServerReset,
            ConnectionEnd::Quit,
            ConnectionEnd::Refused,
        ];
        if !by_server.contains(&presence.end().unwrap_or(end)) {
            watch.dropped(peer, Instant::now());
        }
    }
    presence.ended(end, &detail);
    match played {
        Ok(Ok(Then::Reset)) => {
            let _ = stream.set_zero_linger();
        }
        Ok(Ok(_)) => linger(&mut stream).await,
        Ok(Err(_)) | Err(_) => {}
    }
}

/// How a connection has ended, where it was not known before.
fn end_of(played: &Result<io::Result<Then>, Elapsed>) -> (ConnectionEnd, String) {
    match played {
        Ok(Ok(Then::Reset)) => (ConnectionEnd::ServerReset, String::new()),
        // One is silent until the client leaves.
        Ok(Ok(Then::Silence)) => (ConnectionEnd::ClientClosed, String::new()),
        Ok(Ok(Then::Close | Then::Continue)) => (ConnectionEnd::ServerClosed, String::new()),
        Ok(Err(error)) => end_by(error),
        Err(_) => (ConnectionEnd::TimeLimit, String::new()),
    }
}

/// How a connection has ended on which this went wrong.
fn end_by(error: &io::Error) -> (ConnectionEnd, String) {
    let by_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (by_tls, error.kind()) {
        (Some(rustls::Error::AlertReceived(alert)), _) => {
            (ConnectionEnd::ClientAlert, AlertDescription((*alert).into()).to_string())
        }
        (Some(rustls::Error::InappropriateMessage { got_type: ContentType::Alert, .. }), _) => {
            (ConnectionEnd::ClientAlert, "in place of a ClientHello".to_string())
        }
        (Some(error), _) => (ConnectionEnd::HandshakeFailed, error.to_string()),
        (None, ErrorKind::UnexpectedEof) => (ConnectionEnd::ClientClosed, String::new()),
        (None, ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            (ConnectionEnd::ClientReset, String::new())
        }
        (None, _) => (ConnectionEnd::Failed, error.to_string()),
    }
}

async fn session<'a>(
    stream: &mut TcpStream,
    peer: Option<IpAddr>,
    script: &'a Script,
    presence: &mut Presence<'a>,
) -> io::Result<Then> {
    let admission = script.watch.as_ref().zip(peer).map(|(watch, peer)| {
        presence.guarded(watch, peer);
        watch.enter(peer, Instant::now())
    });
    let ehlo = match admission {
        Some(Admission::Refused(rule, step)) => {
            presence.ends(ConnectionEnd::Refused, rule);
            let then = play(stream, step, presence).await?;
            return finish(stream, then).await;
        }
        Some(Admission::UnderLoad(ehlo)) => ehlo,
        Some(Admission::Served) | None => &script.ehlo,
    };
    presence.reached(ClientStage::Greeted);
    match play(stream, &script.greeting, presence).await? {
        Then::Continue => {}
        then => return finish(stream, then).await,
    }
    match dialogue(stream, script, Some(ehlo), presence).await? {
        DialogueEnd::Upgrade => {}
        DialogueEnd::Gone => return Ok(Then::Close),
        DialogueEnd::Script(then) => return finish(stream, then).await,
    }
    match &script.handshake {
        Handshake::Library(config) => {
            let Some(step) = &script.before_server_hello else {
                return encrypted(stream, config.clone(), script, presence).await;
            };
            let Some(hello) = hello_of(stream, presence).await? else { return Ok(Then::Close) };
            match play(stream, step, presence).await? {
                Then::Continue => replayed(stream, &hello, config.clone(), script, presence).await,
                then => finish(stream, then).await,
            }
        }
        Handshake::Step(step) => {
            let Some(hello) = hello_of(stream, presence).await? else { return Ok(Then::Close) };
            presence.named(hello.name().unwrap_or_default());
            let then = play(stream, step, presence).await?;
            finish(stream, then).await
        }
        Handshake::Script(scripted) => by_script(stream, scripted, script, presence).await,
    }
}

/// Reads a ClientHello; where none comes, the end is written down.
async fn hello_of(stream: &mut TcpStream, presence: &mut Presence<'_>) -> io::Result<Option<ReceivedHello>> {
    let hello = read_hello(stream).await?;
    if hello.is_none() {
        presence.ends(ConnectionEnd::HandshakeFailed, "no ClientHello");
    }
    Ok(hello)
}

/// Answers a ClientHello as the script has it.
async fn by_script(
    stream: &mut TcpStream,
    scripted: &Scripted,
    script: &Script,
    presence: &mut Presence<'_>,
) -> io::Result<Then> {
    let Some(hello) = hello_of(stream, presence).await? else { return Ok(Then::Close) };
    let step = match scripted.react(&hello) {
        Reaction::Complete(config) => return replayed(stream, &hello, config, script, presence).await,
        Reaction::Play(step) => {
            presence.named(hello.name().unwrap_or_default());
            step
        }
        Reaction::Agree(flight) => {
            presence.named(hello.name().unwrap_or_default());
            // Whoever asked for no more than the flight may be back before we
            // see it go.
            presence.leave();
            stream.write_all(&flight).await?;
            let mut further = [0; COMMAND_BYTES_MAX];
            match stream.read(&mut further).await? {
                0 => {
                    presence.ends(ConnectionEnd::ClientClosed, "");
                    return Ok(Then::Close);
                }
                _ => {
                    if let [ALERT, _, _, _, _, _, description, ..] = further {
                        presence.ends(ConnectionEnd::ClientAlert, &AlertDescription(description).to_string());
                    }
                    &scripted.no_further
                }
            }
        }
    };
    let then = play(stream, step, presence).await?;
    finish(stream, then).await
}

/// Gives a ClientHello that was read to rustls after all.
async fn replayed(
    stream: &mut TcpStream,
    hello: &ReceivedHello,
    config: Arc<ServerConfig>,
    script: &Script,
    presence: &mut Presence<'_>,
) -> io::Result<Then> {
    let (read, write) = stream.split();
    let replayed = join(hello.raw.as_slice().chain(read), write);
    encrypted(replayed, config, script, presence).await
}

/// The handshake of rustls, and the dialogue in TLS.
async fn encrypted<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Arc<ServerConfig>,
    script: &Script,
    presence: &mut Presence<'_>,
) -> io::Result<Then> {
    let hello = match LazyConfigAcceptor::new(Acceptor::default(), stream).await {
        Ok(hello) => hello,
        Err(error) => return Ok(broken_off(&error, presence)),
    };
    let name = hello.client_hello().server_name().unwrap_or_default().to_string();
    presence.named(&name);
    // What is left of a failed handshake is read away by the caller, so that
    // the alert is not lost.
    let mut tls = match hello.into_stream(config).await {
        Ok(tls) => tls,
        Err(error) => return Ok(broken_off(&error, presence)),
    };
    presence.established(&name);
    if !script.inside.is_empty() {
        return by_hand(tls, script, presence).await;
    }
    let then = match dialogue(&mut tls, script, None, presence).await? {
        DialogueEnd::Upgrade | DialogueEnd::Gone => Then::Close,
        DialogueEnd::Script(then) => finish(&mut tls, then).await?,
    };
    if then != Then::Reset {
        tls.shutdown().await?;
    }
    Ok(then)
}

/// A handshake that came to nothing.
fn broken_off(error: &io::Error, presence: &mut Presence<'_>) -> Then {
    let (end, detail) = end_by(error);
    presence.ends(end, &detail);
    Then::Close
}

/// Says by hand what no library does, and answers what comes then.
async fn by_hand<S: AsyncRead + AsyncWrite + Unpin>(
    mut tls: TlsStream<S>,
    script: &Script,
    presence: &mut Presence<'_>,
) -> io::Result<Then> {
    if Commands::new().next(&mut tls).await?.is_none() {
        presence.ends(ConnectionEnd::ClientClosed, "");
        return Ok(Then::Close);
    }
    script.inside.by_library(tls.get_mut().1);
    tls.flush().await?;
    // Whoever has enough of it may be back before we see it go.
    presence.leave();
    let (mut stream, connection) = tls.into_inner();
    let mut sealer = Sealer::new(connection)?;
    let mut said = script.inside.sealed(&mut sealer);
    said.extend(sealer.reply(&script.ehlo_tls.bytes, false));
    stream.write_all(&said).await?;
    presence.reached(ClientStage::EhloInTls);
    let more = inside::next_data(&mut stream).await?;
    // What it is cannot be read any more; it may be a QUIT.
    presence.ends(if more { ConnectionEnd::Quit } else { ConnectionEnd::ClientClosed }, "");
    if more {
        stream.write_all(&sealer.reply(&script.quit.bytes, true)).await?;
    }
    Ok(Then::Close)
}

/// Answers commands until the stream is upgraded or ends; `ehlo` is what is said to
/// EHLO in clear.
async fn dialogue<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &Script,
    ehlo: Option<&Prepared>,
    presence: &mut Presence<'_>,
) -> io::Result<DialogueEnd> {
    let in_tls = ehlo.is_none();
    let mut commands = Commands::new();
    loop {
        let Some(verb) = commands.next(stream).await? else {
            let end =
                if commands.is_full() { ConnectionEnd::LineTooLong } else { ConnectionEnd::ClientClosed };
            presence.ends(end, "");
            return Ok(DialogueEnd::Gone);
        };
        note(&verb, in_tls, presence);
        let step = match &verb {
            b"EHLO" => ehlo.unwrap_or(&script.ehlo_tls),
            b"HELO" => &script.helo,
            b"STAR" if !in_tls => &script.starttls,
            b"QUIT" => {
                presence.leave();
                &script.quit
            }
            _ => &script.unknown,
        };
        match play(stream, step, presence).await? {
            Then::Continue if &verb == b"STAR" && step.bytes.starts_with(b"220") => {
                return Ok(DialogueEnd::Upgrade);
            }
            Then::Continue => {}
            then => return Ok(DialogueEnd::Script(then)),
        }
    }
}

/// Writes down how far the client came by a command.
fn note(verb: &[u8; 4], in_tls: bool, presence: &mut Presence<'_>) {
    match verb {
        b"EHLO" | b"HELO" if in_tls => presence.reached(ClientStage::EhloInTls),
        b"EHLO" | b"HELO" => presence.reached(ClientStage::Ehlo),
        b"STAR" if !in_tls => presence.reached(ClientStage::Starttls),
        b"QUIT" => presence.ends(ConnectionEnd::Quit, ""),
        _ => {}
    }
}

/// The commands of a client, line by line; only the verb matters.
struct Commands {
    buffer: [u8; COMMAND_BYTES_MAX],
    filled: usize,
}

impl Commands {
    fn new() -> Self {
        Self { buffer: [0; COMMAND_BYTES_MAX], filled: 0 }
    }

    fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// First four letters of the next command in upper case; `None` at the end
    /// of the stream and after a line that no command has.
    async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<[u8; 4]>> {
        loop {
            let seen = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some(end) = seen.iter().position(|byte| *byte == b'\n') {
                let mut verb = [b' '; 4];
                verb.iter_mut().zip(seen).for_each(|(to, from)| *to = from.to_ascii_uppercase());
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.filled -= end + 1;
                return Ok(Some(verb));
            }
            let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
            if free.is_empty() {
                return Ok(None);
            }
            match stream.read(free).await? {
                0 => return Ok(None),
                count => self.filled += count,
            }
        }
    }
}

/// Says what a step says, in the pieces it asks for.
async fn play(
    stream: &mut (impl AsyncWrite + Unpin),
    step: &Prepared,
    presence: &mut Presence<'_>,
) -> io::Result<Then> {
    if !step.wait.is_zero() {
        sleep(step.wait).await;
    }
    if matches!(step.then, Then::Close | Then::Reset) {
        // Once the last word is out a client may be back before we see it go.
        presence.leave();
    }
    utter(stream, step).await
}

/// The words of a step.
pub(super) async fn utter(stream: &mut (impl AsyncWrite + Unpin), step: &Prepared) -> io::Result<Then> {
    for _ in 0..step.times {
        match step.pace {
            Pace::Whole => stream.write_all(&step.bytes).await?,
            Pace::Line => {
                pieces(stream, step.bytes.split_inclusive(|byte| *byte == b'\n'), step.pause).await?;
            }
            Pace::Byte => pieces(stream, step.bytes.chunks(1), step.pause).await?,
        }
    }
    stream.flush().await?;
    Ok(step.then)
}

async fn pieces<'a>(
    stream: &mut (impl AsyncWrite + Unpin),
    pieces: impl Iterator<Item = &'a [u8]> + Clone,
    pause: Duration,
) -> io::Result<()> {
    let count = pieces.clone().count();
    for (before, piece) in pieces.enumerate() {
        stream.write_all(piece).await?;
        stream.flush().await?;
        if !pause.is_zero() && before + 1 < count {
            sleep(pause).await;
        } else if before.min(count - before - 1) < PAUSED_PIECES_MAX {
            sleep(PIECE_PAUSE).await;
        }
    }
    Ok(())
}

/// Waits for the client to go where the script says so.
pub(super) async fn finish(stream: &mut (impl AsyncRead + Unpin), then: Then) -> io::Result<Then> {
    if then == Then::Silence {
        drain(stream).await?;
    }
    Ok(then)
}

async fn drain(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut sink = [0; COMMAND_BYTES_MAX];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

/// Closes so that the client reads all that was said: sends the end of the
/// stream and reads on until the client's own.
pub(super) async fn linger(stream: &mut TcpStream) {
    if stream.shutdown().await.is_ok() {
        let _ = timeout(LINGER_MAX, drain(stream)).await;
    }
}
