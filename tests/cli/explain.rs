//! `mxray explain`.

use crate::command::Folder;

fn explained(words: &[&str]) -> String {
    let ran = Folder::new().run([&["explain"], words].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{words:?}");
    ran.stdout
}

#[test]
fn a_reason_says_what_it_means_why_it_matters_what_mends_it_and_where_it_is_written() {
    insta::assert_snapshot!(explained(&["starttls_not_offered", "undetermined:not_asked"]));
}

#[test]
fn a_column_a_value_and_an_exit_code_are_words_too() {
    insta::assert_snapshot!(explained(&["delivery", "mta_sts_mode", "mismatch", "6"]));
}

/// One meaning, and not the same column after column.
#[test]
fn a_term_of_the_summary_is_told_once() {
    let told = explained(&["undetermined"]);
    assert!(
        told.starts_with("undetermined: a term\n  What it means: It is not known, and the cause"),
        "{told}"
    );
    assert!(told.contains("\n  A value in domains.csv: delivery, "), "{told}");
    assert!(told.lines().count() <= 8, "{told}");
    let told = explained(&[
        "CertificateValidation",
        "steps down",
        "Operator",
        "kept_back",
        "cool-down",
        "second look",
        "inferred",
        "published",
    ]);
    assert_eq!(told.matches(": a term\n").count(), 8, "{told}");
}

/// What the documents of a run's words name is explained.
#[test]
fn every_reason_of_the_documents_is_explained() {
    let outcomes = include_str!("../../docs/outcomes.md");
    let reasons = outcomes.split("## Reasons").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = reasons.lines().filter(|line| line.starts_with("| `"));
    let names: Vec<&str> = rows.filter_map(|line| line.split('`').nth(1)).collect();
    assert!(names.len() > 20, "{names:?}");
    let told = explained(&names);
    for name in names {
        assert!(told.contains(&format!("{name}: a reason")), "{name}");
    }
}

/// What the page on receive names as a cause is explained as one.
#[test]
fn every_cause_of_the_page_on_receive_is_explained() {
    let page = include_str!("../../docs/receive.md");
    let table = page.split("| cause | what is not known |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let names: Vec<&str> =
        cells.flat_map(|cell| cell.split("`, `")).map(|name| name.trim_matches('`')).collect();
    assert!(names.len() > 8, "{names:?}");
    let told = explained(&names);
    for name in names {
        let title = format!("{name}: a word of mxray receive, not_determined of a verdict in sessions.jsonl");
        assert!(told.contains(&title), "{name}: {told}");
    }
}

#[test]
fn a_word_that_there_is_not_is_wrong_use_and_names_those_that_are_like_it() {
    for (word, told) in [
        (
            "nonsense",
            "mxray: `nonsense` is no word of the output; reasons are in docs/outcomes.md, columns in",
        ),
        ("", "mxray: `` is no word of the output; reasons are in"),
        ("lookup_failed", "mxray: `lookup_failed` is no word of the output; there are tlsa_lookup_failed\n"),
    ] {
        let ran = Folder::new().run(["explain", word]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    }
}
