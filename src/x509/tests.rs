//! What is read of whole, odd and broken certificates. The files in
//! `testdata` were made with OpenSSL, for what rcgen cannot make: RSA of 1024
//! bits, X.509 version 1, a SHA-1 signature, DSA.

use super::*;
use jiff::Timestamp;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DnType, IsCa, Issuer,
    KeyPair, SanType, SerialNumber, date_time_ymd,
};

const RSA_1024: &[u8] = include_bytes!("testdata/rsa-1024.der");
const VERSION_1: &[u8] = include_bytes!("testdata/version-1.der");
const SHA_1: &[u8] = include_bytes!("testdata/sha1.der");
const DSA: &[u8] = include_bytes!("testdata/dsa.der");

/// DER of one element with a short length.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[tag, length], content].concat()
}

/// An authority information access with one OCSP and one CA issuers URL.
fn authority_access() -> CustomExtension {
    let entry = |method: u8, url: &str| {
        let oid = tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]);
        tlv(0x30, &[oid, tlv(0x86, url.as_bytes())].concat())
    };
    let content =
        tlv(0x30, &[entry(1, "http://ocsp.example/"), entry(2, "http://ca.example/ca.der")].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

fn subject_alternative_name(names: &[Vec<u8>]) -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, 17], tlv(0x30, &names.concat()))
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["MX.example.com".into(), "*.example.com".into()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress("192.0.2.1".parse().unwrap()));
    params.subject_alt_names.push(SanType::IpAddress("2001:db8::1".parse().unwrap()));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
    params.distinguished_name.push(DnType::CommonName, "mx.example.com");
    params.serial_number = Some(SerialNumber::from_slice(&[0x00, 0x9a, 0x0b]));
    params.not_before = date_time_ymd(2024, 1, 2);
    params.not_after = date_time_ymd(2025, 1, 2);
    params.custom_extensions.push(authority_access());
    params.crl_distribution_points.push(CrlDistributionPoint { uris: vec!["http://crl.example/1".into()] });
    params
}

fn self_signed(params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
    params.self_signed(key).unwrap().der().to_vec()
}

fn ecdsa() -> KeyPair {
    KeyPair::generate().unwrap()
}

#[test]
fn a_whole_certificate_is_read_whole() {
    let der = self_signed(&params(), &ecdsa());
    let facts = read(&der);
    let spki = subject_public_key_info(&der).unwrap();
    let expected = CertificateFacts {
        sha256: digest(&der),
        spki_sha256: Some(digest(spki)),
        version: Some(3),
        subject: Some(r"O=Example\, Inc., CN=mx.example.com".into()),
        issuer: Some(r"O=Example\, Inc., CN=mx.example.com".into()),
        common_name: Some("mx.example.com".into()),
        dns_names: vec!["mx.example.com".into(), "*.example.com".into()],
        ip_addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        serial: Some("9a0b".into()),
        not_before: Some("2024-01-02T00:00:00Z".parse().unwrap()),
        not_after: Some("2025-01-02T00:00:00Z".parse().unwrap()),
        key_algorithm: Some("ECDSA".into()),
        key_bits: Some(256),
        signature_algorithm: Some("ecdsa-with-SHA256".into()),
        extended_key_usages: Vec::new(),
        is_ca: false,
        self_signed: true,
        ocsp_urls: vec!["http://ocsp.example/".into()],
        issuer_urls: vec!["http://ca.example/ca.der".into()],
        crl_urls: vec!["http://crl.example/1".into()],
        defect: None,
    };
    assert_eq!(facts, expected);
}

#[test]
fn keys_and_signatures_have_names() {
    for (algorithm, expected) in [
        (&rcgen::PKCS_ECDSA_P256_SHA256, ("ECDSA", 256, "ecdsa-with-SHA256")),
        (&rcgen::PKCS_ECDSA_P384_SHA384, ("ECDSA", 384, "ecdsa-with-SHA384")),
        (&rcgen::PKCS_ECDSA_P521_SHA512, ("ECDSA", 521, "ecdsa-with-SHA512")),
        (&rcgen::PKCS_ED25519, ("Ed25519", 256, "ED25519")),
        (&rcgen::PKCS_RSA_SHA256, ("RSA", 2048, "sha256WithRSAEncryption")),
    ] {
        let facts = read(&self_signed(&params(), &KeyPair::generate_for(algorithm).unwrap()));
        let (key, bits, signature) = expected;
        assert_eq!(facts.key_algorithm.as_deref(), Some(key));
        assert_eq!(facts.key_bits, Some(bits), "{key}");
        assert_eq!(facts.signature_algorithm.as_deref(), Some(signature));
        assert!(facts.self_signed, "{signature}");
    }
}

