//! A client for the fleet that shares no code with the scanner: it says what
//! it hears and judges as little as it can.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mxray::internals::model::registry;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Most bytes read of one reply.
const REPLY_BYTES_MAX: usize = 4096;

const EHLO: &str = "EHLO probe.example\r\n";
const STARTTLS: &str = "STARTTLS\r\n";

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// QUIT was answered inside TLS.
    Complete,
    /// No connection.
    Refused,
    /// The server closed or reset.
    Closed,
    /// Nothing came in time.
    Silence,
    /// A reply that is not the one that leads on.
    Reply,
    /// The handshake failed.
    Handshake,
}

/// What was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    pub end: End,
    /// Replies in clear as they came, the last perhaps broken.
    pub clear: Vec<String>,
    /// Plaintext after the 220 to STARTTLS.
    pub plaintext: Vec<u8>,
    /// What the handshake showed, under the names of the columns.
    pub columns: BTreeMap<&'static str, String>,
    pub chain: Vec<CertificateDer<'static>>,
    /// What the TLS library says of the handshake signature; `None` where it
    /// does not come to that.
    pub verified: Option<bool>,
}

impl Heard {
    fn new() -> Self {
        Self {
            end: End::Refused,
            clear: Vec::new(),
            plaintext: Vec::new(),
            columns: BTreeMap::new(),
            chain: Vec::new(),
            verified: None,
        }
    }
}

/// Asks one server as a mail client would, waiting at most `patience` for
/// each answer.
pub async fn ask(at: SocketAddr, name: Option<&str>, patience: Duration) -> Heard {
    let mut heard = Heard::new();
    let mut stream = match timeout(patience, TcpStream::connect(at)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) => return heard,
        Err(_) => return Heard { end: End::Silence, ..heard },
    };
    heard.end = match clear(&mut stream, patience, &mut heard).await {
        Ok(()) => secure(&mut stream, at, name, patience, &mut heard).await.err().unwrap_or(End::Complete),
        Err(end) => end,
    };
    heard
}

async fn clear(stream: &mut TcpStream, patience: Duration, heard: &mut Heard) -> Result<(), End> {
    for (command, leads_on) in [("", "220"), (EHLO, "250"), (STARTTLS, "220")] {
        stream.write_all(command.as_bytes()).await.map_err(|_| End::Closed)?;
        let (reply, rest) = reply(stream, patience).await?;
        heard.columns.insert("reply_code", reply.get(..3).unwrap_or_default().to_string());
        if command == STARTTLS {
            heard.plaintext = rest;
        }
        let one_code = reply.lines().all(|line| line.starts_with(leads_on));
        let offered = command != EHLO || reply.lines().skip(1).any(is_starttls);
        heard.clear.push(reply);
        if !one_code || !offered {
            return Err(End::Reply);
        }
    }
    heard.columns.insert("reply_code", String::new());
    Ok(())
}

async fn secure(
    stream: &mut TcpStream,
    at: SocketAddr,
    name: Option<&str>,
    patience: Duration,
    heard: &mut Heard,
) -> Result<(), End> {
    let seen = Arc::new(Seen::default());
    let name = match name {
        Some(name) => ServerName::try_from(name.to_string()).unwrap(),
        None => ServerName::from(at.ip()),
    };
    let connector = TlsConnector::from(config(&seen));
    let connected = timeout(patience, connector.connect(name, &mut *stream)).await;
    let result = match connected {
        Err(_) => Err(End::Silence),
        Ok(Err(error)) => Err(failed(&error, heard)),
        Ok(Ok(mut tls)) => {
            let session = tls.get_ref().1;
            heard.chain = session.peer_certificates().unwrap().to_vec();
            let version = format!("{:?}", session.protocol_version().unwrap());
            heard.columns.insert("tls_version", version.replace("TLSv1_", "TLSv1."));
            let suite = session.negotiated_cipher_suite().unwrap().suite();
            let suite = suite.as_str().unwrap().replace("TLS13_", "TLS_");
            heard.columns.insert("cipher_suite", suite);
            let group = session.negotiated_key_exchange_group().unwrap().name();
            heard
                .columns
                .insert("key_exchange_group", registry::NamedGroup(group.into()).name().into_owned());
            let retried = session.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
            heard.columns.insert("hello_retry", yes_no(retried));
            after(&mut tls, patience, heard).await
        }
    };
    seen.tell(heard);
    result
}

