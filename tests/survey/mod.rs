//! Runs `mxray scan` as a person would, in a process of its own, and reads the
//! run directory back. What every run must fulfil, whatever it found, is held
//! here once: [`Run::check_books`] and [`Run::check_counters`].

// Each test that includes this uses a part of it.
#![allow(dead_code, clippy::unwrap_used)]

pub mod content;

use assert_cmd::Command;
use mxray::internals::packing::{Packing, file_name};
use mxray::internals::run_dir::{CERTIFICATES, Column, DOMAINS, ENDPOINTS, GROUPS, MX, REJECTS, SUITES};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A scan that takes longer hangs.
const RUN_MAX: Duration = Duration::from_secs(400);

/// A line of a CSV file by column name.
pub type Row = BTreeMap<String, String>;

/// A scan of a lab: one connection at a time to an address, none of them
/// twice, no other pacing.
pub struct Scan {
    dir: TempDir,
    args: Vec<OsString>,
}

/// A scan that ended, and its directory.
pub struct Run {
    dir: TempDir,
    /// What was said on standard error.
    pub stderr: String,
}

impl Scan {
    /// Of the lab whose DNS listens at `dns` and whose servers at `port`.
    pub fn of_lab(dns: impl ToString, port: u16, root_pem: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let roots = dir.path().join("roots.pem");
        fs::write(&roots, root_pem).unwrap();
        let mut scan = Self { dir, args: vec!["scan".into()] };
        scan.arg("--resolver", dns.to_string());
        scan.arg("--port", port.to_string());
        scan.arg("--roots", roots);
        scan.arg("--ehlo", "scanner.mxray.example");
        scan.args.push("--allow-private".into());
        for option in ["--rate", "--per-ip-interval", "--retries", "--second-look-delay", "--cool-down"] {
            scan.arg(option, "0");
        }
        scan
    }

    /// Scans under connectors, given as TOML.
    pub fn under(&mut self, connectors: &[u8]) -> &mut Self {
        let path = self.dir.path().join("connectors.toml");
        fs::write(&path, connectors).unwrap();
        self.arg("--connectors", path)
    }

    /// Adds an option; it may be one that has been said.
    pub fn arg(&mut self, option: &str, value: impl Into<OsString>) -> &mut Self {
        // Said twice is an error to clap, so the new word takes the old one's place.
        if let Some(place) = self.args.iter().position(|arg| arg == option) {
            self.args.drain(place..place + 2);
        }
        self.args.extend([option.into(), value.into()]);
        self
    }

    /// Adds an option without a value.
    pub fn flag(&mut self, option: &str) -> &mut Self {
        self.args.push(option.into());
        self
    }

    /// Scans a list given as text to its end.
    pub fn run(self, list: &str) -> Run {
        let path = self.dir.path().join("list");
        fs::write(&path, list).unwrap();
        self.run_file(&path)
    }

    /// The words of the command line, and the folder in which the run will be `run`,
    /// for whoever starts the process.
    pub fn words(mut self, list: &str) -> (TempDir, Vec<OsString>) {
        let path = self.dir.path().join("list");
        fs::write(&path, list).unwrap();
        self.args.extend(["-o".into(), self.dir.path().join("run").into(), path.into()]);
        (self.dir, self.args)
    }

    /// Scans a list that is a file. Blocks.
    pub fn run_file(mut self, list: &Path) -> Run {
        let output = self.dir.path().join("run");
        self.args.extend(["-o".into(), output.into(), list.into()]);
        let ended =
            Command::new(env!("CARGO_BIN_EXE_mxray")).args(self.args).timeout(RUN_MAX).output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        // A list of which nothing could be asked, as one whose DNS is silent, ends with 5.
        let ended_well = matches!(ended.status.code(), Some(0 | 5));
        assert!(ended_well, "mxray scan: {}\n{stderr}", ended.status);
        Run { dir: self.dir, stderr }
    }
}

/// The text of a file of a run, packed or not; `None` if there is none.
pub fn text(path: &Path) -> Option<Vec<u8>> {
    let forms = [None].into_iter().chain(Packing::ALL.map(Some));
    let named = |packing| PathBuf::from(file_name(path.to_str().unwrap(), packing));
    let packing = forms.into_iter().find(|packing| named(*packing).exists())?;
    let file = BufReader::new(File::open(named(packing)).unwrap());
    let mut text = Vec::new();
    match packing {
        None => Box::new(file),
        Some(packing) => packing.unpack(file).unwrap(),
    }
    .read_to_end(&mut text)
    .unwrap();
    Some(text)
}

