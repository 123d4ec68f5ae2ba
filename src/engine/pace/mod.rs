//! When a probe may start: so many a second in all, so many at a time and so
//! often at one address, one network and one operator.
//!
//! ```text
//! push ─► class (the keys of one place) ─► ready ─► begin_next ─► started
//!              ▲                             ▲          │
//!              │                             │          ▼ a bucket is full, or was asked a moment ago
//!              └────── more keys wait        └──── waits for that bucket, until something ends
//!                                                   there or its time has come
//! ```
//!
//! A class waits for one bucket at a time, the first that stands in its way. When
//! that has room again, one class that waits there is tried, and another if that
//! one cannot use the room.
//!
//! A place that complains cools down: its bucket is shut for a while, then tried by
//! one connection, and given up in the end. So is an endpoint where nobody answers.
//! Keys of a place that was given up are handed back unasked.

mod backlog;
mod breaker;
mod bucket;
mod clock;
mod limits;
mod outlook;
mod place;
mod queue;
mod recall;
mod sign;
mod silence;
mod standing;
mod table;
mod timing;

pub use breaker::{Change, Complaints};
pub use limits::{BucketLimits, CoolDown, Limits};
pub use place::{AskedPlace, BucketKey};
pub use sign::Sign;
pub use standing::CoolDownCounts;
pub use table::SLOW_AFTER;
pub(in crate::engine) use timing::Timing;
pub use timing::least_time;

use super::coalesce::KeyId;
use crate::interrogate::RetryPlan;
use backlog::Backlog;
use breaker::{Breaker, Passage};
use bucket::{Bucket, Obstacle};
use clock::RunClock;
use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use queue::{Class, ClassId, ClassStanding, Ranked};
use slab::Slab;
use standing::Standings;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;
use table::{Room, Table};

/// A pause after which a rate limiter has work for us again is never taken to
/// be shorter than this: timers are no finer.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// Share of a second's permits that may be used at once, so that a high rate
/// does not depend on the timer waking for every single one.
const BURSTS_PER_SECOND: u32 = 50;

/// Buckets of which nothing counts any more are forgotten after so many starts,
/// at the latest, so that they do not grow with the run.
const FORGET_EVERY_STARTS: u64 = 10_000;

/// What starting the next connection has to wait for.
#[derive(Debug, PartialEq, Eq)]
pub enum NextStart {
    /// Start this one now.
    Start(KeyId, AskedPlace),
    /// Record this one unasked: the bucket was given up, which of an endpoint means
    /// that nobody answers there.
    Forgo(KeyId, BucketKey),
    /// None may start for so long: the global rate allows none, or the table is full
    /// until a connection is open for so long that it counts as slow.
    After(Duration),
    /// This bucket wants a pause of so long; say [`Pacer::rested`] after it
    /// and go on asking.
    Rest(BucketKey, Duration),
    /// Nothing may start before something else happens.
    Nothing,
}

type Global<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Who waits, by place, and what is open. The clock is a parameter so that tests
/// need not wait.
pub struct Pacer<C: Clock = RunClock> {
    limits: Limits,
    clock: C,
    origin: C::Instant,
    global: Option<Global<C>>,
    classes: Slab<Class>,
    by_place: HashMap<AskedPlace, ClassId>,
    buckets: HashMap<BucketKey, Bucket>,
    standings: Standings,
    ready: Ranked<ClassId>,
    backlog: Backlog,
    /// Draws among those that are ready.
    random: Option<fastrand::Rng>,
    table: Table,
    started: u64,
    /// A permit of the global rate that was given and not yet used.
    permit: bool,
    /// Whether another process connected to any place until this one started.
    after_another: bool,
}

impl Pacer {
    /// A pacer with nothing to do. An endpoint where nobody answers is looked at as
    /// often as `retry` says of a key.
    pub fn new(limits: Limits, retry: RetryPlan) -> Self {
        Self::with_clock(limits, retry, RunClock::start())
    }
}

