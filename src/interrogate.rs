//! One key asked to its end: the probe, further attempts where one broke off,
//! the second look at a "no TLS" and at a handshake that fails with everyone,
//! and the further hellos that the answers are worth, with second looks of their
//! own. `scan` and `probe` go by it alike, so that they cannot disagree.
//!
//! ```text
//! probe ─┬─ broke off, retries left ──► after a pause: probe
//!        ├─ "no TLS" or such, once ───► after a pause: probe (the second look)
//!        └─ else ─────────────────────► hello, as long as one is worth it
//!                                         ├─ never came to it, retries left ──► after a pause: that hello
//!                                         └─ failed not by its offer, once ───► after a pause: that hello
//! ```
//!
//! [`Interrogation`] decides, and neither waits nor connects; it is what an
//! engine keeps of a key. [`interrogate`] carries several of them out, one
//! connection at a time.

mod tls_by_address;

pub use tls_by_address::TlsByAddress;

use crate::model::attempt::OTHER_ATTEMPTS_MAX;
use crate::model::{
    ClientHelloSpec, Failure, HelloObservation, Kind, Observation, OtherAttempt, Phase, ProbeKey, Reason,
    SaidAtAddress,
};
use crate::stage::Probe;
use crate::trust::{Assessed, Assessments};
use crate::verdict::{Policy, said_of_tls};
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// When and how often a key is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPlan {
    /// Further connections for a question that broke off in a way that may pass,
    /// and further lookups where the DNS gave no answer.
    pub retries: u32,
    /// Pause before the first of them; doubles with each further one.
    pub retry_delay: Duration,
    /// Pause before the second look at an answer that says "no TLS", at a handshake
    /// that fails with everyone, or at a further hello that ends as such.
    pub second_look_delay: Duration,
}

impl Default for RetryPlan {
    /// Two retries, of which the first comes after 30 seconds, and a second look
    /// after a minute.
    fn default() -> Self {
        Self { retries: 2, retry_delay: Duration::from_secs(30), second_look_delay: Duration::from_secs(60) }
    }
}

impl RetryPlan {
    /// The pause before a retry, of which the first is 1.
    pub fn pause_before(&self, retry: u32) -> Duration {
        let doublings = 1u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        self.retry_delay.saturating_mul(doublings)
    }
}

/// What is known of a key.
#[derive(Debug)]
pub struct Known {
    /// What it said, the hellos that were answered included.
    pub observation: Box<Observation>,
    /// Its chains.
    pub assessments: Assessments,
}

/// What a connection is made for.
#[derive(Clone, Debug)]
pub enum Connection {
    /// The probe; `attempt` counts its connections from 1.
    Probe {
        /// Its number, from 1.
        attempt: u32,
    },
    /// A further hello.
    Hello(Arc<ClientHelloSpec>),
}

/// What one connection to a key brought.
#[derive(Debug)]
pub enum ConnectionResult {
    /// What the probe saw.
    Probe(Known),
    /// What the hello learnt, and its chain.
    Hello(Box<HelloObservation>, Option<Arc<Assessed>>),
}

impl ConnectionResult {
    /// What it says of TLS for every name of the address.
    pub fn said_of_tls(&self) -> SaidAtAddress {
        match self {
            ConnectionResult::Probe(known) => said_of_tls::by_probe(known.observation.failure.as_ref()),
            ConnectionResult::Hello(hello, _) => said_of_tls::by_hello(hello),
        }
    }

    /// What ended it; `None` if everything ran to its end.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            ConnectionResult::Probe(known) => known.observation.failure.as_ref(),
            ConnectionResult::Hello(hello, _) => hello.failure.as_ref(),
        }
    }
}

/// Why a key is not asked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseCause {
    /// The last connection broke off.
    Retry,
    /// It said "no TLS", or failed in a way in which it fails with everyone.
    SecondLook,
}

/// Time that must pass before the next connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How long.
    pub time: Duration,
    /// Why the next connection waits.
    pub cause: PauseCause,
}

/// What to do with a key now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// Make a connection as soon as one may be made.
    Connect,
    /// Make one, but no sooner than after this pause.
    Wait(Pause),
    /// Nothing: all is known that is asked for.
    Done,
}

