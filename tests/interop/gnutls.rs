//! GnuTLS's `gnutls-serv`, with a dozen suites in each version.

use super::stack::{Identities, Stack, is_there};
use super::{Front, enumerate, groups, of, suites};
use mxray::internals::model::{CipherSuite, NamedGroup, Preference, ProtocolVersion};
use std::collections::BTreeSet;
use std::process::Command;

/// Three key exchanges and four ciphers.
// The group of RFC 7919 is where the server takes its prime from; without it,
// it chooses DHE all the same, and breaks off with internal_error.
const OLD: &str =
    "+GROUP-FFDHE2048:+ECDHE-RSA:+RSA:+DHE-RSA:+AES-256-CBC:+AES-128-CBC:+CAMELLIA-128-CBC:+3DES-CBC:+SHA1";
const TLS12: &str = "+GROUP-FFDHE2048:+ECDHE-RSA:+RSA:+DHE-RSA:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AES-128-CCM:+AEAD";
const TLS13: &str = "+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM:+AES-128-CCM:+AEAD";

fn server(identities: &Identities, version: &str, parts: &str) -> Stack {
    let priority = format!(
        "NONE:+{version}:{parts}:+GROUP-SECP384R1:+GROUP-X25519:+COMP-NULL:+SIGN-ALL:+CTYPE-X509:\
         %SERVER_PRECEDENCE:%VERIFY_ALLOW_SIGN_WITH_SHA1"
    );
    Stack::start(|port| {
        let mut command = Command::new("gnutls-serv");
        command.args(["--echo", "--port", &port.to_string(), "--priority", &priority]);
        command.arg("--x509certfile").arg(identities.file("rsa.pem"));
        command.arg("--x509keyfile").arg(identities.file("rsa.key"));
        command
    })
}

async fn check(version: ProtocolVersion, name: &str, parts: &str, expected: &[&str]) {
    let identities = Identities::make();
    let stack = server(&identities, name, parts);
    let found = enumerate(&Front::start(stack.address)).await;
    for other in &found.versions {
        assert!(other.version == version || other.suites.is_empty(), "{other:?}");
        assert_eq!(other.gap, None, "{}", other.version);
    }
    let this = of(&found, version);
    let expected: BTreeSet<CipherSuite> = expected.iter().map(|name| name.parse().unwrap()).collect();
    assert_eq!(suites(this).into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(this.preference, Some(Preference::Server));
    assert_eq!(groups(this), [24, 29].map(NamedGroup));
}

const OLD_SUITES: [&str; 11] = [
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
];

#[tokio::test]
async fn old_versions() {
    if !is_there("gnutls-serv", "--version") {
        return;
    }
    let parts = format!("{OLD}:+ARCFOUR-128");
    let expected =
        [&OLD_SUITES[..], &["TLS_RSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_RC4_128_SHA"]].concat();
    check(ProtocolVersion::TLS10, "VERS-TLS1.0", &parts, &expected).await;
    check(ProtocolVersion::TLS11, "VERS-TLS1.1", &parts, &expected).await;
}

#[tokio::test]
async fn tls12() {
    if !is_there("gnutls-serv", "--version") {
        return;
    }
    let expected = [
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_CCM",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_CCM",
    ];
    check(ProtocolVersion::TLS12, "VERS-TLS1.2", TLS12, &expected).await;
}

#[tokio::test]
async fn tls13() {
    if !is_there("gnutls-serv", "--version") {
        return;
    }
    let expected = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_CCM_SHA256",
    ];
    check(ProtocolVersion::TLS13, "VERS-TLS1.3", TLS13, &expected).await;
}
