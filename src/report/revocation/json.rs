//! What was found of revocation, as one JSON document. `docs/json.md` has its keys.

use super::undetermined;
use crate::model::revocation::{
    CertificateRevocation, ChainsRevocation, Reached, RevocationAnswer, RevocationSource,
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Version of the document: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// What the document tells.
pub struct RevocationDocument<'a> {
    /// What was asked about, as it was named.
    pub target: &'a str,
    /// As of when.
    pub at: Timestamp,
    /// `good`, `revoked` or `undetermined`.
    pub result: &'static str,
    /// The certificates.
    pub chains: &'a ChainsRevocation,
    /// Who showed no certificate, and why.
    pub without: &'a [String],
    /// Addresses that the sender's own certificates need.
    pub published: &'a [Reached],
}

/// The document, with a line end.
pub fn revocation_json(document: &RevocationDocument<'_>) -> String {
    let RevocationDocument { target, at, result, chains, without, published } = document;
    let certificates: Vec<Value> = chains.certificates.iter().map(of_certificate).collect();
    let published: Vec<Value> = published.iter().map(of_published).collect();
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "mxray": env!("CARGO_PKG_VERSION"),
        "target": target,
        "at": format!("{at:.0}"),
        "result": result,
        "certificates": certificates,
        "certificates_not_asked": chains.not_asked,
        "without_certificate": without,
        "published": published,
    });
    format!("{document:#}\n")
}

fn of_certificate(certificate: &CertificateRevocation) -> Value {
    let result = match (certificate.is_revoked(), certificate.is_good()) {
        (true, _) => "revoked",
        (false, true) => "good",
        (false, false) => "undetermined",
    };
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "result": result,
        "answers": certificate.answers.iter().map(of_answer).collect::<Vec<_>>(),
        "addresses_not_asked": certificate.not_asked,
        "undetermined": undetermined(certificate),
    })
}

fn of_answer((source, url, answer): &(RevocationSource, String, RevocationAnswer)) -> Value {
    let revoked = answer.revoked.as_ref();
    json!({
        "source": source.name(),
        "url": url,
        "status": answer.status.name(),
        "revoked_at": revoked.and_then(|revoked| revoked.at),
        "revoked_reason": revoked.and_then(|revoked| revoked.reason),
        "signature": answer.signature.as_ref().map(|check| check.name()),
        "signature_detail": answer.signature.as_ref().and_then(|check| check.limit()),
        "this_update": answer.this_update,
        "next_update": answer.next_update,
        "detail": answer.detail,
    })
}

fn of_published(reached: &Reached) -> Value {
    let (was_reached, detail) = match &reached.outcome {
        Ok(detail) => (true, detail),
        Err(why) => (false, why),
    };
    json!({
        "source": reached.source.name(),
        "url": reached.url,
        "reached": was_reached,
        "detail": detail,
    })
}
