//! The certificate of the client against the name that a connector expects.

use super::case::{Holds, InboundCase};
use crate::model::inbound::{DomainScope, InboundCause};
use crate::model::{CertificateFacts, ChainStatus, DateStatus, SignatureCheck};

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

fn is_named(leaf: &CertificateFacts, expected: &DomainScope) -> Holds {
    let names = || leaf.common_name.iter().chain(&leaf.dns_names);
    if leaf.common_name.as_ref().is_some_and(|name| expected.covers(name)) {
        Holds::Yes
    } else if leaf.dns_names.iter().any(|name| expected.covers(name)) {
        Holds::Open(InboundCause::NameOutsideSubject)
    } else if names().any(|name| stands_for(name, expected)) {
        Holds::Open(InboundCause::WildcardOnCertificate)
    } else {
        Holds::No
    }
}

/// Whether a wildcard on the certificate stands for the name (RFC 9525 §6.3), or for the
/// domain itself, which some take it for.
fn stands_for(presented: &str, expected: &DomainScope) -> bool {
    let (Some(parent), DomainScope::Exact(domain)) = (presented.strip_prefix("*."), expected) else {
        return false;
    };
    let above = domain.as_str().split_once('.').map(|(_, above)| above);
    above.is_some_and(|above| above.eq_ignore_ascii_case(parent))
        || domain.as_str().eq_ignore_ascii_case(parent)
}
