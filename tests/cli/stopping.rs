//! Ctrl-C and worse: what is left behind is whole, and says what is missing.

use crate::command::{Folder, Ran};
use crate::dns::{DnsServer, Reply, address, dnskey, mx};
use crate::fleet::{Lab, until};
use crate::streams::end;
use hickory_proto::rr::RecordType;
use nix::sys::signal;
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

const CSV_FILES: [&str; 5] = ["domains.csv", "endpoints.csv", "certificates.csv", "mx.csv", "rejects.csv"];

/// Sends a signal; one that can be caught as soon as it is. Before that it
/// would be lost where whoever started the tests has it ignored, as a shell
/// does for what runs in its background.
pub fn send(signal: &str, child: &Child) {
    let number = match signal {
        "HUP" => Some(1),
        "INT" => Some(2),
        "TERM" => Some(15),
        _ => None,
    };
    if let Some(number) = number {
        until("a signal to be caught", || is_caught(number, child));
    }
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// Whether a process has a handler for the signal of this number.
fn is_caught(number: u32, child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (number - 1) != 0
}

/// Reads standard error up to the line that says that the run is stopping, and not
/// a byte further: what comes after it is for whoever waits for the end.
pub fn stopping(child: &mut Child) {
    let stderr = child.stderr.as_mut().unwrap();
    let mut line = Vec::new();
    while !(line.starts_with(b"mxray: stopping; ") && line.ends_with(b"\n")) {
        if line.ends_with(b"\n") {
            line.clear();
        }
        let mut byte = [0];
        stderr.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
}

/// Checks every file of a run directory that was closed in order; gives the
/// counts of `run.json`.
pub fn whole(folder: &Folder, run: &str) -> Value {
    for file in CSV_FILES {
        let text = folder.read(&format!("{run}/{file}"));
        assert!(text.ends_with('\n'), "{file} ends in half a line");
        csv::Reader::from_reader(text.as_bytes()).records().for_each(|row| drop(row.unwrap()));
    }
    let journal = folder.read(&format!("{run}/observations.jsonl"));
    journal.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
    let file: Value = serde_json::from_str(&folder.read(&format!("{run}/run.json"))).unwrap();
    assert_eq!((&file["finished"], &file["interrupted"]), (&Value::from(false), &Value::from(true)));
    let rows = folder.read(&format!("{run}/domains.csv")).lines().count() - 1;
    assert_eq!(file["counts"]["domains_written"], rows);
    file["counts"].clone()
}

/// A scan that takes minutes, stopped after its first row. With so few in flight no
/// more than 1,024 domains wait, so that the list is not read to its end by then.
fn stopped_by(signal: &str) -> (Lab, Ran) {
    let lab = Lab::playing(&["tls13_ecdsa"], 3000);
    let args = lab.args("scan list --allow-private --format csv -o run --rate 8 --in-flight 4");
    let mut child = lab.folder.mxray(args).spawn().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        assert!(rows.read_line(&mut String::new()).unwrap() > 0);
    }
    send(signal, &child);
    // The rows of the drain must find a reader, or the pipe would end the run.
    let drained = std::thread::spawn(move || rows.lines().count());
    let ran = end(child);
    drained.join().unwrap();
    (lab, ran)
}

#[test]
fn a_stopped_scan_leaves_a_valid_run_directory() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (lab, ran) = stopped_by(signal);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        let counts = whole(&lab.folder, "run");
        let count = |name: &str| counts[name].as_u64().unwrap();
        assert!(count("domains_written") > 0, "{counts}");
        assert_eq!(count("domains_written") + count("unfinished"), 3000, "all of the list: {counts}");
        assert!(count("targets_read") < 3000, "a part of it was begun: {counts}");
        let told = format!(
            "stopped early; targets of the list without a row: {}\nmxray scan --resume run goes on with it\n",
            count("unfinished")
        );
        assert!(ran.stderr.ends_with(&told), "{}", ran.stderr);
    }
}

/// A mail server under the test's control, and a scan of it alone.
fn scan_of(listener: &TcpListener, folder: &Folder, words: &[&str]) -> Child {
    let port = listener.local_addr().unwrap().port();
    folder.write("endpoints", format!("127.0.0.1,mx.example,,{port}\n"));
    let args = ["scan", "endpoints", "--input", "endpoints", "--allow-private", "-o", "run"];
    folder.mxray(args.iter().chain(words)).spawn().unwrap()
}

