//! `mxray man` and `mxray completions`.

use crate::command::Folder;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// The long options that a text names, as in a help or in a page.
fn options(text: &str) -> BTreeSet<String> {
    // A page writes each hyphen of an option with a backslash.
    let plain = text.replace("\\-", "-").replace("\\fR", " ").replace("\\fB", " ");
    let words = plain.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_string).collect()
}

#[test]
fn every_command_has_a_page_with_each_of_its_options() {
    let folder = Folder::new();
    let ran = folder.run(["man", "-o", "pages"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    let pages = folder.path().join("pages");
    for command in [&[][..], &["scan"], &["probe"], &["roots", "check"], &["senders", "show"], &["man"]] {
        let page = format!("{}.1", [&["mxray"], command].concat().join("-"));
        let page = fs::read_to_string(pages.join(&page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        let help = folder.run([command, &["--help"]].concat()).stdout;
        // Another name for the same is no option more.
        let help = help.lines().filter(|line| !line.contains("[alias: ")).collect::<Vec<_>>().join("\n");
        let missing: Vec<_> = options(&help).difference(&options(&page)).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "{command:?}");
    }
    let printed = folder.run(["man"]);
    assert_eq!(printed.stdout, fs::read_to_string(pages.join("mxray.1")).unwrap());
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = Folder::new().with("file", "");
    let ran = folder.run(["man", "-o", "file/pages"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.starts_with("mxray: cannot make file/pages: "), "{}", ran.stderr);
}

/// A disk that is full, as a limit of what a file may hold.
#[test]
#[cfg(unix)]
fn a_page_that_does_not_fit_leaves_what_was_there() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("pages")).unwrap();
    folder.write("pages/mxray.1", "the page of an older mxray");
    let line = format!("ulimit -f 0 && exec {} man -o pages", env!("CARGO_BIN_EXE_mxray"));
    let said = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.status.code() == Some(1) && stderr.starts_with("mxray: cannot write pages/mxray.1: "),
        "{stderr}"
    );
    assert_eq!(folder.read("pages/mxray.1"), "the page of an older mxray");
    assert_eq!(fs::read_dir(folder.path().join("pages")).unwrap().count(), 1, "and nothing of the new one");
}

/// What bash offers for a line whose last word is not finished.
fn offered(script: &str, line: &[&str]) -> Vec<String> {
    let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (last, before) = (line[line.len() - 1], line[line.len() - 2]);
    let ask = format!(
        "{script}\nCOMP_WORDS=({words}); COMP_CWORD={}\n_mxray mxray '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        line.len() - 1
    );
    let said = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().lines().map(str::to_string).collect()
}

#[test]
#[cfg(unix)]
fn bash_offers_commands_options_and_values() {
    let script = Folder::new().run(["completions", "bash"]).stdout;
    assert_eq!(offered(&script, &["mxray", "sc"]), ["scan"]);
    assert_eq!(offered(&script, &["mxray", "scan", "--per-op"]).len(), 3);
    assert_eq!(offered(&script, &["mxray", "completions", "po"]), ["powershell"]);
}

#[test]
fn each_shell_has_completions_and_another_is_wrong_use() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Folder::new().run(["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(ran.stdout.contains("per-operator-interval"), "{shell}");
    }
    let ran = Folder::new().run(["completions", "csh"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
}
