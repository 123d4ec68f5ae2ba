//! Standard input, output and error: what goes where, and how a run ends when
//! one of them does.

use crate::command::{Folder, PATIENCE, Ran};
use crate::fleet::{Lab, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Stdio};

/// The domains of CSV rows, which must all have as many fields as the header.
pub fn domains_of_csv(text: &str) -> BTreeSet<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "domain").unwrap();
    reader.records().map(|row| row.unwrap()[column].to_string()).collect()
}

pub fn names(count: usize) -> BTreeSet<String> {
    (1..=count).map(|number| format!("d{number}.example")).collect()
}

/// Waits for the end; a process that does not come to one is killed.
pub fn end(mut child: Child) -> Ran {
    let end = std::time::Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > end {
            child.kill().unwrap();
            panic!("no end: {:?}", Ran::from(child.wait_with_output().unwrap()).stderr);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_list_from_standard_input_goes_to_a_run_directory() {
    let lab = Lab::playing(&["tls13_ecdsa"], 3);
    let list = "\u{feff}# mine\r\nD1.example.\r\n\r\nd2.example\r\nno domain\r\nd3.example";
    let ran = lab.folder.run_with_input(lab.args("scan - --allow-private -o run"), list.as_bytes());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("3 domains, 3 endpoints, 1 rejected line\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nwritten to run\n"), "{}", ran.stdout);
    let headline: Vec<&str> = ran.stdout.lines().rev().take(11).collect();
    assert!(headline[0].starts_with("  DomainValidation "), "the headline stands last: {}", ran.stdout);
    assert_eq!(headline[10], "Mail of exchange-online to 3 domains:");
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let again = lab.folder.run("judge run --summary full -o again".split(' '));
    assert!(again.stdout.contains("\nCertificate key "), "{}", again.stdout);
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(3));
    assert!(lab.folder.read("run/rejects.csv").contains("\n5,no domain,"));
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!((&run["finished"], &run["input"]), (&Value::from(true), &Value::from("-")));
    assert_eq!(run["counts"]["rejected"], 1);
}

