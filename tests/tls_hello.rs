//! The hello codec against a real stack: rustls in memory answers our hellos,
//! and what is read of its answers is what it was set up to agree to.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use mxray::internals::model::{
    AlertDescription, CipherSuite, DowngradeMark, MxHost, NamedGroup, ProtocolVersion, SignatureScheme,
};
use mxray::internals::sender::Sender;
use mxray::internals::tls::handshake::{HandshakeReader, HandshakeType};
use mxray::internals::tls::record::RecordReader;
use mxray::internals::tls::{AnswerEnd, ClientHello, HelloAction, HelloAnswer, HelloProbe, KeyShare};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SupportedCipherSuite,
};
use std::sync::{Arc, LazyLock};

/// One certificate and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn identity(algorithm: &'static rcgen::SignatureAlgorithm) -> Identity {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["mx.example".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap().der().clone();
    Identity { certificate, key: key.serialize_der().try_into().unwrap() }
}

static ECDSA: LazyLock<Identity> = LazyLock::new(|| identity(&rcgen::PKCS_ECDSA_P256_SHA256));
static RSA: LazyLock<Identity> = LazyLock::new(|| identity(&rcgen::PKCS_RSA_SHA256));

const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::TLS12, ProtocolVersion::TLS13];
const SCHEMES: [u16; 5] = [0x0403, 0x0503, 0x0804, 0x0805, 0x0401];

/// What the server is set up with.
struct Setup {
    identity: &'static Identity,
    suites: Vec<SupportedCipherSuite>,
    groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    asks_for_certificate: bool,
}

impl Setup {
    fn new(identity: &'static Identity) -> Self {
        let provider = aws_lc_rs::default_provider();
        Self {
            identity,
            suites: provider.cipher_suites,
            groups: provider.kx_groups,
            asks_for_certificate: false,
        }
    }

    fn server(&self) -> ServerConnection {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: self.suites.clone(),
            kx_groups: self.groups.clone(),
            ..aws_lc_rs::default_provider()
        });
        let versions: Vec<_> = rustls::ALL_VERSIONS
            .iter()
            .copied()
            .filter(|version| self.suites.iter().any(|suite| suite.version().version == version.version))
            .collect();
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&versions).unwrap();
        let builder = if self.asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(ECDSA.certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![self.identity.certificate.clone(), self.identity.certificate.clone()];
        let config = builder.with_single_cert(chain, self.identity.key.clone_key()).unwrap();
        ServerConnection::new(Arc::new(config)).unwrap()
    }

    /// The answer to `hello`, the same whole and byte by byte, and the server
    /// that gave it.
    fn ask(&self, hello: &ClientHello) -> (HelloAnswer, ServerConnection) {
        let mut server = self.server();
        let mut probe = HelloProbe::new(hello).unwrap();
        let HelloAction::Write(mut sent) = probe.next() else { panic!("no hello") };
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
        }
        // An error is answered by an alert.
        let _ = server.process_new_packets();
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        let mut slow = HelloProbe::new(hello).unwrap();
        flight.iter().for_each(|byte| slow.receive(&[*byte]));
        assert_eq!(slow.next(), HelloAction::Done);
        probe.receive(&flight);
        assert_eq!(probe.next(), HelloAction::Done);
        let answer = probe.into_answer();
        assert_eq!(slow.into_answer(), answer);
        (answer, server)
    }
}

/// A hello with everything that rustls may want to know.
fn hello(version: ProtocolVersion, suites: &[u16], groups: &[NamedGroup]) -> ClientHello {
    let mut hello = ClientHello::new(version, suites.iter().copied().map(CipherSuite), [0x5a; 32]);
    hello.sni = Some(MxHost::new("mx.example"));
    hello.groups = groups.to_vec();
    hello.signature_schemes = SCHEMES.map(SignatureScheme).to_vec();
    hello
}

fn group_of(group: &dyn rustls::crypto::SupportedKxGroup) -> NamedGroup {
    NamedGroup(group.name().into())
}

fn code(suite: &SupportedCipherSuite) -> u16 {
    suite.suite().into()
}

fn suites_of(version: ProtocolVersion) -> Vec<SupportedCipherSuite> {
    let mut suites = aws_lc_rs::ALL_CIPHER_SUITES.to_vec();
    suites.retain(|suite| u16::from(suite.version().version) == version.0);
    assert!(suites.len() >= 3);
    suites
}

