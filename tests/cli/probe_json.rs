//! `mxray probe` for a script: its document, its exit codes, and how it is quiet.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use crate::json::{self, document};
use mxray::internals::run_dir::RunTable;
use serde_json::Value;
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../docs/probe.md");

fn probe(lab: &Lab, words: &str) -> Ran {
    lab.folder.run(lab.args(&format!("probe {words} --allow-private --timeout 20s --per-ip-interval 0")))
}

/// Of whose keys other pages tell.
const ELSEWHERE: [&str; 8] = [
    "targets[].domain",
    "targets[].mx[]",
    "targets[].endpoints[]",
    "targets[].certificates[]",
    "targets[].suites[]",
    "targets[].groups[]",
    "targets[].observations[]",
    "targets[].facts",
];

#[test]
fn the_document_has_the_keys_that_its_page_tells() {
    let lab = Lab::playing(&["tls12_rsa"], 1);
    let ran = probe(&lab, "d1.example --format json --enumerate");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let document = document(&ran);
    assert_eq!(json::keys(&document, &ELSEWHERE), json::told(DOCUMENT, "the document"));
    assert_eq!(document["schema_version"], 1);
    let target = &document["targets"][0];
    let of_target = |table: &str| match table {
        "domains" => target["domain"].clone(),
        table => target[table][0].clone(),
    };
    for table in RunTable::all().into_iter().filter(|table| table.name != "rejects") {
        let row = of_target(table.name);
        let names: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, table.columns.iter().map(|column| column.name).collect(), "{}", table.name);
    }
    assert_eq!(target["observations"][0]["schema"], 2);
    assert_eq!((&target["facts"]["domain"], &target["facts"]["schema"]), (&"d1.example".into(), &2.into()));
    assert_eq!(target["domain"]["delivery"], "encrypted");
    let leaf = &target["endpoints"][0]["cert_sha256"];
    assert!(leaf.is_string() && leaf == &target["certificates"][0]["sha256"], "{leaf}");
}

