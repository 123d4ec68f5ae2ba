//! `mxray receive` before the clients of openssl and swaks: versions and groups that it
//! agrees to, and what it writes nowhere.

use super::listening::Listening;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// A handshake of TLS 1.0 is gone along with by whoever still has that version; openssl's
/// own client is the witness.
#[test]
fn tls_1_0_is_agreed_to_by_whoever_has_it() {
    for (protocol, agreed) in [("-tls1", true), ("-tls1_2", false)] {
        let mut listening = Listening::start(&["--behave", "tls10-only"]);
        let at = format!("127.0.0.1:{}", listening.port);
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-starttls", "smtp", "-connect", &at, protocol]);
        openssl.args(["-cipher", "ALL:@SECLEVEL=0"]).stdin(Stdio::null());
        let Ok(output) = openssl.output() else { return super::stack::left_out("openssl") };
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let session = listening.sessions(1, |_| true).remove(0);
        let tls = &session["tls"];
        assert_eq!(tls["version"], "TLSv1.0", "{session}");
        assert_eq!(tls["failure"] == "agreed_on_purpose", agreed, "{session}\n{told}");
        assert_eq!(tls["failure"]["client_alert"] == "protocol_version", !agreed, "{session}\n{told}");
        assert!(tls["suite"].as_str().unwrap().starts_with("TLS_RSA_WITH_"), "{session}");
        assert_eq!(told.contains("alert handshake failure"), agreed, "{told}");
    }
}

/// openssl sends a share of the first group that it names; we have not that group.
#[test]
fn the_group_of_the_second_hello_is_told() {
    for (groups, retried) in [("P-521:P-384", true), ("P-384:P-521", false)] {
        let mut listening = Listening::start(&[]);
        let at = format!("127.0.0.1:{}", listening.port);
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-starttls", "smtp", "-connect", &at, "-tls1_3", "-groups", groups]);
        let Ok(output) = openssl.stdin(Stdio::null()).output() else {
            return super::stack::left_out("openssl");
        };
        let told = String::from_utf8_lossy(&output.stdout);
        let session = listening.sessions(1, |_| true).remove(0);
        let tls = &session["tls"];
        assert_eq!((&tls["group"], &tls["hello_retry"]), (&"secp384r1".into(), &retried.into()), "{told}");
        let second = &tls["second_hello"];
        assert_eq!(second.is_null(), !retried, "{session}");
        if retried {
            assert_eq!(words(&tls["offer"]["key_shares"]), ["secp521r1"]);
            assert_eq!(words(&second["key_shares"]), ["secp384r1"]);
            assert_eq!(second["differs"], false);
        }
    }
}

/// No relay, whoever asks for what.
#[test]
fn nothing_is_relayed_and_nothing_of_a_message_is_written() {
    let listening = Listening::start(&["--sessions", "1"]);
    let server = format!("127.0.0.1:{}", listening.port);
    let swaks = Command::new("swaks")
        .args(["--server", &server, "--tls-optional", "--from", "secret-a@a.example"])
        .args(["--to", "hidden-b@b.example,hidden-c@front.example", "--body", "SECRET BODY", "--pipeline"])
        .output();
    let Ok(output) = swaks else { return super::stack::left_out("swaks") };
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut listening = listening;
    listening.sessions(1, |_| true);
    assert_no_secret(listening.folder());
}

fn assert_no_secret(folder: &Path) {
    for entry in fs::read_dir(folder.join("run")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(!text.contains("secret") && !text.contains("hidden"), "{}", path.display());
    }
}
