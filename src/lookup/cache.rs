//! Answers for as long as they may be kept.

use super::vouched::Vouched;
use crate::dns::Question;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest time for which an answer is kept.
const KEPT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest time for which it is kept that there is none (RFC 2308 §5 advises
/// one to three hours).
const DENIAL_KEPT_MAX: Duration = Duration::from_secs(3 * 60 * 60);

/// As many answers as was agreed; those that are used least leave first.
pub(super) struct AnswerCache(Cache<Question, CachedAnswer>);

#[derive(Clone)]
struct CachedAnswer {
    answer: Arc<Vouched>,
    until: Instant,
}

impl AnswerCache {
    /// Room for `entries` answers.
    pub(super) fn new(entries: u64) -> Self {
        Self(Cache::new(usize::try_from(entries).unwrap_or(usize::MAX)))
    }

    /// The answer, if it is known and may still be used.
    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<Arc<Vouched>> {
        let CachedAnswer { answer, until } = self.0.get(question)?;
        (now < until).then_some(answer)
    }

    /// Keeps an answer, if it may be kept at all.
    pub(super) fn insert(&self, question: &Question, answer: &Arc<Vouched>, now: Instant) {
        let most = if answer.records.is_empty() && !answer.goes_on { DENIAL_KEPT_MAX } else { KEPT_MAX };
        let time = Duration::from_secs(answer.ttl.unwrap_or_default().into()).min(most);
        // Whoever asks again may learn who vouches.
        if !time.is_zero() && answer.unvouched.is_none() {
            let cached = CachedAnswer { answer: answer.clone(), until: now + time };
            self.0.insert(question.clone(), cached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Answer, Name, RecordType};
    use crate::model::tlsa::Authenticity;

    fn question() -> Question {
        Question::new(Name::from_ascii("d.example.").unwrap(), RecordType::MX)
    }

    /// Whether an answer of this time to live is there so many seconds later.
    fn is_kept(ttl: Option<u32>, goes_on: bool, seconds: u64) -> bool {
        let answer = Answer {
            is_authentic: false,
            has_edns: true,
            recurses: true,
            is_authoritative: false,
            aliases: Box::default(),
            records: Box::default(),
            exists: true,
            goes_on,
            ttl,
        };
        let answer = Arc::new(Vouched { answer, authenticity: Authenticity::Secure, unvouched: None });
        let (cache, now) = (AnswerCache::new(8), Instant::now());
        cache.insert(&question(), &answer, now);
        cache.get(&question(), now + Duration::from_secs(seconds)).is_some()
    }

    #[test]
    fn answers_are_kept_as_long_as_they_may_be() {
        for (ttl, goes_on, expected) in [
            (None, false, 0),
            (Some(0), false, 0),
            (Some(30), false, 30),
            (Some(u32::MAX), false, 3 * 60 * 60),
            (Some(u32::MAX), true, 24 * 60 * 60),
        ] {
            assert!(!is_kept(ttl, goes_on, expected), "{ttl:?}");
            assert!(expected == 0 || is_kept(ttl, goes_on, expected - 1), "{ttl:?}");
        }
    }
}
