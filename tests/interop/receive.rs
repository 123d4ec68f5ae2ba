//! `mxray receive` before mail systems that send: what it writes of them is what their
//! files of senders say, and what their own logs say.

use super::listening::Listening;
use super::mail_system::{Root, exim, opensmtpd, postfix_with};
use mxray::internals::sender::Sender;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Sessions after which a system that sends in clear after a failed handshake has done
/// so: Postfix tries again by TLS before.
const SESSIONS_MAX: usize = 4;

/// Whether MAIL came, and where.
fn mail(session: &Value) -> Option<bool> {
    session["dialogue"]["mail"].as_array().unwrap().first().map(|mail| mail["in_tls"].as_bool().unwrap())
}

fn in_clear(session: &Value) -> bool {
    mail(session) == Some(false)
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

fn names(list: &[impl ToString]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// The offer of a session is that of the sender's file.
fn assert_offer(session: &Value, sender: &Sender, packages: &str) {
    let (told, offer) = (&session["tls"]["offer"], sender.offer());
    let whose = format!("{}, by the packages\n{packages}", sender.name);
    let suites: Vec<&str> =
        words(&told["suites"]).into_iter().filter(|name| !name.ends_with("SCSV")).collect();
    assert_eq!(suites, names(&offer.suites), "suites of {whose}");
    assert_eq!(words(&told["versions"]), names(&offer.versions), "versions of {whose}");
    assert_eq!(words(&told["groups"]), names(&offer.groups), "groups of {whose}");
    assert_eq!(words(&told["signature_schemes"]), names(&offer.signature_schemes), "schemes of {whose}");
    assert_eq!(told["sni"].is_string(), offer.sends_sni, "SNI of {whose}");
}

#[test]
fn postfix_is_seen_as_its_file_of_a_sender_has_it() {
    for level in ["may", "encrypt"] {
        let Some(root) = Root::of("postfix") else { return };
        let mut listening = Listening::start(&[]);
        let _running = postfix_with(&root, level, listening.port, "");
        let sessions = listening.sessions(1, |_| true);
        let session = sessions.first().unwrap();
        assert_offer(session, &Sender::named(&format!("postfix-{level}")).unwrap(), &root.packages());
        assert_eq!((mail(session), session["tls"]["established"].as_bool()), (Some(true), Some(true)));
        assert_eq!(session["dialogue"]["ehlo"]["text"], "scanner.example");
        assert_eq!(session["dialogue"]["mail"][0]["sender"]["domain"]["domain"], "scanner.example");
        assert_eq!(session["dialogue"]["mail"][0]["recipients"][0]["domain"], "front.example");
        assert_eq!(session["chain"].as_array().unwrap().len(), 0, "no client certificate is configured");
    }
}

/// What is learnt of Postfix is what its file says, of faults and of the hello; and what was
/// learnt in one run stays learnt in the next.
#[test]
fn what_is_learnt_of_postfix_is_what_its_file_says() {
    let learnt = tempfile::tempdir().unwrap();
    let file = learnt.path().join("learnt.toml");
    let mut template = "rfc9325".to_string();
    for behave in ["handshake-failure", "454", "none"] {
        let Some(root) = Root::of("postfix") else { return };
        let mut listening = Listening::that(behave, &["--learn", "learnt", "--learn-from", &template]);
        let _running = postfix_with(&root, "may", listening.port, "");
        listening.sessions(SESSIONS_MAX, |session| behave == "none" || in_clear(session));
        listening.end();
        fs::copy(listening.path("run/learnt.toml"), &file).unwrap();
        template = file.display().to_string();
    }
    let seen = Sender::parse(&fs::read_to_string(&file).unwrap()).unwrap();
    let known = Sender::named("postfix-may").unwrap();
    assert_eq!(seen.offer(), known.offer());
    assert_eq!(seen.after_tls_failure.value, known.after_tls_failure.value);
    assert_eq!(seen.after_starttls_4xx.value, known.after_starttls_4xx.value);
    assert_eq!(seen.requires_tls.value, known.requires_tls.value);
    let shows = |sender: &Sender| sender.shows_client_certificate.as_ref().map(|shows| shows.value);
    assert_eq!(shows(&seen), shows(&known));
    for (key, is_assumed) in [
        ("versions", seen.versions.is_assumed()),
        ("after_tls_failure", seen.after_tls_failure.is_assumed()),
        ("after_starttls_4xx", seen.after_starttls_4xx.is_assumed()),
        ("requires_tls", seen.requires_tls.is_assumed()),
    ] {
        assert!(!is_assumed, "{key} was seen");
    }
    assert!(seen.retry_hours.is_assumed() && seen.dane.is_assumed());
}

/// What Postfix at `may` does after handshakes that failed is brought together.
#[test]
fn what_came_again_is_told_of_postfix() {
    let Some(root) = Root::of("postfix") else { return };
    let mut listening = Listening::start(&["--behave", "handshake-failure"]);
    let _running = postfix_with(&root, "may", listening.port, "");
    let sessions = listening.sessions(SESSIONS_MAX, in_clear);
    assert!(in_clear(sessions.last().unwrap()), "{sessions:?}");
    let run = listening.end();
    let sender = &run["senders"][0];
    assert_eq!((&sender["name"], &sender["address"]), (&"scanner.example".into(), &"127.0.0.1".into()));
    let comebacks = sender["comebacks"].as_array().unwrap();
    assert!(comebacks.iter().any(|came| came["again"]["result"] == "mail_in_clear"), "{run}");
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

#[test]
fn exim_and_opensmtpd_are_seen_as_their_files_have_them() {
    if let Some(root) = Root::of("exim") {
        let mut listening = Listening::start(&[]);
        exim(&root, listening.port);
        let sessions = listening.sessions(1, |_| true);
        assert_offer(&sessions[0], &Sender::named("exim").unwrap(), &root.packages());
        assert_eq!(mail(&sessions[0]), Some(true));
    }
    if let Some(root) = Root::of("opensmtpd") {
        let mut listening = Listening::start(&[]);
        let _running = opensmtpd(&root, listening.port);
        let sessions = listening.sessions(1, |_| true);
        assert_offer(&sessions[0], &Sender::named("opensmtpd").unwrap(), &root.packages());
        assert_eq!(mail(&sessions[0]), Some(true));
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
