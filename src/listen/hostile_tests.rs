//! Clients that are slow, endless or gone: each session is bounded in time and in bytes.
//!
//! The clock stands until every task waits for it, so that minutes take none.

use super::ListenerConfig;
use super::config::ListenLimits;
use super::serve::hear;
use super::session::{LINGER_MAX, READ_BYTES, Seen};
use super::tests::{ask, key_pair, reply};
use super::tls::{ALL_VERSIONS, ListenerTls, ServerIdentity};
use crate::model::CipherSuite;
use crate::model::inbound::{InboundEnd, InboundTlsFailure};
use crate::smtp::ServerManner;
use crate::tls::ClientHello;
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use rustls::{ClientConfig, ConnectionTrafficSecrets, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, split};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);
const LIMITS: ListenLimits = ListenLimits {
    sessions: 1,
    sessions_per_address: 1,
    session: Duration::from_secs(60),
    silence: Duration::from_secs(10),
    bytes: 100_000,
};
/// Most times that a client says the same: one that were not bounded would then be
/// silent, and its session end for another reason.
const TIMES_MAX: usize = 20_000;

/// A listener, and what a client has to trust.
struct TestListener {
    config: ListenerConfig,
    roots: RootCertStore,
}

impl TestListener {
    fn new() -> Self {
        let (certificate, key) = key_pair("mx.example");
        let identity = ServerIdentity::new(vec![certificate.clone()], key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let config = ListenerConfig {
            host: "mx.example".into(),
            smtp: ServerManner::default(),
            tls: ListenerTls::Handshake { identity, versions: ALL_VERSIONS },
            greeting_delay: Duration::ZERO,
            reply_delay: Duration::ZERO,
            limits: LIMITS,
        };
        Self { config, roots }
    }

    /// Hears a client out, and holds what every session is bounded by.
    async fn hear<F: Future<Output = ()> + Send + 'static>(
        &self,
        client: impl FnOnce(DuplexStream) -> F,
    ) -> Seen {
        let (theirs, ours) = tokio::io::duplex(1000);
        let client = tokio::spawn(client(theirs));
        let began = Instant::now();
        let seen = hear(ours, &self.config, &CancellationToken::new()).await;
        client.abort();
        assert!(began.elapsed() <= LIMITS.session, "{:?}", began.elapsed());
        assert!(seen.total <= LIMITS.session && began.elapsed() <= seen.total + LINGER_MAX);
        assert!(seen.bytes_in < LIMITS.bytes + READ_BYTES as u64, "{}", seen.bytes_in);
        seen
    }

    /// A client that has come inside TLS.
    fn connector(&self, provider: CryptoProvider) -> TlsConnector {
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.enable_secret_extraction = true;
        TlsConnector::from(Arc::new(config))
    }
}

/// Comes as far as the answer to STARTTLS.
async fn starttls(stream: DuplexStream) -> DuplexStream {
    let mut stream = BufReader::new(stream);
    reply(&mut stream).await;
    ask(&mut stream, "EHLO c.example").await;
    assert!(ask(&mut stream, "STARTTLS").await.starts_with("220 "));
    stream.into_inner()
}

async fn inside(stream: DuplexStream, connector: TlsConnector) -> TlsStream<DuplexStream> {
    connector.connect("mx.example".try_into().unwrap(), starttls(stream).await).await.unwrap()
}

/// Says `first`, and then `again` and again after each pause, and reads what is answered.
async fn say_on(stream: impl AsyncRead + AsyncWrite, first: &[u8], again: &[u8], pause: Duration) {
    let (mut read, mut write) = split(stream);
    let say = async {
        let mut alive = write.write_all(first).await.is_ok();
        for _ in 0..TIMES_MAX {
            alive = alive && write.write_all(again).await.is_ok() && write.flush().await.is_ok();
            if !alive || again.is_empty() {
                break;
            }
            sleep(pause).await;
        }
        std::future::pending::<()>().await;
    };
    let hear = async { while read.read(&mut [0; 100]).await.is_ok_and(|count| count > 0) {} };
    tokio::join!(say, hear);
}

#[tokio::test(start_paused = true)]
async fn smtp_without_end_is_bounded_in_clear_and_inside_tls() {
    let listener = TestListener::new();
    let slow = 9 * SECOND;
    for (first, again, pause, expected) in [
        ("", "", SECOND, InboundEnd::TimedOut),
        ("EHLO c", "", SECOND, InboundEnd::TimedOut),
        ("", "x", slow, InboundEnd::Limit),
        ("", "NOOP\r\n", slow, InboundEnd::Limit),
        ("", "x", Duration::ZERO, InboundEnd::Protocol),
        ("", "EHLO c.example\r\n", Duration::ZERO, InboundEnd::Limit),
        ("", "NOOP\r\n", Duration::ZERO, InboundEnd::Limit),
        ("EHLO c\r\n", "MAIL FROM:<a@a.example>\r\nRSET\r\n", Duration::ZERO, InboundEnd::Limit),
        ("", "unknown\r\n", Duration::ZERO, InboundEnd::Limit),
    ] {
        let in_clear = |stream| say_on(stream, first.as_bytes(), again.as_bytes(), pause);
        let seen = listener.hear(in_clear).await;
        assert_eq!(seen.dialogue.end, Some(expected), "{first:?} {again:?} {pause:?}");
        let connector = listener.connector(provider::default_provider());
        let in_tls = |stream| async move {
            say_on(inside(stream, connector).await, first.as_bytes(), again.as_bytes(), pause).await;
        };
        let seen = listener.hear(in_tls).await;
        assert_eq!(seen.dialogue.end, Some(expected), "inside TLS: {first:?} {again:?} {pause:?}");
        assert!(seen.tls.unwrap().established);
    }
}

