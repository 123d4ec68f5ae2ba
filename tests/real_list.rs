//! The whole real list against the lab in a second process: no domain is lost
//! or doubled, every row is the truth, and what the lab counted is what
//! `endpoints.csv` says.

// The lab is told to end by a signal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use survey::{Row, Run, Scan, rows};
use tempfile::TempDir;

/// Domains of `datasets/domains/gov.csv`.
const DOMAINS: usize = 16_539;

/// Differences that are told one by one.
const TOLD_MAX: usize = 40;

/// `mxray lab` in a process of its own. Dropping it kills it.
struct Lab {
    process: Child,
    dir: TempDir,
    dns: String,
    port: u16,
    policies: String,
}

impl Lab {
    fn start(list: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        let mut process = Command::new(env!("CARGO_BIN_EXE_mxray"))
            .args(["lab", "--listen-dns", "127.0.0.1:0", "--smtp-port", "0"])
            // Servers that keep silent are asked one domain at a time.
            .args(["--hosts-per-scenario", "64", "--domains"])
            .arg(list)
            .args(["--truth".into(), file("truth.csv"), "--roots".into(), file("roots.pem")])
            .args(["--counters".into(), file("counters.csv")])
            .args(["--connectors".into(), file("connectors.toml")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let words: Vec<&str> = ready.split_whitespace().collect();
        let ["lab", "ready:", "dns", dns, "smtp-port", port, "policy-port", policies] = words[..] else {
            panic!("{ready:?}")
        };
        let (dns, port, policies) = (dns.to_string(), port.parse().unwrap(), policies.to_string());
        Self { process, dir, dns, port, policies }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Ends it in order, as a service manager does; gives what it counted.
    fn end(mut self) -> Vec<Row> {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
        rows(&self.file("counters.csv"))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may have ended; that is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_whole_real_list_is_found_as_the_lab_plays_it() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/domains/gov.csv");
    let lab = Lab::start(&list);
    let roots = fs::read_to_string(lab.file("roots.pem")).unwrap();
    let mut scan = Scan::of_lab(&lab.dns, lab.port, &roots);
    scan.arg("--connectors", lab.file("connectors.toml"));
    scan.arg("--mta-sts-port", lab.policies.as_str());
    // Few enough at a time that none waits for its turn of the processor for
    // as long as a timeout.
    scan.arg("--timeout", "6s,dns=4s").arg("--in-flight", "192").arg("--lookups-in-flight", "64");
    let run = scan.run_file(&list);
    let truth = rows(&lab.file("truth.csv"));
    let counters = lab.end();

    run.check_books(DOMAINS);
    let mut wrong = differences(&truth, &run);
    wrong.extend(run.check_counters(&counters));
    let told = wrong.iter().take(TOLD_MAX).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differences:\n{told}", wrong.len());
}

/// Every cell of `domains.csv` that is not the truth. Each domain has exactly
/// one row.
fn differences(truth: &[Row], run: &Run) -> Vec<String> {
    assert_eq!(truth.len(), DOMAINS);
    let mut found: BTreeMap<String, Row> = BTreeMap::new();
    for row in run.rows("domains.csv") {
        let again = found.insert(row["domain"].clone(), row);
        assert_eq!(again, None, "a domain has two rows");
    }
    let mut wrong = Vec::new();
    for expected in truth {
        let (domain, scenario) = (&expected["domain"], &expected["scenario"]);
        let Some(row) = found.remove(domain) else {
            wrong.push(format!("{domain} ({scenario}) is lost"));
            continue;
        };
        for (column, cell) in expected.iter().filter(|(column, _)| *column != "scenario") {
            if row[column] != *cell {
                wrong.push(format!("{domain} ({scenario}) {column}: {} where it is {cell}", row[column]));
            }
        }
    }
    wrong.extend(found.keys().map(|domain| format!("{domain} was not asked for")));
    wrong
}
