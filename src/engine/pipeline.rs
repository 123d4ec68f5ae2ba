//! The one task that knows the state of a run.
//!
//! ```text
//! targets ─► lookups ─► KeyTable ─► Pacer ─► probes ─┬─► KeyTable ─► Joiner ─► records
//!                                     ▲              │
//!                                     └── UnderWay ◄─┘ another connection
//! ```
//!
//! Lookups and probes are tasks of their own that end in an `Event`;
//! everything between is plain bookkeeping in `Pipeline`, without locks.
//! Backpressure goes the other way: a slow output stops the task, a full
//! joiner or enough lookups under way stop the reading of targets.

mod canary;
mod crowd;
mod looking;
mod names;
mod opt_out;
mod part;
mod places;

use super::canary::Canaries;
use super::coalesce::{KeyId, KeyTable, Registration};
use super::config::{EngineConfig, EngineError};
use super::counts::EngineCounts;
use super::earlier::Earlier;
use super::findings::{Findings, KeptFinding};
use super::given_up::GivenUp;
use super::join::{Joiner, Pending};
use super::lookups::{Looked, Lookups, PendingLookup};
use super::nobody::NobodyThere;
use super::operators::OperatorNumbers;
use super::outlook::Outlook;
use super::pace::{AskedPlace, BucketKey, NextStart, Pacer};
use super::place_book::PlaceBook;
use super::progress::{Progress, failure_of};
use super::samples::Samples;
use super::spill::Spill;
use super::starts::Starts;
use super::under_way::{Ended, UnderWay};
use crate::interrogate::{self, ConnectionResult, Known, Pause, PauseCause, TlsByAddress};
use crate::model::mta_sts::Fetching;
use crate::model::{
    DomainFacts, DomainRecord, Endpoint, Exchange, Failure, JudgedEndpoint, Kind, MxHost, Observation, Phase,
    Record, Target,
};
use crate::stage::{Lookup, Probe};
use crate::verdict::{KeyContext, Policy, Reach};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a task reports when it ends.
enum Event {
    Looked { facts: DomainFacts, number: u32 },
    LookDue(PendingLookup),
    Ended { id: KeyId, place: AskedPlace, answer: ConnectionResult },
    Rested(BucketKey),
    PauseOver(KeyId, PauseCause),
    Canary(usize, Box<Observation>),
}

/// Runs every target through the stages and sends one domain record for each.
///
/// After `stop` no target is read and no connection begun; those that are
/// open end in order, what is known by then is recorded, and the rest is counted
/// as unfinished.
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
) -> Result<EngineCounts, EngineError> {
    go_on(config, stages, targets, records, (progress, Earlier::default()), stop).await
}

/// The same for a run of which an earlier process found something: its targets are
/// those that are still to be asked, and the counts are those of the whole.
///
/// # Errors
/// As [`run`].
pub async fn go_on<L: Lookup, P: Probe>(
    config: EngineConfig,
    stages: (Arc<L>, Arc<P>, Arc<Policy>),
    targets: Receiver<Target>,
    records: Sender<Record>,
    (progress, earlier): (Arc<Progress>, Earlier),
    stop: CancellationToken,
) -> Result<EngineCounts, EngineError> {
    let (lookup, probe, policy) = stages;
    let Earlier { goes_on, done, reach, addresses, counts, samples, findings, shard: _ } = earlier;
    let samples = if config.sample { samples } else { Samples::default() };
    let findings = if goes_on { findings } else { Findings::new(config.spill_dir.clone()) };
    let operators = OperatorNumbers::default();
    let mut pacer = Pacer::new(config.limits, config.retry).after_another(goes_on);
    for (name, earlier) in &progress.places().standing {
        pacer.restore(BucketKey::named(name, &operators), earlier.left(), earlier.complaints);
    }
    // What an outage does from the start on is forgotten, and not what was known before.
    pacer.remember();
    let standing_then = (progress.places().clone(), counts.given_up.clone());
    let outlook = Outlook::new(&counts);
    let mut canaries = Canaries::new(&config.canaries, config.canary_interval);
    if let Some(pause) = config.canary_pause.clone() {
        canaries = canaries.still_in(pause);
        lookup.set_fetching(Fetching::Waits);
        progress.canaries_told(canaries.pause().cloned());
    }
    let pipeline = Pipeline {
        findings,
        lookup,
        probe,
        policy,
        records,
        progress,
        tasks: JoinSet::new(),
        keys: KeyTable::knowing(done),
        under_way: UnderWay::new(config.retry),
        pacer,
        starts: Arc::new(Starts::new(config.limits).after_another(goes_on)),
        operators,
        joiner: Joiner::default(),
        lookups: Lookups::new(config.lookups_in_flight, config.retry),
        stopping: false,
        addresses,
        nobody_there: NobodyThere::default(),
        reach,
        counts,
        spill: Spill::default(),
        coming_back: VecDeque::new(),
        samples: samples.seeded(config.limits.order_seed.unwrap_or_default()),
        names_back: VecDeque::new(),
        outlook,
        canaries,
        standing_then,
        config,
    };
    pipeline.run(targets, stop).await
}

