//! `--needs` of `mxray roots check`: which root a person means.

use crate::model::{CertificateFacts, Sha256};
use crate::plan::{self, UsageError};
use crate::sender::published::{self, PublishedCertificate};
use crate::trust::names::same_ca;
use crate::x509;
use crate::x509::pem::{FileCertificate, NotTaken};
use jiff::Timestamp;
use std::path::Path;

/// Stores whose roots go by their name.
const STORES_OF_NAMES: [&str; 2] = ["microsoft", "mozilla"];

/// A root that somebody needs.
pub(super) struct Need {
    /// What it is called, if that is known.
    pub(super) name: String,
    pub(super) sha256: Sha256,
    /// From when to when it is valid, if that is known.
    pub(super) validity: Option<String>,
}

impl From<CertificateFacts> for Need {
    fn from(facts: CertificateFacts) -> Self {
        let validity = days(&facts).map(|(from, until)| format!("{from} to {until}"));
        Self { name: facts.subject.unwrap_or_default(), sha256: facts.sha256, validity }
    }
}

/// What a text names: a fingerprint, a CA of the published table, the
/// certificates of a file, or a root of the stores that come with mxray. Where
/// several certificates bear the name, each is needed.
///
/// # Errors
/// [`UsageError`]: it is none of these, or the file holds no certificate.
pub(super) fn named(text: &str) -> Result<Vec<Need>, UsageError> {
    if let Some(sha256) = Sha256::parse(text) {
        let known = published::certificates().into_iter().find(|known| known.sha256 == Some(sha256));
        let unknown = || Need { name: String::new(), sha256, validity: None };
        return Ok(vec![known.and_then(from_table).unwrap_or_else(unknown)]);
    }
    let published: Vec<Need> = published::named(text).into_iter().filter_map(from_table).collect();
    if !published.is_empty() {
        return Ok(published);
    }
    if Path::new(text).exists() {
        return from_file(text);
    }
    let found = from_stores(text)?;
    if found.is_empty() {
        return Err(UsageError(format!(
            "--needs `{text}`: not a SHA-256, a file, or the name of a root published for Exchange Online or in the \
             stores {}; `mxray roots list` shows what is in a store",
            STORES_OF_NAMES.join(" and ")
        )));
    }
    Ok(found)
}

fn from_table(known: PublishedCertificate) -> Option<Need> {
    let validity = Some(format!("{} to {}", known.not_before, known.not_after));
    Some(Need { name: known.name, sha256: known.sha256?, validity })
}

/// The roots whose common name, or whole subject, is this.
fn from_stores(name: &str) -> Result<Vec<Need>, UsageError> {
    let mut found: Vec<Need> = Vec::new();
    for store in STORES_OF_NAMES {
        for facts in plan::store("needs", store)?.certificates().map(x509::read) {
            let names = [&facts.common_name, &facts.subject];
            let is_meant = names.into_iter().flatten().any(|known| same_ca(known, name));
            if is_meant && found.iter().all(|known| known.sha256 != facts.sha256) {
                found.push(facts.into());
            }
        }
    }
    Ok(found)
}

/// The certificates of a file, PEM or DER.
fn from_file(path: &str) -> Result<Vec<Need>, UsageError> {
    let wrong = |error: String| UsageError(format!("--needs {path}: {error}"));
    let bytes = plan::read_file("--needs", Path::new(path))?;
    let certificates = x509::pem::certificates(&bytes).map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate, PEM or DER".into()));
    }
    let mut needs = Vec::new();
    for FileCertificate { place, der, .. } in &certificates {
        let facts = x509::read(der);
        // What has no key is in no store, and absent would be no answer.
        if facts.spki_sha256.is_none() {
            let what = format!("a certificate that cannot be read: {}", facts.defect.unwrap_or_default());
            return Err(wrong(NotTaken { place: *place, what }.to_string()));
        }
        needs.push(facts.into());
    }
    Ok(needs)
}

/// First and last day, where both can be read.
pub(super) fn days(facts: &CertificateFacts) -> Option<(String, String)> {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    Some((day(facts.not_before?), day(facts.not_after?)))
}