#[test]
fn odd_certificates_are_read_as_well() {
    for (der, version, algorithm, bits, signature) in [
        (RSA_1024, 3, "RSA", 1024, "sha256WithRSAEncryption"),
        (VERSION_1, 1, "RSA", 2048, "sha256WithRSAEncryption"),
        (SHA_1, 3, "RSA", 2048, "sha1WithRSAEncryption"),
        (DSA, 3, "DSA", 2048, "dsa_with_SHA256"),
    ] {
        let facts = read(der);
        assert_eq!(facts.version, Some(version));
        assert_eq!(facts.key_algorithm.as_deref(), Some(algorithm));
        assert_eq!(facts.key_bits, Some(bits));
        assert_eq!(facts.signature_algorithm.as_deref(), Some(signature));
        assert!(facts.self_signed);
        assert_eq!(facts.defect, None);
    }
    assert_eq!(read(VERSION_1).subject.as_deref(), Some(r"C=DE, O=Old\, Inc., CN=v1.example"));
}

#[test]
fn a_ca_and_what_it_issues_are_no_self_signed_leaves() {
    let (ca_key, key) = (ecdsa(), ecdsa());
    let mut ca = params();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let facts = read(&self_signed(&ca, &ca_key));
    assert!(facts.is_ca && facts.self_signed);
    // Of the same name as its issuer, but signed by another key.
    let issued = params().signed_by(&key, &Issuer::new(ca.clone(), &ca_key)).unwrap();
    let facts = read(issued.der());
    assert_eq!(facts.subject, facts.issuer);
    assert!(!facts.self_signed && !facts.is_ca);
    // The verifier does not know this algorithm: the key identifiers decide.
    let ca_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    let mut leaf = params();
    leaf.use_authority_key_identifier_extension = true;
    let issued = leaf.signed_by(&key, &Issuer::new(ca, &ca_key)).unwrap();
    assert!(!read(issued.der()).self_signed);
}

#[test]
fn a_broken_own_signature_is_none() {
    let mut der = self_signed(&params(), &ecdsa());
    *der.last_mut().unwrap() ^= 1;
    assert!(!read(&der).self_signed);
}

#[test]
fn odd_names_are_escaped_and_told() {
    let mut odd = params();
    odd.subject_alt_names.clear();
    odd.custom_extensions.push(subject_alternative_name(&[
        tlv(0x82, b"caf\xe9.example"),
        tlv(0x82, "bücher.example".as_bytes()),
        tlv(0x82, b"nul\0.Example"),
        tlv(0x87, &[1, 2, 3]),
        tlv(0x81, b"postmaster@example.com"),
    ]));
    let facts = read(&self_signed(&odd, &ecdsa()));
    assert_eq!(facts.dns_names, [r"caf\xe9.example", "bücher.example", r"nul\x00.example"]);
    assert_eq!(facts.defect.as_deref(), Some("a dNSName that is no text; an iPAddress of 3 bytes"));
}

#[test]
fn usages_are_told_in_their_order_and_bounded() {
    let usages = |oids: &[Vec<u8>]| {
        let content = oids.iter().flat_map(|oid| tlv(0x06, oid)).collect::<Vec<_>>();
        let mut usages = params();
        usages
            .custom_extensions
            .push(CustomExtension::from_oid_content(&[2, 5, 29, 37], tlv(0x30, &content)));
        let facts = read(&self_signed(&usages, &ecdsa()));
        (facts.extended_key_usages, facts.defect)
    };
    let purpose = |last: u8| vec![0x2b, 6, 1, 5, 5, 7, 3, last];
    let told = ["1.3.6.1.5.5.7.3.3", "clientAuth", "anyExtendedKeyUsage", "serverAuth"].map(str::to_string);
    assert_eq!(
        usages(&[purpose(3), purpose(2), vec![0x55, 0x1d, 0x25, 0], purpose(1)]),
        (told.to_vec(), None)
    );
    assert_eq!(usages(&[]), (Vec::new(), Some("an extended key usage that names none".into())));
    let over = Some("too many or too long extended key usages".to_string());
    let many = vec![vec![0x2a]; EXTENDED_KEY_USAGES_MAX + 1];
    assert_eq!(usages(&many[1..]), (vec!["1.2".to_string(); EXTENDED_KEY_USAGES_MAX], None));
    assert_eq!(usages(&many), (vec!["1.2".to_string(); EXTENDED_KEY_USAGES_MAX], over.clone()));
    assert_eq!(usages(&[purpose(1), vec![0x2a; USAGE_OID_BYTES_MAX + 1]]), (vec!["serverAuth".into()], over));
}

#[test]
fn an_unreadable_extension_loses_itself_alone() {
    let mut odd = params();
    odd.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 14], b"not DER".to_vec()));
    let facts = read(&self_signed(&odd, &ecdsa()));
    assert_eq!(facts.defect.as_deref(), Some("extension 2.5.29.14 unreadable"));
    assert_eq!(facts.dns_names.len(), 2);
}

#[test]
fn an_unreadable_date_loses_itself_alone() {
    let der = self_signed(&params(), &ecdsa());
    let start = der.windows(13).position(|window| window == b"240102000000Z").unwrap();
    let mut odd = der.clone();
    odd[start + 2..start + 4].copy_from_slice(b"99");
    let facts = read(&odd);
    assert_eq!((facts.not_before, facts.defect.as_deref()), (None, Some("notBefore unreadable")));
    assert_eq!(facts.not_after, read(&der).not_after);
    assert_eq!(facts.subject, read(&der).subject);
}

