//! A client certificate shown to servers that ask for one, by both versions
//! of TLS that the scanner speaks.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod starttls_server;

use mxray::internals::model::{
    AlertDescription, ClientCertificate, ClientHelloSpec, Kind, Observation, Phase,
};
use mxray::internals::net::{ClientIdentity, Handshaker, KeyShares};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use starttls_server::speak_in_clear;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new(vec![]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn issued_by(authority: &Authority) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["mx.example".to_string()]).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    (certificate.der().clone(), key.serialize_der().try_into().unwrap())
}

fn identity(authority: &Authority) -> ClientIdentity {
    let (certificate, key) = issued_by(authority);
    ClientIdentity::new(vec![certificate], key).unwrap()
}

/// A mail server that trusts certificates of `authority`; without one it asks
/// for none.
async fn server(versions: &[&'static SupportedProtocolVersion], authority: Option<&Authority>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let builder = match authority {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let (certificate, key) = issued_by(&self::authority());
    starttls_server::start(builder.with_single_cert(vec![certificate], key).unwrap(), serve).await
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor) -> std::io::Result<()> {
    let Some(stream) = speak_in_clear(stream).await? else { return Ok(()) };
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let mut line = String::new();
    for reply in ["250 mx.example\r\n", "221 bye\r\n"] {
        line.clear();
        stream.read_line(&mut line).await?;
        stream.write_all(reply.as_bytes()).await?;
    }
    stream.shutdown().await
}

async fn probe(server: SocketAddr, identity: Option<ClientIdentity>) -> Observation {
    let handshaker = Handshaker::new(KeyShares::Reused).unwrap().with_identity(identity);
    starttls_server::probe(server, handshaker, 1).await
}

fn became(seen: &Observation) -> ClientCertificate {
    seen.tls.as_ref().unwrap().client_certificate
}

#[tokio::test]
async fn one_that_is_trusted_is_accepted() {
    let authority = authority();
    for versions in [TLS12, TLS13] {
        let server = server(versions, Some(&authority)).await;
        let seen = probe(server, Some(identity(&authority))).await;
        assert_eq!((&seen.failure, became(&seen)), (&None, ClientCertificate::Accepted));
    }
}

#[tokio::test]
async fn one_that_is_not_trusted_is_refused_with_its_alert() {
    let (theirs, ours) = (authority(), authority());
    for versions in [TLS12, TLS13] {
        let server = server(versions, Some(&theirs)).await;
        let seen = probe(server, Some(identity(&ours))).await;
        // rustls says decrypt_error or unknown_ca, as the names go together.
        let ClientCertificate::Refused(alert) = became(&seen) else { panic!("{:?}", became(&seen)) };
        let failure = seen.failure.unwrap();
        assert_eq!((failure.phase, failure.kind), (Phase::Tls, Kind::ClientCertificateRefused));
        assert_eq!(failure.alert, Some(alert));
        assert!([AlertDescription(48), AlertDescription(51)].contains(&alert), "{alert}");
    }
}

#[tokio::test]
async fn without_one_the_server_says_that_it_wants_it() {
    let authority = authority();
    for versions in [TLS12, TLS13] {
        let seen = probe(server(versions, Some(&authority)).await, None).await;
        assert_eq!(became(&seen), ClientCertificate::NotShown);
        assert_eq!(seen.failure.unwrap().kind, Kind::ClientCertificateRequired);
    }
}

#[tokio::test]
async fn nobody_is_shown_one_who_does_not_ask() {
    for versions in [TLS12, TLS13] {
        let seen = probe(server(versions, None).await, Some(identity(&authority()))).await;
        assert_eq!((&seen.failure, became(&seen)), (&None, ClientCertificate::NeverAsked));
    }
}

/// A sender without a certificate is judged by a handshake without one.
#[tokio::test]
async fn a_second_handshake_shows_one_if_the_sender_does() {
    let authority = authority();
    for (shows, expected) in [(true, ClientCertificate::Accepted), (false, ClientCertificate::NotShown)] {
        for versions in [TLS12, TLS13] {
            let server = server(versions, Some(&authority)).await;
            let handshaker =
                Handshaker::new(KeyShares::Reused).unwrap().with_identity(Some(identity(&authority)));
            let question = ClientHelloSpec::handshake(true, shows);
            let told = starttls_server::hello(server, handshaker, &question).await;
            assert_eq!(told.client_certificate, Some(expected), "{told:?}");
        }
    }
}

#[test]
fn a_key_of_another_certificate_is_no_identity() {
    let authority = authority();
    let ((certificate, _), (_, key)) = (issued_by(&authority), issued_by(&authority));
    assert!(ClientIdentity::new(vec![certificate], key).is_err());
}