#[test]
fn each_suite_and_group_of_tls12_is_read_with_its_chain() {
    for suite in suites_of(ProtocolVersion::TLS12) {
        let ecdsa = CipherSuite(code(&suite)).name().contains("ECDSA");
        let (identity, scheme): (&Identity, _) = if ecdsa { (&ECDSA, 0x0403) } else { (&RSA, 0x0805) };
        for group in aws_lc_rs::ALL_KX_GROUPS.iter().copied().filter(|group| group_of(*group).0 < 256) {
            let setup = Setup { suites: vec![suite], groups: vec![group], ..Setup::new(identity) };
            let mut offer =
                hello(ProtocolVersion::TLS12, &[0x0005, code(&suite)], &[NamedGroup(9), group_of(group)]);
            offer.signature_schemes = vec![SignatureScheme(0x0a0a), SignatureScheme(scheme)];
            let (answer, server) = setup.ask(&offer);
            assert_eq!(answer.end, AnswerEnd::Complete, "{suite:?}");
            assert_eq!(answer.version(), Some(ProtocolVersion::TLS12));
            assert_eq!(answer.suite(), Some(CipherSuite(code(&suite))));
            let negotiated = server.negotiated_cipher_suite().map(|suite| CipherSuite(code(&suite)));
            assert_eq!(answer.suite(), negotiated);
            assert_eq!((answer.group(), answer.dh_bits()), (Some(group_of(group)), None));
            assert_eq!(answer.signature_scheme(), Some(SignatureScheme(scheme)), "{suite:?}");
            let chain = answer.chain.as_ref().unwrap();
            assert_eq!(chain.certificates.len(), 2);
            assert!(chain.certificates.iter().all(|der| **der == *identity.certificate));
            assert!(!answer.client_certificate_requested() && !answer.hello_retry());
        }
    }
}

#[test]
fn each_suite_and_group_of_tls13_is_read() {
    for suite in suites_of(ProtocolVersion::TLS13) {
        for group in aws_lc_rs::ALL_KX_GROUPS {
            let setup = Setup { suites: vec![suite], groups: vec![*group], ..Setup::new(&ECDSA) };
            let mut offer = hello(ProtocolVersion::TLS13, &[code(&suite)], &[group_of(*group)]);
            let key = group.start().unwrap().pub_key().to_vec();
            offer.key_shares = Some(vec![KeyShare { group: group_of(*group), key }]);
            let (answer, server) = setup.ask(&offer);
            assert_eq!((answer.end, answer.version()), (AnswerEnd::Complete, Some(ProtocolVersion::TLS13)));
            assert_eq!(answer.suite(), Some(CipherSuite(code(&suite))));
            assert_eq!(server.protocol_version().map(u16::from), Some(ProtocolVersion::TLS13.0));
            assert_eq!((answer.group(), answer.hello_retry()), (Some(group_of(*group)), false));
            assert_eq!(answer.chain, None);
        }
    }
}

#[test]
fn without_a_share_the_server_names_its_group() {
    for group in aws_lc_rs::ALL_KX_GROUPS {
        let setup = Setup { groups: vec![*group], ..Setup::new(&RSA) };
        let offer = hello(ProtocolVersion::TLS13, &[0x1301], &[NamedGroup(9), group_of(*group)]);
        assert_eq!(offer.key_shares, Some(Vec::new()));
        let (answer, _) = setup.ask(&offer);
        assert_eq!((answer.end, answer.hello_retry()), (AnswerEnd::Complete, true), "{group:?}");
        assert_eq!(answer.version(), Some(ProtocolVersion::TLS13));
        assert_eq!((answer.suite(), answer.group()), (Some(CipherSuite(0x1301)), Some(group_of(*group))));
    }
}

#[test]
fn a_request_for_a_certificate_is_seen() {
    let setup = Setup { asks_for_certificate: true, ..Setup::new(&RSA) };
    let (answer, _) = setup.ask(&hello(ProtocolVersion::TLS12, &[0xc02f], &[NamedGroup(29)]));
    assert_eq!(answer.end, AnswerEnd::Complete);
    let request = answer.certificate_request.as_ref().unwrap();
    assert!(request.signature_schemes.contains(&SignatureScheme(0x0403)));
    assert_eq!(request.authorities, 1);
}

