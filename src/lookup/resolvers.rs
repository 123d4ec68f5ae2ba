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

use super::believed::{self, AskedResolver, TrustedAd, may_be_believed};
use super::health::Health;
use super::tcp::TcpConnections;
use super::trouble::{Strays, Trouble};
use super::udp::UdpSockets;
use super::vouched::Vouched;
use crate::dns::{Answer, Question, Reading, RecordType};
use crate::model::tlsa::Authenticity;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::net::SocketAddr;
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell, watch};
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
    /// Time after which those that are believed are looked at again.
    checked_after: Duration,
    /// Set once it was looked who validates; and for those who wait for that.
    looked: OnceCell<()>,
    looked_for_all: watch::Sender<bool>,
    /// When it was looked last; who looks again holds the lock.
    looked_last: Mutex<Instant>,
}

struct Nameserver {
    address: SocketAddr,
    /// Why its AD may be believed if it validates, or why not.
    may_be_believed: Result<&'static str, &'static str>,
    /// Whether it validates, and what says that it does not; empty until it was
    /// asked, and where it does not matter.
    validates: OnceLock<Result<(), String>>,
    /// Set once it validates no longer.
    has_stopped: OnceLock<()>,
    udp: UdpSockets,
    tcp: TcpConnections,
    health: Health,
}

impl Nameserver {
    fn is_believed(&self) -> bool {
        self.validates.get().is_some_and(Result::is_ok) && self.has_stopped.get().is_none()
    }

    /// Who vouches for its answer.
    fn authenticity(&self, answer: &Answer) -> Authenticity {
        match answer.is_authentic {
            true if self.is_believed() => Authenticity::Secure,
            false if self.is_believed() && answer.has_edns => Authenticity::Insecure,
            _ => Authenticity::NotValidated,
        }
    }

