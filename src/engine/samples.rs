//! Names on one address: where many of them are answered alike, the rest are not
//! asked.
//!
//! A name is drawn by its hash, so that the order of the list has no say. Of the
//! first fifty names at an address and port each is asked; of those that come later
//! as many as a draw of fifty out of all takes, and one in a hundred at least. The rest
//! wait until the list is at its end. Then, if all that were asked were answered alike,
//! and so was a look without a name, they are told as one of these; else they are
//! asked.

use crate::model::{Delivery, Endpoint, JudgedEndpoint, MxHost, NegotiatedTls, Outcome, ProbeKey};
use indexmap::IndexMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Names of an address and port that are asked in any case. Only where there are more
/// a sample is drawn, and so many are in it at least.
pub const NAMES_ASKED_MIN: u32 = 50;

/// Of more names one in so many is in the sample at least.
pub const NAMES_PER_ASKED_MAX: u32 = 100;

/// What became of the look without a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Nameless {
    #[default]
    NotMade,
    Made,
    Alike,
}

/// What is known of the names of an address and port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Likeness {
    /// Not enough of them were asked, or not all names are known yet.
    #[default]
    Drawing,
    /// All of the sample were answered alike.
    Alike,
    /// Not so: everyone is asked.
    Differs,
}

/// A name whose answer may count for others.
#[derive(Debug)]
struct StandIn {
    sni: Option<MxHost>,
    session: Arc<NegotiatedTls>,
}

/// The names of one address and port.
#[derive(Debug, Default)]
struct AddressNames {
    /// Names that were met. Of those that wait some may have been counted twice.
    met: u32,
    /// Keys that are being asked.
    open: u32,
    /// Names that were answered as `stand_in` was.
    alike: u32,
    /// Names that are to be asked beside those that were drawn.
    lacking: u32,
    /// The first that was answered.
    stand_in: Option<StandIn>,
    nameless: Nameless,
    likeness: Likeness,
}

impl AddressNames {
    /// Names that must have been answered alike before the rest is told so.
    fn needed(&self) -> u32 {
        NAMES_ASKED_MIN.max(self.met.div_ceil(NAMES_PER_ASKED_MAX))
    }

    /// Whether a name, of which `draw` is anywhere from 0 to 1, is in the names.
    fn takes(&self, draw: f64) -> bool {
        let share = f64::from(NAMES_ASKED_MIN) / f64::from(self.met.max(1));
        draw < share.max(1.0 / f64::from(NAMES_PER_ASKED_MAX))
    }

    fn holds(&self, draw: f64) -> bool {
        let is_open = self.likeness == Likeness::Drawing && self.lacking == 0;
        is_open && self.met > NAMES_ASKED_MIN && !self.takes(draw)
    }

    fn lets_go(&self) -> bool {
        self.likeness != Likeness::Drawing || self.lacking > 0
    }

    /// Takes what was found of a key that was asked.
    fn found(&mut self, judged: &JudgedEndpoint) {
        self.open = self.open.saturating_sub(1);
        let Outcome { delivery, session, .. } = &judged.outcome;
        let sni = &judged.finding.key.sni;
        match (delivery, session, &self.stand_in) {
            // It says nothing of the others, neither way.
            (Delivery::Undetermined, ..) => return,
            (Delivery::Encrypted, Some(session), None) => {
                self.stand_in = Some(StandIn { sni: sni.clone(), session: session.clone() });
            }
            (Delivery::Encrypted, Some(session), Some(first)) if first.session == *session => {}
            _ => {
                self.likeness = Likeness::Differs;
                return;
            }
        }
        if sni.is_some() {
            self.alike += 1;
        } else {
            self.nameless = Nameless::Alike;
        }
    }

    /// Decides, once all names are known and nobody is being asked.
    fn settle(&mut self) {
        // Nobody waits where nobody looked without a name.
        if self.likeness != Likeness::Drawing || self.nameless == Nameless::NotMade || self.open > 0 {
            return;
        }
        self.lacking = self.needed().saturating_sub(self.alike);
        if self.lacking == 0 {
            let is_alike = self.nameless == Nameless::Alike;
            self.likeness = if is_alike { Likeness::Alike } else { Likeness::Differs };
        }
    }
}

