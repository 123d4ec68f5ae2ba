//! Which strengths of forced TLS one endpoint passes, and a domain as a whole.

use super::names::{self, Expected};
use crate::model::{
    ChainStatus, Check, CheckCause, CheckFailure, DateStatus, Delivery, DomainFacts, Exchange, ForcedTls,
    Kind, Phase, Presented, Reason,
};
use std::cmp::Reverse;

/// What is demanded beyond encryption.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The name that DomainValidation expects; `None` where there is none to
    /// expect.
    pub expected: Option<Expected<'a>>,
    /// Whether a certificate for `*.contoso.com` serves `contoso.com` too.
    pub wildcard_covers_apex: bool,
}

/// Why it is not known whether the server holds the key of its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unproven {
    /// Of the session to which it comes with the sender's whole offer; `None`
    /// where that is known, and of one without a certificate.
    pub session: Option<CheckCause>,
    /// Of the certificate that it shows where the sender offers no suite
    /// without one, if that is another session.
    pub certificate: Option<CheckCause>,
}

/// Checks one endpoint. `delivery` and `reason` are the opportunistic outcome
/// of this sender there: EncryptionOnly passes exactly where that is
/// encrypted, unless it is `unproven` that the server holds the key of its
/// certificate. `presented` is the certificate that the sender is shown.
pub fn forced(
    (delivery, reason): (Delivery, Option<Reason>),
    unproven: Unproven,
    presented: Option<&Presented>,
    demand: &Demand<'_>,
) -> ForcedTls {
    let encryption_only = encryption_only(delivery, reason);
    let certificate_validation = encryption_only.and(|| certificate_validation(presented));
    let domain_validation = match certificate_validation {
        // Whatever the chain is, a name that is not there fails.
        Check::Undetermined(CheckCause::ChainUnverifiable) => {
            domain_validation(presented, demand).and(|| certificate_validation)
        }
        other => other.and(|| domain_validation(presented, demand)),
    };
    // What fails whatever the signature is, fails.
    let proven = |check: Check, unproven: Option<CheckCause>| {
        check.and(|| unproven.map_or(Check::Pass, Check::Undetermined))
    };
    let certificate = unproven.session.or(unproven.certificate);
    ForcedTls {
        encryption_only: proven(encryption_only, unproven.session),
        certificate_validation: proven(certificate_validation, certificate),
        domain_validation: proven(domain_validation, certificate),
    }
}

/// Checks an endpoint that agrees to suites without a certificate only.
pub fn anonymous(delivery: Delivery, reason: Option<Reason>) -> ForcedTls {
    let encryption_only = encryption_only(delivery, reason);
    let certificate = encryption_only.and(|| Check::Fail(CheckFailure::NoCertificate));
    ForcedTls { encryption_only, certificate_validation: certificate, domain_validation: certificate }
}

/// Mail that would go in clear, or be kept for want of TLS, is not delivered
/// where TLS is demanded.
pub fn encryption_only(delivery: Delivery, reason: Option<Reason>) -> Check {
    let open = |reason: Option<Reason>| {
        Check::Undetermined(reason.map_or(CheckCause::NotProbed, CheckCause::NoAnswer))
    };
    match delivery {
        Delivery::Encrypted => Check::Pass,
        Delivery::Undetermined => open(reason),
        Delivery::Plaintext | Delivery::Deferred | Delivery::Undeliverable => {
            reason.map_or_else(|| open(None), |reason| Check::Fail(CheckFailure::NoTls(reason)))
        }
    }
}

/// Signature of the leaf, chain and dates. Revocation is not looked at here.
fn certificate_validation(presented: Option<&Presented>) -> Check {
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

fn domain_validation(presented: Option<&Presented>, demand: &Demand<'_>) -> Check {
    let Some(expected) = demand.expected else {
        return Check::Undetermined(CheckCause::NoDomain);
    };
    let Some(presented) = presented else {
        return Check::Undetermined(CheckCause::CertificateNotSeen);
    };
    if names::bears(&presented.leaf, expected, demand.wildcard_covers_apex) {
        Check::Pass
    } else {
        Check::Fail(CheckFailure::NameMismatch)
    }
}

/// The checks of a domain from those of its endpoints, in the order in which a
/// sender tries them. A sender that is not served at one goes on to the next
/// (RFC 5321 §5.1), so one that passes is enough. Where none does, one that is
/// not known may still. Of several that do not, the first that got furthest
/// says why, as it does for delivery without a connector.
pub fn roll_up(facts: &DomainFacts, endpoints: &[ForcedTls]) -> ForcedTls {
    let mut unresolved: Vec<Check> = facts.exchanges.iter().filter_map(unresolved).collect();
    unresolved.extend(beyond(facts));
    let all =
        |of: fn(&ForcedTls) -> Check| decide(endpoints.iter().map(of).chain(unresolved.iter().copied()));
    ForcedTls {
        encryption_only: all(|forced| forced.encryption_only),
        certificate_validation: all(|forced| forced.certificate_validation),
        domain_validation: all(|forced| forced.domain_validation),
    }
}

/// What stands for the hosts and addresses beyond the limits, if there are or
/// may be any.
fn beyond(facts: &DomainFacts) -> Option<Check> {
    let counted = facts.hosts_excess().is_some() && facts.addresses_excess().is_some();
    let too_many = Reason::Ended { phase: Phase::Dns, kind: Kind::TooMany };
    let cause = if counted { CheckCause::NoAnswer(too_many) } else { CheckCause::NotRecorded };
    facts.is_cut().then_some(Check::Undetermined(cause))
}

/// An exchanger that may have an address to which mail goes.
fn unresolved(exchange: &Exchange) -> Option<Check> {
    let failure = exchange.failure.as_ref().filter(|failure| !failure.kind.says_no_host())?;
    Some(Check::Undetermined(CheckCause::NoAnswer(failure.into())))
}

fn decide(checks: impl Iterator<Item = Check> + Clone) -> Check {
    if checks.clone().any(|check| check == Check::Pass) {
        return Check::Pass;
    }
    let open = checks.clone().filter(|check| matches!(check, Check::Undetermined(_)));
    let furthest = first_that_got_furthest(open).or_else(|| first_that_got_furthest(checks));
    furthest.unwrap_or(Check::Undetermined(CheckCause::NotProbed))
}

fn first_that_got_furthest(checks: impl Iterator<Item = Check>) -> Option<Check> {
    // Of equals `min` keeps the first, `max` the last.
    checks.min_by_key(|check| Reverse(check.phase()))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
