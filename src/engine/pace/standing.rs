//! Which places complained, and how each of them stands. In a run of which
//! nobody complains there is nothing here.

use super::breaker::{Breaker, Change, Complaints, Passage};
use super::limits::{BucketLimits, CoolDown, Limits};
use super::place::{AskedPlace, BucketKey};
use super::sign::Sign;
use super::silence::Silences;
use crate::interrogate::RetryPlan;
use std::collections::HashMap;
use std::time::Duration;

/// Share of a cool-down that chance may add, so that those which began together do
/// not end together.
const JITTER_MAX: f64 = 0.25;

/// How many places cool down or were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoolDownCounts {
    /// Addresses, networks and operators that cool down, or wait for their trial.
    pub cooling: u64,
    /// Those that were given up.
    pub given_up: u64,
    /// Cool-downs begun so far.
    pub begun: u64,
}

/// The breakers of a run, of which there are at most three for each address that
/// complained, and the endpoints where nobody answers.
#[derive(Debug)]
pub(super) struct Standings {
    silences: Silences,
    cool_down: Option<CoolDown>,
    breakers: HashMap<BucketKey, Breaker>,
    random: fastrand::Rng,
    counts: CoolDownCounts,
    /// As they were when [`remember`](Self::remember) was said last.
    then: (HashMap<BucketKey, Breaker>, CoolDownCounts),
}

impl Standings {
    pub(super) fn new(limits: &Limits, retry: RetryPlan) -> Self {
        Self {
            silences: Silences::new(retry),
            cool_down: limits.cool_down,
            breakers: HashMap::new(),
            random: limits.order_seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            counts: CoolDownCounts::default(),
            then: Default::default(),
        }
    }

    pub(super) fn counts(&self) -> CoolDownCounts {
        self.counts
    }

    /// Keeps what is known now, for [`recall`](Self::recall).
    pub(super) fn remember(&mut self) {
        self.then = (self.breakers.clone(), self.counts);
    }

    /// Forgets who complained since [`remember`](Self::remember), and where nobody
    /// answers.
    pub(super) fn recall(&mut self) {
        let begun = self.counts.begun;
        (self.breakers, self.counts) = self.then.clone();
        self.counts.begun = begun;
        self.silences.clear();
    }

    /// Goes on with what an earlier process knew of a place.
    pub(super) fn restore(&mut self, key: BucketKey, earlier: Breaker) {
        if self.cool_down.is_some() {
            self.counts.cooling += u64::from(earlier.is_cooling());
            self.breakers.insert(key, earlier);
        }
    }

    /// What this one knows, for a later process; `None` if there is nothing.
    pub(super) fn for_later(&self, key: BucketKey, now: Duration) -> Option<(Option<Duration>, Complaints)> {
        self.breakers.get(&key).map(|breaker| breaker.for_later(now))
    }

    /// Whether anything has to be known of this place.
    pub(super) fn has(&self, key: BucketKey) -> bool {
        if let BucketKey::Endpoint(endpoint) = key {
            return self.silences.has(endpoint);
        }
        !self.breakers.is_empty() && self.breakers.contains_key(&key)
    }

    pub(super) fn passage(&self, key: BucketKey, now: Duration) -> Passage {
        if let BucketKey::Endpoint(endpoint) = key {
            return self.silences.passage(endpoint, now);
        }
        self.breakers.get(&key).map_or(Passage::Open, |breaker| breaker.gate(now))
    }

    /// The limits that hold there now.
    pub(super) fn limits(&self, key: BucketKey, limits: &Limits) -> BucketLimits {
        let own = key.limits(limits);
        match (self.breakers.get(&key), &self.cool_down) {
            (Some(breaker), Some(plan)) => breaker.slowed(own, plan, matches!(key, BucketKey::Ip(_))),
            _ => *own,
        }
    }

    /// Takes the sign of a connection; gives the places that changed by it.
    pub(super) fn ended(&mut self, place: AskedPlace, sign: Sign, now: Duration) -> Vec<(BucketKey, Change)> {
        let mut changes = Vec::new();
        let mut note = |key, change| {
            if change != Change::None {
                changes.push((key, change));
            }
        };
        note(BucketKey::Endpoint(place.endpoint), self.silences.ended(place.endpoint, sign, now));
        let Some(cool_down) = self.cool_down else { return changes };
        let is_complaint = matches!(sign, Sign::Complained | Sign::Dropped);
        if !is_complaint && self.breakers.is_empty() {
            return changes;
        }
        let address = BucketKey::Ip(place.endpoint.ip);
        let of_address = self
            .change(address, is_complaint, |breaker, jitter| breaker.ended(sign, now, &cool_down, jitter));
        note(address, of_address);
        let complains = matches!(of_address, Change::Cools | Change::GivesUp);
        // The single drops of many addresses are nobody's complaint.
        let sign = if is_complaint { Sign::Nothing } else { sign };
        for group in place.groups() {
            let change = self.change(group, complains, |breaker, jitter| match complains {
                true => breaker.address_complained(place.endpoint.ip, now, &cool_down, jitter),
                false => breaker.ended(sign, now, &cool_down, jitter),
            });
            note(group, change);
        }
        changes
    }

    /// Forgets what lies long back.
    pub(super) fn forget(&mut self, now: Duration) {
        self.silences.forget(now);
    }

    /// Has a breaker take something, which is there or is `made` for it.
    fn change(
        &mut self,
        key: BucketKey,
        made: bool,
        takes: impl FnOnce(&mut Breaker, f64) -> Change,
    ) -> Change {
        if !made && !self.breakers.contains_key(&key) {
            return Change::None;
        }
        let jitter = self.random.f64() * JITTER_MAX;
        let breaker = self.breakers.entry(key).or_default();
        let cooled = u64::from(breaker.is_cooling());
        let change = takes(breaker, jitter);
        self.counts.cooling = self.counts.cooling + u64::from(breaker.is_cooling()) - cooled;
        self.counts.begun += u64::from(change == Change::Cools);
        self.counts.given_up += u64::from(change == Change::GivesUp);
        if breaker.is_over() {
            self.breakers.remove(&key);
        }
        change
    }
}
