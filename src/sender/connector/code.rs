//! What the sender logs where a connector's mail is not delivered: the
//! situation that a check amounts to, and the sender's own words for it.
//!
//! For certificates Exchange Online documents `4.7.320`, and is seen in
//! practice with `4.4.317`. Which stands where is told in its file
//! (`datasets/senders/`): where the words of the inner error are known, they
//! stand inside `4.4.317`; else it is `4.7.320`.

use super::names::ReferenceIdentifier;
use crate::model::{Check, CheckCause, CheckFailure, Leaf, Logged, Phase, Reason};
use crate::sender::definition::Sender;
use crate::sender::log_text::fill;
use crate::sender::situation::Situation;

/// What `sender` logs for a check that is not passed of mail to `domain`, over
/// the certificate `leaf`. `None` for a pass, and where it is not published.
pub fn logged(
    sender: &Sender,
    check: Check,
    expected: Option<ReferenceIdentifier<'_>>,
    leaf: Option<&Leaf>,
    domain: &str,
) -> Option<Logged> {
    let code = sender.code(situation(check)?)?;
    let text = fill(&code.text, |name| match name {
        "expected" => expected.map(|expected| expected.to_string()),
        "presented" => leaf.and_then(|leaf| leaf.subject.as_deref()).map(str::to_string),
        "thumbprint" => leaf.map(thumbprint),
        "domain" => Some(domain.to_string()),
        _ => None,
    });
    Some(Logged { code: code.code.clone(), text: text.into() })
}

/// The situation that a check puts the sender into.
fn situation(check: Check) -> Option<Situation> {
    match check {
        Check::Pass => None,
        Check::Fail(CheckFailure::NoTls(reason)) => no_tls(reason),
        Check::Fail(CheckFailure::Expired) => Some(Situation::CertificateExpired),
        Check::Fail(CheckFailure::NameMismatch) => Some(Situation::SubjectMismatch),
        Check::Fail(_) => Some(Situation::CertificateInvalid),
        // Only the end of an attempt is logged, and not what may come of one.
        Check::Undetermined(CheckCause::NoAnswer(reason)) if reason.kind().is_some() => Situation::of(reason),
        Check::Undetermined(_) => None,
    }
}

fn no_tls(reason: Reason) -> Option<Situation> {
    match reason.phase() {
        _ if matches!(reason, Reason::Policy(_)) => Situation::of(reason),
        Phase::Ehlo | Phase::Starttls => Some(Situation::StarttlsRequired),
        // Smart hosts that do not exist: the sender's own connector names them,
        // and its mail waits.
        Phase::Dns => Some(Situation::DnsQueryFailed),
        _ => Situation::of(reason),
    }
}

/// SHA-1 of the certificate, as Windows writes it.
fn thumbprint(leaf: &Leaf) -> String {
    leaf.thumbprint.iter().map(|byte| format!("{byte:02X}")).collect()
}
