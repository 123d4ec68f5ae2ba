//! NSS's `selfserv`, the one stack here that still speaks SSLv3.

use super::stack::{Stack, is_there};
use super::{Front, enumerate, of, suites};
use mxray::internals::model::{CipherSuite, Preference, ProtocolVersion};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A dozen suites that SSLv3 has.
const SUITES: [&str; 12] = [
    "TLS_RSA_WITH_NULL_MD5",
    "TLS_RSA_WITH_NULL_SHA",
    "TLS_RSA_WITH_RC4_128_MD5",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_DES_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
];

/// The database from which NSS takes its key and certificate, made anew.
fn database() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let noise = dir.path().join("noise");
    // Asked for besides what NSS gathers itself, and else typed on a keyboard.
    std::fs::write(&noise, "mxray").unwrap();
    certutil(dir.path(), &["-N", "--empty-password"]);
    let noise = noise.to_str().unwrap();
    certutil(
        dir.path(),
        &["-S", "-n", "mx", "-s", "CN=mx.example", "-x", "-t", ",,", "-m", "1", "-z", noise],
    );
    dir
}

fn certutil(dir: &Path, arguments: &[&str]) {
    let mut command = Command::new("certutil");
    command.args(arguments).arg("-d").arg(format!("sql:{}", dir.display()));
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn server(dir: &Path, versions: &str, suites: &[CipherSuite]) -> Stack {
    let suites: String = suites.iter().map(|suite| format!(":{:04X}", suite.0)).collect();
    Stack::start(|port| {
        let mut command = Command::new("selfserv");
        command.args(["-n", "mx", "-V", versions, "-c", &suites, "-p", &port.to_string()]);
        command.arg("-d").arg(format!("sql:{}", dir.display()));
        command
    })
}

#[tokio::test]
async fn sslv3() {
    if !is_there("selfserv", "-Y") {
        return;
    }
    let database = database();
    let offered = SUITES.map(|name| name.parse::<CipherSuite>().unwrap());
    let stack = server(database.path(), "ssl3:ssl3", &offered);
    let found = enumerate(&Front::start(stack.address)).await;
    for other in &found.versions {
        assert!(other.version == ProtocolVersion::SSL3 || other.suites.is_empty(), "{other:?}");
    }
    let this = of(&found, ProtocolVersion::SSL3);
    assert_eq!(suites(this).into_iter().collect::<BTreeSet<_>>(), offered.into());
    assert_eq!(this.gap, None);
    assert_eq!(this.preference, Some(Preference::Server));
    let dhe = this.suites.iter().find(|accepted| accepted.dh_bits.is_some()).unwrap();
    assert!(dhe.dh_bits >= Some(1024), "{dhe:?}");
}
