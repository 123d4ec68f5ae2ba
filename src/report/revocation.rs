//! What was found of revocation, told so that a person can read it.

mod json;

pub use json::{RevocationDocument, revocation_json};

use crate::model::SignatureCheck;
use crate::model::revocation::{CertificateRevocation, ChainsRevocation, Reached, RevocationAnswer};
use std::fmt::{self, Write};

/// Renders what each address of each certificate said, and which of the
/// published addresses were reached.
pub fn revocation(chains: &ChainsRevocation, published: &[Reached]) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_all(&mut out, chains, published);
    out
}

fn write_all(out: &mut String, chains: &ChainsRevocation, published: &[Reached]) -> fmt::Result {
    for certificate in &chains.certificates {
        write_certificate(out, certificate)?;
        writeln!(out)?;
    }
    if chains.not_asked > 0 {
        writeln!(out, "not determined: {}\n", further(chains.not_asked, "certificate", "certificates"))?;
    }
    if !published.is_empty() {
        writeln!(out, "Published addresses of Exchange Online's certificates")?;
    }
    for Reached { source, url, outcome } in published {
        let (word, detail) = match outcome {
            Ok(detail) => ("reached", detail),
            Err(cause) => ("unreachable", cause),
        };
        writeln!(out, "  {:4}  {url}", source.name())?;
        writeln!(out, "        {word}: {detail}")?;
    }
    Ok(())
}

fn write_certificate(out: &mut String, certificate: &CertificateRevocation) -> fmt::Result {
    writeln!(out, "{}", certificate.subject)?;
    let issuer = certificate.issuer.as_ref().map(|issuer| format!("issued by {issuer}"));
    let serial = certificate.serial.as_ref().map(|serial| format!("serial {serial}"));
    let known: Vec<_> = issuer.into_iter().chain(serial).collect();
    if !known.is_empty() {
        writeln!(out, "  {}", known.join(", "))?;
    }
    for (source, url, answer) in &certificate.answers {
        writeln!(out, "  {:4}  {url}", source.name())?;
        writeln!(out, "        {}", words(answer))?;
    }
    if certificate.not_asked > 0 {
        writeln!(out, "  not determined: {}", further(certificate.not_asked, "address", "addresses"))?;
    }
    match undetermined(certificate) {
        Some(why) => writeln!(out, "  not determined: {why}"),
        None => Ok(()),
    }
}

/// Why nothing is said of a certificate.
fn undetermined(certificate: &CertificateRevocation) -> Option<&str> {
    let names_none = certificate.answers.is_empty() && certificate.not_asked == 0;
    let nobody = names_none.then_some("it names no revocation list and no OCSP responder");
    certificate.undetermined.as_deref().or(nobody)
}

/// How many were beyond a limit.
fn further(count: usize, one: &str, many: &str) -> String {
    format!("{count} further {} not asked", if count == 1 { one } else { many })
}

fn words(answer: &RevocationAnswer) -> String {
    let mut parts = vec![answer.status.name().to_string()];
    if let Some(revoked) = &answer.revoked {
        parts.extend(revoked.at.map(|at| format!("on {at}")));
        parts.extend(revoked.reason.map(|reason| format!("for {reason}")));
    }
    parts.extend(answer.detail.clone());
    match &answer.signature {
        Some(SignatureCheck::Unverifiable(why)) => parts.push(format!("signature unverified, {why}")),
        Some(check) => parts.push(format!("signature {}", check.name())),
        None => {}
    }
    parts.extend(answer.next_update.map(|end| format!("next update {end}")));
    let first = parts.remove(0);
    if parts.is_empty() { first } else { format!("{first}: {}", parts.join(", ")) }
}
