//! One question to several resolvers: whoever answers first is believed, and
//! nobody's failure is the end of it while another can be asked.
//!
//! ```text
//! attempt ─┬─ the best ──► answer
//!          ├─ it fails, or is silent for a while ──► the next, and so on
//!          └─ the answer is truncated ──► the same over TCP
//! ```

use super::health::Health;
use super::tcp::TcpConnections;
use super::trouble::{Strays, Trouble};
use super::udp::UdpSockets;
use crate::dns::{Answer, Question, Reading};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Times a question is sent within one attempt, at least: to each resolver
/// once, and again to those that are silent.
const SENDS_MIN: usize = 3;

/// How long one that was sent is left alone with whoever was asked, at least,
/// before it is sent again.
const SENT_AGAIN_AFTER_MIN: Duration = Duration::from_millis(333);

/// Who is asked.
pub(super) struct Resolvers {
    nameservers: Vec<Nameserver>,
    timeout: Duration,
    attempts: usize,
}

struct Nameserver {
    udp: UdpSockets,
    tcp: TcpConnections,
    health: Health,
}

/// A resolver, as far as one question has got with it.
struct Candidate<'a> {
    nameserver: &'a Nameserver,
    edns: bool,
    /// It blamed EDNS and is still to be asked without.
    owes_plain: bool,
    /// It failed in this attempt.
    failed: bool,
    /// It was asked in this attempt.
    sent: bool,
    /// Attempts in which it failed.
    failures: u32,
    /// Nothing else is to be expected of it.
    is_out: bool,
}

impl Candidate<'_> {
    fn fail(&mut self, trouble: &Trouble) {
        self.failed = true;
        self.failures += 1;
        self.nameserver.health.missed(Instant::now().into_std());
        if self.edns && trouble.blames_edns() {
            self.edns = false;
            self.owes_plain = true;
        } else {
            self.owes_plain = false;
            self.is_out = !trouble.may_pass();
        }
    }
}

impl Resolvers {
    /// Those at `addresses`, the best first. `timeout` is the time of an
    /// attempt; `attempts` count from 1.
    pub(super) fn new(
        addresses: &[SocketAddr],
        timeout: Duration,
        attempts: usize,
        questions_max: usize,
    ) -> Self {
        let nameservers = addresses.iter().map(|&address| Nameserver {
            udp: UdpSockets::new(address, questions_max),
            tcp: TcpConnections::new(address),
            health: Health::new(Instant::now().into_std()),
        });
        Self { nameservers: nameservers.collect(), timeout, attempts: attempts.max(1) }
    }

    /// Asks until somebody answers, or everybody was asked as often as was
    /// agreed.
    ///
    /// # Errors
    /// What tells most of why there is no answer.
    pub(super) async fn ask(&self, question: &Question) -> Result<Answer, Trouble> {
        let strays = Strays::default();
        let mut candidates = self.candidates();
        let mut told: Option<Trouble> = None;
        let mut left = self.attempts;
        while left > 0 && !candidates.is_empty() {
            left -= 1;
            let mut sending = Sending { resolvers: self, question, strays: &strays, told: &mut told };
            if let Some(answer) = sending.run(&mut candidates).await {
                return Ok(answer);
            }
            candidates.retain(|candidate| !candidate.is_out);
            candidates.sort_by_key(|candidate| candidate.failures);
            if left == 0 && candidates.iter().any(|candidate| candidate.owes_plain) {
                left = 1;
                candidates.retain(|candidate| candidate.owes_plain);
            }
        }
        Err(told.unwrap_or_else(|| Trouble::silence(strays.told())))
    }

    fn candidates(&self) -> Vec<Candidate<'_>> {
        let candidate = |nameserver| Candidate {
            nameserver,
            edns: true,
            owes_plain: false,
            failed: false,
            sent: false,
            failures: 0,
            is_out: false,
        };
        let mut candidates: Vec<_> = self.nameservers.iter().map(candidate).collect();
        if candidates.len() > 1 {
            let now = Instant::now().into_std();
            candidates.sort_by_cached_key(|candidate| candidate.nameserver.health.stands_aside(now));
        }
        candidates
    }
}

/// Everybody asked once, for the time of one attempt.
struct Sending<'a> {
    resolvers: &'a Resolvers,
    question: &'a Question,
    strays: &'a Strays,
    /// What tells most so far.
    told: &'a mut Option<Trouble>,
}

impl Sending<'_> {
    async fn run(&mut self, candidates: &mut [Candidate<'_>]) -> Option<Answer> {
        for candidate in &mut *candidates {
            (candidate.failed, candidate.sent) = (false, false);
        }
        let timeout = self.resolvers.timeout;
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
    fn settle(&mut self, candidate: &mut Candidate<'_>, reply: Result<Reading, Trouble>) -> Option<Answer> {
        let trouble = match reply {
            Ok(Reading::Answer(answer)) => {
                candidate.nameserver.health.answered();
                return Some(answer);
            }
            Ok(Reading::NoAnswer(none)) => Trouble::NoAnswer(none),
            Ok(Reading::Truncated) => Trouble::Truncated,
            Err(trouble) => trouble,
        };
        candidate.fail(&trouble);
        self.tell(trouble);
        None
    }

    fn give_up(&mut self, candidates: &mut [Candidate<'_>]) {
        let trouble = Trouble::silence(self.strays.told());
        for candidate in candidates.iter_mut().filter(|candidate| candidate.sent && !candidate.failed) {
            candidate.fail(&trouble);
        }
        self.tell(trouble);
    }

    fn tell(&mut self, trouble: Trouble) {
        if self.told.as_ref().is_none_or(|told| trouble.rank() <= told.rank()) {
            *self.told = Some(trouble);
        }
    }
}

/// Who is sent the question next: everybody in turn, save those that failed.
fn next(candidates: &[Candidate<'_>], sends: &mut usize, sends_max: usize) -> Option<usize> {
    while *sends < sends_max {
        let place = sends.checked_rem(candidates.len())?;
        *sends += 1;
        if candidates.get(place).is_some_and(|candidate| !candidate.failed) {
            return Some(place);
        }
    }
    None
}

/// Those that were asked before another was, and have not said anything.
fn blame_the_silent(candidates: &[Candidate<'_>], answered: usize) {
    let silent = candidates.iter().take(answered).filter(|candidate| candidate.sent && !candidate.failed);
    silent.for_each(|candidate| candidate.nameserver.health.missed(Instant::now().into_std()));
}