#[test]
fn a_validity_without_end_is_the_last_moment() {
    let mut endless = params();
    endless.not_after = date_time_ymd(9999, 12, 31);
    assert_eq!(read(&self_signed(&endless, &ecdsa())).not_after, Some(Timestamp::MAX));
}

#[test]
fn addresses_that_are_left_out_are_told() {
    let left_out = |count: usize, url: &str| {
        let mut many = params();
        many.crl_distribution_points =
            (0..count).map(|_| CrlDistributionPoint { uris: vec![url.to_string()] }).collect();
        addresses_left_out(&self_signed(&many, &ecdsa()))
    };
    let over = |over| AddressesLeftOut { over, unread: None };
    assert_eq!(left_out(URLS_MAX, "http://crl.example/"), over(0));
    assert_eq!(left_out(URLS_MAX + 2, "http://crl.example/"), over(2));
    assert_eq!(left_out(1, &format!("http://crl.example/{}", "x".repeat(URL_BYTES_MAX))), over(1));

    let mut broken = params();
    broken.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], vec![0])];
    let told = addresses_left_out(&self_signed(&broken, &ecdsa())).unread;
    assert_eq!(told.as_deref(), Some("the extension that names addresses cannot be read"));
    let told = addresses_left_out(&[0; CERTIFICATE_BYTES_MAX + 1]).unread;
    assert_eq!(told.as_deref(), Some("the certificate is too large to read, over 65536 bytes"));
    let told = addresses_left_out(b"no certificate").unread;
    assert_eq!(told.as_deref(), Some("the certificate is broken at certificate"));
}

#[test]
fn limits_hold() {
    let names = |n: usize| {
        let mut many = params();
        many.subject_alt_names =
            (0..n).map(|i| SanType::DnsName(format!("n{i}.example").try_into().unwrap())).collect();
        read(&self_signed(&many, &ecdsa()))
    };
    // As many as a certificate of its greatest size can hold, and the last of
    // them is there: 15 bytes each with tag and length.
    let facts = names(4000);
    assert_eq!((facts.dns_names.len(), facts.defect), (4000, None));
    assert_eq!(facts.dns_names.last().map(String::as_str), Some("n3999.example"));
    assert_eq!(names(5000).defect.as_deref(), Some("over 65536 bytes"));

    let mut long = params();
    long.distinguished_name.push(DnType::OrganizationalUnitName, "x".repeat(2 * NAME_TEXT_BYTES_MAX));
    let facts = read(&self_signed(&long, &ecdsa()));
    assert_eq!(facts.subject.map(|text| text.len()), Some(NAME_TEXT_BYTES_MAX));

    let huge = [VERSION_1, &vec![0; CERTIFICATE_BYTES_MAX]].concat();
    let facts = read(&huge);
    assert_eq!((facts.version, facts.defect.as_deref()), (None, Some("over 65536 bytes")));
    assert_eq!(facts.sha256, digest(&huge));
    assert_eq!(subject_public_key_info(&huge), None);
}

#[test]
fn unique_identifiers_are_passed_over() {
    let wrap = |content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82], &length[..], content].concat()
    };
    let (frame, tbs_length) = (&VERSION_1[8..], u16::from_be_bytes([VERSION_1[6], VERSION_1[7]]));
    let (tbs, rest) = frame.split_at(tbs_length.into());
    let with_identifiers = [tbs, &[0x81, 2, 0, 1], &[0x82, 2, 0, 2]].concat();
    let facts = read(&wrap(&[wrap(&with_identifiers), rest.to_vec()].concat()));
    assert_eq!((facts.common_name.as_deref(), facts.defect), (Some("v1.example"), None));
}

#[test]
fn what_follows_a_certificate_is_told() {
    let der = [VERSION_1, b"\0"].concat();
    assert_eq!(read(&der).defect.as_deref(), Some("broken at what follows the certificate"));
    assert_eq!(read(&der).common_name.as_deref(), Some("v1.example"));
}

#[test]
fn no_truncation_makes_it_panic() {
    let der = self_signed(&params(), &ecdsa());
    for length in 0..der.len() {
        let facts = read(&der[..length]);
        assert_eq!(facts.sha256, digest(&der[..length]));
        assert!(facts.defect.is_some(), "{length}");
        assert_eq!(subject_public_key_info(&der[..length]), None);
    }
}

proptest! {
    #[test]
    fn no_mutation_makes_it_panic(changes in proptest::collection::vec((0..761_usize, any::<u8>()), 1..8)) {
        for original in [VERSION_1, RSA_1024, DSA] {
            let mut der = original.to_vec();
            for (position, value) in &changes {
                let position = position % der.len();
                der[position] = *value;
            }
            let facts = read(&der);
            prop_assert_eq!(facts.sha256, digest(&der));
            prop_assert!(facts.defect.is_none_or(|defect| defect.len() <= DEFECT_BYTES_MAX));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(der in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&der).defect.is_some());
    }
}
