//! Exim, OpenSMTPD, Sendmail and stunnel as servers: what is found is what
//! `openssl s_client` finds, and their own logs show a client with manners.

use super::front::Front;
use super::ground_truth::Truth;
use super::mail_server::{self, MailServer, Offer};
use super::mail_system::Root;
use super::stack::{Identities, is_there};
use super::{key_of, prober};
use mxray::internals::model::{Kind, Observation, Phase};
use mxray::internals::stage::Probe;
use std::net::{Ipv4Addr, SocketAddr};

/// Words in the servers' logs that complain of a client.
const COMPLAINTS: [&str; 20] = [
    "lost",
    "closed by EOF",
    "rror",
    "rejected",
    "dropped",
    "synchronization",
    "unexpected",
    "imeout",
    "timed out",
    "failed",
    "bad-input",
    "reason=disconnect",
    "reason=timeout",
    "SYSERR",
    "pre-greeting",
    "PIPELINING",
    "LOG3",
    "LOG4",
    "reset",
    "refused",
];

async fn probe(port: u16) -> Observation {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    prober().probe(key_of(&Front { address }), 1).await
}

fn assert_polite(log: &str, shows: &str) {
    for complaint in COMPLAINTS {
        assert!(!log.contains(complaint), "{complaint}:\n{log}");
    }
    assert!(log.contains(shows), "not {shows}:\n{log}");
}

/// Each offer of a server is seen as OpenSSL sees it. `shows` is what its log says
/// of a session that went to its end, with TLS and without.
async fn hold(server: &MailServer, shows: [&str; 2]) {
    for (offer, port) in server.ports.clone() {
        let (seen, log) = server.of_session(probe(port)).await;
        let (truth, _) = server.of_session(async { Truth::of(port, "mx.example") }).await;
        assert_eq!(Truth::found(seen.tls.as_ref()), truth, "{offer:?}: {seen:?}\n{log}");
        match offer {
            Offer::Rsa | Offer::Ecdsa | Offer::Both if truth.is_none() => {
                // OpenSMTPD 6.8 loses its key with OpenSSL 3, in the middle of the
                // handshake: so Debian 12 has it, and nobody gets TLS there.
                assert!(log.contains("EVP lib"), "{offer:?}: {log}");
                let failure = seen.failure.unwrap();
                assert_eq!((failure.phase, failure.kind), (Phase::Tls, Kind::Alert), "{log}");
            }
            Offer::Rsa | Offer::Ecdsa | Offer::Both => {
                assert_eq!(seen.failure, None, "{offer:?}: {log}");
                assert_polite(&log, shows[0]);
            }
            Offer::NoTls => {
                assert_eq!(seen.failure.map(|failure| failure.kind), Some(Kind::NotOffered), "{log}");
                assert_polite(&log, shows[1]);
            }
            Offer::Broken => assert!(seen.failure.is_some(), "{log}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exim_sees_a_polite_client() {
    let Some(root) = Root::of("exim").filter(|_| is_there("openssl", "version")) else { return };
    let server = mail_server::exim(root, &Identities::make());
    hold(&server, ["C=EHLO,STARTTLS,EHLO,QUIT", "C=EHLO,QUIT"]).await;
    let broken = server.ports.iter().find(|(offer, _)| *offer == Offer::Broken).unwrap().1;
    let (seen, log) = server.of_session(probe(broken)).await;
    let failure = seen.failure.unwrap();
    assert_eq!((failure.phase, failure.kind), (Phase::Starttls, Kind::RefusedTemporarily), "{log}");
    // What it says of its own certificate is no word about the client.
    assert!(log.contains("C=EHLO,STARTTLS,QUIT") && log.contains("closed by QUIT"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opensmtpd_sees_a_polite_client() {
    let Some(root) = Root::of("opensmtpd").filter(|_| is_there("openssl", "version")) else { return };
    let server = mail_server::opensmtpd(root, &Identities::make());
    hold(&server, ["reason=quit", "reason=quit"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sendmail_sees_a_polite_client() {
    let Some(root) = Root::of("sendmail").filter(|_| is_there("openssl", "version")) else { return };
    let server = mail_server::sendmail(root, &Identities::make());
    hold(&server, ["STARTTLS=server, relay=[127.0.0.1], version=TLSv1.3", "during connection to none"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stunnel_and_the_server_behind_it_see_a_polite_client() {
    let Some(root) = Root::of("stunnel").filter(|_| is_there("openssl", "version")) else { return };
    let Some(behind) = Root::of("exim") else { return };
    let identities = Identities::make();
    let behind = mail_server::exim(behind, &identities);
    let none = behind.ports.iter().find(|(offer, _)| *offer == Offer::NoTls).unwrap().1;
    let server = mail_server::stunnel(root, &identities, none);
    hold(&server, ["Connection closed", ""]).await;
    // In front of nobody it takes the connection, and drops it.
    let broken = server.ports.iter().find(|(offer, _)| *offer == Offer::Broken).unwrap().1;
    let (seen, _) = server.of_session(probe(broken)).await;
    let failure = seen.failure.unwrap();
    assert_eq!((failure.phase, failure.kind), (Phase::Greeting, Kind::Closed));
    let log = behind.log();
    assert!(log.contains("C=EHLO,QUIT"), "{log}");
}
