//! What each command does: builds a plan, runs it, tells how it went.

// `println!` and its kin panic when nobody reads any more, which is no reason
// to break off: `say` and `tell` do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod address_pause;
mod bench;
mod canaries;
mod colour;
mod config;
mod cool_downs;
#[cfg(feature = "lab")]
mod demo;
mod descriptors;
mod diff;
mod display;
mod dry_run;
mod error;
mod explain;
#[cfg(feature = "export")]
mod export;
mod fresh_file;
mod judge;
#[cfg(feature = "receive")]
mod judge_received;
#[cfg(feature = "lab")]
mod lab;
mod list_end;
mod merge;
mod messages;
mod metrics;
mod missing;
mod needs;
mod opt_outs;
mod outlet;
mod own_folder;
mod preflight;
mod presented;
mod probe;
mod reader;
#[cfg(feature = "receive")]
mod receive;
#[cfg(feature = "receive")]
mod received_figures;
mod report;
mod resolvers;
mod resume;
mod revocation;
mod roots;
mod run_news;
mod scan;
mod scan_parts;
mod senders;
mod shell_help;
mod signals;
mod summary;
mod survey;
mod tlsrpt;
mod usage;
mod writer;

use config::given_words;
pub use config::parse;
pub use error::CommandError;
pub use usage::refuse;

use crate::cli::{Cli, Command};
use crate::plan;
use anyhow::Context;
use error::{EXIT_NOTHING_ASKED, EXIT_USAGE};
use jiff::Timestamp;
use messages::{
    be_quiet, say, say_at_start, say_error, say_missing_route, say_text, start_logging, start_logging_as,
    tell, tell_until, warn,
};
use std::process::ExitCode;

/// Runs a command to its end and says how it went.
pub fn run(cli: Cli) -> ExitCode {
    let code = execute(cli.command).unwrap_or_else(|error| {
        say_error(format_args!("mxray: {error}"));
        error.exit_code()
    });
    outlet::settle();
    code
}

fn execute(command: Command) -> Result<ExitCode, CommandError> {
    check_clock(Timestamp::now()).map_err(anyhow::Error::msg)?;
    plan::check_standard_output(&command)?;
    plan::check_distinct_files(&command)?;
    // More is better; what the system gives is enough.
    let _ = descriptors::raise();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let result = runtime.block_on(async {
        signals::ignore_file_size();
        match command {
            Command::Scan(args) => scan::run(*args).await,
            Command::Probe(args) => probe::run(*args).await,
            Command::Judge(args) => judge::run(*args),
            Command::Merge(args) => merge::run(args),
            Command::Diff(args) => diff::run(&args),
            Command::Report(args) => report::run(&args),
            #[cfg(feature = "export")]
            Command::Export(args) => export::run(&args),
            Command::Tlsrpt(args) => tlsrpt::run(&args),
            #[cfg(feature = "lab")]
            Command::Demo(args) => demo::run(args).await,
            #[cfg(feature = "lab")]
            Command::Lab(args) => lab::run(*args).await,
            Command::Bench(args) => bench::run(*args).await,
            #[cfg(feature = "receive")]
            Command::Receive(args) => receive::run(*args).await,
            Command::Roots(args) => roots::run(args),
            Command::Senders(args) => senders::run(args),
            Command::Revocation(args) => revocation::run(*args).await,
            Command::Preflight(args) => preflight::run(*args).await,
            Command::Explain(args) => explain::run(&args),
            Command::Man(args) => shell_help::man(&args),
            Command::Completions(args) => shell_help::completions(&args),
        }
    });
    // A thread may still sit in a read of standard input that nothing ends.
    runtime.shutdown_background();
    result
}

/// Certificates are judged by the clock, and TLS counts seconds from 1970.
fn check_clock(now: Timestamp) -> Result<(), String> {
    if now < Timestamp::UNIX_EPOCH {
        return Err(format!("the clock of this machine is before 1970, at {now:.0}; set it first"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_is_an_error() {
        assert_eq!(check_clock(Timestamp::now()), Ok(()));
        assert_eq!(check_clock(Timestamp::UNIX_EPOCH), Ok(()));
        let before = "1969-12-31T23:59:59Z".parse().unwrap();
        let told = "the clock of this machine is before 1970, at 1969-12-31T23:59:59Z; set it first";
        assert_eq!(check_clock(before), Err(told.to_string()));
    }
}
