//! `observations.jsonl` read back, the certificates put in their places.

use super::certificates::StoredCertificates;
use super::lines::{StoredLines, check_schema, check_version, json_cause};
use super::loss::Loss;
use super::{StoreError, schema_1};
use crate::model::{Observation, ProbeKey, Sha256};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

pub(super) const FILE: &str = "observations.jsonl";

/// What a line holds beside the observation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Beside {
    schema: u32,
    chain: Vec<Sha256>,
    #[serde(alias = "hello_chains")]
    extra_client_hello_chains: Vec<Vec<Sha256>>,
}

/// A line as it was read, its certificates by name only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    observation: Observation,
    beside: Beside,
}

impl JournalLine {
    /// Reads a line, its end cut off.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        // Twice over the line, each time without what the other takes: to
        // flatten one into the other would copy the whole of it.
        let read = serde_json::from_slice::<Observation>(line)
            .and_then(|observation| Ok((observation, serde_json::from_slice::<Beside>(line)?)));
        // A line of another schema may well lack something; that is not the cause.
        let cause = |error| check_schema(line).err().unwrap_or_else(|| json_cause(&error));
        let (mut observation, beside) = read.map_err(cause)?;
        check_version(beside.schema)?;
        if beside.schema == 1 {
            schema_1::forget_mixed_tickets(&mut observation);
            schema_1::count_replies(&mut observation);
        }
        if beside.extra_client_hello_chains.len() != observation.extra_client_hellos.len()
            || (observation.tls.is_none() && !beside.chain.is_empty())
        {
            return Err("not as many chains as handshakes".to_string());
        }
        Ok(Self { observation, beside })
    }

    /// The observation with its certificates in their places; `None` if `der`
    /// has not all of them.
    ///
    /// # Errors
    /// That of `der`.
    pub fn with_certificates<E>(
        self,
        mut der: impl FnMut(&Sha256) -> Result<Option<Arc<[u8]>>, E>,
    ) -> Result<Option<Observation>, E> {
        let Self { mut observation, beside } = self;
        // Stops at the first certificate that is missing.
        let mut chain =
            |digests: &[Sha256]| digests.iter().map(&mut der).collect::<Result<Option<Vec<_>>, E>>();
        let Some(handshake) = chain(&beside.chain)? else { return Ok(None) };
        if let Some(tls) = &mut observation.tls {
            tls.chain = handshake;
        }
        for (hello, digests) in
            observation.extra_client_hellos.iter_mut().zip(&beside.extra_client_hello_chains)
        {
            let Some(chain) = chain(digests)? else { return Ok(None) };
            hello.chain = chain;
        }
        if beside.schema == 1 {
            schema_1::judge_signature(&mut observation);
        }
        Ok(Some(observation))
    }
}

/// A probe as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// An observation with every key that its schema has.
    Whole(Box<Observation>),
    /// A run that was killed did not write all of its certificates down.
    Incomplete,
}

/// Reads `observations.jsonl`.
pub struct Observations {
    lines: StoredLines,
    certificates: StoredCertificates,
    lost: Loss,
    /// The probes read so far; `None` where it is known that each stands there once.
    read: Option<HashSet<ProbeKey>>,
}

impl Observations {
    pub(super) fn open(dir: &Path, lost: Loss) -> Result<Self, StoreError> {
        let (lines, certificates) = (StoredLines::open(dir, FILE)?, StoredCertificates::open(dir, lost)?);
        Ok(Self { lines, certificates, lost, read: Some(HashSet::new()) })
    }

    /// The same of a file of which it is known that no probe stands there twice, as
    /// [`ObservationsByKey`](super::ObservationsByKey) finds out in less memory.
    #[must_use]
    pub fn known_to_differ(self) -> Self {
        Self { read: None, ..self }
    }

    /// The next probe.
    ///
    /// # Errors
    /// [`StoreError`]: its line or a certificate cannot be read, or it was read
    /// before.
    pub fn read_next(&mut self) -> Result<Option<Stored>, StoreError> {
        let Some(line) = self.lines.read_next()? else { return Ok(None) };
        let line = JournalLine::parse(line.text).map_err(|cause| self.lines.broken(cause))?;
        let read = self.read.as_mut();
        if read.is_some_and(|read| !read.insert(line.observation.key.clone())) {
            return Err(self.lines.broken(format!("{} occurs a second time", line.observation.key)));
        }
        let read = line.with_certificates(|digest| match self.certificates.der(digest)? {
            None if self.lost == Loss::Nothing => {
                Err(self.lines.broken(format!("certificates.csv has no certificate {digest}")))
            }
            found => Ok(found),
        })?;
        Ok(Some(read.map_or(Stored::Incomplete, |observation| Stored::Whole(Box::new(observation)))))
    }
}
