//! The certificates of a chain, and what it is judged to be.

use crate::model::{Assessment, CertificateFacts, TrustedRoot};
use std::fmt::{self, Write};

/// Names of a certificate that are listed; the rest is counted.
const NAMES_SHOWN_MAX: usize = 8;

/// What each certificate says, and where the chain leads.
pub(super) fn write_certificates(out: &mut String, assessment: &Assessment) -> fmt::Result {
    for (index, facts) in assessment.certificates.iter().enumerate() {
        write_certificate(out, index, facts)?;
    }
    write!(out, "       chain {}, dates {}, key {}", assessment.chain, assessment.dates, assessment.key)?;
    match &assessment.chain_detail {
        Some(detail) => writeln!(out, " ({detail})")?,
        None => writeln!(out)?,
    }
    if let Some(root) = &assessment.root {
        write_root(out, root)?;
    }
    Ok(())
}

fn write_root(out: &mut String, root: &TrustedRoot) -> fmt::Result {
    writeln!(out, "       trusted by {}", root.trusted_by.join(", "))?;
    writeln!(out, "       root {}", root.subject.as_deref().unwrap_or("?"))?;
    root.sha256.map_or(Ok(()), |sha256| writeln!(out, "       root sha256 {sha256}"))
}

fn write_certificate(out: &mut String, index: usize, facts: &CertificateFacts) -> fmt::Result {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_string());
    writeln!(out, "  certificate {index}  {}", text(&facts.subject))?;
    writeln!(out, "       issued by {}", text(&facts.issuer))?;
    if !facts.dns_names.is_empty() {
        let shown: Vec<&str> = facts.dns_names.iter().take(NAMES_SHOWN_MAX).map(String::as_str).collect();
        let more = facts.dns_names.len().saturating_sub(NAMES_SHOWN_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "       names {}{more}", shown.join(", "))?;
    }
    if let (Some(from), Some(to)) = (facts.not_before, facts.not_after) {
        writeln!(out, "       valid {from} to {to}")?;
    }
    let bits = facts.key_bits.map(|bits| format!(" {bits}")).unwrap_or_default();
    writeln!(
        out,
        "       key {}{bits}, signed with {}, serial {}",
        text(&facts.key_algorithm),
        text(&facts.signature_algorithm),
        text(&facts.serial)
    )?;
    if let Some(defect) = &facts.defect {
        writeln!(out, "       defect: {defect}")?;
    }
    writeln!(out, "       sha256 {}", facts.sha256)
}