/// What sampling came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleCounts {
    /// Addresses and ports whose names were not all asked.
    pub alike: u64,
    /// Names that were asked there.
    pub names_asked: u64,
    /// Names that were not.
    pub names_inferred: u64,
    /// Addresses and ports with as many names at which all were asked, because not all
    /// were answered alike.
    pub differs: u64,
    /// Whether names could not wait, for want of a file, and were asked.
    pub could_not_wait: bool,
}

/// The names of all addresses and ports.
#[derive(Debug, Default)]
pub(super) struct Samples {
    seed: u64,
    is_list_known: bool,
    /// Hundreds of thousands, of which most have one name: they stand side by side, and
    /// not in a table with as many empty places.
    at: IndexMap<Endpoint, AddressNames>,
    counts: SampleCounts,
}

impl Samples {
    /// Draws by this seed, from now on.
    pub(super) fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Counts a name that was not met before.
    pub(super) fn met(&mut self, key: &ProbeKey) {
        if key.sni.is_some() {
            let names = self.at.entry(key.endpoint).or_default();
            names.met = names.met.saturating_add(1);
        }
    }

    /// Whether a name has to wait until all names of its address are known.
    pub(super) fn holds(&self, key: &ProbeKey) -> bool {
        let Some(name) = &key.sni else { return false };
        self.at.get(&key.endpoint).is_some_and(|names| names.holds(self.draw(name)))
    }

    /// Whether names that wait at this address and port do so no longer.
    pub(super) fn lets_go(&self, endpoint: Endpoint) -> bool {
        self.at.get(&endpoint).is_none_or(AddressNames::lets_go)
    }

    /// The look without a name, if it is to be made now.
    pub(super) fn look_without_name(&mut self, endpoint: Endpoint) -> Option<ProbeKey> {
        let names = self.at.get_mut(&endpoint).filter(|names| names.nameless == Nameless::NotMade)?;
        names.nameless = Nameless::Made;
        Some(ProbeKey { endpoint, sni: None })
    }

    /// Notes that a key is being asked.
    pub(super) fn asked(&mut self, key: &ProbeKey) {
        let names = self.at.entry(key.endpoint).or_default();
        names.open += 1;
        names.lacking -= u32::from(key.sni.is_some() && names.lacking > 0);
    }

    /// Whose answer counts for this name, if it need not be asked; `None` in it for
    /// the look without a name.
    pub(super) fn stand_in(&self, key: &ProbeKey) -> Option<Option<MxHost>> {
        let names = self.at.get(&key.endpoint).filter(|names| names.likeness == Likeness::Alike)?;
        let other = names.stand_in.as_ref()?;
        key.sni.as_ref().map(|_| other.sni.clone())
    }

    /// Takes what was found of a key, asked or not.
    pub(super) fn found(&mut self, judged: &JudgedEndpoint) {
        let names = self.at.entry(judged.finding.key.endpoint).or_default();
        if judged.is_sampled() {
            self.counts.names_inferred += 1;
        } else {
            names.found(judged);
        }
    }

    /// Decides what can be decided at an address and port; whether those who wait
    /// there do so no longer.
    pub(super) fn settle(&mut self, endpoint: Endpoint) -> bool {
        let Some(names) = self.at.get_mut(&endpoint) else { return false };
        if self.is_list_known {
            names.settle();
        }
        names.lets_go()
    }

    /// Whether the list was told to be at its end.
    pub(super) fn is_list_known(&self) -> bool {
        self.is_list_known
    }

    /// Notes that no further name comes.
    pub(super) fn list_is_known(&mut self) {
        self.is_list_known = true;
    }

    /// Notes that names cannot wait, so that they are asked.
    pub(super) fn cannot_hold(&mut self) {
        self.counts.could_not_wait = true;
    }

    /// What it came to.
    pub(super) fn counts(&self) -> SampleCounts {
        let mut counts = self.counts;
        for names in self.at.values().filter(|names| names.met > NAMES_ASKED_MIN) {
            match names.likeness {
                Likeness::Alike => {
                    counts.alike += 1;
                    counts.names_asked += u64::from(names.alike);
                }
                Likeness::Differs => counts.differs += 1,
                Likeness::Drawing => {}
            }
        }
        counts
    }

    /// From 0 to 1, the same for a name in every process of a run.
    fn draw(&self, name: &MxHost) -> f64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, name).hash(&mut hasher);
        f64::from((hasher.finish() >> 32) as u32) / f64::from(u32::MAX)
    }
}
