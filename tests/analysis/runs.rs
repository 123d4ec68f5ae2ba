//! Two runs of the lab, a month apart as the page has it, and their Parquet.

use mxray::internals::lab::{Fleet, FleetOptions};
use mxray::internals::model::DomainName;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A row: the column's name and the cell.
pub type Row = HashMap<String, String>;

const TLDS: [&str; 5] = ["com", "de", "na", "net", "org"];
/// So many that every kind of answer occurs.
const DOMAINS: usize = 500;
/// Later there are others at the end of the list.
const MOVED: usize = 20;

/// Both, in one folder.
pub struct TwoRuns(TempDir);

impl TwoRuns {
    pub fn make() -> Self {
        let runs = Self(TempDir::new().unwrap());
        for (month, first, seed) in [("october", 0, 1), ("november", MOVED, 2)] {
            runs.scan(month, first, seed);
            runs.mxray(&["export", month, "--format", "parquet", "-o", &format!("{month}-tables")]);
        }
        runs
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The rows of a table.
    pub fn rows(&self, run: &str, table: &str) -> Vec<Row> {
        let path = self.folder().join(run).join(format!("{table}.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    fn scan(&self, run: &str, first: usize, seed: u64) {
        let names: Vec<String> = (first..first + DOMAINS)
            .map(|number| format!("d{number:04}.{}", TLDS[number % TLDS.len()]))
            .collect();
        let domains = names.iter().map(|name| DomainName::parse(name).unwrap()).collect();
        let options = FleetOptions { seed, ..FleetOptions::new(domains).unwrap() };
        let runtime = Runtime::new().unwrap();
        let fleet = runtime.block_on(Fleet::start(options)).unwrap();
        // The first of them is there twice.
        let list = format!("{}\n{}\n", names.join("\n"), names[0]);
        std::fs::write(self.folder().join("list"), list).unwrap();
        std::fs::write(self.folder().join("roots.pem"), fleet.root_pem()).unwrap();
        let dns = fleet.dns_addr().to_string();
        let [smtp, policy] = [fleet.smtp_port(), fleet.policy_port()].map(|port| port.to_string());
        let fleet = ["--resolver", &dns, "--port", &smtp, "--mta-sts-port", &policy, "--allow-private"];
        let haste =
            "--rate 0 --per-ip-interval 0 --cool-down 0 --retries 0 --second-look-delay 0 --timeout 3s";
        let words = ["scan", "list", "-o", run, "--roots", "roots.pem", "--ehlo", "scanner.example"];
        self.mxray(&[&words[..], &fleet[..], &haste.split(' ').collect::<Vec<_>>()].concat());
    }

    fn mxray(&self, words: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
        let ran = command.args(words).current_dir(self.folder()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}
