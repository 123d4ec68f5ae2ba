//! What can be judged again without a packet: `observations.jsonl`, one line a
//! finished probe with everything that was seen, and `facts.jsonl`, one line a
//! target with everything that the DNS said.

use super::SCHEMA_VERSION;
use super::buffered_file::{BufferedFile, WaitingFile};
use super::write_error::named;
use crate::model::{
    Assessment, ChainStatus, DateStatus, DomainFacts, EndpointRecord, ExpectationMatch, KeyStatus,
    Observation, Sha256, TrustedRoot,
};
use serde::{Serialize, Serializer};
use std::io::{self, Write};

/// Longest line of either file, in bytes; whoever reads one may rely on it.
/// Six replies of 64 KiB can stand in a line of `observations.jsonl`, each byte
/// of them as five (`\\x00`), beside a kilobyte for each further hello; this is
/// several times as much.
pub const JOURNAL_LINE_BYTES_MAX: usize = 16 << 20;

/// A file of JSON Lines whose errors bear its name.
pub(super) struct LineFile {
    name: String,
    writer: BufferedFile,
    line: Vec<u8>,
}

impl LineFile {
    pub(super) fn new(name: String, writer: BufferedFile) -> Self {
        Self { name, writer, line: Vec::new() }
    }

    pub(super) fn write(&mut self, entry: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, entry)?;
        self.line.push(b'\n');
        self.writer.write_all(&self.line).map_err(|error| named(&self.name, &error))
    }
}

impl WaitingFile for LineFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn buffered(&self) -> &BufferedFile {
        &self.writer
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(|error| named(&self.name, &error))
    }
}

/// One line of `observations.jsonl`.
#[derive(Serialize)]
struct ObservationLine<'a> {
    schema: u32,
    #[serde(flatten)]
    observation: &'a Observation,
    /// The presented chain, leaf first; the bytes are in `certificates.csv`.
    chain: Vec<Digest<'a>>,
    /// Those of the further hellos, in their order; empty where a hello saw
    /// none.
    extra_client_hello_chains: Vec<Vec<Digest<'a>>>,
    assessment: Option<Axes<'a>>,
}

/// A digest written without going through the formatter byte by byte.
struct Digest<'a>(&'a Sha256);

impl Serialize for Digest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * self.0.0.len());
        super::columns::value::push_hex(&mut text, &self.0.0);
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
    expectations: &'a [ExpectationMatch],
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

/// One line of `facts.jsonl`.
#[derive(Serialize)]
struct FactsEntry<'a> {
    schema: u32,
    #[serde(flatten)]
    facts: &'a DomainFacts,
    /// The chain of the policy host, leaf first; the bytes are in
    /// `certificates.csv`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    policy_chain: &'a [Sha256],
}

/// The line of one probe, without its end.
///
/// # Errors
/// None that a record of this model can bring about.
pub fn journal_line(record: &EndpointRecord) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&entry(record))
}

/// Appends the line of one probe.
///
/// # Errors
/// That of the file.
pub(super) fn append(file: &mut LineFile, record: &EndpointRecord) -> io::Result<()> {
    file.write(&entry(record))
}

fn entry(record: &EndpointRecord) -> ObservationLine<'_> {
    ObservationLine {
        schema: SCHEMA_VERSION,
        observation: &record.observation,
        chain: digests(record.assessment.as_deref()),
        extra_client_hello_chains: record
            .hello_assessments
            .iter()
            .map(|seen| digests(seen.as_deref()))
            .collect(),
        assessment: record.assessment.as_deref().map(Axes::from),
    }
}

fn digests(assessment: Option<&Assessment>) -> Vec<Digest<'_>> {
    let certificates = assessment.into_iter().flat_map(|assessment| &assessment.certificates);
    certificates.map(|facts| Digest(&facts.sha256)).collect()
}

/// The line of one target, without its end, whose policy host showed the
/// certificates of these digests.
///
/// # Errors
/// None that facts of this model can bring about.
pub(super) fn facts_line(facts: &DomainFacts, policy_chain: &[Sha256]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&FactsEntry { schema: SCHEMA_VERSION, facts, policy_chain })
}

/// Appends the line of one target, whose policy host showed the certificates of
/// these digests.
///
/// # Errors
/// That of the file.
pub(super) fn append_facts(
    file: &mut LineFile,
    facts: &DomainFacts,
    policy_chain: &[Sha256],
) -> io::Result<()> {
    file.write(&FactsEntry { schema: SCHEMA_VERSION, facts, policy_chain })
}
