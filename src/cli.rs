//! The command line as types: what may be said, not what is done about it.

use crate::model::hello::{ENUMERATION_CONNECTIONS_MAX, HELLOS_PER_HOST};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What a caller may rely on; the other half is in [`crate::command`].
const EXIT_CODES: &str = "Exit codes: 0 done; 1 broke off; 2 the command line, or a file named on it, \
    cannot be used; 130 stopped by Ctrl-C, 143 by SIGTERM.";

/// Surveys how mail domains answer STARTTLS, and says what each answer means
/// for the mail sent there.
#[derive(Debug, Parser)]
#[command(
    name = "mxray",
    version,
    arg_required_else_help = true,
    args_override_self = true,
    max_term_width = 100,
    after_help = EXIT_CODES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Survey a list of domains and write a run directory
    Scan(Box<ScanArgs>),
    /// Ask one domain, host or address, and tell the whole dialogue
    #[command(after_help = "The exit code is 0 whatever the target answers: a refusal is an answer, too.")]
    Probe(Box<ProbeArgs>),
    /// Judge the observations of a run again, without a packet
    #[command(
        after_help = "What is not named is that of the run: the same roots and the same moment give the same files."
    )]
    Judge(Box<JudgeArgs>),
    /// Scan 2,000 made-up domains on a fleet of mail servers inside this process
    Demo(DemoArgs),
    /// Run the fleet of mail servers and their DNS on loopback
    Lab(LabArgs),
    /// Say whether a root certificate is in a root store, or what is in it
    Roots(RootsArgs),
    /// Ask whether the certificates of a target are revoked, and whether those who tell are reached
    #[command(
        after_help = "Exit codes: 0 none is revoked, all with proof, and every address was reached; 1 broke \
        off; 2 wrong use; 3 one is revoked; 4 not determined: an address was not reached, or does not tell."
    )]
    Revocation(Box<RevocationArgs>),
}

/// What the lines of an input list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputKind {
    /// Mail domains: one a line, CSV with a header, or ranked CSV
    Domains,
    /// Endpoints without DNS: CSV `ip[,name[,port]]`
    Endpoints,
}

/// How rows go to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StreamFormat {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// `mxray scan`
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// The list: a file (`.gz` is unpacked), or `-` for standard input
    #[arg(value_name = "INPUT")]
    pub list: String,

    /// Directory to write the run to [default: mxray-DATE-TIME, or none with --format]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    /// What the lines of INPUT are: `domains`, or `endpoints` without DNS (CSV `ip[,name[,port]]`)
    #[arg(long, value_name = "KIND", default_value = "domains", hide_possible_values = true)]
    pub input: InputKind,

    /// Column that holds the domain, in CSV with a header [default: domain]
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,

    /// Write a row for each domain to standard output: `csv` with a header, or `jsonl`
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<StreamFormat>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub pace: PaceArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,
}

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

    /// Least time between two connections to one address; 0: none
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub per_ip_interval: Duration,

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

    /// Further attempts at an endpoint that throttles us, times out or hangs up
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10), help_heading = "Pacing", allow_negative_numbers = true)]
    pub retries: u32,

    /// Pause before the first further attempt; doubles with each
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration, help_heading = "Pacing", allow_negative_numbers = true)]
    pub retry_delay: Duration,
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

/// How to ask.
#[derive(Debug, Args)]
pub struct AskArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub hellos: HelloArgs,

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

    /// Ask over IPv4 (alone: nothing over IPv6)
    #[arg(long, help_heading = "Asking")]
    pub ipv4: bool,

    /// Ask over IPv6 (alone: nothing over IPv4)
    #[arg(long, help_heading = "Asking")]
    pub ipv6: bool,

    /// Make a key pair for every handshake (by default one serves a minute of them)
    #[arg(long, help_heading = "Asking")]
    pub fresh_key_shares: bool,

    /// CIDR ranges, addresses and domains never to ask, one a line; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Manners")]
    pub blocklist: Vec<PathBuf>,

    /// Connect to loopback, private and reserved addresses too
    #[arg(long, help_heading = "Manners")]
    pub allow_private: bool,

    /// Say more on standard error; twice: what the libraries say
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// What else to ask of a host, each time on a connection of its own.
#[derive(Debug, Args)]
pub struct HelloArgs {
    /// Send the sender's exact offer to every host that speaks TLS, not only after a handshake that failed
    #[arg(long, help_heading = "Further hellos")]
    pub sender_hello: bool,