/// The limit of bytes holds where the dialogue has none: lines of no command's length.
#[tokio::test(start_paused = true)]
async fn a_session_has_so_many_bytes() {
    let mut listener = TestListener::new();
    listener.config.limits.bytes = 5000;
    let line = format!("NOOP {}\r\n", "x".repeat(500));
    let seen =
        listener.hear(|stream| async move { say_on(stream, b"", line.as_bytes(), SECOND).await }).await;
    assert_eq!(seen.dialogue.end, Some(InboundEnd::Limit));
    assert!(seen.bytes_in < 5000 + READ_BYTES as u64 && seen.dialogue.commands < 20);
}

/// What is to be said waits for the client no longer than the client is waited for.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_given_up() {
    let listener = TestListener::new();
    let deaf = |mut stream: DuplexStream| async move {
        for _ in 0..100 {
            let _ = stream.write_all(b"EHLO c.example\r\n").await;
        }
        std::future::pending::<()>().await;
    };
    let seen = listener.hear(deaf).await;
    assert_eq!((seen.dialogue.end, seen.total), (Some(InboundEnd::TimedOut), LIMITS.silence));
}

#[tokio::test(start_paused = true)]
async fn a_client_hello_without_end_is_bounded() {
    let listener = TestListener::new();
    // A record of one byte; the message announces 64 KiB and more.
    let (head, piece) = (&[22, 3, 1, 0, 4, 1, 1, 0, 0][..], &[22, 3, 1, 0, 1, 7][..]);
    let too_long = Some(InboundTlsFailure::ClientFault("a message longer than what is read".into()));
    let timed_out = Some(InboundTlsFailure::TimedOut);
    for (first, again, pause, end, failure) in [
        (head, piece, Duration::ZERO, InboundEnd::Protocol, &too_long),
        (head, piece, 9 * SECOND, InboundEnd::Limit, &timed_out),
        (head, &[], SECOND, InboundEnd::TimedOut, &timed_out),
        (&[], &[], SECOND, InboundEnd::TimedOut, &timed_out),
    ] {
        let client = |stream| async move { say_on(starttls(stream).await, first, again, pause).await };
        let seen = listener.hear(client).await;
        assert_eq!((seen.dialogue.end, &seen.tls.unwrap().failure), (Some(end), failure), "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_keys_without_end_are_given_up() {
    let listener = TestListener::new();
    let connector = listener.connector(provider::default_provider());
    let client = |stream| async move {
        let mut tls = inside(stream, connector).await;
        for _ in 0..TIMES_MAX {
            if tls.get_mut().1.refresh_traffic_keys().is_err() || tls.flush().await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let seen = listener.hear(client).await;
    let fault = "peer misbehaved: TooManyKeyUpdateRequests";
    let tls = seen.tls.unwrap();
    assert_eq!(tls.failure, Some(InboundTlsFailure::ClientFault(fault.into())));
    assert!(tls.established);
    assert_eq!(seen.dialogue.end, Some(InboundEnd::Protocol));
}

/// TLS 1.2 with a suite that [`sealed`] has.
fn tls12() -> CryptoProvider {
    let suite = provider::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    CryptoProvider { cipher_suites: vec![suite], ..provider::default_provider() }
}

/// A handshake record of TLS 1.2 under these keys (RFC 5246 §6.2.3.3, RFC 5288 §3).
fn sealed(secrets: &ConnectionTrafficSecrets, sequence: u64, message: &[u8]) -> Vec<u8> {
    let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else { panic!("another suite") };
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_ref()).unwrap());
    let explicit = sequence.to_be_bytes();
    let nonce = [&iv.as_ref()[..4], &explicit].concat();
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    let aad = [&sequence.to_be_bytes()[..], &[22, 3, 3], &length].concat();
    let mut content = message.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut content).unwrap();
    let length = u16::try_from(explicit.len() + content.len()).unwrap().to_be_bytes();
    [&[22, 3, 3][..], &length, &explicit, &content].concat()
}

#[tokio::test(start_paused = true)]
async fn renegotiation_is_refused_and_not_for_ever() {
    let listener = TestListener::new();
    let connector = listener.connector(tls12());
    let client = |stream| async move {
        let (mut stream, connection) = inside(stream, connector).await.into_inner();
        let (first, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
        let version = crate::model::ProtocolVersion::TLS12;
        let hello = ClientHello::new(version, [CipherSuite(0xc02b)], [7; 32]).to_message().unwrap();
        for sequence in (first..).take(TIMES_MAX) {
            if stream.write_all(&sealed(&secrets, sequence, &hello)).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let seen = listener.hear(client).await;
    let fault = "peer misbehaved: TooManyRenegotiationRequests";
    assert_eq!(seen.tls.unwrap().failure, Some(InboundTlsFailure::ClientFault(fault.into())));
    assert_eq!(seen.dialogue.end, Some(InboundEnd::Protocol));
}

/// One that closes its side, and reads on.
#[tokio::test(start_paused = true)]
async fn a_client_that_closes_its_side_alone_is_left() {
    let listener = TestListener::new();
    let half = |mut stream: DuplexStream| async move {
        stream.write_all(b"EHLO c.example\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        while stream.read(&mut [0; 100]).await.is_ok_and(|count| count > 0) {}
        std::future::pending::<()>().await;
    };
    let seen = listener.hear(half).await;
    assert_eq!((seen.dialogue.end, seen.dialogue.commands), (Some(InboundEnd::Closed), 1));
    assert_eq!(seen.total, Duration::ZERO);
}
