//! `mxray receive` before mail systems that send: what it writes of them is what their
//! files of senders say, and what their own logs say.

use super::mail_system::{Root, exim, opensmtpd, postfix_with};
use mxray::internals::sender::Sender;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Sessions after which a system that sends in clear after a failed handshake has done
/// so: Postfix tries again by TLS before.
const SESSIONS_MAX: usize = 4;

/// A listener of the command line, until it is dropped.
struct Listening {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Listening {
    fn start(words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
        command.current_dir(&folder).args(["receive", "--listen", "127.0.0.1:0", "--name", "front.example"]);
        command.args(["-o", "run", "--greeting-delay", "0"]).args(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // The first line, and not a byte further.
        let stderr = child.stderr.as_mut().unwrap();
        while !line.ends_with('\n') {
            let mut byte = [0];
            stderr.read_exact(&mut byte).unwrap();
            line.push(byte[0].into());
        }
        let at = line.strip_prefix("mxray: listening on 127.0.0.1:").unwrap_or_else(|| panic!("{line}"));
        let port = at.split(' ').next().unwrap().parse().unwrap();
        Self { child, folder, port }
    }

    /// Waits until a session fits, or there were so many: those that are written then.
    fn sessions(&mut self, most: usize, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut told = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let mut sessions = Vec::new();
        while sessions.len() < most && !sessions.last().is_some_and(&fits) {
            told.next().unwrap().unwrap();
            // A session is told after it was written.
            sessions = self.written();
        }
        sessions
    }

    /// Ends it; what `run.json` says then.
    fn end(&mut self) -> Value {
        let id = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        serde_json::from_str(&fs::read_to_string(self.path("run/run.json")).unwrap()).unwrap()
    }

    fn written(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("run/sessions.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

/// Lets Postfix deliver at a level, and gives what is written of it.
fn of_postfix(level: &str, behave: &str, fits: impl Fn(&Value) -> bool) -> Option<Vec<Value>> {
    let root = Root::of("postfix")?;
    let behave: &[&str] = if behave.is_empty() { &[] } else { &["--behave", behave] };
    let mut listening = Listening::start(behave);
    let _running = postfix_with(&root, level, listening.port, "");
    Some(listening.sessions(SESSIONS_MAX, fits))
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

/// What Postfix does where TLS is not to be had is what its files say.
#[test]
fn postfix_does_without_tls_what_its_level_says() {
    for behave in ["no-starttls", "mangled", "454", "handshake-failure"] {
        let Some(sessions) = of_postfix("may", behave, in_clear) else { return };
        assert!(in_clear(sessions.last().unwrap()), "{behave}: {sessions:?}");
        for before in &sessions[..sessions.len() - 1] {
            assert_eq!((behave, mail(before)), ("handshake-failure", None), "{before:?}");
            assert_eq!(before["tls"]["failure"]["on_purpose"], "handshake_failure", "{before:?}");
        }
        let Some(sessions) = of_postfix("encrypt", behave, |session| mail(session).is_some()) else { return };
        assert!(sessions.iter().all(|session| mail(session).is_none()), "encrypt, {behave}: {sessions:?}");
    }
}

/// What is learnt of Postfix is what its file says, of faults and of the hello; and what was
/// learnt in one run stays learnt in the next.
#[test]
fn what_is_learnt_of_postfix_is_what_its_file_says() {
    let learnt = tempfile::tempdir().unwrap();
    let file = learnt.path().join("learnt.toml");
    let mut template = "rfc9325".to_string();
    for behave in ["handshake-failure", "454", ""] {
        let Some(root) = Root::of("postfix") else { return };
        let behaves: &[&str] = if behave.is_empty() { &[] } else { &["--behave", behave] };
        let words = [&["--learn", "learnt", "--learn-from", &template], behaves].concat();
        let mut listening = Listening::start(&words);
        let _running = postfix_with(&root, "may", listening.port, "");
        listening.sessions(SESSIONS_MAX, |session| behave.is_empty() || in_clear(session));
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

/// A sender that verifies leaves once it has seen the certificate, and one that does not
/// goes on.
#[test]
fn postfix_verifies_where_its_level_says() {
    let trusting = "smtp_tls_CAfile = /tmp/authority.pem\nsmtp_tls_secure_cert_match = front.example\n";
    for (level, behave, goes_on) in [
        ("may", "expired", true),
        ("encrypt", "self-signed", true),
        ("secure", "", true),
        ("secure", "expired", false),
        ("secure", "wrong-name", false),
        ("secure", "self-signed", false),
    ] {
        let Some(root) = Root::of("postfix") else { return };
        let words: &[&str] = if behave.is_empty() { &[] } else { &["--behave", behave] };
        let mut listening = Listening::start(words);
        // Above a leaf that signs itself there is none; Postfix has to have some.
        let another =
            || rcgen::generate_simple_self_signed(["another.example".to_string()]).unwrap().cert.pem();
        let authority = fs::read_to_string(listening.path("run/test-authority.pem"));
        root.write("tmp/authority.pem", &authority.unwrap_or_else(|_| another()));
        let _running = postfix_with(&root, level, listening.port, trusting);
        let sessions = listening.sessions(1, |_| true);
        let session = sessions.first().unwrap();
        assert_eq!(mail(session), goes_on.then_some(true), "{level}, {behave}: {session}");
    }
}

/// The certificate that Postfix shows, and the session as its own log has it.
#[test]
fn a_client_certificate_is_proven_and_the_session_is_the_one_of_the_log() {
    let Some(root) = Root::of("postfix") else { return };
    let made = rcgen::generate_simple_self_signed(["out.partner.example".to_string()]).unwrap();
    root.write("tmp/client.pem", &(made.signing_key.serialize_pem() + &made.cert.pem()));
    let mut listening = Listening::start(&["--behave", "tls12-only"]);
    let more = "smtp_tls_chain_files = /tmp/client.pem\nsmtp_tls_loglevel = 1\nmaillog_file = /var/log/postfix-sender\n";
    let _ = fs::remove_file(root.file("var/log/postfix-sender"));
    let _running = postfix_with(&root, "encrypt", listening.port, more);
    let sessions = listening.sessions(1, |_| true);
    let tls = &sessions.first().unwrap()["tls"];
    assert_eq!((&tls["version"], &tls["signature"]), (&"TLSv1.2".into(), &"verified".into()));
    let certificates = csv::Reader::from_path(listening.path("run/certificates.csv")).unwrap().into_records();
    assert_eq!(certificates.count(), 1);
    let der = mxray::internals::x509::digest(made.cert.der()).to_string();
    assert_eq!(sessions[0]["chain"][0], der.as_str());
    let log = root.log_that_says("var/log/postfix-sender", "said: 451 4.7.1 This is a test by mxray");
    assert!(log.contains("TLS connection established to 127.0.0.1"), "{log}");
    assert!(log.contains("TLSv1.2 with cipher"), "{log}");
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
    assert_no_secret(listening.folder.path());
}

fn assert_no_secret(folder: &Path) {
    for entry in fs::read_dir(folder.join("run")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(!text.contains("secret") && !text.contains("hidden"), "{}", path.display());
    }
}