/// The rows of a table; none of what hosts accept, where nobody was enumerated.
pub fn rows(path: &Path) -> Vec<Row> {
    let is_of_enumeration = path.ends_with("suites.csv") || path.ends_with("groups.csv");
    let text = text(path).or_else(|| is_of_enumeration.then(Vec::new)).unwrap();
    csv::Reader::from_reader(&text[..]).deserialize().map(Result::unwrap).collect()
}

fn tally<'a>(cells: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for cell in cells {
        *counts.entry(cell.to_string()).or_default() += 1;
    }
    counts
}

/// `ok`, `not_asked`, or phase and kind, as the summary writes it.
fn outcome(row: &Row) -> String {
    match row["outcome"].as_str() {
        same @ ("ok" | "not_asked") => same.to_string(),
        kind => format!("{}_{kind}", row["phase"]),
    }
}

impl Run {
    /// The run that another process made in this folder.
    pub fn of(dir: TempDir, stderr: String) -> Self {
        Self { dir, stderr }
    }

    /// Where a file of the run directory is.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join("run").join(file)
    }

    /// A file of the run directory.
    pub fn file(&self, name: &str) -> File {
        File::open(self.path(name)).unwrap()
    }

    /// Rows of a CSV file of the run directory.
    pub fn rows(&self, name: &str) -> Vec<Row> {
        rows(&self.path(name))
    }

    /// `run.json`.
    pub fn info(&self) -> serde_json::Value {
        serde_json::from_reader(self.file("run.json")).unwrap()
    }

    /// The files of a run agree with each other and with `lines`, the number
    /// of lines of the list that are neither blank nor comment: nothing was
    /// lost, nothing came twice.
    pub fn check_books(&self, lines: usize) {
        let (domains, endpoints) = (self.rows("domains.csv"), self.rows("endpoints.csv"));
        let rejected = self.rows("rejects.csv").len();
        let info = self.info();
        assert_eq!(domains.len() + rejected, lines, "rows and rejects are not the lines of the list");
        let counts = &info["counts"];
        for (name, expected) in [
            ("targets_read", domains.len()),
            ("domains_written", domains.len()),
            ("endpoints_written", endpoints.len()),
            ("rejected", rejected),
            ("unfinished", 0),
        ] {
            assert_eq!(counts[name], expected, "run.json counts.{name}");
        }
        assert_eq!(info["finished"], true);
        let summary = &info["summary"];
        assert_eq!(summary["rejected"], rejected);
        for (table, rows) in [("domains", &domains), ("endpoints", &endpoints)] {
            let outcomes: Vec<String> = rows.iter().map(outcome).collect();
            let expected = tally(outcomes.iter().map(String::as_str));
            assert_eq!(summary[table]["total"], rows.len(), "{table}");
            assert_eq!(summary[table]["outcomes"], serde_json::to_value(&expected).unwrap(), "{table}");
            assert_eq!(expected.values().sum::<u64>(), rows.len() as u64);
        }
        let deliveries = tally(domains.iter().map(|row| row["delivery"].as_str()));
        assert_eq!(summary["deliveries"], serde_json::to_value(deliveries).unwrap());
        self.check_references(&domains, &endpoints);
        self.check_values();
    }

    /// A column with a closed set of values holds nothing else.
    fn check_values(&self) {
        fn check<R>(columns: &[Column<R>], rows: &[Row]) {
            for column in columns {
                let other = rows.iter().map(|row| &row[column.name]).find(|cell| !column.admits(cell));
                assert_eq!(other, None, "{} is not one of {:?}", column.name, column.values);
            }
        }
        check(DOMAINS, &self.rows("domains.csv"));
        check(ENDPOINTS, &self.rows("endpoints.csv"));
        check(CERTIFICATES, &self.rows("certificates.csv"));
        check(MX, &self.rows("mx.csv"));
        check(SUITES, &self.rows("suites.csv"));
        check(GROUPS, &self.rows("groups.csv"));
        check(REJECTS, &self.rows("rejects.csv"));
    }

    /// What one file names stands in the other.
    fn check_references(&self, domains: &[Row], endpoints: &[Row]) {
        let mut keys = BTreeSet::new();
        for row in endpoints {
            let key = [&row["ip"], &row["port"], &row["sni"]];
            assert!(keys.insert(key), "{key:?} has two rows in endpoints.csv");
        }
        let mut certificates = BTreeSet::new();
        for row in self.rows("certificates.csv") {
            assert!(certificates.insert(row["sha256"].clone()), "{} has two rows", row["sha256"]);
        }
        for row in domains {
            for prefix in ["", "weakest_"] {
                let cell = |name: &str| &row[&format!("{prefix}{name}")];
                let key = [cell("ip"), cell("port"), cell("sni")];
                assert!(key[0].is_empty() || keys.contains(&key), "{}: no endpoint {key:?}", row["domain"]);
            }
        }
        let mut without_edge: BTreeSet<_> = keys.iter().map(|key| (key[0], key[2])).collect();
        let named: BTreeSet<_> = without_edge.clone();
        let edges = self.rows("mx.csv");
        for row in edges.iter().filter(|row| !row["ip"].is_empty() && row["phase"].is_empty()) {
            let edge = (&row["ip"], &row["sni"]);
            assert!(named.contains(&edge), "{}: no endpoint {edge:?}", row["domain"]);
            without_edge.remove(&edge);
        }
        // Endpoints that are listed outright come over no host.
        let listed = domains.iter().any(|row| row["tld"].is_empty());
        assert!(listed || without_edge.is_empty(), "no host leads to {without_edge:?}");
        for digest in endpoints.iter().map(|row| &row["cert_sha256"]).filter(|digest| !digest.is_empty()) {
            assert!(certificates.contains(digest), "no certificate {digest}");
        }
    }

    /// Address and name of each handshake that was made once more and went
    /// through: only the journal tells.
    fn second_handshakes(&self) -> Vec<(String, String)> {
        let journal = text(&self.path("observations.jsonl")).unwrap();
        let mut found = Vec::new();
        for line in journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let seen: serde_json::Value = serde_json::from_slice(line).unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
            for hello in seen["extra_client_hellos"].as_array().unwrap() {
                let through = hello["end"] == "agreed" && hello["failure"]["phase"] != "tls";
                if hello["purpose"] == "handshake" && through {
                    found.push((text(&seen["key"]["ip"]), text(&seen["key"]["sni"])));
                }
            }
        }
        found
    }

    /// What the lab counted on its side of the wire, `counters`, is what
    /// `endpoints.csv` says; gives what is not. Each key was connected to once,
    /// or as often as [`looks`] has it, and once more for each further hello,
    /// an address by one connection at a time, and a handshake was made where
    /// there is one. For scans without retries.
    pub fn check_counters(&self, counters: &[Row]) -> Vec<String> {
        // Who was not asked because nobody answers there had no connection.
        let (endpoints, inferred): (Vec<Row>, Vec<Row>) =
            self.rows("endpoints.csv").into_iter().partition(|row| row["inferred_from"].is_empty());
        assert!(inferred.iter().all(|row| row["attempts"] == "0"), "{inferred:?}");
        let mut wrong = overlaps(&endpoints);
        let mut expected = Books::default();
        for row in &endpoints {
            assert_eq!(number(row, "attempts"), looks(row), "{row:?}");
            expected.expect(row);
        }
        for (ip, name) in self.second_handshakes() {
            expected.named.entry((ip, name)).or_default().1 += 1;
        }
        let asked_more: BTreeSet<_> = endpoints
            .iter()
            .filter(|row| row["extra_client_hellos"] != "0")
            .map(|row| row["ip"].clone())
            .collect();
        let left: BTreeSet<_> = endpoints.iter().filter(|row| hung_up(row)).map(|row| &row["ip"]).collect();
        let mut counted = Books::default();
        for row in counters {
            match row["kind"].as_str() {
                "endpoint" => counted.named.insert(
                    (row["ip"].clone(), row["name"].clone()),
                    (number(row, "connections"), number(row, "handshakes")),
                ),
                "address" => {
                    // Where the scanner left without a word, the lab may see the
                    // next connection before the end of the last.
                    if number(row, "max_concurrent") > 1 + u64::from(left.contains(&row["ip"])) {
                        wrong.push(format!("{}: {} at a time", row["ip"], row["max_concurrent"]));
                    }
                    if row["connections"] == "0" {
                        expected.never_accepted(&row["ip"], &endpoints);
                    }
                    None
                }
                _ => None,
            };
        }
        for ip in &asked_more {
            expected.forget_names(ip);
            counted.forget_names(ip);
        }
        wrong.extend(expected.differences(&counted));
        wrong
    }
}

