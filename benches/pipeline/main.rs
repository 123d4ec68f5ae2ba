//! The whole scanner against the lab in another process, beside the floor in
//! the same run: handshakes a second, CPU a handshake of the scanner alone,
//! peak memory, and the ratio to the floor.
//!
//! ```text
//! cargo bench --bench pipeline                     # the table
//! cargo bench --bench pipeline -- --check          # and fail where a bound is broken
//! cargo bench --bench pipeline -- --quick --check  # a short one with wide bounds, for CI
//! cargo bench --bench pipeline -- parked --check   # memory of 10,000 sessions that wait
//! cargo bench --bench pipeline -- lookups --check  # a question to the DNS, beside dnsperf
//! ```
//!
//! Everything goes to loopback addresses and ends with the list.

mod floor;
mod lab;
mod lookups;
mod parked;
mod timed;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use floor::FloorArgs;
use lab::Lab;
use lookups::AskArgs;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use timed::{TimedArgs, Took};

/// What the fleet plays.
struct Case {
    scenario: &'static str,
    title: &'static str,
    /// For a whole run on a machine that does nothing else.
    bounds: Bounds,
}

const CASES: [Case; 3] = [
    Case {
        scenario: "tls13_ecdsa",
        title: "TLS 1.3 ECDSA, a certificate an endpoint",
        bounds: Bounds { ratio_max: 1.2, domains_ratio_max: 1.6, memory_mib_max: 105.0 },
    },
    Case {
        scenario: "tls13_rsa",
        title: "TLS 1.3 RSA, a certificate an endpoint",
        bounds: Bounds { ratio_max: 1.2, domains_ratio_max: 1.65, memory_mib_max: 110.0 },
    },
    Case {
        scenario: "provider_tenants",
        title: "TLS 1.3 ECDSA, one certificate for all",
        bounds: Bounds { ratio_max: 0.95, domains_ratio_max: 1.35, memory_mib_max: 86.0 },
    },
];

/// What a run is held against: within a quarter of what is measured, and so far
/// above it that the noise of a shared machine does not break it.
struct Bounds {
    /// CPU of the scanner a handshake over that of the floor, at most.
    ratio_max: f64,
    /// The same for the scan by name, DNS and rows of domains included.
    domains_ratio_max: f64,
    /// Peak memory in MiB at 1,000 in flight, at most.
    memory_mib_max: f64,
}

/// For a short run among others: a quarter more than is measured at the dearest
/// case, RSA, so that noise does not break it, and a signature too many may.
const BOUNDS_QUICK: Bounds = Bounds { ratio_max: 1.4, domains_ratio_max: 1.9, memory_mib_max: 100.0 };

/// Endpoints and rounds of a short run.
const QUICK: (usize, usize) = (3000, 3);

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
    /// Times that floors and scanner take turns; the medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A short run, with bounds that noise does not break.
    #[arg(long)]
    quick: bool,
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
    /// Memory of the scanner while 10,000 servers hold their banners back.
    Parked {
        /// Fail where the bound is broken.
        #[arg(long)]
        check: bool,
    },
    /// What a question to the DNS costs, beside `dnsperf`, which must be there.
    Lookups {
        /// Fail where the bound is broken.
        #[arg(long)]
        check: bool,
    },
    /// The lookups of a list alone.
    Ask(AskArgs),
    /// A command, and what it took.
    Timed(TimedArgs),
}

/// One round: everything once, so that all met the same machine.
struct Round {
    /// The floor that accepts any chain.
    bare: Took,
    floor: Took,
    /// The scanner over the list of endpoints.
    scan: Took,
    /// The scanner over the list of domains, which asks for mail hosts alone.
    domains: Took,
    /// The same, which asks for DANE, MTA-STS and TLS-RPT too, as it does by
    /// default.
    policies: Took,
}

