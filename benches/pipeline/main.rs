//! The whole scanner against the lab in another process, beside the floor in
//! the same run: handshakes a second, CPU a handshake of the scanner alone,
//! peak memory, and the ratio to the floor.
//!
//! ```text
//! cargo bench --bench pipeline                     # the table
//! cargo bench --bench pipeline -- --check          # and fail where a bound is broken
//! ```
//!
//! Everything goes to loopback addresses and ends with the list.

mod floor;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use floor::FloorArgs;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// What the fleet plays: the scenario, and what is said of it.
const CASES: [(&str, &str); 3] = [
    ("tls13_ecdsa", "TLS 1.3 ECDSA, a certificate an endpoint"),
    ("provider_tenants", "TLS 1.3 ECDSA, one certificate for all"),
    ("tls13_rsa", "TLS 1.3 RSA, a certificate an endpoint"),
];

/// The case that the bounds are for.
const CHECKED_CASE: &str = "tls13_ecdsa";

/// CPU of the scanner a handshake, over that of the floor, at most.
const RATIO_MAX: f64 = 1.45;

/// Handshakes a second on two cores shared with the fleet, at least.
const RATE_MIN: f64 = 3000.0;

/// Peak memory in MiB at 1,000 in flight, at most.
const MEMORY_MIB_MAX: f64 = 100.0;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    /// Endpoints in the list.
    #[arg(long, default_value_t = 10_000)]
    endpoints: usize,
    /// Connections in flight.
    #[arg(long, default_value_t = 1000)]
    in_flight: usize,
    /// Times that floor and scanner take turns; the medians are shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Fail where a bound is broken.
    #[arg(long)]
    check: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Part {
    /// The plainest client alone.
    Floor(FloorArgs),
}

/// One run over the list.
#[derive(Clone, Copy, Debug)]
struct Run {
    cpu_ms: f64,
    rate: f64,
    memory_mib: f64,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(Part::Floor(args)) = &cli.part {
        return floor::run(args);
    }
    println!(
        "{} endpoints, {} in flight, {} cores shared with the fleet, median of {} rounds",
        cli.endpoints,
        cli.in_flight,
        std::thread::available_parallelism()?,
        cli.rounds
    );
    println!(
        "{:<42} {:>11} {:>11} {:>6} {:>11} {:>9}",
        "", "floor ms", "mxray ms", "ratio", "mxray hs/s", "MiB"
    );
    for (scenario, title) in CASES {
        let (floor, mxray) = measure(&cli, scenario)?;
        let ratio = mxray.cpu_ms / floor.cpu_ms;
        println!(
            "{title:<42} {:>11.3} {:>11.3} {ratio:>6.2} {:>11.0} {:>9.0}",
            floor.cpu_ms, mxray.cpu_ms, mxray.rate, mxray.memory_mib
        );
        if cli.check && scenario == CHECKED_CASE {
            ensure!(ratio <= RATIO_MAX, "{title}: ratio {ratio:.2} is over {RATIO_MAX}");
            ensure!(mxray.rate >= RATE_MIN, "{title}: {:.0} handshakes/s, under {RATE_MIN}", mxray.rate);
            ensure!(mxray.memory_mib <= MEMORY_MIB_MAX, "{title}: {:.0} MiB", mxray.memory_mib);
        }
    }
    Ok(())
}

/// Floor and scanner in turns against one fleet; the medians.
fn measure(cli: &Cli, scenario: &str) -> anyhow::Result<(Run, Run)> {
    let dir = TempDir::new()?;
    let names: String = (0..cli.endpoints).map(|number| format!("h{number:06}.example\n")).collect();
    fs::write(dir.path().join("domains.txt"), names)?;
    let lab = Lab::start(dir.path(), scenario)?;
    let (mut floors, mut scans) = (Vec::new(), Vec::new());
    for round in 0..cli.rounds.max(1) {
        floors.push(run_floor(cli, dir.path(), &lab)?);
        scans.push(run_scan(cli, dir.path(), &lab, round)?);
    }
    Ok((median(floors), median(scans)))
}

fn median(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|a, b| a.cpu_ms.total_cmp(&b.cpu_ms));
    runs[runs.len() / 2]
}

/// `mxray lab` in a process of its own, ended when dropped.
struct Lab {
    process: Child,
    port: String,
}

impl Lab {
    fn start(dir: &Path, scenario: &str) -> anyhow::Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mxray"))
            .current_dir(dir)
            .args(["lab", "--domains", "domains.txt", "--scenario", scenario])
            .args(["--hosts-per-scenario", "1024", "--roots", "roots.pem", "--endpoints", "endpoints.csv"])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the lab")?;
        let stdout = process.stdout.take().context("no standard output")?;
        let mut ready = String::new();
        BufReader::new(stdout).read_line(&mut ready)?;
        let port = ready.split_whitespace().last().context("the lab did not start")?.to_string();
        Ok(Self { process, port })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let pid = i32::try_from(self.process.id()).map(Pid::from_raw);
        if let Ok(pid) = pid {
            let _ = kill(pid, Signal::SIGTERM);
        }
        let _ = self.process.wait();
    }
}

fn run_floor(cli: &Cli, dir: &Path, lab: &Lab) -> anyhow::Result<Run> {
    let output = Command::new(std::env::current_exe()?)
        .current_dir(dir)
        .args(["floor", "--endpoints", "endpoints.csv", "--port", &lab.port])
        .args(["--concurrency", &cli.in_flight.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the floor failed");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    ensure!(told["failures"] == 0, "the floor had failures: {told}");
    let number = |name: &str| told[name].as_f64().with_context(|| format!("the floor told no {name}"));
    Ok(Run {
        cpu_ms: number("cpu_ms_per_handshake")?,
        rate: number("handshakes_per_s")?,
        memory_mib: number("max_rss_mib")?,
    })
}

/// A whole scan, process start and output included.
fn run_scan(cli: &Cli, dir: &Path, lab: &Lab, round: usize) -> anyhow::Result<Run> {
    let run_dir = format!("run-{round}");
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_mxray"))
        .current_dir(dir)
        .args(["scan", "endpoints.csv", "--input", "endpoints", "-o", &run_dir, "--port", &lab.port])
        .args(["--rate", "0", "--per-ip-interval", "0", "--per-ip-connections", "0"])
        .args(["--in-flight", &cli.in_flight.to_string(), "--allow-private", "--roots", "roots.pem"])
        .args(["--ehlo", "bench.example"])
        .output()?;
    let wall = begun.elapsed().as_secs_f64();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    ensure!(output.status.success(), "the scan failed: {}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&fs::read(dir.join(&run_dir).join("run.json"))?)?;
    let ok = told["summary"]["endpoints"]["outcomes"]["ok"].as_f64().unwrap_or_default();
    ensure!(ok as usize == cli.endpoints, "{ok} of {} endpoints were ok", cli.endpoints);
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = seconds(after.user_time()) + seconds(after.system_time())
        - seconds(before.user_time())
        - seconds(before.system_time());
    Ok(Run {
        cpu_ms: cpu * 1000.0 / cli.endpoints as f64,
        rate: cli.endpoints as f64 / wall,
        // The largest child so far; the floor is far smaller than the scanner.
        memory_mib: after.max_rss() as f64 / 1024.0,
    })
}
