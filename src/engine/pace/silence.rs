//! Endpoints where nobody has answered so far. What lies before the name is the
//! same for every name there, so a bounded number of looks is enough for all.

use super::breaker::{Change, Passage};
use super::sign::Sign;
use crate::interrogate::RetryPlan;
use crate::model::Endpoint;
use std::collections::HashMap;
use std::time::Duration;

/// Looks at an endpoint that are needed in any case before what they found is told
/// of names that were not asked.
const LOOKS_MIN: u32 = 2;

/// So long what was found counts for names that come later; then one more look is
/// made.
const FOUND_FOR: Duration = Duration::from_secs(30 * 60);

/// An endpoint where nobody has answered. Moments are counted from the start of
/// the run.
#[derive(Debug, Default)]
struct Silence {
    looks: u32,
    /// Before this moment nobody looks.
    until: Duration,
}

/// All of them: as many as the run meets within half an hour.
#[derive(Debug)]
pub(super) struct Silences {
    retry: RetryPlan,
    looks_max: u32,
    silent: HashMap<Endpoint, Silence>,
}

impl Silences {
    /// As many looks as a name has by this plan.
    pub(super) fn new(retry: RetryPlan) -> Self {
        let looks_max = retry.retries.saturating_add(1).max(LOOKS_MIN);
        Self { retry, looks_max, silent: HashMap::new() }
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.silent.clear();
    }

    pub(super) fn has(&self, endpoint: Endpoint) -> bool {
        !self.silent.is_empty() && self.silent.contains_key(&endpoint)
    }

    /// Whether a connection may begin: after the first look that met nobody there is
    /// one at a time.
    pub(super) fn passage(&self, endpoint: Endpoint, now: Duration) -> Passage {
        match self.silent.get(&endpoint) {
            None => Passage::Open,
            Some(Silence { until, .. }) if *until <= now => Passage::Trial,
            Some(Silence { looks, .. }) if *looks >= self.looks_max => Passage::GivenUp,
            Some(Silence { until, .. }) => Passage::ShutUntil(*until),
        }
    }

    /// Takes the sign of a connection.
    pub(super) fn ended(&mut self, endpoint: Endpoint, sign: Sign, now: Duration) -> Change {
        match sign {
            Sign::Nothing => Change::None,
            Sign::Served | Sign::Complained | Sign::Dropped => match self.silent.remove(&endpoint) {
                Some(_) => Change::Recovers,
                None => Change::None,
            },
            Sign::Refused | Sign::Silent => self.met_nobody(endpoint, now),
        }
    }

    fn met_nobody(&mut self, endpoint: Endpoint, now: Duration) -> Change {
        let silence = self.silent.entry(endpoint).or_default();
        // It began before the first look had met nobody: it is no look of its own.
        if now < silence.until {
            return Change::None;
        }
        silence.looks = silence.looks.saturating_add(1).min(self.looks_max);
        if silence.looks == self.looks_max {
            silence.until = now + FOUND_FOR;
            return Change::GivesUp;
        }
        // A server may be about to start: others are looked for later, as a name by
        // itself is asked again.
        let pause =
            if self.retry.retries > 0 { self.retry.pause_before(silence.looks) } else { Duration::ZERO };
        silence.until = now + pause;
        Change::None
    }

    /// Forgets those that were silent long ago.
    pub(super) fn forget(&mut self, now: Duration) {
        self.silent.retain(|_, silence| silence.until + FOUND_FOR > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn silences(retries: u32) -> Silences {
        Silences::new(RetryPlan { retries, retry_delay: 30 * SECOND, second_look_delay: SECOND })
    }

    fn endpoint(port: u16) -> Endpoint {
        Endpoint { ip: [192, 0, 2, 1].into(), port }
    }

    #[test]
    fn an_endpoint_is_looked_at_as_often_as_a_name_and_then_again_after_half_an_hour() {
        let mut silences = silences(2);
        let (at, mut now) = (endpoint(25), Duration::ZERO);
        for pause in [30, 60] {
            assert_eq!(silences.ended(at, Sign::Silent, now), Change::None);
            assert_eq!(silences.passage(at, now), Passage::ShutUntil(now + pause * SECOND));
            assert_eq!(silences.ended(at, Sign::Silent, now + SECOND), Change::None, "begun before");
            now += pause * SECOND;
            assert_eq!(silences.passage(at, now), Passage::Trial);
        }
        assert_eq!(silences.ended(at, Sign::Silent, now), Change::GivesUp);
        assert_eq!(silences.passage(at, now + FOUND_FOR - SECOND), Passage::GivenUp);
        assert_eq!(silences.passage(endpoint(26), now), Passage::Open, "another service");
        now += FOUND_FOR;
        assert_eq!(silences.passage(at, now), Passage::Trial);
        assert_eq!(silences.ended(at, Sign::Silent, now), Change::GivesUp);
        silences.forget(now + 2 * FOUND_FOR);
        assert!(!silences.has(at));
    }

    #[test]
    fn whoever_answers_is_not_silent() {
        let mut silences = silences(2);
        for sign in [Sign::Served, Sign::Complained, Sign::Dropped] {
            silences.ended(endpoint(25), Sign::Silent, SECOND);
            assert_eq!(silences.ended(endpoint(25), Sign::Nothing, SECOND), Change::None);
            assert_eq!(silences.ended(endpoint(25), sign, SECOND), Change::Recovers);
            assert_eq!(silences.passage(endpoint(25), SECOND), Passage::Open);
        }
    }

    #[test]
    fn two_looks_there_are_in_any_case() {
        let mut silences = silences(0);
        for sign in [Sign::Refused, Sign::Silent] {
            let at = endpoint(if sign == Sign::Silent { 25 } else { 26 });
            assert_eq!(silences.ended(at, sign, SECOND), Change::None);
            assert_eq!(silences.passage(at, SECOND), Passage::Trial);
            assert_eq!(silences.ended(at, sign, SECOND), Change::GivesUp);
        }
    }
}
