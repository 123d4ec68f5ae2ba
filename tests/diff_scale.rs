//! A long list against itself a month later: `mxray diff` holds little of it in memory.
//!
//! `cargo test --release --test diff_scale -- --ignored --nocapture` takes a million
//! domains, and tells the peak of memory and the time.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Domains of each run.
const DOMAINS: usize = 1_000_000;

/// Most memory, in KiB.
const RESIDENT_KIB_MAX: i64 = 300 << 10;

/// The rows of a small run again and again, under other names and with certificates of
/// their own, in an order in which no list has them; every tenth name is not in the
/// other run.
fn grow(base: &Path, run: &Path, domains: usize, seed: u64) {
    fs::create_dir(run).unwrap();
    for name in ["observations.jsonl", "facts.jsonl", "rejects.csv"] {
        fs::copy(base.join(name), run.join(name)).unwrap();
    }
    let mut info: Value = serde_json::from_slice(&fs::read(base.join("run.json")).unwrap()).unwrap();
    info["counts"]["domains_written"] = domains.into();
    fs::write(run.join("run.json"), info.to_string()).unwrap();
    let mut rows = csv::Reader::from_path(base.join("domains.csv")).unwrap();
    let header = rows.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let [line, domain, certificate] = ["line", "domain", "cert_sha256"].map(place);
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let mut table = csv::Writer::from_path(run.join("domains.csv")).unwrap();
    table.write_record(&header).unwrap();
    let mut certificates = BufWriter::new(File::create(run.join("certificates.csv")).unwrap());
    writeln!(certificates, "sha256,spki_sha256,der_base64").unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut numbers: Vec<usize> = (0..domains).collect();
    random.shuffle(&mut numbers);
    for number in numbers {
        let (mut leaf, mut key) = ([0; 32], [0; 32]);
        random.fill(&mut leaf);
        random.fill(&mut key);
        let hex = |bytes: [u8; 32]| bytes.map(|byte| format!("{byte:02x}")).concat();
        let name =
            if number % 10 == 0 { format!("n{number}-{seed}.example") } else { format!("n{number}.example") };
        let row = &rows[random.usize(..rows.len())];
        let leaf = hex(leaf);
        writeln!(certificates, "{leaf},{},", hex(key)).unwrap();
        let (number, shown) = (number.to_string(), if row[certificate].is_empty() { "" } else { &leaf });
        let cells = row.iter().enumerate().map(|(place, cell)| match place {
            place if place == line => number.as_str(),
            place if place == domain => name.as_str(),
            place if place == certificate => shown,
            _ => cell,
        });
        table.write_record(cells).unwrap();
    }
    table.flush().unwrap();
    certificates.flush().unwrap();
}

fn mxray(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(folder).env("TMPDIR", folder);
    command
}

#[test]
#[ignore = "a million domains take minutes and some gigabytes of disk"]
fn a_million_domains_against_a_million_fit_in_300_mib() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let demo = mxray(folder.path()).args(["demo", "--domains", "400", "-o", "base"]).output().unwrap();
    assert!(demo.status.success(), "{demo:?}");
    grow(&at("base"), &at("a"), DOMAINS, 1);
    grow(&at("base"), &at("b"), DOMAINS, 2);
    let begun = Instant::now();
    // The peak of the children so far; the demo's is far below.
    let ran = mxray(folder.path())
        .args(["diff", "a", "b", "--format", "csv", "-o", "changes.csv"])
        .output()
        .unwrap();
    let took = begun.elapsed();
    assert!(ran.status.success(), "{ran:?}");
    let used = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    let rows = csv::Reader::from_path(at("changes.csv")).unwrap().into_records().count();
    let sizes = ["a/domains.csv", "changes.csv"].map(|name| fs::metadata(at(name)).unwrap().len() >> 20);
    println!(
        "{DOMAINS} domains against {DOMAINS}: {took:.1?}, {} MiB resident, domains.csv {} MiB, changes.csv {} MiB, \
         {rows} rows",
        used.max_rss() >> 10,
        sizes[0],
        sizes[1]
    );
    // Every tenth came, every tenth went, and of the others nearly all changed.
    assert!(rows > DOMAINS, "{rows}");
    assert!(used.max_rss() <= RESIDENT_KIB_MAX, "{} KiB", used.max_rss());
}
