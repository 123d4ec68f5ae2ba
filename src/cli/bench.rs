//! What `mxray bench` takes.

use super::FormatArgs;
use super::shared::DialogueArgs;
use super::values::{parse_duration, parse_percent};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// `mxray bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The server: `HOST[:PORT]` or `IP[:PORT]`; of a host with several addresses the first
    pub target: String,

    /// The host of TARGET again: the server is yours to put load on; not needed on loopback
    #[arg(long, value_name = "HOST")]
    pub i_own_this_server: Option<String>,

    /// Sessions at the same time: a new one begins when one has ended [default: 8]
    #[arg(
        long,
        value_name = "N",
        help_heading = "Load",
        conflicts_with = "rate",
        allow_negative_numbers = true
    )]
    pub concurrency: Option<u32>,

    /// New sessions per second, however slow the server is; each is timed from the moment when it was due
    #[arg(long, value_name = "N", help_heading = "Load", allow_negative_numbers = true)]
    pub rate: Option<u32>,

    /// Number of sessions
    #[arg(long, value_name = "N", help_heading = "Load", allow_negative_numbers = true)]
    pub count: Option<u64>,

    /// How long, 1h at most [default: 10s, or with --count 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Load", allow_negative_numbers = true)]
    pub duration: Option<Duration>,

    /// Resume TLS sessions; those that fetch the first tickets are not counted
    #[arg(long, help_heading = "Load")]
    pub resume: bool,

    /// Number of rounds; figures are then medians, and a comparison knows how much rounds differ
    #[arg(long, value_name = "N", help_heading = "Load", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100), allow_negative_numbers = true)]
    pub rounds: u32,

    /// Save the measurement (JSON) to a file that is not there yet
    #[arg(long, value_name = "FILE", help_heading = "Comparison")]
    pub save: Option<PathBuf>,

    /// Compare with a saved measurement; exit code 6 if the throughput, a median or a 99th percentile is worse, 4 if that
    /// cannot be told
    #[arg(long, value_name = "FILE", help_heading = "Comparison")]
    pub baseline: Option<PathBuf>,

    /// A difference up to this is not worse
    #[arg(long, value_name = "N%", value_parser = parse_percent, default_value = "10%", requires = "baseline", help_heading = "Comparison", allow_negative_numbers = true)]
    pub tolerance: f64,

    /// A time that grew by less than this is not worse
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "250us", requires = "baseline", help_heading = "Comparison", allow_negative_numbers = true)]
    pub least_change: Duration,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub telling: FormatArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub dialogue: DialogueArgs,
}
