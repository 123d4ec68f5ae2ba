//! What leaves the engine: the one stream that every output is made from.

use super::assessment::{Assessment, NameStatus};
use super::enumeration::Enumeration;
use super::facts::DomainFacts;
use super::observation::Observation;
use super::outcome::Outcome;
use super::verdict::Verdict;
use std::sync::Arc;

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
    pub assessment: Option<Arc<Assessment>>,
    /// What the certificates of each further hello say, in the order of
    /// [`Observation::extra_client_hellos`]; `None` for one without certificates.
    pub hello_assessments: Vec<Option<Arc<Assessment>>>,
    /// What the server takes, where that was asked for.
    pub enumeration: Option<Box<Enumeration>>,
    /// Whether the leaf carries the name that was asked for; `None` without a
    /// certificate. No domain is known here.
    pub name: Option<NameStatus>,
    /// What delivery through this endpoint would be.
    pub outcome: Outcome,
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
#[non_exhaustive]
pub enum Record {
    /// A line that is no target.
    Rejected(Rejected),
    /// A probe, before any domain that rests on it.
    Endpoint(Box<EndpointRecord>),
    /// A domain: exactly one for each target read.
    Domain(Box<DomainRecord>),
    /// What the DNS said of a target that this shard of a run cannot judge, as some
    /// of it lies in another.
    Part(Box<DomainFacts>),
}