fn read_line(stream: &TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn ctrl_c_lets_an_open_dialogue_end_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let mut child = scan_of(&listener, &folder, &["--ehlo", "scanner.example"]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"220 mx.example ready\r\n").unwrap();
    assert_eq!(read_line(&stream), "EHLO scanner.example\r\n");
    send("INT", &child);
    stopping(&mut child);
    stream.write_all(b"250 mx.example\r\n").unwrap();
    assert_eq!(read_line(&stream), "QUIT\r\n");
    stream.write_all(b"221 bye\r\n").unwrap();
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let counts = whole(&folder, "run");
    assert_eq!((&counts["domains_written"], &counts["unfinished"]), (&Value::from(1), &Value::from(0)));
    let rows = folder.read("run/domains.csv");
    assert!(
        rows.contains(",starttls,not_offered,") && rows.contains(",undetermined,no_second_look,"),
        "{rows}"
    );
}

#[test]
fn a_second_ctrl_c_waits_for_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let mut child = scan_of(&listener, &folder, &["--timeout", "1h", "--ehlo", "scanner.example"]);
    let (_silent, _) = listener.accept().unwrap();
    send("INT", &child);
    stopping(&mut child);
    // One more within a tenth of a second would be the same.
    until("the run to end", || {
        signal::kill(pid(&child), signal::SIGINT).unwrap();
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(end(child).code, Some(130));
    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!(run["finished"], Value::Null, "a run that was not drained does not say it ended");
}

/// What a script reads is a document, whole, whatever ended the probe.
#[test]
fn a_second_ctrl_c_leaves_the_document_of_a_probe_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let (target, other) = (listener.local_addr().unwrap().to_string(), "192.0.2.1");
    let args = [
        "probe",
        &target,
        other,
        "--allow-private",
        "--timeout",
        "1h",
        "--ehlo",
        "a.example",
        "--format",
        "json",
    ];
    let mut child = folder.mxray(args).spawn().unwrap();
    let (_silent, _) = listener.accept().unwrap();
    send("INT", &child);
    stopping(&mut child);
    until("the probe to end", || {
        signal::kill(pid(&child), signal::SIGINT).unwrap();
        child.try_wait().unwrap().is_some()
    });
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["stopped"], &told["targets"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(told["not_asked"], serde_json::json!([target, other]));
    assert!(
        ran.stderr.contains(&format!("mxray: {target}: stopped before it was asked to its end")),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_signal_that_timeout_sends_twice_lets_the_dialogue_end_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let mut child = scan_of(&listener, &folder, &["--ehlo", "scanner.example"]);
    let (mut stream, _) = listener.accept().unwrap();
    send("TERM", &child);
    signal::kill(pid(&child), signal::SIGTERM).unwrap();
    stopping(&mut child);
    stream.write_all(b"220 mx.example ready\r\n").unwrap();
    assert_eq!(read_line(&stream), "EHLO scanner.example\r\n");
    stream.write_all(b"250 mx.example\r\n").unwrap();
    assert_eq!(read_line(&stream), "QUIT\r\n");
    stream.write_all(b"221 bye\r\n").unwrap();
    let ran = end(child);
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    assert_eq!(whole(&folder, "run")["domains_written"], 1);
}

#[test]
fn a_run_directory_that_is_gone_ends_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let child = scan_of(&listener, &folder, &["--timeout", "1h", "--ehlo", "scanner.example"]);
    let (_silent, _) = listener.accept().unwrap();
    std::fs::rename(folder.path().join("run"), folder.path().join("elsewhere")).unwrap();
    let ran = end(child);
    let told = "mxray: cannot write the results: run is gone, or moved";
    assert_eq!((ran.code, ran.stderr.trim_end().lines().last()), (Some(1), Some(told)));
}

#[test]
fn a_run_whose_rows_are_gone_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let child = scan_of(&listener, &folder, &["--timeout", "1h", "--ehlo", "scanner.example"]);
    let (_silent, _) = listener.accept().unwrap();
    std::fs::remove_file(folder.path().join("run/domains.csv")).unwrap();
    let ran = end(child);
    let told = "mxray: cannot write the results: run/domains.csv is gone, or moved";
    assert_eq!((ran.code, ran.stderr.trim_end().lines().last()), (Some(1), Some(told)));
}

/// Reads standard error up to a line that has these words.
fn says(child: &mut Child, words: &str) {
    let stderr = child.stderr.as_mut().unwrap();
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&line).contains(words) {
        stderr.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
}

