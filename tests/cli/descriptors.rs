//! Descriptors run out in the middle of a run: that is this machine's fault, and told
//! of no server.

use crate::command::Folder;
use crate::fleet::Lab;
use crate::streams::end;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Command;

const DOMAINS: usize = 200;

/// The values of a column.
fn values(folder: &Folder, column: &str) -> BTreeSet<String> {
    let text = folder.read("run/domains.csv");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let place = rows.headers().unwrap().iter().position(|name| name == column).unwrap();
    rows.records().map(|row| row.unwrap()[place].to_owned()).collect()
}

#[test]
fn a_run_that_has_no_descriptors_left_blames_nobody() {
    let lab = Lab::playing(&["tls13_ecdsa"], DOMAINS);
    let args = lab.args("scan list --allow-private --format csv -o run --rate 50 --no-dane --no-mta-sts");
    let mut child = lab.folder.mxray(args).spawn().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        assert!(rows.read_line(&mut String::new()).unwrap() > 0);
    }
    // As many as are open now are too many from now on.
    let limit = ["--pid", &child.id().to_string(), "--nofile=4:4"];
    let Ok(status) = Command::new("prlimit").args(limit).status() else {
        eprintln!("left out: prlimit of util-linux");
        child.kill().unwrap();
        child.wait().unwrap();
        return;
    };
    assert!(status.success());
    let drained = std::thread::spawn(move || rows.lines().count());
    let ran = end(child);
    drained.join().unwrap();
    let outcomes = values(&lab.folder, "outcome");
    // What is written anew at the end finds no descriptor either, and says so.
    let told = ran.stderr.ends_with(": Too many open files (os error 24)\n");
    assert!(ran.code == Some(0) || (ran.code == Some(1) && told), "{:?}: {}", ran.code, ran.stderr);
    let ours: BTreeSet<String> = ["ok", "local_error"].map(String::from).into();
    assert!(outcomes.contains("local_error") && outcomes.is_subset(&ours), "{outcomes:?}");
    assert!(!values(&lab.folder, "delivery").contains("plaintext"));
}