impl<C: Clock + Clone> Pacer<C> {
    fn with_clock(limits: Limits, retry: RetryPlan, clock: C) -> Self {
        let global = limits.rate.map(|rate| {
            let burst = NonZeroU32::new(rate.get() / BURSTS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), clock.clone())
        });
        Self {
            limits,
            origin: clock.now(),
            clock,
            global,
            classes: Slab::new(),
            by_place: HashMap::new(),
            buckets: HashMap::new(),
            standings: Standings::new(&limits, retry),
            ready: Ranked::default(),
            backlog: Backlog::default(),
            random: limits.order_seed.map(fastrand::Rng::with_seed),
            table: Table::new(limits.in_flight, limits.slow_in_flight),
            started: 0,
            permit: false,
            after_another: false,
        }
    }

    /// Has every address, network and operator count as connected to just now: by
    /// another process, of which nobody knows when.
    #[must_use]
    pub fn after_another(mut self, after_another: bool) -> Self {
        self.after_another = after_another;
        self
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.table.open()
    }

    /// Those of them that have made room for others.
    pub fn slow(&self) -> usize {
        self.table.slow()
    }

    /// How many places cool down or were given up.
    pub fn cool_downs(&self) -> CoolDownCounts {
        self.standings.counts()
    }

    /// Goes on with what an earlier process knew of a place: how long it is still left
    /// alone, `None` for good, and what it complained of.
    pub(in crate::engine) fn restore(
        &mut self,
        key: BucketKey,
        left: Option<Duration>,
        complaints: Complaints,
    ) {
        self.standings.restore(key, Breaker::earlier(left, complaints, self.now()));
    }

    /// What is known of a place that complained, for a later process; `None` if there
    /// is nothing.
    pub(in crate::engine) fn for_later(&self, key: BucketKey) -> Option<(Option<Duration>, Complaints)> {
        self.standings.for_later(key, self.now())
    }

    /// Whether a place is left alone because it, or what it belongs to, complained,
    /// or because nobody answers there.
    pub fn is_shut(&self, place: AskedPlace) -> bool {
        let now = self.now();
        place.keys().any(|key| self.standings.passage(key, now) != Passage::Open)
    }

    /// Keys that wait at a network, or at an operator.
    pub fn waiting(&self, group: BucketKey) -> usize {
        usize::try_from(self.backlog.keys(group)).unwrap_or(usize::MAX)
    }

    /// Addresses of a network, or an operator, for which somebody waits, or where a
    /// connection is open.
    pub fn addresses(&self, group: BucketKey) -> usize {
        usize::try_from(self.backlog.addresses(group)).unwrap_or(usize::MAX)
    }

    /// So many domains wait elsewhere for this network or operator.
    pub fn set_aside(&mut self, group: BucketKey, domains: usize) {
        self.backlog.set_aside(group, domains);
    }

    /// Queues a key.
    pub fn push(&mut self, id: KeyId, place: AskedPlace) {
        self.queue(id, place, false);
    }

    /// Queues a key that wants another connection, before all that have had none.
    pub fn push_again(&mut self, id: KeyId, place: AskedPlace) {
        self.queue(id, place, true);
    }

    fn queue(&mut self, id: KeyId, place: AskedPlace, again: bool) {
        let class_id = *self.by_place.entry(place).or_insert_with(|| {
            self.backlog.place_came(place);
            self.classes.insert(Class::new(place))
        });
        let Some(class) = self.classes.get_mut(class_id) else { return };
        class.keys.push(id, again);
        self.backlog.key_came(place);
        match class.standing {
            ClassStanding::Idle => {
                class.standing = ClassStanding::Ready;
                self.ready.push(class_id, again || self.backlog.would_be_last(place, &self.limits));
            }
            // It stands there already; it is to stand in front as well.
            ClassStanding::Ready if again => self.ready.push(class_id, true),
            ClassStanding::Waits(key) if again => {
                self.buckets.entry(key).or_default().waiting.push(class_id, true);
            }
            _ => {}
        }
    }

    /// The connection to a key that was started ended, and says so much of its place.
    /// Gives the buckets that stand otherwise now.
    pub fn finished(&mut self, id: KeyId, place: AskedPlace, sign: Sign) -> Vec<(BucketKey, Change)> {
        self.table.end(id);
        let uncounted: Vec<_> = match sign {
            Sign::Served => Vec::new(),
            _ => place.keys().filter(|key| !self.counts(*key)).collect(),
        };
        let changes = self.standings.ended(place, sign, self.now());
        for key in uncounted {
            if self.counts(key) {
                self.count_open(key, place);
            }
        }
        for (key, _) in changes.iter().filter(|(_, change)| *change == Change::GivesUp) {
            self.wake_all(*key);
        }
        for key in place.keys() {
            if let Some(bucket) = self.buckets.get_mut(&key) {
                bucket.end();
            }
            self.wake_one(key);
        }
        if let Some(class_id) = self.by_place.get(&place).copied()
            && let Some(class) = self.classes.get_mut(class_id)
        {
            class.open = class.open.saturating_sub(1);
            self.forget_class(class_id);
        }
        changes
    }

    /// A bucket that counts from now on has the connections that are open already.
    fn count_open(&mut self, key: BucketKey, place: AskedPlace) {
        let open = match key {
            BucketKey::Endpoint(_) => {
                let class = self.by_place.get(&place).and_then(|class_id| self.classes.get(*class_id));
                class.map_or(0, |class| class.open)
            }
            _ => {
                let here =
                    self.classes.iter().filter(|(_, class)| class.place.keys().any(|other| other == key));
                here.map(|(_, class)| class.open).sum()
            }
        };
        self.buckets.entry(key).or_default().set_open(open);
    }

    /// The pause of a bucket is over.
    pub fn rested(&mut self, key: BucketKey) {
        if let Some(bucket) = self.buckets.get_mut(&key) {
            bucket.is_timed = false;
        }
        self.wake_one(key);
    }

    /// What to start next. Whoever is told to start something starts it at
    /// once. The pauses of its buckets are counted from here, and once more from
    /// when the connection really begins.
    pub fn begin_next(&mut self) -> NextStart {
        if self.ready.is_empty() {
            return NextStart::Nothing;
        }
        match self.table.room(self.now()) {
            Room::Yes => {}
            Room::After(wait) => return NextStart::After(wait.max(PAUSE_MIN)),
            Room::No => return NextStart::Nothing,
        }
        while !self.ready.is_empty() {
            if let Some(wait) = self.wait_for_permit() {
                return NextStart::After(wait);
            }
            let Some(class_id) = self.next_class() else { break };
            let Some(place) = self.classes.get(class_id).map(|class| class.place) else { continue };
            let Some((key, obstacle)) = self.obstacle(place) else {
                match self.start(class_id) {
                    Some(id) => return NextStart::Start(id, place),
                    None => continue,
                }
            };
            if obstacle == Obstacle::GivenUp {
                let given_up = self.take_key(class_id);
                self.forget_class(class_id);
                // What it was woken for, another may use.
                place.keys().for_each(|key| self.wake_one_if_of_use(key));
                match given_up {
                    Some(id) => return NextStart::Forgo(id, key),
                    None => continue,
                }
            }
            self.wait_at(class_id, key);
            // What it was woken for, another may use.
            for other in place.keys().filter(|other| *other != key) {
                self.wake_one_if_of_use(other);
            }
            if let Obstacle::Early(wait) = obstacle
                && let Some(bucket) = self.buckets.get_mut(&key)
                && !std::mem::replace(&mut bucket.is_timed, true)
            {
                return NextStart::Rest(key, wait.max(PAUSE_MIN));
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

    /// A class that may be tried. One can stand in the queue twice, of which the
    /// second is void.
    fn next_class(&mut self) -> Option<ClassId> {
        loop {
            let class_id = match &mut self.random {
                Some(random) => self.ready.draw(random),
                None => self.ready.pop(),
            }?;
            let standing = self.classes.get(class_id).map(|class| class.standing);
            if standing == Some(ClassStanding::Ready) {
                return Some(class_id);
            }
        }
    }

    /// The first bucket that stands in the way of a connection to this place; one
    /// that was given up before all others.
    fn obstacle(&self, place: AskedPlace) -> Option<(BucketKey, Obstacle)> {
        let now = self.now();
        let keys = place.keys().filter(|key| self.counts(*key));
        let mut obstacles = keys.filter_map(|key| Some((key, self.obstacle_at(key, now)?)));
        let first = obstacles.next()?;
        let is_given_up = |(_, obstacle): &(BucketKey, Obstacle)| *obstacle == Obstacle::GivenUp;
        if is_given_up(&first) { Some(first) } else { obstacles.find(is_given_up).or(Some(first)) }
    }

    /// Whether a bucket counts: it has limits, or complained.
    fn counts(&self, key: BucketKey) -> bool {
        !key.limits(&self.limits).is_none() || self.standings.has(key)
    }

    /// What stands in the way of a connection in this bucket.
    fn obstacle_at(&self, key: BucketKey, now: Duration) -> Option<Obstacle> {
        if let Some(due) = Timing::due_after_another(key.limits(&self.limits), now)
            && self.after_another
        {
            return Some(Obstacle::Early(due.saturating_sub(now)));
        }
        let limited = |bucket: &Bucket| bucket.obstacle(&self.standings.limits(key, &self.limits), now);
        let bucket = self.buckets.get(&key);
        match self.standings.passage(key, now) {
            Passage::Open => bucket.and_then(limited),
            Passage::ShutUntil(due) => Some(Obstacle::Early(due.saturating_sub(now))),
            Passage::Trial if bucket.is_some_and(|bucket| !bucket.is_quiet()) => Some(Obstacle::Full),
            Passage::Trial => bucket.and_then(limited),
            Passage::GivenUp => Some(Obstacle::GivenUp),
        }
    }

    fn now(&self) -> Duration {
        self.clock.now().duration_since(self.origin).into()
    }

    /// Takes the first key of a class, to which a connection begins now.
    fn start(&mut self, class_id: ClassId) -> Option<KeyId> {
        let now = self.now();
        let id = self.take_key(class_id)?;
        let class = self.classes.get_mut(class_id)?;
        class.open += 1;
        let place = class.place;
        for key in place.keys() {
            if self.counts(key) {
                let limits = self.standings.limits(key, &self.limits);
                self.buckets.entry(key).or_default().begin(&limits, now);
            }
            // There may be room for another who waits, or a pause that nobody times yet.
            self.wake_one_if_of_use(key);
        }
        self.permit = false;
        self.table.begin(id, now);
        self.started += 1;
        if self.started.is_multiple_of(FORGET_EVERY_STARTS) {
            self.standings.forget(now);
            let (limits, standings) = (self.limits, &self.standings);
            self.buckets.retain(|key, bucket| !bucket.is_idle(&standings.limits(*key, &limits), now));
        }
        Some(id)
    }

    /// Takes the first key of a class out of the queue.
    fn take_key(&mut self, class_id: ClassId) -> Option<KeyId> {
        let class = self.classes.get_mut(class_id)?;
        class.standing = ClassStanding::Idle;
        let id = class.keys.pop();
        if id.is_some() {
            self.backlog.key_left(class.place);
        }
        if !class.keys.is_empty() {
            class.standing = ClassStanding::Ready;
            let first = class.keys.begins_again() || self.backlog.would_be_last(class.place, &self.limits);
            self.ready.push(class_id, first);
        }
        id
    }

    fn wait_at(&mut self, class_id: ClassId, key: BucketKey) {
        if let Some(class) = self.classes.get_mut(class_id) {
            class.standing = ClassStanding::Waits(key);
            self.buckets.entry(key).or_default().waiting.push(class_id, class.keys.begins_again());
        }
    }

    /// Lets one class that waits for a bucket be tried. A bucket that nobody
    /// needs to know of is forgotten.
    fn wake_one(&mut self, key: BucketKey) {
        let now = self.now();
        let Some(bucket) = self.buckets.get_mut(&key) else { return };
        while let Some(class_id) = bucket.waiting.pop() {
            let Some(class) = self.classes.get_mut(class_id) else { continue };
            if class.standing == ClassStanding::Waits(key) {
                class.standing = ClassStanding::Ready;
                let first =
                    class.keys.begins_again() || self.backlog.would_be_last(class.place, &self.limits);
                self.ready.push(class_id, first);
                return;
            }
        }
        if bucket.is_idle(&self.standings.limits(key, &self.limits), now) {
            self.buckets.remove(&key);
        }
    }

    /// Lets all classes of a bucket be tried, whatever they wait for.
    fn wake_all(&mut self, key: BucketKey) {
        for (class_id, class) in &mut self.classes {
            let waits = matches!(class.standing, ClassStanding::Waits(_));
            if waits && class.place.keys().any(|other| other == key) {
                class.standing = ClassStanding::Ready;
                self.ready.push(class_id, class.keys.begins_again());
            }
        }
    }

    /// The same, but where it is known to be in vain: a bucket that is full wakes
    /// somebody when a connection ends, and one that rests when its time has come.
    fn wake_one_if_of_use(&mut self, key: BucketKey) {
        let now = self.now();
        let Some(bucket) = self.buckets.get(&key) else { return };
        match self.obstacle_at(key, now) {
            Some(Obstacle::Full) => {}
            Some(Obstacle::Early(_)) if bucket.is_timed => {}
            _ => self.wake_one(key),
        }
    }

    fn forget_class(&mut self, class_id: ClassId) {
        if let Some(class) = self.classes.get(class_id)
            && class.is_over()
        {
            self.by_place.remove(&class.place);
            self.backlog.place_left(class.place);
            self.classes.remove(class_id);
        }
    }

    /// Drops everything that has not started.
    pub fn clear(&mut self) {
        self.ready.clear();
        self.backlog.clear();
        self.buckets.values_mut().for_each(|bucket| bucket.waiting.clear());
        for (_, class) in &mut self.classes {
            class.keys.clear();
            class.standing = ClassStanding::Idle;
        }
    }
}

#[cfg(test)]
mod tests;
