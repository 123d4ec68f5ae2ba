//! Single questions: answered from the cache or by a resolver, equal ones that
//! are under way asked once, never more at a time than was agreed.

use super::cache::AnswerCache;
use super::config::{LookupConfig, LookupError};
use super::resolvers::Resolvers;
use super::told::ToldQuestions;
use super::trouble::Trouble;
use super::vigil::Vigil;
use super::vouched::{NoRecords, Vouched};
use crate::dns::{Name, Question, RecordType};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{OnceCell, Semaphore};
use tracing::debug;

/// Times a question is asked again that found the resolvers away.
const ASKED_AGAIN_MAX: u32 = 3;

/// A question under way: what it comes to, for all who asked it.
type SharedAnswer = OnceCell<Result<Arc<Vouched>, NoRecords>>;

/// Asks recursive resolvers one question each.
pub(super) struct Questions {
    resolvers: Resolvers,
    /// Whether anybody wants to know who vouches for answers.
    validated: bool,
    cache: AnswerCache,
    under_way: Mutex<HashMap<Question, Arc<SharedAnswer>>>,
    permits: Semaphore,
    pub(super) vigil: Vigil,
    pub(super) told: ToldQuestions,
}

impl Questions {
    /// Sets the resolvers up; nothing is sent yet.
    ///
    /// # Errors
    /// [`LookupError`] if the system names no nameserver and the configuration
    /// neither.
    pub(super) fn new(config: &LookupConfig) -> Result<Self, LookupError> {
        let questions_max = config.queries_in_flight.clamp(1, Semaphore::MAX_PERMITS);
        let nameservers = config.nameservers()?;
        Ok(Self {
            resolvers: Resolvers::new(
                &nameservers,
                config.timeout,
                config.attempts,
                questions_max,
                (&config.trusted_ad, config.validation_checked_after),
            ),
            validated: config.dane,
            cache: AnswerCache::new(config.cache_entries),
            under_way: Mutex::default(),
            permits: Semaphore::new(questions_max),
            vigil: Vigil::default(),
            told: ToldQuestions::default(),
        })
    }

    /// The answer: records of the type that was asked for, aliases that lead from
    /// the name, or that there is nothing.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn ask(&self, name: &Name, record_type: RecordType) -> Result<Arc<Vouched>, NoRecords> {
        let question = Question::new(name.clone(), record_type);
        let joined = {
            let mut under_way = self.under_way();
            // Whoever ends a question keeps its answer before it is no longer under
            // way.
            if let Some(known) = self.cache.get(&question, Instant::now()) {
                return Ok(known);
            }
            let told = under_way.entry(question.clone()).or_default().clone();
            Joined { questions: self, question: &question, told }
        };
        joined.told.get_or_init(|| self.answer(&question)).await.clone()
    }

    async fn answer(&self, question: &Question) -> Result<Arc<Vouched>, NoRecords> {
        // The semaphore is never closed; without a permit the query would
        // only be unbounded, not wrong.
        let _permit = self.permits.acquire().await.ok();
        let Question { name, record_type, .. } = question;
        debug!(%name, %record_type, "question");
        let asked = Instant::now();
        let times_forgotten = self.cache.times_forgotten();
        let told = self.resolve(question).await;
        let us = asked.elapsed().as_micros();
        match &told {
            Ok(answer) => debug!(%name, %record_type, records = answer.records.len(), us, "answer"),
            Err(trouble) => debug!(%name, %record_type, failure = %trouble.failure(), us, "answer"),
        }
        let told = told.map_err(|trouble| NoRecords {
            failure: trouble.failure(),
            authenticity: trouble.authenticity(),
            unvouched: None,
        });
        self.told.add(question, self.validated, told.as_ref());
        let answer = told.map(Arc::new)?;
        self.cache.insert(question, &answer, Instant::now());
        if self.cache.times_forgotten() != times_forgotten {
            // Who gave it may have been believed until then.
            self.cache.remove(question);
        }
        Ok(answer)
    }

    /// A question without a reply, while nobody replied to anything, is asked again
    /// once somebody does.
    async fn resolve(&self, question: &Question) -> Result<Vouched, Trouble> {
        self.begin().await?;
        let mut left = ASKED_AGAIN_MAX;
        loop {
            let told = self.resolvers.ask(question).await;
            let is_reply = told.as_ref().err().is_none_or(Trouble::is_reply);
            if is_reply || left == 0 || !self.vigil.outlasts(&self.resolvers).await {
                return told;
            }
            left -= 1;
        }
    }

    /// Lets questions go once a resolver has replied, and it is known whose AD is
    /// believed, if anybody wants to know.
    ///
    /// # Errors
    /// Why no resolver has replied.
    pub(super) async fn begin(&self) -> Result<(), Trouble> {
        self.vigil.admit(&self.resolvers).await?;
        if self.validated {
            // On the heap: once a run, and it would make every question larger.
            Box::pin(self.resolvers.look_who_validates()).await;
            if self.resolvers.look_again_in_time().await {
                self.cache.forget();
            }
        }
        Ok(())
    }

    /// Looks once more whether those that are believed validate.
    pub(super) async fn look_again(&self) {
        if self.resolvers.look_again().await {
            self.cache.forget();
        }
    }

    /// Who is asked, and whose AD is believed.
    pub(super) fn resolvers(&self) -> &Resolvers {
        &self.resolvers
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Question, Arc<SharedAnswer>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for a question. Whoever leaves with the answer forgets it, and
/// so does the last where all have given up.
struct Joined<'a> {
    questions: &'a Questions,
    question: &'a Question,
    told: Arc<SharedAnswer>,
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let mut under_way = self.questions.under_way();
        let is_ours = under_way.get(self.question).is_some_and(|told| Arc::ptr_eq(told, &self.told));
        // The map and this one.
        let is_last = Arc::strong_count(&self.told) <= 2;
        if is_ours && (is_last || self.told.initialized()) {
            under_way.remove(self.question);
        }
    }
}
