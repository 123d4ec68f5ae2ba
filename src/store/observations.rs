//! `observations.jsonl` read back, the certificates put in their places.

use super::StoreError;
use super::certificates::Certificates;
use super::lines::{Lines, json_cause};
use crate::model::{Observation, Sha256};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

pub(super) const FILE: &str = "observations.jsonl";

/// What a line holds beside the observation.
#[derive(Deserialize)]
struct Chains {
    chain: Vec<Sha256>,
    hello_chains: Vec<Vec<Sha256>>,
}

/// A probe as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// All of it.
    Whole(Box<Observation>),
    /// A run that was killed did not write all of its certificates down.
    Incomplete,
}

/// Reads `observations.jsonl`.
pub struct Observations {
    lines: Lines,
    certificates: Certificates,
    killed: bool,
}

impl Observations {
    pub(super) fn open(dir: &Path, killed: bool) -> Result<Self, StoreError> {
        Ok(Self { lines: Lines::open(dir, FILE)?, certificates: Certificates::open(dir)?, killed })
    }

    /// The next probe.
    ///
    /// # Errors
    /// [`StoreError`]: its line or a certificate cannot be read.
    pub fn read_next(&mut self) -> Result<Option<Stored>, StoreError> {
        let Some(line) = self.lines.read_next()? else { return Ok(None) };
        // Twice over the line, each time without what the other takes: to
        // flatten one into the other would copy the whole of it.
        let read = serde_json::from_slice::<Observation>(line.text)
            .and_then(|observation| Ok((observation, serde_json::from_slice::<Chains>(line.text)?)));
        let (mut observation, chains) = read.map_err(|error| self.lines.broken(json_cause(&error)))?;
        if chains.hello_chains.len() != observation.hellos.len()
            || (observation.tls.is_none() && !chains.chain.is_empty())
        {
            return Err(self.lines.broken("chains of other handshakes than there are"));
        }
        let Some(chain) = self.chain(&chains.chain)? else { return Ok(Some(Stored::Incomplete)) };
        if let Some(tls) = &mut observation.tls {
            tls.chain = chain;
        }
        for (hello, chain) in observation.hellos.iter_mut().zip(&chains.hello_chains) {
            let Some(chain) = self.chain(chain)? else { return Ok(Some(Stored::Incomplete)) };
            hello.chain = chain;
        }
        Ok(Some(Stored::Whole(Box::new(observation))))
    }

    /// The certificates of a chain; `None` if one is missing and may be.
    fn chain(&mut self, digests: &[Sha256]) -> Result<Option<Vec<Arc<[u8]>>>, StoreError> {
        let mut chain = Vec::with_capacity(digests.len());
        for digest in digests {
            match self.certificates.der(digest)? {
                Some(der) => chain.push(der),
                None if self.killed => return Ok(None),
                None => {
                    return Err(self.lines.broken(format!("certificates.csv has no certificate {digest}")));
                }
            }
        }
        Ok(Some(chain))
    }
}
