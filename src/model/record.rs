//! What leaves the engine: the one stream that every output is made from.

use super::assessment::Assessment;
use super::facts::DomainFacts;
use super::observation::Observation;
use super::verdict::Verdict;

/// An input line that was no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Line number in the input, from 1.
    pub line: u64,
    /// The line, or its column, cut to a bounded length and escaped.
    pub text: String,
    /// What is wrong with it, in words.
    pub cause: String,
}

/// A finished probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRecord {
    /// What was seen.
    pub observation: Observation,
    /// What the certificates say; `None` without a certificate.
    pub assessment: Option<Assessment>,
}

/// A finished domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRecord {
    /// What the DNS said.
    pub facts: DomainFacts,
    /// What it comes to.
    pub verdict: Verdict,
}

/// One thing to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A line that is no target.
    Rejected(Rejected),
    /// A probe, before any domain that rests on it.
    Endpoint(Box<EndpointRecord>),
    /// A domain: exactly one for each target read.
    Domain(Box<DomainRecord>),
}
