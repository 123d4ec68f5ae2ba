//! The command line as types: what may be said, not what is done about it.

mod bench;
mod config;
mod diff;
#[cfg(feature = "export")]
mod export;
mod format;
#[cfg(feature = "lab")]
mod lab;
mod policies;
mod preflight;
mod probe;
#[cfg(feature = "receive")]
mod receive;
mod roots;
mod shared;
mod summary;
mod values;

pub use bench::BenchArgs;
pub use config::{ConfigArgs, ConfigFault, ConfigFile, PRINT_CONFIG, print_config};
pub use diff::{DiffArgs, DiffFormatArg, FailOnArg};
#[cfg(feature = "export")]
pub use export::{ExportArgs, ExportFormatArg};
pub use format::{CompressArg, CompressArgs, FormatArg, FormatArgs};
#[cfg(feature = "lab")]
pub use lab::{DemoArgs, LabArgs};
pub use policies::PolicyArgs;
pub use preflight::PreflightArgs;
pub use probe::{ProbeArgs, ProbeFailOnArg};
#[cfg(feature = "receive")]
pub use receive::{BehaveArg, InboundJudgingArgs, ReceiveArgs};
pub use roots::{RootsArgs, RootsCheckArgs, RootsCommand, RootsListArgs};
pub use shared::{
    AgainArgs, AskArgs, CanaryArgs, ClientCertArgs, ConnectorArgs, CoolDownArgs, DialogueArgs, HelloArgs,
    IntervalArgs, JudgingArgs, PaceArgs,
};
pub use summary::{SummaryArg, SummaryArgs};
pub use values::{TIMEOUT_PHASES, TimeoutArg};

use crate::model::{DomainName, Shard};
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use values::{parse_metrics_address, parse_moment, parse_time_limit};

/// What a caller may rely on; docs/exit-codes.md has the same table, and the codes
/// themselves are in [`crate::command`].
const EXIT_CODES: &str = "\
Exit codes:
  0         done, whatever was found; or the reader of the pipe closed it
  1         failed: the list could not be read to its end, or the results could
            not be written; demo: a row is not what the lab played; roots
            check: a root is absent; bench: no session succeeded, or the load was
            not the one asked for; preflight: something is at fault
  2         the command line, or a file named in it, cannot be used; one line
            says why, and no target was contacted
  3         revocation only: a certificate is revoked
  4         not determined (revocation); it cannot be told whether the server got
            slower (bench)
  5         nothing could be contacted: no resolver answered (scan, probe);
            scan: every line of the list was rejected; or at least 20 networks
            were dialled and TCP opened nowhere; or the list is empty and
            --require-targets was given
  6         what --fail-on names is found: a domain became that (diff), or the
            verdict on a target is that (probe); the server got slower (bench); a
            run is not what the lab played (lab --check)
  7         scan: ended early, in order, since no resolver had answered for an
            hour; run.json says so, and how many targets have no row
  130, 143  stopped by Ctrl-C (130) or SIGTERM (143), whether once or twice;
            lab and receive, which end by them, end with 0";

/// What the help says of an exit code; `None` of one that there is not.
pub fn exit_code_text(code: &str) -> Option<String> {
    // The text of a code goes on in lines that stand further in.
    let is_code = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let of = |line: &str| line.get(..12).map_or("", str::trim).split(", ").any(|known| known == code);
    let mut lines = EXIT_CODES.lines().skip_while(|line| !(is_code(line) && of(line)));
    let first = lines.next()?;
    let further = lines.take_while(|line| !is_code(line));
    let words = std::iter::once(first).chain(further).filter_map(|line| line.get(12..));
    Some(words.collect::<Vec<_>>().join(" "))
}

/// Those of `scan` alone, and how a time is written.
const SCAN_EXIT_CODES: &str = "\
TIME is a number and its unit, as 250ms, 1.5s or 2m; a number alone is seconds.

