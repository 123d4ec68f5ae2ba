//! The command line as it counts: with the options of a file that it names.

use super::{EXIT_USAGE, outlet, refuse, say};
use crate::cli::{Cli, Command, ConfigFault, ConfigFile, print_config};
use crate::plan::read_file;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The command that reads a file.
const SCAN: &str = "scan";

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
    let matches = command.clone().try_get_matches_from(words).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((matches, cli))
    });
    let (matches, mut cli) = matches.map_err(|error| match &expanded {
        Some(expanded) => refuse(&error, arguments, of_file(&error, expanded)),
        None => refuse(&error, arguments, None),
    })?;
    if let Command::Scan(args) = &mut cli.command {
        let scan = command.find_subcommand(SCAN).zip(matches.subcommand_matches(SCAN));
        if let Some((scan, matches)) = scan.filter(|_| args.config.print_config) {
            return Err(
                super::tell(print_config(scan, matches)).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
            );
        }
        let text =
            |words: &[OsString]| words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        args.config.words = expanded.as_ref().map(|expanded| text(&expanded.words));
    }
    Ok(cli)
}

/// The command line with what its file says, where it names one.
fn expand(arguments: &[OsString]) -> Result<Option<Expanded>, String> {
    // What the file has is not missed yet, and what is wrong is said when all is there.
    let whole = Cli::command().ignore_errors(true).mut_subcommand(SCAN, |scan| scan.ignore_errors(true));
    let Ok(given) = whole.try_get_matches_from(arguments) else { return Ok(None) };
    let Some(given) = given.subcommand_matches(SCAN) else { return Ok(None) };
    let Some(path) = given.get_one::<PathBuf>("config").cloned() else { return Ok(None) };
    // A run goes on with what it began with, which is refused with a file beside it.
    if given.get_one::<PathBuf>("resume").is_some() {
        return Ok(None);
    }
    let mut whole = Cli::command();
    whole.build();
    let Some(scan) = whole.find_subcommand(SCAN) else { return Ok(None) };
    let bytes = read_file("--config", &path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| format!("--config {}: not UTF-8", path.display()))?;
    let file = ConfigFile::read(&text, scan).map_err(|fault| told(&path, &fault))?;
    let (first, rest) = arguments.split_at(arguments.len().min(2));
    let mut words = first.to_vec();
    words.extend(file.words_beside(scan, given));
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
