//! Runs that older versions of mxray wrote are still read and judged, until
//! 1.0. What they do not know is told as not recorded, never guessed.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use assert_cmd::Command;
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

/// The rows of a table by what names them.
fn rows(path: &Path, keys: &[&str]) -> BTreeMap<Vec<String>, Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize::<Row>().map(Result::unwrap);
    rows.map(|row| (keys.iter().map(|key| row[*key].clone()).collect(), row)).collect()
}

/// Judges a stored run by the roots beside it, at the moment of its scan.
fn judge(run: &Path, into: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.current_dir(run).args(["judge", ".", "--roots", "roots.pem", "-o"]).arg(into);
    command.assert().success();
}

#[test]
fn a_run_of_schema_1_is_judged_as_it_was() {
    let (run, dir) = (old_run("schema1"), tempfile::tempdir().unwrap());
    let again = dir.path().join("again");
    judge(&run, &again);
    for (table, keys) in [("domains.csv", &["line"][..]), ("endpoints.csv", &["ip", "port", "sni"])] {
        let (before, after) = (rows(&run.join(table), keys), rows(&again.join(table), keys));
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{table}");
        for (key, old) in &before {
            for (column, cell) in old {
                let Some(now) = after[key].get(column) else { continue };
                assert!(
                    now == cell || now == NOT_RECORDED,
                    "{table} {key:?} {column}: {cell:?}, then {now:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_judged_again_is_written_in_the_schema_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("again");
    judge(&old_run("schema1"), &again);
    let info: serde_json::Value = serde_json::from_slice(&fs::read(again.join("run.json")).unwrap()).unwrap();
    assert_eq!(info["schema"], mxray::output::SCHEMA_VERSION);
    for name in ["observations.jsonl", "facts.jsonl"] {
        let text = fs::read_to_string(again.join(name)).unwrap();
        assert!(!text.is_empty(), "{name}");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["schema"], mxray::output::SCHEMA_VERSION, "{name}");
        }
    }
}
