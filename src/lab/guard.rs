//! How a server defends itself against a client: the table `[server.ROLE.guard]`,
//! and what it knows of each client. Rules count by the client's address, at each
//! address of the server by itself.

use super::step::{Prepared, Step, Then};
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Clients that one address remembers; one more is served without rules.
pub const GUARDED_CLIENTS_MAX: usize = 1000;
/// Largest number that a rule counts to.
pub const GUARD_COUNT_MAX: u32 = 10_000;

/// The rules of a server. A number of 0 is no rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Most connections of a client at a time.
    pub at_a_time: u32,
    /// Most connections of a client that begin in [`Guard::window_ms`], those that
    /// are refused among them.
    pub in_window: u32,
    /// In which connections and drops are counted, in milliseconds: a minute.
    pub window_ms: u64,
    /// What one too many is greeted with.
    pub over: Step,
    /// Instead of that it is served, and EHLO answered so.
    pub over_ehlo: Option<Step>,
    /// After so many connections that the client left without QUIT it is banned.
    pub drops: u32,
    /// How long, in milliseconds: ten minutes.
    pub ban_ms: u64,
    /// What is said to who is banned: by default the connection is reset.
    pub banned: Step,
    /// For so long after a client was first seen it is put off, in milliseconds.
    pub first_ms: u64,
    /// What it is greeted with then.
    pub first: Step,
}

impl Default for Guard {
    fn default() -> Self {
        let close = |text| Step { then: Then::Close, ..Step::say(text) };
        Self {
            at_a_time: 0,
            in_window: 0,
            window_ms: 60_000,
            over: close("421 4.7.0 {host} Too many connections from your address"),
            over_ehlo: None,
            drops: 0,
            ban_ms: 600_000,
            banned: Step { then: Then::Reset, ..Step::default() },
            first_ms: 0,
            first: close("450 4.7.1 {host} Greylisted, try again later"),
        }
    }
}

impl Guard {
    pub(super) fn check(&self) -> Result<(), String> {
        if [self.at_a_time, self.in_window, self.drops].into_iter().any(|count| count > GUARD_COUNT_MAX) {
            return Err(format!("a guard counts to {GUARD_COUNT_MAX} at most"));
        }
        let refusals = [&self.over, &self.banned, &self.first];
        if refusals.iter().any(|step| step.then == Then::Continue) {
            return Err("who is refused is not served: then = \"close\", \"reset\" or \"silence\"".into());
        }
        refusals.into_iter().chain(&self.over_ehlo).try_for_each(Step::check)
    }
}

/// The rules at one address, and what they have counted.
#[derive(Debug)]
pub(super) struct Watch {
    rules: Guard,
    over: Prepared,
    over_ehlo: Option<Prepared>,
    banned: Prepared,
    first: Prepared,
    clients: Mutex<HashMap<IpAddr, Client>>,
}

#[derive(Debug)]
struct Client {
    seen: Instant,
    open: u32,
    starts: VecDeque<Instant>,
    drops: VecDeque<Instant>,
    banned_until: Option<Instant>,
}

/// What becomes of a connection.
pub(super) enum Admission<'a> {
    /// It is served.
    Served,
    /// It is served, and EHLO answered so.
    UnderLoad(&'a Prepared),
    /// It is refused by the rule of that name, with these words.
    Refused(&'static str, &'a Prepared),
}

impl Watch {
    pub(super) fn new(rules: &Guard, host: &str) -> Self {
        Self {
            over: rules.over.prepare(host),
            over_ehlo: rules.over_ehlo.as_ref().map(|step| step.prepare(host)),
            banned: rules.banned.prepare(host),
            first: rules.first.prepare(host),
            rules: rules.clone(),
            clients: Mutex::default(),
        }
    }

    /// A client has connected.
    pub(super) fn enter(&self, ip: IpAddr, now: Instant) -> Admission<'_> {
        let mut clients = self.clients();
        if clients.len() >= GUARDED_CLIENTS_MAX && !clients.contains_key(&ip) {
            return Admission::Served;
        }
        let client = clients.entry(ip).or_insert_with(|| Client {
            seen: now,
            open: 0,
            starts: VecDeque::new(),
            drops: VecDeque::new(),
            banned_until: None,
        });
        let rules = &self.rules;
        client.open += 1;
        remember(&mut client.starts, rules.in_window, rules.window_ms, now);
        if client.banned_until.is_some_and(|until| now < until) {
            return Admission::Refused("banned", &self.banned);
        }
        if now.duration_since(client.seen) < Duration::from_millis(rules.first_ms) {
            return Admission::Refused("first_contact", &self.first);
        }
        let over = |count: usize, max: u32| max > 0 && count > max as usize;
        let rule = if over(client.open as usize, rules.at_a_time) {
            "at_a_time"
        } else if over(client.starts.len(), rules.in_window) {
            "in_window"
        } else {
            return Admission::Served;
        };
        match &self.over_ehlo {
            Some(ehlo) => Admission::UnderLoad(ehlo),
            None => Admission::Refused(rule, &self.over),
        }
    }

    /// A connection of the client does not count as open any more.
    pub(super) fn leave(&self, ip: IpAddr) {
        if let Some(client) = self.clients().get_mut(&ip) {
            client.open = client.open.saturating_sub(1);
        }
    }

    /// The client has left without QUIT.
    pub(super) fn dropped(&self, ip: IpAddr, now: Instant) {
        let rules = &self.rules;
        if let Some(client) = self.clients().get_mut(&ip).filter(|_| rules.drops > 0) {
            remember(&mut client.drops, rules.drops, rules.window_ms, now);
            if client.drops.len() >= rules.drops as usize {
                client.drops.clear();
                client.banned_until = Some(now + Duration::from_millis(rules.ban_ms));
            }
        }
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<IpAddr, Client>> {
        // What is counted is whole after every statement, so poison means nothing.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a moment to those of the window, of which one more is kept than may be.
fn remember(moments: &mut VecDeque<Instant>, max: u32, window_ms: u64, now: Instant) {
    let window = Duration::from_millis(window_ms);
    moments.push_back(now);
    while moments.len() > max as usize + 1
        || moments.front().is_some_and(|moment| now.duration_since(*moment) >= window)
    {
        moments.pop_front();
    }
}
