//! When a probe may start: so many a second in all, so many at a time to one
//! address, and a pause between two to the same one.

use super::coalesce::KeyId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// A pause after which a rate limiter has work for us again is never taken to
/// be shorter than this: timers are no finer.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// Share of a second's permits that may be used at once, so that a high rate
/// does not depend on the timer waking for every single one.
const BURSTS_PER_SECOND: u32 = 50;

/// Addresses whose last use is forgotten at once, at the latest after so many
/// starts. Keeps the per-address limiter from growing with the run.
const FORGET_EVERY_STARTS: u64 = 10_000;

/// How fast to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections begun per second over all; `None` for no limit.
    pub rate: Option<NonZeroU32>,
    /// Least time between the starts of two connections to one address; zero
    /// for none.
    pub per_ip_interval: Duration,
    /// Connections open to one address at a time; `None` for no limit.
    pub per_ip_connections: Option<NonZeroU32>,
    /// Connections open in all.
    pub in_flight: usize,
}

impl Default for Limits {
    /// A hundred connections a second, one a second to each address, one at a
    /// time there, and a thousand in all.
    fn default() -> Self {
        Self {
            rate: NonZeroU32::new(100),
            per_ip_interval: Duration::from_secs(1),
            per_ip_connections: NonZeroU32::new(1),
            in_flight: 1000,
        }
    }
}

/// What starting the next connection has to wait for.
#[derive(Debug, PartialEq, Eq)]
pub enum NextStart {
    /// Start this one now.
    Start(KeyId, IpAddr),
    /// The global rate allows none for so long.
    After(Duration),
    /// This address wants a pause of so long; say [`Pacer::rested`] after it
    /// and go on asking.
    Rest(IpAddr, Duration),
    /// Nothing may start before something else happens.
    Nothing,
}

/// The pause of an address.
enum Wait {
    /// It begins now and lasts so long.
    Begun(Duration),
    /// It goes on already.
    UnderWay,
}

/// One address.
#[derive(Default)]
struct Lane {
    /// Connections that are open, or about to be.
    open: u32,
    resting: bool,
    waiting: VecDeque<Turn>,
}

/// A key that wants a connection.
#[derive(Clone, Copy)]
struct Turn {
    id: KeyId,
    /// Whether it had one before. What is known of it waits in memory, and its
    /// domains with it, so it goes first.
    again: bool,
}

/// Keys whose addresses have room for them.
#[derive(Default)]
struct Ready {
    again: VecDeque<(Turn, IpAddr)>,
    new: VecDeque<(Turn, IpAddr)>,
}

impl Ready {
    fn push(&mut self, turn: Turn, ip: IpAddr) {
        let queue = if turn.again { &mut self.again } else { &mut self.new };
        queue.push_back((turn, ip));
    }

    fn pop(&mut self) -> Option<(Turn, IpAddr)> {
        self.again.pop_front().or_else(|| self.new.pop_front())
    }

    fn is_empty(&self) -> bool {
        self.again.is_empty() && self.new.is_empty()
    }

    fn clear(&mut self) {
        self.again.clear();
        self.new.clear();
    }
}

type Global<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;
type PerIp<C> = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Queues of keys by address, and the two rate limiters. The clock is a
/// parameter so that tests need not wait.
pub struct Pacer<C: Clock = DefaultClock> {
    limits: Limits,
    clock: C,
    global: Option<Global<C>>,
    per_ip: Option<PerIp<C>>,
    lanes: HashMap<IpAddr, Lane>,
    ready: Ready,
    open: usize,
    started: u64,
    /// A permit of the global rate that was given and not yet used.
    permit: bool,
}

