//! How long what waits will take at least: by the rule that `--dry-run` tells, for
//! what is left of a run.

use super::breaker::Passage;
use super::place::BucketKey;
use super::{Pacer, least_time};
use governor::clock::Clock;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// What the slowest of all that waits takes at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct LeastTime {
    /// By pauses and rates alone.
    pub(in crate::engine) by_pace: Duration,
    /// Of those that are left alone: until that is over, and what waits there after it.
    pub(in crate::engine) after_rest: Duration,
}

impl LeastTime {
    fn note(&mut self, rest: Duration, work: Duration) {
        if rest.is_zero() {
            self.by_pace = self.by_pace.max(work);
        } else {
            self.after_rest = self.after_rest.max(rest + work);
        }
    }
}

impl<C: Clock + Clone> Pacer<C> {
    /// The least time for all that waits, if each key takes so many connections, and
    /// each domain that waits elsewhere has so many keys.
    pub(in crate::engine) fn least_time(&self, per_key: f64, per_domain: f64) -> LeastTime {
        let now = self.now();
        let starts = |keys: f64| (keys * per_key).ceil() as u64;
        let mut least = LeastTime::default();
        if let Some(rate) = self.limits.rate {
            let all = starts(self.backlog.all() as f64);
            least.by_pace = Duration::from_secs_f64(all as f64 / f64::from(rate.get()));
        }
        let mut addresses: HashMap<IpAddr, usize> = HashMap::new();
        for (_, class) in self.classes.iter().filter(|(_, class)| !class.keys.is_empty()) {
            *addresses.entry(class.place.endpoint.ip).or_default() += class.keys.len();
        }
        for (ip, keys) in addresses {
            let key = BucketKey::Ip(ip);
            let Some(rest) = self.rest(key, now) else { continue };
            let limits = self.standings.limits(key, &self.limits);
            least.note(rest, least_time(&limits, starts(keys as f64)));
        }
        for (key, waiting) in self.backlog.groups() {
            let starts = starts(waiting.keys as f64 + waiting.aside as f64 * per_domain);
            let Some(rest) = self.rest(key, now).filter(|_| starts > 0) else { continue };
            let limits = self.standings.limits(key, &self.limits);
            let at_each = least_time(&self.limits.per_ip, starts.div_ceil(waiting.addresses.max(1)));
            least.note(rest, least_time(&limits, starts).max(at_each));
        }
        least
    }

    /// Keys that wait, and domains that wait elsewhere.
    pub(in crate::engine) fn queued(&self) -> u64 {
        self.backlog.all()
    }

    /// How long a bucket is left alone from now on; `None`: for good.
    fn rest(&self, key: BucketKey, now: Duration) -> Option<Duration> {
        match self.standings.passage(key, now) {
            Passage::Open | Passage::Trial => Some(Duration::ZERO),
            Passage::ShutUntil(due) => Some(due.saturating_sub(now)),
            Passage::GivenUp => None,
        }
    }
}
