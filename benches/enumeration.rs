//! What the full enumeration of a host costs: CPU of the scanner alone, with
//! the lab in another process.
//!
//! ```text
//! cargo bench --bench enumeration              # the table
//! cargo bench --bench enumeration -- --check   # and fail where a bound is broken
//! ```
//!
//! Each list is scanned with `--enumerate` and without; the difference is the
//! enumeration.
//! Everything goes to loopback addresses and ends with the list.

#[allow(dead_code, reason = "endpoints need no DNS")]
#[path = "pipeline/lab.rs"]
mod lab;

use anyhow::{Context, ensure};
use clap::Parser;
use lab::Lab;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What the fleet plays, and the most CPU that a host may cost, in ms: a server
/// of TLS 1.2 alone, and one with 52 suites in four versions. Each suite that a
/// server takes costs a connection. A quarter more than was ever measured.
const CASES: [(&str, f64); 2] = [("tls12_client_preference", 1.9), ("tls_many_suites", 8.0)];

#[derive(Parser)]
struct Cli {
    /// Hosts, each at an address of its own.
    #[arg(long, default_value_t = 200)]
    hosts: usize,
    /// Times that the two scans take turns; the medians are shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Fail where a bound is broken.
    #[arg(long)]
    check: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    println!("{} hosts, {} cores shared with the fleet", cli.hosts, std::thread::available_parallelism()?);
    println!(
        "{:<24} {:>8} {:>12} {:>12} {:>16}",
        "", "suites", "connections", "ms a host", "us a connection"
    );
    for (scenario, ms_max) in CASES {
        let ms = measure(&cli, scenario)?;
        ensure!(!cli.check || ms <= ms_max, "{scenario}: {ms:.2} ms a host, over {ms_max}");
    }
    Ok(())
}

/// CPU of a host, in ms.
fn measure(cli: &Cli, scenario: &str) -> anyhow::Result<f64> {
    let dir = TempDir::new()?;
    let lab = Lab::start(dir.path(), scenario, cli.hosts)?;
    let mut costs = Vec::new();
    let (mut connections, mut suites) = (0, 0);
    for round in 0..cli.rounds.max(1) {
        let (plain, _) = scan(dir.path(), &lab, &format!("plain-{round}"), &[])?;
        let name = format!("whole-{round}");
        let (whole, made) = scan(dir.path(), &lab, &name, &["--enumerate"])?;
        let rows = fs::read_to_string(dir.path().join(name).join("suites.csv"))?;
        suites = rows.lines().filter(|row| row.contains(",TLS_")).count() / cli.hosts;
        connections = made;
        costs.push(whole - plain);
    }
    costs.sort_by(f64::total_cmp);
    let cost = costs[costs.len() / 2] * 1000.0 / cli.hosts as f64;
    let each = connections as f64 / cli.hosts as f64 - 1.0;
    println!("{scenario:<24} {suites:>8} {each:>12.0} {cost:>12.2} {:>16.1}", cost * 1000.0 / each);
    Ok(cost)
}

/// CPU of a scan in seconds, process start and output included, and the
/// connections that it made.
fn scan(dir: &Path, lab: &Lab, name: &str, words: &[&str]) -> anyhow::Result<(f64, u64)> {
    let before = cpu_of_children()?;
    let output = Command::new(env!("CARGO_BIN_EXE_mxray"))
        .current_dir(dir)
        .args(["scan", "endpoints.csv", "--input", "endpoints", "-o", name, "--port", &lab.port])
        .args(["--rate", "0", "--per-ip-interval", "0", "--allow-private", "--roots", "roots.pem"])
        .args(["--ehlo", "bench.example"])
        .args(words)
        .output()?;
    let cpu = cpu_of_children()? - before;
    ensure!(output.status.success(), "the scan failed: {}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&fs::read(dir.join(name).join("run.json"))?)?;
    Ok((cpu, told["counts"]["connections"].as_u64().context("connections")?))
}

/// CPU of all processes that this one has waited for, in seconds.
fn cpu_of_children() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
