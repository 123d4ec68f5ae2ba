//! One question to several resolvers: whoever answers first is believed, and
//! nobody's failure is the end of it while another can be asked.
//!
//! ```text
//! attempt ─┬─ the best ──► answer
//!          ├─ it fails, or is silent for a while ──► the next, and so on
//!          └─ the answer is truncated ──► the same over TCP
//! ```
//!
//! Those whose AD is believed are asked before the others, and for TLSA they alone.
//! Where one of them refuses (SERVFAIL), no answer without AD counts in its place
//! before it was asked again without validating (CD), and then once more as at
//! first: if it answers the one and refuses the other, what stands there is bogus.
//! Otherwise that it refused leaves open who vouches. An answer of a resolver that
//! is not believed serves where those that are fail, and says no more than what it
//! says: who vouches is not known then, for their failure.

use super::believed::{AskedResolver, TrustedAd};
use super::nameserver::Nameserver;
use super::nameservers::Nameservers;
use super::trouble::Trouble;
use super::validation::{Validation, look_again};
use super::vouched::Vouched;
use crate::dns::{Question, RecordType};
use crate::model::tlsa::Authenticity;
use std::net::SocketAddr;
use std::time::Duration;

/// Who is asked, and who of them is believed.
pub(super) struct Resolvers {
    nameservers: Nameservers,
    validation: Validation,
}

impl Resolvers {
    /// Those at `addresses`, the best first. `timeout` is the time of an
    /// attempt; `attempts` count from 1.
    pub(super) fn new(
        addresses: &[SocketAddr],
        timeout: Duration,
        attempts: usize,
        questions_max: usize,
        (trusted, checked_after): (&[TrustedAd], Duration),
    ) -> Self {
        let nameserver = |&address| Nameserver::new(address, questions_max, trusted);
        let all = addresses.iter().map(nameserver).collect();
        let nameservers = Nameservers { all, timeout, attempts: attempts.max(1) };
        Self { nameservers, validation: Validation::new(checked_after) }
    }

    /// Looks, the first time, which of those that may be believed validate.
    pub(super) async fn look_who_validates(&self) {
        self.validation.look_once(&self.nameservers).await;
    }

    /// Waits until somebody has looked, which the first question has done.
    pub(super) async fn looked_at(&self) {
        self.validation.looked_at().await;
    }

    /// As [`Validation::look_again_in_time`].
    pub(super) async fn look_again_in_time(&self) -> bool {
        self.validation.look_again_in_time(&self.nameservers).await
    }

    /// As [`look_again`].
    pub(super) async fn look_again(&self) -> bool {
        look_again(&self.nameservers).await
    }

    /// Each of them, and whether its AD is believed.
    pub(super) fn told(&self) -> Vec<AskedResolver> {
        self.nameservers.all.iter().map(Nameserver::told).collect()
    }

    /// Asks until somebody answers, or everybody was asked as often as was
    /// agreed.
    ///
    /// # Errors
    /// What tells most of why there is no answer.
    pub(super) async fn ask(&self, question: &Question) -> Result<Vouched, Trouble> {
        let nameservers = &self.nameservers;
        let mut candidates = nameservers.candidates();
        if question.record_type == RecordType::TLSA && nameservers.one_is_believed() {
            candidates.retain(|candidate| candidate.nameserver.is_believed());
        }
        let (told, refused) = nameservers.ask_among(question, candidates, nameservers.attempts).await;
        if refused.is_empty() || told.as_ref().is_ok_and(is_secure) {
            return told;
        }
        // On the heap: this is rare, and would make every question larger.
        Box::pin(self.weigh(question, told, refused)).await
    }

    /// What an answer without AD, or none, comes to where these have refused.
    async fn weigh(
        &self,
        question: &Question,
        mut told: Result<Vouched, Trouble>,
        refused: Vec<&Nameserver>,
    ) -> Result<Vouched, Trouble> {
        let unchecked = Question { checking_disabled: true, ..question.clone() };
        let mut open = None;
        for nameserver in refused {
            let once = |question| self.nameservers.ask_one(question, nameserver, 1);
            if once(&unchecked).await.is_err() {
                open = Some(Trouble::servfail());
                continue;
            }
            match once(question).await {
                Ok(answer) if is_secure(&answer) => return Ok(answer),
                Ok(answer) => told = Ok(answer),
                Err(trouble) if trouble.is_servfail() => return Err(Trouble::Bogus),
                Err(trouble) => open = Some(trouble),
            }
        }
        match open {
            Some(trouble) => told.map(|answer| answer.unvouched(trouble.failure())),
            None => told,
        }
    }
}

fn is_secure(told: &Vouched) -> bool {
    told.authenticity == Authenticity::Secure
}