#[test]
fn several_targets_are_one_document_and_a_block_each() {
    let lab = Lab::playing(&["tls13_ecdsa", "starttls_absent"], 2);
    let ran = probe(&lab, "d1.example d2.example --format json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let document = document(&ran);
    let told: Vec<_> = document["targets"].as_array().unwrap().iter().collect();
    let names: Vec<_> = told.iter().map(|target| target["target"].as_str().unwrap()).collect();
    assert_eq!(names, ["d1.example", "d2.example"]);
    let deliveries: BTreeSet<_> =
        told.iter().map(|target| target["domain"]["delivery"].as_str().unwrap()).collect();
    assert_eq!(deliveries, BTreeSet::from(["encrypted", "plaintext"]));
    let asked = |target: &Value| {
        let questions = target["questions"].as_array().unwrap().iter();
        questions.map(|question| question["name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert!(!asked(told[1]).is_empty() && asked(told[1]).iter().all(|name| name.ends_with("d2.example")));

    let ran = probe(&lab, "d1.example d2.example");
    let heads: Vec<_> =
        ran.stdout.lines().filter(|line| line.ends_with(".example") && !line.contains(' ')).collect();
    assert_eq!((ran.code, heads), (Some(0), vec!["d1.example", "d2.example"]), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("\nverdict  ").count(), 2);
    let ran = probe(&lab, "d1.example D1.example");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("`D1.example` is named twice"), "{}", ran.stderr);
}

#[test]
fn what_fail_on_names_ends_with_6() {
    for (scenario, words, expected) in [
        (
            "tls13_ecdsa",
            "plaintext,weak,deferred,undeliverable,undetermined,weakest_plaintext,encryption_only",
            &[][..],
        ),
        ("starttls_absent", "weak,plaintext,encryption_only", &["plaintext", "encryption_only"]),
        ("starttls_absent", "weak,undetermined", &[]),
        ("second_plaintext", "plaintext,weakest_plaintext", &["weakest_plaintext"]),
        ("tls10_only", "plaintext,weak", &["weak"]),
        ("static_rsa_only", "weak", &["weak"]),
        ("cert_rsa_1024", "weak", &["weak"]),
        ("cert_expired", "encryption_only,certificate_validation", &["certificate_validation"]),
        ("null_mx", "plaintext,undeliverable", &["undeliverable"]),
        ("greeting_silence", "plaintext,weak", &[]),
    ] {
        let lab = Lab::playing(&[scenario], 1);
        let timeouts = "--timeout greeting=500ms --timeout session=20s";
        let sender = if scenario == "tls10_only" || scenario == "static_rsa_only" {
            "--sender postfix-may"
        } else {
            ""
        };
        let ran =
            probe(&lab, format!("d1.example --format json --fail-on {words} {timeouts} {sender}").trim());
        let found = document(&ran)["targets"][0].clone();
        let failed_on: Vec<_> =
            found["failed_on"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(failed_on, expected, "{scenario} {words}: {}", found["domain"]);
        let code = if expected.is_empty() { 0 } else { 6 };
        assert_eq!(ran.code, Some(code), "{scenario} {words}: {}", ran.stderr);
    }
}

/// Nothing is not-determined in silence, and a code that says less comes after one that
/// says more.
#[test]
fn of_several_codes_that_of_fail_on_comes_before_that_of_no_resolver() {
    let folder = Folder::new();
    let probe = |words: &str| {
        let line = "probe d1.example d2.example --ehlo scanner.example --resolver 127.98.76.54:1 --timeout dns=300ms --retries 0";
        folder.run(format!("{line} {words}").split_whitespace())
    };
    let ran = probe("--fail-on plaintext");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("mxray: d2.example: nothing could be contacted: no resolver"),
        "{}",
        ran.stderr
    );
    assert_eq!(probe("--fail-on undetermined --quiet").code, Some(6));
    // Why nothing is known is an error, and said in any case.
    assert!(probe("--quiet").stderr.contains("d1.example: nothing could be contacted: "));
    let ran = probe("--format json");
    let answered: Vec<_> = document(&ran)["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["answered"].clone())
        .collect();
    assert_eq!((ran.code, answered), (Some(5), vec![false.into(), false.into()]));
}

#[test]
fn quiet_prints_what_was_asked_for_and_errors() {
    let lab = Lab::playing(&["starttls_absent"], 1);
    // A name for EHLO that is told as bare.
    let ran = probe(&lab, "d1.example --quiet --fail-on plaintext --ehlo scanner");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(6), "", ""));
    let ran = probe(&lab, "d1.example -q --ehlo scanner --format json");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(document(&ran)["targets"][0]["domain"]["delivery"], "plaintext");
    let ran = probe(&lab, "d1.example --quiet --format text --ehlo scanner");
    assert!(ran.stdout.contains("verdict") && ran.stderr.is_empty(), "{}{}", ran.stdout, ran.stderr);
    let ran = probe(&lab, "user@d1.example --quiet");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("a mail address, not a domain"), "{}", ran.stderr);
}

/// Who left the option away finds it where the cause stands.
#[test]
fn a_private_address_is_told_with_the_option_that_asks_it() {
    let folder = Folder::new().with("list", "127.0.0.1\n127.0.0.2\n");
    let ran = folder.run("probe 127.0.0.1:25 --ehlo scanner.example".split(' '));
    assert!(ran.stdout.contains("private_address: contacted with --allow-private only"), "{}", ran.stdout);
    let note = "mxray: 2 private addresses were not connected to (private_address); --allow-private connects to such addresses, too\n";
    for words in ["--format csv", "--dry-run"] {
        let ran =
            folder.run(format!("scan list --input endpoints --ehlo scanner.example {words}").split(' '));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains(note), "{words}: {}", ran.stderr);
    }
}
