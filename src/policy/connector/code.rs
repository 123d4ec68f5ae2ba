//! What Exchange Online logs where a connector's mail is not delivered
//! (Microsoft, mail flow intelligence and NDR tables; inner errors from the
//! Exchange Team blog, "TLS Certificates in Exchange Hybrid").
//!
//! Certificate failures are documented as `4.7.320` and seen in practice
//! inside `4.4.317`. The rule here: where the words of the inner error are
//! known, they stand inside `4.4.317`; else it is `4.7.320`.

use super::names::Expected;
use crate::model::{Check, CheckCause, CheckFailure, Kind, Leaf, Phase, Reason};
use std::fmt::Write;

/// A code and the words beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Reply code and enhanced status code (RFC 3463).
    pub code: &'static str,
    /// The inner error where there is one.
    pub detail: String,
}

impl Logged {
    fn new(code: &'static str, detail: impl Into<String>) -> Option<Self> {
        Some(Self { code, detail: detail.into() })
    }
}

const DNS_QUERY_FAILED: &str = "450 4.4.312";
const TIMED_OUT: &str = "450 4.4.315";
const REFUSED: &str = "450 4.4.316";
const CANNOT_CONNECT: &str = "450 4.4.317";
const CLOSED: &str = "450 4.4.318";
/// The inner error of a handshake that failed.
const TLS_FAILED: &str = "451 4.4.0 TLS negotiation failed with error SocketError";
const CERTIFICATE: &str = "450 4.7.320";

/// What is logged for a check that is not passed, over the certificate `leaf`.
/// `None` for a pass, and where no code is known to belong to it.
pub fn logged(check: Check, expected: Option<Expected<'_>>, leaf: Option<&Leaf>) -> Option<Logged> {
    match check {
        Check::Pass => None,
        Check::Fail(CheckFailure::NoTls(reason)) => no_tls(reason),
        Check::Fail(CheckFailure::Expired) => {
            Logged::new(CANNOT_CONNECT, certificate_text("CertificateExpired", expected, leaf))
        }
        Check::Fail(CheckFailure::NameMismatch) => {
            Logged::new(CANNOT_CONNECT, certificate_text("SubjectMismatch", expected, leaf))
        }
        Check::Fail(_) => Logged::new(CERTIFICATE, "Certificate validation failed"),
        Check::Undetermined(CheckCause::NoAnswer(reason)) => no_answer(reason),
        Check::Undetermined(_) => None,
    }
}

fn no_tls(reason: Reason) -> Option<Logged> {
    match reason.phase() {
        Phase::Ehlo | Phase::Starttls => {
            Logged::new(CANNOT_CONNECT, "451 5.7.3 STARTTLS is required to send mail")
        }
        _ => no_answer(reason),
    }
}

/// The code of an attempt that ended before TLS could be judged.
fn no_answer(reason: Reason) -> Option<Logged> {
    // What is no end of an attempt of ours is a handshake that the sender ends.
    let Some(kind) = reason.kind() else {
        return Logged::new(CANNOT_CONNECT, TLS_FAILED);
    };
    match (reason.phase(), kind) {
        (_, Kind::LocalError) => None,
        (Phase::Dns, _) => Logged::new(DNS_QUERY_FAILED, "DNS query failed"),
        (Phase::Connect, Kind::Timeout | Kind::Unreachable) => Logged::new(TIMED_OUT, "Connection timed out"),
        (Phase::Connect, Kind::Refused) => {
            Logged::new(REFUSED, "Connection refused [Message=Socket error code 10061]")
        }
        (Phase::Tls, kind) if kind != Kind::Timeout => Logged::new(CANNOT_CONNECT, TLS_FAILED),
        (Phase::Connect, Kind::Reset) | (_, Kind::Closed) => {
            Logged::new(CLOSED, "Connection was closed abruptly")
        }
        (Phase::Greeting | Phase::Ehlo | Phase::Starttls | Phase::AfterTls, kind)
            if kind != Kind::Timeout =>
        {
            Logged::new(CANNOT_CONNECT, "Cannot connect to remote server")
        }
        _ => None,
    }
}

/// `SubjectMismatch Expected Subject: … Presented Subject: … Thumbprint: …`.
fn certificate_text(what: &str, expected: Option<Expected<'_>>, leaf: Option<&Leaf>) -> String {
    let mut text = what.to_string();
    // Writing to a String cannot fail.
    if let Some(expected) = expected {
        let _ = write!(text, " Expected Subject: {expected}.");
    }
    if let Some(leaf) = leaf {
        let _ = write!(text, " Presented Subject: {}.", leaf.subject.as_deref().unwrap_or_default());
        text.push_str(" Thumbprint: ");
        leaf.thumbprint.iter().for_each(|byte| {
            let _ = write!(text, "{byte:02X}");
        });
        text.push('.');
    }
    text
}
