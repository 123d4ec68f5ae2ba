//! `mxray diff`: two runs held against each other.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use serde_json::Value;
use std::fs;

/// A run of `count` domains, `a`, and the same again, `b`.
fn two_runs(count: usize) -> Lab {
    let lab = Lab::playing(&["tls13_ecdsa"], count);
    for run in ["a", "b"] {
        scan(&lab, &format!("scan list -o {run} --allow-private"));
    }
    lab
}

fn scan(lab: &Lab, words: &str) {
    let ran = lab.folder.run(lab.args(words));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

fn diff(folder: &Folder, words: &str) -> Ran {
    folder.run(format!("diff {words}").split(' '))
}

/// Writes a cell of `domains.csv` anew.
fn set(folder: &Folder, run: &str, domain: &str, cells: &[(&str, &str)]) {
    rewrite(folder, run, |header, row| {
        let place = |name: &str| header.iter().position(|column| column == name).unwrap();
        if row[place("domain")] == *domain {
            for (column, value) in cells {
                row[place(column)] = (*value).to_string();
            }
        }
        true
    });
}

/// Keeps the rows of `domains.csv` for which that is said, as they are then.
fn rewrite(folder: &Folder, run: &str, mut keep: impl FnMut(&[String], &mut Vec<String>) -> bool) {
    let name = format!("{run}/domains.csv");
    let text = folder.read(&name);
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = rows.records().map(|row| row.unwrap().iter().map(String::from).collect::<Vec<String>>());
    let header = rows.next().unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    for mut row in rows {
        if keep(&header, &mut row) {
            writer.write_record(&row).unwrap();
        }
    }
    folder.write(&name, writer.into_inner().unwrap());
}

/// Changes `run.json`.
fn set_info(folder: &Folder, run: &str, change: impl FnOnce(&mut Value)) {
    let name = format!("{run}/run.json");
    let mut info: Value = serde_json::from_str(&folder.read(&name)).unwrap();
    change(&mut info);
    folder.write(&name, info.to_string());
}

fn counts(folder: &Folder, words: &str) -> Value {
    let ran = diff(folder, &format!("{words} --format json"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let mut told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let counts = told["counts"].as_object_mut().unwrap();
    counts.retain(|_, count| *count != 0);
    told["counts"].take()
}

#[test]
fn runs_of_one_thing_are_the_same_and_what_became_worse_has_an_exit_code() {
    let lab = two_runs(4);
    let folder = &lab.folder;
    let same = diff(folder, "a b --fail-on worse");
    assert_eq!((same.code, same.stderr.as_str()), (Some(0), ""));
    assert!(same.stdout.starts_with("before  a  "), "{}", same.stdout);
    assert!(same.stdout.ends_with("  The same                                                     4\n  all                                                          4\n"), "{}", same.stdout);

    set(folder, "b", "d1.example", &[("delivery", "plaintext"), ("reason", "starttls_not_offered")]);
    set(folder, "b", "d2.example", &[("delivery", "undetermined"), ("reason", "network_suspect")]);
    set(
        folder,
        "a",
        "d3.example",
        &[("authenticated", "undetermined:not_asked"), ("weakest_tls_version", "TLSv1.2")],
    );
    set(
        folder,
        "b",
        "d4.example",
        &[("mx_operator", "other.example"), ("inferred_from", "mx.other.example")],
    );
    let worse = diff(folder, "a b --fail-on worse");
    assert_eq!((worse.code, worse.stderr.as_str()), (Some(6), ""));
    let told = "\nWorse\n  d1.example\n      delivery: encrypted -> plaintext:starttls_not_offered\n";
    assert!(worse.stdout.contains(told), "{}", worse.stdout);
    assert!(worse.stdout.lines().all(|line| line.chars().count() <= 80), "{}", worse.stdout);
    assert!(worse.stdout.contains("  d4.example  (inferred)\n      operator_moved\n"), "{}", worse.stdout);
    let expected = serde_json::json!({"worse": 1, "now_undetermined": 1, "determined_now": 1, "changed": 1});
    assert_eq!(counts(folder, "a b"), expected);
    // The other way round nothing is worse.
    let turned = diff(folder, "b a --fail-on worse");
    assert_eq!(turned.code, Some(0));
    let note = "note    The first run is the later one.\n";
    assert!(turned.stdout.contains(note) && !worse.stdout.contains(note), "{}", turned.stdout);
    assert_eq!(diff(folder, "a b").code, Some(0), "nobody asked for an error");
}

/// Mail that was kept back and goes in clear now is better, and no gate for TLS may let
/// it through.
#[test]
fn what_fail_on_names_beside_worse() {
    let lab = two_runs(3);
    let folder = &lab.folder;
    set(folder, "a", "d1.example", &[("delivery", "deferred"), ("reason", "tls_alert")]);
    set(folder, "b", "d1.example", &[("delivery", "plaintext"), ("reason", "starttls_not_offered")]);
    let code = |words: &str| diff(folder, words).code;
    assert_eq!(counts(folder, "a b"), serde_json::json!({"better": 1, "same": 2}));
    for (word, expected) in [("worse", 0), ("plaintext", 6), ("undetermined", 0), ("came", 0), ("went", 0)] {
        assert_eq!(code(&format!("a b --fail-on {word}")), Some(expected), "{word}");
    }
    assert_eq!(code("a b --fail-on worse,went,plaintext"), Some(6));
    assert_eq!(code("a a --fail-on plaintext"), Some(0));
    assert_eq!(code("b b --fail-on plaintext"), Some(0), "it did before");
    set(folder, "b", "d2.example", &[("delivery", "undetermined"), ("reason", "network_suspect")]);
    assert_eq!(code("a b --fail-on undetermined --fail-on worse"), Some(6));
}

/// A certificate and its key are found in `certificates.csv` of either run.
#[test]
fn a_certificate_that_was_renewed_about_the_same_key_is_told() {
    let lab = two_runs(2);
    let folder = &lab.folder;
    let certificates = folder.read("b/certificates.csv");
    let leaf = folder.read("a/domains.csv");
    let header: Vec<&str> = leaf.lines().next().unwrap().split(',').collect();
    let place = header.iter().position(|column| *column == "cert_sha256").unwrap();
    let mut rows = csv::Reader::from_reader(leaf.as_bytes());
    let leaf = rows.records().next().unwrap().unwrap()[place].to_string();
    let renewed = "ab".repeat(32);
    let row = certificates.lines().find(|row| row.starts_with(&leaf)).unwrap().replacen(&leaf, &renewed, 1);
    folder.write("b/certificates.csv", format!("{certificates}{row}\n"));
    rewrite(folder, "b", |_, row| {
        row.iter_mut().filter(|cell| **cell == leaf).for_each(|cell| *cell = renewed.clone());
        true
    });
    let ran = diff(folder, "a b --format csv");
    let mut rows = csv::Reader::from_reader(ran.stdout.as_bytes());
    let header = rows.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!(
            (&row[place("change")], &row[place("signs")]),
            ("changed", "certificate_renewed key_reused")
        );
        assert_eq!(
            (&row[place("cert_sha256_before")], &row[place("cert_sha256_after")]),
            (&*leaf, &*renewed)
        );
    }
}

#[test]
fn a_list_that_grew_or_shrank_and_a_domain_that_is_on_it_twice() {
    let lab = two_runs(3);
    let folder = &lab.folder;
    folder.write("other", "d9.example\nd3.example\nd2.example\nd2.example\n");
    scan(&lab, "scan other -o c --allow-private");
    assert_eq!(counts(folder, "a c"), serde_json::json!({"came": 2, "went": 1, "same": 2}));
    // What an unfinished run lacks is not told as gone.
    set_info(folder, "c", |info| info["finished"] = false.into());
    assert_eq!(counts(folder, "a c"), serde_json::json!({"came": 2, "not_reached": 1, "same": 2}));
    assert_eq!(counts(folder, "c a"), serde_json::json!({"went": 2, "not_reached": 1, "same": 2}));
    let told = diff(folder, "a c").stdout;
    assert!(
        told.contains("note    c was stopped before the end of its list: a domain that it lacks is told\n"),
        "{told}"
    );
}

#[test]
fn a_run_that_was_killed_is_compared_as_far_as_it_goes() {
    let lab = two_runs(3);
    let folder = &lab.folder;
    set_info(folder, "b", |info| info["finished"] = Value::Null);
    let rows = folder.read("b/domains.csv");
    folder.write("b/domains.csv", &rows[..rows.len() - 20]);
    assert_eq!(counts(folder, "a b"), serde_json::json!({"not_reached": 1, "same": 2}));
    let told = diff(folder, "a b").stdout;
    assert!(told.contains("note    b was killed, or still goes on: "), "{told}");
    folder.write("b/domains.csv", "");
    assert_eq!(counts(folder, "a b"), serde_json::json!({"not_reached": 3}));
}

#[test]
fn what_cannot_be_compared_is_refused_with_one_line() {
    let lab = two_runs(2);
    let folder = &lab.folder;
    let refused = |words: &str| {
        let ran = diff(folder, words);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.lines().count()),
            (Some(2), "", 1),
            "{}",
            ran.stderr
        );
        ran.stderr
    };
    assert_eq!(refused("a nothing"), "mxray: nothing is not a run directory: it has no run.json\n");
    let judged = folder.run("judge b -o google --sender google".split(' '));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    assert_eq!(
        refused("a google"),
        "mxray: a and google cannot be compared: the sender differs (exchange-online and google); judge both \
         alike: mxray judge google --sender exchange-online -o google-judged; then mxray diff a google-judged\n"
    );
    let other = Lab::playing(&["tls13_ecdsa"], 2);
    scan(&other, "scan list -o run --allow-private");
    let elsewhere = other.folder.path().join("run").display().to_string();
    let told = refused(&format!("a {elsewhere}"));
    assert!(told.contains("the root certificates differ (both roots.pem, with other content)"), "{told}");
    assert!(told.contains("mxray judge "), "{told}");

    set_info(folder, "google", |info| info["shard"] = "1/2".into());
    assert!(refused("a google").contains("google is shard 1/2 of a run"), "{}", refused("a google"));
    folder.write("there", "mine");
    assert_eq!(refused("a b -o there"), "mxray: there is there already; choose another with -o\n");
    assert_eq!(folder.read("there"), "mine");

    rewrite(folder, "b", |_, row| row.iter().all(|cell| cell != "d2.example"));
    assert_eq!(
        refused("a b"),
        "mxray: b/domains.csv: it has 1 whole rows, where run.json counted 2; mxray judge makes it anew\n"
    );
    folder.write("b/domains.csv", folder.read("b/domains.csv") + "1,2,3\n");
    let ran = diff(folder, "a b -o out");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("mxray: b/domains.csv:3: 3 cells under a header of "), "{}", ran.stderr);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_file_is_written_where_it_is_named() {
    let lab = two_runs(2);
    let folder = &lab.folder;
    set(folder, "b", "d1.example", &[("delivery", "deferred"), ("reason", "tls_alert")]);
    for format in ["text", "csv", "json", "html"] {
        let printed = diff(folder, &format!("a b --format {format}"));
        let written = diff(folder, &format!("a b --format {format} -o {format} --fail-on worse"));
        assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (Some(6), "", ""));
        assert_eq!(folder.read(format), printed.stdout);
    }
    assert!(fs::read_dir(folder.path()).unwrap().count() > 3);
}

