//! Options that several commands take, in groups of which a command takes
//! only those that do something there.

use super::values::{TimeoutArg, parse_duration, parse_resolver};
use crate::model::hello::{ENUMERATION_CONNECTIONS_MAX, HELLOS_PER_HOST};
use clap::{ArgAction, Args};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How fast to go.
#[derive(Debug, Args)]
pub struct PaceArgs {
    /// Connections begun per second; 0: no limit
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        help_heading = "Pacing",
        allow_negative_numbers = true
    )]
    pub rate: u32,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub interval: IntervalArgs,

    /// Connections open to one address at a time; 0: no limit
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "Pacing",
        allow_negative_numbers = true
    )]
    pub per_ip_connections: u32,

    /// Connections open in all
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub in_flight: u32,

    /// Lookups under way at a time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub lookups_in_flight: u32,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub again: AgainArgs,
}

/// When and how often a host is asked again.
#[derive(Clone, Copy, Debug, Args)]
pub struct AgainArgs {
    /// Further attempts at an endpoint that throttles us, times out or hangs up
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10), help_heading = "Pacing", allow_negative_numbers = true)]
    pub retries: u32,

    /// Pause before the first further attempt; doubles with each
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub retry_delay: Duration,

    /// Pause before an endpoint that says it has no TLS is asked once more; 0: at once
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub second_look_delay: Duration,
}

/// How often one address is connected to.
#[derive(Clone, Copy, Debug, Args)]
pub struct IntervalArgs {
    /// Least time between two connections to one address; 0: none
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_ip_interval: Duration,
}

/// Which mail goes by a connector.
#[derive(Debug, Default, Args)]
pub struct ConnectorArgs {
    /// Outbound connectors: TOML, or the CSV of `Get-OutboundConnector | Export-Csv` (a name that ends in .csv)
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub connectors: Option<PathBuf>,

    /// Accepted domains of the organisation, for connectors that take them all; repeatable
    #[arg(
        long,
        value_name = "DOMAIN",
        value_delimiter = ',',
        requires = "connectors",
        help_heading = "Judging"
    )]
    pub accepted_domain: Vec<String>,
}

/// How to ask, and whom never.
#[derive(Debug, Args)]
pub struct AskArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dialogue: DialogueArgs,

    /// CIDR ranges, addresses and domains never to ask, one a line; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Manners")]
    pub blocklist: Vec<PathBuf>,

    /// Connect to loopback, private and reserved addresses too
    #[arg(long, help_heading = "Manners")]
    pub allow_private: bool,
}

/// How a host is found and spoken to.
#[derive(Debug, Args)]
pub struct DialogueArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub client: ClientCertArgs,

    /// Name to say in EHLO [default: the name of this host]
    #[arg(long, value_name = "NAME", help_heading = "Asking")]
    pub ehlo: Option<String>,

    /// TCP port of the mail hosts
    #[arg(long, value_name = "PORT", default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Asking")]
    pub port: u16,

    /// Time for every phase (`20s`) or for one (`greeting=60s`); repeatable
    /// [default: dns=5s, connect=10s, greeting=30s, ehlo=15s, starttls=15s, tls=15s, after_tls=15s, quit=2s, session=90s]
    #[arg(long, value_name = "[PHASE=]TIME", value_delimiter = ',', help_heading = "Asking")]
    pub timeout: Vec<TimeoutArg>,

    /// Resolver to ask; repeatable [default: those of the system]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_resolver, help_heading = "Asking")]
    pub resolver: Vec<SocketAddr>,

    /// Ask over IPv4, routed or not (alone: nothing over IPv6)
    #[arg(long, help_heading = "Asking")]
    pub ipv4: bool,

    /// Ask over IPv6, routed or not (alone: nothing over IPv4)
    #[arg(long, help_heading = "Asking")]
    pub ipv6: bool,

    /// Make a key pair for every handshake (by default one serves a minute of them)
    #[arg(long, help_heading = "Asking")]
    pub fresh_key_shares: bool,

    /// Say more on standard error; twice: what the libraries say
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// What else to ask of a host, each time on a connection of its own.
#[derive(Clone, Copy, Debug, Args)]
pub struct HelloArgs {
    /// Send the sender's exact offer to every host that speaks TLS, not only after a handshake that failed
    #[arg(long, help_heading = "Further hellos")]
    pub sender_hello: bool,

    /// Further hellos to a host whose handshake fails for want of a common version or suite; 0: none
    #[arg(long, value_name = "N", help_heading = "Further hellos", default_value_t = HELLOS_PER_HOST as u32, value_parser = clap::value_parser!(u32).range(0..=100), allow_negative_numbers = true)]
    pub hellos_per_host: u32,

    /// Find out every version, suite and group that each host takes, one by one: 30 to 130 connections to a usual host, --per-ip-interval apart
    #[arg(long, visible_alias = "suites", help_heading = "Further hellos")]
    pub enumerate: bool,

    /// Most connections to a host for that
    #[arg(long, value_name = "N", help_heading = "Further hellos", default_value_t = ENUMERATION_CONNECTIONS_MAX as u32, value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "enumerate", allow_negative_numbers = true)]
    pub enumerate_connections: u32,
}

impl Default for HelloArgs {
    /// As if none of the options was given.
    fn default() -> Self {
        Self {
            sender_hello: false,
            hellos_per_host: HELLOS_PER_HOST as u32,
            enumerate: false,
            enumerate_connections: ENUMERATION_CONNECTIONS_MAX as u32,
        }
    }
}

/// What to show to servers that ask for a client certificate.
#[derive(Debug, Args)]
pub struct ClientCertArgs {
    /// Certificate to show to servers that ask for one: PEM, leaf first
    #[arg(long, value_name = "FILE", help_heading = "Asking", requires = "client_key")]
    pub client_cert: Option<PathBuf>,

    /// Its private key, PEM
    #[arg(long, value_name = "FILE", help_heading = "Asking", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
}

/// How to judge what was seen.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgingArgs {
    /// Trusted roots: `mozilla`, `microsoft`, `system` or a PEM file; repeatable, all count together [default: mozilla]
    #[arg(long, value_name = "STORE")]
    pub roots: Vec<String>,

    /// What certificates should be: `exchange-online` or a TOML file; repeatable, the first that applies counts
    #[arg(long, value_name = "NAME|FILE")]
    pub expect: Vec<String>,

    /// Whose mail it is about: a sender by name, or a file that describes one [default: exchange-online]
    #[arg(long, value_name = "NAME|FILE")]
    pub sender: Option<String>,

    /// What the sender does after a handshake that failed, whatever its file says: `plaintext` or `defer`
    #[arg(long, value_name = "WHAT", value_parser = ["plaintext", "defer"], hide_possible_values = true)]
    pub after_tls_failure: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connectors: ConnectorArgs,
}
