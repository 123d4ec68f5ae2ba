//! Whoever asks to be left alone while a survey runs is left alone from then on.

use crate::fleet::{Lab, until};
use crate::stopping::send;
use crate::streams::end;
use serde_json::Value;
use std::io::{BufRead, BufReader};

#[test]
fn sighup_reads_the_blocklist_again() {
    let lab = Lab::playing(&["tls13_ecdsa"], 40);
    lab.folder.write("block", "mx1.d1.example # since the start\n");
    let words =
        "scan list --allow-private --format jsonl -o run --rate 10 --in-flight 1 --extra-client-hellos 0";
    let args = lab.args(&format!("{words} --blocklist block"));
    let mut child = lab.folder.mxray(args).spawn().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line_with = |words: &str| {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(told.read_line(&mut line).unwrap() > 0, "waited in vain for `{words}`");
        }
        line
    };
    let mut first = String::new();
    assert!(rows.read_line(&mut first).unwrap() > 0);

    lab.folder.write("block", "127.0.0.0/8\n10.0.0.0/33\n");
    send("HUP", &child);
    let line = line_with("--blocklist");
    let broken = "line 2: `10.0.0.0/33` is neither an address, a CIDR range nor a domain";
    assert!(line.starts_with(&format!("mxray: warning: --blocklist block: {broken}; so ")), "{line}");
    assert!(line.ends_with("the list of before stays; entries: 1\n"), "{line}");
    std::fs::remove_file(lab.folder.path().join("block")).unwrap();
    send("HUP", &child);
    let line = line_with("--blocklist");
    assert!(line.contains("the list of before stays; entries: 1"), "{line}");

    // Whoever is killed now leaves behind what was read.
    until("the readings in run.json", || {
        let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
        assert!(run["ended"].is_null(), "it was told at the end only");
        run["blocklist"].as_array().unwrap().len() == 3
    });

    lab.folder.write("block", "127.0.0.0/8\nd1.example\n");
    send("HUP", &child);
    let line = line_with("--blocklist");
    assert_eq!(line, "mxray: --blocklist was read again; entries: 2, before: 1\n");
    let by_then = lab.connections();

    let rows: Vec<Value> = [first]
        .into_iter()
        .chain(rows.lines().map(Result::unwrap))
        .map(|row| serde_json::from_str(&row).unwrap())
        .collect();
    let ran = end(child);
    assert_eq!((ran.code, rows.len()), (Some(0), 40), "{}", ran.stderr);
    let left_alone = rows.iter().filter(|row| row["outcome"] == "blocklisted").count() as u64;
    // One connection may have been on its way.
    assert!(lab.connections() <= by_then + 1, "{by_then} connections by then, {} in all", lab.connections());
    assert_eq!(lab.connections() + left_alone, 40);
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    let read = run["blocklist"].as_array().unwrap();
    let entries: Vec<_> =
        read.iter().map(|read| (read["entries"].as_u64().unwrap(), read["error"].is_null())).collect();
    assert_eq!(entries, [(1, true), (1, false), (1, false), (2, true)]);
    assert!(read.iter().all(|read| read["at"].is_string()));
}
