//! Standard streams that nobody reads: they make a run wait for a reader, and
//! never keep it from ending.

use crate::command::{Folder, PATIENCE};
use crate::fleet::{Lab, until};
use crate::stopping::{send, whole};
use crate::streams::{domains_of_csv, end, names};
use nix::sys::signal;
use nix::unistd::Pid;
use rustix::io::ioctl_fionbio;
use serde_json::Value;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::TcpListener;
use std::process::Child;
use std::time::{Duration, Instant};

/// Drain time of a run without open connections, with much to spare.
const PROMPTLY: Duration = Duration::from_secs(30);

/// A pipe that takes nothing more until somebody reads.
fn full() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    let mut block = 4096;
    while block > 0 {
        match writer.write(&vec![b'x'; block]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => block /= 2,
            Err(error) => panic!("{error}"),
        }
    }
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

fn lines(folder: &Folder, file: &str) -> usize {
    std::fs::read_to_string(folder.path().join("run").join(file)).unwrap_or_default().lines().count()
}

#[test]
fn rows_that_nobody_reads_keep_no_run_from_ending() {
    assert!(PROMPTLY < PATIENCE);
    for words in ["scan list --allow-private --format jsonl -o run", "scan list --allow-private --format csv"]
    {
        let lab = Lab::playing(&["tls13_ecdsa"], 40);
        let (_reader, stdout) = full();
        let child = lab.folder.mxray(lab.args(words)).stdout(stdout).spawn().unwrap();
        let written = words.ends_with("-o run");
        if written {
            until("the rows on disk", || lines(&lab.folder, "domains.csv") > 1);
        }
        // Before that there is nothing to drain.
        until("a connection", || lab.connections() > 0);
        send("TERM", &child);
        let begun = Instant::now();
        let ran = end(child);
        assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        let told = ran.stderr.trim_end().lines().last().unwrap();
        if !written {
            assert!(
                told.starts_with("mxray: cannot write the results: standard output: nobody reads it; "),
                "{told}"
            );
            continue;
        }
        let counts = whole(&lab.folder, "run");
        let rows = &counts["domains_written"];
        let cause = format!(
            "cannot write the results: standard output: nobody reads it; rows that were not written: {rows}"
        );
        assert_eq!(told, format!("mxray: {cause}"));
        let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
        assert_eq!(run["error"], cause);
    }
}

#[test]
fn rows_wait_for_a_reader_who_comes_late_and_the_directory_does_not() {
    let lab = Lab::playing(&["tls13_ecdsa"], 40);
    let (mut reader, stdout) = full();
    let args = lab.args("scan list --allow-private --format csv -o run");
    let mut command = lab.folder.mxray(args);
    let child = command.stdout(stdout).spawn().unwrap();
    // Its end of the pipe would keep the pipe open.
    drop(command);
    until("the first rows on disk", || lines(&lab.folder, "endpoints.csv") > 1);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(domains_of_csv(text.trim_start_matches('x')), names(40));
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(40));
}

#[test]
fn words_that_nobody_reads_keep_no_run_from_its_work() {
    for more in ["", " -vv"] {
        let lab = Lab::playing(&["tls13_ecdsa"], 40);
        let (_reader, stderr) = full();
        let args = lab.args(&format!("scan list --allow-private -o run{more}"));
        let ran = end(lab.folder.mxray(args).stderr(stderr).spawn().unwrap());
        assert_eq!(ran.code, Some(0));
        assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(40));
        assert!(ran.stdout.contains("\nwritten to run\n"), "{}", ran.stdout);
    }
}

/// A scan of a server that says nothing, with both streams full.
fn deaf(listener: &TcpListener, folder: &Folder, timeout: &str) -> (Child, [PipeReader; 2]) {
    let port = listener.local_addr().unwrap().port();
    folder.write("endpoints", format!("127.0.0.1,mx.example,,{port}\n"));
    let words = "scan endpoints --input endpoints --allow-private --retries 0 --ehlo scanner.example -v \
                 --format jsonl -o run --timeout";
    let ((out, stdout), (err, stderr)) = (full(), full());
    let mut command = folder.mxray(words.split_whitespace().chain([timeout]));
    (command.stdout(stdout).stderr(stderr).spawn().unwrap(), [out, err])
}

#[test]
fn a_run_that_nobody_reads_drains_and_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let (child, _streams) = deaf(&listener, &folder, "2s");
    let (_silent, _) = listener.accept().unwrap();
    send("TERM", &child);
    assert_eq!(end(child).code, Some(1), "its row reached nobody");
    assert_eq!(whole(&folder, "run")["domains_written"], 1);
}

#[test]
fn a_second_signal_ends_a_run_that_nobody_reads_at_once() {
    for number in [signal::SIGINT, signal::SIGTERM] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = Folder::new();
        let (mut child, _streams) = deaf(&listener, &folder, "1h");
        let (_silent, _) = listener.accept().unwrap();
        send(number.as_str().trim_start_matches("SIG"), &child);
        // One more within a tenth of a second would be the same.
        until("the run to end", || {
            let _ = signal::kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), number);
            child.try_wait().unwrap().is_some()
        });
        assert_eq!(end(child).code, Some(128 + number as i32));
    }
}

#[test]
fn a_summary_that_nobody_reads_is_waited_for_until_a_signal_comes() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let (_reader, stdout) = full();
    let child =
        lab.folder.mxray(lab.args("scan list --allow-private -o run")).stdout(stdout).spawn().unwrap();
    let finished = || {
        let run = std::fs::read_to_string(lab.folder.path().join("run/run.json")).unwrap_or_default();
        run.contains("\"finished\": true")
    };
    until("the run to be written", finished);
    send("TERM", &child);
    let ran = end(child);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("mxray: cannot write to standard output: nobody reads it\n"),
        "{}",
        ran.stderr
    );
    assert!(finished(), "what was found is whole");
}

#[test]
fn a_lab_whose_ports_nobody_reads_ends() {
    let folder = Folder::new().with("list", "a.example\n");
    let (_reader, stdout) = full();
    let args = ["lab", "--domains", "list", "--scenario", "tls13_ecdsa", "--counters", "counters.csv"];
    let child = folder.mxray(args).stdout(stdout).spawn().unwrap();
    send("TERM", &child);
    assert_eq!(end(child).code, Some(0));
    assert!(!folder.read("counters.csv").is_empty());
}