Exit codes:
  0         done, whatever was found; or the reader of the pipe closed it
  1         failed: the list could not be read to its end, or the results could
            not be written
  2         the command line, or a file named in it, cannot be used; one line
            says why, and no target was contacted
  5         nothing could be contacted: no resolver answered; every line of the
            list was rejected; at least 20 networks were dialled and TCP opened
            nowhere; or the list is empty and --require-targets was given
  7         ended early, in order, since no resolver had answered for an hour;
            run.json says so, and how many targets have no row
  130, 143  stopped by Ctrl-C (130) or SIGTERM (143), whether once or twice";

/// Surveys how mail domains answer STARTTLS, and says what each answer means
/// for the mail sent there.
#[derive(Debug, Parser)]
#[command(
    name = "mxray",
    version = env!("MXRAY_VERSION"),
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
    #[command(
        after_help = SCAN_EXIT_CODES,
        override_usage = "mxray scan [OPTIONS] <INPUT>\n       mxray scan --resume <RUN_DIR>"
    )]
    Scan(Box<ScanArgs>),
    /// Probe domains, hosts or addresses, and show the whole dialogue
    #[command(
        after_help = "Targets are asked one after the other. docs/probe.md has the keys of the JSON, and what --fail-on \
        names. Exit codes, of several that apply the first of: 130 or 143 stopped by Ctrl-C or SIGTERM, after what is known \
        by then was shown; 6 a target meets what --fail-on names; 5 no resolver answered for a target; 0 whatever the \
        targets answer, for a refusal is an answer, too. And 1 what was found could not be written; 2 wrong use: nothing was asked."
    )]
    Probe(Box<ProbeArgs>),
    /// Make new verdicts from a stored run, without sending a packet
    #[command(
        after_help = "An option that is not given keeps the value that it had in the run. Without any option the new \
        files of a scan are the same as the old ones; --earlier is not kept.",
        mut_arg("roots", kept_from_the_run),
        mut_arg("sender", kept_from_the_run)
    )]
    Judge(Box<JudgeArgs>),
    /// Join the shards of a run into one run, without sending a packet
    #[command(
        after_help = "Each shard was made by `mxray scan --shard I/N` of the same list with the same options, has come to \
        its end, and is named once. Exit codes: 0 joined; 1 a file cannot be read or written; 2 wrong use, or the runs do \
        not belong together; one line says which, and nothing is written."
    )]
    Merge(MergeArgs),
    /// Compare two runs: what became better or worse, and what else changed
    #[command(
        after_help = "Both runs were judged for the same sender, by the same connectors and root certificates; mxray judge \
        makes that so. What is not determined in one of them is never a change. docs/diff.md says what is better and what \
        is worse. Two runs of mxray receive are compared sender by sender. Exit codes: 0 compared; 1 a file cannot be \
        read or written; 2 wrong use, or the runs cannot be compared; 6 a domain or a sender is what --fail-on names."
    )]
    Diff(DiffArgs),
    /// Make a page of a run for people: what becomes of mail, what would mend it, whom to write to
    #[command(
        after_help = "The page needs no network and no script, and prints whole. Beside it stand FILE-partners.csv (every \
        domain with every finding) and FILE-certificates.csv (every certificate that ends within 30 days); the tables of \
        the page are bounded, and say what they leave out. Of a run of mxray receive the page says who came and what they \
        did, and FILE-senders.csv stands in place of FILE-partners.csv. Exit codes: 0 it was written; 1 the run cannot be \
        read, or the page not written; 2 wrong use, a file of -o is there already, or the run lacks rows that it wrote."
    )]
    Report(ReportArgs),
    /// Write the tables of a run as Parquet, CSV or JSON Lines, whole or in part
    #[cfg(feature = "export")]
    #[command(
        after_help = "docs/export.md has the types of the columns, docs/columns.md what they mean. Exit codes: 0 written; 1 a \
        file cannot be read or written; 2 wrong use, or no run directory."
    )]
    Export(ExportArgs),
    /// Show what a run saw of one domain in the shape of a TLS report (RFC 8460)
    #[command(
        after_help = "It is for the owner of the domain to read, and no report of a sender: no mail was sent, and each \
        address counts as one session. It is never mailed. The sender and the roots are those of the run; another \
        sender: `mxray judge` first. Exit codes: 0 it was written; 1 the run has no such domain, or cannot be read; 2 \
        wrong use."
    )]
    Tlsrpt(TlsrptArgs),
    /// Scan 2,000 made-up domains on a fleet of mail servers inside this process
    #[cfg(feature = "lab")]
    Demo(DemoArgs),
    /// Run the fleet of mail servers and their DNS on loopback
    #[cfg(feature = "lab")]
    #[command(
        after_help = "Once all are up it prints their ports, and a command that scans them. Exit codes: 0 served until Ctrl-C or \
        SIGTERM, or nothing differs; 1 a file cannot be read or written; 2 wrong use; 6 with --check: something differs."
    )]
    Lab(Box<LabArgs>),
    /// Put load on a mail server of your own, and say whether it got slower
    #[command(
        after_help = "Exit codes: 0 measured, and not worse than the baseline; 1 no session succeeds, or the load was not \
        reached: nothing is said of the server; 2 wrong use, a baseline of another load, or a file of --save that is there \
        already; 4 it cannot be told whether it is worse; 6 it is worse; 130 stopped by Ctrl-C, 143 by SIGTERM."
    )]
    Bench(Box<BenchArgs>),
    /// Listen for a partner's outgoing mail server, and tell what it does; no mail is taken
    #[cfg(feature = "receive")]
    #[command(
        after_help = "No message is ever taken: every recipient is refused, by default for now (451), so that a sender \
        keeps its mail. Local parts of addresses are written nowhere. docs/receive.md says how test mail is led here. \
        Exit codes: 0 ended by Ctrl-C, SIGTERM or --sessions; 1 the results could not be written; 2 wrong use, or the port \
        cannot be had."
    )]
    Receive(Box<ReceiveArgs>),
    /// Say whether a root certificate is in a root store, or what is in it
    Roots(RootsArgs),
    /// List the senders that come with mxray, or show the file of one
    Senders(SendersArgs),
    /// Check whether a target's certificates are revoked, and whether CRLs and OCSP can be reached from here
    #[command(
        after_help = "Exit codes: 0 none is revoked, all with proof, and every address was reached; 1 failed; \
        2 wrong use; 3 one is revoked; 4 not determined: an address was not reached, its answer is no \
        proof, or the certificate names none."
    )]
    Revocation(Box<RevocationArgs>),
    /// Check this machine before a survey: its name, block lists, port 25, clock and limits
    #[command(
        after_help = "Each check is ok, at fault, or not determined, with its cause. Block lists are looked at with \
        --dnsbl only, and the probing file with --probing-file. Exit codes: 0 nothing is at fault; 1 something is; 2 \
        wrong use.",
        mut_arg("client_cert", |option| option.hide(true)),
        mut_arg("client_key", |option| option.hide(true)),
        mut_arg("fresh_key_shares", |option| option.hide(true)),
        mut_arg("port", |option| option.hide(true)),
        mut_arg("timeout", |option| option.help(preflight::TIMEOUT_HELP))
    )]
    Preflight(Box<PreflightArgs>),
    /// Say what a word of the output means, why it matters and what mends it
    #[command(after_help = "Exit codes: 0 each was explained; 2 one is no word of the output.")]
    Explain(ExplainArgs),
    /// Print the manual page of mxray, or write those of all commands
    Man(ManArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

/// The same option of a command that has a run to take its value from.
fn kept_from_the_run(option: Arg) -> Arg {
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let what = help.split(" [default:").next().unwrap_or_default().to_string();
    option.help(format!("{what} [default: as in the run]"))
}

/// What the lines of an input list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputKindArg {
    /// Mail domains: one a line, CSV with a header, or ranked CSV
    Domains,
    /// Endpoints without DNS: CSV `ip`, `ip,port` or `ip,name[,tag[,port]]`
    Endpoints,
}

