//! The fleet, in a process of its own, so that its CPU is not the scanner's.

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `mxray lab` in a process of its own, ended when dropped.
pub struct Lab {
    process: Child,
    /// Where it answers DNS.
    pub dns: String,
    /// Port of its mail servers.
    pub port: String,
}

impl Lab {
    /// Starts it in `dir` for so many domains, each with an address of its own;
    /// both lists and the roots are files there.
    pub fn start(dir: &Path, scenario: &str, domains: usize) -> anyhow::Result<Self> {
        let names: String = (0..domains).map(|number| format!("h{number:06}.example\n")).collect();
        fs::write(dir.join("domains.txt"), names)?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_mxray"))
            .current_dir(dir)
            .args(["lab", "--domains", "domains.txt", "--scenario", scenario])
            .args(["--hosts-per-scenario", "1024", "--roots", "roots.pem", "--endpoints", "endpoints.csv"])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the lab")?;
        let stdout = process.stdout.take().context("no standard output")?;
        let mut lab = Self { process, dns: String::new(), port: String::new() };
        let mut ready = String::new();
        BufReader::new(stdout).read_line(&mut ready)?;
        // lab ready: dns 127.0.0.1:5300 smtp-port 2525 policy-port 8443
        let words: Vec<&str> = ready.split_whitespace().collect();
        let ["lab", "ready:", _, dns, _, port, ..] = words[..] else {
            bail!("the lab did not start: {ready}")
        };
        (lab.dns, lab.port) = (dns.to_string(), port.to_string());
        Ok(lab)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.process.id()).map(Pid::from_raw) {
            let _ = kill(pid, Signal::SIGTERM);
        }
        let _ = self.process.wait();
    }
}
