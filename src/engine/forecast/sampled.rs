//! Which names a sample leaves out, by the draw that the scan itself makes, if all that
//! are asked are answered alike.

use crate::engine::samples::Samples;
use crate::model::{Endpoint, ProbeKey};
use std::collections::{HashMap, HashSet};

/// Buckets of one kind that are named, the slowest first, and addresses with a sample.
pub const BUCKETS_NAMED_MAX: usize = 5;

/// What a sample of the names on one address spares, if all are answered alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForecastSample {
    /// Addresses and ports at which not every name is asked.
    pub endpoints: u64,
    /// Names that are asked there.
    pub names_asked: u64,
    /// Names that are not.
    pub names_not_asked: u64,
    /// Those with the most names, [`BUCKETS_NAMED_MAX`] at most: names that are asked,
    /// and those that are not.
    pub largest: Vec<(Endpoint, u64, u64)>,
}

/// The names of all addresses and ports.
#[derive(Debug)]
pub(super) struct SampledNames {
    samples: Samples,
    /// Names that wait for the sample.
    held: HashSet<ProbeKey>,
    /// Names that are asked.
    asked: HashMap<Endpoint, u64>,
}

impl SampledNames {
    /// Drawn by this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { samples: Samples::default().seeded(seed), held: HashSet::new(), asked: HashMap::new() }
    }

    /// Whether a name is left out; the look without a name that is made for it then.
    pub(super) fn hold(&mut self, key: &ProbeKey, is_free: impl FnOnce() -> bool) -> Option<ProbeKey> {
        let nameless = ProbeKey { endpoint: key.endpoint, sni: None };
        key.sni.as_ref()?;
        if !self.held.contains(key) {
            self.samples.met(key);
        }
        if self.samples.holds(key) && !is_free() {
            self.held.insert(key.clone());
            return Some(nameless);
        }
        self.held.remove(key);
        *self.asked.entry(key.endpoint).or_default() += 1;
        None
    }

    /// What it comes to.
    pub(super) fn told(self) -> ForecastSample {
        let mut held: HashMap<Endpoint, u64> = HashMap::new();
        for key in &self.held {
            *held.entry(key.endpoint).or_default() += 1;
        }
        let asked = |endpoint| self.asked.get(endpoint).copied().unwrap_or_default();
        let mut largest: Vec<_> =
            held.iter().map(|(endpoint, left_out)| (*endpoint, asked(endpoint), *left_out)).collect();
        largest.sort_by_key(|(endpoint, asked, left_out)| (u64::MAX - asked - left_out, *endpoint));
        let told = ForecastSample {
            endpoints: held.len() as u64,
            names_asked: largest.iter().map(|(_, asked, _)| asked).sum(),
            names_not_asked: self.held.len() as u64,
            largest: Vec::new(),
        };
        largest.truncate(BUCKETS_NAMED_MAX);
        ForecastSample { largest, ..told }
    }
}
