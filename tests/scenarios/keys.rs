//! The keys of the JSON Lines of a run are those that `docs/journal.md` tells.

use crate::survey::Run;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

const DOCUMENT: &str = include_str!("../../docs/journal.md");

/// Keys that the scan of a list of domains does not bring about: those of lists
/// of endpoints, and of `--expect`.
const ELSEWHERE: [&str; 6] = [
    "assessment.expectations[].detail",
    "assessment.expectations[].expectation",
    "assessment.expectations[].status",
    "endpoint.ip",
    "endpoint.name",
    "endpoint.port",
];

/// How keys begin of what few domains publish.
const OF_FEW: [&str; 5] = ["exchanges[].tlsa.", "mta_sts.", "mx_alias_end", "tls_rpt", "policy_chain[]"];

/// What is told as a whole, and not key by key.
const WHOLE: [&str; 5] = [
    "mta_sts.fetch.failure",
    "mta_sts.fetch.policy",
    "mta_sts.record.faulty",
    "exchanges[].tlsa.outcome.failed",
    "tls_rpt",
];

/// Its keys are those of `dialogue`.
const SECOND_DIALOGUE: &str = "extra_client_hellos[].dialogue";

/// Holds both files of a run against the document.
pub fn check(run: &Run) {
    for (file, elsewhere) in [("observations.jsonl", &ELSEWHERE[..3]), ("facts.jsonl", &ELSEWHERE[3..])] {
        let documented = documented(file);
        let mut found = Found::default();
        for line in BufReader::new(run.file(file)).lines() {
            found.walk(&serde_json::from_str(&line.unwrap()).unwrap(), String::new());
        }
        let unsaid: Vec<_> = found.values.difference(&documented).collect();
        assert!(unsaid.is_empty(), "{file}: docs/journal.md does not tell {unsaid:?}");
        let unseen = documented.iter().filter(|key| !found.values.contains(*key));
        let unseen = unseen.filter(|key| !found.objects.contains(*key) && !is_of_few(key));
        assert_eq!(unseen.collect::<Vec<_>>(), elsewhere, "{file}: told and not seen");
    }
}

fn is_of_few(key: &str) -> bool {
    OF_FEW.iter().any(|begin| key.starts_with(begin))
}

/// The keys in the first column of the table of a file.
fn documented(file: &str) -> BTreeSet<String> {
    let (_, below) = DOCUMENT.split_once(&format!("<!-- keys of {file} -->\n")).unwrap();
    let rows = below.lines().take_while(|line| line.starts_with('|')).skip(2);
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_string).collect()
}

/// The keys of a file: those of values, and those of objects around others.
#[derive(Default)]
struct Found {
    values: BTreeSet<String>,
    objects: BTreeSet<String>,
}

impl Found {
    fn walk(&mut self, value: &Value, path: String) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.walk(value, format!("{path}[]"))),
            Value::Object(object)
                if !is_told_once(value) && path != SECOND_DIALOGUE && !WHOLE.contains(&path.as_str()) =>
            {
                for (key, value) in object {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.walk(value, format!("{path}{dot}{key}"));
                }
                self.objects.insert(path);
            }
            _ => {
                self.values.insert(path);
            }
        }
    }
}

/// Failures, replies and signatures, which the document tells once for all.
fn is_told_once(value: &Value) -> bool {
    ["kind", "code", "unverifiable", "refused"].iter().any(|key| value.get(key).is_some())
}
