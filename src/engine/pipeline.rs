//! The one task that knows the state of a run.
//!
//! ```text
//! targets ─► lookups ─► KeyTable ─► Pacer ─► probes ─┬─► KeyTable ─► Joiner ─► records
//!                                     ▲              │
//!                                     └─ FollowUps ◄─┘ a further hello
//! ```
//!
//! Lookups and probes are tasks of their own that end in an `Event`;
//! everything between is plain bookkeeping in `Pipeline`, without locks.
//! Backpressure goes the other way: a slow output stops the task, a full
//! joiner or enough lookups under way stop the reading of targets.

use super::coalesce::{Asked, KeyId, KeyTable};
use super::follow_up::{FollowUps, Known};
use super::join::{Joiner, Pending};
use super::pace::{Limits, Next, Pacer};
use super::progress::Progress;
use super::starts::Starts;
use crate::model::{
    DomainFacts, DomainRecord, Failure, HelloObservation, HelloQuestion, JudgedEndpoint, Observation,
    ProbeKey, Record, Target,
};
use crate::stage::{Lookup, Probe};
use crate::trust::{Assessed, Assessments};
use crate::verdict::Policy;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Domains that may wait for their endpoints, for each connection that may be
/// open: enough that a slow address does not starve the others.
const DOMAINS_WAITING_PER_CONNECTION: usize = 8;

/// Domains that may wait in any case.
const DOMAINS_WAITING_MIN: usize = 1024;

/// How a run goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// TCP port of endpoints that name none.
    pub port: u16,
    /// How fast to go.
    pub limits: Limits,
    /// Lookups under way at a time.
    pub lookups_in_flight: usize,
    /// Further connections to a key that failed in a way that may pass.
    pub retries: u32,
    /// Pause before the first of them; doubles with each further one.
    pub retry_delay: Duration,
}

/// What a run came to. `targets = domains + unfinished`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Targets taken from the input.
    pub targets: u64,
    /// Domain records sent: one a target.
    pub domains: u64,
    /// Endpoint records sent: one a key.
    pub endpoints: u64,
    /// Connections made, retries and further hellos included.
    pub connections: u64,
    /// Targets without a record, because the run was stopped.
    pub unfinished: u64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Whoever writes the records is gone.
    #[error("the output ended before the run")]
    OutputGone,
    /// A stage broke down, which is a defect of this program.
    #[error("a stage failed: {0}")]
    Stage(#[from] JoinError),
}

/// What a task reports when it ends.
enum Event {
    Looked(DomainFacts),
    Probed { id: KeyId, attempt: u32, known: Known },
    Greeted { id: KeyId, attempt: u32, hello: Box<HelloObservation>, assessed: Option<Arc<Assessed>> },
    Rested(IpAddr),
    RetryDue(KeyId),
}

