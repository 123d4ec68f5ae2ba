//! A mail server that answers hellos by script, on a free port of loopback.

#![allow(dead_code, reason = "each test file uses a part")]

use mxray::internals::model::{CipherSuite, ProtocolVersion};
use mxray::internals::tls::extension::{Extension, ExtensionType};
use mxray::internals::tls::handshake::{HandshakeReader, HandshakeType};
use mxray::internals::tls::record::RecordReader;
use mxray::internals::tls::server_hello::HELLO_RETRY_RANDOM;
use mxray::internals::tls::{ClientHello, ServerHello};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a hello.
pub enum Answer {
    /// Sends this, and waits for the end.
    Bytes(Vec<u8>),
    /// Hangs up.
    Close,
    /// Waits for the end.
    Silence,
}

/// A running server; it ends with the runtime.
pub struct OldServer {
    /// Where it listens.
    pub address: SocketAddr,
    hellos: Arc<Mutex<Vec<ClientHello>>>,
}

impl OldServer {
    /// Greets with `greeting` (without line end), and answers each hello by
    /// `answer`.
    pub async fn start(
        greeting: &'static str,
        answer: impl Fn(&ClientHello) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hellos = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (hellos.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    // A client that leaves early is no matter.
                    let _ = serve(stream, greeting, &seen, &*answer).await;
                });
            }
        });
        Self { address, hellos }
    }

    /// Every hello so far.
    pub fn hellos(&self) -> Vec<ClientHello> {
        self.hellos.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    greeting: &str,
    seen: &Mutex<Vec<ClientHello>>,
    answer: &(impl Fn(&ClientHello) -> Answer + Sync),
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        match line.trim_end() {
            "STARTTLS" => break,
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => stream.write_all(b"250-old.example\r\n250 STARTTLS\r\n").await?,
        }
    }
    stream.write_all(b"220 go ahead\r\n").await?;
    let hello = read_hello(&mut stream).await?;
    let answer = answer(&hello);
    seen.lock().unwrap().push(hello);
    match answer {
        Answer::Close => return Ok(()),
        Answer::Bytes(bytes) => stream.write_all(&bytes).await?,
        Answer::Silence => {}
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.map(|_| ())
}

async fn read_hello(stream: &mut BufReader<TcpStream>) -> std::io::Result<ClientHello> {
    let (mut records, mut messages) = (RecordReader::default(), HandshakeReader::default());
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await?;
        assert!(read > 0, "hung up before the hello was whole");
        let mut input = &buffer[..read];
        while let Some(record) = records.next_record(&mut input).unwrap() {
            messages.receive(record.fragment);
        }
        if let Some(message) = messages.next_message().unwrap() {
            assert_eq!(message.handshake_type, HandshakeType::CLIENT_HELLO);
            return Ok(ClientHello::decode(message.body).unwrap());
        }
    }
}

/// Content types of records.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

fn record(content_type: u8, version: ProtocolVersion, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[content_type], &version.0.to_be_bytes()[..], &length, payload].concat()
}

/// A handshake message.
fn message(handshake_type: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[handshake_type], &length[1..], body].concat()
}

/// Something behind its length in `width` bytes.
fn vector(width: usize, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[4 - width..], body].concat()
}

/// A fatal alert.
pub fn alert(description: u8) -> Answer {
    Answer::Bytes(record(ALERT, ProtocolVersion::TLS10, &[2, description]))
}

/// The flight of a server of TLS 1.0 that takes a suite of DHE with a prime of
/// so many bits, and shows `certificate`.
pub fn dhe_flight(suite: CipherSuite, prime_bits: usize, certificate: &[u8]) -> Answer {
    let hello = ServerHello {
        legacy_version: ProtocolVersion::TLS10,
        random: [9; 32],
        session_id: Vec::new(),
        suite,
        compression: 0,
        extensions: Vec::new(),
    };
    let prime = vector(2, &vec![0xff; prime_bits / 8]);
    let exchange = [prime, vector(2, &[2]), vector(2, &[5]), vector(2, &[0; 128])].concat();
    let flight = [
        hello.to_message().unwrap(),
        message(11, &vector(3, &vector(3, certificate))),
        message(12, &exchange),
        message(14, &[]),
    ];
    Answer::Bytes(record(HANDSHAKE, ProtocolVersion::TLS10, &flight.concat()))
}

/// A server of TLS 1.3 that wants a share of another group.
pub fn hello_retry(asked: &ClientHello, suite: CipherSuite, group: u16) -> Answer {
    let hello = ServerHello {
        legacy_version: ProtocolVersion::TLS12,
        random: HELLO_RETRY_RANDOM,
        session_id: asked.session_id.clone(),
        suite,
        compression: 0,
        extensions: vec![
            Extension::new(ExtensionType::SUPPORTED_VERSIONS, [3, 4]),
            Extension::new(ExtensionType::KEY_SHARE, group.to_be_bytes()),
        ],
    };
    Answer::Bytes(record(HANDSHAKE, ProtocolVersion::TLS12, &hello.to_message().unwrap()))
}
