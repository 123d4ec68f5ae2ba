//! How many wait, and where: in memory as long as they are few, else in a file.

use super::{EngineError, Pipeline};
use crate::engine::pace::{AskedPlace, BucketKey};
use crate::model::{DomainFacts, ProbeKey};
use crate::stage::{Lookup, Probe};

/// Domains that may wait for their endpoints, for each connection that may be
/// open: enough that a slow address does not starve the others.
const DOMAINS_WAITING_PER_CONNECTION: usize = 8;

/// Domains that may wait in any case.
const DOMAINS_WAITING_MIN: usize = 1024;

/// Domains beyond those that may wait because time must pass before a host of
/// theirs is asked again. Each takes some kilobytes. At 60 s for a second look
/// that is a thousand a second which say "no TLS"; beyond it the reading of
/// targets waits.
const DOMAINS_PAUSED_MAX: usize = 65_536;

/// Keys at one network, and of one operator, that may wait in memory; domains whose
/// keys would be more wait in a file. So many for each address, so that none of these
/// runs out of work while others have much: of n that wait for m addresses served
/// alike, an address has none for a part m / (n + m) of the time.
const KEYS_AT_ADDRESS_MAX: usize = 32;
const KEYS_WAITING_MIN: usize = 256;
const KEYS_WAITING_MAX: usize = 1_024;

/// The same where half of the domains that may wait do so already.
const KEYS_AT_ADDRESS_CROWDED_MAX: usize = 12;
const KEYS_WAITING_CROWDED_MIN: usize = 16;
const KEYS_WAITING_CROWDED_MAX: usize = 256;

/// Domains that come back from the file at a time, where fewer wait than half of
/// those that may.
const DOMAINS_BACK_AT_ONCE: usize = 64;

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    /// Domains that may wait in memory.
    pub(super) fn domains_waiting_max(&self) -> usize {
        DOMAINS_WAITING_MIN.max(self.config.limits.in_flight * DOMAINS_WAITING_PER_CONNECTION)
    }

    /// Whether the list may be read on. Who comes back from a file comes first: he was
    /// read before, and is of those that take longest.
    pub(super) fn may_read_on(&self) -> bool {
        self.coming_back.is_empty() && !self.names_may_come_back() && self.has_room()
    }

    fn has_room(&self) -> bool {
        let waiting_max = self.domains_waiting_max();
        let paused = self.keys.paused_domains().min(DOMAINS_PAUSED_MAX);
        // Whoever waits for a slow connection is beside those who wait for a quick one.
        self.lookups.has_room()
            && self.joiner.len() + self.lookups.busy() < waiting_max + paused + self.pacer.slow()
    }

    /// Has a domain wait in the file, if many wait already for what it waits for.
    pub(super) fn put_aside(&mut self, facts: &DomainFacts) -> bool {
        let Some(group) = self.crowded(facts) else { return false };
        let Some(dir) = &self.config.spill_dir else { return false };
        match self.spill.put(dir, group, facts) {
            Ok(()) => {
                self.pacer.set_aside(group, self.spill.waiting(group));
                let keys = self.open_places(facts).filter(|place| place.groups().any(|other| other == group));
                let keys = keys.count();
                self.outlook.put_aside(keys);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "domains that wait go on waiting in memory");
                self.config.spill_dir = None;
                false
            }
        }
    }

    /// Whether nobody need be asked for a key.
    fn is_known(&self, key: &ProbeKey) -> bool {
        self.keys.is_done(key) || self.samples.stand_in(key).is_some()
    }

    /// Keys at this network, or of this operator, that may wait in memory now.
    fn keys_waiting_max(&self, group: BucketKey) -> usize {
        let is_crowded = self.joiner.len() * 2 > self.domains_waiting_max();
        let addresses = self.pacer.addresses(group);
        if is_crowded {
            let keys = addresses * KEYS_AT_ADDRESS_CROWDED_MAX;
            keys.clamp(KEYS_WAITING_CROWDED_MIN, KEYS_WAITING_CROWDED_MAX)
        } else {
            (addresses * KEYS_AT_ADDRESS_MAX).clamp(KEYS_WAITING_MIN, KEYS_WAITING_MAX)
        }
    }

    /// The first of what a domain waits for for which as many wait as may.
    fn crowded(&self, facts: &DomainFacts) -> Option<BucketKey> {
        self.config.spill_dir.as_ref()?;
        let mut groups = self.open_places(facts).flat_map(AskedPlace::groups);
        groups.find(|group| self.pacer.waiting(*group) >= self.keys_waiting_max(*group))
    }

    /// Where the hosts of a domain are that are still to be asked.
    fn open_places(&self, facts: &DomainFacts) -> impl Iterator<Item = AskedPlace> {
        let open =
            facts.probe_keys(self.config.port).filter(|(_, key)| self.has_key(key) && !self.is_known(key));
        open.map(|(exchange, key)| {
            let operator = facts.exchanges.get(exchange).and_then(|exchange| self.operators.of(exchange));
            AskedPlace { endpoint: key.endpoint, operator }
        })
    }

    /// Notes that domains may come back from the file, where few wait now for what
    /// this place belongs to.
    pub(super) fn make_room(&mut self, place: AskedPlace) {
        place.groups().for_each(|group| self.make_room_at(group));
    }

    fn make_room_at(&mut self, group: BucketKey) {
        let has_room = self.pacer.waiting(group) < self.keys_waiting_max(group) / 2;
        if self.spill.waiting(group) > 0 && has_room && !self.coming_back.contains(&group) {
            self.coming_back.push_back(group);
        }
    }

    /// Brings some domains back from the file.
    pub(super) async fn bring_back(&mut self) -> Result<(), EngineError> {
        let Some(group) = self.coming_back.pop_front() else { return Ok(()) };
        for _ in 0..DOMAINS_BACK_AT_ONCE {
            let Some(facts) = self.spill.take(group).map_err(EngineError::Spill)? else { return Ok(()) };
            self.pacer.set_aside(group, self.spill.waiting(group));
            self.admit(facts).await?;
        }
        self.make_room_at(group);
        Ok(())
    }
}