/// Runs every target through the stages and sends one domain record for each.
///
/// After `stop` no target is read and no connection begun; those that are
/// open end in order, what is known is recorded without the hellos that were
/// still to come, and the rest is counted as unfinished.
///
/// # Errors
/// [`EngineError`] if the output goes away or a stage panics.
pub async fn run<L: Lookup, P: Probe>(
    config: EngineConfig,
    stages: (Arc<L>, Arc<P>, Arc<Policy>),
    targets: Receiver<Target>,
    records: Sender<Record>,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<RunCounts, EngineError> {
    let (lookup, probe, policy) = stages;
    let pipeline = Pipeline {
        config,
        lookup,
        probe,
        policy,
        records,
        progress,
        tasks: JoinSet::new(),
        keys: KeyTable::default(),
        follow_ups: FollowUps::default(),
        pacer: Pacer::new(config.limits),
        starts: Arc::new(Starts::new(config.limits.per_ip_interval)),
        joiner: Joiner::default(),
        lookups: 0,
        stopping: false,
        counts: RunCounts::default(),
    };
    pipeline.run(targets, stop).await
}

struct Pipeline<L, P> {
    config: EngineConfig,
    lookup: Arc<L>,
    probe: Arc<P>,
    policy: Arc<Policy>,
    records: Sender<Record>,
    progress: Arc<Progress>,
    tasks: JoinSet<Event>,
    keys: KeyTable,
    follow_ups: FollowUps,
    pacer: Pacer,
    starts: Arc<Starts>,
    joiner: Joiner,
    lookups: usize,
    stopping: bool,
    counts: RunCounts,
}

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    async fn run(
        mut self,
        mut targets: Receiver<Target>,
        stop: CancellationToken,
    ) -> Result<RunCounts, EngineError> {
        let mut input_open = true;
        loop {
            let pause = self.start_probes();
            if !input_open && self.is_drained() && pause.is_none() {
                break;
            }
            tokio::select! {
                Some(event) = self.tasks.join_next() => self.handle(event?).await?,
                target = targets.recv(), if input_open && self.has_room() => match target {
                    Some(target) => self.begin_lookup(target),
                    None => input_open = false,
                },
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                () = stop.cancelled(), if !self.stopping => {
                    input_open = false;
                    self.stop().await?;
                }
            }
        }
        self.counts.unfinished = self.counts.targets - self.counts.domains;
        Ok(self.counts)
    }

    /// Drops what has not started; what is known already is recorded.
    async fn stop(&mut self) -> Result<(), EngineError> {
        self.stopping = true;
        self.pacer.clear();
        for (id, known) in self.follow_ups.take_idle() {
            self.probed(id, known).await?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let waiting_max =
            DOMAINS_WAITING_MIN.max(self.config.limits.in_flight * DOMAINS_WAITING_PER_CONNECTION);
        self.lookups < self.config.lookups_in_flight && self.joiner.len() + self.lookups < waiting_max
    }

    fn begin_lookup(&mut self, target: Target) {
        self.counts.targets += 1;
        self.lookups += 1;
        let lookup = self.lookup.clone();
        self.tasks.spawn(async move { Event::Looked(lookup.lookup(target).await) });
    }

    /// Starts what may start; gives the time to wait if only the rate forbids
    /// more.
    fn start_probes(&mut self) -> Option<Duration> {
        loop {
            match self.pacer.begin_next() {
                Next::Start(id, _) => self.begin(id),
                Next::Rest(ip, pause) => self.rest(ip, pause),
                Next::After(pause) => return Some(pause),
                Next::Nothing => return None,
            }
        }
    }

    /// Whether nothing is left to happen. Once stopped, pauses that tasks are
    /// still sleeping through are not worth waiting for.
    fn is_drained(&self) -> bool {
        self.tasks.is_empty() || (self.stopping && self.pacer.open() == 0 && self.lookups == 0)
    }

    /// Begins a connection: the probe of a key, or a further hello to it.
    fn begin(&mut self, id: KeyId) {
        let Some(key) = self.keys.key(id).cloned() else { return };
        self.counts.connections += 1;
        self.progress.set_in_flight(self.pacer.open());
        match self.follow_ups.begin_attempt(id) {
            Some((question, attempt)) => self.begin_hello(id, key, question, attempt),
            None => self.begin_probe(id, key),
        }
    }

    fn begin_probe(&mut self, id: KeyId, key: ProbeKey) {
        let attempt = self.keys.begin_attempt(id);
        let (probe, policy, starts) = (self.probe.clone(), self.policy.clone(), self.starts.clone());
        // Boxed: a task moves its future several times, and these are large.
        self.tasks.spawn(Box::pin(async move {
            starts.before(key.endpoint.ip).await;
            let observation = Box::new(probe.probe(key, attempt).await);
            let assessments = policy.assess(&observation);
            Event::Probed { id, attempt, known: Known { observation, assessments } }
        }));
    }

    fn begin_hello(&mut self, id: KeyId, key: ProbeKey, question: Arc<HelloQuestion>, attempt: u32) {
        let (probe, policy, starts) = (self.probe.clone(), self.policy.clone(), self.starts.clone());
        self.tasks.spawn(Box::pin(async move {
            starts.before(key.endpoint.ip).await;
            let hello = Box::new(probe.hello(key, &question).await);
            let assessed = policy.assess_chain(&hello.chain);
            Event::Greeted { id, attempt, hello, assessed }
        }));
    }

    async fn handle(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Looked(facts) => {
                self.lookups -= 1;
                self.looked(facts).await
            }
            Event::Probed { id, attempt, known } => {
                self.connection_ended(id);
                if self.wants_retry(known.observation.failure.as_ref(), attempt) {
                    self.retry_later(id, attempt);
                    return Ok(());
                }
                self.follow_up(id, known).await
            }
            Event::Greeted { id, attempt, hello, assessed } => {
                self.connection_ended(id);
                if self.wants_retry(hello.failure.as_ref(), attempt) {
                    self.follow_ups.pause(id);
                    self.retry_later(id, attempt);
                    return Ok(());
                }
                match self.follow_ups.answered(id, *hello, assessed) {
                    Some(known) => self.follow_up(id, known).await,
                    None => Ok(()),
                }
            }
            Event::Rested(ip) => {
                self.pacer.rested(ip);
                Ok(())
            }
            Event::RetryDue(id) => {
                self.enqueue(id);
                Ok(())
            }
        }
    }

    fn connection_ended(&mut self, id: KeyId) {
        if let Some(key) = self.keys.key(id) {
            self.pacer.finished(key.endpoint.ip);
        }
        self.progress.set_in_flight(self.pacer.open());
    }

    /// Asks the next hello that a key is worth; without one, records it.
    async fn follow_up(&mut self, id: KeyId, known: Known) -> Result<(), EngineError> {
        match self.policy.next_hello(&known.observation) {
            Some(question) if !self.stopping => {
                self.follow_ups.ask(id, known, question);
                self.enqueue(id);
                Ok(())
            }
            _ => self.probed(id, known).await,
        }
    }

    async fn looked(&mut self, facts: DomainFacts) -> Result<(), EngineError> {
        if facts.failure.is_some() {
            return self.emit_domain(facts, &[]).await;
        }
        if self.stopping {
            return Ok(());
        }
        let keys: Vec<_> = facts.probe_keys(self.config.port).collect();
        let domain = self.joiner.admit(facts);
        let mut refused = Vec::new();
        for (exchange, key) in keys {
            let permit = self.probe.permit(&key);
            match self.keys.ask(key, domain) {
                Asked::Done(id) => self.joiner.rest_on(domain, exchange, id, false),
                Asked::Waiting(id) => self.joiner.rest_on(domain, exchange, id, true),
                Asked::New(id) => {
                    self.joiner.rest_on(domain, exchange, id, true);
                    match permit {
                        Ok(()) => self.enqueue(id),
                        Err(failure) => refused.push((id, failure)),
                    }
                }
            }
        }
        for (id, failure) in refused {
            self.refuse(id, failure).await?;
        }
        match self.joiner.take_if_complete(domain) {
            Some(pending) => self.complete(pending).await,
            None => Ok(()),
        }
    }

    fn enqueue(&mut self, id: KeyId) {
        if self.stopping {
            return;
        }
        let Some(ip) = self.keys.key(id).map(|key| key.endpoint.ip) else { return };
        self.pacer.push(id, ip);
    }

    fn rest(&mut self, ip: IpAddr, pause: Duration) {
        self.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            Event::Rested(ip)
        });
    }

    fn wants_retry(&self, failure: Option<&Failure>, attempt: u32) -> bool {
        let transient = failure.is_some_and(|failure| failure.kind.is_transient());
        transient && attempt <= self.config.retries && !self.stopping
    }

    fn retry_later(&mut self, id: KeyId, attempt: u32) {
        let doublings = 1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.config.retry_delay.saturating_mul(doublings);
        tracing::info!(endpoint = self.keys.key(id).map(ToString::to_string), attempt, "asked again later");
        self.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            Event::RetryDue(id)
        });
    }

    /// Records a key that must not be connected to.
    async fn refuse(&mut self, id: KeyId, failure: Failure) -> Result<(), EngineError> {
        let Some(key) = self.keys.key(id).cloned() else { return Ok(()) };
        let observation = Box::new(Observation::failed(key, Timestamp::now(), 0, failure));
        self.probed(id, Known { observation, assessments: Assessments::default() }).await
    }

    /// Records a key of which all is known that is asked for.
    async fn probed(&mut self, id: KeyId, known: Known) -> Result<(), EngineError> {
        let Known { observation, assessments } = known;
        let established = observation.tls.as_ref().is_some_and(|tls| tls.established);
        let (record, judged) = self.policy.endpoint(*observation, &assessments);
        self.counts.endpoints += 1;
        self.progress.probe_done(established);
        self.emit(Record::Endpoint(Box::new(record))).await?;
        for domain in self.keys.finish(id, Arc::new(judged)) {
            if let Some(pending) = self.joiner.arrived(domain) {
                self.complete(pending).await?;
            }
        }
        Ok(())
    }

    async fn complete(&mut self, pending: Pending) -> Result<(), EngineError> {
        let found = pending.probes.iter();
        let probes: Vec<_> =
            found.filter_map(|(exchange, id)| Some((*exchange, self.keys.judged(*id)?.clone()))).collect();
        self.emit_domain(pending.facts, &probes).await
    }

    async fn emit_domain(
        &mut self,
        facts: DomainFacts,
        probes: &[(usize, Arc<JudgedEndpoint>)],
    ) -> Result<(), EngineError> {
        let verdict = self.policy.verdict(&facts, probes);
        let unresolved = verdict.unresolved.and_then(|exchange| facts.exchanges.get(exchange));
        let failure = match (&verdict.best, unresolved) {
            (Some(view), _) => view.finding().failure.as_ref(),
            (None, Some(exchange)) => exchange.failure.as_ref(),
            (None, None) => facts.failure.as_ref(),
        };
        self.counts.domains += 1;
        self.progress.domain_done(failure.map(|failure| failure.kind));
        tracing::info!(
            domain = facts.target.subject.label(),
            delivery = verdict.outcome.delivery.name(),
            outcome = failure.map_or("ok".to_string(), ToString::to_string),
        );
        self.emit(Record::Domain(Box::new(DomainRecord { facts, verdict }))).await
    }

    async fn emit(&self, record: Record) -> Result<(), EngineError> {
        self.records.send(record).await.map_err(|_| EngineError::OutputGone)
    }
}
