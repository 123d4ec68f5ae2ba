//! What `mxray bench` takes.

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

    /// The host of TARGET again, to say that the load is yours to make; loopback needs no such word
    #[arg(long, value_name = "HOST")]
    pub i_own_this_server: Option<String>,

    /// Sessions under way at a time: each begins when another has ended [default: 8]
    #[arg(
        long,
        value_name = "N",
        help_heading = "Load",
        conflicts_with = "rate",
        allow_negative_numbers = true
    )]
    pub concurrency: Option<u32>,

    /// Sessions begun a second, whatever the server does, each timed from the moment at which it was due
    #[arg(long, value_name = "N", help_heading = "Load", allow_negative_numbers = true)]
    pub rate: Option<u32>,

    /// End after so many sessions
    #[arg(long, value_name = "N", help_heading = "Load", allow_negative_numbers = true)]
    pub count: Option<u64>,

    /// End after this time, 1h at most [default: 10s, or with --count 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Load", allow_negative_numbers = true)]
    pub duration: Option<Duration>,

    /// Resume TLS sessions; those that bring the first tickets are not counted
    #[arg(long, help_heading = "Load")]
    pub resume: bool,

    /// Make the load so many times over; figures are then medians of the rounds, and a comparison knows what they scatter
    #[arg(long, value_name = "N", help_heading = "Load", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100), allow_negative_numbers = true)]
    pub rounds: u32,

    /// Write what was measured (JSON)
    #[arg(long, value_name = "FILE", help_heading = "Comparison")]
    pub save: Option<PathBuf>,

    /// Compare with what an earlier run saved; ends with 1 where the throughput, a median or a 99th percentile is worse
    #[arg(long, value_name = "FILE", help_heading = "Comparison")]
    pub baseline: Option<PathBuf>,

    /// How much worse is still as good
    #[arg(long, value_name = "N%", value_parser = parse_percent, default_value = "10%", help_heading = "Comparison", allow_negative_numbers = true)]
    pub tolerance: f64,

    /// A time that grew by less than this is never worse
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "250us", help_heading = "Comparison", allow_negative_numbers = true)]
    pub least_change: Duration,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub dialogue: DialogueArgs,
}
