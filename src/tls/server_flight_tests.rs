//! The messages after the hello, byte for byte.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const ECDHE_RSA: CipherSuite = CipherSuite(0xc02f);
const DHE_RSA: CipherSuite = CipherSuite(0x009e);

#[test]
fn a_chain_is_bounded_by_count() {
    let chain = CertificateMessage::decode(&[0, 0, 9, 0, 0, 2, 0x30, 0, 0, 0, 1, 7]).unwrap();
    assert_eq!(chain.certificates, [Arc::from([0x30, 0].as_slice()), Arc::from([7].as_slice())]);
    assert_eq!(CertificateMessage::decode(&[0, 0, 0]).unwrap(), CertificateMessage::default());
    let entries = [0, 0, 1, 7].repeat(CHAIN_CERTIFICATES_MAX + 2);
    let [.., high, middle, low] = entries.len().to_be_bytes();
    let body = [&[high, middle, low][..], &entries].concat();
    let chain = CertificateMessage::decode(&body).unwrap();
    assert_eq!((chain.certificates.len(), chain.excess), (CHAIN_CERTIFICATES_MAX, 2));
}

#[test]
fn a_chain_with_a_broken_end_is_malformed() {
    assert!(CertificateMessage::decode(&[0, 0, 5, 0, 0, 3, 0x30, 0]).is_err());
    assert!(CertificateMessage::decode(&[0, 0, 5, 0, 0, 1, 0x30, 0]).is_err());
    assert!(CertificateMessage::decode(&[0, 0, 0, 0]).is_err());
}

#[test]
fn a_named_curve_and_from_tls12_on_the_scheme() {
    let old = [3, 0, 23, 2, 4, 4, 0, 1, 9];
    let read = ServerKeyExchange::decode(&old, ProtocolVersion::TLS11, ECDHE_RSA).unwrap();
    assert_eq!(read.key_exchange, KeyExchange::Group(NamedGroup(23)));
    let signed = read.signed.unwrap();
    assert_eq!((&*signed.params, signed.scheme, &*signed.signature), (&old[..6], None, &[9][..]));
    let message = signed.message(&[1; 32], &[2; 32]);
    assert_eq!(message, [&[1; 32][..], &[2; 32], &old[..6]].concat());
    let new = [3, 0xab, 0xcd, 2, 4, 4, 8, 4, 0, 1, 9];
    let read = ServerKeyExchange::decode(&new, ProtocolVersion::TLS12, ECDHE_RSA).unwrap();
    assert_eq!(read.key_exchange, KeyExchange::Group(NamedGroup(0xabcd)));
    let signed = read.signed.unwrap();
    assert_eq!((&*signed.params, signed.scheme), (&new[..6], Some(SignatureScheme(0x0804))));
    // The form of one version is broken in the other.
    assert!(ServerKeyExchange::decode(&old, ProtocolVersion::TLS12, ECDHE_RSA).is_err());
    assert!(ServerKeyExchange::decode(&new, ProtocolVersion::TLS11, ECDHE_RSA).is_err());
}

#[test]
fn curves_written_out_are_said_to_be() {
    let read = ServerKeyExchange::decode(&[1, 9, 9], ProtocolVersion::TLS12, ECDHE_RSA).unwrap();
    assert_eq!((read.key_exchange, read.signed), (KeyExchange::ExplicitCurve, None));
    let unknown = ServerKeyExchange::decode(&[4, 9, 9], ProtocolVersion::TLS12, ECDHE_RSA);
    assert_eq!(unknown.unwrap_err().fault, "the curve is of an unknown kind");
}

#[test]
fn dh_primes_are_measured_without_their_leading_zeros() {
    for (prime, expected) in
        [(&[][..], 0), (&[0, 0], 0), (&[1], 1), (&[0xff], 8), (&[0, 0x80, 0], 16), (&[0x01, 0, 0], 17)]
    {
        let mut body = vec![0, u8::try_from(prime.len()).unwrap()];
        body.extend(prime);
        body.extend([0, 1, 2, 0, 1, 9, 4, 1, 0, 0]);
        let read = ServerKeyExchange::decode(&body, ProtocolVersion::TLS12, DHE_RSA).unwrap();
        assert_eq!(read.key_exchange, KeyExchange::Dh { prime_bits: expected });
        assert_eq!(read.signed.unwrap().scheme, Some(SignatureScheme(0x0401)));
    }
}

#[test]
fn each_kind_of_suite_has_its_form() {
    let curve: &[u8] = &[3, 0, 29, 1, 7];
    let dh: &[u8] = &[0, 1, 0xff, 0, 1, 2, 0, 1, 9];
    let hint: &[u8] = &[0, 2, b'h', b'i'];
    let signature: &[u8] = &[0, 1, 5];
    let group = KeyExchange::Group(NamedGroup(29));
    let prime = KeyExchange::Dh { prime_bits: 8 };
    for (suite, name, parts, expected) in [
        (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", vec![curve, signature], group),
        (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", vec![curve], group),
        (0xc035, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", vec![hint, curve], group),
        (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", vec![dh, signature], prime),
        (0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", vec![dh, signature], prime),
        (0x0019, "TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA", vec![dh], prime),
        (0x0090, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA", vec![hint, dh], prime),
        (
            0x0003,
            "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
            vec![&[0, 1, 0x7f, 0, 1, 3], signature],
            KeyExchange::ExportRsa { modulus_bits: 7 },
        ),
        (0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA", vec![hint], KeyExchange::Other),
        (0xfafa, "0xfafa", vec![&[1, 2, 3]], KeyExchange::Other),
    ] {
        assert_eq!(CipherSuite(suite).name(), name);
        let body = parts.concat();
        let read = ServerKeyExchange::decode(&body, ProtocolVersion::TLS10, CipherSuite(suite)).unwrap();
        assert_eq!(read.key_exchange, expected, "{name}");
        if expected != KeyExchange::Other {
            let longer = [&body[..], &[0]].concat();
            assert!(ServerKeyExchange::decode(&longer, ProtocolVersion::TLS10, CipherSuite(suite)).is_err());
        }
    }
}

#[test]
fn a_certificate_request_names_schemes_from_tls12_on() {
    let body = [2, 1, 64, 0, 2, 4, 3, 0, 5, 0, 3, 0x30, 1, 0];
    let read = CertificateRequest::decode(&body, ProtocolVersion::TLS12).unwrap();
    assert_eq!((read.certificate_types, read.authorities), (vec![1, 64], 1));
    assert_eq!(read.signature_schemes, [SignatureScheme(0x0403)]);
    assert!(CertificateRequest::decode(&body, ProtocolVersion::TLS11).is_err());
    let read = CertificateRequest::decode(&[1, 1, 0, 0], ProtocolVersion::SSL3).unwrap();
    assert_eq!((read.signature_schemes, read.authorities), (vec![], 0));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..100), version in 0x0300..0x0304_u16, suite: u16) {
        let version = ProtocolVersion(version);
        let _ = CertificateMessage::decode(&bytes);
        let _ = CertificateRequest::decode(&bytes, version);
        for suite in [CipherSuite(suite), ECDHE_RSA, DHE_RSA, CipherSuite(0x0003)] {
            let _ = ServerKeyExchange::decode(&bytes, version, suite);
        }
    }
}
