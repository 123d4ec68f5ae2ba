//! What a report on TLS calls what fails (RFC 8460 §4.3).

use super::no_starttls::says_no_starttls;
use crate::model::{CheckFailure, DaneStand, Kind, Outcome, Phase, Reason, StsStand, TlsRptResult};

/// What a report calls it that mail comes to no TLS: that STARTTLS is not
/// supported only where it is not offered; what ends the handshake is the
/// certificate, or something else. `None` where mail never came that far, which
/// needs no report (RFC 8460 §4.3.4).
pub(super) fn of_no_tls(found: &Outcome) -> Option<TlsRptResult> {
    match found.reason? {
        _ if says_no_starttls(found) => Some(TlsRptResult::StarttlsNotSupported),
        Reason::Sha1Certificate | Reason::Ended { phase: Phase::Tls, kind: Kind::BadCertificate } => {
            Some(TlsRptResult::CertificateNotTrusted)
        }
        reason if reason.phase() >= Phase::Starttls => Some(TlsRptResult::ValidationFailure),
        _ => None,
    }
}

/// What a report calls it that TLSA records come to this, where that was found at
/// the host.
pub(super) fn of_dane(stand: DaneStand, found: Option<&Outcome>) -> Option<TlsRptResult> {
    match stand {
        DaneStand::Mismatch | DaneStand::Rollover | DaneStand::NotYetValid | DaneStand::Unusable => {
            Some(TlsRptResult::TlsaInvalid)
        }
        DaneStand::Chain => Some(TlsRptResult::CertificateNotTrusted),
        DaneStand::NameMismatch => Some(TlsRptResult::CertificateHostMismatch),
        DaneStand::CertificateExpired => Some(TlsRptResult::CertificateExpired),
        DaneStand::NoTls => found.and_then(of_no_tls),
        DaneStand::Bogus => Some(TlsRptResult::DnssecInvalid),
        _ => None,
    }
}

/// What a report calls a policy of MTA-STS that is not to be had, or none.
pub(super) fn of_sts_policy(stand: StsStand) -> Option<TlsRptResult> {
    match stand {
        StsStand::HostUnresolved
        | StsStand::HostUnreachable
        | StsStand::HostTls
        | StsStand::HostTimeout
        | StsStand::Http
        | StsStand::HttpRedirect
        | StsStand::HttpStatus
        | StsStand::PolicyTooLong => Some(TlsRptResult::StsPolicyFetchError),
        StsStand::HostCertificate => Some(TlsRptResult::StsWebpkiInvalid),
        StsStand::PolicySyntax
        | StsStand::PolicyVersion
        | StsStand::PolicyMode
        | StsStand::PolicyMaxAge
        | StsStand::PolicyMx => Some(TlsRptResult::StsPolicyInvalid),
        _ => None,
    }
}

/// What a report calls a certificate that fails in this.
pub(super) fn of_certificate(why: Option<CheckFailure>) -> TlsRptResult {
    match why {
        Some(CheckFailure::NameMismatch) => TlsRptResult::CertificateHostMismatch,
        Some(CheckFailure::Expired) => TlsRptResult::CertificateExpired,
        _ => TlsRptResult::CertificateNotTrusted,
    }
}
