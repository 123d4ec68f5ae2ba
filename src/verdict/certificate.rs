//! The checks that forced TLS makes of a certificate, and of what a sender
//! comes to without one.

use super::requirement::ReferenceName;
use crate::model::{
    ChainStatus, Check, CheckCause, CheckFailure, DateStatus, Delivery, Kind, Leaf, Phase,
    PresentedCertificate, Reason,
};
use crate::sender::connector::{self, Bears};

/// STARTTLS is refused for now.
pub(super) const REFUSED_FOR_NOW: Reason =
    Reason::Ended { phase: Phase::Starttls, kind: Kind::RefusedTemporarily };

/// Mail that would go in clear, or be kept for want of TLS, is not delivered
/// where TLS is demanded.
pub(super) fn encryption_only(delivery: Delivery, reason: Option<Reason>) -> Check {
    let open = |reason: Option<Reason>| {
        Check::Undetermined(reason.map_or(CheckCause::NotProbed, CheckCause::NoAnswer))
    };
    match delivery {
        // Whoever demands TLS keeps the message, and may get it later.
        _ if reason == Some(REFUSED_FOR_NOW) => open(reason),
        Delivery::Encrypted => Check::Pass,
        Delivery::Undetermined => open(reason),
        Delivery::Plaintext | Delivery::Deferred | Delivery::Undeliverable => {
            reason.map_or_else(|| open(None), |reason| Check::Fail(CheckFailure::NoTls(reason)))
        }
    }
}

/// Signature of the leaf, chain and dates. Revocation is not looked at here.
pub(super) fn certificate_validation(presented: Option<&PresentedCertificate>) -> Check {
    let Some(presented) = presented else {
        return Check::Undetermined(CheckCause::CertificateNotSeen);
    };
    if presented.leaf.signed_with_sha1 == Some(true) {
        return Check::Fail(CheckFailure::Sha1Certificate);
    }
    let chain = match presented.chain {
        ChainStatus::Valid => Check::Pass,
        ChainStatus::SelfSigned => Check::Fail(CheckFailure::SelfSigned),
        ChainStatus::UntrustedRoot => Check::Fail(CheckFailure::UntrustedRoot),
        ChainStatus::IncompleteChain => Check::Fail(CheckFailure::IncompleteChain),
        ChainStatus::ExpiredRoot => Check::Fail(CheckFailure::ExpiredRoot),
        ChainStatus::Invalid => Check::Fail(CheckFailure::InvalidChain),
        // Dates that do not hold fail, whatever the chain is.
        ChainStatus::Unverifiable => {
            return dates(presented.dates).and(|| Check::Undetermined(CheckCause::ChainUnverifiable));
        }
    };
    chain.and(|| dates(presented.dates))
}

fn dates(dates: DateStatus) -> Check {
    match dates {
        DateStatus::Valid => Check::Pass,
        DateStatus::Expired => Check::Fail(CheckFailure::Expired),
        DateStatus::NotYetValid => Check::Fail(CheckFailure::NotYetValid),
        DateStatus::Unreadable => Check::Fail(CheckFailure::DatesUnreadable),
    }
}

/// `certificate`, and the name that is demanded on it.
pub(super) fn domain_validation(certificate: Check, leaf: Option<&Leaf>, name: ReferenceName<'_>) -> Check {
    let bears = || bears(leaf, name);
    match certificate {
        // Whatever the chain is, a name that is not there fails.
        Check::Undetermined(CheckCause::ChainUnverifiable) => bears().and(|| certificate),
        other => other.and(bears),
    }
}

fn bears(leaf: Option<&Leaf>, name: ReferenceName<'_>) -> Check {
    let Some(expected) = name.expected else {
        return Check::Undetermined(CheckCause::NoDomain);
    };
    let Some(leaf) = leaf else {
        return Check::Undetermined(CheckCause::CertificateNotSeen);
    };
    match connector::bears(leaf, expected, name.wildcard_covers_apex) {
        Bears::Yes => Check::Pass,
        Bears::BySuffix => Check::Undetermined(CheckCause::PublicSuffixWildcard),
        Bears::No => Check::Fail(CheckFailure::NameMismatch),
    }
}