#[test]
fn csv_on_standard_output_is_header_and_rows_and_nothing_else() {
    let lab = Lab::playing(&["tls13_ecdsa", "greeting_554"], 12);
    let ran = lab.folder.run(lab.args("scan list --allow-private --format csv"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!((ran.stdout.lines().count(), domains_of_csv(&ran.stdout)), (13, names(12)));
    assert!(ran.stderr.contains("\n12 domains, "), "the summary stands aside: {}", ran.stderr);
    assert_eq!(lab.folder.names(), ["list", "roots.pem"], "no run directory was asked for");
}

#[test]
fn json_lines_beside_a_run_directory_hold_the_same_rows() {
    let lab = Lab::playing(&["tls13_ecdsa"], 5);
    let ran = lab.folder.run(lab.args("scan list --allow-private --format jsonl -o run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let domains: BTreeSet<String> =
        rows.iter().map(|row| row["domain"].as_str().unwrap().to_string()).collect();
    assert_eq!((rows.len(), &domains), (5, &names(5)));
    assert!(rows.iter().all(|row| row["delivery"] == "encrypted" && row["reply_code"] == Value::Null));
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), domains);
    assert!(ran.stderr.contains("\nwritten to run\n"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_has_enough_is_a_quiet_and_prompt_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap().port();
    let words = "scan - --input endpoints --allow-private --format csv --timeout 1h --ehlo scanner.example";
    let folder = Folder::new();
    let mut child = folder.mxray(words.split(' ')).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "127.0.0.1,mx.example,,{}", silent.local_addr().unwrap().port()).unwrap();
    let _open = silent.accept().unwrap();
    let mut row = move || writeln!(input, "127.0.0.2,mx.example,,{gone}");
    row().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("line,domain,"));
    // The end comes with a row that nobody reads, although standard input
    // stays open and a connection waits for its greeting.
    until("the end", || {
        let _ = row();
        child.try_wait().unwrap().is_some()
    });
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap_or_default();
    assert!(ran.stderr.is_empty() || last.contains("handshakes/s"), "only progress: {}", ran.stderr);
}

#[test]
fn nobody_on_standard_error_does_not_end_a_run() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let mut child = lab.folder.mxray(lab.args("scan list --allow-private -o run -v")).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(end(child).code, Some(0));
    assert_eq!(domains_of_csv(&lab.folder.read("run/domains.csv")), names(2));
}

#[test]
fn nobody_on_standard_output_does_not_make_probe_complain() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let mut child = lab.folder.mxray(lab.args("probe d1.example --allow-private")).spawn().unwrap();
    drop(child.stdout.take());
    let ran = end(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_leaves_a_valid_run_directory() {
    let lab = Lab::playing(&["tls13_ecdsa"], 3);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for words in ["scan list --allow-private --format csv", "scan list --allow-private --format csv -o run"] {
        let child = lab.folder.mxray(lab.args(words)).stdout(full()).spawn().unwrap();
        let ran = end(child);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        let last = ran.stderr.lines().last().unwrap();
        assert!(
            last.starts_with("mxray: cannot write the results: standard output: No space left"),
            "{last}"
        );
    }
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!(run["finished"], false);
    assert!(run["error"].as_str().unwrap().contains("standard output"), "{run}");
    domains_of_csv(&lab.folder.read("run/domains.csv"));
    let child =
        lab.folder.mxray(lab.args("probe d1.example --allow-private")).stdout(full()).spawn().unwrap();
    let ran = end(child);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("mxray: cannot write to standard output: No space"), "{}", ran.stderr);
}

/// The run directory alone is full: a limit of the process stands for the disk.
#[cfg(unix)]
#[test]
fn a_run_directory_that_takes_no_more_says_so_in_run_json() {
    let lab = Lab::playing(&["tls13_ecdsa"], 300);
    // Blocks of 512 bytes; the signal must not end the process before it can say anything.
    let shell = "ulimit -f 96; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", shell, env!("CARGO_BIN_EXE_mxray")]);
    command.args(lab.args("scan list --allow-private -o run --per-ip-connections 0"));
    command.current_dir(lab.folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = end(command.spawn().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap();
    let (_, cause) = last.split_once("mxray: ").unwrap();
    assert!(cause.starts_with("cannot write the results: cannot write "), "{last}");
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!(run["error"], cause, "{run}");
    assert_eq!((run["ended"].is_string(), &run["finished"]), (true, &Value::Null), "{run}");
    assert!(!lab.folder.path().join("run/run.json.new").exists());
    // What reached the disk can be judged, and the reason is told.
    let ran = lab.folder.run(["judge", "run", "-o", "again"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("mxray: the run failed ({cause})")), "{}", ran.stderr);
}

/// Judging tells of the file that failed, not of the next that was not tried for it.
#[cfg(unix)]
#[test]
fn a_judged_run_that_takes_no_more_names_the_file_that_failed() {
    let lab = Lab::playing(&["tls13_ecdsa"], 300);
    let ran = lab.folder.run(lab.args("scan list --allow-private -o run --per-ip-connections 0"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let shell = "ulimit -f 96; exec \"$0\" judge run -o judged";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", shell, env!("CARGO_BIN_EXE_mxray")]);
    command.current_dir(lab.folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = end(command.spawn().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let cause = ran.stderr.lines().last().unwrap().strip_prefix("mxray: ").unwrap();
    assert!(cause.starts_with("cannot write the results: cannot write "), "{cause}");
    assert!(cause.ends_with("File too large (os error 27)"), "{cause}");
    let run: Value = serde_json::from_str(&lab.folder.read("judged/run.json")).unwrap();
    assert_eq!((&run["error"], &run["finished"]), (&cause.into(), &Value::Null), "{run}");
}

/// A file of a run that another process cuts short meanwhile: what is missing
/// is said, and no hole is written into it.
#[cfg(unix)]
#[test]
fn a_file_that_is_cut_short_meanwhile_is_told() {
    let lab = Lab::playing(&["tls13_ecdsa", "greeting_silence"], 12);
    for name in ["domains.csv", "observations.jsonl"] {
        let run = format!("run-{name}");
        let words = "scan list --allow-private --per-ip-connections 0 --timeout greeting=3s -o";
        let child = lab.folder.mxray(lab.args(&format!("{words} {run}"))).spawn().unwrap();
        let path = lab.folder.path().join(&run).join(name);
        until("the first rows", || std::fs::read_to_string(&path).is_ok_and(|text| text.lines().count() > 2));
        std::fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        let ran = end(child);
        let last = ran.stderr.lines().last().unwrap();
        assert_eq!(ran.code, Some(1), "{last}");
        let told = format!("mxray: cannot write the results: {run}/{name} has ");
        assert!(last.starts_with(&told) && last.ends_with("another process cut it short"), "{last}");
        assert!(!std::fs::read(&path).unwrap().contains(&0));
        let info: Value = serde_json::from_str(&lab.folder.read(&format!("{run}/run.json"))).unwrap();
        assert!(info["error"].as_str().unwrap().contains("cut it short"), "{info}");
        assert_eq!(info["finished"], Value::Null);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn words_for_a_full_disk_are_an_error_of_every_command() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = lab.folder.run(lab.args("scan list --allow-private -o run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
    for args in [
        lab.args("scan list --allow-private -o summary"),
        words("judge run -o judged"),
        words("roots list --store mozilla"),
        words("demo --domains 5 -o demo"),
        words("lab --domains list"),
        words("--help"),
        words("help scan"),
        words("--version"),
    ] {
        let ran = end(lab.folder.mxray(&args).stdout(full()).spawn().unwrap());
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert_eq!(ran.code, Some(1), "{args:?}: {last}");
        assert!(last.starts_with("mxray: cannot write to standard output: No space left"), "{last}");
    }
}

#[test]
fn progress_comes_in_lines_where_there_is_no_terminal() {
    let lab = Lab::playing(&["greeting_silence"], 2);
    let args = lab.args("scan list --allow-private --timeout greeting=1h,session=1h");
    let mut child = lab.folder.mxray(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    assert_eq!(line, "0/2 domains, 0 handshakes/s, 2 in flight, ETA not known yet, none done yet\n");
    child.wait().unwrap();
}

/// Nobody is to think that a run hangs at its end.
#[test]
fn progress_says_what_is_waited_for() {
    let lab = Lab::playing(&["starttls_absent", "greeting_421"], 4);
    let words = "scan list --allow-private --per-ip-connections 0 --retries 1 --retry-delay 1h --second-look-delay 1h";
    let mut child = lab.folder.mxray(lab.args(words)).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // What is left is looked at every two seconds: until then the line may have none, or that
    // of a moment at which not all of them waited.
    let told = "0/4 domains, 0 handshakes/s, 0 in flight, 2 wait for a second look, 2 for a retry, ";
    let is_hour = |rest: &str| rest.starts_with("ETA 59m") || rest.starts_with("ETA 1h");
    let mut seen = Vec::new();
    let is_told = lines.take(20).any(|line| {
        let rest = line.strip_prefix(told).unwrap_or_default();
        let is_told = is_hour(rest) && rest.ends_with(", none done yet");
        seen.push(line);
        is_told
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_told, "{seen:#?}");
}

#[test]
fn a_list_that_breaks_off_keeps_its_rows_and_says_so() {
    let lab = Lab::playing(&["tls13_ecdsa"], 400);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(lab.folder.read("list").as_bytes()).unwrap();
    let mut packed = gzip.finish().unwrap();
    lab.folder.write("whole.gz", &packed);
    packed.truncate(packed.len() / 2);
    lab.folder.write("half.gz", &packed);
    let ran = lab.folder.run(lab.args("scan whole.gz --allow-private -o whole --per-ip-connections 0"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(domains_of_csv(&lab.folder.read("whole/domains.csv")), names(400));

    let ran = lab.folder.run(lab.args("scan half.gz --allow-private -o half --per-ip-connections 0"));
    let last = ran.stderr.lines().last().unwrap();
    assert_eq!(ran.code, Some(1));
    assert!(last.starts_with("mxray: the list could not be read to its end: "), "{last}");
    assert!(ran.stdout.contains("\nwritten to half\n"), "the summary is told: {}", ran.stdout);
    let rows = domains_of_csv(&lab.folder.read("half/domains.csv"));
    let run: Value = serde_json::from_str(&lab.folder.read("half/run.json")).unwrap();
    assert!(rows.len() > 100 && rows.len() < 300, "{}", rows.len());
    assert_eq!((&run["finished"], &run["interrupted"]), (&Value::from(false), &Value::from(false)));
    assert_eq!(run["counts"]["domains_written"], rows.len());
    assert!(run["error"].as_str().unwrap().starts_with("the list could not be read"), "{run}");
}

#[test]
fn rows_come_as_they_are_done_while_standard_input_stays_open() {
    let lab = Lab::playing(&["tls13_ecdsa"], 4);
    // Which is not to be mistaken for standard input.
    lab.folder.write("-", "wrong.example\n");
    let args = lab.args("scan - --allow-private --format csv --extra-client-hellos 0");
    let mut child = lab.folder.mxray(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    for name in names(4) {
        writeln!(input, "{name}").unwrap();
        let mut row = String::new();
        while !row.contains(&format!(",{name},")) {
            row.clear();
            assert!(rows.read_line(&mut row).unwrap() > 0, "the rows ended before {name}");
        }
    }
    drop(input);
    let mut rest = String::new();
    rows.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), end(child).code), ("", Some(0)));
    until("four connections", || lab.connections() == 4);
}