impl Pacer {
    /// A pacer with nothing to do.
    pub fn new(limits: Limits) -> Self {
        Self::with_clock(limits, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Pacer<C> {
    fn with_clock(limits: Limits, clock: C) -> Self {
        let global = limits.rate.map(|rate| {
            let burst = NonZeroU32::new(rate.get() / BURSTS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), clock.clone())
        });
        let per_ip = Quota::with_period(limits.per_ip_interval)
            .map(|quota| RateLimiter::dashmap_with_clock(quota, clock.clone()));
        Self {
            limits,
            clock,
            global,
            per_ip,
            lanes: HashMap::new(),
            ready: Ready::default(),
            open: 0,
            started: 0,
            permit: false,
        }
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Queues a key.
    pub fn push(&mut self, id: KeyId, ip: IpAddr) {
        self.lanes.entry(ip).or_default().waiting.push_back(Turn { id, again: false });
        self.advance(ip);
    }

    /// Queues a key that wants another connection, before all that have had none.
    pub fn push_again(&mut self, id: KeyId, ip: IpAddr) {
        self.lanes.entry(ip).or_default().waiting.push_front(Turn { id, again: true });
        self.advance(ip);
    }

    /// A connection ended.
    pub fn finished(&mut self, ip: IpAddr) {
        self.open = self.open.saturating_sub(1);
        if let Some(lane) = self.lanes.get_mut(&ip) {
            lane.open = lane.open.saturating_sub(1);
        }
        self.advance(ip);
    }

    /// The pause of an address is over.
    pub fn rested(&mut self, ip: IpAddr) {
        if let Some(lane) = self.lanes.get_mut(&ip) {
            lane.resting = false;
        }
        self.advance(ip);
    }

    /// What to start next. Whoever is told to start something starts it at
    /// once. The pause of its address is counted from here, and once more from
    /// when the connection really begins.
    pub fn begin_next(&mut self) -> NextStart {
        if self.open >= self.limits.in_flight {
            return NextStart::Nothing;
        }
        while !self.ready.is_empty() {
            if let Some(wait) = self.wait_for_permit() {
                return NextStart::After(wait);
            }
            let Some((turn, ip)) = self.ready.pop() else { break };
            match self.wait_for_address(turn, ip) {
                Some(Wait::Begun(wait)) => return NextStart::Rest(ip, wait),
                Some(Wait::UnderWay) => {}
                None => {
                    self.permit = false;
                    self.open += 1;
                    self.started += 1;
                    self.forget_now_and_then();
                    return NextStart::Start(turn.id, ip);
                }
            }
        }
        NextStart::Nothing
    }

    /// How long the global rate wants to wait; `None` with a permit in hand.
    fn wait_for_permit(&mut self) -> Option<Duration> {
        let Some(limiter) = &self.global else { return None };
        if self.permit {
            return None;
        }
        match limiter.check() {
            Ok(()) => {
                self.permit = true;
                None
            }
            Err(not_until) => Some(not_until.wait_time_from(self.clock.now()).max(PAUSE_MIN)),
        }
    }

    /// Whether a key has to wait because its address was asked a moment ago;
    /// if so it goes back to the head of its queue.
    fn wait_for_address(&mut self, turn: Turn, ip: IpAddr) -> Option<Wait> {
        let (limiter, lane) = (self.per_ip.as_ref()?, self.lanes.get_mut(&ip)?);
        let wait = if lane.resting {
            Wait::UnderWay
        } else {
            let not_until = limiter.check_key(&ip).err()?;
            Wait::Begun(not_until.wait_time_from(self.clock.now()).max(PAUSE_MIN))
        };
        lane.resting = true;
        lane.open = lane.open.saturating_sub(1);
        lane.waiting.push_front(turn);
        Some(wait)
    }

    /// Drops everything that has not started.
    pub fn clear(&mut self) {
        self.ready.clear();
        for lane in self.lanes.values_mut() {
            lane.waiting.clear();
        }
    }

    /// Moves the head of an address's queue to the ready ones if the address
    /// has room and is not resting.
    fn advance(&mut self, ip: IpAddr) {
        let Some(lane) = self.lanes.get_mut(&ip) else { return };
        let room = self.limits.per_ip_connections.map_or(u32::MAX, NonZeroU32::get);
        while !lane.resting && lane.open < room {
            let Some(turn) = lane.waiting.pop_front() else { break };
            lane.open += 1;
            self.ready.push(turn, ip);
        }
        if lane.open == 0 && !lane.resting && lane.waiting.is_empty() {
            self.lanes.remove(&ip);
        }
    }

    fn forget_now_and_then(&self) {
        if let Some(limiter) = &self.per_ip
            && self.started.is_multiple_of(FORGET_EVERY_STARTS)
        {
            limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::coalesce::{KeyTable, Registration};
    use super::*;
    use crate::model::{Endpoint, ProbeKey};
    use governor::clock::FakeRelativeClock;

    const INTERVAL: Duration = Duration::from_secs(60);

    const OPEN: Limits =
        Limits { rate: None, per_ip_interval: Duration::ZERO, per_ip_connections: None, in_flight: 1000 };

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn ids(count: u16) -> Vec<KeyId> {
        let mut table = KeyTable::default();
        (0..count)
            .map(|port| {
                let key = ProbeKey { endpoint: Endpoint { ip: ip(1), port }, sni: None };
                match table.ask(key, 0) {
                    Registration::New(id) | Registration::Waiting(id) | Registration::Done(id) => id,
                }
            })
            .collect()
    }

    #[test]
    fn one_connection_at_a_time_to_one_address() {
        let ids = ids(3);
        let mut pacer = Pacer::new(Limits { per_ip_connections: NonZeroU32::new(1), ..OPEN });
        for (id, last) in [(ids[0], 1), (ids[1], 1), (ids[2], 2)] {
            pacer.push(id, ip(last));
        }
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[2], ip(2)));
        assert_eq!(pacer.begin_next(), NextStart::Nothing);
        pacer.finished(ip(1));
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[1], ip(1)));
    }

    #[test]
    fn a_key_that_had_a_connection_goes_before_those_that_had_none() {
        let ids = ids(5);
        let mut pacer = Pacer::new(Limits { in_flight: 1, per_ip_connections: NonZeroU32::new(1), ..OPEN });
        for (id, last) in [(ids[0], 1), (ids[1], 2), (ids[2], 3), (ids[3], 1)] {
            pacer.push(id, ip(last));
        }
        let mut begun = Vec::new();
        while let NextStart::Start(id, at) = pacer.begin_next() {
            if begun.is_empty() {
                pacer.push_again(ids[4], at);
            }
            begun.push(id);
            pacer.finished(at);
        }
        assert_eq!(begun, [ids[0], ids[4], ids[1], ids[2], ids[3]]);
    }

    #[test]
    fn an_address_rests_between_connections() {
        let (ids, clock) = (ids(3), FakeRelativeClock::default());
        let mut pacer = Pacer::with_clock(Limits { per_ip_interval: INTERVAL, ..OPEN }, clock.clone());
        for id in &ids {
            pacer.push(*id, ip(1));
        }
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
        assert_eq!(pacer.begin_next(), NextStart::Rest(ip(1), INTERVAL));
        assert_eq!(pacer.begin_next(), NextStart::Nothing, "one pause is enough for all that wait");
        pacer.finished(ip(1));
        assert_eq!(pacer.begin_next(), NextStart::Nothing);
        clock.advance(INTERVAL / 2);
        pacer.rested(ip(1));
        assert_eq!(
            pacer.begin_next(),
            NextStart::Rest(ip(1), INTERVAL / 2),
            "woken too early, it rests again"
        );
        clock.advance(INTERVAL / 2);
        pacer.rested(ip(1));
        assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
    }

    /// The pause is between starts: time spent in the queue does not count as
    /// rest.
    #[test]
    fn a_pause_begins_when_the_connection_does() {
        let (ids, clock) = (ids(3), FakeRelativeClock::default());
        let limits = Limits { per_ip_interval: INTERVAL, in_flight: 1, ..OPEN };
        let mut pacer = Pacer::with_clock(limits, clock.clone());
        for (id, last) in [(ids[0], 1), (ids[1], 2), (ids[2], 2)] {
            pacer.push(id, ip(last));
        }
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
        clock.advance(INTERVAL * 2);
        pacer.finished(ip(1));
        let first = pacer.begin_next();
        assert!(matches!(first, NextStart::Start(_, at) if at == ip(2)), "{first:?}");
        pacer.finished(ip(2));
        assert_eq!(pacer.begin_next(), NextStart::Rest(ip(2), INTERVAL));
    }

    #[test]
    fn a_permit_that_an_address_cannot_use_goes_to_the_next() {
        let (ids, clock) = (ids(3), FakeRelativeClock::default());
        let limits = Limits { rate: NonZeroU32::new(1), per_ip_interval: INTERVAL, ..OPEN };
        let mut pacer = Pacer::with_clock(limits, clock.clone());
        for (id, last) in [(ids[0], 1), (ids[1], 1), (ids[2], 2)] {
            pacer.push(id, ip(last));
        }
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
        assert_eq!(pacer.begin_next(), NextStart::After(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert!(matches!(pacer.begin_next(), NextStart::Rest(at, _) if at == ip(1)));
        assert_eq!(pacer.begin_next(), NextStart::Start(ids[2], ip(2)), "the permit was kept, not spent");
    }

    #[test]
    fn the_global_rate_and_the_number_in_flight_hold() {
        let ids = ids(4);
        let mut pacer = Pacer::new(Limits { rate: NonZeroU32::new(1), in_flight: 2, ..OPEN });
        for id in &ids {
            pacer.push(*id, ip(1));
        }
        assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
        assert!(matches!(pacer.begin_next(), NextStart::After(wait) if wait <= Duration::from_secs(1)));
        let mut pacer = Pacer::new(Limits { in_flight: 2, ..OPEN });
        for id in &ids {
            pacer.push(*id, ip(1));
        }
        assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
        assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
        assert_eq!(pacer.begin_next(), NextStart::Nothing);
        pacer.finished(ip(1));
        assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let ids = ids(1);
        let mut pacer = Pacer::new(OPEN);
        pacer.push(ids[0], ip(1));
        pacer.begin_next();
        pacer.finished(ip(1));
        assert!(pacer.lanes.is_empty());
    }
}
