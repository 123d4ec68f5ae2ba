//! The three strengths at one endpoint, one table each.

use super::*;
use crate::model::{
    ChainStatus, DateStatus, DomainName, Failure, Kind, Leaf, NegotiatedTls, PresentedCertificate, Sha256,
    TlsFinding,
};
use crate::sender::connector::ReferenceIdentifier;
use crate::verdict::fixtures::{at, ip};
use crate::verdict::requirement::ReferenceName;
use std::sync::Arc;

fn tls(chain: ChainStatus, dates: DateStatus, names: &[&str]) -> TlsFinding {
    let leaf = Leaf {
        sha256: Sha256([0; 32]),
        dns_names: names.iter().map(|name| (*name).into()).collect(),
        ip_addresses: Box::new([]),
        common_name: None,
        subject: None,
        key_algorithm: None,
        thumbprint: [0; 20],
        signed_with_sha1: Some(false),
    };
    TlsFinding { chain: Some(chain), dates: Some(dates), leaf: Some(Arc::new(leaf)), ..TlsFinding::default() }
}

fn reason(phase: Phase, kind: Kind) -> Option<Reason> {
    Some(Reason::from(&Failure::new(phase, kind)))
}

/// The three strengths, with this domain as the name that is expected.
fn texts(endpoint: &JudgedEndpoint, domain: Option<&DomainName>) -> [String; 3] {
    let name =
        ReferenceName { expected: domain.map(ReferenceIdentifier::Recipient), wildcard_covers_apex: false };
    [Requirement::Tls, Requirement::PkixChain, Requirement::PkixName(name)]
        .map(|requirement| check(requirement, endpoint).to_string())
}

fn endpoint(
    delivery: Delivery,
    reason: Option<Reason>,
    presented: Option<PresentedCertificate>,
) -> JudgedEndpoint {
    let outcome = match (delivery, reason) {
        (Delivery::Encrypted, _) => Outcome::encrypted(Basis::Observed, NegotiatedTls::default()),
        (delivery, reason) => {
            Outcome { delivery, reason, ..Outcome::encrypted(Basis::Observed, NegotiatedTls::default()) }
        }
    };
    of_parts(at(ip(1), None, None), outcome, presented)
}

fn checked(delivery: Delivery, reason: Option<Reason>, tls: Option<&TlsFinding>) -> [String; 3] {
    let domain = DomainName::parse("contoso.com").unwrap();
    texts(&endpoint(delivery, reason, tls.and_then(TlsFinding::presented)), Some(&domain))
}

#[test]
fn each_strength_stops_at_what_it_demands() {
    let (good, other) = (["contoso.com"], ["mx.contoso.com"]);
    let (valid, expired, not_yet) = (DateStatus::Valid, DateStatus::Expired, DateStatus::NotYetValid);
    let stops = |why| ["pass", why, why];
    let open = "undetermined:chain_unverifiable";
    for (chain, dates, names, expected) in [
        (ChainStatus::Valid, valid, good, ["pass"; 3]),
        (ChainStatus::Valid, valid, other, ["pass", "pass", "fail:name_mismatch"]),
        (ChainStatus::Valid, expired, good, stops("fail:expired")),
        (ChainStatus::Valid, not_yet, good, stops("fail:not_yet_valid")),
        (ChainStatus::SelfSigned, expired, good, stops("fail:self_signed")),
        (ChainStatus::UntrustedRoot, valid, good, stops("fail:untrusted_root")),
        (ChainStatus::IncompleteChain, valid, good, stops("fail:incomplete_chain")),
        (ChainStatus::Invalid, valid, good, stops("fail:invalid_chain")),
        (ChainStatus::ExpiredRoot, valid, good, stops("fail:expired_root")),
        // A chain that cannot be verified here is left open; what fails
        // whatever the chain is is not.
        (ChainStatus::Unverifiable, valid, good, stops(open)),
        (ChainStatus::Unverifiable, valid, other, ["pass", open, "fail:name_mismatch"]),
        (ChainStatus::Unverifiable, expired, good, stops("fail:expired")),
        (ChainStatus::Unverifiable, DateStatus::Unreadable, good, stops("fail:dates_unreadable")),
    ] {
        assert_eq!(checked(Delivery::Encrypted, None, Some(&tls(chain, dates, &names))), expected);
    }
}

#[test]
fn a_leaf_signed_with_sha1_is_refused_by_name() {
    let mut old = tls(ChainStatus::Invalid, DateStatus::Valid, &["contoso.com"]);
    let mut leaf = Leaf::clone(old.leaf.as_deref().unwrap());
    leaf.signed_with_sha1 = Some(true);
    old.leaf = Some(Arc::new(leaf));
    let found = checked(Delivery::Encrypted, None, Some(&old));
    assert_eq!(found, ["pass", "fail:sha1_certificate", "fail:sha1_certificate"]);
}

#[test]
fn without_encryption_no_strength_passes_and_what_is_not_known_stays_open() {
    let not_offered = reason(Phase::Starttls, Kind::NotOffered);
    assert_eq!(checked(Delivery::Plaintext, not_offered, None), ["fail:starttls_not_offered"; 3]);
    let throttled = reason(Phase::Greeting, Kind::Throttled);
    assert_eq!(checked(Delivery::Undetermined, throttled, None), ["undetermined:greeting_throttled"; 3]);
    assert_eq!(checked(Delivery::Undetermined, None, None), ["undetermined:not_probed"; 3]);
    let unseen = "undetermined:certificate_not_seen";
    assert_eq!(checked(Delivery::Encrypted, None, None), ["pass", unseen, unseen]);
}

#[test]
fn an_endpoint_without_a_domain_has_no_name_to_expect() {
    let seen = tls(ChainStatus::Valid, DateStatus::Valid, &["contoso.com"]);
    let found = texts(&endpoint(Delivery::Encrypted, None, seen.presented()), None);
    assert_eq!(found, ["pass", "pass", "undetermined:no_domain"]);
}

/// What is not known of the signature leaves a pass open, and no failure.
#[test]
fn a_signature_that_cannot_be_checked_passes_nothing() {
    let domain = DomainName::parse("contoso.com").unwrap();
    for (cause, open) in [
        (CheckCause::SignatureUnverifiable, "undetermined:signature_unverifiable"),
        (CheckCause::KeyNotProven, "undetermined:key_not_proven"),
        (CheckCause::NotRecorded, "undetermined:not_recorded"),
    ] {
        for (names, domain_validation) in
            [(&["contoso.com"], open), (&["other.example"], "fail:name_mismatch")]
        {
            let seen = tls(ChainStatus::Valid, DateStatus::Valid, names);
            let texts = |session, certificate| {
                let unproven = Unproven { session, certificate };
                let endpoint = endpoint(Delivery::Encrypted, None, seen.presented());
                texts(&JudgedEndpoint { unproven, ..endpoint }, Some(&domain))
            };
            assert_eq!(texts(Some(cause), None), [open, open, domain_validation]);
            // Without a certificate there is no key to prove.
            assert_eq!(texts(None, Some(cause)), ["pass", open, domain_validation]);
        }
    }
}
