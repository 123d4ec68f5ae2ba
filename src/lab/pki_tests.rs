//! The certificates are what the scenarios ask for, judged by libraries that
//! did not make them.

use super::*;
use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::SignatureScheme;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::prelude::{FromDer, X509Certificate};

const HOST: &str = "mx1.d0.example";

fn chain(spec: &Certificate) -> (Pki, Vec<CertificateDer<'static>>) {
    let pki = Pki::new(SystemTime::now()).unwrap();
    let key = LeafKey::new(spec.key).unwrap();
    let chain = pki.chain(spec, &key, HOST).unwrap();
    (pki, chain)
}

fn verify(pki: &Pki, chain: &[CertificateDer<'static>]) -> Result<(), webpki::Error> {
    let anchor = anchor_from_trusted_cert(pki.root()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    EndEntityCert::try_from(&chain[0])?
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[anchor],
            &chain[1..],
            rustls::pki_types::UnixTime::since_unix_epoch(now),
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map(|_| ())
}

#[test]
fn every_key_kind_has_a_certificate_under_the_root() {
    for (key, bits) in [
        (LeafKeyKind::EcdsaP256, 256),
        (LeafKeyKind::EcdsaP256Hybrid, 0),
        (LeafKeyKind::EcdsaP384, 384),
        (LeafKeyKind::Ed25519, 0),
        (LeafKeyKind::Rsa2048, 2048),
        (LeafKeyKind::Rsa1024, 1024),
    ] {
        let (pki, chain) = chain(&Certificate { key, ..Certificate::default() });
        verify(&pki, &chain).unwrap_or_else(|error| panic!("{key:?}: {error}"));
        let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
        let parsed = leaf.public_key().parsed().map(|key| key.key_size()).unwrap_or_default();
        assert!(bits == 0 || parsed == bits, "{key:?}: {parsed}");
    }
}

#[test]
fn a_stranger_and_a_hermit_are_not_trusted() {
    for issuer in [IssuerKind::Stranger, IssuerKind::Itself] {
        let (pki, chain) = chain(&Certificate { issuer, ..Certificate::default() });
        assert!(verify(&pki, &chain).is_err(), "{issuer:?}");
    }
    let (pki, chain) = chain(&Certificate { send: Sent::LeafOnly, ..Certificate::default() });
    assert_eq!(verify(&pki, &chain), Err(webpki::Error::UnknownIssuer));
}

#[test]
fn dates_count_from_the_start_of_the_fleet() {
    let (_, chain) = chain(&Certificate { from_day: -60, to_day: -1, ..Certificate::default() });
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let validity = leaf.validity();
    for (date, days) in [(validity.not_before, -60), (validity.not_after, -1)] {
        assert!((date.timestamp() - now - days * 86_400).abs() < 60, "{date}");
    }
}

#[test]
fn names_are_filled_in() {
    let names = ["{host}", "*.{parent}", "*.{grandparent}", "fixed.example"].map(String::from).to_vec();
    let (_, chain) = chain(&Certificate { names, ..Certificate::default() });
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let names: Vec<String> = names.value.general_names.iter().map(ToString::to_string).collect();
    assert_eq!(
        names.join(" "),
        "DNSName(mx1.d0.example) DNSName(*.d0.example) DNSName(*.example) DNSName(fixed.example)"
    );
    assert_eq!(leaf.subject().to_string(), format!("CN={HOST}"));
}

#[test]
fn version_1_is_signed_as_version_1() {
    let (pki, chain) = chain(&Certificate { version: 1, ..Certificate::default() });
    let (rest, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    assert!(rest.is_empty() && leaf.extensions().is_empty());
    assert_eq!(leaf.version().0, 0);
    let (_, issuer) = X509Certificate::from_der(&chain[1]).unwrap();
    leaf.verify_signature(Some(issuer.public_key())).unwrap();
    assert!(verify(&pki, &chain).is_err());
}

#[test]
fn the_weak_key_signs_what_its_certificate_verifies() {
    let key = LeafKey::new(LeafKeyKind::Rsa1024).unwrap();
    assert!(key.signer.to_library().choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).is_none());
    let signer = key.signer.to_library().choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap();
    let signature = signer.sign(b"message").unwrap();
    let public =
        UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key.public.der_bytes());
    public.verify(b"message", &signature).unwrap();
    assert!(public.verify(b"massage", &signature).is_err());
}

#[test]
fn a_self_signed_certificate_needs_a_key_that_can_sign_it() {
    let pki = Pki::new(SystemTime::now()).unwrap();
    let key = LeafKey::new(LeafKeyKind::Rsa1024).unwrap();
    let spec = Certificate { issuer: IssuerKind::Itself, ..Certificate::default() };
    assert!(pki.chain(&spec, &key, HOST).is_err());
}

#[test]
fn a_certificate_signed_with_sha1_is_one_and_its_signature_holds() {
    for key in [LeafKeyKind::EcdsaP256, LeafKeyKind::Rsa2048, LeafKeyKind::Rsa1024] {
        let (_, chain) =
            chain(&Certificate { key, signature: SignatureKind::Sha1, ..Certificate::default() });
        let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
        let (_, issuer) = X509Certificate::from_der(&chain[1]).unwrap();
        assert_eq!(leaf.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.5");
        assert_eq!(leaf.signature.algorithm, leaf.signature_algorithm.algorithm);
        assert_eq!(leaf.issuer(), issuer.subject());
        leaf.verify_signature(Some(issuer.public_key())).unwrap();
    }
}

#[test]
fn the_intermediate_that_signs_with_sha1_is_itself_in_order() {
    let (pki, chain) = chain(&Certificate { signature: SignatureKind::Sha1, ..Certificate::default() });
    let (_, root) = X509Certificate::from_der(pki.root()).unwrap();
    let (_, intermediate) = X509Certificate::from_der(&chain[1]).unwrap();
    intermediate.verify_signature(Some(root.public_key())).unwrap();
    let refused = verify(&pki, &chain).unwrap_err();
    assert!(matches!(refused, webpki::Error::UnsupportedSignatureAlgorithmContext(_)), "{refused:?}");
}
