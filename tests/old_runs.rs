//! Runs that older versions of mxray wrote are still read and judged, until
//! 1.0. What they do not know is told as not recorded, never guessed.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use assert_cmd::Command;
use mxray::internals::run_dir::{Column, DOMAINS, ENDPOINTS, GROUPS, MX, SUITES};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Row = BTreeMap<String, String>;

/// What stands in a cell of a run that was made before its cause was written
/// down.
const NOT_RECORDED: &str = "undetermined:not_recorded";

fn old_run(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_runs").join(name)
}

/// The rows of a table by what names them; whom they are judged for is not
/// compared.
fn rows(path: &Path, keys: &[&str]) -> BTreeMap<Vec<String>, Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize::<Row>().map(Result::unwrap);
    rows.map(|mut row| {
        row.remove("sender");
        (keys.iter().map(|key| row[*key].clone()).collect(), row)
    })
    .collect()
}

/// What a column of a table was called, and is called now, by the changelog.
fn renamed(table: &str) -> BTreeMap<&'static str, &'static str> {
    let (_, below) = include_str!("../CHANGELOG.md").split_once("| where | before | now |\n").unwrap();
    let rows =
        below.lines().skip(1).map_while(|line| line.strip_prefix("| ")).filter(|row| row.contains(table));
    rows.map(|row| (row.split('`').rev().nth(3).unwrap(), row.split('`').rev().nth(1).unwrap())).collect()
}

/// Exchange Online without DANE and MTA-STS, of which such a run knows nothing.
fn sender_without_policies(dir: &Path) -> PathBuf {
    let text = include_str!("../datasets/senders/exchange-online.toml");
    let [dane, mta_sts] = [
        ("[dane]\nvalue = \"opportunistic\"", "[dane]\nvalue = \"no\""),
        ("[mta_sts]\nvalue = true", "[mta_sts]\nvalue = false"),
    ];
    let without = [dane, mta_sts].into_iter().fold(text.to_string(), |text, (uses, without)| {
        assert!(text.contains(uses), "{uses}");
        text.replace(uses, without)
    });
    let file = dir.join("exchange-online.toml");
    fs::write(&file, without).unwrap();
    file
}

/// Judges a stored run by the roots beside it, at the moment of its scan.
fn judge(run: &Path, into: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let sender = sender_without_policies(dir.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(run).args(["judge", ".", "--roots", "roots.pem", "--sender"]).arg(sender);
    command.arg("-o").arg(into);
    command.assert().success();
}

/// Whether a cell must be another than it was, by rules that are stricter now.
fn is_explained(column: &str, before: &str, row: &Row) -> bool {
    // A better host that is not known leaves the whole row to that host.
    if row.get("otherwise").is_some_and(|cell| !cell.is_empty()) {
        return true;
    }
    // "No TLS" was believed at one look.
    if row.values().any(|cell| cell.contains("no_second_look")) {
        return true;
    }
    // What a sender makes of plaintext behind the 220 was not asked for.
    if row.values().any(|cell| cell.contains("plaintext_after_starttls")) {
        return true;
    }
    match column {
        // The weakest was one that had been looked at once.
        name if name.starts_with("weakest_") => true,
        // The sender's own hello was answered by a HelloRetryRequest alone, or what
        // it rests on was not recorded.
        "basis" if row["basis"] == "inferred" => before == "observed",
        // Whether a server of TLS 1.2 knows RFC 5746 was not recorded, and that the
        // sender goes on without is an assumption.
        "basis" => row["basis"] == "assumed",
        // Where TCP opens for nobody the next host decides.
        "delivery" => row["reason"].starts_with("connect_") && row["delivery"] == "deferred",
        // Of a further hello, too, where the handshake came to nothing.
        "forward_secrecy" | "cipher_suite_class" => before.is_empty(),
        "encryption_only" | "certificate_validation" | "domain_validation" => {
            before.starts_with("undetermined:connect_")
        }
        _ => false,
    }
}

#[test]
fn a_run_of_schema_1_is_judged_as_it_was() {
    let (run, dir) = (old_run("schema1"), tempfile::tempdir().unwrap());
    let again = dir.path().join("again");
    judge(&run, &again);
    for (table, keys) in [("domains.csv", &["line"][..]), ("endpoints.csv", &["ip", "port", "sni"])] {
        let (before, after) = (rows(&run.join(table), keys), rows(&again.join(table), keys));
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{table}");
        let renamed = renamed(table);
        for (key, old) in &before {
            // A hello that was sent after such a failure was believed then.
            if old["outcome"] == "client_certificate_required" {
                assert_eq!(after[key]["delivery"], "undetermined", "{table} {key:?}");
                continue;
            }
            for (column, cell) in old {
                let column = renamed.get(column.as_str()).map_or(column.as_str(), |name| name);
                let now = after[key].get(column).unwrap_or_else(|| panic!("{table} has no {column}"));
                assert!(
                    now == cell || now == NOT_RECORDED || is_explained(column, cell, &after[key]),
                    "{table} {key:?} {column}: {cell:?}, then {now:?}"
                );
            }
        }
    }
}

/// In the order of the table in `docs/decisions`.
fn kind_of_difference(before: &Row, after: &Row) -> usize {
    let has_become = |column: &str, cell: &str| before[column] != after[column] && after[column] == cell;
    let kinds = [
        has_become("basis", "inferred"),
        has_become("encryption_only", NOT_RECORDED),
        has_become("reason", "no_second_look"),
        has_become("reason", "tls_client_certificate_required"),
        has_become("reason", "greeting_throttled") && after["otherwise"] == "encrypted",
        has_become("forward_secrecy", "yes"),
        has_become("reason", "plaintext_after_starttls"),
    ];
    kinds.iter().position(|is_so| *is_so).map_or(0, |place| place + 1)
}

#[test]
fn the_rows_that_differ_are_told_by_their_kinds() {
    let (run, dir) = (old_run("schema1"), tempfile::tempdir().unwrap());
    let again = dir.path().join("again");
    judge(&run, &again);
    let after = rows(&again.join("domains.csv"), &["line"]);
    let mut found = [0usize; 8];
    for (key, before) in rows(&run.join("domains.csv"), &["line"]) {
        let kind = kind_of_difference(&before, &after[&key]);
        let differs =
            before.iter().any(|(column, cell)| after[&key].get(column).is_some_and(|now| now != cell));
        assert_eq!(kind > 0, differs, "{key:?}: {before:?}\n{:?}", after[&key]);
        found[kind] += 1;
    }
    let text = include_str!("../docs/decisions/8-old-runs-judged-again.md");
    let told =
        text.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<usize>().ok());
    assert_eq!(told.collect::<Vec<_>>(), found);
}

