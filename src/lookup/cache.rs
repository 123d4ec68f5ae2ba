//! Answers for as long as they may be kept.

use super::vouched::Vouched;
use crate::dns::{Name, Question, RData};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest time for which an answer is kept.
const KEPT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest time for which it is kept that there is none (RFC 2308 §5 advises
/// one to three hours).
const DENIAL_KEPT_MAX: Duration = Duration::from_secs(3 * 60 * 60);

/// Most octets of memory that the answers take which are kept, all together.
const OCTETS_MAX: u64 = 256 * 1024 * 1024;

/// As many answers as was agreed, and no more than fit into so many octets; those
/// that are used least leave first.
pub(super) struct AnswerCache {
    answers: Cache<Question, CachedAnswer, ByOctets>,
    times_forgotten: AtomicU32,
}

#[derive(Clone)]
struct CachedAnswer {
    answer: Arc<Vouched>,
    until: Instant,
    /// About what it takes of memory.
    octets: u64,
}

/// Weighs an answer by its octets. One that has few weighs as much as leaves room
/// for the agreed number.
#[derive(Clone)]
struct ByOctets {
    least: u64,
}

impl Weighter<Question, CachedAnswer> for ByOctets {
    fn weight(&self, _: &Question, cached: &CachedAnswer) -> u64 {
        cached.octets.max(self.least)
    }
}

impl AnswerCache {
    /// Room for `entries` answers.
    pub(super) fn new(entries: u64) -> Self {
        Self::with_room(entries, OCTETS_MAX)
    }

    fn with_room(entries: u64, octets: u64) -> Self {
        let least = octets.checked_div(entries).unwrap_or(u64::MAX);
        let expected = usize::try_from(entries).unwrap_or(usize::MAX);
        let answers = Cache::with_weighter(expected, octets, ByOctets { least });
        Self { answers, times_forgotten: AtomicU32::new(0) }
    }

    /// The answer, if it is known and may still be used.
    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<Arc<Vouched>> {
        let CachedAnswer { answer, until, .. } = self.answers.get(question)?;
        (now < until).then_some(answer)
    }

    /// Forgets all of them.
    pub(super) fn forget(&self) {
        // First the count: whoever keeps an answer meanwhile sees it afterwards.
        self.times_forgotten.fetch_add(1, Ordering::SeqCst);
        self.answers.clear();
    }

    /// How often all were forgotten.
    pub(super) fn times_forgotten(&self) -> u32 {
        self.times_forgotten.load(Ordering::SeqCst)
    }

    /// Forgets one.
    pub(super) fn remove(&self, question: &Question) {
        self.answers.remove(question);
    }

    /// Keeps an answer, if it may be kept at all.
    pub(super) fn insert(&self, question: &Question, answer: &Arc<Vouched>, now: Instant) {
        let most = if answer.records.is_empty() && !answer.goes_on { DENIAL_KEPT_MAX } else { KEPT_MAX };
        let time = Duration::from_secs(answer.ttl.unwrap_or_default().into()).min(most);
        // Whoever asks again may learn who vouches.
        if !time.is_zero() && answer.unvouched.is_none() {
            let octets = octets(question, answer);
            let cached = CachedAnswer { answer: answer.clone(), until: now + time, octets };
            self.answers.insert(question.clone(), cached);
        }
    }
}

/// About what an answer takes of memory with its question.
fn octets(question: &Question, answer: &Vouched) -> u64 {
    let names = std::iter::once(&question.name).chain(&answer.aliases);
    let names: usize = names.map(|name| size_of::<Name>() + name.len()).sum();
    let records: usize = answer.records.iter().map(|record| size_of::<RData>() + beside(record)).sum();
    (size_of::<Vouched>() + names + records) as u64
}

/// What a record takes beside its own place.
fn beside(record: &RData) -> usize {
    match record {
        RData::A(_) | RData::AAAA(_) => 0,
        RData::TXT(txt) => txt.txt_data.iter().map(|text| size_of_val(text) + text.len()).sum(),
        RData::MX(mx) => mx.exchange.len(),
        RData::TLSA(tlsa) => tlsa.cert_data.len(),
        RData::Unknown { rdata, .. } => rdata.anything.len(),
        // Of other types nothing is asked for; their text is longer than they are.
        other => other.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Answer, Name, RecordType};
    use crate::model::tlsa::Authenticity;
    use hickory_proto::rr::rdata::TXT;

    fn question() -> Question {
        Question::new(Name::from_ascii("d.example.").unwrap(), RecordType::MX)
    }

    fn answer(ttl: Option<u32>, goes_on: bool, records: Box<[RData]>) -> Arc<Vouched> {
        let answer = Answer {
            is_authentic: false,
            has_edns: true,
            recurses: true,
            is_authoritative: false,
            aliases: Box::default(),
            records,
            exists: true,
            goes_on,
            ttl,
        };
        Arc::new(Vouched { answer, authenticity: Authenticity::Secure, unvouched: None })
    }

    /// Whether an answer of this time to live is there so many seconds later.
    fn is_kept(ttl: Option<u32>, goes_on: bool, seconds: u64) -> bool {
        let answer = answer(ttl, goes_on, Box::default());
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

    /// How many answers of these records are kept of many that come.
    fn kept(entries: u64, octets: u64, records: &[RData]) -> usize {
        let (cache, now) = (AnswerCache::with_room(entries, octets), Instant::now());
        let name = |n: usize| Name::from_ascii(format!("d{n}.example.")).unwrap();
        let questions: Vec<_> = (0..400).map(|n| Question::new(name(n), RecordType::TXT)).collect();
        for question in &questions {
            cache.insert(question, &answer(Some(60), false, records.into()), now);
        }
        questions.iter().filter(|question| cache.get(question, now).is_some()).count()
    }

    #[test]
    fn answers_are_bounded_by_number_and_by_octets() {
        let txt = |len: usize| RData::TXT(TXT::from_bytes(vec![&[b'x'; 250]; len / 250]));
        let big = txt(60_000);
        let many = kept(256, 1 << 20, &[]);
        assert!((128..=264).contains(&many), "{many} of 256");
        let few = kept(256, 1 << 20, &[big]);
        assert!((8..=17).contains(&few), "{few} of 60 kB in 1 MiB");
        assert_eq!(kept(0, 1 << 20, &[]), 0);
    }
}
