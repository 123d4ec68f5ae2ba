//! The listening socket, and a task for each connection.

use super::admission::{SessionPlace, SessionPlaces};
use super::config::ListenerConfig;
use super::session::{Seen, Session};
use crate::model::inbound::{InboundEnd, InboundSession};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Pause after a connection that could not be taken, for want of descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(50);
/// Longest that a client is told that there are too many.
const REFUSAL_MAX: Duration = Duration::from_secs(2);
/// What it is told.
const TOO_MANY: &[u8] = b"421 4.3.2 Too many sessions, try again later\r\n";

/// How many connections there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListenCounts {
    /// Sessions.
    pub sessions: u64,
    /// Connections that were turned away, because there were too many at once.
    pub turned_away: u64,
}

/// A socket that listens.
#[derive(Debug)]
pub struct MailListener {
    socket: TcpListener,
    config: Arc<ListenerConfig>,
    sessions: mpsc::Sender<InboundSession>,
}

impl MailListener {
    /// Serves connections on `socket`, and hands each session on once it is over.
    pub fn new(socket: TcpListener, config: ListenerConfig, sessions: mpsc::Sender<InboundSession>) -> Self {
        Self { socket, config: Arc::new(config), sessions }
    }

    /// Serves until `stop`, or until so many sessions were begun; what is under way then
    /// is ended and handed on.
    pub async fn run(self, stop: CancellationToken, sessions_max: Option<u64>) -> ListenCounts {
        let admission = SessionPlaces::default();
        let (mut counts, mut under_way) = (ListenCounts::default(), JoinSet::new());
        while sessions_max.is_none_or(|most| counts.sessions < most) {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                // Nobody takes sessions any more.
                () = self.sessions.closed() => break,
                Some(_) = under_way.join_next(), if !under_way.is_empty() => continue,
                accepted = self.socket.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                sleep(ERROR_PAUSE).await;
                continue;
            };
            match admission.enter(peer.ip(), &self.config.limits) {
                None => {
                    counts.turned_away += 1;
                    // Told or not, nobody waits for it.
                    let _ = timeout(Duration::ZERO, turn_away(stream)).await;
                }
                Some(place) => {
                    counts.sessions += 1;
                    let entry =
                        Accepted { number: counts.sessions, peer, place, config: self.config.clone() };
                    under_way.spawn(entry.serve(stream, self.sessions.clone(), stop.clone()));
                }
            }
        }
        // Else the system would let clients in whom nobody greets any more.
        drop(self.socket);
        while under_way.join_next().await.is_some() {}
        counts
    }
}

async fn turn_away(mut stream: TcpStream) {
    let _ = timeout(REFUSAL_MAX, stream.write_all(TOO_MANY)).await;
}

/// Hears one client out, within the time of a session.
pub(super) async fn hear<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: &ListenerConfig,
    stop: &CancellationToken,
) -> Seen {
    let mut session = Session::new(stream, config);
    let ended = tokio::select! {
        () = session.serve() => None,
        () = sleep(config.limits.session) => Some(InboundEnd::Limit),
        () = stop.cancelled() => Some(InboundEnd::ByUs),
    };
    if let Some(end) = ended {
        session.end(end);
    }
    session.into_seen()
}

/// One connection that was let in.
struct Accepted {
    number: u64,
    peer: SocketAddr,
    place: SessionPlace,
    config: Arc<ListenerConfig>,
}

impl Accepted {
    async fn serve(self, stream: TcpStream, sessions: mpsc::Sender<InboundSession>, stop: CancellationToken) {
        let began = Timestamp::now();
        // Small answers to small questions: waiting to fill a segment only delays.
        let _ = stream.set_nodelay(true);
        let seen = hear(stream, &self.config, &stop).await;
        drop(self.place);
        let session = InboundSession {
            number: self.number,
            began,
            peer: SocketAddr::new(self.peer.ip().to_canonical(), self.peer.port()),
            dialogue: seen.dialogue,
            tls: seen.tls,
            over_us: Some(microseconds(seen.over)),
            total_us: microseconds(seen.total),
            bytes_in: seen.bytes_in,
            bytes_out: seen.bytes_out,
        };
        // Whoever took them says why no more are taken.
        let _ = sessions.send(session).await;
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
