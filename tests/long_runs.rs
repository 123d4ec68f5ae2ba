//! A run of a million domains: `mxray diff` holds little of it in memory, and `mxray export`
//! makes little of it on the disk.
//!
//! `cargo test --release --test long_runs -- --ignored --nocapture` tells the peak of memory,
//! the time and the sizes.

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

/// Largest `domains.parquet`, in MB.
#[cfg(feature = "export")]
const PARQUET_MB_MAX: u64 = 120;

/// Providers, of which the first have most domains.
const PROVIDERS: usize = 3000;

/// What a domain has for itself, or shares with all of its provider.
struct Host {
    name: String,
    operator: String,
    ip: String,
    certificate: String,
}

fn hex(random: &mut fastrand::Rng) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes.map(|byte| format!("{byte:02x}")).concat()
}

impl Host {
    fn new(operator: &str, random: &mut fastrand::Rng) -> Self {
        let [a, b, c, d] = [(); 4].map(|()| random.u8(..));
        let (name, operator) = (format!("mail.{operator}"), operator.to_string());
        Self { name, operator, ip: format!("{a}.{b}.{c}.{d}"), certificate: hex(random) }
    }

    /// What takes the place of a cell that is not empty.
    fn cell(&self, column: &str) -> Option<&str> {
        match column {
            "mx_host" | "sni" | "weakest_mx_host" | "weakest_sni" => Some(&self.name),
            "mx_operator" => Some(&self.operator),
            "ip" | "weakest_ip" => Some(&self.ip),
            "cert_sha256" | "weakest_cert_sha256" => Some(&self.certificate),
            _ => None,
        }
    }
}

/// The rows of a small run again and again, under other names. One of two domains has a mail
/// host, an address and a certificate of its own, the others share those of a provider. They
/// stand in an order in which no list has them; every tenth name is not in another run. Each
/// domain has a certificate beside, so that `certificates.csv` is as long.
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
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let mut table = csv::Writer::from_path(run.join("domains.csv")).unwrap();
    table.write_record(&header).unwrap();
    let mut certificates = BufWriter::new(File::create(run.join("certificates.csv")).unwrap());
    writeln!(certificates, "sha256,spki_sha256,der_base64").unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let providers: Vec<Host> =
        (0..PROVIDERS).map(|number| Host::new(&format!("provider{number}.example"), &mut random)).collect();
    let mut numbers: Vec<usize> = (0..domains).collect();
    random.shuffle(&mut numbers);
    for number in numbers {
        let mark = if number % 10 == 0 { format!("-{seed}") } else { String::new() };
        let name = format!("{}{mark}.example", word(number));
        let own = Host::new(&name, &mut random);
        writeln!(certificates, "{},{},", own.certificate, hex(&mut random)).unwrap();
        // A few have most: as many lie between the first and the tenth as between that and the hundredth.
        let place = (PROVIDERS as f64).powf(random.f64()) as usize - 1;
        let host = if number % 2 == 0 { &own } else { &providers[place.min(PROVIDERS - 1)] };
        let number = number.to_string();
        let cells = header.iter().zip(&rows[random.usize(..rows.len())]).map(|(column, cell)| match column {
            "line" => number.as_str(),
            "domain" => name.as_str(),
            _ if cell.is_empty() => "",
            column => host.cell(column).unwrap_or(cell),
        });
        table.write_record(cells).unwrap();
    }
    table.flush().unwrap();
    certificates.flush().unwrap();
}

/// A name as people have them, another for every number.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "ka", "ro", "mi", "ten", "so", "lu", "ver", "da", "pa", "tech", "net", "shop", "auto", "med", "haus",
        "line",
    ];
    // An odd factor mixes the numbers up, and takes none twice.
    let mixed = number.wrapping_mul(0x9e37_79b1) % (1 << 32);
    (0..8).map(|place| SYLLABLES[(mixed >> (4 * place)) & 15]).collect()
}

fn mxray(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(folder).env("TMPDIR", folder);
    command
}

/// A small run from which long ones are made.
fn base(folder: &Path) {
    let demo = mxray(folder).args(["demo", "--domains", "400", "-o", "base"]).output().unwrap();
    assert!(demo.status.success(), "{demo:?}");
}

/// Runs it, and tells the most memory, in KiB, that a child of this process took so far.
fn run(folder: &Path, words: &str) -> i64 {
    let begun = Instant::now();
    let ran = mxray(folder).args(words.split(' ')).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let used = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    println!("mxray {words}: {:.1?}, {} MiB resident", begun.elapsed(), used.max_rss() >> 10);
    used.max_rss()
}

fn megabytes(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len() / 1_000_000
}

#[test]
#[ignore = "a million domains take minutes and some gigabytes of disk"]
fn a_million_domains_against_a_million_fit_in_300_mib() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    base(folder.path());
    grow(&at("base"), &at("a"), DOMAINS, 1);
    grow(&at("base"), &at("b"), DOMAINS, 2);
    let resident = run(folder.path(), "diff a b --format csv -o changes.csv");
    let rows = csv::Reader::from_path(at("changes.csv")).unwrap().into_records().count();
    println!(
        "{rows} rows, {} MB; domains.csv {} MB",
        megabytes(&at("changes.csv")),
        megabytes(&at("a/domains.csv"))
    );
    // Every tenth came, every tenth went, and of the others nearly all changed.
    assert!(rows > DOMAINS, "{rows}");
    assert!(resident <= RESIDENT_KIB_MAX, "{resident} KiB");
}

#[cfg(feature = "export")]
#[test]
#[ignore = "a million domains take minutes and some gigabytes of disk"]
fn a_million_domains_take_120_mb_of_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    base(folder.path());
    grow(&at("base"), &at("a"), DOMAINS, 1);
    let resident = run(folder.path(), "export a --format parquet --tables domains -o out");
    let (parquet, csv) = (megabytes(&at("out/domains.parquet")), megabytes(&at("a/domains.csv")));
    println!("domains.parquet {parquet} MB, domains.csv {csv} MB");
    assert!(parquet <= PARQUET_MB_MAX, "{parquet} MB");
    assert!(resident <= RESIDENT_KIB_MAX, "{resident} KiB");
}