/// How rows go to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StreamFormatArg {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// How what is said on standard error is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogArg {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// How a plan is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRunArg {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// `mxray scan`
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// The list: a file (`.gz` and `.zst` are unpacked), or `-` for standard input
    #[arg(value_name = "INPUT", required_unless_present_any = ["resume", "print_config"], conflicts_with = "resume")]
    pub list: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigArgs,

    /// Directory to write the run to [default: mxray-DATE-TIME, or none with --format]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub compress: CompressArgs,

    /// Go on with a run that was stopped or killed, with its list and its options; only -v, --log, --summary,
    /// --metrics, --blocklist, --report, --parquet and --require-targets may be added
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["output", "format", "config", "print_config"])]
    pub resume: Option<PathBuf>,

    /// Connect to nobody: look the list up in the DNS, and tell hosts, addresses, networks, operators, and how long
    /// each takes at its limits; `--dry-run=json` as JSON. Nothing is written; --output is only checked
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text", hide_possible_values = true, conflicts_with_all = ["resume", "format"])]
    pub dry_run: Option<DryRunArg>,

    /// Ask only what lies in this part of the networks, as `2/3` for the second of three machines; `mxray merge` joins
    /// them. The limits of an operator, --rate, --in-flight, --slow-in-flight and --lookups-in-flight are shared
    #[arg(long, value_name = "I/N", conflicts_with = "format")]
    pub shard: Option<Shard>,

    /// What the lines of INPUT are: `domains`, or `endpoints` without DNS (CSV `ip`, `ip,port` or
    /// `ip,name[,tag[,port]]`)
    #[arg(long, value_name = "KIND", default_value = "domains", hide_possible_values = true)]
    pub input: InputKindArg,

    /// Column that holds the domain, in CSV with a header [default: domain]
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,

    /// How standard error is written: `text`, or `json` for one object a line, with its time and level; -v says more
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub log: LogArg,

    /// Serve the counters of the scan to Prometheus at http://ADDR:PORT/metrics; PORT alone: on 127.0.0.1
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = parse_metrics_address)]
    pub metrics: Option<SocketAddr>,

    /// Write report.html to the run directory, too, once the run has come to its end; see `mxray report`
    #[arg(long)]
    pub report: bool,

    /// Write each table to the run directory as Parquet, too, once the run has come to its end; see `mxray export`
    #[cfg(feature = "export")]
    #[arg(long)]
    pub parquet: bool,

    /// Exit with 5, instead of a warning, if the list has no target
    #[arg(long)]
    pub require_targets: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub summary: SummaryArgs,

    /// Write a row for each domain to standard output: `csv` with a header, or `jsonl`
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<StreamFormatArg>,

    /// Of more than fifty names on one address ask a sample, fifty and one in a hundred at least; if all are answered
    /// alike, tell the others as one of these [default: for files with more than 100,000 targets, and never for shorter lists]
    #[arg(long, help_heading = "Pacing", conflicts_with = "every_name")]
    pub sample: bool,

    /// Ask every name, in lists of more than 100,000 targets, too
    #[arg(long, help_heading = "Pacing")]
    pub every_name: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub pace: PaceArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hellos: HelloArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub canaries: CanaryArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub policies: PolicyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,
}

