//! Names that wait until a sample of those of their address was asked.

use super::{EngineError, Pipeline};
use crate::engine::pace::BucketKey;
use crate::model::{DomainFacts, Endpoint, Exchange};
use crate::stage::{Lookup, Probe};

/// Domains that come back from the file at a time.
const DOMAINS_BACK_AT_ONCE: usize = 64;

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    /// Has a domain wait in the file, if a name of its hosts need not be asked before
    /// more is known of its address. `is_new`: it was not looked at before.
    pub(super) async fn hold(&mut self, facts: &DomainFacts, is_new: bool) -> Result<bool, EngineError> {
        let (true, Some(dir)) = (self.config.sample, self.config.spill_dir.clone()) else { return Ok(false) };
        let mut held_at = None;
        for (exchange, key) in facts.probe_keys(self.config.port) {
            if !self.has_key(&key) || self.keys.knows(&key) || self.probe.permit(&key).is_err() {
                continue;
            }
            if is_new {
                self.samples.met(&key);
            }
            let is_free = self.policy.hangs_on_certificate(facts, exchange);
            if held_at.is_none() && !is_free && self.samples.holds(&key) {
                held_at = Some((exchange, key.endpoint));
            }
        }
        let Some((exchange, endpoint)) = held_at else { return Ok(false) };
        if let Err(error) = self.spill.put(&dir, BucketKey::Endpoint(endpoint), facts) {
            tracing::warn!(%error, "every name is asked");
            self.samples.cannot_hold();
            self.config.spill_dir = None;
            return Ok(false);
        }
        self.look_without_name(endpoint, facts.exchanges.get(exchange)).await?;
        self.settle_names(endpoint);
        Ok(true)
    }

    async fn look_without_name(
        &mut self,
        endpoint: Endpoint,
        exchange: Option<&Exchange>,
    ) -> Result<(), EngineError> {
        let Some(key) = self.samples.look_without_name(endpoint) else { return Ok(()) };
        let permit = self.probe.permit(&key);
        // Where the list names the address itself, what is found then counts.
        let Some(id) = self.keys.ask_for_nobody(key.clone()) else { return Ok(()) };
        self.samples.asked(&key);
        self.keys.note_operator(id, exchange.and_then(|exchange| self.operators.of(exchange)));
        match permit {
            Ok(()) => self.enqueue(id),
            Err(failure) => self.refuse(id, failure).await?,
        }
        Ok(())
    }

    /// Decides at an address, if all is known there that it takes.
    pub(super) fn settle_names(&mut self, endpoint: Endpoint) {
        let is_free = self.samples.settle(endpoint);
        if is_free && self.has_held(endpoint) && !self.names_back.contains(&endpoint) {
            self.names_back.push_back(endpoint);
        }
    }

    /// Domains that wait for a sample. They are taken as not to be asked: that is what
    /// most come to.
    pub(super) fn held_for_samples(&self) -> u64 {
        let held = |endpoint| match self.samples.lets_go(endpoint) {
            true => 0,
            false => self.spill.waiting(BucketKey::Endpoint(endpoint)) as u64,
        };
        self.spill.endpoints().into_iter().map(held).sum()
    }

    fn has_held(&self, endpoint: Endpoint) -> bool {
        self.spill.waiting(BucketKey::Endpoint(endpoint)) > 0
    }

    /// Decides everywhere, once nothing more is to be read or looked up.
    pub(super) fn settle_all_names(&mut self) {
        self.samples.list_is_known();
        for endpoint in self.spill.endpoints() {
            self.settle_names(endpoint);
        }
    }

    /// Whether domains come back that waited for a sample.
    pub(super) fn names_may_come_back(&self) -> bool {
        !self.names_back.is_empty() && self.joiner.len() < self.domains_waiting_max()
    }

    /// Brings some of them back from the file.
    pub(super) async fn bring_back_names(&mut self) -> Result<(), EngineError> {
        let Some(endpoint) = self.names_back.pop_front() else { return Ok(()) };
        for _ in 0..DOMAINS_BACK_AT_ONCE {
            if !self.samples.lets_go(endpoint) {
                return Ok(());
            }
            let facts = self.spill.take(BucketKey::Endpoint(endpoint)).map_err(EngineError::Spill)?;
            let Some(facts) = facts else { return Ok(()) };
            self.place(facts, false).await?;
        }
        self.settle_names(endpoint);
        Ok(())
    }
}