#[test]
fn a_probe_that_is_stopped_shows_what_the_first_look_brought() {
    let lab = Lab::playing(&["starttls_absent"], 1);
    let args = lab.args("probe d1.example --allow-private --second-look-delay 1h");
    let mut child = lab.folder.mxray(args).spawn().unwrap();
    says(&mut child, "looked at once more in 3600s (--second-look-delay 0s: at once)\n");
    send("INT", &child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let verdict = "verdict  exchange-online: undetermined (no_second_look)";
    for told in ["  C: EHLO scanner.example\n", "  outcome  starttls: not_offered", verdict] {
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    let (first, rest) = ran.stderr.split_once('\n').unwrap();
    assert_eq!(first, "mxray: stopping; an open connection is ended in order (again: stop at once)");
    assert!(rest.ends_with(": the second look was not made\n"), "{rest}");
    assert_eq!(lab.connections(), 1);
}

#[test]
fn a_probe_that_is_stopped_before_a_retry_shows_what_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let folder = Folder::new();
    let words = ["--allow-private", "--ehlo", "scanner.example", "--retry-delay", "1h"];
    let mut child = folder.mxray(["probe", &target].iter().chain(&words)).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"421 4.7.0 come back later\r\n").unwrap();
    drop(stream);
    says(&mut child, "greeting: throttled; asked again in 3600s");
    send("TERM", &child);
    let ran = end(child);
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    for told in ["  S: 421 4.7.0 come back later", "undetermined (greeting_throttled)"] {
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    assert!(ran.stderr.ends_with(&format!("mxray: {target}: it was not asked again\n")), "{}", ran.stderr);
}

/// The DNS is asked again as a host is, and what it said is told if the stop
/// comes before.
#[test]
fn a_probe_that_is_stopped_before_the_dns_is_asked_again_shows_what_is_known() {
    let lab = Lab::playing(&["dns_servfail"], 1);
    let args = lab.args("probe d1.example --allow-private --retries 1 --retry-delay 1h");
    let mut child = lab.folder.mxray(args).spawn().unwrap();
    says(&mut child, "mxray: d1.example: dns: servfail; asked again in 3600s (--retries 0: not at all)\n");
    send("TERM", &child);
    let ran = end(child);
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    assert!(ran.stdout.contains("undetermined (dns_servfail)"), "{}", ran.stdout);
    let questions = |lab: &Lab| lab.fleet.counters().queries[&("d1.example".to_string(), "MX".to_string())];
    let first = questions(&lab);
    let again = lab.folder.run(lab.args("probe d1.example --allow-private --retries 2 --retry-delay 1ms"));
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(again.stderr.matches("; asked again in ").count(), 2, "{}", again.stderr);
    assert_eq!(questions(&lab), 4 * first);
}

/// The better host hangs in its dialogue when the stop comes, and the other is not
/// asked at all: that is told as ours, and nothing is concluded from it.
#[test]
fn a_probe_that_is_stopped_asks_no_further_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let connectors = "[[connector]]\nname = 'both'\ndomains = ['d1.example']\nuse_mx_record = false\n\
        smart_hosts = ['127.0.0.1', '127.0.0.2']\n";
    let folder = Folder::new().with("connectors.toml", connectors);
    let words = ["probe", "d1.example", "--allow-private", "--connectors", "connectors.toml"];
    let asking = ["--ehlo", "scanner.example", "--resolver", "127.0.0.1:1", "--port", &port];
    let mut child = folder.mxray(words.iter().chain(&asking)).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    send("INT", &child);
    stopping(&mut child);
    stream.write_all(b"554 5.7.1 no\r\n").unwrap();
    drop(stream);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let not_asked = "  outcome  connect: local_error: stopped before it was asked";
    for told in ["  outcome  greeting: rejected", not_asked, "undetermined ("] {
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
}

#[test]
fn a_probe_that_is_stopped_while_it_looks_for_hosts_knows_nothing() {
    let resolver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = resolver.local_addr().unwrap().to_string();
    let folder = Folder::new();
    let words = ["probe", "d1.example", "--ehlo", "scanner.example", "--timeout", "1h", "--resolver"];
    let child = folder.mxray(words.iter().chain(&[address.as_str()])).spawn().unwrap();
    resolver.recv(&mut [0; 512]).unwrap();
    send("INT", &child);
    let ran = end(child);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""), "{}", ran.stderr);
}

#[test]
fn a_lab_that_finds_its_port_taken_leaves_the_files_of_the_other() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dns = taken.local_addr().unwrap().to_string();
    let folder = Folder::new().with("list", "a.example\n").with("truth.csv", "of the other\n");
    let args =
        ["lab", "--domains", "list", "--listen-dns", &dns, "--truth", "truth.csv", "--roots", "roots.pem"];
    let ran = folder.run(args);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(folder.read("truth.csv"), "of the other\n");
    assert_eq!(folder.names(), ["list", "truth.csv"]);
}

