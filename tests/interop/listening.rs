//! `mxray receive` as a process, and what it writes.

use mxray::internals::sender::Sender;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// `mxray receive`, until it is dropped.
pub struct Listening {
    child: Child,
    folder: TempDir,
    pub port: u16,
}

impl Listening {
    /// One that does what a word of `--behave` says, or nothing on purpose for `none`.
    pub fn that(behave: &str, words: &[&str]) -> Self {
        let behave: &[&str] = if behave == "none" { &[] } else { &["--behave", behave] };
        Self::start(&[words, behave].concat())
    }

    pub fn start(words: &[&str]) -> Self {
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
    pub fn sessions(&mut self, most: usize, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut told = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let mut sessions = Vec::new();
        while sessions.len() < most && !sessions.last().is_some_and(&fits) {
            told.next().unwrap().unwrap();
            // A session is told after it was written.
            sessions = self.written();
        }
        sessions
    }

    /// Ends it.
    pub fn end(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// What `run.json` says.
    pub fn run(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path("run/run.json")).unwrap()).unwrap()
    }

    pub fn written(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("run/sessions.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The authority above a certificate that was made for the run, PEM.
    pub fn authority(&self) -> Option<String> {
        fs::read_to_string(self.path("run/test-authority.pem")).ok()
    }

    /// The file of a sender that was learnt as `learnt`.
    pub fn learnt(&self) -> Sender {
        Sender::parse(&fs::read_to_string(self.path("run/learnt.toml")).unwrap()).unwrap()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    InTls,
    InClear,
    Kept,
}

/// Versions and suites, as OpenSSL names both.
pub type Negotiated = BTreeSet<(String, String)>;

/// What became of a message, by what was written of its sessions.
pub fn passage(sessions: &[&Value]) -> Passage {
    let mail = sessions.iter().flat_map(|session| session["dialogue"]["mail"].as_array().unwrap());
    let in_tls: BTreeSet<bool> = mail.map(|mail| mail["in_tls"].as_bool().unwrap()).collect();
    match (in_tls.contains(&true), in_tls.contains(&false)) {
        (true, false) => Passage::InTls,
        (false, true) => Passage::InClear,
        (false, false) => Passage::Kept,
        (true, true) => panic!("once in TLS and once in clear: {sessions:?}"),
    }
}

/// What was negotiated in sessions whose handshake came to its end.
pub fn negotiated(sessions: &[&Value]) -> Negotiated {
    let tls = sessions.iter().map(|session| &session["tls"]).filter(|tls| tls["established"] == true);
    let word = |tls: &Value, key: &str| tls[key].as_str().unwrap().to_string();
    tls.map(|tls| (word(tls, "version"), openssl_name(&word(tls, "suite")))).collect()
}

/// The name that OpenSSL has for a suite.
fn openssl_name(iana: &str) -> String {
    match iana.strip_prefix("TLS_").and_then(|rest| rest.split_once("_WITH_")) {
        Some((exchange, cipher)) => format!("{exchange}-{cipher}").replace("AES_", "AES").replace('_', "-"),
        None => iana.to_string(),
    }
}

/// A client that has a certificate shows it wherever it is asked, and proves its key; one
/// that has none shows none.
pub fn assert_certificate(session: &Value, sha256: Option<&str>, what: &str) {
    if session["tls"]["established"] != true {
        return;
    }
    let chain = session["chain"].as_array().unwrap();
    assert_eq!(chain.first().and_then(Value::as_str), sha256, "{what}: {session}");
    let verified = sha256.map(|_| "verified");
    assert_eq!(session["tls"]["signature"].as_str(), verified, "{what}: {session}");
}
