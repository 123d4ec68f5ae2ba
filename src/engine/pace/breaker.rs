//! A place that complains is left alone for a while: the circuit breaker of one
//! address, one network or one operator.
//!
//! ```text
//!             complaint                       time is up
//! Counting ──────────────► Cooling { until } ───────────► one connection at a time
//!    ▲                        ▲                              │
//!    │ served                 └────────── complaint ─────────┤
//!    └───────────────────────────────────────────────────────┘
//!                         the second complaint of that kind ──► GivenUp
//! ```
//!
//! Whoever was complained of goes on slower than before, until it has been served
//! so often that one step of that is taken back.

use super::limits::{BucketLimits, CoolDown};
use super::sign::Sign;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// By how much each cool-down is longer than the last.
const GROWTH: u32 = 5;

/// Connections that are tried after cool-downs, none of which may be complained
/// of, before the place is given up: two further looks.
const TRIALS_MAX: u32 = 2;

/// Cool-downs of a place that is served now and then, without
/// [`SERVED_TO_RECOVER`] between, after which it is given up as well.
const COOL_DOWNS_MAX: u32 = 8;

/// Connections that break off, one after the other, which are one complaint.
const DROPS_TO_COMPLAIN: u32 = 3;

/// Addresses of a network or an operator that complain, with no connection there
/// served between, which are one complaint of the network or the operator.
const ADDRESSES_TO_COMPLAIN: usize = 3;

/// Addresses that are remembered as complaining; there are no more, as a group is
/// given up before.
const COMPLAINING_MAX: usize = ADDRESSES_TO_COMPLAIN + COOL_DOWNS_MAX as usize;

/// Connections served, one after the other, for which one step of slowness is
/// taken back.
const SERVED_TO_RECOVER: u32 = 100;

/// Steps of slowness, each of which doubles the pauses.
const STEPS_MAX: u32 = 6;

/// How many times the first pause of a place that had none fits into the first
/// cool-down.
const PAUSES_PER_COOL_DOWN: u32 = 120;

/// Whether a connection may begin, as far as complaints go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// Under the place's own, slower limits.
    Open,
    /// Not before this moment.
    ShutUntil(Duration),
    /// If no other is open: a trial.
    Trial,
    /// Not in this run.
    GivenUp,
}

/// What the end of a connection changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that others need to know of.
    None,
    /// The place cools down.
    Cools,
    /// It is given up.
    GivesUp,
    /// It was served again after a cool-down.
    Recovers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Counting,
    Cooling {
        until: Duration,
    },
    GivenUp,
}

/// What a place has complained of, as far as it decides what comes of the next
/// complaint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    /// Trials in a row that were complained of.
    pub trials_failed: u32,
    /// Cool-downs since it was last served a hundred times in a row.
    pub cool_downs: u32,
    /// Steps of slowness.
    pub steps: u32,
}

/// What a place has complained of. Moments are counted from the start of the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    state: State,
    /// Trials in a row that were complained of.
    trials_failed: u32,
    /// Cool-downs since it was last served [`SERVED_TO_RECOVER`] times in a row.
    cool_downs: u32,
    /// Connections in a row that broke off.
    drops: u32,
    /// Connections in a row that were served.
    served: u32,
    /// Steps of slowness.
    steps: u32,
    /// Of a network or an operator: the addresses that complained since a
    /// connection there was served.
    complaining: Vec<IpAddr>,
}

impl Breaker {
    /// One of an earlier process. It is left alone for what is `left`, `None` for
    /// good, and then tried.
    pub(super) fn earlier(left: Option<Duration>, complaints: Complaints, now: Duration) -> Self {
        let Complaints { trials_failed, cool_downs, steps } = complaints;
        let state = left.map_or(State::GivenUp, |left| State::Cooling { until: now + left });
        Self { state, trials_failed, cool_downs, steps: steps.min(STEPS_MAX), ..Self::default() }
    }

    /// The same of this one.
    pub(super) fn for_later(&self, now: Duration) -> (Option<Duration>, Complaints) {
        let left = match self.state {
            State::Counting => Some(Duration::ZERO),
            State::Cooling { until } => Some(until.saturating_sub(now)),
            State::GivenUp => None,
        };
        let Self { trials_failed, cool_downs, steps, .. } = *self;
        (left, Complaints { trials_failed, cool_downs, steps })
    }

    pub(super) fn gate(&self, now: Duration) -> Passage {
        match self.state {
            State::Counting => Passage::Open,
            State::Cooling { until } if until > now => Passage::ShutUntil(until),
            State::Cooling { .. } => Passage::Trial,
            State::GivenUp => Passage::GivenUp,
        }
    }