#[test]
fn ctrl_c_ends_a_run_whose_standard_input_is_idle() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let args = lab.args("scan - --allow-private --format csv -o run");
    let mut child = lab.folder.mxray(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"no domain\nd1.example\n").unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        assert!(rows.read_line(&mut String::new()).unwrap() > 0);
    }
    send("INT", &child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130));
    let counts = whole(&lab.folder, "run");
    assert_eq!((&counts["domains_written"], &counts["rejected"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(counts["unfinished"], Value::Null, "nobody knows what would have come");
    let told = "stopped early; targets done: 1, of a list that was not read to its end\n";
    assert!(ran.stderr.ends_with(told), "{}", ran.stderr);
    drop(input);
}

#[test]
fn ctrl_c_before_the_first_line_of_standard_input_ends_at_once() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let mut child =
        lab.folder.mxray(lab.args("scan - --allow-private")).stdin(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    send("INT", &child);
    let ran = end(child);
    assert_ne!(ran.code, Some(0), "{}", ran.stderr);
    drop(input);
}

#[test]
fn a_killed_run_leaves_what_was_done_and_does_not_say_it_ended() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1000);
    let child = lab.folder.mxray(lab.args("scan list --allow-private -o run --rate 50")).spawn().unwrap();
    let rows = || std::fs::read_to_string(lab.folder.path().join("run/domains.csv")).unwrap_or_default();
    until("the first rows on disk", || rows().lines().count() > 3);
    send("KILL", &child);
    assert_eq!(end(child).code, None);
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!((&run["finished"], &run["ended"]), (&Value::Null, &Value::Null));
    for file in CSV_FILES {
        let text = lab.folder.read(&format!("run/{file}"));
        let lines = text.rsplit_once('\n').map_or("", |(lines, _cut)| lines);
        csv::Reader::from_reader(lines.as_bytes()).records().for_each(|row| drop(row.unwrap()));
    }
}

/// Another one, on ports of its own, would tell of its own fleet.
#[test]
fn the_files_of_a_lab_that_runs_stay_as_they_are() {
    let folder = Folder::new().with("list", "a.example\n");
    let start = |files: &str| {
        let words = format!("lab --domains list --scenario tls13_ecdsa {files}");
        folder.mxray(words.split(' ')).spawn().unwrap()
    };
    let mut first = start("--truth truth.csv --roots roots.pem --counters counters.csv");
    let mut ready = String::new();
    BufReader::new(first.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let (truth, roots) = (folder.read("truth.csv"), folder.read("roots.pem"));
    for file in ["truth.csv", "roots.pem", "counters.csv"] {
        let ran = end(start(&format!("--endpoints {file}")));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert_eq!(ran.stderr, format!("mxray: cannot write {file}: another lab uses it\n"));
    }
    assert_eq!((folder.read("truth.csv"), folder.read("roots.pem")), (truth, roots));
    send("TERM", &first);
    assert_eq!(end(first).code, Some(0));
    // What is longer than what is new goes whole.
    folder.write("truth.csv", "x".repeat(100_000));
    let mut next = start("--truth truth.csv --roots /dev/null --endpoints /dev/null");
    BufReader::new(next.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(folder.read("truth.csv").lines().count(), 2);
    send("TERM", &next);
    assert_eq!(end(next).code, Some(0));
}

#[test]
fn a_lab_that_is_stopped_once_it_is_ready_writes_its_counters() {
    for _ in 0..5 {
        let folder = Folder::new().with("list", "a.example\n");
        let args = ["lab", "--domains", "list", "--scenario", "tls13_ecdsa", "--counters", "counters.csv"];
        let mut child = folder.mxray(args).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.starts_with("lab ready: dns 127.0.0.1:"), "{ready}");
        send("TERM", &child);
        let ran = end(child);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(!folder.read("counters.csv").is_empty());
    }
}

/// Whoever stops a scan learns that what it says of DANE may rest on nothing.
#[test]
fn a_stopped_scan_tells_that_its_resolver_stopped_validating() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = runtime.block_on(DnsServer::start(vec![
        ("d.example", RecordType::MX, Reply::Secure(vec![mx(10, "mx.example")])),
        ("mx.example", RecordType::A, Reply::Secure(vec![address("127.0.0.1")])),
        ("", RecordType::DNSKEY, Reply::SecureUntilReleased(vec![dnskey()])),
    ]));
    let folder = Folder::new().with("list", "d.example\n");
    let dns = server.address.to_string();
    let words = ["scan", "list", "--allow-private", "--ehlo", "scanner.example", "-o", "run", "--no-mta-sts"];
    let words = words.iter().copied().chain(["--resolver", &dns, "--port", &port]);
    let mut child = folder.mxray(words).spawn().unwrap();
    // Whoever is asked for SMTP has been found.
    let (stream, _) = listener.accept().unwrap();
    server.release();
    send("INT", &child);
    stopping(&mut child);
    drop(stream);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let told = format!("mxray: warning: the resolver {dns} stopped validating while this ran");
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    let file: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!(file["resolvers"][0]["ad_believed"], false, "{}", file["resolvers"]);
}