#[test]
fn a_server_that_knows_tls13_says_so_in_tls12() {
    let offer = hello(ProtocolVersion::TLS12, &[0xc02b], &[NamedGroup(29)]);
    let (answer, _) = Setup::new(&ECDSA).ask(&offer);
    assert_eq!(answer.hello.unwrap().downgrade_mark(), DowngradeMark::Tls12);
    let only = Setup { suites: suites_of(ProtocolVersion::TLS12), ..Setup::new(&ECDSA) };
    let (answer, _) = only.ask(&offer);
    assert_eq!(answer.hello.unwrap().downgrade_mark(), DowngradeMark::None);
}

#[test]
fn a_refusal_is_an_alert() {
    let setup = Setup::new(&RSA);
    for (offer, expected) in [
        (hello(ProtocolVersion::TLS12, &[0x0005, 0x002f], &[NamedGroup(29)]), "handshake_failure"),
        (hello(ProtocolVersion::TLS12, &[0xc02b], &[NamedGroup(29)]), "handshake_failure"),
        (hello(ProtocolVersion::TLS13, &[0x1303], &[NamedGroup(9)]), "handshake_failure"),
        (hello(ProtocolVersion::TLS11, &[0xc013], &[NamedGroup(29)]), "protocol_version"),
        (hello(ProtocolVersion::TLS10, &[0xc013], &[NamedGroup(29)]), "protocol_version"),
        (hello(ProtocolVersion(0x0305), &[0x1301], &[NamedGroup(29)]), "protocol_version"),
    ] {
        let (answer, _) = setup.ask(&offer);
        assert_eq!(answer.alert().map(AlertDescription::name).as_deref(), Some(expected), "{offer:?}");
        assert_eq!(answer.hello, None);
    }
}

#[test]
fn one_offer_of_two_versions_gets_the_newer_that_both_know() {
    let mut offer = hello(ProtocolVersion::TLS13, &[0x1301, 0xc02b], &[NamedGroup(29)]);
    offer.supported_versions = BOTH.into_iter().rev().collect();
    for version in BOTH {
        let setup = Setup { suites: suites_of(version), ..Setup::new(&ECDSA) };
        let (answer, server) = setup.ask(&offer);
        assert_eq!((answer.end, answer.version()), (AnswerEnd::Complete, Some(version)));
        assert_eq!(server.protocol_version().map(u16::from), Some(version.0));
    }
}

#[test]
fn the_hello_of_a_real_client_is_read() {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), "mx.example".try_into().unwrap()).unwrap();
    let mut sent = Vec::new();
    client.write_tls(&mut sent).unwrap();
    let mut records = RecordReader::default();
    let mut messages = HandshakeReader::default();
    let record = records.next_record(&mut sent.as_slice()).unwrap().unwrap();
    messages.receive(record.fragment);
    let message = messages.next_message().unwrap().unwrap();
    assert_eq!(message.handshake_type, HandshakeType::CLIENT_HELLO);
    let hello = ClientHello::decode(message.body).unwrap();
    assert_eq!(hello.legacy_version, ProtocolVersion::TLS12);
    assert_eq!(hello.sni, Some(MxHost::new("mx.example")));
    assert!(BOTH.iter().all(|version| hello.supported_versions.contains(version)));
    assert!(hello.suites.contains(&CipherSuite(0x1301)) && hello.suites.contains(&CipherSuite(0xc02f)));
    let groups: Vec<NamedGroup> =
        aws_lc_rs::default_provider().kx_groups.iter().map(|group| group_of(*group)).collect();
    assert_eq!(hello.groups, groups);
    assert_eq!(hello.key_shares.as_ref().unwrap()[0].group, groups[0]);
    // Written again it is as long: nothing of it was lost.
    assert_eq!(hello.to_message().unwrap().len(), message.body.len() + 4);
}

/// What verdicts reckon with, without writing a hello.
#[test]
fn the_length_that_is_reckoned_of_an_offer_is_that_of_its_hello() {
    for name in Sender::names() {
        let offer = Sender::named(name).unwrap().offer();
        let mut hello = ClientHello::new(offer.versions[0], offer.suites.iter().copied(), [7; 32]);
        hello.groups.clone_from(&offer.groups);
        hello.signature_schemes.clone_from(&offer.signature_schemes);
        if offer.versions[0] >= ProtocolVersion::TLS13 {
            hello.supported_versions.clone_from(&offer.versions);
        }
        assert_eq!(hello.to_message().unwrap().len(), offer.hello_bytes(), "{name}");
    }
}
