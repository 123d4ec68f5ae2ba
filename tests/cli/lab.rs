//! `mxray lab`: its scenarios, the command that scans it, and a run held against it.

use crate::command::Folder;
use crate::stopping::send;
use crate::streams::end;
use mxray::internals::lab;
use std::io::{BufRead, BufReader};

#[test]
fn scenarios_are_listed_a_line_each() {
    let ran = Folder::new().run(["lab", "--list"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.stdout.lines().count(), lab::scenarios().unwrap().len());
    let line = ran.stdout.lines().find(|line| line.starts_with("tls13_ecdsa ")).unwrap();
    assert!(line.ends_with("  TLS 1.3 with an ECDSA P-256 certificate"), "{line}");
}

/// What the lab says to type can be typed, and what comes of it is what was played.
#[test]
fn a_lab_is_scanned_by_the_line_that_it_prints_and_the_run_is_held_against_it() {
    let folder = Folder::new().with("list", "a.example\nb.example\n");
    let line = "lab --domains list --scenario starttls_absent --scenario tls13_ecdsa --truth truth.csv --roots roots.pem";
    let mut child = folder.mxray(line.split(' ')).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("lab ready: dns 127.0.0.1:"));
    let words = lines.next().unwrap().unwrap();
    let words = words.strip_prefix("mxray ").unwrap();
    let ran = folder.run(format!("{words} -o run").split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    send("TERM", &child);
    assert_eq!(end(child).code, Some(0));

    let check = |words: &str| folder.run(format!("lab --check {words}").split(' '));
    let ran = check("run truth.csv");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "every row is what the lab played (2 domains)\n"),
        "{}",
        ran.stderr
    );

    let truth = folder.read("truth.csv");
    folder.write(
        "run/truth.csv",
        truth.replace("starttls_not_offered", "tls_alert").replace("b.example", "c.example"),
    );
    let ran = check("run");
    assert_eq!(ran.code, Some(6), "{}{}", ran.stdout, ran.stderr);
    let told = ran.stdout.lines().collect::<Vec<_>>();
    assert!(
        told.iter()
            .any(|line| line.starts_with("c.example (")
                && line.ends_with(": expected `1 row`, found `0 rows`")),
        "{told:?}"
    );
    assert!(told.iter().any(|line| line.starts_with("b.example (none: the truth lacks it): ")), "{told:?}");
    assert!(told.last().unwrap().ends_with(" findings are not what the lab played (2 domains)"), "{told:?}");

    folder.write("other.csv", "domain\na.example\n");
    for (words, told) in [
        ("none", "none is not a run directory: "),
        ("run none.csv", "none.csv: No such file"),
        ("run other.csv", "other.csv: not the truth of a lab: it has no columns domain and scenario"),
    ] {
        let ran = check(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert!(ran.stderr.starts_with(&format!("mxray: {told}")), "{}", ran.stderr);
    }
    assert_eq!(folder.run("judge run --sender google -o google".split(' ')).code, Some(0));
    let ran = check("google truth.csv");
    assert!(
        ran.code == Some(2) && ran.stderr.contains("mxray judge google --sender exchange-online"),
        "{}",
        ran.stderr
    );
}