fn main() -> anyhow::Result<()> {
    let mut cli = Cli::parse();
    match &cli.part {
        Some(Part::Floor(args)) => return floor::run(args),
        Some(Part::Timed(args)) => return timed::run(args),
        Some(Part::Parked { check }) => return parked::run(*check),
        Some(Part::Lookups { check }) => return lookups::run(*check),
        Some(Part::Ask(args)) => return lookups::ask(args),
        None => {}
    }
    if cli.quick {
        (cli.endpoints, cli.rounds) = QUICK;
    }
    println!(
        "{} endpoints, {} in flight, {} cores shared with the fleet, median of {} rounds; CPU in µs a handshake",
        cli.endpoints,
        cli.in_flight,
        std::thread::available_parallelism()?,
        cli.rounds
    );
    println!(
        "{:<42}{:>8}{:>8}{:>8}{:>7}{:>9}{:>9}{:>10}{:>7}{:>6}",
        "", "bare", "floor", "mxray", "ratio", "to bare", "domains", "policies", "hs/s", "MiB"
    );
    let mut broken = Vec::new();
    for Case { scenario, title, bounds } in &CASES {
        let medians = show(&cli, title, &measure(&cli, scenario)?);
        let bounds = if cli.quick { &BOUNDS_QUICK } else { bounds };
        broken.extend(over(bounds, &medians).into_iter().map(|what| format!("{title}: {what}")));
    }
    ensure!(!cli.check || broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

/// What is held to a bound.
struct Medians {
    ratio: f64,
    domains_ratio: f64,
    memory_mib: f64,
}

/// Each bound that is broken.
fn over(bounds: &Bounds, medians: &Medians) -> Vec<String> {
    [
        ("the ratio", medians.ratio, bounds.ratio_max),
        ("the ratio of the scan by name", medians.domains_ratio, bounds.domains_ratio_max),
        ("the memory in MiB", medians.memory_mib, bounds.memory_mib_max),
    ]
    .into_iter()
    .filter(|(_, is, most)| is > most)
    .map(|(what, is, most)| format!("{what}, {is:.2}, is over {most}"))
    .collect()
}

/// Prints the medians.
fn show(cli: &Cli, title: &str, rounds: &[Round]) -> Medians {
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let each = |took: Took| took.cpu_s * 1e6 / cli.endpoints as f64;
    let ratio = median(&|round| round.scan.cpu_s / round.floor.cpu_s);
    let domains_ratio = median(&|round| round.domains.cpu_s / round.floor.cpu_s);
    let memory_mib =
        median(&|round| round.scan.memory_mib.max(round.domains.memory_mib).max(round.policies.memory_mib));
    println!(
        "{title:<42}{:>8.0}{:>8.0}{:>8.0}{ratio:>7.2}{:>9.2}{:>9.0}{:>10.0}{:>7.0}{memory_mib:>6.0}",
        median(&|round| each(round.bare)),
        median(&|round| each(round.floor)),
        median(&|round| each(round.scan)),
        median(&|round| round.scan.cpu_s / round.bare.cpu_s),
        median(&|round| each(round.domains)),
        median(&|round| each(round.policies)),
        median(&|round| cli.endpoints as f64 / round.scan.wall_s),
    );
    Medians { ratio, domains_ratio, memory_mib }
}

/// Floors and scanner in turns against one fleet.
fn measure(cli: &Cli, scenario: &str) -> anyhow::Result<Vec<Round>> {
    let dir = TempDir::new()?;
    let lab = Lab::start(dir.path(), scenario, cli.endpoints)?;
    let by_endpoint = ["endpoints.csv", "--input", "endpoints"];
    let by_domain = ["domains.txt", "--resolver", &lab.dns, "--no-dane", "--no-mta-sts"];
    let with_policies = &by_domain[..3];
    let floor = |more: &[&str]| run_floor(cli, dir.path(), &lab, more);
    let scan = |list: &[&str], name: &str| run_scan(cli, dir.path(), &lab, list, name);
    let round = |number: usize| {
        let bare = floor(&[])?;
        // What is compared takes turns in who goes first, so that what a place in
        // the round costs (sockets that linger, a core that grew warm) is paid by both.
        let run_floor = || floor(&["--roots", "roots.pem"]);
        let run_scan = || scan(&by_endpoint, &format!("endpoints-{number}"));
        let (by_floor, by_scan) = if number.is_multiple_of(2) {
            let first = run_floor()?;
            (first, run_scan()?)
        } else {
            let first = run_scan()?;
            (run_floor()?, first)
        };
        let domains = scan(&by_domain, &format!("domains-{number}"))?;
        let policies = scan(with_policies, &format!("policies-{number}"))?;
        Ok(Round { bare, floor: by_floor, scan: by_scan, domains, policies })
    };
    (0..cli.rounds.max(1)).map(round).collect()
}

fn run_floor(cli: &Cli, dir: &Path, lab: &Lab, more: &[&str]) -> anyhow::Result<Took> {
    let program = std::env::current_exe()?;
    let in_flight = cli.in_flight.to_string();
    let mut command = vec![program.to_str().context("a path that is no text")?];
    command.extend([
        "floor",
        "--endpoints",
        "endpoints.csv",
        "--port",
        &lab.port,
        "--concurrency",
        &in_flight,
    ]);
    command.extend(more);
    timed::measure(dir, &command)
}

/// A whole scan, process start and output included.
fn run_scan(cli: &Cli, dir: &Path, lab: &Lab, list: &[&str], run_dir: &str) -> anyhow::Result<Took> {
    let in_flight = cli.in_flight.to_string();
    let mut command = vec![env!("CARGO_BIN_EXE_mxray"), "scan", "-o", run_dir, "--port", &lab.port];
    command.extend([
        "--cool-down",
        "0",
        "--rate",
        "0",
        "--per-ip-interval",
        "0",
        "--per-ip-connections",
        "0",
    ]);
    command.extend(["--per-network-connections", "0", "--per-operator-connections", "0"]);
    command.extend(["--in-flight", &in_flight, "--allow-private", "--roots", "roots.pem"]);
    // One handshake a host, as the floor makes it: the sender's own hello, which
    // mostly follows, is not asked for.
    command.extend(["--ehlo", "bench.example", "--extra-client-hellos", "0"]);
    command.extend(list);
    let took = timed::measure(dir, &command)?;
    let told: serde_json::Value = serde_json::from_slice(&fs::read(dir.join(run_dir).join("run.json"))?)?;
    let ok = told["summary"]["endpoints"]["outcomes"]["ok"].as_u64().unwrap_or_default();
    ensure!(usize::try_from(ok)? == cli.endpoints, "{ok} of {} endpoints were ok", cli.endpoints);
    Ok(took)
}
