//! A listener on loopback, before clients of rustls and before none.

use super::config::ListenLimits;
use super::serve::MailListener;
use super::tls::{ALL_VERSIONS, ListenerTls, ServerIdentity, TLS12_ONLY};
use super::{ListenCounts, ListenerConfig};
use crate::model::inbound::{InboundEnd, InboundSession, InboundTlsFailure, StarttlsUse};
use crate::model::{AlertDescription, ProtocolVersion, SignatureCheck};
use crate::smtp::ServerManner;
use crate::x509::handshake::OFFERED_SCHEMES;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

pub(super) type Certified = (CertificateDer<'static>, PrivateKeyDer<'static>);

pub(super) fn key_pair(name: &str) -> Certified {
    let certified = rcgen::generate_simple_self_signed([name.to_string()]).unwrap();
    (certified.cert.into(), PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()).into())
}

struct Running {
    at: SocketAddr,
    certificate: CertificateDer<'static>,
    sessions: mpsc::Receiver<InboundSession>,
    stop: CancellationToken,
    counts: JoinHandle<ListenCounts>,
}

impl Running {
    async fn start(tls: Option<ListenerTls>, limits: ListenLimits) -> Self {
        let (certificate, key) = key_pair("mx.example");
        let identity = ServerIdentity::new(vec![certificate.clone()], key).unwrap();
        let tls = tls.unwrap_or(ListenerTls::Handshake { identity, versions: ALL_VERSIONS });
        let config = ListenerConfig {
            host: "mx.example".into(),
            smtp: ServerManner::default(),
            tls,
            greeting_delay: Duration::ZERO,
            reply_delay: Duration::ZERO,
            limits,
        };
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let (sender, sessions) = mpsc::channel(10);
        let stop = CancellationToken::new();
        let counts = tokio::spawn(MailListener::new(socket, config, sender).run(stop.clone(), None));
        Self { at, certificate, sessions, stop, counts }
    }

    async fn connect(&self) -> BufReader<TcpStream> {
        let mut stream = BufReader::new(TcpStream::connect(self.at).await.unwrap());
        assert_eq!(&reply(&mut stream).await[..3], "220");
        stream
    }
}

/// The last line of a reply; empty where the listener has closed.
pub(super) async fn reply(stream: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, line: &str) -> String {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    reply(stream).await
}

fn client(server: &CertificateDer<'static>, shown: Option<Certified>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(server.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => config.with_no_client_auth(),
    };
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn a_client_that_shows_a_certificate_is_heard_out_and_refused() {
    let mut running = Running::start(None, ListenLimits::default()).await;
    let (shown, key) = key_pair("out.partner.example");
    let mut stream = running.connect().await;
    assert!(ask(&mut stream, "EHLO out.partner.example").await.starts_with("250 "));
    assert!(ask(&mut stream, "STARTTLS").await.starts_with("220 "));
    let connector = client(&running.certificate, Some((shown.clone(), key)));
    let tls = connector.connect("mx.example".try_into().unwrap(), stream.into_inner()).await.unwrap();
    let mut tls = BufReader::new(tls);
    for (line, code) in [
        ("EHLO out.partner.example", "250"),
        ("MAIL FROM:<secret@partner.example> REQUIRETLS", "250"),
        ("RCPT TO:<hidden@contoso.example>", "451"),
        ("QUIT", "221"),
    ] {
        assert_eq!(&ask(&mut tls, line).await[..3], code, "{line}");
    }
    drop(tls);
    let session = running.sessions.recv().await.unwrap();
    assert!(!format!("{session:?}").contains("secret") && !format!("{session:?}").contains("hidden"));
    assert_eq!((session.number, session.dialogue.end), (1, Some(InboundEnd::Quit)));
    let seen = session.tls.unwrap();
    assert!(seen.established && seen.failure.is_none());
    assert_eq!(seen.version, Some(ProtocolVersion::TLS13));
    assert_eq!(seen.chain, [Arc::from(shown.as_ref())]);
    assert_eq!(seen.signature, Some(SignatureCheck::Verified));
    assert!(OFFERED_SCHEMES.contains(&seen.signature_scheme.unwrap()));
    assert_eq!(seen.offer.unwrap().sni.as_deref(), Some("mx.example"));
    running.stop.cancel();
    assert_eq!(running.counts.await.unwrap(), ListenCounts { sessions: 1, turned_away: 0 });
}

/// A key that is not that of the certificate beside it.
#[derive(Debug)]
struct Impostor(Arc<rustls::sign::CertifiedKey>);

