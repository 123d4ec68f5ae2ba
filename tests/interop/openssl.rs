//! OpenSSL's `s_server`, at security level 0, where it still speaks TLS 1.0.

use super::stack::{Identities, Stack, is_there};
use super::{Front, enumerate, groups, key_of, of, openssl_names, prober, suites};
use jiff::Timestamp;
use mxray::internals::model::{
    Basis, Check, CheckFailure, Delivery, Enumeration, Gap, NamedGroup, Preference, ProtocolVersion,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::Probe;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// Everything that the library knows, without which its defaults hide half.
const ALL: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

/// A dozen suites that every version up to TLS 1.2 has, in no usual order.
const OLD: [&str; 12] = [
    "CAMELLIA128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-SHA",
    "DHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES128-SHA",
    "AES256-SHA",
    "ADH-AES256-SHA",
    "ECDHE-RSA-AES128-SHA",
    "DHE-RSA-CAMELLIA256-SHA",
    "AECDH-AES128-SHA",
    "NULL-SHA",
    "DHE-RSA-AES256-SHA",
];

/// A dozen that TLS 1.2 brought.
const TLS12: [&str; 12] = [
    "AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-CCM8",
    "AES128-CCM",
    "ECDHE-ARIA256-GCM-SHA384",
    "ADH-AES128-GCM-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
];

const VERSIONS: [(ProtocolVersion, &str); 3] = [
    (ProtocolVersion::TLS10, "-tls1"),
    (ProtocolVersion::TLS11, "-tls1_1"),
    (ProtocolVersion::TLS12, "-tls1_2"),
];

/// `openssl` without the system's configuration, which forbids old versions.
fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments).env("OPENSSL_CONF", "/dev/null");
    command
}

pub fn server(identities: &Identities, arguments: &[&str]) -> Stack {
    Stack::start(|port| {
        let mut command = openssl(&["s_server", "-www", "-accept"]);
        command.arg(format!("127.0.0.1:{port}"));
        for (option, file) in
            [("-cert", "rsa.pem"), ("-key", "rsa.key"), ("-dcert", "ecdsa.pem"), ("-dkey", "ecdsa.key")]
        {
            command.arg(option).arg(identities.file(file));
        }
        command.args(arguments);
        command
    })
}

async fn found(arguments: &[&str]) -> Enumeration {
    let identities = Identities::make();
    let stack = server(&identities, arguments);
    enumerate(&Front::start(stack.address)).await
}

/// `found` speaks this version, with these suites in this order, and no other.
fn assert_only(found: &Enumeration, version: ProtocolVersion, expected: &[&str]) {
    for other in &found.versions {
        assert_eq!(other.gap, None, "{}", other.version);
        assert!(other.version == version || other.suites.is_empty(), "{other:?}");
    }
    assert_eq!(openssl_names(of(found, version)), expected);
}

#[tokio::test]
async fn a_dozen_suites_of_each_version_in_the_servers_order() {
    if !is_there("openssl", "version") {
        return;
    }
    for (version, option) in VERSIONS {
        let list = format!("{}:@SECLEVEL=0", OLD.join(":"));
        let found = found(&[option, "-serverpref", "-cipher", &list]).await;
        assert_only(&found, version, &OLD);
        let this = of(&found, version);
        assert_eq!(this.preference, Some(Preference::Server));
        let dhe = this.suites.iter().find(|accepted| accepted.dh_bits.is_some()).unwrap();
        assert!(dhe.dh_bits >= Some(1024), "{dhe:?}");
        // x25519, P-256, x448, P-521, P-384: what the library offers by itself.
        let groups: BTreeSet<_> = groups(this).into_iter().collect();
        assert_eq!(groups, [29, 23, 30, 25, 24].map(NamedGroup).into());
        assert_eq!(this.groups.as_ref().unwrap().gap, None);
    }
}

#[tokio::test]
async fn a_dozen_suites_of_tls12() {
    if !is_there("openssl", "version") {
        return;
    }
    let list = format!("{}:@SECLEVEL=0", TLS12.join(":"));
    let found = found(&["-tls1_2", "-serverpref", "-cipher", &list]).await;
    assert_only(&found, ProtocolVersion::TLS12, &TLS12);
}

