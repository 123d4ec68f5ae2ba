//! The server's side of TLS, before a client of rustls and before bytes that are none.

use super::*;
use crate::model::NamedGroup;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::BufRead;

/// Where the random of a ClientHello stands: behind both headers and the version.
const RANDOM_AT: usize = 5 + 4 + 2;

fn key_pair() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let certified = rcgen::generate_simple_self_signed(["mx.example".to_string()]).unwrap();
    (certified.cert.into(), PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()).into())
}

/// A server, and a client that trusts it.
fn pair(manner: Option<TlsServerManner>) -> (TlsServer, ClientConnection) {
    let (server, client) = pair_of(aws_lc_rs::default_provider());
    (manner.map_or(server, TlsServer::new), client)
}

/// The same, where the server has what this provider has.
fn pair_of(provider: CryptoProvider) -> (TlsServer, ClientConnection) {
    let (certificate, key) = key_pair();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(client), "mx.example".try_into().unwrap()).unwrap();
    (TlsServer::new(TlsServerManner::Handshake(Arc::new(server))), client)
}

/// Lets both talk, the client in pieces of `cut` bytes, until neither has anything to say.
fn talk(server: &mut TlsServer, client: &mut ClientConnection, cut: usize) -> Result<(), rustls::Error> {
    loop {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut up).unwrap();
        }
        up.chunks(cut).for_each(|piece| server.receive(piece));
        server.write_records(&mut down).unwrap();
        if up.is_empty() && down.is_empty() {
            return Ok(());
        }
        let mut rest = down.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
}

#[test]
fn a_handshake_is_the_same_however_its_bytes_are_cut() {
    for cut in [1, 2, 5, 100, 100_000] {
        let (mut server, mut client) = pair(None);
        client.writer().write_all(b"EHLO c\r\n").unwrap();
        talk(&mut server, &mut client, cut).unwrap();
        assert!(server.is_established() && server.fault().is_none(), "{cut}");
        assert_eq!(server.take_plain(), b"EHLO c\r\n");
        let offer = server.offer().unwrap();
        assert_eq!(offer.sni.as_deref(), Some("mx.example"));
        assert_eq!(offer.newest(), ProtocolVersion::TLS13);
        assert!(offer.has_post_quantum_share() && !offer.resumes);
        server.say(b"250 mx.example\r\n").unwrap();
        talk(&mut server, &mut client, cut).unwrap();
        assert_eq!(client.reader().fill_buf().unwrap(), b"250 mx.example\r\n");
        client.send_close_notify();
        talk(&mut server, &mut client, cut).unwrap();
        assert!(server.is_over() && server.fault().is_none(), "{cut}");
    }
}

/// A server of P-256 alone asks for a share of it.
fn pair_that_retries() -> (TlsServer, ClientConnection) {
    let kx_groups = vec![aws_lc_rs::kx_group::SECP256R1];
    pair_of(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
}

#[test]
fn the_hello_after_a_retry_request_is_told_beside_the_first() {
    let p256 = NamedGroup(0x0017);
    for cut in [1, 5, 100, 100_000] {
        let (mut server, mut client) = pair_that_retries();
        client.writer().write_all(b"EHLO c\r\n").unwrap();
        talk(&mut server, &mut client, cut).unwrap();
        assert_eq!(server.take_plain(), b"EHLO c\r\n", "{cut}");
        assert!(!server.offer().unwrap().key_shares.contains(&p256), "{cut}");
        let told = server.second_hello().unwrap();
        assert_eq!(told, &SecondHello { key_shares: vec![p256], differs: false }, "{cut}");
    }
    let (mut server, mut client) = pair(None);
    talk(&mut server, &mut client, 100).unwrap();
    assert_eq!(server.second_hello(), None, "nothing was asked again");
}

#[test]
fn a_second_hello_that_is_another_is_told_as_such() {
    let (mut server, mut client) = pair_that_retries();
    let (mut first, mut retry, mut second) = (Vec::new(), Vec::new(), Vec::new());
    client.write_tls(&mut first).unwrap();
    server.receive(&first);
    server.write_records(&mut retry).unwrap();
    client.read_tls(&mut retry.as_slice()).unwrap();
    client.process_new_packets().unwrap();
    while client.wants_write() {
        client.write_tls(&mut second).unwrap();
    }
    let random = first.get(RANDOM_AT..RANDOM_AT + 32).unwrap();
    let place = second.windows(32).position(|window| window == random).unwrap();
    second[place] ^= 1;
    server.receive(&second);
    assert!(server.second_hello().unwrap().differs);
}

#[test]
fn a_refusal_on_purpose_says_so_on_both_sides() {
    let alert = AlertDescription::HANDSHAKE_FAILURE;
    let (mut server, mut client) = pair(Some(TlsServerManner::Refuse(alert)));
    let seen = talk(&mut server, &mut client, 100).unwrap_err();
    assert_eq!(seen, rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure));
    assert_eq!(server.fault(), Some(&TlsServerFault::OnPurpose(alert)));
    assert!(server.offer().is_some() && server.connection().is_none());
}

