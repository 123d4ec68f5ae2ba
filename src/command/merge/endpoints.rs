//! What was seen at the endpoints of all shards. It is judged once for its row, and
//! again for the targets that rest on it, unless that was done a moment ago.

use super::joined::suspect_families;
use crate::command::CommandError;
use crate::model::{
    DomainFacts, EndpointRecord, Exchange, Failure, JudgedEndpoint, Kind, Observation, Phase, ProbeKey, Shard,
};
use crate::run_dir::RunInfo;
use crate::run_dir::read::{Observations, ObservationsByKey, Stored, StoredRun};
use crate::verdict::{KeyContext, Policy, Reach};
use anyhow::anyhow;
use jiff::Timestamp;
use quick_cache::unsync::Cache;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Judged endpoints that are kept for the targets to come, some kilobytes each.
const JUDGED_KEPT_MAX: usize = 8192;

/// The observations of all shards.
pub(super) struct Endpoints {
    shards: Vec<(Shard, ObservationsByKey)>,
    judged: Cache<ProbeKey, Arc<JudgedEndpoint>>,
    /// What no shard asked, as the DNS told one of it, and another not; few.
    unasked: BTreeMap<ProbeKey, Observation>,
    reach: Reach,
    suspects: Vec<String>,
    /// When the last shard ended.
    ended: Timestamp,
}

impl Endpoints {
    /// Notes where each stands.
    ///
    /// # Errors
    /// A file cannot be read, or holds what does not belong to its shard, or not all
    /// that its run wrote.
    pub(super) fn open(shards: &[(PathBuf, StoredRun)]) -> Result<Self, CommandError> {
        let mut opened = Vec::new();
        for (path, run) in shards {
            let Some(shard) = run.info().shard else { continue };
            let belongs = |key: &ProbeKey| {
                let ip = key.endpoint.ip;
                let told = || format!("{key} does not belong to shard {shard}");
                shard.has_address(ip).then_some(()).ok_or_else(told)
            };
            let observations = run.observations_by_key(belongs)?;
            let (has, wrote) = (observations.count() as u64, run.info().counts.endpoints_written);
            if has != wrote {
                let path = path.display();
                let told = format!("observations.jsonl has {has} lines, and {wrote} were written");
                return Err(anyhow!("cannot join {path}: {told}").into());
            }
            opened.push((shard, observations));
        }
        let ended = shards.iter().filter_map(|(_, run)| run.info().ended).max();
        Ok(Self {
            shards: opened,
            judged: Cache::new(JUDGED_KEPT_MAX),
            unasked: BTreeMap::new(),
            reach: Reach::default(),
            suspects: Vec::new(),
            ended: ended.unwrap_or_else(Timestamp::now),
        })
    }

    /// Families over which some machine let nothing out.
    pub(super) fn suspects(&self) -> &[String] {
        &self.suspects
    }