#[tokio::test]
async fn tls13_with_all_its_suites_and_its_groups() {
    if !is_there("openssl", "version") {
        return;
    }
    let list = [
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_CCM_SHA256",
    ];
    let suites = list.join(":");
    let arguments = ["-tls1_3", "-serverpref", "-cipher", "ALL:@SECLEVEL=0", "-ciphersuites", &suites];
    let found = found(&[&arguments[..], &["-groups", "P-384:X25519:ffdhe2048"]].concat()).await;
    assert_only(&found, ProtocolVersion::TLS13, &list);
    let tls13 = of(&found, ProtocolVersion::TLS13);
    let groups: BTreeSet<_> = groups(tls13).into_iter().collect();
    assert_eq!(groups, [24, 29, 256].map(NamedGroup).into());
}

#[tokio::test]
async fn the_clients_order_is_told_from_the_servers() {
    if !is_there("openssl", "version") {
        return;
    }
    let list = format!("{}:@SECLEVEL=0", OLD.join(":"));
    let found = found(&["-tls1_1", "-cipher", &list]).await;
    assert_eq!(of(&found, ProtocolVersion::TLS11).preference, Some(Preference::Client));
}

#[tokio::test]
async fn a_server_with_only_an_ecdsa_certificate_is_not_asked_beyond_its_curve() {
    if !is_there("openssl", "version") {
        return;
    }
    let list = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    let found = found(&["-tls1_2", "-serverpref", "-cipher", list]).await;
    let tls12 = of(&found, ProtocolVersion::TLS12);
    assert_eq!(suites(tls12).len(), 2);
    assert_eq!(tls12.groups.as_ref().unwrap().gap, Some(Gap::CertificateCurve));
}

/// A server that has no certificate: Postfix gets encryption from it, and mail
/// that demands a certificate nothing.
#[tokio::test]
async fn a_server_without_a_certificate_is_encrypted_for_postfix() {
    if !is_there("openssl", "version") {
        return;
    }
    let stack = Stack::start(|port| {
        let mut command =
            openssl(&["s_server", "-www", "-nocert", "-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"]);
        command.arg("-accept").arg(format!("127.0.0.1:{port}"));
        command
    });
    let front = Front::start(stack.address);
    let (probe, key) = (prober(), key_of(&front));
    let judge = Judge::new(Roots::new(Vec::new()), Timestamp::now());
    let policy = Policy::new(judge, Sender::named("postfix-may").unwrap());
    let mut seen = probe.probe(key.clone(), 1).await;
    while let Some(question) = policy.next_hello(&seen) {
        seen.extra_client_hellos.push(probe.hello(key.clone(), &question).await);
    }
    let assessments = policy.assess(&seen);
    let (record, judged) = policy.endpoint(seen, &assessments);
    assert_eq!((record.outcome.delivery, record.outcome.basis), (Delivery::Encrypted, Some(Basis::Observed)));
    let suite = record.outcome.session.and_then(|session| session.suite).unwrap();
    assert!(suite.facts().unwrap().is_anonymous(), "{suite}");
    assert_eq!(judged.certificate, Check::Fail(CheckFailure::NoCertificate), "{judged:?}");
}

/// The suites with which the library's own client comes to an agreement.
fn agreed_by_s_client(stack: &Stack, option: &str) -> BTreeSet<String> {
    let is_tls13 = option == "-tls1_3";
    let names = if is_tls13 {
        "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:\
         TLS_AES_128_CCM_8_SHA256"
            .to_string()
    } else {
        let output = openssl(&["ciphers", ALL]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let address = stack.address.to_string();
    let agrees = |name: &str| {
        let list = if is_tls13 { name.to_string() } else { format!("{name}:@SECLEVEL=0") };
        let suites = if is_tls13 { "-ciphersuites" } else { "-cipher" };
        let mut client = openssl(&["s_client", "-connect", &address, option, suites, &list]);
        client.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    let tls13_name = |name: &&str| name.starts_with("TLS_") == is_tls13;
    names.trim().split(':').filter(tls13_name).filter(|name| agrees(name)).map(str::to_string).collect()
}

/// Of a server that takes all it knows, the enumeration finds what the
/// library's own client finds by asking for each suite alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enumeration_equals_asking_suite_by_suite() {
    if !is_there("openssl", "version") {
        return;
    }
    let identities = Identities::make();
    let stack = server(&identities, &["-cipher", ALL]);
    let found = enumerate(&Front::start(stack.address)).await;
    let tls13 = (ProtocolVersion::TLS13, "-tls1_3");
    for (version, option) in VERSIONS.into_iter().chain([tls13]) {
        let names: BTreeSet<_> = openssl_names(of(&found, version)).into_iter().collect();
        assert_eq!(names, agreed_by_s_client(&stack, option), "{version}");
        assert_eq!(of(&found, version).gap, None, "{version}");
    }
}