    /// Takes the sign of a connection to an address.
    pub(super) fn ended(&mut self, sign: Sign, now: Duration, cool_down: &CoolDown, jitter: f64) -> Change {
        match (self.gate(now), sign) {
            // They began before it complained.
            (Passage::ShutUntil(_) | Passage::GivenUp, _) | (_, Sign::Nothing) => Change::None,
            (_, Sign::Served) => self.was_served(),
            (_, Sign::Complained) | (Passage::Trial, _) => self.complained(now, cool_down, jitter),
            (Passage::Open, Sign::Dropped) => {
                self.drops += 1;
                self.served = 0;
                if self.drops < DROPS_TO_COMPLAIN {
                    return Change::None;
                }
                self.complained(now, cool_down, jitter)
            }
            (Passage::Open, Sign::Refused | Sign::Silent) => Change::None,
        }
    }

    /// An address of this network or operator began to cool down, or complained of
    /// a trial.
    pub(super) fn address_complained(
        &mut self,
        ip: IpAddr,
        now: Duration,
        cool_down: &CoolDown,
        jitter: f64,
    ) -> Change {
        match self.gate(now) {
            Passage::ShutUntil(_) | Passage::GivenUp => Change::None,
            // That one had complained before says nothing new of the others.
            Passage::Trial if self.complaining.contains(&ip) => Change::None,
            Passage::Trial => {
                self.note_complaining(ip);
                self.complained(now, cool_down, jitter)
            }
            Passage::Open => {
                self.note_complaining(ip);
                if self.complaining.len() < ADDRESSES_TO_COMPLAIN {
                    return Change::None;
                }
                self.complained(now, cool_down, jitter)
            }
        }
    }

    fn note_complaining(&mut self, ip: IpAddr) {
        if !self.complaining.contains(&ip) && self.complaining.len() < COMPLAINING_MAX {
            self.complaining.push(ip);
        }
    }

    fn was_served(&mut self) -> Change {
        let recovers = self.state != State::Counting;
        self.state = State::Counting;
        self.trials_failed = 0;
        self.drops = 0;
        self.complaining.clear();
        self.served += 1;
        if self.served >= SERVED_TO_RECOVER {
            self.served = 0;
            self.cool_downs = 0;
            self.steps = self.steps.saturating_sub(1);
        }
        if recovers { Change::Recovers } else { Change::None }
    }

    fn complained(&mut self, now: Duration, cool_down: &CoolDown, jitter: f64) -> Change {
        self.trials_failed += u32::from(self.state != State::Counting);
        self.drops = 0;
        self.served = 0;
        if self.trials_failed >= TRIALS_MAX || self.cool_downs >= COOL_DOWNS_MAX {
            self.state = State::GivenUp;
            return Change::GivesUp;
        }
        self.state =
            State::Cooling { until: now + cool_down.nth(self.cool_downs, GROWTH).mul_f64(1.0 + jitter) };
        self.cool_downs += 1;
        self.steps = (self.steps + 1).min(STEPS_MAX);
        Change::Cools
    }

    /// The limits of the place, slower by its steps.
    pub(super) fn slowed(
        &self,
        limits: &BucketLimits,
        cool_down: &CoolDown,
        of_address: bool,
    ) -> BucketLimits {
        if self.steps == 0 {
            return *limits;
        }
        let base = limits.interval.max(cool_down.first / PAUSES_PER_COOL_DOWN);
        let fewer = |most: NonZeroU32| NonZeroU32::new(most.get() >> self.steps).unwrap_or(NonZeroU32::MIN);
        BucketLimits {
            connections: if of_address { Some(NonZeroU32::MIN) } else { limits.connections.map(fewer) },
            interval: base.saturating_mul(1 << self.steps),
            per_minute: limits.per_minute.map(fewer),
        }
    }

    /// Whether it cools down, or waits for its trial.
    pub(super) fn is_cooling(&self) -> bool {
        matches!(self.state, State::Cooling { .. })
    }

