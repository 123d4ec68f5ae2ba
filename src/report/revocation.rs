//! What was found of revocation, told so that a person can read it.

use crate::model::SignatureCheck;
use crate::model::revocation::{CertificateRevocation, Reached, RevocationAnswer};
use std::fmt::{self, Write};

/// Renders what each address of each certificate said, and which of the
/// published addresses were reached.
pub fn revocation(certificates: &[CertificateRevocation], published: &[Reached]) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_all(&mut out, certificates, published);
    out
}

fn write_all(out: &mut String, certificates: &[CertificateRevocation], published: &[Reached]) -> fmt::Result {
    for certificate in certificates {
        writeln!(out, "{}", certificate.subject)?;
        writeln!(out, "  issued by {}, serial {}", certificate.issuer, certificate.serial)?;
        for (source, url, answer) in &certificate.answers {
            writeln!(out, "  {:4}  {url}", source.name())?;
            writeln!(out, "        {}", words(answer))?;
        }
        if certificate.answers.is_empty() {
            writeln!(out, "  not determined: it names no revocation list and no OCSP responder")?;
        }
        writeln!(out)?;
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
