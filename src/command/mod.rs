//! What each command does: builds a plan, runs it, tells how it went.

// `println!` and its kin panic when nobody reads any more, which is no reason
// to break off: `say` and `tell` do not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod asked;
mod bench;
mod demo;
mod descriptors;
mod display;
mod judge;
mod lab;
mod losses;
mod needs;
mod presented;
mod probe;
mod reader;
mod rest;
mod revocation;
mod roots;
mod scan;
mod signals;
mod survey;
mod usage;
mod writer;

pub use usage::refuse;

use crate::cli::{Cli, Command};
use crate::input::InputError;
use crate::model::text::printable;
use crate::plan::{Family, UsageError};
use crate::run_dir::OutputError;
use crate::run_dir::read::StoreError;
use jiff::Timestamp;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Exit code for a command line that cannot be followed.
const EXIT_USAGE: u8 = 2;

/// Exit code of a survey in which nothing could be asked. 6 and 7 are kept for
/// later use.
const EXIT_NOTHING_ASKED: u8 = 5;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was asked for something that cannot be done.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The list cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It cannot be written where it should.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A run directory cannot be read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It broke off.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl CommandError {
    fn exit_code(&self) -> ExitCode {
        match self {
            CommandError::Usage(_) | CommandError::Input(_) | CommandError::Output(_) => {
                ExitCode::from(EXIT_USAGE)
            }
            CommandError::Store(error) if error.is_unusable() => ExitCode::from(EXIT_USAGE),
            CommandError::Store(_) | CommandError::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs a command to its end and says how it went.
pub fn run(cli: Cli) -> ExitCode {
    if let Err(error) = check_clock(Timestamp::now()) {
        say(format_args!("mxray: {error}"));
        return ExitCode::FAILURE;
    }
    // More is better; what the system gives is enough.
    let _ = descriptors::raise();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(format_args!("mxray: cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Scan(args) => scan::run(*args).await,
            Command::Probe(args) => probe::run(*args).await,
            Command::Judge(args) => judge::run(*args),
            Command::Demo(args) => demo::run(args).await,
            Command::Lab(args) => lab::run(args).await,
            Command::Bench(args) => bench::run(*args).await,
            Command::Roots(args) => roots::run(args),
            Command::Revocation(args) => revocation::run(*args).await,
        }
    });
    // A thread may still sit in a read of standard input that nothing ends.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("mxray: {error}"));
            error.exit_code()
        }
    }
}

/// Certificates are judged by the clock, and TLS counts seconds from 1970.
fn check_clock(now: Timestamp) -> Result<(), String> {
    if now < Timestamp::UNIX_EPOCH {
        return Err(format!("the clock of this machine stands before 1970, at {now:.0}; set it first"));
    }
    Ok(())
}

/// A line on standard error, and one only, whatever it quotes. That nobody reads
/// it is no reason to break off.
fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}

/// What whoever named files should know about them, a line each.
fn warn<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        say(format_args!("mxray: warning: {warning}"));
    }
}

/// Warns of a name for EHLO that is no fully-qualified domain name and no
/// address literal, as RFC 5321 §4.1.1.1 asks for.
fn warn_of_bare_name(ehlo_name: &str) {
    if !ehlo_name.contains('.') && !ehlo_name.starts_with('[') {
        say(format_args!(
            "mxray: `EHLO {ehlo_name}` names no domain, and some servers refuse that; --ehlo NAME says another"
        ));
    }
}

/// Says which address family is left out because this machine has no route.
fn warn_of_missing_route(without_route: Option<Family>) {
    if let Some(family) = without_route {
        say(format_args!(
            "mxray: this machine has no route over {}, which is left out (--ipv4 --ipv6 asks over both)",
            family.name()
        ));
    }
}

/// Text on standard output. A reader that went away is a quiet end.
fn tell(text: impl Display) -> Result<(), CommandError> {
    let mut stdout = io::stdout();
    match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("cannot write to standard output: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Lets libraries and stages talk on standard error.
fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::ERROR,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // A second call in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .without_time()
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_is_an_error() {
        assert_eq!(check_clock(Timestamp::now()), Ok(()));
        assert_eq!(check_clock(Timestamp::UNIX_EPOCH), Ok(()));
        let before = "1969-12-31T23:59:59Z".parse().unwrap();
        let told = "the clock of this machine stands before 1970, at 1969-12-31T23:59:59Z; set it first";
        assert_eq!(check_clock(before), Err(told.to_string()));
    }
}
