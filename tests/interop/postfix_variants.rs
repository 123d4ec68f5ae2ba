//! Postfix as a server in less usual ways: a certificate by the name that is asked
//! for, clients that must show one, certificates of both kinds, and no more than
//! one client at a time.

use super::front::Front;
use super::ground_truth::Truth;
use super::mail_system::Root;
use super::postfix_server::{Server, assert_polite, probe};
use super::prober;
use super::stack::{Identities, free_port, is_there};
use mxray::internals::model::{
    ClientCertificate, Endpoint, Kind, MxHost, Observation, Phase, ProbeKey, ProtocolVersion,
};
use mxray::internals::stage::Probe;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

async fn probe_as(port: u16, host: &str) -> Observation {
    let endpoint = Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port };
    prober().probe(ProbeKey { endpoint, sni: Some(MxHost::new(host)) }, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_name_has_its_own_certificate_at_postfix() {
    let Some(root) = Root::of("postfix").filter(|_| is_there("openssl", "version")) else { return };
    let identities = Identities::make();
    identities.add("second", "second.example", &rcgen::PKCS_ECDSA_P256_SHA256);
    identities.add("third", "third.example", &rcgen::PKCS_RSA_SHA256);
    let port = free_port();
    let service = "smtpd -o tls_server_sni_maps=inline:{second.example=/run/mxray/conf/second.pem,\
                   third.example=/run/mxray/conf/third.pem}";
    let server = Server::start_with(root, &identities, &[(port, service)]);
    let mut leaves = Vec::new();
    for host in ["second.example", "third.example", "mx.example"] {
        let (seen, log) = server.of_session(probe_as(port, host)).await;
        assert_polite(&log, "ehlo=2 starttls=1 quit=1 commands=4");
        let (truth, _) = server.of_session(async { Truth::of(port, host) }).await;
        assert_eq!(Truth::found(seen.tls.as_ref()), truth, "{host}");
        leaves.push(truth.unwrap().leaf);
    }
    leaves.dedup();
    assert_eq!(leaves.len(), 3);
}

/// Postfix lets the handshake end well, and then tells the client by 421 that it
/// has shown no certificate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_that_demands_a_certificate_says_so() {
    let Some(root) = Root::of("postfix") else { return };
    let [newest, older] = std::array::from_fn(|_| free_port());
    let demands = "smtpd -o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes";
    let before_13 = format!("{demands} -o smtpd_tls_mandatory_protocols=<=TLSv1.2");
    let server = Server::start(root, &[(newest, demands), (older, &before_13)]);
    for (port, version) in [(newest, ProtocolVersion::TLS13), (older, ProtocolVersion::TLS12)] {
        let (seen, log) = server.of_session(probe(port)).await;
        let (failure, tls) = (seen.failure.unwrap(), seen.tls.unwrap());
        assert_eq!(failure.kind, Kind::ClientCertificateRequired, "{log}");
        assert_eq!((failure.phase, failure.reply_code), (Phase::AfterTls, Some(421)), "{log}");
        assert_eq!(tls.version, Some(version));
        assert_eq!(tls.client_certificate, ClientCertificate::NotShown);
        assert!(tls.client_certificate_requested && log.contains("No client certificate presented"), "{log}");
        assert!(!log.contains("lost connection") && !log.contains("timeout after"), "{log}");
    }
}

/// Who can only verify one kind of certificate gets that one; mxray is shown what
/// OpenSSL is shown, and finds the other by its enumeration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_with_certificates_of_both_kinds_shows_each() {
    let Some(root) = Root::of("postfix") else { return };
    let port = free_port();
    let server = Server::start(root, &[(port, "smtpd -o smtpd_tls_protocols=TLSv1.2")]);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let found = super::enumerate(&Front { address }).await;
    let names = super::openssl_names(super::of(&found, ProtocolVersion::TLS12));
    for kind in ["ECDHE-ECDSA", "ECDHE-RSA"] {
        assert!(names.iter().any(|name| name.starts_with(kind)), "{names:?}");
    }
    drop(server);
}

/// A client too many is told 421, and goes without a complaint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_takes_one_client_at_a_time() {
    let Some(root) = Root::of("postfix") else { return };
    let port = free_port();
    let limit = "smtpd -o smtpd_client_connection_count_limit=1 -o smtpd_client_event_limit_exceptions=";
    let server = Server::start(root, &[(port, limit)]);
    let mut first = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    // Once it is greeted it counts.
    first.read_exact(&mut [0; 4]).unwrap();
    let (seen, log) = server.of_session(probe(port)).await;
    let failure = seen.failure.unwrap();
    assert_eq!((failure.phase, failure.kind), (Phase::Greeting, Kind::Throttled), "{log}");
    assert!(log.contains("Connection concurrency limit exceeded"), "{log}");
    assert!(!log.contains("lost connection"), "{log}");
}
