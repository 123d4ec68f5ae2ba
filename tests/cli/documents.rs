//! What stands in a document and in the program is the same in both.

use crate::command::Folder;
use clap::{Command, CommandFactory};
use mxray::internals::cli::Cli;
use mxray::internals::model::{CheckCause, CheckFailure, Kind, Phase, Reason};
use mxray::internals::report::diff::{DiffSign, DomainChange, ORDER};
use mxray::internals::run_dir::DOMAINS;
use mxray::internals::sender::Sender;
use std::collections::BTreeSet;

const README: &str = include_str!("../../README.md");
const BENCH: &str = include_str!("../../docs/bench.md");
const OUTCOMES: &str = include_str!("../../docs/outcomes.md");
const COLUMNS: &str = include_str!("../../docs/columns.md");
const SENDERS: &str = include_str!("../../docs/senders.md");
const RUN_DIRECTORY: &str = include_str!("../../docs/run-directory.md");
const DIFF: &str = include_str!("../../docs/diff.md");
const PROBE: &str = include_str!("../../docs/probe.md");
const CONNECTORS: &str = include_str!("../../docs/connectors.md");

/// Pages about options of Cargo, Docker and the benches.
const OF_OTHERS: [&str; 4] = ["fuzzing.md", "install.md", "performance.md", "reliability.md"];

