//! Which targets are looked up, and which are looked up again later.
//!
//! A question to which the DNS gave no answer, or a policy host no policy, in a way
//! that may pass, is asked again as an endpoint is. What was answered meanwhile is
//! still known, so that only what is open is asked.

use crate::interrogate::RetryPlan;
use crate::model::mta_sts::StsFetch;
use crate::model::{DomainFacts, Target};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Targets that may wait to be looked up again. Each takes some kilobytes at
/// most; beyond it they are told as they are.
const WAITING_MAX: usize = 65_536;

/// Lookups that wait for nothing but a policy host, beyond those that may be
/// under way. Each takes some kilobytes; beyond it the reading of targets waits.
const ASIDE_MAX: usize = 4096;

/// Most octets of what a policy host gave that are kept while its target waits to
/// be looked up again.
const FETCH_OCTETS_MAX: usize = 16 * 1024;

/// A target, and which look at it comes next, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PendingLookup {
    pub(super) target: Target,
    pub(super) number: u32,
    /// What its policy host gave at the looks before: better is not replaced by
    /// worse.
    pub(super) fetched: Option<Arc<StsFetch>>,
}

impl PendingLookup {
    /// The first look.
    pub(super) fn first(target: Target) -> Self {
        Self { target, number: 1, fetched: None }
    }
}

/// What to do with what a lookup brought.
#[derive(Debug, PartialEq)]
pub(super) enum Looked {
    /// It is what there is to know.
    Known(DomainFacts),
    /// Look again after this pause.
    Again(PendingLookup, Duration),
}

/// The lookups of a run.
#[derive(Debug)]
pub(super) struct Lookups {
    under_way_max: usize,
    retry: RetryPlan,
    under_way: usize,
    /// Those of them that wait for nothing but a policy host.
    aside: usize,
    /// Those that pause.
    waiting: usize,
    /// Those whose pause is over.
    due: VecDeque<PendingLookup>,
}

impl Lookups {
    /// At most `under_way_max` at a time.
    pub(super) fn new(under_way_max: usize, retry: RetryPlan) -> Self {
        Self { under_way_max, retry, under_way: 0, aside: 0, waiting: 0, due: VecDeque::new() }
    }

    /// Whether another may begin.
    pub(super) fn has_room(&self) -> bool {
        self.busy() + self.due.len() < self.under_way_max
    }