/// What a server of TLS 1.0 agrees to, and what it makes of the client's answer.
#[test]
fn an_old_server_tells_whether_the_client_goes_along() {
    let hello = |version, suites: &[u16]| {
        let suites = suites.iter().copied().map(CipherSuite);
        crate::tls::ClientHello::new(version, suites, [7; 32]).to_records().unwrap()
    };
    let key_exchange = [22, 3, 1, 0, 5, 16, 0, 0, 1, 0];
    let (alert, hello_done) = ([21, 3, 1, 0, 2, 2, 70], [22, 3, 1, 0, 4, 14, 0, 0, 0]);
    for (version, suites, answer, suite, fault) in [
        (
            ProtocolVersion::TLS12,
            &[0xc02f, 0x0035, 0x00ff][..],
            &key_exchange[..],
            Some(0x0035),
            "agreed to, and ended on purpose",
        ),
        (ProtocolVersion::TLS10, &[0x002f], &alert, Some(0x002f), "received fatal alert: ProtocolVersion"),
        (ProtocolVersion::TLS10, &[0x002f], &hello_done, Some(0x002f), "no ClientKeyExchange"),
        (ProtocolVersion::TLS13, &[0x1301], &[], None, "refused on purpose by handshake_failure"),
        (ProtocolVersion::SSL3, &[0x002f], &[], None, "refused on purpose by protocol_version"),
    ] {
        for cut in [1, 1000] {
            let mut server = TlsServer::new(TlsServerManner::Tls10(vec![Arc::from(*b"certificate")]));
            hello(version, suites).chunks(cut).for_each(|piece| server.receive(piece));
            let mut said = Vec::new();
            server.write_records(&mut said).unwrap();
            assert!(said.starts_with(if suite.is_some() { &[22, 3, 1] } else { &[21, 3, 3] }), "{fault}");
            answer.chunks(cut).for_each(|piece| server.receive(piece));
            assert_eq!(server.agreed(), suite.map(|suite| (ProtocolVersion::TLS10, CipherSuite(suite))));
            assert_eq!(server.fault().unwrap().to_string(), fault);
        }
    }
}

#[test]
fn what_is_no_client_hello_ends_it() {
    let endless =
        [22, 3, 1, 0x40, 0].into_iter().chain([1, 2, 0xff, 0xff]).chain(std::iter::repeat_n(0, 0x3ffc));
    let endless: Vec<u8> = endless.collect();
    for (bytes, fault) in [
        (&b"EHLO c\r\n"[..], "not a TLS record: EHLO "),
        (&[21, 3, 1, 0, 2, 2, 48], "received fatal alert: UnknownCA"),
        (&[23, 3, 3, 0, 1, 0], "no ClientHello"),
        (&[22, 3, 1, 0, 4, 2, 0, 0, 0], "no ClientHello"),
        (&[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3], "ClientHello: ends early"),
        (&endless, "a handshake message of 196607 bytes"),
    ] {
        let (mut server, _) = pair(None);
        server.receive(bytes);
        let told = server.fault().unwrap().to_string();
        assert_eq!(told, fault);
        assert!(server.is_over() && server.offer().is_none(), "{told}");
        let mut out = Vec::new();
        server.write_records(&mut out).unwrap();
        assert_eq!(!out.is_empty(), told.starts_with("ClientHello"), "{told}");
    }
}

/// Any bytes are consumed, and what is kept of them is bounded.
#[test]
fn a_client_hello_without_end_is_given_up() {
    let (mut server, _) = pair(None);
    let record: Vec<u8> = [22, 3, 1, 0, 1, 0].to_vec();
    for _ in 0..CLIENT_HELLO_BYTES_MAX {
        server.receive(&record);
    }
    assert!(server.is_over());
    assert!(server.raw.len() <= CLIENT_HELLO_BYTES_MAX);
}