async fn after(
    tls: &mut (impl AsyncRead + AsyncWrite + Unpin),
    patience: Duration,
    heard: &mut Heard,
) -> Result<(), End> {
    for (command, leads_on) in [(EHLO, "250"), ("QUIT\r\n", "221")] {
        tls.write_all(command.as_bytes()).await.map_err(|error| failed(&error, heard))?;
        tls.flush().await.map_err(|error| failed(&error, heard))?;
        let mut bytes = Vec::new();
        let mut chunk = [0; 512];
        while !complete(&bytes) {
            match timeout(patience, tls.read(&mut chunk)).await {
                Err(_) => return Err(End::Silence),
                Ok(Err(error)) => return Err(failed(&error, heard)),
                Ok(Ok(0)) => return Err(End::Closed),
                Ok(Ok(count)) => bytes.extend_from_slice(&chunk[..count]),
            }
        }
        let reply = String::from_utf8_lossy(&bytes).into_owned();
        if !reply.starts_with(leads_on) {
            heard.columns.insert("reply_code", reply[..3].to_string());
            return Err(End::Reply);
        }
    }
    Ok(())
}

fn failed(error: &std::io::Error, heard: &mut Heard) -> End {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => {
            let alert = registry::AlertDescription((*alert).into());
            heard.columns.insert("alert", alert.name().into_owned());
            End::Handshake
        }
        Some(_) => End::Handshake,
        None => End::Closed,
    }
}

/// One reply and what came in the same breath after it.
async fn reply(stream: &mut TcpStream, patience: Duration) -> Result<(String, Vec<u8>), End> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 512];
    while !complete(&bytes) && bytes.len() < REPLY_BYTES_MAX {
        match timeout(patience, stream.read(&mut chunk)).await {
            Err(_) => return Err(End::Silence),
            Ok(Ok(0) | Err(_)) => return Err(End::Closed),
            Ok(Ok(count)) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if !is_continued(line) {
            break;
        }
    }
    let rest = bytes.split_off(end);
    Ok((bytes.iter().map(|byte| char::from(*byte)).collect(), rest))
}

/// Whether a line that is no continuation has ended.
fn complete(bytes: &[u8]) -> bool {
    bytes.split_inclusive(|byte| *byte == b'\n').any(|line| line.ends_with(b"\n") && !is_continued(line))
}

fn is_continued(line: &[u8]) -> bool {
    line.get(3) == Some(&b'-') && line[..3].iter().all(u8::is_ascii_digit)
}

fn is_starttls(line: &str) -> bool {
    line.get(4..).is_some_and(|keyword| keyword.eq_ignore_ascii_case("STARTTLS"))
}

fn yes_no(truth: bool) -> String {
    if truth { "yes".into() } else { "no".into() }
}

fn config(seen: &Arc<Seen>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_client_cert_resolver(seen.clone());
    config.enable_sni = true;
    Arc::new(config)
}

/// Accepts every certificate and remembers what passed by.
#[derive(Debug, Default)]
struct Seen {
    chain_length: Mutex<Option<usize>>,
    scheme: Mutex<Option<SignatureScheme>>,
    verified: Mutex<Option<bool>>,
    stapled: AtomicBool,
    asked_for_certificate: AtomicBool,
}

impl Seen {
    fn tell(&self, heard: &mut Heard) {
        heard.verified = *self.verified.lock().unwrap();
        let Some(length) = *self.chain_length.lock().unwrap() else { return };
        heard.columns.insert("chain_length", length.to_string());
        heard.columns.insert("ocsp_stapled", yes_no(self.stapled.load(Ordering::SeqCst)));
        let asked = self.asked_for_certificate.load(Ordering::SeqCst);
        heard.columns.insert("client_certificate_requested", yes_no(asked));
        if let Some(scheme) = *self.scheme.lock().unwrap() {
            let scheme = registry::SignatureScheme(scheme.into());
            heard.columns.insert("signature_scheme", scheme.name().into_owned());
        }
    }

    /// Goes on whatever the library's own verification says.
    fn signed(
        &self,
        by: &DigitallySignedStruct,
        verification: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        *self.scheme.lock().unwrap() = Some(by.scheme);
        *self.verified.lock().unwrap() = match verification {
            Ok(_) => Some(true),
            Err(Error::InvalidCertificate(CertificateError::BadSignature) | Error::PeerMisbehaved(_)) => {
                Some(false)
            }
            Err(_) => None,
        };
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.chain_length.lock().unwrap() = Some(intermediates.len() + 1);
        self.stapled.store(!ocsp_response.is_empty(), Ordering::SeqCst);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        self.signed(signed, verify_tls12_signature(message, certificate, signed, &algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        self.signed(signed, verify_tls13_signature(message, certificate, signed, &algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Seen {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked_for_certificate.store(true, Ordering::SeqCst);
        None
    }

    // rustls asks for a certificate only where there may be one.
    fn has_certs(&self) -> bool {
        true
    }
}
