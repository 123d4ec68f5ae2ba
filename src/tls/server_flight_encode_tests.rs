//! What is written is read as what was written, by the reader that a scan
//! uses.

use super::super::alert::AlertLevel;
use super::super::answer::{AnswerEnd, HelloAnswer};
use super::super::client_hello::ClientHello;
use super::super::probe::{HelloAction, HelloProbe};
use super::super::server_flight::{KeyExchange, ServerKeyExchange, SignedParams};
use super::*;
use crate::model::AlertDescription;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

const RANDOM: [u8; 32] = [5; 32];

/// What a probe makes of these bytes, one by one.
fn read(bytes: &[u8]) -> HelloAnswer {
    let hello = ClientHello::new(ProtocolVersion::TLS12, [CipherSuite(5)], [7; 32]);
    let mut probe = HelloProbe::new(&hello).unwrap();
    assert!(matches!(probe.next(), HelloAction::Write(_)));
    bytes.chunks(1).for_each(|byte| probe.receive(byte));
    probe.into_answer()
}

fn suite(name: &str) -> CipherSuite {
    name.parse().unwrap()
}

/// The key exchange that is read of this share.
fn exchange(share: &ServerShare) -> KeyExchange {
    match share {
        ServerShare::Group { group, .. } => KeyExchange::Group(*group),
        ServerShare::Dh { prime, .. } => KeyExchange::Dh { prime_bits: prime.len() * 8 },
        ServerShare::ExportRsa { modulus, .. } => KeyExchange::ExportRsa { modulus_bits: modulus.len() * 8 },
    }
}

fn share_of(suite: CipherSuite, bytes: usize) -> Option<ServerShare> {
    let number = vec![0xff; bytes];
    Some(match ShareKind::of(suite)? {
        ShareKind::Group => ServerShare::Group { group: NamedGroup(23), public: vec![4; 65] },
        ShareKind::Dh => ServerShare::Dh { prime: number.clone(), generator: vec![2], public: number },
        ShareKind::ExportRsa => ServerShare::ExportRsa { modulus: number, exponent: vec![1, 0, 1] },
    })
}

#[test]
fn a_flight_is_read_as_it_was_written() {
    let names = [
        "TLS_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_DH_anon_WITH_AES_128_CBC_SHA",
        "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
    ];
    let versions =
        [ProtocolVersion::SSL3, ProtocolVersion::TLS10, ProtocolVersion::TLS11, ProtocolVersion::TLS12];
    let scheme = SignatureScheme(0x0401);
    let mut shares = 0;
    for (suite, version) in names.iter().flat_map(|name| versions.map(|version| (suite(name), version))) {
        let tls12 = version == ProtocolVersion::TLS12;
        let flight = ServerFlight {
            hello: ServerHello::new(version, suite, RANDOM),
            chain: Some(CertificateMessage {
                certificates: vec![Arc::from([0x30, 0]), Arc::from([7; 300])],
                excess: 0,
            }),
            share: share_of(suite, 128).map(|share| SignedShare { share, scheme, signature: vec![0; 256] }),
            certificate_request: Some(CertificateRequest {
                certificate_types: vec![1, 64],
                signature_schemes: if tls12 { vec![scheme] } else { Vec::new() },
                authorities: 3,
            }),
        };
        let answer = read(&flight.to_records().unwrap());
        let key_exchange = flight.share.as_ref().map(|signed| ServerKeyExchange {
            key_exchange: exchange(&signed.share),
            share: Some(signed.share.clone()),
            signed: suite.name().contains("_RSA_").then(|| SignedParams {
                params: signed.share.params().unwrap().into(),
                scheme: tls12.then_some(scheme),
                signature: [0; 256].into(),
            }),
        });
        shares += usize::from(key_exchange.is_some());
        let expected = HelloAnswer {
            hello: Some(flight.hello),
            chain: flight.chain,
            key_exchange,
            certificate_request: flight.certificate_request,
            end: AnswerEnd::Complete,
            ..HelloAnswer::default()
        };
        assert_eq!(answer, expected, "{suite} {version}");
    }
    assert_eq!(shares, 6 * versions.len());
}

#[test]
fn of_tls13_only_the_hello_is_written() {
    let group = NamedGroup(29);
    let suite = suite("TLS_AES_256_GCM_SHA384");
    let share = ServerShare::Group { group, public: vec![1; 32] };
    let hello = ServerHello::tls13(suite, RANDOM, group, &[1; 32]).unwrap();
    let flight = ServerFlight {
        hello: hello.clone(),
        chain: Some(CertificateMessage::default()),
        share: Some(SignedShare { share, scheme: SignatureScheme(0x0804), signature: Vec::new() }),
        certificate_request: None,
    };
    let answer = read(&flight.to_records().unwrap());
    let expected = HelloAnswer { hello: Some(hello), end: AnswerEnd::Complete, ..HelloAnswer::default() };
    assert_eq!(answer, expected);
    assert_eq!((answer.version(), answer.group()), (Some(ProtocolVersion::TLS13), Some(group)));
}

#[test]
fn a_retry_asks_for_its_group() {
    let hello = ServerHello::retry(suite("TLS_AES_128_GCM_SHA256"), NamedGroup(24));
    let flight = ServerFlight { hello, chain: None, share: None, certificate_request: None };
    let answer = read(&flight.to_records().unwrap());
    assert!(answer.hello_retry());
    assert_eq!((answer.version(), answer.group()), (Some(ProtocolVersion::TLS13), Some(NamedGroup(24))));
}

#[test]
fn an_alert_is_read_as_it_was_written() {
    let alert = Alert { level: AlertLevel::FATAL, description: AlertDescription::INSUFFICIENT_SECURITY };
    assert_eq!(read(&alert.to_record(ProtocolVersion::SSL3)).end, AnswerEnd::Alert(alert));
}

proptest! {
    #[test]
    fn any_numbers_survive(
        prime in vec(1..=u8::MAX, 1..600),
        public in vec(any::<u8>(), 0..600),
        signature in vec(any::<u8>(), 0..600),
        scheme: u16,
    ) {
        let suite = suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
        let prime_bits = prime.len() * 8 - prime[0].leading_zeros() as usize;
        let share = ServerShare::Dh { prime, generator: vec![2], public };
        let scheme = SignatureScheme(scheme);
        let params = share.params().unwrap();
        let signed = SignedShare { share: share.clone(), scheme, signature: signature.clone() };
        let message = signed.to_message(ProtocolVersion::TLS12, suite).unwrap();
        let read = ServerKeyExchange::decode(&message[4..], ProtocolVersion::TLS12, suite).unwrap();
        let told = SignedParams { params: params.into(), scheme: Some(scheme), signature: signature.into() };
        let key_exchange = KeyExchange::Dh { prime_bits };
        let expected = ServerKeyExchange { key_exchange, share: Some(share), signed: Some(told) };
        prop_assert_eq!(read, expected);
    }
}
