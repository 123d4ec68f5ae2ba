//! sslscan against the same servers: the enumeration of mxray finds the versions
//! and the suites that it finds.

use super::enumerate;
use super::front::Front;
use super::mail_server::{self, Offer};
use super::mail_system::Root;
use super::postfix_server::Server;
use super::stack::{Identities, free_port};
use mxray::internals::model::{Enumeration, Gap};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

/// A version and a suite of it, as `TLSv1.2 C02F`.
type Accepted = BTreeSet<String>;

/// What sslscan finds on a port of this machine.
fn by_sslscan(root: &Root, port: u16) -> Accepted {
    let target = format!("127.0.0.1:{port}");
    let mut command = root.command(&["/usr/bin/sslscan", "--starttls-smtp", "--no-colour", "--xml=-"]);
    command.args(["--no-heartbleed", "--no-renegotiation", "--no-compression", "--no-fallback"]);
    command.args(["--no-groups", "--no-check-certificate", "--sni-name=mx.example", &target]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let ciphers = told.lines().filter(|line| line.trim_start().starts_with("<cipher "));
    let of = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let found: Accepted = ciphers
        .map(|line| format!("{} {}", of(line, "sslversion"), of(line, "id").trim_start_matches("0x")))
        .collect();
    assert!(!found.is_empty(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    found
}

/// Of a version that ends in an alert which speaks of no refusal nothing is known,
/// and sslscan counts it as not spoken: OpenSSL 3 says internal_error to TLS 1.0 and
/// 1.1 where its security level leaves them no signature.
fn by_mxray(found: &Enumeration) -> Accepted {
    let of_version = found.versions.iter().flat_map(|version| {
        let unknown = version.gap == Some(Gap::Alert) && version.suites.is_empty();
        assert!(version.gap.is_none() || unknown, "{version:?}");
        let name = version.version.to_string().replace(' ', "v");
        version.suites.iter().map(move |accepted| format!("{name} {:04X}", accepted.suite.0))
    });
    of_version.collect()
}

/// Both find the same on a port.
async fn hold(root: &Root, port: u16) {
    let front = Front { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
    assert_eq!(by_mxray(&enumerate(&front).await), by_sslscan(root, port));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sendmail_accepts_what_sslscan_finds() {
    let (Some(root), Some(sendmail)) = (Root::of("sslscan"), Root::of("sendmail")) else { return };
    let server = mail_server::sendmail(sendmail, &Identities::make());
    hold(&root, server.port(Offer::Rsa)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_accepts_what_sslscan_finds() {
    let (Some(root), Some(postfix)) = (Root::of("sslscan"), Root::of("postfix")) else { return };
    let port = free_port();
    let _server = Server::start(postfix, &[(port, "smtpd")]);
    hold(&root, port).await;
}
