//! What clap has to say about a command line, in one line as for every other
//! mistake.

use super::{EXIT_USAGE, outlet, say};
use crate::cli::Cli;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::PathBuf;
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
        let path = command_path(arguments);
        let command = (!path.is_empty()).then_some(path.as_str());
        let told = told_better(error, arguments, command);
        let told = told.unwrap_or_else(|| line(&error.render().to_string(), command));
        say(format_args!("mxray: {}{told}", place.unwrap_or_default()));
        outlet::settle();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::from(EXIT_USAGE), ExitCode::from)
}

/// What to say where clap's own words do not name the option, or not what to do.
fn told_better(error: &clap::Error, arguments: &[OsString], command: Option<&str>) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidUtf8 => no_utf8(arguments, command),
        ErrorKind::UnknownArgument => {
            let others = command.and_then(|command| of_others(error, command));
            others.or_else(|| dashed_value(error, arguments, command))
        }
        _ => None,
    }
}

/// The command that a command line names, with the command of it that has help of its
/// own, as `roots check`; empty if there is none.
fn command_path(arguments: &[OsString]) -> String {
    let mut names = Vec::new();
    let mut of = Cli::command();
    for word in arguments.iter().skip(1).map_while(|word| word.to_str()) {
        let Some(next) = of.find_subcommand(word).cloned() else { break };
        names.push(word);
        of = next;
    }
    names.join(" ")
}

/// The option of a command that this word is, as `--port` or `-o`, if it takes a value.
fn option_with_value(word: &OsStr, command: Option<&str>) -> Option<Arg> {
    let mut whole = Cli::command();
    whole.build();
    let names = command?.split(' ');
    let of = names.into_iter().try_fold(&whole, |of, name| of.find_subcommand(name))?;
    let word = word.to_str()?;
    let is_it = |option: &&Arg| {
        let short =
            option.get_short().is_some_and(|short| word.strip_prefix('-') == Some(&short.to_string()));
        short || option.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
    };
    of.get_arguments().find(is_it).filter(|option| option.get_action().takes_values()).cloned()
}

/// A value that begins with a dash was taken for an option: what the option before it says
/// of that value.
fn dashed_value(error: &clap::Error, arguments: &[OsString], command: Option<&str>) -> Option<String> {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return None };
    // Of `-1s` clap names the first character only.
    let is_it = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with(unknown.as_str()));
    let place = arguments.iter().skip(1).position(is_it)?;
    let option = option_with_value(arguments.get(place)?, command)?;
    let name = option.get_long()?;
    let value = arguments.get(place + 1)?;
    let mut joined = OsString::from(format!("--{name}="));
    joined.push(value);
    let mut words = arguments.to_vec();
    words.splice(place..=place + 1, [joined.clone()]);
    match Cli::command().try_get_matches_from(&words) {
        Err(error)
            if error.kind() == ErrorKind::ValueValidation || error.kind() == ErrorKind::InvalidValue =>
        {
            Some(line(&error.render().to_string(), command))
        }
        _ => {
            let (joined, command) = (joined.to_string_lossy(), command?);
            Some(format!(
                "a value of '{option}' that begins with a dash is written as {joined} (see mxray {command} --help)"
            ))
        }
    }
}

/// Which word is not UTF-8, and of what option. Paths may be anything.
fn no_utf8(arguments: &[OsString], command: Option<&str>) -> Option<String> {
    let odd = |word: &OsString| word.to_str().is_none();
    let is_path = |option: &Arg| option.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    let mut before = None;
    for word in arguments {
        let option = before.and_then(|before: &OsString| option_with_value(before, command));
        before = Some(word);
        if !odd(word) || option.as_ref().is_some_and(is_path) {
            continue;
        }
        let shown = word.to_string_lossy();
        let of = option.map(|option| format!(" for '{option}'")).unwrap_or_default();
        let command = command.map(|name| format!("{name} ")).unwrap_or_default();
        return Some(format!("invalid value '{shown}'{of}: not UTF-8 (see mxray {command}--help)"));
    }
    None
}

/// What is said of an option that other commands have, and this one has not: it
/// would do nothing there.
fn of_others(error: &clap::Error, command: &str) -> Option<String> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = option.strip_prefix("--")?;
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
    fn the_help_named_is_that_of_the_command() {
        for (words, expected) in [
            ("mxray scan list --at", "scan"),
            ("mxray roots check --bogus", "roots check"),
            ("mxray roots --bogus", "roots"),
            ("mxray --at", ""),
            ("mxray", ""),
        ] {
            let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            assert_eq!(command_path(&words), expected, "{words:?}");
        }
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
