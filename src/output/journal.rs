//! `observations.jsonl`: one line a finished probe with everything that was
//! seen, so that it can be judged again without a packet.

use super::SCHEMA_VERSION;
use crate::model::{
    Assessment, ChainStatus, DateStatus, EndpointRecord, Expected, KeyStatus, Observation, Sha256,
    TrustedRoot,
};
use serde::{Serialize, Serializer};
use std::io;

/// One line of the journal.
#[derive(Serialize)]
struct Entry<'a> {
    schema: u32,
    #[serde(flatten)]
    observation: &'a Observation,
    /// The presented chain, leaf first; the bytes are in `certificates.csv`.
    chain: Vec<Digest<'a>>,
    /// Those of the further hellos, in their order; empty where a hello saw
    /// none.
    hello_chains: Vec<Vec<Digest<'a>>>,
    assessment: Option<Axes<'a>>,
}

/// A digest written without going through the formatter byte by byte.
struct Digest<'a>(&'a Sha256);

impl Serialize for Digest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * self.0.0.len());
        super::value::push_hex(&mut text, &self.0.0);
        serializer.serialize_str(&text)
    }
}

/// The certificate axes as they were judged at the time.
#[derive(Serialize)]
struct Axes<'a> {
    chain: ChainStatus,
    chain_detail: Option<&'a str>,
    root: Option<&'a TrustedRoot>,
    dates: DateStatus,
    key: KeyStatus,
    expectations: &'a [Expected],
}

impl<'a> From<&'a Assessment> for Axes<'a> {
    fn from(assessment: &'a Assessment) -> Self {
        Self {
            chain: assessment.chain,
            chain_detail: assessment.chain_detail.as_deref(),
            root: assessment.root.as_deref(),
            dates: assessment.dates,
            key: assessment.key,
            expectations: &assessment.expectations,
        }
    }
}

/// Appends the line of one probe to `line`.
///
/// # Errors
/// None in practice: memory takes every byte and every observation is JSON.
pub(super) fn append<'a>(record: &'a EndpointRecord, line: &mut Vec<u8>) -> io::Result<()> {
    let digests = |assessment: &'a Option<Assessment>| {
        let certificates = assessment.iter().flat_map(|assessment| &assessment.certificates);
        certificates.map(|facts| Digest(&facts.sha256)).collect()
    };
    let entry = Entry {
        schema: SCHEMA_VERSION,
        observation: &record.observation,
        chain: digests(&record.assessment),
        hello_chains: record.hello_assessments.iter().map(digests).collect(),
        assessment: record.assessment.as_ref().map(Axes::from),
    };
    serde_json::to_writer(&mut *line, &entry)?;
    line.push(b'\n');
    Ok(())
}
