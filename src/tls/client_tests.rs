//! rustls as the server, in memory, and bytes of our own between.

use super::*;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::io::Read;
use std::sync::Arc;

const HOST: &str = "mx.example";
/// A HelloRequest and a warning (unrecognized_name), in records in clear.
const HELLO_REQUEST: &[u8] = &[22, 3, 3, 0, 4, 0, 0, 0, 0];
const WARNING: &[u8] = &[21, 3, 3, 0, 2, 1, 112];

/// A client and a server that shows its certificate so many times.
fn pair(version: &'static SupportedProtocolVersion, times: usize) -> (TlsClient, ServerConnection) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([HOST.to_string()]).unwrap().self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots);
    let client = Arc::new(client.with_no_client_auth());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder().with_no_client_auth();
    let server = Arc::new(server.with_single_cert(vec![certificate.der().clone(); times], key).unwrap());
    let client = ClientConnection::new(client, ServerName::try_from(HOST).unwrap()).unwrap();
    (TlsClient::new(client), ServerConnection::new(server).unwrap())
}

/// What the server says to what the client has to say.
fn answer(client: &mut TlsClient, server: &mut ServerConnection) -> Vec<u8> {
    let mut said = Vec::new();
    client.write_records(&mut said).unwrap();
    let mut said = &said[..];
    while !said.is_empty() {
        server.read_tls(&mut said).unwrap();
        server.process_new_packets().unwrap();
    }
    flushed(server)
}

fn flushed(server: &mut ServerConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut out).unwrap();
    }
    out
}

fn shaken(version: &'static SupportedProtocolVersion) -> (TlsClient, ServerConnection) {
    let (mut client, mut server) = pair(version, 1);
    while client.is_handshaking() || server.is_handshaking() {
        let said = answer(&mut client, &mut server);
        client.receive(&said);
        assert_eq!(client.fault(), None);
    }
    (client, server)
}

#[test]
fn what_comes_after_close_notify_is_ignored_and_ends() {
    for version in [&TLS13, &TLS12] {
        let (mut client, mut server) = shaken(version);
        server.writer().write_all(&[b'x'; 16_384]).unwrap();
        server.send_close_notify();
        let mut said = flushed(&mut server);
        said.extend_from_slice(&[b'J'; 8192]);
        client.receive(&said);
        client.receive(&[b'J'; 8192]);
        assert_eq!((client.take_plain().len(), client.is_closed()), (16_384, true), "{version:?}");
        assert_eq!((client.fault(), client.text_in_clear()), (None, &b""[..]));
    }
}

#[test]
fn both_ends_understand_each_other_however_the_stream_is_cut() {
    for (version, size) in [(&TLS13, 1), (&TLS13, 7), (&TLS12, 1), (&TLS12, 4096)] {
        let (mut client, mut server) = pair(version, 1);
        while client.is_handshaking() || server.is_handshaking() {
            answer(&mut client, &mut server).chunks(size).for_each(|piece| client.receive(piece));
        }
        client.say(b"EHLO\r\n").unwrap();
        let late = answer(&mut client, &mut server);
        let mut heard = [0; 16];
        assert_eq!(server.reader().read(&mut heard).unwrap(), 6);
        server.writer().write_all(b"250 x\r\n").unwrap();
        let said = [late, flushed(&mut server)].concat();
        said.chunks(size).for_each(|piece| client.receive(piece));
        assert_eq!((&client.take_plain()[..], client.fault()), (&b"250 x\r\n"[..], None), "{version:?}");
    }
}

#[test]
fn a_hello_request_and_a_warning_before_the_server_hello_are_no_end() {
    for version in [&TLS13, &TLS12] {
        let (mut client, mut server) = pair(version, 1);
        client.receive(&[HELLO_REQUEST, WARNING, HELLO_REQUEST].concat());
        while client.is_handshaking() {
            let said = answer(&mut client, &mut server);
            client.receive(&said);
            assert_eq!(client.fault(), None, "{version:?}");
        }
    }
}

#[test]
fn text_in_clear_is_kept_to_the_end_of_its_line() {
    for size in [1, 3, 100] {
        let (mut client, _) = pair(&TLS13, 1);
        for piece in b"421 4.7.0 Too busy\r\n500 What?\r\n".chunks(size) {
            client.receive(piece);
        }
        let line = b"421 4.7.0 Too busy\r\n";
        assert_eq!(client.fault(), Some(&TlsFault::InClear(line[..].into())), "{size}");
        assert_eq!(client.text_in_clear(), line);
    }
}

#[test]
fn text_in_clear_without_an_end_is_what_there_is() {
    let (mut client, _) = pair(&TLS13, 1);
    client.receive(b"421 Too");
    assert_eq!((client.fault(), client.text_in_clear()), (None, &b"421 Too"[..]));
    client.receive_eof();
    assert_eq!(client.fault(), Some(&TlsFault::InClear(b"421 Too"[..].into())));

    let (mut client, _) = pair(&TLS13, 1);
    client.receive(b"42");
    client.receive_eof();
    assert_eq!(client.text_in_clear(), b"42");

    let (mut client, _) = pair(&TLS13, 1);
    client.receive(&[b'x'; 4 * CLEAR_TEXT_BYTES_MAX]);
    assert_eq!(client.text_in_clear().len(), CLEAR_TEXT_BYTES_MAX);
}

#[test]
fn text_in_clear_after_the_handshake_is_found_behind_what_is_encrypted() {
    for version in [&TLS13, &TLS12] {
        let (mut client, mut server) = shaken(version);
        server.writer().write_all(b"250 x\r\n").unwrap();
        let said = [&flushed(&mut server)[..], b"421 Too late\r\n"].concat();
        said.chunks(5).for_each(|piece| client.receive(piece));
        assert_eq!(client.take_plain(), b"250 x\r\n", "{version:?}");
        assert_eq!(client.fault(), Some(&TlsFault::InClear(b"421 Too late\r\n"[..].into())));
        assert!(!client.is_handshaking());
    }
}

#[test]
fn a_certificate_message_beyond_the_library_is_too_long() {
    let (mut client, mut server) = pair(&TLS13, 1000);
    let said = answer(&mut client, &mut server);
    said.chunks(4096).for_each(|piece| client.receive(piece));
    let too_large = rustls::Error::from(rustls::InvalidMessage::HandshakePayloadTooLarge);
    assert_eq!(client.fault(), Some(&TlsFault::Library(too_large)));
}

#[test]
fn a_ticket_of_tls12_is_counted_apart_from_an_id() {
    let (client, _) = shaken(&TLS12);
    assert_eq!(client.resumable(), Resumable { tickets: 0, session_id: true });
    let (client, _) = shaken(&TLS13);
    assert_eq!(client.resumable().tickets, 0);
}
