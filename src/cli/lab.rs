//! The options of the commands that bring a fleet of mail servers with them.

use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `mxray demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Directory to write the run to [default: mxray-demo-DATE-TIME]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    /// How many domains to make up
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub domains: u32,

    /// Which domain plays what follows from this
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// `mxray lab`
#[derive(Debug, Args)]
pub struct LabArgs {
    /// List of the domains to serve (as INPUT of scan)
    #[arg(long, value_name = "FILE")]
    pub domains: String,

    /// Where to answer DNS, UDP and TCP; loopback only, port 0: any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = parse_listen)]
    pub listen_dns: SocketAddr,

    /// Port of the mail servers; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub smtp_port: u16,

    /// Which domain plays what follows from this
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Only these scenarios, in shares by their weights; repeatable [default: all that have one]
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,

    /// Addresses that the mail hosts of one scenario are spread over
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub hosts_per_scenario: u32,

    /// Write what mxray has to find for each domain
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,

    /// Write the certificates of the fleet's roots (PEM), for --roots
    #[arg(long, value_name = "FILE")]
    pub roots: Option<PathBuf>,

    /// Write the fleet's endpoints, for --input endpoints
    #[arg(long, value_name = "FILE")]
    pub endpoints: Option<PathBuf>,

    /// Write the connectors that domains of the fleet are under (TOML), for --connectors
    #[arg(long, value_name = "FILE")]
    pub connectors: Option<PathBuf>,

    /// Write what was asked of each endpoint when the lab ends
    #[arg(long, value_name = "FILE")]
    pub counters: Option<PathBuf>,
}

/// Reads `ADDR:PORT`.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "no ADDR:PORT; try 127.0.0.1:0".to_string())
}
