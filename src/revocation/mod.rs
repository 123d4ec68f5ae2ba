//! Is a certificate revoked? Requests written and answers read, without
//! sockets: revocation lists (RFC 5280 §5) and OCSP (RFC 6960).
//!
//! Lists and certificates are parsed by x509-parser, OCSP by x509-ocsp. An
//! answer is worth what its signature is worth: one that fails to verify says
//! nothing, and one that could not be verified is told as such.

mod certificate_id;
pub mod crl;
mod entries;
pub mod ocsp;
mod responder;
mod signature;

pub use certificate_id::{CertificateId, CertificateIdError, is_issued_by};

use crate::model::SignatureCheck;
use crate::model::revocation::{RevocationAnswer, RevocationStatus};
use jiff::{SignedDuration, Timestamp};

/// How far the clock of whoever made an answer may be ahead of ours.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How long `good` counts that does not say until when it holds. By RFC 6960
/// §4.2.2.1 newer information is then available all the time: the answer says
/// nothing about later, and a stored one could be shown for ever.
pub const GOOD_WITHOUT_END_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Takes from an answer what it is not worth: one with a wrong signature says
/// nothing, and one out of its time says nothing new. Neither does one that was
/// made when the certificate had expired: lists drop it then (RFC 5280 §3.3), and
/// responders need not know it any longer (RFC 6960 §4.4.4). A revocation stays.
fn settle(answer: RevocationAnswer, question: &CertificateId<'_>, at: Timestamp) -> RevocationAnswer {
    if answer.signature == Some(SignatureCheck::Failed) {
        return unknown(answer, "its signature does not verify".into());
    }
    if answer.status != RevocationStatus::Good {
        return answer;
    }
    let made_later = |end: &Timestamp| answer.this_update.is_none_or(|made| made > *end);
    if let Some(end) = question.not_after.filter(made_later) {
        let why =
            format!("made after the certificate expired, at {end}: its revocation need not be told then");
        return unknown(answer, why);
    }
    match (answer.this_update, answer.next_update) {
        (Some(made), _) if made.checked_sub(CLOCK_SKEW).is_ok_and(|made| made > at) => {
            unknown(answer, format!("made in the future, at {made}"))
        }
        (_, Some(end)) if end < at => unknown(answer, format!("out of date since {end}")),
        (_, Some(_)) => answer,
        (made, None) => settle_without_end(answer, made, at),
    }
}

/// An answer that does not say until when it holds.
fn settle_without_end(answer: RevocationAnswer, made: Option<Timestamp>, at: Timestamp) -> RevocationAnswer {
    let end = made.and_then(|made| made.checked_add(GOOD_WITHOUT_END_MAX).ok());
    match end {
        Some(end) if end >= at => {
            let detail = format!("it names no next update, and counts for seven days, until {end}");
            RevocationAnswer { detail: Some(detail), ..answer }
        }
        Some(end) => {
            let why = format!("it names no next update, and counted for seven days, until {end}");
            unknown(answer, why)
        }
        None => unknown(answer, "it says neither when it was made nor until when it holds".into()),
    }
}

fn unknown(answer: RevocationAnswer, why: String) -> RevocationAnswer {
    RevocationAnswer { status: RevocationStatus::Unknown, revoked: None, detail: Some(why), ..answer }
}

#[cfg(test)]
mod tests;
