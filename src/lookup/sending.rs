//! One attempt at a question: everybody is sent it once, one after the other while
//! nobody answers, and the silent ones again; and what each reply is worth.

use super::candidate::{Candidate, blame_the_silent, next};
use super::nameserver::Nameserver;
use super::trouble::{Strays, Trouble};
use super::vouched::Vouched;
use crate::dns::{Answer, Question, Reading};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::ptr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Times a question is sent within one attempt, at least: to each resolver
/// once, and again to those that are silent.
const SENDS_MIN: usize = 3;

/// How long one that was sent is left alone with whoever was asked, at least,
/// before it is sent again.
const SENT_AGAIN_AFTER_MIN: Duration = Duration::from_millis(333);

/// Everybody asked once, for the time of one attempt.
pub(super) struct Sending<'s, 'r> {
    /// All of them, whoever is asked.
    pub(super) nameservers: &'r [Nameserver],
    /// How long each has.
    pub(super) timeout: Duration,
    pub(super) question: &'s Question,
    pub(super) strays: &'s Strays,
    /// What tells most so far.
    pub(super) told: &'s mut Option<Trouble>,
    /// The same of those that are believed.
    pub(super) told_by_believed: &'s mut Option<Trouble>,
    /// Those that are believed and refuse.
    pub(super) refused: &'s mut Vec<&'r Nameserver>,
}

impl<'r> Sending<'_, 'r> {
    /// The answer, if there is one.
    pub(super) async fn run(&mut self, candidates: &mut [Candidate<'r>]) -> Option<Vouched> {
        for candidate in &mut *candidates {
            (candidate.failed, candidate.sent) = (false, false);
        }
        let timeout = self.timeout;
        let sends_max = SENDS_MIN.max(candidates.len());
        let pause = (timeout / u32::try_from(sends_max).unwrap_or(u32::MAX)).max(SENT_AGAIN_AFTER_MIN);
        let (mut sends, mut due) = (0, Instant::now());
        let mut deadline = due + timeout;
        let mut open = FuturesUnordered::new();
        loop {
            if sends < sends_max
                && Instant::now() >= due
                && let Some(place) = next(candidates, &mut sends, sends_max)
                && let Some(Candidate { nameserver, edns, sent, .. }) = candidates.get_mut(place)
            {
                if !*sent {
                    // Each has the whole time, whenever its turn comes.
                    deadline = Instant::now() + timeout;
                }
                *sent = true;
                let asking = nameserver.udp.ask(self.question, *edns, self.strays);
                open.push(async move { (place, asking.await) });
                due = Instant::now() + pause;
            }
            if open.is_empty() {
                return None;
            }
            let wake = if sends < sends_max { due.min(deadline) } else { deadline };
            tokio::select! {
                biased;
                Some((place, reply)) = open.next() => {
                    let candidate = candidates.get_mut(place)?;
                    let reply = match reply {
                        Ok(Reading::Truncated) => {
                            open.clear();
                            let tcp = &candidate.nameserver.tcp;
                            let reply = tcp.ask(self.question, candidate.edns, timeout).await;
                            deadline = Instant::now() + timeout;
                            reply
                        }
                        reply => reply,
                    };
                    match self.settle(candidate, reply) {
                        Some(answer) => {
                            blame_the_silent(candidates, place);
                            return Some(answer);
                        }
                        None if candidates.iter().any(|it| !it.sent) => due = Instant::now(),
                        None => {}
                    }
                }
                () = sleep_until(wake) => if Instant::now() >= deadline {
                    self.give_up(candidates);
                    return None;
                }
            }
        }
    }

    /// What a reply is worth; `None` if it is no answer.
    fn settle(&mut self, candidate: &mut Candidate<'r>, reply: Result<Reading, Trouble>) -> Option<Vouched> {
        let nameserver = candidate.nameserver;
        let trouble = match reply {
            Ok(Reading::Answer(answer)) => {
                nameserver.health.answered();
                return Some(self.vouch(nameserver, answer));
            }
            Ok(Reading::NoAnswer(none)) => Trouble::NoAnswer(none),
            Ok(Reading::Truncated) => Trouble::Truncated,
            Err(trouble) => trouble,
        };
        let refuses = nameserver.is_believed() && trouble.is_servfail();
        if refuses && !self.refused.iter().any(|known| ptr::eq(*known, nameserver)) {
            self.refused.push(nameserver);
        }
        candidate.fail(&trouble);
        if nameserver.is_believed() {
            tell_most(self.told_by_believed, &trouble);
        }
        tell_most(self.told, &trouble);
        None
    }

    /// The answer with who vouches for it: of one that is believed it counts,
    /// whatever it said before; of another it leaves that open as long as one is.
    fn vouch(&mut self, nameserver: &Nameserver, answer: Answer) -> Vouched {
        self.refused.retain(|known| !ptr::eq(*known, nameserver));
        let authenticity = nameserver.authenticity(&answer);
        let vouched = Vouched { answer, authenticity, unvouched: None };
        if nameserver.is_believed() || !self.nameservers.iter().any(Nameserver::is_believed) {
            return vouched;
        }
        let silence = Trouble::silence(None);
        vouched.unvouched(self.told_by_believed.as_ref().unwrap_or(&silence).failure())
    }

    fn give_up(&mut self, candidates: &mut [Candidate<'_>]) {
        let trouble = Trouble::silence(self.strays.told());
        for candidate in candidates.iter_mut().filter(|candidate| candidate.sent && !candidate.failed) {
            candidate.fail(&trouble);
        }
        tell_most(self.told, &trouble);
    }
}

/// Keeps what tells most; of two that tell as much the later.
fn tell_most(told: &mut Option<Trouble>, trouble: &Trouble) {
    if told.as_ref().is_none_or(|told| trouble.rank() <= told.rank()) {
        *told = Some(trouble.clone());
    }
}
