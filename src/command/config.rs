//! The command line as it counts: with the options of a file that it names.

use super::{EXIT_USAGE, outlet, refuse, say};
use crate::cli::{Cli, Command, ConfigFault, ConfigFile, PRINT_CONFIG, print_config};
use crate::plan::read_file;
use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The commands that read a file.
const WITH_FILE: [&str; 3] = ["scan", "probe", "judge"];

/// The words of this command line, as `run.json` keeps them; what is not UTF-8 is replaced.
pub(super) fn given_words() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// A command line with the words of its file.
struct Expanded {
    words: Vec<OsString>,
    path: PathBuf,
    file: ConfigFile,
}

/// Reads a command line.
///
/// # Errors
/// The exit code, once it was said what is wrong; or once what was asked for was printed.
pub fn parse(arguments: &[OsString]) -> Result<Cli, ExitCode> {
    let expanded = expand(arguments).map_err(|told| {
        say(format_args!("mxray: {told}"));
        outlet::settle();
        ExitCode::from(EXIT_USAGE)
    })?;
    let words = expanded.as_ref().map_or(arguments, |expanded| expanded.words.as_slice());
    let command = Cli::command();
    let refused = |error: clap::Error| match &expanded {
        Some(expanded) => refuse(&error, arguments, of_file(&error, expanded)),
        None => refuse(&error, arguments, None),
    };
    let matches = command.clone().try_get_matches_from(words).map_err(refused)?;
    if let Some(text) = config_asked_for(&command, &matches) {
        return Err(super::tell(text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS));
    }
    let mut cli = Cli::from_arg_matches(&matches).map_err(refused)?;
    if let Some(expanded) = &expanded {
        let text =
            |words: &[OsString]| words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        match &mut cli.command {
            Command::Scan(args) => args.config.words = Some(text(&expanded.words)),
            Command::Judge(args) => args.config.words = Some(text(&expanded.words)),
            _ => {}
        }
    }
    Ok(cli)
}

/// What `--print-config` prints, where it is given.
fn config_asked_for(whole: &clap::Command, matches: &ArgMatches) -> Option<String> {
    let (name, matches) = matches.subcommand()?;
    let command = whole.find_subcommand(name).filter(|_| WITH_FILE.contains(&name))?;
    matches.get_flag(PRINT_CONFIG).then(|| print_config(command, matches))
}

/// The command line with what its file says, where it names one.
fn expand(arguments: &[OsString]) -> Result<Option<Expanded>, String> {
    // What the file has is not missed yet, and what is wrong is said when all is there.
    let mut lenient = Cli::command().ignore_errors(true);
    for name in WITH_FILE {
        lenient = lenient.mut_subcommand(name, |command| command.ignore_errors(true));
    }
    let Ok(given) = lenient.try_get_matches_from(arguments) else { return Ok(None) };
    let Some((name, given)) = given.subcommand().filter(|(name, _)| WITH_FILE.contains(name)) else {
        return Ok(None);
    };
    let Some(path) = given.get_one::<PathBuf>("config").cloned() else { return Ok(None) };
    // A run goes on with what it began with, which is refused with a file beside it.
    if given.try_contains_id("resume").unwrap_or_default() {
        return Ok(None);
    }
    let mut whole = Cli::command();
    whole.build();
    let Some(command) = whole.find_subcommand(name) else { return Ok(None) };
    let bytes = read_file("--config", &path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| format!("--config {}: not UTF-8", path.display()))?;
    let file = ConfigFile::read(&text, command).map_err(|fault| told(&path, &fault))?;
    let (first, rest) = arguments.split_at(arguments.len().min(2));
    let mut words = first.to_vec();
    words.extend(file.words_beside(command, given));
    words.extend(without_config(rest));
    Ok(Some(Expanded { words, path, file }))
}

/// The words but for `--config FILE`.
fn without_config(words: &[OsString]) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.to_str() {
            Some("--config") => drop(rest.next()),
            Some(text) if text.starts_with("--config=") => {}
            Some("--") => {
                kept.push(word.clone());
                kept.extend(rest.by_ref().cloned());
            }
            _ => kept.push(word.clone()),
        }
    }
    kept
}

fn told(path: &Path, fault: &ConfigFault) -> String {
    let line = fault.line.map(|line| format!(", line {line}")).unwrap_or_default();
    format!("--config {}{line}: {}", path.display(), fault.what)
}

/// The place in the file of the option that an error is about.
fn of_file(error: &clap::Error, expanded: &Expanded) -> Option<String> {
    let options = match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(option) => vec![option.clone()],
        ContextValue::Strings(options) => options.clone(),
        _ => return None,
    };
    options.iter().find_map(|option| {
        let key = option.trim_start_matches("--").split([' ', '=']).next()?;
        let line = expanded.file.line(key)?;
        Some(format!("--config {}, line {line}: ", expanded.path.display()))
    })
}
