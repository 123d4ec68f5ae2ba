//! What is said on standard output and standard error.

use super::error::CommandError;
use super::outlet::{self, Handed, Outlet};
use crate::cli::LogArg;
use crate::model::text::{printable, printable_lines};
use crate::plan::StageSettings;
use crate::sender::AddressFamily;
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Whether nothing is said on standard error but why a command did not do what it was
/// asked to.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From now on says nothing but errors.
pub(super) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// A line on standard error, and one only, whatever it quotes. That nobody reads
/// it is no reason to break off, or to wait for long.
pub(super) fn say(line: impl Display) {
    if !is_quiet() {
        say_error(line);
    }
}

/// The same of an error, which is said in any case.
pub(super) fn say_error(line: impl Display) {
    let line = line.to_string();
    if is_json() {
        outlet::words(as_json(&line, Timestamp::now()).as_bytes());
    } else {
        outlet::words(format!("{}\n", printable(&line)).as_bytes());
    }
}

/// Text of several lines on standard error; one object where that is JSON.
pub(super) fn say_text(text: &str) {
    if is_json() {
        say(text.trim_end());
    } else if !is_quiet() {
        outlet::words(printable_lines(text).as_bytes());
    }
}

/// Whether standard error is JSON: one object a line, all in one shape.
static IS_JSON: AtomicBool = AtomicBool::new(false);

fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// The line in the shape that the log has.
fn as_json(line: &str, at: Timestamp) -> String {
    let message = line.strip_prefix("mxray: ").unwrap_or(line);
    let (level, message) = match message.strip_prefix("warning: ") {
        Some(rest) => ("WARN", rest),
        None => ("INFO", message),
    };
    let target = env!("CARGO_CRATE_NAME");
    let timestamp = format!("{at:.6}");
    format!(
        "{}\n",
        json!({"timestamp": timestamp, "level": level, "fields": {"message": message}, "target": target})
    )
}

/// What whoever named files should know about them, a line each.
pub(super) fn warn<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        say(format_args!("mxray: warning: {warning}"));
    }
}

/// Says, before the first packet, what whoever started the run should know.
pub(super) fn say_at_start(settings: &StageSettings) {
    notes_at_start(settings).for_each(say);
    warn(&settings.warnings);
}

/// Of that only what concerns those who send no mail.
pub(super) fn say_missing_route(settings: &StageSettings) {
    missing_route(settings.without_route).into_iter().for_each(say);
}

fn notes_at_start(settings: &StageSettings) -> impl Iterator<Item = String> {
    bare_name(&settings.ehlo_name).into_iter().chain(missing_route(settings.without_route))
}

/// Of a name for EHLO that is no fully-qualified domain name and no address
/// literal, as RFC 5321 §4.1.1.1 asks for.
fn bare_name(ehlo_name: &str) -> Option<String> {
    let is_bare = !ehlo_name.contains('.') && !ehlo_name.starts_with('[');
    is_bare.then(|| {
        format!(
            "mxray: `EHLO {ehlo_name}` is not a domain name, and some servers refuse that; --ehlo NAME sets another"
        )
    })
}

/// Which address family is left out because this machine has no route.
fn missing_route(without_route: Option<AddressFamily>) -> Option<String> {
    without_route.map(|family| {
        format!(
            "mxray: this machine has no route for {}, so it is not used (--ipv4 --ipv6 uses both)",
            family.to_string().replace("ip", "IP")
        )
    })
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
    start_logging_as(LogArg::Text, verbose);
}

/// The same, as text or as JSON; from then on all that is said is written so.
pub(super) fn start_logging_as(format: LogArg, verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let heard = Targets::new().with_default(LevelFilter::ERROR).with_target(env!("CARGO_CRATE_NAME"), level);
    let told = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| outlet::StderrLines)
        .log_internal_errors(false);
    // A second call in one process (tests) keeps the first.
    let _ = match format {
        LogArg::Text => told.without_time().finish().with(heard).try_init(),
        LogArg::Json => told.json().finish().with(heard).try_init(),
    };
    IS_JSON.store(format == LogArg::Json, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use crate::plan::{self, LookupPace};
    use clap::Parser;

    /// What is said at the start of a scan, on a machine with a route over
    /// these families (IPv4, IPv6).
    fn said(options: &str, with_route: (bool, bool)) -> Vec<String> {
        let words = "mxray scan list.txt --resolver 127.0.0.1".split(' ').chain(options.split_whitespace());
        let Command::Scan(args) = Cli::try_parse_from(words).unwrap().command else { panic!("no scan") };
        let (asking, policies) = (&args.asking, &args.policies);
        let (hellos, judging) = (&args.hellos, &args.judging);
        let stages =
            plan::stages_by_routes(asking, policies, hellos, judging, LookupPace::default(), || with_route);
        notes_at_start(&stages.unwrap().settings).collect()
    }

    #[tokio::test]
    async fn a_family_without_a_route_is_told_once_and_only_where_it_is_left_out() {
        let left_out = |family| {
            vec![format!(
                "mxray: this machine has no route for {family}, so it is not used (--ipv4 --ipv6 uses both)"
            )]
        };
        for (options, with_route, expected) in [
            ("", (true, false), left_out("IPv6")),
            ("", (false, true), left_out("IPv4")),
            ("", (true, true), vec![]),
            ("", (false, false), vec![]),
            ("--ipv6", (true, false), vec![]),
            ("--ipv4", (true, false), vec![]),
            ("--ipv4 --ipv6", (true, false), vec![]),
        ] {
            let options = format!("--ehlo scanner.example {options}");
            assert_eq!(said(&options, with_route), expected, "{options} {with_route:?}");
        }
    }

    #[tokio::test]
    async fn a_bare_name_for_ehlo_is_told() {
        for (name, told) in [("scanner", true), ("scanner.example", false), ("[192.0.2.1]", false)] {
            let lines = said(&format!("--ehlo {name}"), (true, true));
            assert_eq!(lines.len(), usize::from(told), "{lines:?}");
            assert!(lines.iter().all(|line| line.contains("`EHLO scanner` is not a domain name")));
        }
    }
}
