//! What a run of these tests without any stack comes to: here this very
//! program is run again where nothing can be found.

use super::stack::ALL;
use std::process::{Command, Output};

/// What must be named when it is left out.
const STACKS: [&str; 9] =
    ["openssl", "gnutls-serv", "selfserv", "postfix", "exim", "opensmtpd", "sendmail", "stunnel", "sslscan"];

fn without_stacks(all: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--skip", "missing::"]).env("PATH", "/nonexistent").env_remove("MXRAY_MAIL_SYSTEMS");
    match all {
        Some(value) => command.env(ALL, value),
        None => command.env_remove(ALL),
    };
    command.output().unwrap()
}

#[test]
fn what_is_left_out_is_said() {
    let output = without_stacks(None);
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    for stack in STACKS {
        assert!(told.contains(&format!("left out: {stack}")), "{stack} in {told}");
    }
}

#[test]
fn where_nothing_may_be_left_out_every_test_fails() {
    let output = without_stacks(Some("1"));
    assert!(!output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("test result: FAILED. 0 passed;"), "{told}");
}