    /// Whether it can be forgotten.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Counting && self.steps == 0 && self.drops == 0 && self.complaining.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: CoolDown = CoolDown { first: Duration::from_secs(120), longest: Duration::from_secs(3600) };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_place_is_given_up_after_two_further_looks() {
        let mut breaker = Breaker::default();
        let mut now = seconds(10);
        for (change, pause) in [(Change::Cools, 120), (Change::Cools, 600)] {
            assert_eq!(breaker.ended(Sign::Complained, now, &PLAN, 0.0), change);
            assert_eq!(breaker.gate(now), Passage::ShutUntil(now + seconds(pause)));
            assert_eq!(breaker.ended(Sign::Complained, now, &PLAN, 0.0), Change::None, "begun before");
            now += seconds(pause);
            assert_eq!(breaker.gate(now), Passage::Trial);
        }
        assert_eq!(breaker.ended(Sign::Nothing, now, &PLAN, 0.0), Change::None, "no trial of the server's");
        assert_eq!(breaker.ended(Sign::Dropped, now, &PLAN, 0.0), Change::GivesUp);
        assert_eq!(breaker.gate(now + seconds(1_000_000)), Passage::GivenUp);
    }

    #[test]
    fn cool_downs_grow_to_the_longest_and_are_jittered() {
        let mut breaker = Breaker::default();
        let mut now = Duration::ZERO;
        for pause in [120, 600, 3000, 3600, 3600, 3600, 3600, 3600] {
            assert_eq!(breaker.ended(Sign::Complained, now, &PLAN, 0.25), Change::Cools);
            now += seconds(pause).mul_f64(1.25);
            assert_eq!(breaker.gate(now - seconds(1)), Passage::ShutUntil(now));
            assert_eq!(breaker.ended(Sign::Served, now, &PLAN, 0.25), Change::Recovers);
        }
        assert_eq!(breaker.ended(Sign::Complained, now, &PLAN, 0.25), Change::GivesUp, "not for ever");
    }

    #[test]
    fn three_drops_in_a_row_are_a_complaint() {
        let mut breaker = Breaker::default();
        for (sign, change) in [
            (Sign::Dropped, Change::None),
            (Sign::Dropped, Change::None),
            (Sign::Served, Change::None),
            (Sign::Dropped, Change::None),
            (Sign::Silent, Change::None),
            (Sign::Dropped, Change::None),
            (Sign::Dropped, Change::Cools),
        ] {
            assert_eq!(breaker.ended(sign, Duration::ZERO, &PLAN, 0.0), change);
        }
    }

    #[test]
    fn three_addresses_in_a_row_are_a_complaint_of_their_network() {
        let ip = |last: u8| IpAddr::from([192, 0, 2, last]);
        let complain =
            |breaker: &mut Breaker, last| breaker.address_complained(ip(last), seconds(1), &PLAN, 0.0);
        let mut breaker = Breaker::default();
        for last in [1, 2, 2] {
            assert_eq!(complain(&mut breaker, last), Change::None);
        }
        breaker.ended(Sign::Served, seconds(1), &PLAN, 0.0);
        for last in [1, 2] {
            assert_eq!(complain(&mut breaker, last), Change::None);
        }
        assert_eq!(complain(&mut breaker, 3), Change::Cools);
    }

    #[test]
    fn a_network_is_given_up_for_addresses_that_had_not_complained_before() {
        let ip = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut breaker = Breaker::default();
        let mut now = seconds(1);
        for last in 1..3 {
            assert_eq!(breaker.address_complained(ip(last), now, &PLAN, 0.0), Change::None);
        }
        assert_eq!(breaker.address_complained(ip(3), now, &PLAN, 0.0), Change::Cools);
        now += seconds(120);
        for last in 1..4 {
            assert_eq!(breaker.address_complained(ip(last), now, &PLAN, 0.0), Change::None, "nothing new");
        }
        assert_eq!(breaker.gate(now), Passage::Trial);
        assert_eq!(breaker.address_complained(ip(4), now, &PLAN, 0.0), Change::Cools);
        now += seconds(600);
        assert_eq!(breaker.address_complained(ip(4), now, &PLAN, 0.0), Change::None);
        assert_eq!(breaker.address_complained(ip(5), now, &PLAN, 0.0), Change::GivesUp);
    }

    #[test]
    fn it_goes_on_slower_and_recovers_step_by_step() {
        let limits = BucketLimits { per_minute: NonZeroU32::new(5), ..BucketLimits::of_connections(8) };
        let mut breaker = Breaker::default();
        assert_eq!(breaker.slowed(&limits, &PLAN, false), limits);
        breaker.ended(Sign::Complained, Duration::ZERO, &PLAN, 0.0);
        let slower = breaker.slowed(&limits, &PLAN, false);
        assert_eq!(slower.connections.map(NonZeroU32::get), Some(4));
        assert_eq!(slower.per_minute.map(NonZeroU32::get), Some(2));
        assert_eq!(slower.interval, seconds(2), "twice what fits 120 times into the cool-down");
        assert_eq!(breaker.slowed(&limits, &PLAN, true).connections, NonZeroU32::new(1));
        for _ in 0..SERVED_TO_RECOVER {
            assert!(!breaker.is_over());
            breaker.ended(Sign::Served, seconds(120), &PLAN, 0.0);
        }
        assert!(breaker.is_over());
        assert_eq!(breaker.slowed(&limits, &PLAN, false), limits);
    }
}
