//! The keys of the JSON Lines of a run are those that `docs/journal.md` tells.

use crate::survey::Run;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

const DOCUMENT: &str = include_str!("../../docs/journal.md");

/// Keys that the scan of a list of domains does not bring about: those of lists
/// of endpoints, of `--expect`, what is told of a dead address with several names
/// (`tests/cool_down.rs`), and what the lab does not play and `tests/lookup/dane.rs`
/// does: a domain that is an alias, and TLSA records of a few octets.
const ELSEWHERE: [&str; 10] = [
    "assessment.expectations[].detail",
    "assessment.expectations[].expectation",
    "assessment.expectations[].status",
    "inferred_from.sni",
    "inferred_from.total_us",
    "endpoint.ip",
    "endpoint.name",
    "endpoint.port",
    "exchanges[].tlsa.records_short",
    "mx_alias_end",
];

/// How keys begin of what few domains publish: a mixed fleet need not have them, and
/// the scenarios that are played alone have them all.
const OF_FEW: [&str; 4] = ["exchanges[].tlsa.", "mta_sts.", "tls_rpt", "policy_chain[]"];

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

/// Both files of a run, and the keys in them that it does not bring about.
const FILES: [(&str, &[&str]); 2] =
    [("observations.jsonl", ELSEWHERE.split_at(5).0), ("facts.jsonl", ELSEWHERE.split_at(5).1)];

/// Keys that runs have, by file.
#[derive(Default)]
pub struct KeysSeen([Found; 2]);

impl KeysSeen {
    /// Those of one more run.
    pub fn add(&mut self, run: &Run) {
        for ((file, _), found) in FILES.iter().zip(&mut self.0) {
            for line in BufReader::new(run.file(file)).lines() {
                found.walk(&serde_json::from_str(&line.unwrap()).unwrap(), String::new());
            }
        }
    }

    /// Holds those of all scenarios against the document.
    pub fn check_all(&self) {
        self.check(|_| false);
    }

    fn check(&self, may_be_missing: fn(&str) -> bool) {
        for ((file, elsewhere), found) in FILES.iter().zip(&self.0) {
            let documented = documented(file);
            let unsaid: Vec<_> = found.values.difference(&documented).collect();
            assert!(unsaid.is_empty(), "{file}: docs/journal.md does not tell {unsaid:?}");
            let unseen = documented.iter().map(String::as_str).filter(|key| !found.values.contains(*key));
            let unseen = unseen.filter(|key| !found.objects.contains(*key) && !may_be_missing(key));
            let elsewhere = elsewhere.iter().filter(|key| !may_be_missing(key));
            let [unseen, elsewhere] = [unseen.collect::<Vec<_>>(), elsewhere.copied().collect()];
            assert_eq!(unseen, elsewhere, "{file}: told and not seen");
        }
    }
}

impl FromIterator<KeysSeen> for KeysSeen {
    fn from_iter<I: IntoIterator<Item = KeysSeen>>(parts: I) -> Self {
        let mut all = KeysSeen::default();
        for part in parts {
            for (all, found) in all.0.iter_mut().zip(part.0) {
                all.values.extend(found.values);
                all.objects.extend(found.objects);
            }
        }
        all
    }
}

/// Holds both files of a run of a mixed fleet against the document.
pub fn check(run: &Run) {
    let mut seen = KeysSeen::default();
    seen.add(run);
    seen.check(is_of_few);
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
