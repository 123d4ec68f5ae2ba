//! The oracle, and a maker of what aws-lc-rs does not make: the openssl
//! command line.

use super::der::pem;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Set where nothing may be left out, as in CI; `tests/interop` heeds it, too.
const ALL: &str = "MXRAY_INTEROP_ALL";

/// Whether it is there. Says so if not, past what the test harness holds back
/// of tests that pass.
///
/// # Panics
/// Where nothing may be left out.
pub fn is_there() -> bool {
    let found = Command::new("openssl").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        assert!(std::env::var_os(ALL).is_none(), "missing, and {ALL} is set: openssl");
        let _ = writeln!(std::io::stderr(), "left out: openssl");
    }
    found.is_ok()
}

/// Runs it and gives what it printed.
pub fn run(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !output.stdout.is_empty(), "openssl {args:?}: {said}");
    output.stdout
}

/// Whether `openssl verify -purpose sslserver` takes a chain, leaf first; and
/// what it says if not.
pub fn verify(folder: &Path, chain: &[Arc<[u8]>], roots: &[Arc<[u8]>], at: i64) -> Result<(), String> {
    let write = |name: &str, certificates: &[Arc<[u8]>]| {
        let path = folder.join(name);
        let text: String = certificates.iter().map(|der| pem(der)).collect();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let (leaf, above) = chain.split_first().unwrap();
    let (leaf, above) = (write("leaf.pem", std::slice::from_ref(leaf)), write("above.pem", above));
    let at = at.to_string();
    let mut args = vec!["verify", "-purpose", "sslserver", "-attime", &at, "-no-CApath", "-no-CAstore"];
    let trusted = write("roots.pem", roots);
    args.extend(["-CAfile", &trusted]);
    if chain.len() > 1 {
        args.extend(["-untrusted", &above]);
    }
    args.push(&leaf);
    let output = Command::new("openssl").args(&args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let cause = said.lines().find(|line| line.contains("error")).unwrap_or_default();
    if output.status.success() { Ok(()) } else { Err(cause.to_string()) }
}
