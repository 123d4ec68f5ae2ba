//! Questions over TCP to one resolver, for answers that are too long for UDP.
//!
//! A connection carries one question at a time and is used again (RFC 7766
//! §6.2.1). A resolver may close it whenever it likes, so a question that was
//! open then is asked again on another (§6.2.4).

use super::trouble::Trouble;
use super::udp::random;
use crate::dns::{Question, Reading, Stray, read};
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Most connections to one resolver: resolvers keep few, and share them out
/// among all who ask. Questions beyond wait for their turn.
const CONNECTIONS_MAX: usize = 8;

/// How long a connection is kept that nobody uses (RFC 7766 §6.2.3 asks for
/// seconds).
const IDLE_MAX: Duration = Duration::from_secs(5);

/// New connections on which a question is asked, if each is closed before the
/// answer.
const NEW_CONNECTIONS_MAX: usize = 2;

/// Questions in a row to which nothing came, after which those that wait for
/// their turn are not asked for a while: one after the other they would wait for
/// minutes.
const SILENCES_MAX: u32 = CONNECTIONS_MAX as u32;

/// What is told of a connection that ended without an error of its own.
const CLOSED: &str = "the nameserver closed the connection";

/// The connections to one resolver.
pub(super) struct TcpConnections {
    nameserver: SocketAddr,
    turns: Semaphore,
    idle: Mutex<Vec<(TcpStream, Instant)>>,
    /// Silences in a row, and when the last of them ended.
    silences: Mutex<(u32, Option<Instant>)>,
}

impl TcpConnections {
    /// None is open yet.
    pub(super) fn new(nameserver: SocketAddr) -> Self {
        Self {
            nameserver,
            turns: Semaphore::new(CONNECTIONS_MAX),
            idle: Mutex::default(),
            silences: Mutex::default(),
        }
    }

    /// Asks. The time of a question runs from its turn on.
    pub(super) async fn ask(
        &self,
        question: &Question,
        edns: bool,
        time: Duration,
    ) -> Result<Reading, Trouble> {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        if self.is_silent(time) {
            return Err(Trouble::silence(None));
        }
        let told = timeout(time, self.ask_in_turn(question, edns)).await;
        self.note(told.is_err());
        told.unwrap_or(Err(Trouble::silence(None)))
    }

    /// Whether nobody was answered of late, within `time`.
    fn is_silent(&self, time: Duration) -> bool {
        let (count, last) = *self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        count >= SILENCES_MAX && last.is_some_and(|last| last.elapsed() < time)
    }

    fn note(&self, was_silent: bool) {
        let mut silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        *silences = if was_silent { (silences.0.saturating_add(1), Some(Instant::now())) } else { (0, None) };
    }

    async fn ask_in_turn(&self, question: &Question, edns: bool) -> Result<Reading, Trouble> {
        if let Some(mut kept) = self.kept()
            && let Ok(reading) = exchange(&mut kept, question, edns).await
        {
            self.keep(kept);
            return Ok(reading);
        }
        let mut new = 1;
        loop {
            let mut stream = TcpStream::connect(self.nameserver).await?;
            stream.set_nodelay(true)?;
            match exchange(&mut stream, question, edns).await {
                Ok(reading) => {
                    self.keep(stream);
                    return Ok(reading);
                }
                Err(Trouble::Io(_)) if new < NEW_CONNECTIONS_MAX => new += 1,
                Err(trouble) => return Err(trouble),
            }
        }
    }

    fn kept(&self) -> Option<TcpStream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(stream, _)| stream)
    }

    fn keep(&self, stream: TcpStream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((stream, Instant::now()));
    }
}

/// One question, and the reply to it.
async fn exchange(stream: &mut TcpStream, question: &Question, edns: bool) -> Result<Reading, Trouble> {
    let [a, b, ..] = random()?;
    let id = u16::from_be_bytes([a, b]);
    let request = question.encode(id, edns).map_err(Trouble::unsendable)?;
    let length = u16::try_from(request.len()).map_err(Trouble::unsendable)?;
    stream.write_all(&[&length.to_be_bytes()[..], &request].concat()).await?;
    loop {
        let length = usize::from(stream.read_u16().await.map_err(end)?);
        let mut message = vec![0; length];
        stream.read_exact(&mut message).await.map_err(end)?;
        match read(&message, id, question) {
            Ok(reading) => return Ok(reading),
            // Under our number on our connection: the resolver means it.
            Err(stray @ (Stray::NoQuestion | Stray::OtherQuestion)) => return Err(Trouble::Stray(stray)),
            Err(Stray::Short | Stray::NotReply | Stray::OtherId) => {}
        }
    }
}

fn end(error: Error) -> Error {
    if error.kind() == ErrorKind::UnexpectedEof {
        Error::new(ErrorKind::UnexpectedEof, CLOSED)
    } else {
        error
    }
}
