//! The end of a connection, which is in order wherever it can be: the last
//! words, the end of our side, and the server's end awaited.
//!
//! A socket that is dropped with something unread, or before something comes
//! in, answers by a reset (RFC 9293 §3.10.7.1, RFC 2525 §2.17), which servers log
//! as an error and which may take their own last words from them.

use super::wire::{Socket, Wire};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a server may take to end its side once we have ended ours. Servers
/// do it at once: that is an answer from the other end of the world, and some
/// more.
pub(super) const CLOSE_MAX: Duration = Duration::from_secs(1);

/// QUIT to a server that took, or may have taken, the beginning of a
/// ClientHello for that of a command line, which is ended first.
const QUIT_BEHIND_A_HELLO: &[u8] = b"\r\nQUIT\r\n";

/// Ends the connection, by `session_ends` at the latest. What is still said is
/// not heard; it is bounded as all that a session brings, and a server that
/// goes on beyond that is reset.
pub(super) async fn close(socket: &mut Socket, session_ends: Instant) {
    let ends = session_ends.min(Instant::now() + CLOSE_MAX);
    let _ = timeout_at(ends, async {
        if socket.shut().await.is_ok() {
            drain(socket).await;
        }
    })
    .await;
}

/// Says `words` first.
pub(super) async fn say_and_close(socket: &mut Socket, words: &[u8], session_ends: Instant) {
    let ends = session_ends.min(Instant::now() + CLOSE_MAX);
    if words.is_empty() || timeout_at(ends, socket.write(words)).await.is_ok_and(|said| said.is_ok()) {
        close(socket, session_ends).await;
    }
}

/// Takes leave of a server that goes on in SMTP where TLS was to begin, and
/// waits until `quit_ends` for it to go (RFC 5321 §4.1.1.10).
pub(super) async fn quit(socket: &mut Socket, quit_ends: Instant) {
    let _ = timeout_at(quit_ends, async {
        if socket.write(QUIT_BEHIND_A_HELLO).await.is_ok() {
            drain(socket).await;
        }
    })
    .await;
}

/// Reads to the end of the stream, or of what a session may bring.
async fn drain(socket: &mut Socket) {
    while matches!(socket.read(|_| {}).await, Ok(1..)) {}
}
