//! What is settled without a signature. `tests/handshake_signatures.rs` has
//! those of every kind of key and scheme.

use super::*;

#[test]
fn what_is_no_certificate_is_our_limit() {
    for certificate in [&b""[..], &[0x30, 3, 2, 1, 7], &[0xff; 40]] {
        let scheme = SignatureScheme(0x0403);
        let refused = Verifier::new(certificate, ProtocolVersion::TLS13, Some(scheme), &[scheme]).err();
        assert_eq!(refused, Some(SignatureRefusal::unreadable_key()));
        let lacking = Verifier::new(certificate, ProtocolVersion::TLS12, Some(scheme), &[]).err();
        assert!(matches!(lacking, Some(SignatureRefusal::NotOffered(_))), "{lacking:?}");
    }
}

#[test]
fn the_offer_is_all_that_the_library_of_the_handshake_has() {
    let rustls = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
    let schemes = rustls.supported_schemes();
    let schemes: Vec<SignatureScheme> =
        schemes.into_iter().map(|scheme| SignatureScheme(scheme.into())).collect();
    assert_eq!(schemes, OFFERED_SCHEMES);
}