    fn told(&self) -> AskedResolver {
        let stopped_validating = self.has_stopped.get().is_some();
        let (ad_believed, because) = match (self.may_be_believed, self.validates.get()) {
            _ if stopped_validating => (
                Some(false),
                "it validated at first and no longer does: `. DNSKEY` came with AD, and later without"
                    .to_owned(),
            ),
            (Err(why_not), _) => (Some(false), why_not.to_owned()),
            (Ok(_), Some(Err(why_not))) => (Some(false), why_not.clone()),
            (Ok(why), Some(Ok(()))) => (Some(true), format!("{why}, and `. DNSKEY` came with AD")),
            (Ok(why), None) => (None, format!("{why}; whether it validates was not asked")),
        };
        AskedResolver { address: self.address, ad_believed, because, stopped_validating }
    }
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
        (trusted, checked_after): (&[TrustedAd], Duration),
    ) -> Self {
        let nameservers = addresses.iter().map(|&address| Nameserver {
            address,
            may_be_believed: may_be_believed(address, trusted),
            validates: OnceLock::new(),
            has_stopped: OnceLock::new(),
            udp: UdpSockets::new(address, questions_max),
            tcp: TcpConnections::new(address),
            health: Health::new(Instant::now().into_std()),
        });
        Self {
            nameservers: nameservers.collect(),
            timeout,
            attempts: attempts.max(1),
            checked_after,
            looked: OnceCell::new(),
            looked_for_all: watch::Sender::default(),
            looked_last: Mutex::new(Instant::now()),
        }
    }

    /// Looks, the first time, which of those that may be believed validate.
    pub(super) async fn look_who_validates(&self) {
        let looking = || async {
            join_all(self.nameservers.iter().map(|nameserver| self.look_whether_it_validates(nameserver)))
                .await;
        };
        self.looked.get_or_init(looking).await;
        self.looked_for_all.send_if_modified(|looked| !std::mem::replace(looked, true));
    }

    /// Waits until somebody has looked, which the first question has done.
    pub(super) async fn looked_at(&self) {
        // The other end is here.
        let _ = self.looked_for_all.subscribe().wait_for(|looked| *looked).await;
    }

    async fn look_whether_it_validates(&self, nameserver: &Nameserver) {
        if nameserver.may_be_believed.is_err() {
            return;
        }
        let (told, _) = self.ask_among(&believed::proof(), vec![candidate(nameserver)], self.attempts).await;
        let validates = match told {
            Ok(told) if believed::proves(&told.answer) => Ok(()),
            Ok(_) => Err("it does not validate: its answer to `. DNSKEY` came without AD".to_owned()),
            Err(trouble) => Err(format!("it gave no answer to `. DNSKEY`: {}", trouble.failure())),
        };
        let _ = nameserver.validates.set(validates);
    }

    /// Looks again, where it is time, unless somebody does; and says whether one
    /// that was believed is no longer.
    pub(super) async fn look_again_in_time(&self) -> bool {
        let Ok(mut last) = self.looked_last.try_lock() else { return false };
        if last.elapsed() < self.checked_after {
            return false;
        }
        *last = Instant::now();
        // On the heap: this is rare, and would make every question larger.
        Box::pin(self.look_again()).await
    }

    /// Looks whether those that are believed still validate, and says whether one does
    /// not. Who does not is not believed from there on; that one gives no answer says
    /// nothing.
    pub(super) async fn look_again(&self) -> bool {
        let believed = self.nameservers.iter().filter(|nameserver| nameserver.is_believed());
        let looking = believed.map(|nameserver| async move {
            let (told, _) = self.ask_among(&believed::proof(), vec![candidate(nameserver)], 1).await;
            let has_stopped = told.is_ok_and(|told| !believed::proves(&told.answer));
            has_stopped && nameserver.has_stopped.set(()).is_ok()
        });
        join_all(looking).await.contains(&true)
    }

    /// Each of them, and whether its AD is believed.
    pub(super) fn told(&self) -> Vec<AskedResolver> {
        self.nameservers.iter().map(Nameserver::told).collect()
    }

    /// Asks until somebody answers, or everybody was asked as often as was
    /// agreed.
    ///
    /// # Errors
    /// What tells most of why there is no answer.
    pub(super) async fn ask(&self, question: &Question) -> Result<Vouched, Trouble> {
        let mut candidates = self.candidates();
        if question.record_type == RecordType::TLSA && self.one_is_believed() {
            candidates.retain(|candidate| candidate.nameserver.is_believed());
        }
        let (told, refused) = self.ask_among(question, candidates, self.attempts).await;
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
            let once = |question| self.ask_among(question, vec![candidate(nameserver)], 1);
            if once(&unchecked).await.0.is_err() {
                open = Some(Trouble::servfail());
                continue;
            }
            match once(question).await.0 {
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

    fn one_is_believed(&self) -> bool {
        self.nameservers.iter().any(Nameserver::is_believed)
    }

    /// The same of these only; beside it those that are believed and refuse.
    async fn ask_among<'a>(
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
                resolvers: self,
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

    fn candidates(&self) -> Vec<Candidate<'_>> {
        let mut candidates: Vec<_> = self.nameservers.iter().map(candidate).collect();
        if candidates.len() > 1 {
            let now = Instant::now().into_std();
            candidates.sort_by_cached_key(|Candidate { nameserver, .. }| {
                (!nameserver.is_believed(), nameserver.health.stands_aside(now))
            });
        }
        candidates
    }
}

fn candidate(nameserver: &Nameserver) -> Candidate<'_> {
    Candidate {
        nameserver,
        edns: true,
        owes_plain: false,
        failed: false,
        sent: false,
        failures: 0,
        is_out: false,
    }
}

/// Everybody asked once, for the time of one attempt.
struct Sending<'s, 'r> {
    resolvers: &'r Resolvers,
    question: &'s Question,
    strays: &'s Strays,
    /// What tells most so far.
    told: &'s mut Option<Trouble>,
    /// The same of those that are believed.
    told_by_believed: &'s mut Option<Trouble>,
    /// Those that are believed and refuse.
    refused: &'s mut Vec<&'r Nameserver>,
}

impl<'r> Sending<'_, 'r> {
    async fn run(&mut self, candidates: &mut [Candidate<'r>]) -> Option<Vouched> {
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
        if nameserver.is_believed() || !self.resolvers.one_is_believed() {
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

fn is_secure(told: &Vouched) -> bool {
    told.authenticity == Authenticity::Secure
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