/// Connections that the dialogue of a row takes: what says "no TLS" is looked at
/// twice, and so is a handshake that fails with everyone.
fn looks(row: &Row) -> u64 {
    let denials = ["helo_only", "not_offered", "keyword_mangled", "refused_temporarily"];
    let failures = [
        "signature_failed",
        "bad_certificate",
        "downgrade_detected",
        "illegal_parameter",
        "client_certificate_required",
    ];
    let outcome = row["outcome"].as_str();
    let twice = match row["phase"].as_str() {
        "tls" => failures.contains(&outcome),
        phase => denials.contains(&outcome) || (phase, outcome) == ("starttls", "refused"),
    };
    1 + u64::from(twice)
}

/// Whether the scanner may be back before the server has seen the end: it left
/// without QUIT, as it does after each further hello, or on reading an alert,
/// which the server's TLS sends before the server knows; or its QUIT found no
/// answer, at a server that is silent.
fn hung_up(row: &Row) -> bool {
    let by_server = ["closed", "reset", "throttled", "rejected", "tempfail"];
    let without_quit = row["quit_us"].is_empty() && !by_server.contains(&row["outcome"].as_str());
    let silent = row["outcome"] == "timeout";
    without_quit || silent || row["extra_client_hellos"].parse::<u64>().is_ok_and(|hellos| hellos > 0)
}

