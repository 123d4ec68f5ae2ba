//! `mxray receive` as a process, and what it writes.

use serde_json::Value;
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

    /// Ends it; what `run.json` says then.
    pub fn end(&mut self) -> Value {
        let id = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
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
