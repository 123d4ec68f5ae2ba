//! What clap has to say about a command line, in one line as for every other
//! mistake.

use super::{EXIT_USAGE, outlet, say};
use crate::cli::Cli;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// Prints the help that was asked for, or says what is wrong; `place` is where in a file
/// that is.
pub fn refuse(error: &clap::Error, arguments: &[OsString], place: Option<String>) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        match error.print().and_then(|()| io::stdout().flush()) {
            // A reader that went away has seen enough of it.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                say(format_args!("mxray: cannot write to standard output: {error}"));
                outlet::settle();
                return ExitCode::FAILURE;
            }
            _ => {}
        }
    } else {
        let command = arguments.get(1).and_then(|word| word.to_str()).filter(|word| is_command(word));
        let elsewhere = command.and_then(|command| of_others(error, command));
        let told = elsewhere.unwrap_or_else(|| line(&error.render().to_string(), command));
        say(format_args!("mxray: {}{told}", place.unwrap_or_default()));
        outlet::settle();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::from(EXIT_USAGE), ExitCode::from)
}

/// Whether there is a command with this name, and so help of its own.
fn is_command(word: &str) -> bool {
    Cli::command().get_subcommands().any(|command| command.get_name() == word)
}

/// What is said of an option that other commands have, and this one has not: it
/// would do nothing there.
fn of_others(error: &clap::Error, command: &str) -> Option<String> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = option.strip_prefix("--").filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
    let whole = Cli::command();
    let has = |it: &&Command| it.get_arguments().any(|argument| argument.get_long() == Some(name));
    let others: Vec<&str> = whole.get_subcommands().filter(has).map(Command::get_name).collect();
    let others = match others.as_slice() {
        [] => return None,
        [one] => format!("{one} has"),
        [first @ .., last] => format!("{} and {last} have", first.join(", ")),
    };
    Some(format!("{command} has no {option}; {others} it (see mxray {command} --help)"))
}

/// The first paragraph and the tips of clap's message; its usage line repeats
/// what `--help` says better.
fn line(message: &str, command: Option<&str>) -> String {
    let mut paragraphs = message.trim_start_matches("error: ").split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let mut text = first.split_whitespace().collect::<Vec<_>>().join(" ");
    // Rust's words for a number that is none say nothing to a person.
    text = text.replace("invalid digit found in string", "not a whole number");
    for tip in paragraphs.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("tip: ")) {
        text.push_str("; ");
        text.push_str(tip);
    }
    let command = command.map(|name| format!("{name} ")).unwrap_or_default();
    format!("{text} (see mxray {command}--help)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_of_its_own() {
        for name in ["scan", "judge", "bench", "roots"] {
            assert!(is_command(name), "{name}");
        }
        assert!(!is_command("--at"));
    }

    #[test]
    fn a_message_of_many_lines_becomes_one() {
        let message = "error: unexpected argument '--timout' found\n\n  tip: a similar argument exists: \
            '--timeout'\n\nUsage: mxray scan <INPUT>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            line(message, Some("scan")),
            "unexpected argument '--timout' found; a similar argument exists: '--timeout' (see mxray scan --help)"
        );
        let message = "error: the following required arguments were not provided:\n  <INPUT>\n\nUsage: x\n";
        assert_eq!(
            line(message, None),
            "the following required arguments were not provided: <INPUT> (see mxray --help)"
        );
    }
}