#[test]
fn what_is_judged_again_is_written_in_the_schema_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("again");
    judge(&old_run("schema1"), &again);
    let info: serde_json::Value = serde_json::from_slice(&fs::read(again.join("run.json")).unwrap()).unwrap();
    assert_eq!(info["schema"], mxray::internals::run_dir::SCHEMA_VERSION);
    for name in ["observations.jsonl", "facts.jsonl"] {
        let text = fs::read_to_string(again.join(name)).unwrap();
        assert!(!text.is_empty(), "{name}");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["schema"], mxray::internals::run_dir::SCHEMA_VERSION, "{name}");
        }
    }
}

/// A column says that its cells may tell of what an old run did not write down,
/// and no cell holds what its column does not admit.
#[test]
fn what_was_not_recorded_is_told_where_the_columns_say_so() {
    fn told<R>(columns: &[Column<R>], dir: &Path, table: &str) -> Vec<&'static str> {
        let mut reader = csv::Reader::from_path(dir.join(table)).unwrap();
        let rows: Vec<Row> = reader.deserialize().map(Result::unwrap).collect();
        let mut told = Vec::new();
        for column in columns {
            let mut cells = rows.iter().map(|row| row[column.name].as_str());
            if let Some(cell) = cells.clone().find(|cell| !column.admits(cell)) {
                panic!("{table}: {} is {cell}", column.name);
            }
            if cells.any(|cell| cell == NOT_RECORDED) {
                let says_so = column.doc.contains(NOT_RECORDED)
                    || column.closed_set().iter().any(|value| value == NOT_RECORDED);
                assert!(says_so, "{table}: {} may be {NOT_RECORDED}, and does not say so", column.name);
                told.push(column.name);
            }
        }
        told
    }
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("again");
    judge(&old_run("schema1"), &again);
    assert_eq!(told(ENDPOINTS, &again, "endpoints.csv"), ["session_id"]);
    // Of the answer to a further hello it was not recorded whether its signature holds.
    assert!(told(DOMAINS, &again, "domains.csv").contains(&"encryption_only"), "undetermined:not_recorded");
    assert!(told(MX, &again, "mx.csv").is_empty());
    // It enumerated nobody.
    for name in ["suites.csv", "groups.csv"] {
        assert!(!again.join(name).exists(), "{name}");
    }
}

