//! What mxray ends a handshake over, OpenSSL's own client ends it over too: the
//! servers by script that say what nobody can go on with, and beside them the
//! like without a fault. None of them finishes a handshake; a client that goes
//! on is told so by an alert, and one that does not says why itself.

use super::stack::is_there;
use super::{of_scenario, prober};
use jiff::Timestamp;
use mxray::internals::model::{HelloEnd, HelloPurpose};
use mxray::internals::sender::Sender;
use mxray::internals::stage::Probe;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

/// Scenarios, and what OpenSSL says of each; nothing where it goes on.
const SERVERS: [(&str, Option<&str>); 12] = [
    ("dhe_1024", None),
    ("hello_unknown_extension", None),
    ("client_cert_requested_cbc", None),
    ("hello_off_curve", Some("point is not on curve")),
    ("hello_other_group", Some("wrong curve")),
    ("hello_other_records", Some("wrong version number")),
    ("hello_dh_public_one", Some("pubkey too small")),
    ("hello_compression", Some("compression")),
    ("hello_alpn", Some("unsolicited extension")),
    ("hello_renegotiated", Some("renegotiation")),
    ("hello_suite_of_tls13", Some("wrong cipher returned")),
    ("no_renegotiation_info", Some("unsafe legacy renegotiation disabled")),
];

/// What the client of OpenSSL says at security level 0, which is that of
/// Postfix.
fn openssl_says(at: SocketAddr) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-starttls", "smtp", "-connect", &at.to_string()]);
    command.args(["-cipher", "ALL:@SECLEVEL=0"]).env("OPENSSL_CONF", "/dev/null").stdin(Stdio::null());
    String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_openssl_ends_a_handshake_over() {
    if !is_there("openssl", "version") {
        return;
    }
    let judge = Judge::new(Roots::new(Vec::new()), Timestamp::now());
    let policy = Policy::new(judge, Sender::named("postfix-may").unwrap());
    for (name, expected) in SERVERS {
        let (fleet, key) = of_scenario(name).await;
        let at = SocketAddr::new(key.endpoint.ip, key.endpoint.port);
        let said = tokio::task::spawn_blocking(move || openssl_says(at)).await.unwrap();
        let goes_on = said.contains("alert handshake failure");
        assert_eq!(goes_on, expected.is_none(), "{name}: {said}");
        assert!(expected.is_none_or(|words| said.contains(words)), "{name}: {said}");
        let mut seen = prober().probe(key.clone(), 1).await;
        while let Some(question) = policy.next_hello(&seen) {
            seen.extra_client_hellos.push(prober().hello(key.clone(), &question).await);
        }
        // What OpenSSL passes over some others do not.
        let of_the_sender =
            seen.extra_client_hellos.iter().find(|hello| hello.purpose == HelloPurpose::Sender).unwrap();
        let ended = of_the_sender.end == HelloEnd::IllegalParameter;
        assert_eq!(ended, expected.is_some() && name != "no_renegotiation_info", "{name}: {of_the_sender:?}");
        let assessments = policy.assess(&seen);
        let (record, _) = policy.endpoint(seen, &assessments);
        let fails = record.outcome.delivery == mxray::internals::model::Delivery::Plaintext;
        assert_eq!(fails, expected.is_some(), "{name}: {:?}", record.outcome);
        fleet.shutdown().await;
    }
}
