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

/// What was kept of earlier connections to the one server.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
}

impl Sessions {
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
            if kept.tickets.len() == TICKETS_MAX {
                kept.tickets.pop_front();
            }
            kept.tickets.push_back(ticket);
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
