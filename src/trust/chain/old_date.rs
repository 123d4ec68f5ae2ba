//! Dates that no library here reads.

use super::refusal::Refusal;
use crate::model::{CertificateFacts, ChainStatus};
use jiff::Timestamp;

/// Whether a certificate has a date that no library here reads (RFC 5280
/// §4.1.2.5 allows UTCTime from 1950 on, GeneralizedTime from the year 0).
pub(super) fn is_of_old_date(certificate: &CertificateFacts) -> bool {
    [certificate.not_before, certificate.not_after].iter().flatten().any(|date| *date < Timestamp::UNIX_EPOCH)
}

/// Why such a chain is not judged.
pub(super) fn old_date() -> Refusal {
    Refusal::new(ChainStatus::Unverifiable, "cannot be verified by mxray: a date before 1970")
}