impl Known {
    /// Of a key that must not be connected to.
    pub fn refused(key: ProbeKey, failure: Failure) -> Self {
        Self::unasked(Observation::failed(key, Timestamp::now(), 0, failure))
    }

    /// Of a key that is told as others are, without a connection of its own.
    pub fn unasked(observation: Observation) -> Self {
        Self { observation: Box::new(observation), assessments: Assessments::default() }
    }
}

/// How far a key has been asked.
#[derive(Debug)]
pub struct Interrogation {
    plan: RetryPlan,
    /// Whether the host has TLSA records, as in [`KeyContext`](crate::verdict::KeyContext).
    tlsa: bool,
    /// The attempt that came furthest, and its number.
    kept: Option<(u32, Known)>,
    /// How every attempt at the probe ended, in their order.
    attempts: Vec<OtherAttempt>,
    /// Connections made for the probe.
    made: u32,
    /// Connections made for what is asked now.
    tries: u32,
    /// Whether what is asked now is asked for a second look.
    looked_again: bool,
    /// The hello that is asked; `None` as long as it is the probe.
    hello: Option<Arc<ClientHelloSpec>>,
}

impl Interrogation {
    /// Of a key that was asked nothing so far; `tlsa` says whether its host has
    /// TLSA records.
    pub fn new(plan: RetryPlan, tlsa: bool) -> Self {
        let attempts = Vec::new();
        Self { plan, tlsa, kept: None, attempts, made: 0, tries: 0, looked_again: false, hello: None }
    }

    /// What the connection is for that begins now.
    pub fn begin(&mut self) -> Connection {
        self.tries += 1;
        match &self.hello {
            Some(spec) => Connection::Hello(spec.clone()),
            None => {
                self.made += 1;
                Connection::Probe { attempt: self.made }
            }
        }
    }

    /// Takes what that connection brought.
    pub fn take(&mut self, answer: ConnectionResult, policy: &Policy) -> KeyAction {
        match answer {
            ConnectionResult::Probe(known) => self.take_probe(known, policy),
            ConnectionResult::Hello(hello, assessed) => self.take_hello(*hello, assessed, policy),
        }
    }

    /// What is known so far; `None` where no connection has ended.
    pub fn into_known(self) -> Option<Known> {
        self.kept.map(|(_, known)| known)
    }

    /// How the last attempt at the probe ended; `None` where hellos are asked.
    pub fn last_failure(&self) -> Option<&Failure> {
        self.attempts.last().filter(|_| self.hello.is_none())?.failure.as_ref()
    }

    fn take_probe(&mut self, known: Known, policy: &Policy) -> KeyAction {
        let Observation { started, attempts, failure, timings, .. } = &*known.observation;
        // One less than was begun where the connection was not allowed after all.
        self.made = *attempts;
        let attempt = OtherAttempt {
            number: self.made,
            started: *started,
            failure: failure.clone(),
            total_us: timings.total_us,
        };
        let failure = failure.clone();
        self.attempts.push(attempt);
        self.keep(known);
        if let Some(time) = self.retry_pause(failure.as_ref()) {
            return KeyAction::Wait(Pause { time, cause: PauseCause::Retry });
        }
        if failure.is_some_and(|failure| self.is_worth_a_second_look(&failure)) {
            return self.second_look();
        }
        self.next_hello(policy)
    }

    /// Asks the same once more, later.
    fn second_look(&mut self) -> KeyAction {
        self.looked_again = true;
        self.tries = 0;
        KeyAction::Wait(Pause { time: self.plan.second_look_delay, cause: PauseCause::SecondLook })
    }

    fn take_hello(
        &mut self,
        mut hello: HelloObservation,
        assessed: Option<Arc<Assessed>>,
        policy: &Policy,
    ) -> KeyAction {
        if let Some(time) = self.retry_pause(hello.failure.as_ref()) {
            return KeyAction::Wait(Pause { time, cause: PauseCause::Retry });
        }
        let judged = hello.purpose.is_judged();
        if let Some((_, known)) = &mut self.kept {
            hello.look = judged.then_some(if self.looked_again { 2 } else { 1 });
            known.observation.extra_client_hellos.push(hello);
            known.assessments.hellos.push(assessed);
        }
        if judged && !self.looked_again && self.looks(policy) == Some(Reason::NoSecondLook) {
            return self.second_look();
        }
        self.next_hello(policy)
    }