/// `mxray judge`
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// The run directory
    #[arg(value_name = "RUN_DIR", required = false, required_unless_present = "print_config")]
    pub run: PathBuf,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigArgs,

    /// Directory to write the new run to [default: mxray-judged-DATE-TIME]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub summary: SummaryArgs,

    /// Judge dates and chains at this moment, RFC 3339 or a date (UTC) [default: that of the run]
    #[arg(long, value_name = "DATE", value_parser = parse_moment, help_heading = "Judging")]
    pub at: Option<Timestamp>,

    /// Tell apart TLSA records that are about a certificate which that run saw; repeatable, and it may be the same run.
    /// Not kept for the next `judge`
    #[arg(long, value_name = "RUN_DIR", help_heading = "Judging")]
    pub earlier: Vec<PathBuf>,

    /// Of a run of `mxray receive`: the certificate that a server of a hybrid is to present, as TlsCertificateName has it
    #[cfg(feature = "receive")]
    #[arg(long, value_name = "<I>ISSUER<S>SUBJECT", help_heading = "Judging")]
    pub tls_certificate_name: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub telling: FormatArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,
}

/// `mxray merge`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The run directories of all shards, in any order
    #[arg(value_name = "RUN_DIR", required = true)]
    pub runs: Vec<PathBuf>,

    /// Directory to write the whole run to [default: mxray-merged-DATE-TIME]
    #[arg(short, long, value_name = "RUN_DIR")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub summary: SummaryArgs,
}

