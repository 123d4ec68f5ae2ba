//! The options of `mxray receive`.

use super::values::{parse_duration, parse_time_limit};
use crate::model::inbound::LearnOf;
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// `mxray receive`
#[derive(Debug, Args)]
pub struct ReceiveArgs {
    /// Address and port to listen on; loopback only, unless --public is given
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:2525", value_parser = parse_listen)]
    pub listen: SocketAddr,

    /// Listen where others can connect, too
    #[arg(long)]
    pub public: bool,

    /// Name in the greeting, and on a certificate that is made [default: the name of this host]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Certificate to show: PEM, leaf first [default: one is made for the run, under an authority in RUN_DIR]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,

    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Directory to write the run to [default: mxray-receive-DATE-TIME]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    /// Do this to every client, to see what it does then: `no-starttls`, `mangled`, `454`, `handshake-failure`,
    /// `tls12-only`, `tls10-only`, `expired`, `wrong-name`, `self-signed`, `ecdsa-only`, `slow` or `421` (docs/receive.md)
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub behave: Option<BehaveArg>,

    /// Reply code to every recipient: 450 and 451 keep the mail at the sender, 550 returns it
    #[arg(long, value_name = "CODE", default_value_t = 451, value_parser = parse_refusal)]
    pub refuse: u16,

    /// Pause before the greeting, to see who does not wait for it
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub greeting_delay: Duration,

    /// How long to watch for a sender to come again after a session without MAIL
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_time_limit)]
    pub watch: Duration,

    /// Write a file of the sender that came, for --sender: RUN_DIR/NAME.toml
    #[arg(long, value_name = "NAME", value_parser = parse_sender_name, help_heading = "Learning")]
    pub learn: Option<String>,

    /// Where what was not seen comes from, as an assumption: a sender by name, or a file, as of an earlier run
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "rfc9325",
        requires = "learn",
        help_heading = "Learning"
    )]
    pub learn_from: String,

    /// The sender to learn, if several come: its address, and its EHLO name where several come from there, as
    /// 192.0.2.1/out.example
    #[arg(long, value_name = "ADDR[/NAME]", requires = "learn", help_heading = "Learning")]
    pub learn_of: Option<LearnOf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: InboundJudgingArgs,

    /// End after so many sessions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sessions: Option<u64>,

    /// Sessions at once
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Limits")]
    pub at_once: u32,

    /// Sessions at once from one address
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Limits")]
    pub per_ip_at_once: u32,

    /// Longest session
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_time_limit, help_heading = "Limits")]
    pub session_time: Duration,

    /// Longest wait for a client to say something (RFC 5321 section 4.5.3.2.7: at least 5 minutes)
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time_limit, help_heading = "Limits")]
    pub silence: Duration,

    /// Most MiB of the files of the run; the listener ends there
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub disk_max: u32,

    /// User to run as once the port is bound, if started by root [default: nobody]
    #[arg(long, value_name = "USER", help_heading = "Limits")]
    pub user: Option<String>,

    /// Tell no session on standard output
    #[arg(short, long)]
    pub quiet: bool,
}

/// What sessions are judged by.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Judging")]
pub struct InboundJudgingArgs {
    /// Trusted roots of client certificates: `mozilla`, `microsoft`, `system` or a file (PEM or DER); repeatable, all
    /// count together [default: mozilla]
    #[arg(long, value_name = "STORE")]
    pub roots: Vec<String>,

    /// Inbound connectors to judge mail by: TOML, or the CSV of Get-InboundConnector with its lists joined (a name that
    /// ends in .csv); docs/receive.md has the command
    #[arg(long, value_name = "FILE")]
    pub connectors: Option<PathBuf>,

    /// Accepted domain of the organisation, which a CSV does not tell; repeatable
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',', requires = "connectors")]
    pub accepted_domain: Vec<String>,

    /// Certificate that a server of a hybrid is to present, as `TlsCertificateName` of its send connector has it; each
    /// client certificate is told to be that one or not
    #[arg(long, value_name = "<I>ISSUER<S>SUBJECT")]
    pub tls_certificate_name: Option<String>,
}

/// What is done to a client on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BehaveArg {
    /// STARTTLS is not offered
    NoStarttls,
    /// STARTTLS is offered, and refused by 454
    #[value(name = "454")]
    Refused454,
    /// The handshake is refused by the alert handshake_failure
    HandshakeFailure,
    /// TLS 1.2 and nothing newer
    Tls12Only,
    /// TLS 1.0 and nothing newer, ended once the client has gone along
    Tls10Only,
    /// The certificate has ended
    Expired,
    /// The certificate is for another name
    WrongName,
    /// No authority stands above the certificate
    SelfSigned,
    /// The certificate has an ECDSA key
    EcdsaOnly,
    /// STARTTLS is written over, as by some firewalls
    Mangled,
    /// Every answer takes 20 seconds
    Slow,
    /// 421 in place of a greeting
    #[value(name = "421")]
    Unavailable421,
}

impl BehaveArg {
    /// The word on the command line.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not ADDR:PORT; try 127.0.0.1:2525 or [::]:25".to_string())
}

fn parse_refusal(text: &str) -> Result<u16, String> {
    let code = text.parse().ok().filter(|code| [450, 451, 452, 550, 554].contains(code));
    code.ok_or_else(|| "one of 450, 451, 452, 550 and 554".to_string())
}

/// Longest name of a sender that is learnt, in bytes.
const SENDER_NAME_BYTES_MAX: usize = 64;

/// A name that can be that of a file, in any folder.
fn parse_sender_name(text: &str) -> Result<String, String> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if begins && text.len() <= SENDER_NAME_BYTES_MAX && text.bytes().all(sound) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a name begins with a letter and has small letters, digits and `-`, at most {SENDER_NAME_BYTES_MAX}"
    ))
}
