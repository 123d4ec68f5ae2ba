//! What is said on standard output and standard error.

use super::error::CommandError;
use super::outlet::{self, Handed, Outlet};
use crate::model::text::printable;
use crate::plan::Family;
use std::fmt::Display;
use std::io::{self, Write};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// A line on standard error, and one only, whatever it quotes. That nobody reads
/// it is no reason to break off, or to wait for long.
pub(super) fn say(line: impl Display) {
    outlet::words(format!("{}\n", printable(&line.to_string())).as_bytes());
}

/// What whoever named files should know about them, a line each.
pub(super) fn warn<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        say(format_args!("mxray: warning: {warning}"));
    }
}

/// Warns of a name for EHLO that is no fully-qualified domain name and no
/// address literal, as RFC 5321 §4.1.1.1 asks for.
pub(super) fn warn_of_bare_name(ehlo_name: &str) {
    if !ehlo_name.contains('.') && !ehlo_name.starts_with('[') {
        say(format_args!(
            "mxray: `EHLO {ehlo_name}` is not a domain name, and some servers refuse that; --ehlo NAME sets another"
        ));
    }
}

/// Says which address family is left out because this machine has no route.
pub(super) fn warn_of_missing_route(without_route: Option<Family>) {
    if let Some(family) = without_route {
        say(format_args!(
            "mxray: this machine has no route for {}, so it is not used (--ipv4 --ipv6 uses both)",
            family.name()
        ));
    }
}

/// Text on standard output. A reader that went away is a quiet end.
pub(super) fn tell(text: impl Display) -> Result<(), CommandError> {
    outlet::settle();
    let mut stdout = io::stdout();
    told(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// The same for a command that signals do not end by themselves: once `stop`
/// was said, a reader that takes nothing any more is not waited for.
pub(super) fn tell_until(stop: &CancellationToken, text: impl Display) -> Result<(), CommandError> {
    outlet::settle();
    let handed = Outlet::stdout().map(|outlet| {
        outlet.give(text.to_string().as_bytes());
        outlet.wait(|| stop.is_cancelled())
    });
    told(match handed {
        Ok(Handed::Whole) => Ok(()),
        Ok(Handed::Failed(error)) | Err(error) => Err(error),
        Ok(Handed::Unread) => Err(io::Error::new(io::ErrorKind::TimedOut, outlet::UNREAD)),
    })
}

fn told(result: io::Result<()>) -> Result<(), CommandError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("cannot write to standard output: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Lets the stages talk on standard error, and libraries of what goes wrong
/// there.
pub(super) fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let heard = Targets::new().with_default(LevelFilter::ERROR).with_target(env!("CARGO_CRATE_NAME"), level);
    let told = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| outlet::Words)
        .log_internal_errors(false)
        .without_time()
        .finish()
        .with(heard);
    // A second call in one process (tests) keeps the first.
    let _ = told.try_init();
}
