//! `mxray preflight`.

use super::values::parse_contact;
use super::{AskArgs, FormatArg};
use crate::model::DomainName;
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

/// Of the timeouts those that a preflight comes to.
pub(super) const TIMEOUT_HELP: &str = "Timeout of every phase (`20s`), or of one (`dns=5s`, `connect=5s`, `greeting=30s`, \
    `ehlo=15s`, `session=90s`); repeatable";

/// `mxray preflight`
#[derive(Debug, Args)]
pub struct PreflightArgs {
    /// Address that others see when this machine connects; repeatable [default: the public addresses of this machine]
    #[arg(long, value_name = "ADDR", help_heading = "Checks")]
    pub source: Vec<IpAddr>,

    /// List of addresses in the DNS (RFC 5782) in which the address should not be; repeatable
    #[arg(long, value_name = "ZONE", value_parser = DomainName::parse, help_heading = "Checks")]
    pub dnsbl: Vec<DomainName>,

    /// Mail server of your own, to see whether connections to port 25 leave this network; repeatable
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Checks")]
    pub egress_host: Vec<String>,

    /// Connections that the survey will have open at a time, as for scan
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Checks", allow_negative_numbers = true)]
    pub in_flight: u32,

    /// Slow connections that it will have open beside these, as for scan
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(0..=1_000_000), help_heading = "Checks", allow_negative_numbers = true)]
    pub slow_in_flight: u32,

    /// Write the file that tells who asks, for /.well-known/probing.txt under the name of --ehlo (RFC 9511); not over a file that is there
    #[arg(long, value_name = "FILE", requires = "contact", help_heading = "Probing file")]
    pub probing_file: Option<PathBuf>,

    /// Mail address or URL to write to
    #[arg(long, value_name = "TEXT", value_parser = parse_contact, help_heading = "Probing file")]
    pub contact: Option<String>,

    /// What the survey is, in one line
    #[arg(long, value_name = "TEXT", requires = "probing_file", help_heading = "Probing file")]
    pub description: Option<String>,

    /// Format of the report: `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: FormatArg,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,
}
