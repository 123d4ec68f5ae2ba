//! The certificate of the client against the name that a connector expects.

use super::case::{Holds, InboundCase};
use crate::model::inbound::{DomainScope, InboundCause, common_names};
use crate::model::{CertificateFacts, ChainStatus, DateStatus, DomainName, SignatureCheck};

/// Whether the client showed a certificate of this name, and proved that it has its key.
/// A name that is not on it is not there, proven or not.
pub(super) fn bears(case: &InboundCase<'_>, expected: &DomainScope) -> Holds {
    let Some(tls) = case.session.tls.as_ref().filter(|_| case.mail.in_tls) else { return Holds::No };
    let Some(chain) = case.chain else { return Holds::No };
    let Some(leaf) = chain.certificates.first().filter(|leaf| leaf.subject.is_some()) else {
        return Holds::Open(InboundCause::CertificateUnreadable);
    };
    let named = is_named(leaf, expected);
    if named == Holds::No {
        return Holds::No;
    }
    if tls.signature != Some(SignatureCheck::Verified) {
        return Holds::Open(InboundCause::KeyNotProven);
    }
    if chain.chain != ChainStatus::Valid || chain.dates != DateStatus::Valid {
        return Holds::Open(InboundCause::CertificateNotTrusted);
    }
    named
}

/// A name in the subject counts; one in the subject alternative name may.
fn is_named(leaf: &CertificateFacts, expected: &DomainScope) -> Holds {
    let Some(common_names) = leaf.subject.as_deref().and_then(common_names) else {
        return Holds::Open(InboundCause::CertificateUnreadable);
    };
    let by_subject = together(common_names.iter().map(|name| is_name(name, expected)));
    if by_subject != Holds::No {
        return by_subject;
    }
    let outside = leaf.dns_names.iter().map(|name| is_name(name, expected));
    match outside.reduce(|one, other| if one == Holds::No { other } else { one }) {
        None | Some(Holds::No) => Holds::No,
        Some(Holds::Open(InboundCause::WildcardOnCertificate)) => {
            Holds::Open(InboundCause::WildcardOnCertificate)
        }
        Some(_) => Holds::Open(InboundCause::NameOutsideSubject),
    }
}

/// What comes of all common names of a subject.
fn together(mut names: impl Iterator<Item = Holds>) -> Holds {
    let Some(first) = names.next() else { return Holds::No };
    if names.all(|name| name == first) { first } else { Holds::Open(InboundCause::SeveralCommonNames) }
}

/// Whether one name of a certificate is the one expected. What is no plain domain name, and
/// has the domain in it, may be meant for it.
fn is_name(presented: &str, expected: &DomainScope) -> Holds {
    let parsed = DomainName::parse(presented).ok();
    if parsed.as_ref().is_some_and(|name| name.as_str().eq_ignore_ascii_case(presented)) {
        return if expected.covers(presented) { Holds::Yes } else { Holds::No };
    }
    if presented.eq_ignore_ascii_case(&expected.to_string()) {
        return Holds::Yes;
    }
    if stands_for(presented, expected) {
        return Holds::Open(InboundCause::WildcardOnCertificate);
    }
    let is_meant = match parsed {
        Some(name) => expected.covers(name.as_str()),
        None => presented.to_ascii_lowercase().contains(domain_of(expected)),
    };
    if is_meant { Holds::Open(InboundCause::NameInAnotherForm) } else { Holds::No }
}

/// The domain that a scope is of; empty of the scope of all.
fn domain_of(scope: &DomainScope) -> &str {
    match scope {
        DomainScope::Exact(domain) => domain.as_str(),
        DomainScope::WithSubdomains(parent) => parent,
        DomainScope::Any => "",
    }
}

/// Whether a wildcard on the certificate stands for the name (RFC 9525 §6.3), for the domain
/// itself, which some take it for, or for some of the names below.
fn stands_for(presented: &str, expected: &DomainScope) -> bool {
    let Some(parent) = presented.strip_prefix("*.") else { return false };
    match expected {
        DomainScope::Exact(domain) => {
            let above = domain.as_str().split_once('.').map(|(_, above)| above);
            let is_above = above.is_some_and(|above| above.eq_ignore_ascii_case(parent));
            is_above || domain.as_str().eq_ignore_ascii_case(parent)
        }
        DomainScope::WithSubdomains(_) => expected.covers(parent),
        DomainScope::Any => true,
    }
}
