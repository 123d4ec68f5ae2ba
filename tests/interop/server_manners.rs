//! Exim, OpenSMTPD, Sendmail and stunnel as servers: what is found is what
//! `openssl s_client` finds, and their own logs show a client with manners.

use super::front::Front;
use super::ground_truth::Truth;
use super::mail_server::{self, MailServer, Offer};
use super::mail_system::Root;
use super::stack::{Identities, is_there};
use super::{key_of, prober};
use mxray::internals::ask::enumeration::{self, EnumerationPlan};
use mxray::internals::model::{
    CipherSuite, ClientHelloSpec, HelloEnd, Kind, Observation, Phase, ProtocolVersion,
};
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
    let broken = server.port(Offer::Broken);
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
    let none = behind.port(Offer::NoTls);
    let server = mail_server::stunnel(root, &identities, none);
    hold(&server, ["Connection closed", ""]).await;
    // In front of nobody it takes the connection, and drops it.
    let broken = server.port(Offer::Broken);
    let (seen, _) = server.of_session(probe(broken)).await;
    let failure = seen.failure.unwrap();
    assert_eq!((failure.phase, failure.kind), (Phase::Greeting, Kind::Closed));
    let log = behind.log();
    assert!(log.contains("C=EHLO,QUIT"), "{log}");
}

/// Starts a server in its root.
type Start = fn(Root, &Identities) -> MailServer;

/// What docs/manners.md says that each writes of a further hello: of one that it
/// agrees to, and of one that it refuses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_write_of_further_hellos_what_the_manners_say() {
    let identities = Identities::make();
    let starts: [(&str, Start); 3] = [
        ("exim", mail_server::exim),
        ("opensmtpd", mail_server::opensmtpd),
        ("sendmail", mail_server::sendmail),
    ];
    for (name, start) in starts {
        let Some(root) = Root::of(name) else { continue };
        hold_told(name, &start(root, &identities)).await;
    }
    let (Some(root), Some(behind)) = (Root::of("stunnel"), Root::of("exim")) else { return };
    let behind = mail_server::exim(behind, &identities);
    hold_told("stunnel", &mail_server::stunnel(root, &identities, behind.port(Offer::NoTls))).await;
}

async fn hold_told(name: &str, server: &MailServer) {
    let front = Front { address: SocketAddr::from((Ipv4Addr::LOCALHOST, server.port(Offer::Rsa))) };
    for (spec, end) in further_hellos() {
        let (seen, log) = server.of_session(prober().hello(key_of(&front), &spec)).await;
        assert_eq!(seen.end, end, "{name}: {seen:?}");
        assert_told(name, &log);
    }
}

/// One that every server agrees to, and one that none does.
pub fn further_hellos() -> [(ClientHelloSpec, HelloEnd); 2] {
    const TLS_RSA_WITH_NULL_MD5: CipherSuite = CipherSuite(0x0001);
    let agreed = enumeration::next(&EnumerationPlan::default(), &[]).unwrap();
    let versions = vec![ProtocolVersion::TLS12];
    let refused = ClientHelloSpec { versions, suites: vec![TLS_RSA_WITH_NULL_MD5], ..agreed.clone() };
    [(agreed, HelloEnd::Agreed), (refused, HelloEnd::Alert)]
}

/// Every line that a server writes by default stands in docs/manners.md, but for what
/// is about the moment.
pub fn assert_told(server: &str, log: &str) {
    let told = include_str!("../../docs/manners.md");
    for line in log.lines().filter(|line| !NOT_BY_DEFAULT.iter().any(|part| line.contains(part))) {
        let text = match server {
            "exim" => line.splitn(3, ' ').nth(2),
            "opensmtpd" => line.split_once(' ').map(|(_, text)| text),
            _ => line.split_once("]: ").map(|(_, text)| text),
        };
        let text = text.unwrap().replace("127.0.0.1", "192.0.2.1");
        let text = without_source_line(&text);
        assert!(told.contains(&text), "{server}: {text}");
    }
}

/// Lines of Exim that the tests ask for, the remark on a session without mail, and
/// those that tell of a connection that begins.
const NOT_BY_DEFAULT: [&str; 6] = [
    "SMTP connection from",
    "no MAIL in",
    "did not issue MAIL",
    " connected",
    "accepted connection",
    "connect from",
];

/// OpenSSL names the line of its source, which moves with its versions.
fn without_source_line(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.starts_with("../ssl/"));
    let text = words.collect::<Vec<_>>().join(" ");
    text.split(":../ssl/").next().unwrap_or_default().to_owned()
}