impl rustls::client::ResolvesClientCert for Impostor {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_certificate_whose_key_the_client_lacks_ends_the_handshake() {
    let mut running = Running::start(None, ListenLimits::default()).await;
    let ((shown, _), (_, other)) = (key_pair("out.partner.example"), key_pair("thief.example"));
    let signer = aws_lc_rs::sign::any_supported_type(&other).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(running.certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Impostor(Arc::new(rustls::sign::CertifiedKey::new(
            vec![shown],
            signer,
        )))));
    let mut stream = running.connect().await;
    ask(&mut stream, "EHLO thief.example").await;
    ask(&mut stream, "STARTTLS").await;
    let connector = TlsConnector::from(Arc::new(config));
    if let Ok(mut tls) = connector.connect("mx.example".try_into().unwrap(), stream.into_inner()).await {
        // In TLS 1.3 the client is done before the listener has looked.
        let _ = tls.read(&mut [0]).await;
    }
    let seen = running.sessions.recv().await.unwrap().tls.unwrap();
    assert!(!seen.established);
    assert_eq!(seen.signature, Some(SignatureCheck::Failed));
    assert!(matches!(seen.failure, Some(InboundTlsFailure::ClientFault(_))), "{:?}", seen.failure);
}

#[tokio::test]
async fn whoever_sends_in_clear_or_does_not_trust_us_is_told_apart() {
    let mut running = Running::start(None, ListenLimits::default()).await;
    let mut stream = running.connect().await;
    for line in ["EHLO c.example", "MAIL FROM:<a@partner.example>", "RCPT TO:<b@contoso.example>", "QUIT"] {
        ask(&mut stream, line).await;
    }
    drop(stream);
    let clear = running.sessions.recv().await.unwrap();
    assert_eq!((clear.dialogue.starttls, clear.tls), (StarttlsUse::NotAsked, None));
    assert!(!clear.dialogue.mail[0].in_tls);

    let mut stream = running.connect().await;
    ask(&mut stream, "EHLO c.example").await;
    ask(&mut stream, "STARTTLS").await;
    let stranger = client(&key_pair("mx.example").0, None);
    stranger.connect("mx.example".try_into().unwrap(), stream.into_inner()).await.unwrap_err();
    let refused = running.sessions.recv().await.unwrap().tls.unwrap();
    assert!(matches!(refused.failure, Some(InboundTlsFailure::ClientAlert(_))), "{:?}", refused.failure);
    assert!(!refused.established && refused.chain.is_empty() && refused.signature.is_none());
}

#[tokio::test]
async fn what_is_done_on_purpose_is_told_as_ours() {
    let alert = AlertDescription::HANDSHAKE_FAILURE;
    let mut running = Running::start(Some(ListenerTls::Refuse(alert)), ListenLimits::default()).await;
    let mut stream = running.connect().await;
    ask(&mut stream, "EHLO c.example").await;
    ask(&mut stream, "STARTTLS").await;
    let connector = client(&key_pair("mx.example").0, None);
    connector.connect("mx.example".try_into().unwrap(), stream.into_inner()).await.unwrap_err();
    let seen = running.sessions.recv().await.unwrap().tls.unwrap();
    assert_eq!(seen.failure, Some(InboundTlsFailure::OnPurpose(alert)));
    assert!(seen.offer.is_some());
}

#[tokio::test]
async fn a_limit_of_versions_is_seen_in_what_was_negotiated() {
    let (certificate, key) = key_pair("mx.example");
    let identity = ServerIdentity::new(vec![certificate.clone()], key).unwrap();
    let tls = ListenerTls::Handshake { identity, versions: TLS12_ONLY };
    let mut running = Running::start(Some(tls), ListenLimits::default()).await;
    let mut stream = running.connect().await;
    ask(&mut stream, "EHLO c.example").await;
    ask(&mut stream, "STARTTLS").await;
    let connector = client(&certificate, Some(key_pair("out.partner.example")));
    let tls = connector.connect("mx.example".try_into().unwrap(), stream.into_inner()).await.unwrap();
    assert!(ask(&mut BufReader::new(tls), "QUIT").await.starts_with("221 "));
    let seen = running.sessions.recv().await.unwrap().tls.unwrap();
    assert_eq!(
        (seen.version, seen.signature),
        (Some(ProtocolVersion::TLS12), Some(SignatureCheck::Verified))
    );
    assert_eq!(seen.offer.unwrap().newest(), ProtocolVersion::TLS13);
}

#[tokio::test]
async fn more_than_are_let_in_at_once_are_turned_away() {
    let limits = ListenLimits { sessions_per_address: 2, ..ListenLimits::default() };
    let running = Running::start(None, limits).await;
    let (first, _second) = (running.connect().await, running.connect().await);
    let mut third = BufReader::new(TcpStream::connect(running.at).await.unwrap());
    assert!(reply(&mut third).await.starts_with("421 4.3.2"));
    drop(first);
    let mut running = running;
    assert!(running.sessions.recv().await.is_some());
    let _fourth = running.connect().await;
    running.stop.cancel();
    let mut ended = Vec::new();
    while let Some(session) = running.sessions.recv().await {
        ended.push(session.dialogue.end.unwrap());
    }
    assert_eq!(ended, [InboundEnd::ByUs, InboundEnd::ByUs]);
    assert_eq!(running.counts.await.unwrap(), ListenCounts { sessions: 3, turned_away: 1 });
}
