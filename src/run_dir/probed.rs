//! Probed targets as one JSON document: of each target the rows and lines that a run
//! directory would have of it, under the names of their files. So a key means the
//! same wherever it stands. `docs/probe.md` tells the rest.

use super::columns::certificates::{CERTIFICATES, CertificateRow};
use super::columns::domains::DOMAINS;
use super::columns::edges::{MX, edges};
use super::columns::endpoints::ENDPOINTS;
use super::columns::enumeration::{GROUPS, SUITES, group_rows, suite_rows};
use super::columns::table::{json_list, json_object};
use super::journal::{facts_line, journal_line};
use crate::model::asked_question::AskedQuestion;
use crate::model::{Assessment, DomainFacts, DomainRecord, EndpointRecord, Sha256};
use crate::x509;
use serde::Serialize;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;

/// Version of the document: grows when a key changes its meaning or goes away.
pub const PROBE_SCHEMA_VERSION: u32 = 1;

/// One target, and what was found.
pub struct ProbedTarget<'a> {
    /// As it was named.
    pub target: &'a str,
    /// Whether a resolver answered, or none was needed.
    pub answered: bool,
    /// What of `--fail-on` it meets.
    pub failed_on: &'a [&'static str],
    /// The target with its verdict.
    pub domain: &'a DomainRecord,
    /// What each endpoint said, in the order they were asked.
    pub endpoints: &'a [EndpointRecord],
    /// What the DNS was asked.
    pub questions: &'a [AskedQuestion],
    /// How many questions there were beyond.
    pub questions_excess: usize,
}

/// The parts of the document, in the order in which they are to be written.
#[derive(Debug, Default)]
pub struct ProbeDocument {
    targets: usize,
}

impl ProbeDocument {
    /// What comes before the first target.
    ///
    /// # Errors
    /// None in practice: every text is JSON.
    pub fn head(&self, ehlo_name: &str) -> serde_json::Result<String> {
        let (version, ehlo_name) = (env!("CARGO_PKG_VERSION"), serde_json::to_string(ehlo_name)?);
        Ok(format!(
            "{{\"schema_version\":{PROBE_SCHEMA_VERSION},\n\"mxray\":\"{version}\",\n\"ehlo_name\":{ehlo_name},\n\"targets\":["
        ))
    }

    /// One target more.
    ///
    /// # Errors
    /// None in practice, as of [`ProbeDocument::head`].
    pub fn target(&mut self, target: &ProbedTarget<'_>) -> serde_json::Result<String> {
        let before = if self.targets == 0 { "\n" } else { ",\n" };
        self.targets += 1;
        let object = target.to_json()?;
        Ok(format!("{before}{}", String::from_utf8_lossy(&object)))
    }

    /// What comes after the last: whether the command was stopped, and the targets of
    /// which nothing is told for that.
    ///
    /// # Errors
    /// None in practice, as of [`ProbeDocument::head`].
    pub fn tail(&self, stopped: bool, not_asked: &[String]) -> serde_json::Result<String> {
        let not_asked = serde_json::to_string(not_asked)?;
        Ok(format!("\n],\n\"stopped\":{stopped},\n\"not_asked\":{not_asked}}}\n"))
    }
}

impl ProbedTarget<'_> {
    fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let record = self.domain;
        let mut object = Object::default();
        object.value("target", &self.target)?;
        object.value("answered", &self.answered)?;
        object.value("failed_on", &self.failed_on)?;
        object.raw("domain", &json_object(DOMAINS, record)?);
        object.raw("mx", &json_list(MX, edges(&record.facts))?);
        object.raw("endpoints", &json_list(ENDPOINTS, self.endpoints)?);
        let mut shown = ShownCertificates::default();
        self.endpoints.iter().for_each(|endpoint| shown.add_endpoint(endpoint));
        let policy_chain = shown.add_policy_host(&record.facts);
        object.raw("certificates", &json_list(CERTIFICATES, shown.rows)?);
        let enumerated = || {
            self.endpoints
                .iter()
                .filter_map(|endpoint| Some((&endpoint.observation.key, endpoint.enumeration.as_deref()?)))
        };
        object
            .raw("suites", &json_list(SUITES, enumerated().flat_map(|(key, found)| suite_rows(key, found)))?);
        object
            .raw("groups", &json_list(GROUPS, enumerated().flat_map(|(key, found)| group_rows(key, found)))?);
        let lines = self.endpoints.iter().map(journal_line).collect::<serde_json::Result<Vec<_>>>()?;
        object.raw("observations", &[b"[", lines.join(&b","[..]).as_slice(), b"]"].concat());
        object.raw("facts", &facts_line(&record.facts, &policy_chain)?);
        object.value("questions", &self.questions.iter().map(question).collect::<Vec<_>>())?;
        object.value("questions_excess", &self.questions_excess)?;
        Ok(object.end())
    }
}

fn question(asked: &AskedQuestion) -> serde_json::Value {
    json!({
        "name": asked.name,
        "type": asked.record_type,
        "authenticity": asked.authenticity.map(|authenticity| authenticity.name()),
        "answer": asked.answer,
        "answer_excess": asked.answer_excess,
    })
}

/// Certificates that were shown, each once.
#[derive(Default)]
struct ShownCertificates {
    rows: Vec<CertificateRow>,
    seen: HashSet<Sha256>,
}

impl ShownCertificates {
    fn add_endpoint(&mut self, record: &EndpointRecord) {
        if let Some(tls) = &record.observation.tls {
            self.add_chain(record.assessment.as_deref(), &tls.chain);
        }
        let hellos = record.hello_assessments.iter().zip(&record.observation.extra_client_hellos);
        hellos.for_each(|(assessment, hello)| self.add_chain(assessment.as_deref(), &hello.chain));
    }

    fn add_chain(&mut self, assessment: Option<&Assessment>, chain: &[Arc<[u8]>]) {
        let facts = assessment.into_iter().flat_map(|assessment| &assessment.certificates);
        for (facts, der) in facts.zip(chain) {
            if self.seen.insert(facts.sha256) {
                self.rows.push(CertificateRow { facts: facts.clone(), der: der.clone() });
            }
        }
    }

    /// Those of a policy host too; the digests of all that it showed.
    fn add_policy_host(&mut self, facts: &DomainFacts) -> Vec<Sha256> {
        let fetch = facts.mta_sts.as_ref().and_then(|mta_sts| mta_sts.fetch.as_deref());
        let chain = fetch.map_or(&[][..], |fetch| &fetch.chain);
        let digest = |der: &Arc<[u8]>| {
            let digest = x509::digest(der);
            if self.seen.insert(digest) {
                self.rows.push(CertificateRow { facts: Arc::new(x509::read(der)), der: der.clone() });
            }
            digest
        };
        chain.iter().map(digest).collect()
    }
}

/// A JSON object under way: some values are JSON already.
#[derive(Default)]
struct Object(Vec<u8>);

impl Object {
    fn key(&mut self, key: &str) {
        self.0.extend_from_slice(if self.0.is_empty() { b"{" } else { b",\n" });
        self.0.extend_from_slice(format!("\"{key}\":").as_bytes());
    }

    fn value(&mut self, key: &str, value: &impl Serialize) -> serde_json::Result<()> {
        self.key(key);
        serde_json::to_writer(&mut self.0, value)
    }

    fn raw(&mut self, key: &str, json: &[u8]) {
        self.key(key);
        self.0.extend_from_slice(json);
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}
