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
    let form = Form { alike: true, named: true, groups: SCANNER_GROUPS };
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
