//! What is carried over from the scanner's handshake, against servers that
//! answer any offer.

use super::super::scanner_offer::SCANNER_GROUPS;
use super::*;
use crate::model::registry::NamedGroup;
use crate::verdict::fixtures::profile;
use rustls::crypto::aws_lc_rs;

#[path = "model_server_tests.rs"]
mod model_server;

#[test]
fn the_suites_of_the_scanner_are_those_of_rustls() {
    let offered = aws_lc_rs::DEFAULT_CIPHER_SUITES;
    let offered: Vec<CipherSuite> = offered.iter().map(|suite| CipherSuite(suite.suite().into())).collect();
    assert_eq!(offered, SCANNER_SUITES);
}

#[test]
fn the_groups_of_the_scanner_are_those_of_rustls() {
    let offered = aws_lc_rs::default_provider().kx_groups;
    let offered: Vec<NamedGroup> = offered.iter().map(|group| NamedGroup(group.name().into())).collect();
    assert_eq!(offered, SCANNER_GROUPS);
}

#[test]
fn the_length_of_a_hello_is_of_a_class() {
    for (sender, expected) in [
        ("exchange-online", HelloLength::Short),
        ("exchange-online-2020", HelloLength::Short),
        ("rfc9325", HelloLength::Short),
        ("postfix-may", HelloLength::Stumbling),
    ] {
        let offer = profile(sender).offer;
        assert_eq!(HelloLength::of(&offer), expected, "{sender}: {} bytes", offer.hello_bytes());
    }
}

/// Some servers prefer ChaCha20 where the client puts it before AES.
#[test]
fn a_sender_that_puts_chacha20_first_may_get_another_suite() {
    let form = HandshakeForm { alike: true, named: true, groups: SCANNER_GROUPS };
    let tls = TlsFinding {
        version: Some(ProtocolVersion::TLS12),
        suite: Some(CipherSuite(0xc030)),
        group: Some(NamedGroup(29)),
        signature_scheme: Some(SignatureScheme(0x0804)),
        ..TlsFinding::default()
    };
    for (first, second, alike) in [(0x1301, 0x1303, true), (0x1303, 0x1301, false)] {
        let mut sender = profile("exchange-online").sender;
        sender.suites_tls13.value = [first, second].map(CipherSuite).to_vec();
        sender.suites.value = [0xc030, 0xcca8].map(CipherSuite).to_vec();
        sender.groups.value = vec![NamedGroup(29)];
        let profile = SenderProfile::new(sender);
        let found = must_be_answered_alike(&profile, &tls, form, ProtocolVersion::TLS12, CipherSuite(0xc030));
        assert_eq!(found, alike, "{first:#x}");
    }
}

/// A scheme that the scanner does not offer: `dsa_sha256`.
const NOT_OF_THE_SCANNER: u16 = 0x0402;

/// The offer of a sender with these signature schemes.
fn offer_with(schemes: &[u16]) -> Offer {
    let mut offer = profile("exchange-online").offer;
    offer.signature_schemes = schemes.iter().copied().map(SignatureScheme).collect();
    offer
}

#[test]
fn a_signature_is_alike_under_a_scheme_of_the_senders_and_of_no_wider_choice() {
    let rsa_pss_sha256 = SignatureScheme(0x0804);
    for (schemes, tls12, tls13) in [
        (&[0x0804][..], true, true),
        (&[0x0804, 0x0401], true, true),
        (&[0x0805, 0x0401], false, false),
        (&[0x0804, NOT_OF_THE_SCANNER], false, true),
        (&[], false, false),
    ] {
        let offer = offer_with(schemes);
        for (version, expected) in [(ProtocolVersion::TLS12, tls12), (ProtocolVersion::TLS13, tls13)] {
            let found = scheme_is_alike(&offer, rsa_pss_sha256, version);
            assert_eq!(found, expected, "{schemes:x?} {version}");
        }
    }
}

#[test]
fn a_certificate_is_the_same_where_the_first_scheme_is_of_its_key_and_none_is_new() {
    let tls = TlsFinding { signature_scheme: Some(SignatureScheme(0x0804)), ..TlsFinding::default() };
    for (schemes, tls13) in [
        (&[0x0804][..], true),
        (&[0x0805, 0x0403], true),
        (&[0x0403, 0x0804], false),
        (&[0x0804, NOT_OF_THE_SCANNER], false),
        (&[], false),
    ] {
        let offer = offer_with(schemes);
        let shown = |version| must_be_shown_alike(&offer, &tls, version);
        assert_eq!(shown(ProtocolVersion::TLS13), tls13, "{schemes:x?}");
        assert!(shown(ProtocolVersion::TLS12), "the suite decides: {schemes:x?}");
    }
    let unknown = TlsFinding::default();
    assert!(!must_be_shown_alike(&offer_with(&[0x0804]), &unknown, ProtocolVersion::TLS12));
}
