//! TLS from a scripted peer, after a handshake or in it: whatever comes, each
//! piece is consumed or the connection has ended, what is inside is what the
//! peer wrote, and cutting changes nothing.

use super::Seed;
use super::cuts::cuts;
use mxray::internals::tls::client::CLEAR_TEXT_BYTES_MAX;
use mxray::internals::tls::{TlsClient, TlsFault};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use std::io::Write;
use std::mem::discriminant;
use std::sync::{Arc, LazyLock};

/// Most rounds of a handshake; one that takes more hangs.
const ROUNDS_MAX: usize = 8;
/// Most acts of a script.
const ACTS_MAX: usize = 40;
/// Most new keys in a row that the library has to take; beyond that it may call
/// it misbehaviour.
const KEY_UPDATES_MAX: u32 = 32;
/// Bytes that one unit of [`Act::Inside`] stands for: three of the longest are
/// more than a record.
const INSIDE_BYTES: usize = 97;

/// A certificate of RSA, whose signatures have one length, so that the peer's
/// stream is cut in the same places each time.
const KEY: &[u8] = include_bytes!("../../datasets/lab/pki/rsa-2048.pkcs8.der");
const HOST: &str = "mx.example";

/// What the peer does.
#[derive(Clone, Copy, Debug)]
enum Act<'a> {
    /// The handshake as far as it goes.
    Shake,
    /// Bytes in clear, as they are.
    Raw(&'a [u8]),
    /// So many bytes inside TLS.
    Inside(usize),
    /// New keys (RFC 8446 §4.6.3), so often.
    KeyUpdates(u8),
    /// close_notify.
    Close,
    /// So much of what is said next is lost.
    Lose(u8),
    /// HelloRequests in clear.
    HelloRequests(u8),
    /// What is said from here to the next of these comes at once.
    Gather,
}

/// A script: the version, and acts of a letter and a number each.
fn script(input: &[u8]) -> Option<(bool, Vec<Act<'_>>)> {
    let (version, mut rest) = input.split_first()?;
    let mut acts = Vec::new();
    while let Some((&[letter, number], after)) = rest.split_first_chunk::<2>() {
        let mut after = after;
        acts.push(match letter {
            b'S' => Act::Shake,
            b'R' => {
                let (bytes, left) = after.split_at(usize::from(number).min(after.len()));
                after = left;
                Act::Raw(bytes)
            }
            b'I' => Act::Inside(usize::from(number) * INSIDE_BYTES),
            b'K' => Act::KeyUpdates(number),
            b'C' => Act::Close,
            b'L' => Act::Lose(number),
            b'H' => Act::HelloRequests(number),
            b'G' => Act::Gather,
            _ => return None,
        });
        rest = after;
    }
    acts.truncate(ACTS_MAX);
    Some((*version == b'3', acts))
}

