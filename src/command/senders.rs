//! `mxray senders`: the senders that come with mxray, and the file of each, to
//! begin one's own from.

use super::CommandError;
use crate::cli::{SendersArgs, SendersCommand};
use crate::plan::UsageError;
use crate::sender::Sender;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Lists them, or shows the file of one.
pub(super) fn run(args: SendersArgs) -> Result<ExitCode, CommandError> {
    let text = match args.command {
        SendersCommand::List => list()?,
        SendersCommand::Show(args) => file(&args.name)?.to_string(),
    };
    super::tell(text)?;
    Ok(ExitCode::SUCCESS)
}

fn list() -> Result<String, UsageError> {
    let mut out = String::new();
    for name in Sender::names() {
        let sender = Sender::named(name).map_err(|error| UsageError(error.to_string()))?;
        let _ = writeln!(out, "{name}: {}", sender.title);
    }
    Ok(out)
}

fn file(name: &str) -> Result<&'static str, UsageError> {
    let known = || Sender::names().join(", ");
    Sender::built_in_file(name)
        .ok_or_else(|| UsageError(format!("no sender is named `{name}`; there are {}", known())))
}