    /// Why what was seen so far leaves it open what the endpoint gives.
    fn looks(&self, policy: &Policy) -> Option<Reason> {
        self.kept.as_ref().and_then(|(_, known)| policy.looks(&known.observation, self.tlsa))
    }

    /// Keeps the attempt that came furthest, of equals the last.
    fn keep(&mut self, known: Known) {
        let furthest = self
            .kept
            .as_ref()
            .is_none_or(|(_, kept)| evidence(&known.observation) >= evidence(&kept.observation));
        if furthest {
            self.kept = Some((self.made, known));
        }
        let Some((number, known)) = &mut self.kept else { return };
        let others = self.attempts.iter().filter(|attempt| attempt.number != *number);
        known.observation.other_attempts = Some(others.take(OTHER_ATTEMPTS_MAX).cloned().collect());
        known.observation.attempts = self.made;
    }

    /// How long to wait before the same is asked again; `None` if it is not.
    fn retry_pause(&self, failure: Option<&Failure>) -> Option<Duration> {
        let failure = failure.filter(|failure| failure.kind.is_transient())?;
        if self.tries > self.plan.retries || self.is_second_answer(failure) {
            return None;
        }
        Some(self.plan.pause_before(self.tries))
    }

    /// Whether the second look found what the first did.
    fn is_second_answer(&self, failure: &Failure) -> bool {
        self.looked_again && self.hello.is_none() && self.alike(failure).count() > 1
    }

    /// Whether it ended by what needs a second look, and not twice so far apart as
    /// that is.
    fn is_worth_a_second_look(&self, failure: &Failure) -> bool {
        if self.looked_again || !failure.needs_second_look() {
            return false;
        }
        let first = self.alike(failure).next().map(|attempt| attempt.started);
        let Some((first, last)) = first.zip(self.attempts.last()) else { return true };
        let delay = SignedDuration::try_from(self.plan.second_look_delay).unwrap_or(SignedDuration::MAX);
        self.alike(failure).count() < 2 || last.started.duration_since(first) < delay
    }

    /// The attempts that ended by the same, if that needs a second look.
    fn alike(&self, failure: &Failure) -> impl Iterator<Item = &OtherAttempt> {
        let end = failure.needs_second_look().then_some((failure.phase, failure.kind));
        self.attempts.iter().filter(move |attempt| {
            end.is_some() && attempt.failure.as_ref().map(|failure| (failure.phase, failure.kind)) == end
        })
    }

    /// Goes on to the next hello that the key is worth. A host that let an
    /// earlier attempt come further than the last is left alone. So is one whose
    /// looks differ: what it gives is open, whatever it says to a hello.
    fn next_hello(&mut self, policy: &Policy) -> KeyAction {
        let last = self.kept.as_ref().filter(|(number, _)| *number == self.made);
        let last = last.filter(|_| !self.differs(policy));
        match last.and_then(|(_, known)| policy.next_hello_at(&known.observation, self.tlsa)) {
            Some(spec) => {
                self.hello = Some(Arc::new(spec));
                self.tries = 0;
                self.looked_again = false;
                KeyAction::Connect
            }
            None => KeyAction::Done,
        }
    }

    /// Whether connections brought what cannot be of one server. One alone does not
    /// differ, and the questions of an enumeration are not compared.
    fn differs(&self, policy: &Policy) -> bool {
        let of_enumeration = self.hello.as_ref().is_some_and(|hello| !hello.purpose.is_judged());
        let several = self.attempts.len() > 1 || self.hello.is_some();
        several && !of_enumeration && self.looks(policy) == Some(Reason::SecondLookDiffers)
    }
}

/// How much an attempt tells: how far it came, and what it saw of TLS. What this
/// machine did not bring about tells nothing of the peer.
fn evidence(seen: &Observation) -> (bool, Phase, bool, bool, bool) {
    let failure = seen.failure.as_ref();
    let tls = seen.tls.as_ref();
    (
        failure.is_none(),
        failure.map_or(Phase::AfterTls, |failure| failure.phase),
        tls.is_some_and(|tls| tls.suite.is_some()),
        tls.is_some_and(|tls| !tls.chain.is_empty()),
        failure.is_none_or(|failure| failure.kind != Kind::LocalError),
    )
}

