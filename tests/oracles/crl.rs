//! Revocation lists: told or unknown, and no change of a list makes it prove
//! what its issuer did not sign.
//!
//! The one list that the issuer signed revokes the leaf and nothing else; its
//! key is thrown away.

use super::{Seed, message};
use jiff::Timestamp;
use mxray::internals::model::SignatureCheck;
use mxray::internals::model::revocation::{RevocationAnswer, RevocationStatus};
use mxray::internals::revocation::{CertificateId, crl};

pub const ISSUER: &[u8] = include_bytes!("testdata/issuer.der");
pub const LEAF: &[u8] = include_bytes!("testdata/leaf.der");
const LIST: &[u8] = include_bytes!("testdata/list.der");
const LIST_PEM: &[u8] = include_bytes!("testdata/list.pem");

/// Inside the times of everything that was signed.
pub fn at() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

pub fn check(input: &[u8]) {
    let question = CertificateId::new(LEAF, Some(ISSUER)).unwrap();
    let told = look_up(input, &question);
    check_text(&told);
    assert_eq!(told, look_up(input, &question), "the same again");
    assert!(!told.is_proved_good(), "no list says that: {told:?}");
    if told.signature == Some(SignatureCheck::Verified) && told.status == RevocationStatus::Revoked {
        assert_eq!(told.revoked, look_up(LIST, &question).revoked, "that is what was signed");
    }
    // Without the issuer's key nothing is proved.
    let unproved = look_up(input, &CertificateId::new(LEAF, None).unwrap());
    assert_ne!(unproved.signature, Some(SignatureCheck::Verified));
    if let Ok(facts) = crl::read(input) {
        assert!(facts.entries <= input.len(), "an entry takes bytes");
        assert!(!facts.issuer.chars().any(char::is_control));
    }
}

fn look_up(list: &[u8], question: &CertificateId<'_>) -> RevocationAnswer {
    crl::look_up(list, question, "http://crl.example/ca.crl", at())
}

/// What is told in words is one line.
pub fn check_text(told: &RevocationAnswer) {
    if let Some(detail) = &told.detail {
        message::check(detail);
    }
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("der", LIST.to_vec()),
        ("pem", LIST_PEM.to_vec()),
        ("html", b"<html><title>404</title></html>".to_vec()),
    ]
}

#[test]
fn the_signed_list_revokes_the_leaf() {
    let told = look_up(LIST, &CertificateId::new(LEAF, Some(ISSUER)).unwrap());
    assert_eq!((told.status, told.signature), (RevocationStatus::Revoked, Some(SignatureCheck::Verified)));
}