/// A lab has no file of a sender, and `judge` names one.
#[test]
fn a_demo_is_compared_with_what_is_judged_of_it_and_not_with_another() {
    let folder = Folder::new();
    for run in ["one", "other"] {
        assert_eq!(folder.run(["demo", "--domains", "3", "-o", run]).code, Some(0));
    }
    assert_eq!(folder.run("judge one -o judged".split(' ')).code, Some(0));
    assert_eq!(counts(&folder, "one judged")["same"], 3);
    let refused = diff(&folder, "one other");
    let told = "the root certificates differ (both lab, with other content)";
    assert!(refused.code == Some(2) && refused.stderr.contains(told), "{}", refused.stderr);
    // What it says to type can be typed.
    let (_, hint) = refused.stderr.split_once("; judge both alike: ").unwrap();
    for command in hint.trim_end().split("; ") {
        let words = command.trim_start_matches("then ").strip_prefix("mxray ").unwrap();
        let ran = folder.run(words.split(' '));
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.stderr);
    }
}

/// Certificates that have expired only as of another day are not taken for a change of
/// the servers.
#[test]
fn a_run_judged_as_of_another_day_is_told() {
    let lab = two_runs(1);
    let judged = lab.folder.run(["judge", "a", "-o", "later", "--at", "2040-01-01"]);
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let told = diff(&lab.folder, "a later").stdout;
    let words: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("on and judged as of 2040-01-01T00:00:00Z: certificates that end in between"),
        "{told}"
    );
    assert!(!diff(&lab.folder, "a b").stdout.contains("judged as of"));
}

#[test]
fn what_somebody_wrote_into_a_run_steers_no_terminal() {
    let lab = two_runs(1);
    for run in ["a", "b"] {
        set_info(&lab.folder, run, |info| {
            info["mxray"] = format!("0.1\u{1b}[2J{run}").into();
            info["sender"] = "exchange\u{1b}[31m".into();
        });
    }
    let compared = diff(&lab.folder, "a b");
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert!(!compared.stdout.contains('\u{1b}'), "{:?}", compared.stdout);
    assert!(
        compared.stdout.contains("\\x1b[31m") && compared.stdout.contains("0.1\\x1b[2Ja"),
        "{}",
        compared.stdout
    );
}
