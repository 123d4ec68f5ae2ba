//! Answers of an OCSP responder: told or unknown, and no change of one makes
//! it prove what was not signed.
//!
//! The issuer signed two answers about the leaf, one good and one revoked.

use super::Seed;
use super::crl::{ISSUER, LEAF, at, check_text};
use mxray::internals::model::SignatureCheck;
use mxray::internals::model::revocation::RevocationStatus;
use mxray::internals::revocation::{CertificateId, ocsp};

const GOOD: &[u8] = include_bytes!("testdata/good.der");
const REVOKED: &[u8] = include_bytes!("testdata/revoked.der");

pub fn check(input: &[u8]) {
    let question = CertificateId::new(LEAF, Some(ISSUER)).unwrap();
    let told = ocsp::look_up(input, &question, at());
    check_text(&told);
    assert_eq!(told, ocsp::look_up(input, &question, at()), "the same again");
    if told.signature == Some(SignatureCheck::Verified) {
        let signed = match told.status {
            RevocationStatus::Good => GOOD,
            _ => REVOKED,
        };
        assert_eq!(told, ocsp::look_up(signed, &question, at()), "that is what was signed");
    }
    // Neither is about the issuer's own certificate.
    let other = ocsp::look_up(input, &CertificateId::new(ISSUER, Some(ISSUER)).unwrap(), at());
    assert!(!other.is_proved_good(), "nothing was signed about it: {other:?}");
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("good", GOOD.to_vec()),
        ("revoked", REVOKED.to_vec()),
        ("try-later", vec![0x30, 3, 0x0a, 1, 3]),
        ("html", b"<html><title>404</title></html>".to_vec()),
    ]
}

#[test]
fn the_signed_answers_are_one_of_each() {
    let question = CertificateId::new(LEAF, Some(ISSUER)).unwrap();
    assert!(ocsp::look_up(GOOD, &question, at()).is_proved_good());
    let revoked = ocsp::look_up(REVOKED, &question, at());
    assert_eq!(
        (revoked.status, revoked.signature),
        (RevocationStatus::Revoked, Some(SignatureCheck::Verified))
    );
}