    /// Further hellos to a host whose handshake fails for want of a common version or suite; 0: none
    #[arg(long, value_name = "N", help_heading = "Further hellos", default_value_t = HELLOS_PER_HOST as u32, value_parser = clap::value_parser!(u32).range(0..=100), allow_negative_numbers = true)]
    pub hellos_per_host: u32,

    /// Find out every version, suite and group that each host takes, one by one: 20 to 40 connections to a usual host
    #[arg(long, visible_alias = "suites", help_heading = "Further hellos")]
    pub enumerate: bool,

    /// Most connections to a host for that
    #[arg(long, value_name = "N", help_heading = "Further hellos", default_value_t = ENUMERATION_CONNECTIONS_MAX as u32, value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "enumerate", allow_negative_numbers = true)]
    pub enumerate_connections: u32,
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
#[derive(Debug, Args)]
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

/// `mxray probe`
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Domain, host or address: `DOMAIN`, `HOST[:PORT]` or `IP[:PORT]`
    pub target: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,
}

/// `mxray judge`
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// The run directory whose observations to judge
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,

    /// Directory to write the new run to [default: mxray-judged-DATE-TIME]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    /// Judge dates and chains at this moment, RFC 3339 or a date (UTC) [default: that of the run]
    #[arg(long, value_name = "DATE", value_parser = parse_moment, help_heading = "Judging")]
    pub at: Option<Timestamp>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,
}

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

    /// Only these scenarios; repeatable [default: all]
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

    /// Write what was asked of each endpoint when the lab ends
    #[arg(long, value_name = "FILE")]
    pub counters: Option<PathBuf>,
}

/// `mxray revocation`
#[derive(Debug, Args)]
pub struct RevocationArgs {
    /// Domain, host or address as for `probe`; or a file with a certificate (DER), or a chain (PEM, leaf first)
    pub target: String,

    /// Leave out the addresses that Microsoft publishes for Exchange Online
    #[arg(long, help_heading = "Fetching")]
    pub chain_only: bool,

    /// Time for each address, redirects included
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = parse_duration, help_heading = "Fetching")]
    pub fetch_time: Duration,

    /// Longest answer that is taken, in bytes
    #[arg(long, value_name = "N", default_value_t = 33_554_432, value_parser = clap::value_parser!(u32).range(1..=33_554_432), help_heading = "Fetching")]
    pub fetch_bytes: u32,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,
}

/// `mxray roots`
#[derive(Debug, Args)]
pub struct RootsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RootsCommand,
}

/// What `mxray roots` does.
#[derive(Debug, Subcommand)]
pub enum RootsCommand {
    /// Say of each store whether the root that a partner needs is in it
    #[command(after_help = "Exit codes: 0 all present; 1 one is absent; 2 wrong use.")]
    Check(RootsCheckArgs),
    /// List the roots of each store
    List(RootsListArgs),
}

/// `mxray roots check`
#[derive(Debug, Args)]
pub struct RootsCheckArgs {
    /// The root: its SHA-256, its name as Microsoft publishes it, or a PEM file; repeatable
    #[arg(long, value_name = "ROOT", required = true)]
    pub needs: Vec<String>,

    /// The store: `system`, `mozilla`, `microsoft` or a PEM file; repeatable [default: system]
    #[arg(long, value_name = "STORE")]
    pub store: Vec<String>,
}