/// Ends when another count is told, which may be never.
async fn changes(count: &mut Option<watch::Receiver<usize>>) {
    if let Some(count) = count
        && count.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
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
    findings: Findings,
    under_way: UnderWay,
    pacer: Pacer,
    starts: Arc<Starts>,
    operators: OperatorNumbers,
    joiner: Joiner,
    lookups: Lookups,
    stopping: bool,
    addresses: TlsByAddress,
    nobody_there: NobodyThere,
    /// Whether this machine's own network lets connections out.
    reach: Reach,
    counts: EngineCounts,
    spill: Spill,
    /// Buckets that have room for domains in the file.
    coming_back: VecDeque<BucketKey>,
    outlook: Outlook,
    canaries: Canaries,
    /// Who complained when canaries answered last.
    standing_then: (PlaceBook, GivenUp),
    samples: Samples,
    /// Addresses and ports where domains need wait for a sample no longer.
    names_back: VecDeque<Endpoint>,
}

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    async fn run(
        mut self,
        mut targets: Receiver<Target>,
        stop: CancellationToken,
    ) -> Result<EngineCounts, EngineError> {
        let mut input_open = true;
        let mut aside = self.lookup.aside();
        loop {
            self.lookups.set_aside(aside.as_mut().map_or(0, |count| *count.borrow_and_update()));
            self.start_due_lookups();
            if !input_open && self.lookups.is_idle() && !self.samples.is_list_known() {
                self.settle_all_names();
            }
            let pause = self.start_probes().await?;
            if !input_open && self.waits_for_canaries() {
                self.canaries.hurry();
            }
            if !input_open && self.is_drained() && pause.is_none() {
                break;
            }
            tokio::select! {
                Some(event) = self.tasks.join_next() => self.handle(event?).await?,
                target = targets.recv(), if input_open && self.may_read_on() => match target {
                    Some(target) => {
                        self.counts.targets += 1;
                        self.begin_lookup(PendingLookup::first(target));
                    }
                    None => input_open = false,
                },
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                () = changes(&mut aside) => {}
                () = self.canaries.due(), if !self.stopping => self.ask_canaries(),
                () = self.outlook.due() => self.look_ahead(),
                () = std::future::ready(()), if !self.coming_back.is_empty() => self.bring_back().await?,
                () = std::future::ready(()), if self.names_may_come_back() => self.bring_back_names().await?,
                () = stop.cancelled(), if !self.stopping => {
                    input_open = false;
                    self.stop().await?;
                }
            }
        }
        self.counts.unfinished = self.counts.targets - self.counts.done();
        self.counts.cool_downs = self.pacer.cool_downs();
        self.counts.samples = self.samples.counts();
        Ok(self.counts)
    }

    /// Drops what has not started; what is known already is recorded.
    async fn stop(&mut self) -> Result<(), EngineError> {
        self.stopping = true;
        self.end_held_fetches();
        self.pacer.clear();
        self.lookups.stop();
        self.spill.clear();
        self.coming_back.clear();
        self.names_back.clear();
        self.progress.pauses_given_up();
        for (id, known) in self.under_way.take_idle() {
            self.probed(id, known).await?;
        }
        self.record_held().await
    }

    /// Starts what may start; gives the time to wait if only the rate forbids
    /// more.
    async fn start_probes(&mut self) -> Result<Option<Duration>, EngineError> {
        if self.canaries.is_shut() {
            return Ok(None);
        }
        loop {
            match self.pacer.begin_next() {
                NextStart::Start(id, place) => {
                    if self.is_wanted(id) {
                        self.begin(id, place);
                    } else {
                        self.leave_alone(id, place).await?;
                    }
                    self.make_room(place);
                }
                NextStart::Rest(bucket, pause) => self.rest(bucket, pause),
                NextStart::Forgo(id, bucket) => self.forgo(id, bucket).await?,
                NextStart::After(pause) => return Ok(Some(pause)),
                NextStart::Nothing => return Ok(None),
            }
        }
    }

    /// Whether nothing is left to happen. Pauses that tasks are still sleeping
    /// through for nobody are not worth waiting for.
    fn is_drained(&self) -> bool {
        let nobody_waits = self.joiner.is_empty() && self.lookups.is_idle() && self.spill.len() == 0;
        let quiet = self.pacer.open() == 0 && !self.canaries.is_busy();
        quiet && (nobody_waits || self.stopping && self.lookups.under_way() == 0)
    }

    /// Begins a connection: the probe of a key, or a further hello to it.
    fn begin(&mut self, id: KeyId, place: AskedPlace) {
        let Some(key) = self.keys.key(id).cloned() else { return };
        self.counts.connections += 1;
        self.progress.set_in_flight(self.pacer.open());
        let made_for = self.under_way.begin(id, self.keys.has_tlsa(id));
        let (probe, policy, starts) = (self.probe.clone(), self.policy.clone(), self.starts.clone());
        // Boxed: a task moves its future several times, and these are large.
        self.tasks.spawn(Box::pin(async move {
            starts.before(place).await;
            let answer = interrogate::connect(&*probe, &policy, key, &made_for).await;
            Event::Ended { id, place, answer }
        }));
    }

    async fn handle(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Looked { facts, number } => match self.lookups.ended(facts, number) {
                Looked::Known(facts) => self.looked(facts).await,
                Looked::Again(look, pause) => {
                    self.look_again(look, pause);
                    Ok(())
                }
            },
            Event::LookDue(look) => {
                if !self.stopping {
                    self.progress.pause_over(PauseCause::Retry);
                    self.lookups.is_due(look);
                }
                Ok(())
            }
            Event::Ended { id, place, answer } => {
                self.connection_ended(id, place, &answer);
                match self.under_way.ended(id, answer, &self.policy, self.stopping) {
                    Some(Ended::Enqueue) => self.enqueue_again(id),
                    // Its place is left alone for as long as it takes.
                    Some(Ended::Pause(pause))
                        if pause.cause == PauseCause::Retry && self.pacer.is_shut(place) =>
                    {
                        self.enqueue_again(id);
                    }
                    Some(Ended::Pause(pause)) => self.pause(id, pause),
                    Some(Ended::Known(known)) => return self.probed(id, known).await,
                    None => {}
                }
                Ok(())
            }
            Event::Canary(number, seen) => self.canary_ended(number, &seen).await,
            Event::Rested(bucket) => {
                self.pacer.rested(bucket);
                Ok(())
            }
            Event::PauseOver(id, cause) => {
                self.keys.set_paused(id, false);
                if !self.stopping {
                    self.progress.pause_over(cause);
                }
                self.enqueue_again(id);
                Ok(())
            }
        }
    }

    async fn looked(&mut self, facts: DomainFacts) -> Result<(), EngineError> {
        if self.leaves_to_others(&facts) {
            return Ok(());
        }
        if facts.failure.is_some() {
            return self.emit_domain(facts, &[]).await;
        }
        if self.stopping {
            return Ok(());
        }
        self.place(facts, true).await
    }

    /// Has a domain wait in the file or, by its keys, in memory. `is_new`: it comes from
    /// its lookup.
    async fn place(&mut self, facts: DomainFacts, is_new: bool) -> Result<(), EngineError> {
        if self.hold(&facts, is_new).await? || self.put_aside(&facts) {
            return Ok(());
        }
        self.admit(facts).await
    }

    /// Takes a domain in: it waits for its keys.
    async fn admit(&mut self, facts: DomainFacts) -> Result<(), EngineError> {
        let facts = self.as_wanted(facts);
        if facts.failure.is_some() {
            return self.emit_domain(facts, &[]).await;
        }
        let operators: Vec<_> = facts.exchanges.iter().map(|exchange| self.operators.of(exchange)).collect();
        let of_host = |index: usize| {
            let has_tlsa = facts.exchanges.get(index).is_some_and(Exchange::may_have_tlsa);
            (has_tlsa, operators.get(index).copied().flatten())
        };
        let keys: Vec<_> = facts
            .probe_keys(self.config.port)
            .filter(|(_, key)| self.has_key(key))
            .map(|(exchange, key)| (exchange, key, of_host(exchange)))
            .collect();
        let domain = self.joiner.admit(facts);
        let (mut refused, mut inferred) = (Vec::new(), Vec::new());
        for (exchange, key, (has_tlsa, operator)) in keys {
            let permit = self.probe.permit(&key);
            let stand_in = self.samples.stand_in(&key);
            let place = key.clone();
            let registration = self.keys.ask(key, domain);
            if has_tlsa {
                self.keys.note_tlsa(registration.id());
            }
            self.keys.note_operator(registration.id(), operator);
            match registration {
                Registration::Done(id) => self.joiner.rest_on(domain, exchange, id, false),
                Registration::Waiting(id) => self.joiner.rest_on(domain, exchange, id, true),
                Registration::New(id) => {
                    self.joiner.rest_on(domain, exchange, id, true);
                    if self.config.sample && stand_in.is_none() {
                        // Refused or not: what is found of it comes in any case.
                        self.samples.asked(&place);
                    }
                    match (permit, stand_in) {
                        (Err(failure), _) => refused.push((id, failure)),
                        (Ok(()), Some(other)) => inferred.push((id, other)),
                        (Ok(()), None) => self.enqueue(id),
                    }
                }
            }
        }
        for (id, failure) in refused {
            self.refuse(id, failure).await?;
        }
        for (id, other) in inferred {
            self.infer(id, other).await?;
        }
        match self.joiner.take_if_complete(domain) {
            Some(pending) => self.complete(pending).await,
            None => Ok(()),
        }
    }

    /// Has a key wait for its first connection.
    fn enqueue(&mut self, id: KeyId) {
        if let Some(place) = self.goes_on_at(id) {
            self.pacer.push(id, place);
        }
    }

    /// Has it wait for another.
    fn enqueue_again(&mut self, id: KeyId) {
        if let Some(place) = self.goes_on_at(id) {
            self.pacer.push_again(id, place);
        }
    }

    /// Where a key is asked, unless the run is being stopped.
    fn goes_on_at(&self, id: KeyId) -> Option<AskedPlace> {
        let endpoint = self.keys.key(id)?.endpoint;
        (!self.stopping).then(|| AskedPlace { endpoint, operator: self.keys.operator(id) })
    }

    fn rest(&mut self, bucket: BucketKey, pause: Duration) {
        self.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            Event::Rested(bucket)
        });
    }

    /// Lets time pass before a key is asked again; no permit is held meanwhile.
    fn pause(&mut self, id: KeyId, pause: Pause) {
        let (endpoint, Pause { time, cause }) = (self.keys.key(id).map(ToString::to_string), pause);
        tracing::info!(endpoint, ?time, ?cause, "asked again later");
        self.keys.set_paused(id, true);
        self.progress.pause_begun(cause);
        self.outlook.pause(time);
        self.tasks.spawn(async move {
            tokio::time::sleep(time).await;
            Event::PauseOver(id, cause)
        });
    }

    /// Records a key whose place was given up, with what is known of it.
    async fn forgo(&mut self, id: KeyId, bucket: BucketKey) -> Result<(), EngineError> {
        if let Some(place) = self.goes_on_at(id) {
            self.make_room(place);
        }
        if let Some(known) = self.under_way.take(id) {
            return self.probed(id, known).await;
        }
        let Some(key) = self.keys.key(id) else { return Ok(()) };
        if let Some(known) = self.nobody_there.known(key).filter(|_| matches!(bucket, BucketKey::Endpoint(_)))
        {
            return self.probed(id, known).await;
        }
        let name = bucket.name(Some(key));
        let failure = Failure::new(Phase::Connect, Kind::Throttled);
        self.refuse(id, failure.with_detail(format!("not asked: {name} kept turning connections away"))).await
    }

    /// Records a key that must not be connected to.
    async fn refuse(&mut self, id: KeyId, failure: Failure) -> Result<(), EngineError> {
        let Some(key) = self.keys.key(id).cloned() else { return Ok(()) };
        self.probed(id, Known::refused(key, failure)).await
    }

    /// Records a key that need not be asked.
    async fn infer(&mut self, id: KeyId, stand_in: Option<MxHost>) -> Result<(), EngineError> {
        let Some(key) = self.keys.key(id).cloned() else { return Ok(()) };
        let observation = Observation::not_asked(key, Timestamp::now(), stand_in);
        self.probed(id, Known::unasked(observation)).await
    }

    /// Records a key of which all is known that is asked for.
    async fn probed(&mut self, id: KeyId, known: Known) -> Result<(), EngineError> {
        match self.hold_back(id, known) {
            Some(known) => self.record(id, known).await,
            None => Ok(()),
        }
    }

    async fn record(&mut self, id: KeyId, mut known: Known) -> Result<(), EngineError> {
        self.addresses.tell(&mut known.observation);
        let tlsa = self.keys.has_tlsa(id);
        known.observation.tlsa = Some(tlsa);
        let Known { observation, assessments } = known;
        let established = observation.tls.as_ref().is_some_and(|tls| tls.established);
        self.reach.add(&observation);
        if observation.attempts > 0 {
            self.outlook.asked();
        }
        let suspect = self.reach.is_suspect(observation.key.endpoint.ip);
        let stand_in = observation.stand_in().and_then(|key| self.keys.found(&key).cloned());
        let stand_in = stand_in.map(|kept| self.whole(&kept)).transpose()?;
        let context = KeyContext { network_suspect: suspect, tlsa, stand_in: stand_in.as_deref() };
        let (record, judged) = self.policy.endpoint_of_run(*observation, &assessments, context);
        if self.config.sample {
            self.samples.found(&judged);
            self.settle_names(judged.finding.key.endpoint);
        }
        let kept = self.findings.keep(judged, &record.observation, context);
        self.counts.endpoints += 1;
        self.progress.probe_done(established);
        self.emit(Record::Endpoint(Box::new(record))).await?;
        for domain in self.keys.finish(id, kept) {
            if let Some(pending) = self.joiner.arrived(domain) {
                self.complete(pending).await?;
            }
        }
        Ok(())
    }

    async fn complete(&mut self, pending: Pending) -> Result<(), EngineError> {
        let facts = self.as_wanted(pending.facts);
        if facts.failure.is_some() {
            return self.emit_domain(facts, &[]).await;
        }
        let mut probes = Vec::with_capacity(pending.probes.len());
        for (exchange, id) in &pending.probes {
            if let Some(kept) = self.keys.kept(*id).cloned() {
                probes.push((*exchange, self.whole(&kept)?));
            }
        }
        self.emit_domain(facts, &probes).await
    }

    fn whole(&mut self, kept: &KeptFinding) -> Result<Arc<JudgedEndpoint>, EngineError> {
        self.findings.whole(&self.policy, kept).map_err(EngineError::Findings)
    }

    async fn emit_domain(
        &mut self,
        facts: DomainFacts,
        probes: &[(usize, Arc<JudgedEndpoint>)],
    ) -> Result<(), EngineError> {
        let Some(facts) = self.keep_part(facts).await? else { return Ok(()) };
        let verdict = self.policy.verdict(&facts, probes);
        let failure = failure_of(&facts, &verdict);
        self.counts.domains += 1;
        self.progress.domain_done(failure);
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
