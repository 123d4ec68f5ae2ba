//! `observations.jsonl` by the key that was asked: where each stands is kept in
//! memory, some 40 bytes each, and it is read when a target rests on it.

use super::StoreError;
use super::certificates::StoredCertificates;
use super::lines::{StoredLines, json_cause};
use super::loss::Loss;
use super::observations::{FILE, JournalLine};
use super::place::{LinePlace, PlacedLines};
use crate::model::{Observation, ProbeKey};
use serde::Deserialize;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

/// Stands for a key; two have the same once in 2^128 pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct KeyDigest(u64, u64);

/// The key of a line.
#[derive(Deserialize)]
struct OfKey {
    key: ProbeKey,
}

#[derive(Clone, Copy)]
struct NotedKey {
    place: LinePlace,
    tlsa: bool,
}

/// Reads `observations.jsonl` of a run that ended.
pub struct ObservationsByKey {
    lines: PlacedLines,
    certificates: StoredCertificates,
    hashes: (RandomState, RandomState),
    places: HashMap<KeyDigest, NotedKey>,
}

impl ObservationsByKey {
    /// Notes where each key stands, and hands it over; a cause why it is not to be
    /// there is an error.
    pub(super) fn open(
        dir: &Path,
        check: impl Fn(&ProbeKey) -> Result<(), String>,
    ) -> Result<Self, StoreError> {
        let certificates = StoredCertificates::open(dir, Loss::Nothing)?;
        let hashes = (RandomState::new(), RandomState::new());
        let lines = PlacedLines::open(dir, FILE)?;
        let mut noted = Self { lines, certificates, hashes, places: HashMap::new() };
        let mut lines = StoredLines::open(dir, FILE)?;
        while let Some(line) = lines.read_next()? {
            let place = LinePlace::new(line.offset, line.text.len());
            let key = serde_json::from_slice::<OfKey>(line.text);
            let key = key.map_err(|error| lines.broken(json_cause(&error)))?.key;
            check(&key).map_err(|cause| lines.broken(cause))?;
            let digest = noted.digest(&key);
            if noted.places.insert(digest, NotedKey { place, tlsa: false }).is_some() {
                return Err(lines.broken(format!("{key} occurs a second time")));
            }
        }
        Ok(noted)
    }

    fn digest(&self, key: &ProbeKey) -> KeyDigest {
        KeyDigest(self.hashes.0.hash_one(key), self.hashes.1.hash_one(key))
    }

    /// Notes that the host of a key has TLSA records, if the key is there.
    pub fn note_tlsa(&mut self, key: &ProbeKey) {
        let digest = self.digest(key);
        if let Some(entry) = self.places.get_mut(&digest) {
            entry.tlsa = true;
        }
    }

    /// Whether that was noted.
    pub fn has_tlsa(&self, key: &ProbeKey) -> bool {
        self.places.get(&self.digest(key)).is_some_and(|entry| entry.tlsa)
    }

    /// Whether a key was asked.
    pub fn has(&self, key: &ProbeKey) -> bool {
        self.places.contains_key(&self.digest(key))
    }

    /// How many keys were asked.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// What was seen of a key; `None` if it was not asked.
    ///
    /// # Errors
    /// [`StoreError`]: its line or a certificate cannot be read.
    pub fn read(&mut self, key: &ProbeKey) -> Result<Option<Observation>, StoreError> {
        let Some(NotedKey { place, .. }) = self.places.get(&self.digest(key)).copied() else {
            return Ok(None);
        };
        let text = self.lines.read(place)?;
        let broken = |cause: String| self.lines.unusable(format!("{key}: {cause}"));
        let line = JournalLine::parse(&text).map_err(broken)?;
        line.with_certificates(|digest| match self.certificates.der(digest)? {
            None => Err(broken(format!("certificates.csv has no certificate {digest}"))),
            found => Ok(found),
        })
    }
}