/// `mxray roots list`
#[derive(Debug, Args)]
pub struct RootsListArgs {
    /// The store: `system`, `mozilla`, `microsoft` or a PEM file; repeatable [default: system]
    #[arg(long, value_name = "STORE")]
    pub store: Vec<String>,
}

/// One value of `--timeout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeoutArg {
    /// The phase, or every phase.
    pub phase: Option<String>,
    /// Its time.
    pub time: Duration,
}

/// What `--timeout` can name.
pub const TIMEOUT_PHASES: [&str; 9] =
    ["dns", "connect", "greeting", "ehlo", "starttls", "tls", "after_tls", "quit", "session"];

impl FromStr for TimeoutArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (phase, time) = match text.split_once('=') {
            Some((phase, time)) => (Some(phase.trim()), time),
            None => (None, text),
        };
        if let Some(phase) = phase
            && !TIMEOUT_PHASES.contains(&phase)
        {
            return Err(format!("no phase `{phase}`; there are {}", TIMEOUT_PHASES.join(", ")));
        }
        let time = parse_duration(time)?;
        if time.is_zero() {
            return Err("a phase needs some time; try 10s".to_string());
        }
        Ok(Self { phase: phase.map(str::to_string), time })
    }
}

/// Longest duration that the command line takes.
const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);

/// Reads `250ms`, `1.5s`, `2m`, or a bare number of seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let hint = || "no time between 0 and 24h; try 250ms, 2s or 1m".to_string();
    let text = text.trim();
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| hint())?,
        Err(_) => {
            let signed: jiff::SignedDuration = text.parse().map_err(|_| hint())?;
            Duration::try_from(signed).map_err(|_| hint())?
        }
    };
    if duration > DURATION_MAX { Err(hint()) } else { Ok(duration) }
}

/// Reads a moment, or a date for its first moment in UTC.
fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: jiff::civil::Date| jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let moment = text.parse().ok().or_else(|| text.parse().ok().and_then(midnight));
    moment.ok_or_else(|| "no moment; try 2026-11-24 or 2026-11-24T12:00:00Z".to_string())
}

/// Reads `ADDR:PORT`.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "no ADDR:PORT; try 127.0.0.1:0".to_string())
}

/// Reads `ADDR:PORT`, or an address alone for port 53.
fn parse_resolver(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => return Err("port 0 answers nothing; try 53".to_string()),
        Ok(address) => return Ok(address),
        Err(_) => {}
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(ip) => Ok(SocketAddr::new(ip, 53)),
        Err(_) => Err("no ADDR:PORT; try 127.0.0.1:53 or [::1]:53".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            ("2", Some(Duration::from_secs(2))),
            ("0.5", Some(Duration::from_millis(500))),
            ("250ms", Some(Duration::from_millis(250))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("2m", Some(Duration::from_secs(120))),
            ("-1", None),
            ("-1s", None),
            ("", None),
            ("soon", None),
            ("NaN", None),
            ("25h", None),
        ] {
            assert_eq!(parse_duration(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_date_or_more() {
        let noon = "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(parse_moment("2026-11-24T13:00:00+01:00"), Ok(noon));
        assert_eq!(parse_moment("2026-11-24").map(|at| at.to_string()), Ok("2026-11-24T00:00:00Z".into()));
        for text in ["", "today", "2026-13-01", "1764000000"] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn timeouts_name_a_phase_or_none() {
        let all: TimeoutArg = "20s".parse().unwrap();
        assert_eq!((all.phase, all.time), (None, Duration::from_secs(20)));
        let one: TimeoutArg = "greeting=1m".parse().unwrap();
        assert_eq!((one.phase.as_deref(), one.time), (Some("greeting"), Duration::from_secs(60)));
        assert!("banner=1m".parse::<TimeoutArg>().is_err());
        assert!("greeting=0".parse::<TimeoutArg>().is_err());
    }
}
