//! Lists, resolvers and machines that are not as they should be.

use crate::command::Folder;
use crate::fleet::Lab;
use crate::streams::{domains_of_csv, end, names};
use serde_json::Value;
#[cfg(unix)]
use std::net::TcpListener;
use std::net::UdpSocket;
#[cfg(unix)]
use std::process::Command;

fn counts(folder: &Folder, run: &str) -> Value {
    let file: Value = serde_json::from_str(&folder.read(&format!("{run}/run.json"))).unwrap();
    assert_eq!(file["finished"], true);
    file["counts"].clone()
}

#[test]
fn a_list_without_targets_is_no_error() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    lab.folder.write("empty", "");
    lab.folder.write("comments", "\u{feff}# nothing\r\n\r\n   \t\n#\n");
    for (run, list) in [("a", "empty"), ("b", "comments"), ("c", "/dev/null")] {
        let ran = lab.folder.run(lab.args(&format!("scan {list} -o {run}")));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let more = format!("more: mxray report {run}, or --summary full next time");
        let told = format!("0 domains, 0 endpoints, 0 rejected lines\n\nwritten to {run}\n{more}\n");
        assert_eq!(ran.stdout, told);
        assert_eq!(counts(&lab.folder, run)["targets_read"], 0);
    }
}

#[test]
fn a_line_that_is_no_domain_never_stops_the_run() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let mut list = b"d1.example\n".to_vec();
    list.extend(vec![b'a'; 1 << 20]);
    list.extend(
        b"\n\0\0\0\n\xff\xfe\xfd.example\n,,,\n\"d9.example\nsomebody@d1.example\nsomebody@-\nd2.example",
    );
    lab.folder.write("odd", list);
    let ran = lab.folder.run(lab.args("scan odd --allow-private -o run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(2));
    assert!(ran.stdout.contains("\ndomains taken from mail addresses: 1, from URLs: 0\n"), "{}", ran.stdout);
    let count = counts(&lab.folder, "run");
    assert_eq!((&count["taken_from_mail_addresses"], &count["taken_from_urls"]), (&1.into(), &0.into()));
    for file in std::fs::read_dir(lab.folder.path().join("run")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("somebody"), "{}: {text}", path.display());
    }
    let rejects = lab.folder.read("run/rejects.csv");
    let lines: Vec<&str> = rejects.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(lines, ["2", "3", "4", "5", "6", "8"]);
    assert!(rejects.len() < 4096 && !rejects.contains('\0'), "each is told in short");
}

#[test]
fn a_domain_that_stands_there_many_times_is_asked_once() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    lab.folder.write("doubles", "d1.example\nD1.EXAMPLE.\n".repeat(10_000));
    let ran = lab.folder.run(lab.args("scan doubles --allow-private -o run --extra-client-hellos 0"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let count = counts(&lab.folder, "run");
    assert_eq!((&count["domains_written"], &count["endpoints_written"]), (&20_000.into(), &1.into()));
    assert_eq!(lab.connections(), 1);
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_like_a_file() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let pipe = lab.folder.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        return;
    }
    let child = lab.folder.mxray(lab.args("scan pipe --allow-private -o run")).spawn().unwrap();
    std::fs::write(&pipe, "d1.example\nd2.example\n").unwrap();
    assert_eq!(end(child).code, Some(0));
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(2));
}

#[test]
fn a_resolver_that_is_silent_or_not_there_ends_the_scan_and_one_that_refuses_leaves_all_open() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = |socket: &UdpSocket| socket.local_addr().unwrap();
    // To refuse is to answer, and an answer may take its time on a busy machine.
    let resolvers = [
        (address(&silent), "dns=200ms", "2", 5),
        (gone, "dns=200ms", "2", 5),
        (address(&refusing), "dns=20s", "0", 0),
    ];
    // Answers every question with REFUSED as long as the test lives.
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = refusing.recv_from(&mut packet) {
            packet[2] |= 0x80;
            packet[3] = 0x85;
            let _ = refusing.send_to(&packet[..length], from);
        }
    });
    let folder = Folder::new().with("list", "d1.example\nd2.example\n");
    for (resolver, time, retries, code) in resolvers {
        let resolver = resolver.to_string();
        let args = ["scan", "list", "--format", "jsonl", "--timeout", time, "--resolver", &resolver];
        let ran = folder.run(args.iter().chain(&["--ehlo", "scanner.example", "--retries", retries]));
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Nothing is told of a domain where nobody could be asked.
        assert_eq!(rows.len(), if code == 0 { 2 } else { 0 });
        assert_eq!(ran.stderr.contains("no resolver answered"), code != 0, "{}", ran.stderr);
        for row in rows {
            assert_eq!((&row["phase"], &row["delivery"]), (&"dns".into(), &"undetermined".into()), "{row}");
            assert_eq!(row["outcome"], "servfail", "{row}");
        }
    }
}

#[test]
fn too_little_time_says_nothing_about_the_servers() {
    let lab = Lab::playing(&["tls13_ecdsa"], 30);
    let args = lab.args("scan list --allow-private --format jsonl --timeout 1ms,dns=20s");
    let ran = lab.folder.run(args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for line in ran.stdout.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let unanswered = row["outcome"] == "timeout" || row["reason"] == "no_published_group";
        let open = row["delivery"] == "undetermined" && unanswered;
        assert!(open || row["delivery"] == "encrypted", "{row}");
    }
}

#[test]
fn one_at_a_time_is_enough() {
    let lab = Lab::playing(&["tls13_ecdsa", "second_older"], 20);
    let words = "scan list --allow-private -o run --in-flight 1 --lookups-in-flight 1";
    let ran = lab.folder.run(lab.args(words));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(20));
}

/// Runs a scan to JSON Lines with at most 64 open files.
#[cfg(unix)]
fn with_few_files(folder: &Folder, args: Vec<String>) -> Vec<Value> {
    let ran = folder.run_with_few_files(args);
    let told = "mxray: the limit of open files (ulimit -n) allows only 16 connections, not 100000\n";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[cfg(unix)]
#[test]
fn few_open_files_slow_a_run_down_but_do_not_change_its_findings() {
    let lab = Lab::playing(&["tls13_ecdsa"], 300);
    let many = "--allow-private --format jsonl --in-flight 100000 --per-ip-connections 0";
    let rows = with_few_files(&lab.folder, lab.args(&format!("scan list {many}")));
    assert_eq!(rows.len(), 300);
    assert_eq!(rows.iter().find(|row| row["delivery"] != "encrypted"), None);

    // Nobody takes these connections up, so that each stays open for a while.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let list: String = (0..60).map(|number| format!("127.0.0.1,mx{number}.example,,{port}\n")).collect();
    lab.folder.write("endpoints", list);
    let words = format!("scan endpoints --input endpoints {many} --timeout greeting=300ms,connect=1m");
    let rows = with_few_files(&lab.folder, lab.args(&words));
    assert_eq!(rows.len(), 60);
    assert_eq!(rows.iter().find(|row| row["reason"] != "greeting_timeout"), None);
}
