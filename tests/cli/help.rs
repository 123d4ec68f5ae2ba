//! What `--help` says, so that a change of the command line is seen.

use crate::command::Folder;
use clap::{Command, CommandFactory};
use mxray::internals::cli::Cli;
use std::collections::BTreeSet;

fn help(arguments: &[&str]) -> String {
    let ran = Folder::new().run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    ran.stdout
}

const COMMANDS: [&str; 9] =
    ["scan", "probe", "judge", "demo", "lab", "bench", "roots", "senders", "revocation"];

/// The commands that the help lists, but for `help` itself.
fn listed(help: &str) -> Vec<&str> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What is longer than a line goes on further in.
    let names = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[test]
fn of_each_command() {
    let all = help(&["--help"]);
    assert_eq!(listed(&all), COMMANDS, "each has a snapshot of its own");
    insta::assert_snapshot!("help", all);
    for command in COMMANDS {
        let long = help(&[command, "--help"]);
        assert_eq!(long, help(&[command, "-h"]), "{command}: one help, not two");
        insta::assert_snapshot!(format!("help_{command}"), long);
    }
}

#[test]
fn without_a_command_is_a_question_for_help() {
    let ran = Folder::new().run::<&str>([]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(ran.stderr, help(&["--help"]));
}

/// A text with single blanks and without backticks.
fn plain(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_has_the_same_exit_codes() {
    let readme = include_str!("../../README.md");
    let (_, table) = readme.split_once("| code | when |\n|---|---|\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<String> =
        table.lines().map(|row| plain(&row.trim_matches('|').replacen('|', " ", 1))).collect();
    for arguments in [&["--help"][..], &["scan", "--help"]] {
        let help = help(arguments);
        let (_, codes) = help.split_once("Exit codes:").unwrap();
        assert_eq!(plain(codes), rows.join(" "), "{arguments:?}");
    }
}

/// Options by their dashes, those that are hidden left out.
fn options(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().flat_map(|option| {
        let aliases = option.get_visible_aliases().unwrap_or_default();
        option.get_long().into_iter().chain(aliases).map(|name| format!("--{name}")).collect::<Vec<_>>()
    });
    own.chain(command.get_subcommands().flat_map(options)).collect()
}

/// Words of a text that begin with two dashes.
fn dashed(text: &str) -> impl Iterator<Item = &str> {
    let is_of_word =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    text.match_indices("--").filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back();
        let word = text[at..].split(|character| !is_of_word(character)).next()?;
        (before != Some('-') && word.trim_matches('-').len() > 1).then_some(word)
    })
}

/// Options of other programs.
const OTHERS: [&str; 6] = ["--release", "--path", "--no-default-features", "--bench", "--open", "--help"];

#[test]
fn every_option_in_the_documents_is_one() {
    let known = options(&Cli::command());
    for (name, text) in [
        ("README.md", include_str!("../../README.md")),
        ("bench.md", include_str!("../../docs/bench.md")),
        ("columns.md", include_str!("../../docs/columns.md")),
        ("connectors.md", include_str!("../../docs/connectors.md")),
        ("expectations.md", include_str!("../../docs/expectations.md")),
        ("journal.md", include_str!("../../docs/journal.md")),
        ("outcomes.md", include_str!("../../docs/outcomes.md")),
        ("senders.md", include_str!("../../docs/senders.md")),
        ("trust.md", include_str!("../../docs/trust.md")),
    ] {
        let unknown: Vec<&str> =
            dashed(text).filter(|word| !known.contains(*word) && !OTHERS.contains(word)).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}