/// `mxray report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run directory
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,

    /// File to write to, which must not be there yet; `-` is standard output, with no CSV beside it [default: report.html
    /// or report.md in the run directory, made anew if it is there]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// A page for a browser and for paper (html), or text for a ticket (md, Markdown)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReportFormatArg::Html, hide_possible_values = true)]
    pub format: ReportFormatArg,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormatArg {
    /// One page of HTML
    Html,
    /// Markdown, as GitHub and GitLab read it
    Md,
}

/// `mxray tlsrpt`
#[derive(Debug, Args)]
pub struct TlsrptArgs {
    /// The run directory
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,

    /// The domain that mail is for
    #[arg(long, value_name = "DOMAIN", value_parser = DomainName::parse)]
    pub domain: DomainName,

    /// File to write to, which must not be there yet; `-` is standard output [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `mxray revocation`
#[derive(Debug, Args)]
pub struct RevocationArgs {
    /// Domain, host or address as for `probe`; or a file with a certificate (DER), or a chain (PEM, leaf first)
    pub target: String,

    /// Leave out the addresses that Microsoft publishes for Exchange Online
    #[arg(long, help_heading = "Fetching")]
    pub chain_only: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub telling: FormatArgs,

    /// Time limit for each address, redirects included
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = parse_time_limit, help_heading = "Fetching")]
    pub fetch_time: Duration,

    /// Size limit of an answer, in bytes
    #[arg(long, value_name = "N", default_value_t = 33_554_432, value_parser = clap::value_parser!(u32).range(1..=33_554_432), help_heading = "Fetching")]
    pub fetch_bytes: u32,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub pace: IntervalArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,

    /// Where to look for an issuer that the chain does not include: `mozilla`, `microsoft`, `system` or a file (PEM or DER); repeatable [default: mozilla]
    #[arg(long, value_name = "STORE", help_heading = "Fetching")]
    pub roots: Vec<String>,
}

/// `mxray explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A reason, a cause, a term, a column, a value of a column or an exit code, e.g. tls_alert, DomainValidation, delivery,
    /// plaintext, 6
    #[arg(required = true, value_name = "WORD")]
    pub words: Vec<String>,
}

/// `mxray man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write the page of each command into this folder, e.g. /usr/local/share/man/man1 [default: print
    /// that of mxray]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

/// `mxray completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `mxray senders`
#[derive(Debug, Args)]
pub struct SendersArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SendersCommand,
}

/// What `mxray senders` does.
#[derive(Debug, Subcommand)]
pub enum SendersCommand {
    /// List them by name
    List,
    /// Show the file of one (TOML), to copy and change for --sender
    Show(SendersShowArgs),
}

/// `mxray senders show`
#[derive(Debug, Args)]
pub struct SendersShowArgs {
    /// Its name
    pub name: String,
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
    fn of_an_option_given_twice_the_last_counts() {
        let line = ["mxray", "scan", "list", "--retries", "0", "--rate", "5", "--retries", "2"];
        let Command::Scan(scan) = Cli::try_parse_from(line).unwrap().command else { unreachable!() };
        assert_eq!(scan.pace.again.retries, 2);
    }
}
