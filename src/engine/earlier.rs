//! What an earlier process found of a run that goes on: judged as it was then, it
//! is known, and nobody is asked for it again.

use super::counts::EngineCounts;
use super::findings::{Findings, KeptFinding};
use super::progress::{Progress, failure_of};
use super::samples::Samples;
use crate::interrogate::TlsByAddress;
use crate::model::{
    DomainFacts, DomainRecord, EndpointRecord, HelloEnd, Observation, ProbeKey, Record, Shard, ShardPart,
};
use crate::verdict::{KeyContext, Policy, Reach, said_of_tls};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

/// The findings that a run begins with; by default none, as it begins anew.
#[derive(Default)]
pub struct Earlier {
    /// Whether there was an earlier process.
    pub(super) goes_on: bool,
    /// The part of its list that the run asks; `None` for all of it.
    pub(super) shard: Option<Shard>,
    pub(super) done: HashMap<ProbeKey, KeptFinding>,
    pub(super) reach: Reach,
    pub(super) addresses: TlsByAddress,
    pub(super) counts: EngineCounts,
    pub(super) samples: Samples,
    pub(super) findings: Findings,
}

impl Earlier {
    /// Of a run that goes on, and of which nothing was read yet; what is large goes to a
    /// file in `dir`, where one is named.
    pub fn new(dir: Option<PathBuf>) -> Self {
        Self { goes_on: true, findings: Findings::new(dir), ..Self::default() }
    }

    /// The same of a shard of one; `None` for a whole run.
    #[must_use]
    pub fn in_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// Takes up what was seen of a key; `tlsa` says whether its host has TLSA
    /// records by what is known now. Keys are to come in the order in which they
    /// were recorded.
    ///
    /// # Errors
    /// What was found of another key cannot be read again.
    pub fn endpoint(
        &mut self,
        policy: &Policy,
        observation: Observation,
        tlsa: bool,
        progress: &Progress,
    ) -> io::Result<EndpointRecord> {
        self.reach.add(&observation);
        self.note_said(&observation);
        let network_suspect = self.reach.is_suspect(observation.key.endpoint.ip);
        let tlsa = tlsa || observation.tlsa == Some(true);
        let hellos =
            observation.extra_client_hellos.iter().filter(|hello| hello.end != HelloEnd::NotAsked).count();
        self.counts.endpoints += 1;
        self.counts.connections += u64::from(observation.attempts) + hellos as u64;
        progress.probe_done(observation.tls.as_ref().is_some_and(|tls| tls.established));
        let assessments = policy.assess(&observation);
        let stand_in = observation.stand_in().and_then(|key| self.done.get(&key).cloned());
        let stand_in = stand_in.map(|kept| self.findings.whole(policy, &kept)).transpose()?;
        let context = KeyContext { network_suspect, tlsa, stand_in: stand_in.as_deref() };
        let (record, judged) = policy.endpoint_of_run(observation, &assessments, context);
        self.samples.met(&judged.finding.key);
        self.samples.found(&judged);
        let key = judged.finding.key.clone();
        self.done.insert(key, self.findings.keep(judged, &record.observation, context));
        Ok(record)
    }

    /// Takes up a target; `None` if not all that its answer rests on was taken up
    /// before, so that it is to be asked again.
    ///
    /// # Errors
    /// What was found cannot be read again.
    pub fn domain(
        &mut self,
        policy: &Policy,
        facts: DomainFacts,
        port: u16,
        progress: &Progress,
    ) -> io::Result<Option<Record>> {
        let has = |key: &ProbeKey| self.shard.is_none_or(|shard| shard.has_address(key.endpoint.ip));
        let keys = facts.probe_keys(port).filter(|(_, key)| facts.failure.is_none() && has(key));
        let kept: Option<Vec<_>> =
            keys.map(|(exchange, key)| Some((exchange, self.done.get(&key)?.clone()))).collect();
        let Some(kept) = kept else { return Ok(None) };
        self.counts.targets += 1;
        if self.shard.is_some_and(|shard| shard.part_of(&facts, port) == ShardPart::Part) {
            self.counts.parts += 1;
            progress.domain_passed_on();
            return Ok(Some(Record::Part(Box::new(facts))));
        }
        let whole = |(exchange, kept)| Ok((exchange, self.findings.whole(policy, &kept)?));
        let probes: Vec<_> = kept.into_iter().map(whole).collect::<io::Result<_>>()?;
        let verdict = policy.verdict(&facts, &probes);
        self.counts.domains += 1;
        progress.domain_done(failure_of(&facts, &verdict));
        Ok(Some(Record::Domain(Box::new(DomainRecord { facts, verdict }))))
    }

    /// Whether a key was taken up.
    pub fn knows(&self, key: &ProbeKey) -> bool {
        self.done.contains_key(key)
    }

    /// What the connections to an endpoint said of its address.
    fn note_said(&mut self, observation: &Observation) {
        let endpoint = observation.key.endpoint;
        let others = observation.other_attempts.iter().flatten();
        let failures = others.map(|other| other.failure.as_ref()).chain([observation.failure.as_ref()]);
        for failure in failures.filter(|_| observation.attempts > 0) {
            self.addresses.note(endpoint, said_of_tls::by_probe(failure));
        }
        for hello in &observation.extra_client_hellos {
            self.addresses.note(endpoint, said_of_tls::by_hello(hello));
        }
    }
}
