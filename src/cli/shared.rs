//! Options that several commands take, in groups of which a command takes
//! only those that do something there.

use super::values::{TimeoutArg, parse_duration, parse_resolver, parse_time_limit};
use crate::model::hello::{ENUMERATION_CONNECTIONS_MAX, EXTRA_CLIENT_HELLOS};
use clap::{ArgAction, Args};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How fast to go.
#[derive(Debug, Args)]
pub struct PaceArgs {
    /// New connections per second; 0: no limit
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

    /// Open connections to one address; 0: no limit
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "Pacing",
        allow_negative_numbers = true
    )]
    pub per_ip_connections: u32,

    /// Connections to one address in any minute; 0: no limit
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_ip_rate: u32,

    /// Open connections to one network, a /24 of IPv4 or a /48 of IPv6; 0: no limit
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        help_heading = "Pacing",
        allow_negative_numbers = true
    )]
    pub per_network_connections: u32,

    /// Pause between two connections to one network; 0: none
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_network_interval: Duration,

    /// Connections to one network in any minute; 0: no limit
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_network_rate: u32,

    /// Open connections to the hosts of one operator, that is of one registrable domain; 0: no limit
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        help_heading = "Pacing",
        allow_negative_numbers = true
    )]
    pub per_operator_connections: u32,

    /// Pause between two connections to one operator; 0: none
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_operator_interval: Duration,

    /// Connections to one operator in any minute; 0: no limit
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_operator_rate: u32,

    /// Open connections in total, but for those of --slow-in-flight
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub in_flight: u32,

    /// Open connections beside these, of hosts that take longer than 2 s: each makes room for another where all of --in-flight are open; 0: none does
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(0..=100_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub slow_in_flight: u32,

    /// Seed of the draw among the hosts that may be connected to; which these are depends on time, too [default: drawn, and told in run.json]
    #[arg(long, value_name = "N", help_heading = "Pacing")]
    pub seed: Option<u64>,

    /// DNS lookups at the same time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Pacing", allow_negative_numbers = true)]
    pub lookups_in_flight: u32,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub again: AgainArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub cool_downs: CoolDownArgs,
}

/// How long who complains is left alone.
#[derive(Clone, Copy, Debug, Args)]
pub struct CoolDownArgs {
    /// How long an address is left alone that says "not now" (421, other 4xx), three times in a row breaks off or is silent, or opens no more after it spoke; and its network or operator if three addresses of it do; each further time five times as long; 0: it is asked again after --retry-delay
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub cool_down: Duration,

    /// Longest time that an address is left alone at once
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub cool_down_max: Duration,
}

/// When and how often a host is asked again.
#[derive(Clone, Copy, Debug, Args)]
pub struct AgainArgs {
    /// Retries of an endpoint that throttles us, times out or hangs up; of a domain too
    /// to which the DNS gives no answer, or whose policy host fails so
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10), help_heading = "Pacing", allow_negative_numbers = true)]
    pub retries: u32,

    /// Pause before the first retry; doubles with each
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub retry_delay: Duration,

    /// Pause before the second look at an endpoint that says it has no TLS, or whose handshake fails with every client; 0: at once
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub second_look_delay: Duration,
}

/// How often one address is connected to.
#[derive(Clone, Copy, Debug, Args)]
pub struct IntervalArgs {
    /// Pause between two connections to one address; 0: none
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_ip_interval: Duration,
}

/// Which mail goes by a connector.
#[derive(Debug, Default, Args)]
pub struct ConnectorArgs {
    /// Outbound connectors: TOML, or the CSV of `Get-OutboundConnector | Export-Csv` (a name that ends in .csv)
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub connectors: Option<PathBuf>,

    /// Accepted domain of the organisation, for connectors with AllAcceptedDomains; repeatable
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

    /// CIDR ranges, addresses and domains never to contact, one a line; repeatable. While a scan runs, SIGHUP reads the
    /// files again
    #[arg(long, value_name = "FILE", help_heading = "Manners")]
    pub blocklist: Vec<PathBuf>,

    /// Connect to loopback, private and reserved addresses, too
    #[arg(long, help_heading = "Manners")]
    pub allow_private: bool,
}

/// Hosts of the user's own that tell whether the network is well.
#[derive(Debug, Args)]
pub struct CanaryArgs {
    /// Mail server of your own that is asked now and then; repeatable. When most of those that answered before refuse
    /// twice in a row, the run pauses until they answer, and whoever could not be connected to meanwhile is asked again
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Manners")]
    pub canary: Vec<String>,

    /// Time from one look at the canaries to the next; a sixth of it after they refused
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_time_limit, requires = "canary", help_heading = "Manners")]
    pub canary_interval: Duration,
}