    /// How many are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether none is under way, and none is to come.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0 && self.waiting == 0 && self.due.is_empty()
    }

    /// How many are under way that do not wait for a policy host alone.
    pub(super) fn busy(&self) -> usize {
        self.under_way.saturating_sub(self.aside.min(ASIDE_MAX))
    }

    /// So many of them wait for nothing but a policy host.
    pub(super) fn set_aside(&mut self, aside: usize) {
        self.aside = aside;
    }

    /// One begins.
    pub(super) fn begun(&mut self) {
        self.under_way += 1;
    }

    /// The look `number` at a target has ended.
    pub(super) fn ended(&mut self, facts: DomainFacts, number: u32) -> Looked {
        self.under_way -= 1;
        let is_last = number > self.retry.retries || self.waiting >= WAITING_MAX;
        if is_last || !facts.may_be_known_later() {
            return Looked::Known(facts);
        }
        self.waiting += 1;
        let fetched = facts.policy_fetch().filter(|fetch| fetch.octets() <= FETCH_OCTETS_MAX).cloned();
        let look = PendingLookup { target: facts.target, number: number.saturating_add(1), fetched };
        Looked::Again(look, self.retry.pause_before(number))
    }

    /// The pause before a look is over.
    pub(super) fn is_due(&mut self, look: PendingLookup) {
        self.waiting -= 1;
        self.due.push_back(look);
    }

    /// The next that is due, if it may begin.
    pub(super) fn next_due(&mut self) -> Option<PendingLookup> {
        if self.busy() < self.under_way_max { self.due.pop_front() } else { None }
    }

    /// None begins any more.
    pub(super) fn stop(&mut self) {
        self.due.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mta_sts::{Published, StsFacts, StsFetchFailure, StsRecord};
    use crate::model::{DomainName, Failure, Kind, MxHost, Phase, Subject};

    fn plan(retries: u32) -> RetryPlan {
        let retry_delay = Duration::from_secs(30);
        RetryPlan { retries, retry_delay, second_look_delay: Duration::ZERO }
    }

    fn failed(kind: Kind) -> DomainFacts {
        let subject = Subject::Domain(DomainName::parse("d.example").unwrap());
        DomainFacts::failed(Target { line: 1, subject }, Failure::new(Phase::Dns, kind))
    }

    #[test]
    fn what_may_pass_is_looked_up_as_often_as_was_agreed() {
        let mut lookups = Lookups::new(1, plan(2));
        let mut pauses = Vec::new();
        lookups.begun();
        let mut number = 1;
        while let Looked::Again(look, pause) = lookups.ended(failed(Kind::Servfail), number) {
            pauses.push(pause.as_secs());
            lookups.is_due(look.clone());
            assert!(!lookups.has_room(), "it goes before what is new");
            assert_eq!(lookups.next_due(), Some(look.clone()));
            lookups.begun();
            number = look.number;
        }
        assert_eq!((pauses, number), (vec![30, 60], 3));
        assert!(lookups.has_room());
    }

    #[test]
    fn who_waits_for_a_policy_host_alone_holds_no_place() {
        let mut lookups = Lookups::new(1, plan(2));
        lookups.begun();
        assert!(!lookups.has_room());
        lookups.set_aside(1);
        assert!(lookups.has_room());
        for _ in 0..=ASIDE_MAX {
            lookups.begun();
        }
        lookups.set_aside(ASIDE_MAX + 2);
        assert!(!lookups.has_room(), "there is a limit to it");
    }

    /// A domain with a policy, whose host gave this.
    fn fetched(failure: Option<StsFetchFailure>, octets: usize) -> DomainFacts {
        let record = Published::Record(StsRecord { id: "1".into() });
        let fetch = StsFetch { failure, chain: vec![vec![0; octets].into()], ..StsFetch::default() };
        let target = failed(Kind::NoData).target;
        let mut facts = DomainFacts::whole(target, Vec::new());
        facts.mta_sts =
            Some(StsFacts { domain: MxHost::new("d.example"), record, fetch: Some(Arc::new(fetch)) });
        facts
    }

    #[test]
    fn a_policy_that_may_be_had_later_is_asked_for_again_and_what_is_known_stays() {
        let late = || Failure::new(Phase::Connect, Kind::LocalError);
        let silent = || Some(StsFetchFailure::Timeout(60));
        let unfinished = || Some(StsFetchFailure::Unfinished(late()));
        let status = |code| Some(StsFetchFailure::Status(code));
        for final_one in [status(404), Some(StsFetchFailure::Tls("so".into())), None] {
            let mut lookups = Lookups::new(1, plan(2));
            lookups.begun();
            assert!(matches!(lookups.ended(fetched(final_one, 1), 1), Looked::Known(_)));
        }
        for (first, second, octets, told) in [
            (silent(), unfinished(), 1, silent()),
            (silent(), status(503), 1, status(503)),
            (silent(), status(404), 1, status(404)),
            (status(429), None, 1, None),
            (unfinished(), silent(), 1, silent()),
            // More than is kept for one that waits.
            (silent(), unfinished(), FETCH_OCTETS_MAX + 1, unfinished()),
        ] {
            let mut lookups = Lookups::new(1, plan(1));
            lookups.begun();
            let Looked::Again(look, _) = lookups.ended(fetched(first, octets), 1) else { panic!("known") };
            let facts = fetched(second, 1).with_earlier_fetch(look.fetched);
            lookups.begun();
            let Looked::Known(facts) = lookups.ended(facts, look.number) else { panic!("again") };
            assert_eq!(facts.policy_fetch().unwrap().failure, told);
        }
    }

    #[test]
    fn answers_are_not_asked_for_again() {
        for kind in [Kind::Nxdomain, Kind::NoData, Kind::NullMx, Kind::Malformed] {
            let mut lookups = Lookups::new(1, plan(2));
            lookups.begun();
            assert_eq!(lookups.ended(failed(kind), 1), Looked::Known(failed(kind)));
        }
    }
}
