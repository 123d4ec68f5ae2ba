//! All resolvers that there are: some of them asked one question, attempt after
//! attempt, until one answers.

use super::candidate::Candidate;
use super::nameserver::Nameserver;
use super::sending::Sending;
use super::trouble::{Strays, Trouble};
use super::vouched::Vouched;
use crate::dns::Question;
use std::time::Duration;
use tokio::time::Instant;

/// Who is asked, and for how long.
pub(super) struct Nameservers {
    /// Each of them, the best first.
    pub(super) all: Vec<Nameserver>,
    /// Time of an attempt.
    pub(super) timeout: Duration,
    /// Attempts at one question, from 1.
    pub(super) attempts: usize,
}

impl Nameservers {
    /// Whether there is one whose AD is believed.
    pub(super) fn one_is_believed(&self) -> bool {
        self.all.iter().any(Nameserver::is_believed)
    }

    /// Those that are believed before the others, and those that fail behind.
    pub(super) fn candidates(&self) -> Vec<Candidate<'_>> {
        let mut candidates: Vec<_> = self.all.iter().map(Candidate::new).collect();
        if candidates.len() > 1 {
            let now = Instant::now().into_std();
            candidates.sort_by_cached_key(|Candidate { nameserver, .. }| {
                (!nameserver.is_believed(), nameserver.health.stands_aside(now))
            });
        }
        candidates
    }

    /// Asks one of them until it answers, so many times.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) async fn ask_one(
        &self,
        question: &Question,
        nameserver: &Nameserver,
        attempts: usize,
    ) -> Result<Vouched, Trouble> {
        self.ask_among(question, vec![Candidate::new(nameserver)], attempts).await.0
    }

    /// Asks these until one answers, or each was asked so many times; beside that,
    /// those that are believed and refuse.
    pub(super) async fn ask_among<'a>(
        &'a self,
        question: &Question,
        mut candidates: Vec<Candidate<'a>>,
        attempts: usize,
    ) -> (Result<Vouched, Trouble>, Vec<&'a Nameserver>) {
        let strays = Strays::default();
        let (mut told, mut told_by_believed, mut refused) = (None, None, Vec::new());
        let mut left = attempts;
        while left > 0 && !candidates.is_empty() {
            left -= 1;
            let mut sending = Sending {
                nameservers: &self.all,
                timeout: self.timeout,
                question,
                strays: &strays,
                told: &mut told,
                told_by_believed: &mut told_by_believed,
                refused: &mut refused,
            };
            if let Some(answer) = sending.run(&mut candidates).await {
                return (Ok(answer), refused);
            }
            candidates.retain(|candidate| !candidate.is_out);
            candidates.sort_by_key(|candidate| candidate.failures);
            if left == 0 && candidates.iter().any(|candidate| candidate.owes_plain) {
                left = 1;
                candidates.retain(|candidate| candidate.owes_plain);
            }
        }
        (Err(told.unwrap_or_else(|| Trouble::silence(strays.told()))), refused)
    }
}
