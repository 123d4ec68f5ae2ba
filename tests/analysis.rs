//! The queries of docs/analysis.md: each block of the page is run, on the CSV of two runs
//! of the lab and on their Parquet, and must answer what is counted here from the CSV.
//!
//! Left out where Python lacks one of the libraries, unless `MXRAY_INTEROP_ALL` demands
//! it. `.ci/run` puts them into `target/analysis`.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "analysis/counted.rs"]
mod counted;
#[path = "analysis/page.rs"]
mod page;
#[path = "analysis/runs.rs"]
mod runs;

use page::Block;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a query answers: cells as text, an empty one as `None`.
type Rows = Vec<Vec<Option<String>>>;

/// A Python that has all the libraries, if there is one.
fn python() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("analysis").join("bin/python");
    let has_all = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", "import duckdb, pandas, polars, pyarrow"]).output();
        import.is_ok_and(|ran| ran.status.success())
    };
    let found = [ours, PathBuf::from("python3")].into_iter().find(has_all);
    let missing = "duckdb, pandas, polars and pyarrow are not installed for Python";
    assert!(found.is_some() || std::env::var_os("MXRAY_INTEROP_ALL").is_none(), "{missing}");
    if found.is_none() {
        eprintln!("skipped: {missing}");
    }
    found
}

/// What the blocks answer; `None` of one that only prepares.
fn answers(python: &Path, folder: &Path, blocks: &[Block]) -> Vec<Option<Rows>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/analysis/run_blocks.py");
    let mut command = Command::new(python);
    command.arg(script).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let words: Vec<_> =
        blocks.iter().map(|block| (&block.heading, &block.tool, &block.source, &block.text)).collect();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&serde_json::to_vec(&words).unwrap()).unwrap();
    drop(stdin);
    let ran = child.wait_with_output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// A share is rounded by each tool in its own way.
fn is_alike(answered: &[Option<String>], counted: &[Option<String>]) -> bool {
    let share =
        |cell: &Option<String>| cell.as_deref().filter(|text| text.contains('.'))?.parse::<f64>().ok();
    answered.len() == counted.len()
        && answered.iter().zip(counted).all(|(one, other)| match (share(one), share(other)) {
            (Some(one), Some(other)) => (one - other).abs() < 0.1,
            _ => one == other,
        })
}

#[test]
fn every_block_of_the_page_answers_what_is_counted() {
    let Some(python) = python() else { return };
    let runs = runs::TwoRuns::make();
    let blocks = page::blocks();
    let answers = answers(&python, runs.folder(), &blocks);
    assert_eq!(answers.len(), blocks.len());
    let mut answered = 0;
    for (block, answer) in blocks.iter().zip(answers) {
        let Block { heading, tool, source, .. } = block;
        let Some(mut answer) = answer else {
            assert_eq!(heading, page::OPENING, "{tool}");
            continue;
        };
        let mut counted = counted::of(heading, &runs);
        answer.sort();
        counted.sort();
        assert!(!counted.is_empty(), "{heading}: nothing to find");
        let is_same = answer.len() == counted.len()
            && answer.iter().zip(&counted).all(|(one, other)| is_alike(one, other));
        assert!(is_same, "{heading} ({tool}, {source}):\n{answer:?}\nand not\n{counted:?}");
        answered += 1;
    }
    // Three tools, two sources.
    assert_eq!(answered, 6 * counted::HEADINGS.len());
}