/// Rows of one address whose times overlap by more than timestamps are coarse.
fn overlaps(endpoints: &[Row]) -> Vec<String> {
    let mut times: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for row in endpoints {
        let begun = started(row);
        times
            .entry(&row["ip"])
            .or_default()
            .push((begun, begun + row["total_us"].parse::<i64>().unwrap() / 1000));
    }
    let mut wrong = Vec::new();
    for (ip, mut times) in times {
        times.sort_unstable();
        for pair in times.windows(2).filter(|pair| pair[1].0 + TIMESTAMP_GRAIN_MS < pair[0].1) {
            wrong.push(format!("{ip}: a connection from {pair:?} within another"));
        }
    }
    wrong
}

/// How far two timestamps of a run may be off from each other.
const TIMESTAMP_GRAIN_MS: i64 = 2;

/// When the connection of a row of `endpoints.csv` was begun, in milliseconds.
pub fn started(row: &Row) -> i64 {
    row["started"].parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn number(row: &Row, name: &str) -> u64 {
    row[name].parse().unwrap()
}

/// Connections and handshakes by address and name; the name is empty where
/// the server saw no ClientHello.
#[derive(Default)]
struct Books {
    named: BTreeMap<(String, String), (u64, u64)>,
}

impl Books {
    /// What the server must have seen of the connection of this row.
    fn expect(&mut self, row: &Row) {
        let name = match row["phase"].as_str() {
            "connect" => return,
            "tls" | "after_tls" => row["sni"].clone(),
            _ => String::new(),
        };
        let counts = self.named.entry((row["ip"].clone(), name)).or_default();
        counts.0 += number(row, "attempts") + number(row, "extra_client_hellos");
        counts.1 += u64::from(row["phase"] == "after_tls");
    }

    /// Adds up what is booked under the names of an address: hellos of old
    /// versions bear none, or a server does not read so far.
    fn forget_names(&mut self, ip: &str) {
        let theirs = self.named.extract_if(.., |(at, _), _| at == ip);
        let sum = theirs.fold((0, 0), |sum, (_, counts)| (sum.0 + counts.0, sum.1 + counts.1));
        self.named.insert((ip.to_string(), "all names".to_string()), sum);
    }

    /// A server that takes up no connection counts none, and greets nobody.
    fn never_accepted(&mut self, ip: &str, endpoints: &[Row]) {
        let mut there = endpoints.iter().filter(|row| row["ip"] == ip);
        if there.all(|row| row["phase"] == "greeting" && row["outcome"] == "timeout") {
            self.named.remove(&(ip.to_string(), String::new()));
        }
    }

    fn differences(&self, counted: &Self) -> Vec<String> {
        let keys: BTreeSet<_> = self.named.keys().chain(counted.named.keys()).collect();
        let differing = keys.into_iter().filter(|key| self.named.get(key) != counted.named.get(key));
        let tell = |key| {
            let (expected, counted) = (self.named.get(key), counted.named.get(key));
            format!("{key:?}: by endpoints.csv {expected:?}, counted {counted:?} (connections, handshakes)")
        };
        differing.map(tell).collect()
    }
}
