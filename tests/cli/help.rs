//! What `--help` says, so that a change of the command line is seen.

use crate::command::Folder;

fn help(arguments: &[&str]) -> String {
    let ran = Folder::new().run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    ran.stdout
}

const COMMANDS: [&str; 19] = [
    "scan",
    "probe",
    "judge",
    "merge",
    "diff",
    "report",
    "export",
    "tlsrpt",
    "demo",
    "lab",
    "bench",
    "receive",
    "roots",
    "senders",
    "revocation",
    "preflight",
    "explain",
    "man",
    "completions",
];

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
fn the_page_of_exit_codes_has_the_same() {
    let page = include_str!("../../docs/exit-codes.md");
    let (_, table) = page.split_once("| code | when |\n|---|---|\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<String> =
        table.lines().map(|row| plain(&row.trim_matches('|').replacen('|', " ", 1))).collect();
    let (_, codes) = plain(&help(&["--help"])).split_once("Exit codes: ").map(owned).unwrap();
    assert_eq!(codes, rows.join(" "));
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_string(), other.to_string())
}

/// A command tells its own exit codes, and those of no other.
#[test]
fn a_scan_tells_its_own_exit_codes() {
    let (_, codes) = plain(&help(&["scan", "--help"])).split_once("Exit codes: ").map(owned).unwrap();
    let others = ["demo", "roots", "bench", "preflight", "probe", "revocation", "diff", "lab", "scan:"];
    let foreign: Vec<_> = others.into_iter().filter(|other| codes.contains(other)).collect();
    assert!(foreign.is_empty(), "{foreign:?}: {codes}");
    for code in ["0 done", "1 failed", "2 the command line", "5 nothing", "7 ended", "130, 143 stopped"] {
        assert!(codes.contains(code), "{code}: {codes}");
    }
}