/// The names that the changelog says have changed are in the old run, and those
/// of today in the new one: in the tables' headers, and in the journal.
#[test]
fn what_was_renamed_has_its_new_name() {
    let (run, dir) = (old_run("schema1"), tempfile::tempdir().unwrap());
    let again = dir.path().join("again");
    judge(&run, &again);
    let first_line = |dir: &Path, name: &str| {
        let text = fs::read_to_string(dir.join(name)).unwrap();
        text.lines().next().unwrap().to_string()
    };
    fn header<R>(columns: &[Column<R>]) -> String {
        columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",")
    }
    // What the old run has of an enumeration is two headers, and the new one has nothing.
    let today = |name: &str| match name {
        "suites.csv" => header(SUITES),
        "groups.csv" => header(GROUPS),
        name => first_line(&again, name),
    };
    let files =
        ["domains", "endpoints", "certificates", "mx", "suites", "groups"].map(|name| format!("{name}.csv"));
    for name in files.iter().map(String::as_str).chain(["observations.jsonl"]) {
        let (before, now) = (first_line(&run, name), today(name));
        let has = |line: &str, word: &str| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
        };
        for (old, new) in renamed(&format!("`{name}`")) {
            let [old, new] = [old, new].map(|key| key.rsplit('.').next().unwrap());
            // Not yet in the journal of schema 1.
            assert!(has(&before, old) || old == "residue_cut", "{name}: {old} was");
            assert!(has(&now, new) && !has(&now, old), "{name}: {old} is {new}");
        }
    }
}

/// Copies a run with one line of its journal changed.
fn with_journal(dir: &Path, change: impl Fn(&mut serde_json::Value)) -> PathBuf {
    let (from, to) = (old_run("schema1"), dir.join("changed"));
    fs::create_dir(&to).unwrap();
    for file in fs::read_dir(&from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let journal = to.join("observations.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        change(&mut line);
        format!("{line}\n")
    });
    let changed: String = lines.collect();
    fs::write(&journal, changed).unwrap();
    to
}

/// An mxray of schema 1 went on after a signature that failed, and called the
/// session encrypted.
#[test]
fn a_signature_that_failed_in_schema_1_is_a_handshake_that_failed() {
    let dir = tempfile::tempdir().unwrap();
    let run = with_journal(dir.path(), |line| {
        if line["tls"]["signature"] == "verified" && line["failure"].is_null() {
            line["tls"]["signature"] = "failed".into();
        }
    });
    let again = dir.path().join("again");
    judge(&run, &again);
    let keys = &["ip", "port", "sni"];
    let (before, after) = (rows(&run.join("endpoints.csv"), keys), rows(&again.join("endpoints.csv"), keys));
    let mut failed = 0;
    for (key, old) in
        before.iter().filter(|(_, old)| old["outcome"] == "ok" && old["signature"] == "verified")
    {
        let told = ["phase", "outcome", "signature", "reason"].map(|name| after[key][name].as_str());
        assert_eq!(told, ["tls", "signature_failed", "failed", "tls_signature_failed"], "{key:?}");
        assert_ne!(after[key]["delivery"], "encrypted", "{old:?}");
        failed += 1;
    }
    assert!(failed > 5, "{failed}");
    for row in rows(&again.join("domains.csv"), &["line"]).values() {
        if row["outcome"] == "signature_failed" {
            assert_eq!(row["encryption_only"], "fail:tls_signature_failed", "{row:?}");
        }
    }
}

/// What its verifier called failed or unverifiable for want of an algorithm is
/// told apart.
#[test]
fn a_scheme_that_was_not_offered_in_schema_1_failed() {
    let dir = tempfile::tempdir().unwrap();
    let run = with_journal(dir.path(), |line| {
        if line["tls"]["signature"] == "verified" && line["failure"].is_null() {
            line["tls"]["signature_scheme"] = "ecdsa_sha1".into();
            line["tls"]["signature"] = serde_json::json!({ "unverifiable": "scheme is not supported" });
        }
    });
    let again = dir.path().join("again");
    judge(&run, &again);
    let after = rows(&again.join("endpoints.csv"), &["ip", "port", "sni"]);
    let failed: Vec<_> = after.values().filter(|row| row["outcome"] == "signature_failed").collect();
    assert!(failed.len() > 5, "{}", failed.len());
    assert!(failed.iter().all(|row| row["detail"].starts_with("signed with ecdsa_sha1, which ")));
}