static CONFIGS: LazyLock<[(Arc<ClientConfig>, Arc<ServerConfig>); 2]> = LazyLock::new(|| {
    let key = rcgen::KeyPair::try_from(KEY).unwrap();
    let params = rcgen::CertificateParams::new([HOST.to_string()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    [&TLS12, &TLS13].map(|version| {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let client = ClientConfig::builder_with_protocol_versions(&[version]);
        let mut client = client.with_root_certificates(roots).with_no_client_auth();
        client.resumption = rustls::client::Resumption::disabled();
        (Arc::new(client), Arc::new(server(&certificate)))
    })
});

fn server(certificate: &CertificateDer<'static>) -> ServerConfig {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY.to_vec()));
    let config = ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(vec![certificate.clone()], key).unwrap()
}

pub fn check(input: &[u8]) {
    let Some((tls13, acts)) = script(input) else { return };
    let [whole, bytes, odd] = [0, 1, 2].map(|manner| Peer::new(tls13, manner).play(&acts));
    assert_eq!(bytes, whole, "byte by byte is no different: {acts:?}");
    assert_eq!(odd, whole, "cutting changes nothing: {acts:?}");
}

/// What became of a connection.
#[derive(Debug, PartialEq)]
struct Outcome {
    handshaking: bool,
    closed: bool,
    fault: Option<std::mem::Discriminant<TlsFault>>,
    in_clear: bool,
    plain: Vec<u8>,
}

struct Peer {
    client: TlsClient,
    server: ServerConnection,
    manner: usize,
    plain: Vec<u8>,
    /// What was written inside TLS, up to what was lost or said in clear.
    written: Vec<u8>,
    honest: bool,
    lose: usize,
    key_updates: u32,
    /// What is gathered, to be said at once.
    gathered: Option<Vec<u8>>,
    /// Whether close_notify was said, and nothing that follows counts.
    closed: bool,
}

impl Peer {
    fn new(tls13: bool, manner: usize) -> Self {
        let (client, server) = &CONFIGS[usize::from(tls13)];
        let client = ClientConnection::new(client.clone(), ServerName::try_from(HOST).unwrap()).unwrap();
        let server = ServerConnection::new(server.clone()).unwrap();
        let client = TlsClient::new(client);
        Self {
            client,
            server,
            manner,
            plain: Vec::new(),
            written: Vec::new(),
            honest: true,
            lose: 0,
            key_updates: 0,
            gathered: None,
            closed: false,
        }
    }

    fn play(mut self, acts: &[Act<'_>]) -> Outcome {
        acts.iter().for_each(|act| self.act(*act));
        let gathered = self.gathered.take().unwrap_or_default();
        self.say(&gathered);
        let Self { mut client, plain, written, honest, .. } = self;
        client.receive_eof();
        assert!(!honest || plain == written, "what is inside is what was written: {acts:?}");
        let fault = client.fault().map(discriminant);
        let in_clear = !client.text_in_clear().is_empty();
        Outcome { handshaking: client.is_handshaking(), closed: client.is_closed(), fault, in_clear, plain }
    }

    fn act(&mut self, act: Act<'_>) {
        match act {
            Act::Shake => (0..ROUNDS_MAX).for_each(|_| {
                self.listen();
                self.flush();
            }),
            Act::Raw(bytes) => {
                self.honest &= bytes.is_empty() || self.closed;
                self.say(bytes);
            }
            Act::Inside(length) if !self.server.is_handshaking() => {
                let bytes = vec![b'x'; length];
                // A server that the client's alert has ended says no more.
                if self.server.writer().write_all(&bytes).is_err() {
                    assert!(!self.honest, "an honest server can write");
                    return;
                }
                self.written.extend(if self.closed { &[][..] } else { &bytes[..] });
            }
            Act::KeyUpdates(count) => {
                // There are none in TLS 1.2, and none in a handshake.
                (0..count).for_each(|_| drop(self.server.refresh_traffic_keys()));
                self.key_updates += u32::from(count);
                self.honest &= self.key_updates <= KEY_UPDATES_MAX;
            }
            Act::Close => {
                self.server.send_close_notify();
                // In a handshake it is an alert that ends it.
                self.honest &= !self.client.is_handshaking();
                self.closed = true;
            }
            Act::Lose(bytes) => {
                self.lose += usize::from(bytes);
                self.honest &= self.lose == 0;
            }
            Act::HelloRequests(count) if self.client.is_handshaking() => {
                self.say(&[22, 3, 3, 0, 4, 0, 0, 0, 0].repeat(usize::from(count)));
            }
            Act::Gather => match self.gathered.take() {
                Some(gathered) => self.say(&gathered),
                None => self.gathered = Some(Vec::new()),
            },
            Act::Inside(_) | Act::HelloRequests(_) => {}
        }
        self.flush();
    }

    /// Lets the server hear the client.
    fn listen(&mut self) {
        let mut said = Vec::new();
        self.client.write_records(&mut said).unwrap();
        let mut said = &said[..];
        while !said.is_empty() && self.server.read_tls(&mut said).is_ok_and(|read| read > 0) {
            if self.server.process_new_packets().is_err() {
                self.honest = false;
                return;
            }
        }
    }

    fn flush(&mut self) {
        let mut said = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut said).unwrap();
        }
        let lost = self.lose.min(said.len());
        self.lose -= lost;
        self.say(&said[lost..]);
    }

    /// Gives the client what the peer says.
    fn say(&mut self, bytes: &[u8]) {
        if let Some(gathered) = &mut self.gathered {
            gathered.extend_from_slice(bytes);
            return;
        }
        for piece in &cuts(bytes)[self.manner] {
            let over = self.client.is_closed() || self.client.fault().is_some();
            self.client.receive(piece);
            let plain = self.client.take_plain();
            assert!(!over || plain.is_empty(), "nothing comes after the end");
            self.plain.extend(plain);
        }
        assert!(self.client.text_in_clear().len() <= CLEAR_TEXT_BYTES_MAX, "the line in clear is bounded");
    }
}

pub fn seeds() -> Vec<Seed> {
    let text = b"R\x14421 4.7.0 Too busy\r\n".to_vec();
    let after_close = [&b"S\0I\xa9C\0R\xff"[..], &[b'J'; 255], b"R\xff", &[b'J'; 255]].concat();
    let of = |version: u8, acts: &[&[u8]]| [&[version], acts.concat().as_slice()].concat();
    vec![
        ("tls13", of(b'3', &[b"S\0I\x02"])),
        ("tls12", of(b'2', &[b"S\0I\x02"])),
        ("tls13_after_close", of(b'3', &[&after_close])),
        ("tls12_after_close", of(b'2', &[&after_close])),
        ("tls13_text_first", of(b'3', &[&text])),
        ("tls12_text_after", of(b'2', &[b"S\0I\x01", &text])),
        ("tls13_more_with_close", of(b'3', &[b"S\0G\0I\x01C\0I\x02G\0I\x01"])),
        ("tls12_more_with_close", of(b'2', &[b"S\0G\0I\x01C\0I\x02G\0I\x01"])),
        ("tls13_key_updates", of(b'3', &[b"S\0K\xffI\x01K\x03C\0"])),
        ("tls12_hello_requests", of(b'2', &[b"H\x09S\0I\x01"])),
        ("tls13_long", of(b'3', &[b"S\0I\xffI\xffC\0"])),
        ("tls13_loss", of(b'3', &[b"S\0I\x05L\x03I\x05"])),
        ("tls13_warning", of(b'3', &[b"R\x07\x15\x03\x03\0\x02\x01\x70S\0I\x01"])),
        ("tls13_empty_records", of(b'3', &[b"R\x0a\x16\x03\x03\0\0\x16\x03\x03\0\0S\0"])),
    ]
}