    /// Where TCP opened.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    fn of_key(&mut self, key: &ProbeKey) -> Option<&mut ObservationsByKey> {
        let found = self.shards.iter_mut().find(|(shard, _)| shard.has_address(key.endpoint.ip));
        found.map(|(_, observations)| observations)
    }

    /// Notes the keys whose certificates a domain holds against TLSA records.
    pub(super) fn note_tlsa(&mut self, facts: &DomainFacts, port: u16) {
        for (exchange, key) in facts.probe_keys(port) {
            if facts.exchanges.get(exchange).is_some_and(Exchange::may_have_tlsa)
                && let Some(observations) = self.of_key(&key)
            {
                observations.note_tlsa(&key);
            }
        }
    }

    /// Whether its shard asked for a key.
    pub(super) fn was_asked(&self, key: &ProbeKey) -> bool {
        let found = self.shards.iter().find(|(shard, _)| shard.has_address(key.endpoint.ip));
        found.is_some_and(|(_, observations)| observations.has(key))
    }

    /// Finds where TCP opened, by all observations; they are judged by that.
    pub(super) fn find_reach(
        &mut self,
        shards: &[(PathBuf, StoredRun)],
        named: &[(&Path, &RunInfo)],
    ) -> Result<(), CommandError> {
        for (_, run) in shards {
            let mut observations = run.observations()?.known_to_differ();
            while let Some(observation) = self.next_whole(&mut observations)? {
                self.reach.add(&observation);
            }
        }
        self.suspects = suspect_families(named, &self.reach);
        Ok(())
    }

    /// The next observation of a shard, which came to its end.
    pub(super) fn next_whole(
        &self,
        observations: &mut Observations,
    ) -> Result<Option<Observation>, CommandError> {
        Ok(match observations.read_next()? {
            Some(Stored::Whole(observation)) => Some(*observation),
            _ => None,
        })
    }

    /// Judges what was seen at an endpoint.
    pub(super) fn judge(
        &mut self,
        policy: &Policy,
        observation: Observation,
    ) -> Result<(EndpointRecord, Arc<JudgedEndpoint>), CommandError> {
        let key = observation.key.clone();
        let stand_in = match observation.stand_in() {
            Some(other) => self.asked(policy, &other)?,
            None => None,
        };
        let noted = self.of_key(&key).is_some_and(|observations| observations.has_tlsa(&key));
        let family = if key.endpoint.ip.is_ipv4() { "ipv4" } else { "ipv6" };
        let context = KeyContext {
            network_suspect: self.suspects.iter().any(|suspect| suspect == family),
            tlsa: noted || observation.tlsa == Some(true),
            stand_in: stand_in.as_deref(),
        };
        let assessments = policy.assess(&observation);
        let (record, judged) = policy.endpoint_of_run(observation, &assessments, context);
        let judged = Arc::new(judged);
        self.judged.insert(key, judged.clone());
        Ok((record, judged))
    }

    /// What an endpoint that was asked comes to; `None` of one that was not, which stands
    /// for no other, whatever a file says.
    fn asked(
        &mut self,
        policy: &Policy,
        key: &ProbeKey,
    ) -> Result<Option<Arc<JudgedEndpoint>>, CommandError> {
        if let Some(judged) = self.judged.get(key) {
            return Ok(Some(judged.clone()).filter(|judged| !judged.is_sampled()));
        }
        let seen = self.of_key(key).map(|observations| observations.read(key)).transpose()?.flatten();
        match seen.filter(|seen| seen.stand_in().is_none()) {
            Some(seen) => Ok(Some(self.judge(policy, seen)?.1)),
            None => Ok(None),
        }
    }

    /// What an endpoint comes to.
    pub(super) fn judged(
        &mut self,
        policy: &Policy,
        key: &ProbeKey,
    ) -> Result<Arc<JudgedEndpoint>, CommandError> {
        if let Some(judged) = self.judged.get(key) {
            return Ok(judged.clone());
        }
        let seen = match self.unasked.get(key) {
            Some(unasked) => Some(unasked.clone()),
            None => self.of_key(key).map(|observations| observations.read(key)).transpose()?.flatten(),
        };
        let Some(seen) = seen else {
            return Err(anyhow!("no shard has {key}, on which a target rests").into());
        };
        Ok(self.judge(policy, seen)?.1)
    }

    /// The row of an endpoint for which no shard asked, if it is not told yet.
    pub(super) fn tell_unasked(
        &mut self,
        policy: &Policy,
        key: &ProbeKey,
        facts: &DomainFacts,
    ) -> Result<Option<EndpointRecord>, CommandError> {
        if self.was_asked(key) || self.unasked.contains_key(key) {
            return Ok(None);
        }
        let told = format!(
            "not asked: the DNS told this address of {} to another shard alone",
            facts.target.subject.label()
        );
        let failure = Failure::new(Phase::Connect, Kind::LocalError).with_detail(told);
        let observation = Observation::failed(key.clone(), self.ended, 0, failure);
        self.unasked.insert(key.clone(), observation.clone());
        Ok(Some(self.judge(policy, observation)?.0))
    }
}
