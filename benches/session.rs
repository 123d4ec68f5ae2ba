//! A session without sockets: the dialogue alone, and the handshake in memory,
//! with the client's side timed apart from the server's.

// The macros make public functions without documentation.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has failed")]

use criterion::{Criterion, criterion_group, criterion_main};
use mxray::internals::model::{Dialogue, Endpoint, MxHost, ProbeKey};
use mxray::internals::net::{Handshaker, KeyShares};
use mxray::internals::smtp::{EhloName, SmtpAction, SmtpClient};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

const NAME: &str = "mx1.mail.example.com";

const RSA_2048: &[u8] = include_bytes!("../datasets/lab/pki/rsa-2048.pkcs8.der");

/// What the server says to each command, the handshake between the third and
/// the fourth.
const REPLIES: [&[u8]; 5] = [
    b"220 mx1.mail.example.com ESMTP Postfix\r\n",
    b"250-mx1.mail.example.com\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
    b"220 2.0.0 Ready to start TLS\r\n",
    b"250-mx1.mail.example.com\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n",
    b"221 2.0.0 Bye\r\n",
];

fn converse(name: &EhloName) -> Dialogue {
    let mut session = SmtpClient::new(name.clone());
    let mut replies = REPLIES.iter();
    loop {
        match session.next() {
            SmtpAction::Read => match replies.next() {
                Some(reply) => session.receive(reply),
                None => session.receive_eof(false),
            },
            SmtpAction::Write(bytes) => {
                black_box(bytes);
            }
            SmtpAction::Upgrade => session.upgraded(),
            SmtpAction::Done => return session.into_dialogue(),
        }
    }
}

fn dialogue(c: &mut Criterion) {
    let name = EhloName::new("scanner.example.org").unwrap();
    assert!(converse(&name).failure.is_none());
    c.bench_function("dialogue", |b| b.iter(|| converse(black_box(&name))));
}

fn server(version: &'static SupportedProtocolVersion, key: &KeyPair, der: Vec<u8>) -> Arc<ServerConfig> {
    let certificate = CertificateParams::new([NAME.to_string()]).unwrap().self_signed(key).unwrap();
    let chain = vec![CertificateDer::from(certificate)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
    let config = ServerConfig::builder_with_protocol_versions(&[version]);
    Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Time that each side took.
#[derive(Default)]
struct Spent {
    client: Duration,
    server: Duration,
}

/// One handshake in memory.
fn shake(mut client: ClientConnection, config: &Arc<ServerConfig>, spent: &mut Spent) {
    let mut server = ServerConnection::new(config.clone()).unwrap();
    let mut wire = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        let begun = Instant::now();
        flush(&mut wire, |wire| client.write_tls(wire));
        spent.client += begun.elapsed();
        let begun = Instant::now();
        let mut bytes = &wire[..];
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets().unwrap();
        }
        flush(&mut wire, |wire| server.write_tls(wire));
        spent.server += begun.elapsed();
        let begun = Instant::now();
        let mut bytes = &wire[..];
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets().unwrap();
        }
        spent.client += begun.elapsed();
    }
}

/// Everything that is due, in place of what was there.
fn flush(wire: &mut Vec<u8>, mut write: impl FnMut(&mut dyn Write) -> std::io::Result<usize>) {
    wire.clear();
    while write(wire).unwrap() > 0 {}
}

fn handshake(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake");
    let ecdsa = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let rsa = KeyPair::try_from(RSA_2048).unwrap();
    let handshaker = Handshaker::new(KeyShares::Reused).unwrap();
    let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
    let key = ProbeKey { endpoint, sni: Some(MxHost::new(NAME)) };
    for (version_name, version) in [("TLS 1.3", &TLS13), ("TLS 1.2", &TLS12)] {
        for (key_name, pair) in [("ECDSA", &ecdsa), ("RSA", &rsa)] {
            let config = server(version, pair, pair.serialize_der());
            for side in ["client", "server"] {
                group.bench_function(format!("{version_name} {key_name}, {side}"), |b| {
                    b.iter_custom(|times| {
                        let mut spent = Spent::default();
                        for _ in 0..times {
                            let begun = Instant::now();
                            let client = handshaker.connection(&key).unwrap();
                            spent.client += begun.elapsed();
                            shake(client, &config, &mut spent);
                        }
                        if side == "client" { spent.client } else { spent.server }
                    });
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, dialogue, handshake);
criterion_main!(benches);