/// Makes one connection.
pub async fn connect<P: Probe>(
    probe: &P,
    policy: &Policy,
    key: ProbeKey,
    made_for: &Connection,
) -> ConnectionResult {
    match made_for {
        Connection::Probe { attempt } => {
            let observation = Box::new(probe.probe(key, *attempt).await);
            let assessments = policy.assess(&observation);
            ConnectionResult::Probe(Known { observation, assessments })
        }
        Connection::Hello(spec) => {
            let hello = Box::new(probe.hello(key, spec).await);
            let assessed = policy.assess_chain(&hello.chain);
            ConnectionResult::Hello(hello, assessed)
        }
    }
}

/// When connections may begin, for whoever asks one key after the other.
pub trait Pacing {
    /// Waits for that moment, and until the address of the key may be connected
    /// to; a connection begins now. `false`: none is to begin any more, and what
    /// is known by now is all.
    fn before(&mut self, key: &ProbeKey, due: Instant) -> impl Future<Output = bool>;

    /// Hears that a key is asked again, after a pause.
    fn pauses(&mut self, key: &ProbeKey, failure: Option<&Failure>, pause: Pause);
}

/// A key of several.
struct AskedKey {
    key: ProbeKey,
    interrogation: Interrogation,
    due: Instant,
    known: Option<Known>,
}

impl AskedKey {
    /// What is known of it, be it that it was not asked to its end, or not at all.
    fn into_known(self) -> Known {
        let so_far = || {
            let mut known = self.interrogation.into_known()?;
            known.observation.stopped = Some(true);
            Some(known)
        };
        let not_asked = || {
            let failure = Failure::new(Phase::Connect, Kind::LocalError);
            Known::refused(self.key, failure.with_detail("stopped before it was asked"))
        };
        self.known.or_else(so_far).unwrap_or_else(not_asked)
    }
}

/// Asks each key to its end, one connection at a time; gives what is known of
/// them in the order of the keys, each of which comes with whether its host has
/// TLSA records. While one pauses the others are asked. What the
/// keys of one address said of TLS counts for all of them.
pub async fn interrogate<P: Probe>(
    probe: &P,
    policy: &Policy,
    plan: RetryPlan,
    keys: Vec<(ProbeKey, bool)>,
    pacing: &mut impl Pacing,
) -> Vec<Known> {
    let begun = Instant::now();
    let asked = keys.into_iter().map(|(key, tlsa)| {
        let known = probe.permit(&key).err().map(|failure| Known::refused(key.clone(), failure));
        AskedKey { key, interrogation: Interrogation::new(plan, tlsa), due: begun, known }
    });
    let mut all: Vec<AskedKey> = asked.collect();
    let mut addresses = TlsByAddress::default();
    while let Some(asked) = next_due(&mut all) {
        if !pacing.before(&asked.key, asked.due).await {
            break;
        }
        let made_for = asked.interrogation.begin();
        let answer = connect(probe, policy, asked.key.clone(), &made_for).await;
        addresses.note(asked.key.endpoint, answer.said_of_tls());
        match asked.interrogation.take(answer, policy) {
            KeyAction::Connect => {}
            KeyAction::Wait(pause) => {
                asked.due = Instant::now() + pause.time;
                pacing.pauses(&asked.key, asked.interrogation.last_failure(), pause);
            }
            KeyAction::Done => {
                let ended = std::mem::replace(&mut asked.interrogation, Interrogation::new(plan, false));
                asked.known = ended.into_known();
            }
        }
    }
    let mut all: Vec<Known> = all.into_iter().map(AskedKey::into_known).collect();
    all.iter_mut().for_each(|known| addresses.tell(&mut known.observation));
    all
}

/// The key to ask now: the first whose pause is over, else the one whose pause
/// ends first.
fn next_due(all: &mut [AskedKey]) -> Option<&mut AskedKey> {
    let now = Instant::now();
    all.iter_mut().filter(|asked| asked.known.is_none()).min_by_key(|asked| asked.due.max(now))
}
