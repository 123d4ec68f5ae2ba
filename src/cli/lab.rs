//! The options of the commands that bring a fleet of mail servers with them.

use super::{CompressArgs, SummaryArgs};
use clap::{ArgGroup, Args};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `mxray demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Directory to write the run to [default: mxray-demo-DATE-TIME]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub compress: CompressArgs,

    /// Number of domains
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub domains: u32,

    /// Seed: the same seed and list give each domain the same scenario
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub summary: SummaryArgs,
}

/// `mxray lab`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("served").required(true).args(["domains", "population", "list", "check"])))]
pub struct LabArgs {
    /// List of the domains to serve (as INPUT of scan)
    #[arg(long, value_name = "FILE")]
    pub domains: Option<String>,

    /// Serve a population instead: domains by shares, as in datasets/population (TOML)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "hosts_per_scenario"])]
    pub population: Option<PathBuf>,

    /// Number of domains of the population
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "population", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,

    /// Print the scenarios, a line each, and end
    #[arg(long)]
    pub list: bool,

    /// Hold a run against what the lab played, tell each difference, and end: exit code 6 if there is one. The truth is
    /// what --truth wrote [default: truth.csv in the run directory, where a demo has it]
    #[arg(long, num_args = 1..=2, value_names = ["RUN_DIR", "TRUTH"], conflicts_with_all = ["write_list", "truth", "roots", "endpoints", "connectors", "log", "counters", "scenario"])]
    pub check: Vec<PathBuf>,

    /// Write the domains that are served, one a line
    #[arg(long, value_name = "FILE")]
    pub write_list: Option<PathBuf>,

    /// Address of the DNS server, UDP and TCP; loopback only, port 0: any free port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = parse_listen)]
    pub listen_dns: SocketAddr,

    /// Port of the mail servers; 0: any free port
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub smtp_port: u16,

    /// Port of the policy hosts of MTA-STS; 0: any free port
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub policy_port: u16,

    /// Seed: the same seed and list give each domain the same scenario
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Only this scenario; repeatable [default: all whose weight is over 0]
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,

    /// Number of addresses for the mail hosts of each scenario
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub hosts_per_scenario: u32,

    /// Write what mxray must find for each domain (CSV)
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,

    /// Write the certificates of the fleet's roots (PEM), for --roots
    #[arg(long, value_name = "FILE")]
    pub roots: Option<PathBuf>,

    /// Write the fleet's endpoints, for --input endpoints
    #[arg(long, value_name = "FILE")]
    pub endpoints: Option<PathBuf>,

    /// Write the connectors of the fleet's domains (TOML), for --connectors
    #[arg(long, value_name = "FILE")]
    pub connectors: Option<PathBuf>,

    /// Write every connection to a mail server as it ends: when, by whom, how far it went and how it
    /// ended (JSON Lines)
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Write the connections and handshakes of each endpoint when the lab ends (CSV)
    #[arg(long, value_name = "FILE")]
    pub counters: Option<PathBuf>,
}

/// Reads `ADDR:PORT`.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not ADDR:PORT; try 127.0.0.1:0".to_string())
}