/// The documents that name options: the README, and all other pages of the book.
fn with_options() -> Vec<(String, String)> {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    let pages = std::fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let named = pages.map(|path| (path.file_name().unwrap().to_str().unwrap().to_string(), path));
    let told = named.filter(|(name, _)| !OF_OTHERS.contains(&name.as_str()));
    let read = told.map(|(name, path)| (name, std::fs::read_to_string(path).unwrap()));
    read.chain([("README.md".to_string(), README.to_string())]).collect()
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
const OTHERS: [&str; 11] = [
    "--release",
    "--path",
    "--no-default-features",
    "--bench",
    "--open",
    "--help",
    // swaks
    "--server",
    "--helo",
    "--tls",
    "--from",
    "--to",
];

#[test]
fn every_option_in_the_documents_is_one() {
    let known = options(&Cli::command());
    for (name, text) in &with_options() {
        let unknown: Vec<&str> =
            dashed(text).filter(|word| !known.contains(*word) && !OTHERS.contains(word)).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

/// Options that the documents name in another way: `-o`, `-vv`, `--enumerate`.
const BY_ANOTHER_NAME: [&str; 3] = ["--output", "--verbose", "--suites"];

#[test]
fn every_option_is_in_a_document() {
    let documents = with_options();
    let told: BTreeSet<&str> = documents.iter().flat_map(|(_, text)| dashed(text)).collect();
    let known = options(&Cli::command());
    let is_told = |option: &str| told.contains(option) || BY_ANOTHER_NAME.contains(&option);
    let untold: Vec<&String> = known.iter().filter(|option| !is_told(option)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

/// The cells of the table whose header this is.
fn table<'a>(document: &'a str, header: &str) -> Vec<Vec<&'a str>> {
    let (_, below) = document.split_once(header).unwrap_or_else(|| panic!("no table {header}"));
    let rows = below.lines().skip(1).skip_while(|line| line.starts_with("|---"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn bench_has_the_defaults_of_its_options() {
    let command = Cli::command();
    let bench = command.find_subcommand("bench").unwrap();
    for row in table(BENCH, "| what | at most | default |") {
        let name = quoted(row[0])[0].trim_start_matches("--");
        let option = bench.get_arguments().find(|option| option.get_long() == Some(name)).unwrap();
        let told = row[2].replace(['\u{a0}', ' '], "").replace('\u{b5}', "u");
        let help = option.get_help().unwrap().to_string();
        match option.get_default_values() {
            [value] => assert_eq!(told, value.to_str().unwrap(), "--{name}"),
            _ if told == "none" => assert!(!help.contains("[default"), "--{name}: {help}"),
            _ => {
                let first = row[2].split(';').next().unwrap().replace(' ', "");
                assert!(help.contains(&format!("[default: {first}")), "--{name}: {help}");
            }
        }
    }
}

#[test]
fn every_kind_of_failure_is_in_the_table_of_outcomes() {
    let rows = table(OUTCOMES, "| phase | outcome | what happened |");
    let told: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(row[1])).collect();
    assert_eq!(told, Kind::ALL.iter().map(|kind| kind.name()).collect());
    for phase in rows.iter().flat_map(|row| row[0].split([',', ' ']).filter(|word| !word.is_empty())) {
        let known = phase == "to" || Phase::ALL.iter().any(|known| known.name() == phase);
        assert!(known, "{phase}");
    }
}

#[test]
fn every_reason_and_every_cause_is_in_its_table() {
    let first = |rows: Vec<Vec<&'static str>>| -> BTreeSet<&str> {
        rows.iter().flat_map(|row| quoted(row[0])).collect()
    };
    let reasons = first(table(OUTCOMES, "| reason | what it means |"));
    // Phase and outcome in one word are told by the other table.
    let (ends, named): (BTreeSet<&str>, BTreeSet<&str>) =
        reasons.into_iter().partition(|reason| reason.starts_with("tls_"));
    assert_eq!(named, Reason::names().collect());
    let is_end = |end: &&str| Kind::ALL.iter().any(|kind| end.strip_prefix("tls_") == Some(kind.name()));
    assert!(ends.iter().all(is_end), "{ends:?}");
    let causes = first(table(CONNECTORS, "| REASON | what it means |"));
    let known = CheckFailure::NAMES.iter().chain(CheckCause::NAMES).map(|(name, _)| *name);
    // One reason more: it is told of the certificate.
    assert_eq!(causes, known.chain(["certificate_form"]).collect());
}

#[test]
fn every_value_about_dane_and_mta_sts_is_in_a_table() {
    for name in ["authenticated", "dane", "dnssec_mx", "mta_sts", "tls_rpt", "tls_rpt_result"] {
        let rows = table(OUTCOMES, &format!("| `{name}` | what it means |"));
        let told: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(row[0])).collect();
        let column = DOMAINS.iter().find(|column| column.name == name).unwrap();
        assert_eq!(told, column.values.iter().copied().collect(), "{name}");
    }
}

#[test]
fn the_order_of_deliveries_and_what_a_comparison_tells_are_in_their_tables() {
    let first =
        |header: &str| -> Vec<&str> { table(DIFF, header).iter().map(|row| quoted(row[0])[0]).collect() };
    let order: Vec<&str> = ORDER.iter().map(|line| line.column.name()).collect();
    assert_eq!(first("| column | best to worst |"), order);
    let changes: BTreeSet<&str> = DomainChange::ALL.iter().map(|change| change.name()).collect();
    assert_eq!(first("| change | when |").into_iter().collect::<BTreeSet<_>>(), changes);
    let signs: BTreeSet<String> = DiffSign::OTHERS.iter().map(ToString::to_string).collect();
    let told = first("| sign | what it means |");
    assert_eq!(told.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), signs);
    assert_eq!(told.len(), DiffSign::OTHERS.len());
}

#[test]
fn the_page_of_the_run_directory_tells_columns_and_values_that_there_are() {
    let known = |name: &str| DOMAINS.iter().find(|column| column.name == name);
    for row in table(RUN_DIRECTORY, "| column of `domains.csv` | values |") {
        let names = quoted(row[0]);
        if names == ["weakest_\u{2026}"] {
            continue;
        }
        let columns: Vec<_> =
            names.iter().map(|name| known(name).unwrap_or_else(|| panic!("{name}"))).collect();
        if let [column] = columns[..]
            && !column.values.is_empty()
        {
            let values: Vec<&str> =
                quoted(row[1]).iter().filter_map(|value| value.split(':').next()).collect();
            assert_eq!(values, column.values, "{}", column.name);
        }
    }
}

#[test]
fn the_senders_are_those_that_come_with_it() {
    let names: BTreeSet<&str> = Sender::names().into_iter().collect();
    let rows = table(SENDERS, "| sender | what it is |");
    assert_eq!(rows.iter().flat_map(|row| quoted(row[0])).collect::<BTreeSet<_>>(), names);
}

/// A demo leaves all that a scan leaves, and more.
#[test]
fn every_file_of_a_run_is_told() {
    let folder = Folder::new();
    let ran = folder.run(["demo", "--domains", "1", "-o", "run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let entries = std::fs::read_dir(folder.path().join("run")).unwrap();
    for name in entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        let quoted = format!("`{name}`");
        assert!(RUN_DIRECTORY.contains(&quoted), "run-directory.md: {name}");
        assert!(COLUMNS.contains(&quoted) || COLUMNS.contains(&format!("## {name}")), "columns.md: {name}");
    }
}

#[test]
fn every_word_of_probe_fail_on_is_in_its_table() {
    let command = Cli::command();
    let probe = command.find_subcommand("probe").unwrap();
    let option = probe.get_arguments().find(|option| option.get_long() == Some("fail-on")).unwrap();
    let words: Vec<String> =
        option.get_possible_values().iter().map(|value| value.get_name().to_string()).collect();
    let told: Vec<String> =
        table(PROBE, "| word | met if |").iter().map(|row| quoted(row[0])[0].to_string()).collect();
    assert_eq!(told, words);
    let help = option.get_help().unwrap().to_string();
    assert!(words.iter().all(|word| help.contains(&format!("`{word}`"))), "{help}");
}