/// How a host is found and spoken to.
#[derive(Debug, Args)]
pub struct DialogueArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub client: ClientCertArgs,

    /// Host name to send in EHLO [default: the name of this host]
    #[arg(long, value_name = "NAME", help_heading = "Connecting")]
    pub ehlo: Option<String>,

    /// TCP port of the mail hosts
    #[arg(long, value_name = "PORT", default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Connecting")]
    pub port: u16,

    /// Timeout of every phase but `session` (`20s`), or of one (`greeting=60s`); repeatable. `session` is the whole of a
    /// connection, and never less than the `20s`; `connect` is for the first connection to a host, `connect_retry` for every later one, and for the first, too, with --retries 0
    /// [default: dns=5s, connect=5s, connect_retry=10s, greeting=30s, ehlo=15s, starttls=15s, tls=15s, after_tls=15s, quit=2s, session=90s]
    #[arg(long, value_name = "[PHASE=]TIME", value_delimiter = ',', help_heading = "Connecting")]
    pub timeout: Vec<TimeoutArg>,

    /// DNS resolver; repeatable [default: those of the system]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_resolver, help_heading = "Connecting")]
    pub resolver: Vec<SocketAddr>,

    /// Use IPv4, even without a route (without --ipv6: IPv4 only)
    #[arg(long, help_heading = "Connecting")]
    pub ipv4: bool,

    /// Use IPv6, even without a route (without --ipv4: IPv6 only)
    #[arg(long, help_heading = "Connecting")]
    pub ipv6: bool,

    /// Make a new key share for every handshake [default: a new one every minute]
    #[arg(long, help_heading = "Connecting")]
    pub fresh_key_shares: bool,

    /// Log to standard error; twice (-vv): every step of each session
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Further ClientHellos to a host, each on a connection of its own.
#[derive(Clone, Copy, Debug, Args)]
pub struct HelloArgs {
    /// Send the sender's own ClientHello to every host that speaks TLS, also where the answer could change nothing
    #[arg(long, help_heading = "Further ClientHellos")]
    pub sender_hello: bool,

    /// Further ClientHellos and second handshakes to a host, where the first handshake does not tell what the sender would get; 0: none
    #[arg(long, alias = "hellos-per-host", value_name = "N", help_heading = "Further ClientHellos", default_value_t = EXTRA_CLIENT_HELLOS as u32, value_parser = clap::value_parser!(u32).range(0..=100), allow_negative_numbers = true)]
    pub extra_client_hellos: u32,

    /// Find every version, suite and group that each host accepts: usually 30 to 130 connections to a host, --per-ip-interval apart
    #[arg(long, visible_alias = "suites", help_heading = "Further ClientHellos")]
    pub enumerate: bool,

    /// Limit of connections to a host for --enumerate
    #[arg(long, value_name = "N", help_heading = "Further ClientHellos", default_value_t = ENUMERATION_CONNECTIONS_MAX as u32, value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "enumerate", allow_negative_numbers = true)]
    pub enumerate_connections: u32,
}

impl Default for HelloArgs {
    /// As if none of the options was given.
    fn default() -> Self {
        Self {
            sender_hello: false,
            extra_client_hellos: EXTRA_CLIENT_HELLOS as u32,
            enumerate: false,
            enumerate_connections: ENUMERATION_CONNECTIONS_MAX as u32,
        }
    }
}

/// What to show to servers that ask for a client certificate.
#[derive(Debug, Args)]
pub struct ClientCertArgs {
    /// Certificate to show to servers that ask for one: PEM, leaf first
    #[arg(long, value_name = "FILE", help_heading = "Connecting", requires = "client_key")]
    pub client_cert: Option<PathBuf>,

    /// Its private key, PEM
    #[arg(long, value_name = "FILE", help_heading = "Connecting", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
}

/// How to judge what was seen.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgingArgs {
    /// Trusted roots: `mozilla`, `microsoft`, `system` or a file (PEM or DER); repeatable, all count together [default: mozilla]
    #[arg(long, value_name = "STORE")]
    pub roots: Vec<String>,

    /// Which certificates are expected: `exchange-online` or a TOML file; repeatable, the first that applies counts
    #[arg(long, value_name = "NAME|FILE")]
    pub expect: Vec<String>,

    /// The sending system: a built-in one by name, or a TOML file [default: exchange-online]
    #[arg(long, value_name = "NAME|FILE")]
    pub sender: Option<String>,

    /// What the sender does after a failed handshake, whatever its file says: `plaintext` or `defer`
    #[arg(long, value_name = "WHAT", value_parser = ["plaintext", "defer"], hide_possible_values = true)]
    pub after_tls_failure: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connectors: ConnectorArgs,
}
