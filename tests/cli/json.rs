//! The documents of `--format json`: their keys are those that their pages tell.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use crate::revocation;
use serde_json::Value;
use std::collections::BTreeSet;

const JSON: &str = include_str!("../../docs/json.md");

/// What a command printed.
pub fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

/// The keys of values that are no objects with keys of their own, each with its way
/// there as the tables write it. Below `whole` none is told.
pub fn keys(document: &Value, whole: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(document, String::new(), whole, &mut found);
    found
}

fn walk(value: &Value, path: String, whole: &[&str], found: &mut BTreeSet<String>) {
    match value {
        _ if whole.contains(&path.as_str()) => {
            found.insert(path);
        }
        Value::Array(list) => {
            let path = format!("{path}[]");
            if list.first().is_none_or(|first| !first.is_object()) {
                found.insert(path.clone());
            }
            for value in list.iter().filter(|value| value.is_object()) {
                walk(value, path.clone(), whole, found);
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                walk(value, format!("{path}{dot}{key}"), whole, found);
            }
        }
        _ => {
            found.insert(path);
        }
    }
}

/// The keys in the table below a mark; those around others are left out.
pub fn told(page: &str, mark: &str) -> BTreeSet<String> {
    let (_, below) = page.split_once(&format!("<!-- keys of {mark} -->\n")).unwrap();
    let rows = below.lines().take_while(|line| line.starts_with('|')).skip(2);
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let all: Vec<String> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_string).collect();
    let is_around = |key: &String| all.iter().any(|other| other.starts_with(&format!("{key}.")));
    all.iter().filter(|key| !is_around(key)).cloned().collect()
}

/// Holds documents, one of which has each key, to the page.
pub fn held(page: &str, mark: &str, documents: &[&Value], whole: &[&str]) {
    let mut found: BTreeSet<String> = documents.iter().flat_map(|document| keys(document, whole)).collect();
    let around: Vec<String> = found
        .iter()
        .filter(|key| found.iter().any(|other| other.starts_with(&format!("{key}."))))
        .cloned()
        .collect();
    found.retain(|key| !around.contains(key));
    assert_eq!(found, told(page, mark), "{mark}");
    for document in documents {
        assert_eq!(
            (&document["schema_version"], &document["mxray"]),
            (&1.into(), &env!("CARGO_PKG_VERSION").into())
        );
    }
}

#[test]
fn of_roots() {
    let folder = Folder::new();
    let check = |needs: &str| {
        let words = ["roots", "check", "--needs", needs, "--store", "mozilla", "--format", "json"];
        folder.run(words)
    };
    let (there, gone) = (check("ISRG Root X1"), check(&"ab".repeat(32)));
    assert_eq!((there.code, gone.code), (Some(0), Some(1)));
    let (there, gone) = (document(&there), document(&gone));
    held(JSON, "roots check", &[&there, &gone], &[]);
    assert_eq!((&there["result"], &gone["result"]), (&"present".into(), &"absent".into()));
    assert_eq!(there["roots"][0]["found"]["sha256"], there["roots"][0]["sha256"]);
    assert_eq!((&gone["roots"][0]["present"], &gone["roots"][0]["found"]), (&false.into(), &Value::Null));
    let ran = folder.run(["roots", "list", "--store", "mozilla", "--format", "json"]);
    let list = document(&ran);
    held(JSON, "roots list", &[&list], &[]);
    let lines = folder.run(["roots", "list", "--store", "mozilla"]).stdout.lines().count();
    assert_eq!(list["stores"][0]["roots"].as_array().unwrap().len(), lines);
}

#[test]
fn of_revocation() {
    let issuer = revocation::ca();
    let bytes = revocation::list(&issuer);
    let (base, _requests) = revocation::serve(move |path| match path {
        "/ca.crl" => Some(revocation::http("200 OK", &bytes)),
        _ => Some(revocation::http("404 Not Found", b"")),
    });
    let found = |serial: u64, path: &str| {
        let folder = revocation::folder(&issuer, serial, &[format!("{base}/{path}")], &[]);
        revocation::ask(&folder, "--allow-private --format json")
    };
    let ran = [found(6, "ca.crl"), found(7, "ca.crl"), found(6, "none")];
    let documents = [0, 1, 2].map(|place| document(&ran[place]));
    for ((ran, document), (code, result)) in
        ran.iter().zip(&documents).zip([(0, "good"), (3, "revoked"), (4, "undetermined")])
    {
        let of_leaf = &document["certificates"][0]["result"];
        assert_eq!((ran.code, &document["result"], of_leaf), (Some(code), &result.into(), &result.into()));
    }
    let answer = &documents[1]["certificates"][0]["answers"][0];
    assert_eq!(answer["revoked_at"], "2026-05-01T00:00:00Z");
    assert_eq!((&answer["revoked_reason"], &answer["signature"]), (&"superseded".into(), &"verified".into()));
    let lab = Lab::playing(&["starttls_absent"], 1);
    let ran = lab.folder.run(lab.args("revocation d1.example --allow-private --chain-only --format json"));
    let none = document(&ran);
    assert_eq!((ran.code, none["without_certificate"].as_array().unwrap().len()), (Some(4), 1));
    let [_, revoked, _] = &documents;
    // With an address of those that are published, none of which is asked here.
    let mut all = revoked.clone();
    all["published"] = serde_json::json!([{"source": "host", "url": "", "reached": true, "detail": ""}]);
    held(JSON, "revocation", &[&all, &none], &[]);
}

#[test]
fn of_judge() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let scanned = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    let ran = lab.folder.run("judge run -o again --format json".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let judged = document(&ran);
    held(JSON, "judge", &[&judged], &["counts", "summary"]);
    let written: Value = serde_json::from_str(&lab.folder.read("again/run.json")).unwrap();
    for key in ["counts", "summary", "sender", "roots", "finished"] {
        assert_eq!(judged[key], written[key], "{key}");
    }
    assert_eq!((&judged["run"], &judged["output"]), (&"run".into(), &"again".into()));
}
