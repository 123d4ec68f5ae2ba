//! Sessions that can be resumed, kept for one server under load.
//!
//! rustls has a store of its own, which keeps eight TLS 1.3 tickets a server:
//! fewer than connections may be open at once here, and a ticket serves once
//! (RFC 8446 appendix C.4).

use rustls::NamedGroup;
use rustls::client::{Tls12ClientSessionValue, Tls13ClientSessionValue};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Tickets kept; the oldest goes for a new one.
const TICKETS_MAX: usize = 16_384;

/// Most bytes that they hold. The library does not tell how many one has: no
/// more than the session that brought it, or one before it, took from the
/// server, certificates included. An ordinary session is under 4 KiB.
const TICKET_BYTES_MAX: u64 = 64 << 20;

/// What was kept of earlier connections to the one server.
#[derive(Debug, Default)]
pub(super) struct KeptSessions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
    /// Bytes of the largest session so far.
    largest: u64,
}

impl Kept {
    /// Lets the oldest tickets go that there is no room for.
    fn cut(&mut self) {
        let excess = self.tickets.len().saturating_sub(room(self.largest));
        self.tickets.drain(..excess);
    }
}

/// How many tickets there is room for, where the largest session took so many
/// bytes.
fn room(largest: u64) -> usize {
    let room = TICKET_BYTES_MAX / largest.max(1);
    usize::try_from(room).unwrap_or(TICKETS_MAX).min(TICKETS_MAX)
}

impl KeptSessions {
    pub(super) fn keep_group(&self, group: NamedGroup) {
        self.kept(|kept| kept.group = Some(group));
    }

    pub(super) fn group(&self) -> Option<NamedGroup> {
        self.kept(|kept| kept.group)
    }

    pub(super) fn keep_tls12(&self, session: Tls12ClientSessionValue) {
        self.kept(|kept| kept.tls12 = Some(session));
    }

    /// Unlike a ticket of TLS 1.3 it serves many times (RFC 5246 §7.3).
    pub(super) fn tls12(&self) -> Option<Tls12ClientSessionValue> {
        self.kept(|kept| kept.tls12.clone())
    }

    pub(super) fn forget_tls12(&self) {
        self.kept(|kept| kept.tls12 = None);
    }

    pub(super) fn keep_ticket(&self, ticket: Tls13ClientSessionValue) {
        self.kept(|kept| {
            kept.tickets.push_back(ticket);
            kept.cut();
        });
    }

    /// A session has ended that took so many bytes from the server.
    pub(super) fn ended(&self, bytes: u64) {
        self.kept(|kept| {
            kept.largest = kept.largest.max(bytes);
            kept.cut();
        });
    }

    /// The newest: a server that keeps sessions itself forgets the oldest.
    pub(super) fn take_ticket(&self) -> Option<Tls13ClientSessionValue> {
        self.kept(|kept| kept.tickets.pop_back())
    }

    fn kept<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::wire::SESSION_BYTES_MAX;

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes() {
        for (largest, tickets) in
            [(0, TICKETS_MAX), (4096, TICKETS_MAX), (8192, 8192), (SESSION_BYTES_MAX, 64)]
        {
            assert_eq!(room(largest), tickets, "{largest}");
            assert!(room(largest) as u64 * largest <= TICKET_BYTES_MAX);
        }
    }
}
