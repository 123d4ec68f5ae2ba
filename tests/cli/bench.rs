//! `mxray bench` on servers of the lab, fast and slowed down.

use crate::command::{Folder, Ran};
use crate::delay::Delayed;
use crate::fleet::Lab;
use crate::json::{self, document};
use crate::stopping::{send, stopping};
use crate::streams::end;
use serde_json::Value;
use std::net::SocketAddr;

const BENCH: &str = include_str!("../../docs/bench.md");

/// Where the only server of the lab listens.
fn server(lab: &Lab) -> SocketAddr {
    (lab.fleet.endpoints()[0].ip, lab.fleet.smtp_port()).into()
}

fn words(target: SocketAddr, words: &str) -> Vec<String> {
    let line = format!("bench {target} --ehlo client.example {words}");
    line.split_whitespace().map(str::to_string).collect()
}

fn bench(folder: &Folder, target: SocketAddr, more: &str) -> Ran {
    folder.run(words(target, more))
}

fn saved(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&folder.read(name)).unwrap()
}

/// The figures that a comparison calls worse.
fn worse(ran: &Ran) -> Vec<String> {
    let lines = ran.stdout.lines().filter(|line| line.ends_with("  worse"));
    lines.map(|line| line.split("  ").next().unwrap().to_string()).collect()
}

#[test]
fn a_load_is_told_and_saved() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let ran = bench(&lab.folder, server(&lab), "--count 30 --concurrency 3 --save load.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let target = server(&lab);
    let head = format!("{target}, 3 sessions at a time, full handshakes\n30 sessions in ");
    assert!(ran.stdout.starts_with(&head), "{}", ran.stdout);
    assert_eq!(lab.fleet.counters().handshakes(), 31, "one goes ahead");
    let load = saved(&lab.folder, "load.json");
    let round = &load["rounds"][0];
    assert_eq!((&load["version"], &round["interrupted"]), (&2.into(), &false.into()));
    assert_eq!(load["settings"]["pacing"]["closed"]["concurrency"], 3);
    assert_eq!((&round["sessions"]["ok"], &round["sessions"]["resumed"]), (&30.into(), &0.into()));
    let negotiated = "TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768";
    assert_eq!(round["negotiated"], serde_json::json!({ negotiated: 30 }));
    assert!(ran.stdout.contains(&format!("\n{negotiated} ")), "{}", ran.stdout);
    for phase in ["connect", "greeting", "ehlo", "starttls", "tls", "after_tls", "quit", "total"] {
        assert_eq!(round["times"][phase]["count"], 30, "{phase}");
        assert!(ran.stdout.contains(&format!("\n{phase} ")), "{phase}: {}", ran.stdout);
    }
    assert_eq!(round["times"]["wait"], Value::Null);
}

#[test]
fn an_open_loop_tells_how_long_sessions_that_were_due_waited() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let ran = bench(&lab.folder, server(&lab), "--count 20 --rate 200 --save load.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let load = saved(&lab.folder, "load.json");
    assert_eq!(load["settings"]["pacing"]["open"]["rate"], 200);
    let times = &load["rounds"][0]["times"];
    assert_eq!((&times["wait"]["count"], &times["total"]["count"]), (&20.into(), &20.into()));
}

#[test]
fn sessions_are_resumed_where_the_server_lets_them() {
    for (scenario, resumes) in
        [("tls13_tickets", true), ("tls12_resumption", true), ("tls13_ecdsa", false), ("tls12_rsa", false)]
    {
        let lab = Lab::playing(&[scenario], 1);
        let more = "--count 20 --concurrency 2 --resume --save load.json";
        let ran = bench(&lab.folder, server(&lab), more);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let expected = if resumes { 20 } else { 0 };
        assert!(ran.stdout.contains(&format!("\n{expected} of them resumed\n")), "{}", ran.stdout);
        assert_eq!(saved(&lab.folder, "load.json")["rounds"][0]["sessions"]["resumed"], expected);
    }
}

/// 5 ms of network and then a second. What counts as worse lies between: a busy
/// machine neither adds 400 ms to the one, nor makes half a second of it, and does not
/// take ten times as long for a round. Three rounds each, of which a stalled one is not
/// the median.
#[test]
fn what_got_slower_is_found_and_what_did_not_is_left_alone() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let network = Delayed::start(server(&lab));
    network.delay(5);
    let load = "--count 20 --concurrency 10 --rounds 3";
    let first = bench(&lab.folder, network.address, &format!("{load} --save base.json"));
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(saved(&lab.folder, "base.json")["rounds"].as_array().unwrap().len(), 3);
    let told = first.stderr.lines().filter(|line| line.starts_with("mxray: round "));
    assert_eq!(told.count(), 3, "{}", first.stderr);
    let against = format!("{load} --baseline base.json --tolerance 1000% --least-change 400ms");

    let again = bench(&lab.folder, network.address, &against);
    assert_eq!((again.code, worse(&again)), (Some(0), vec![]), "{}\n{}", again.stdout, again.stderr);

    network.delay(1000);
    let slow = bench(&lab.folder, network.address, &against);
    let told = worse(&slow);
    assert_eq!(slow.code, Some(6), "{}\n{}", slow.stdout, slow.stderr);
    for figure in ["greeting p50", "total p50"] {
        assert!(told.contains(&figure.to_string()), "{figure}: {}", slow.stdout);
    }
    assert!(!told.iter().any(|figure| figure == "starttls p50"), "{}", slow.stdout);
    let verdict = |ran: &Ran| ran.stdout.lines().last().unwrap().to_string();
    let begins = "worse than the baseline by more than 1000.0 % and 400.00 ms: ";
    assert!(verdict(&slow).starts_with(begins), "{}", slow.stdout);
    let begins = format!("not {begins}sessions a second ");
    assert!(
        verdict(&again).starts_with(&begins) && verdict(&again).contains("; total p50 "),
        "{}",
        again.stdout
    );

    let told = document(&bench(&lab.folder, network.address, &format!("{against} --format json")));
    assert_eq!(told["comparison"]["verdict"], "worse");
    json::held(BENCH, "bench", &[&told], &["measurement"]);
    assert_eq!(told["measurement"]["rounds"].as_array().unwrap().len(), 3);
}

/// Fewer than 64 sessions at a time that take over 200 ms each, of which 600 are
/// due in 300 ms.
#[cfg(unix)]
#[test]
fn a_load_that_could_not_keep_up_is_not_taken_for_the_one_that_was_asked_for() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let network = Delayed::start(server(&lab));
    network.delay(200);
    let more = "--rate 2000 --duration 300ms --rounds 2";
    let ran = lab.folder.run_with_few_files(words(network.address, more));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains(" more were due and found no room in time"), "{}", ran.stdout);
    let told = "mxray: less than 95 % of the planned sessions could be started";
    assert!(ran.stderr.lines().last().unwrap().starts_with(told), "{}", ran.stderr);
}

#[test]
fn failures_are_counted_by_phase_and_kind() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let network = Delayed::start(server(&lab));
    network.lose_every(5);
    // The fifth, tenth, fifteenth and twentieth; one has gone ahead.
    let ran = bench(&lab.folder, network.address, "--count 20 --concurrency 1 --save load.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let load = &saved(&lab.folder, "load.json")["rounds"][0];
    assert_eq!(load["failures"], serde_json::json!({ "greeting_closed": 4 }));
    assert_eq!((&load["sessions"]["ok"], &load["sessions"]["failed"]), (&16.into(), &4.into()));
    assert_eq!(
        (&load["times"]["connect"]["count"], &load["times"]["total"]["count"]),
        (&20.into(), &16.into())
    );
    assert!(ran.stdout.contains("\ngreeting_closed "), "{}", ran.stdout);
}

#[test]
fn no_load_is_made_on_a_server_that_refuses_a_session() {
    let lab = Lab::playing(&["greeting_421"], 1);
    let ran = bench(&lab.folder, server(&lab), "--count 20");
    let told = format!("mxray: {} completes no session: greeting: throttled (421)", server(&lab));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.lines().last().unwrap().starts_with(&told), "{}", ran.stderr);
    assert_eq!(lab.connections(), 1);
}

#[test]
fn a_baseline_of_another_load_is_refused_before_anything_is_sent() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let target = server(&lab);
    assert_eq!(bench(&lab.folder, target, "--count 4 --concurrency 2 --save base.json").code, Some(0));
    let before = lab.connections();
    let text = lab.folder.read("base.json");
    lab.folder.write("later.json", text.replace("\"version\": 2", "\"version\": 1"));
    lab.folder.write("broken.json", text.replace("\"rounds_asked\": 1", "\"rounds_asked\": 2"));
    lab.folder.write("stopped.json", text.replace("\"interrupted\": false", "\"interrupted\": true"));
    let same = format!("{target}, 2 sessions at a time, full handshakes then, {target}, ");
    for (more, told) in [
        (
            "--concurrency 3 --baseline base.json",
            format!("base.json: not the same load: {same}3 sessions at"),
        ),
        (
            "--concurrency 2 --resume --baseline base.json",
            format!("base.json: not the same load: {same}2 ses"),
        ),
        ("--concurrency 2 --baseline later.json", "later.json: saved in format 1, this mxray reads 2".into()),
        ("--concurrency 2 --baseline list", "list: not a measurement saved by mxray bench: ".into()),
        ("--concurrency 2 --baseline none", "none: No such file".into()),
        ("--concurrency 2 --baseline broken.json", "broken.json: its measurement was stopped early".into()),
        ("--concurrency 2 --baseline stopped.json", "stopped.json: its measurement was stopped early".into()),
    ] {
        let ran = bench(&lab.folder, target, more);
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{more}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("mxray: --baseline {told}")), "{}", ran.stderr);
    }
    assert_eq!(lab.connections(), before);
}

#[test]
fn ctrl_c_ends_a_load_early_and_it_is_told_all_the_same() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let more = "--duration 1h --concurrency 2 --save load.json";
    let mut child = lab.folder.mxray(words(server(&lab), more)).spawn().unwrap();
    crate::fleet::until("some sessions", || lab.fleet.counters().handshakes() > 10);
    send("INT", &child);
    stopping(&mut child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(ran.stdout.contains(" sessions in ") && ran.stdout.contains("\ntls "), "{}", ran.stdout);
    assert!(ran.stderr.ends_with("mxray: stopped early, so not compared\n"), "{}", ran.stderr);
    assert_eq!(saved(&lab.folder, "load.json")["rounds"][0]["interrupted"], true);
}

#[test]
fn what_is_neither_on_loopback_nor_ones_own_gets_no_load() {
    let folder = Folder::new().with("kept.json", "kept");
    for (line, told) in [
        (
            "192.0.2.1",
            "192.0.2.1 is not on loopback: put load only on a server of your own; if it is yours, add --i-own",
        ),
        ("[2001:db8::1]:25", "2001:db8::1 is not on loopback"),
        (
            "192.0.2.1 --i-own-this-server 192.0.2.2",
            "--i-own-this-server 192.0.2.2: not the host of 192.0.2.1",
        ),
        (
            "192.0.2.1:26 --i-own-this-server 192.0.2.1:26",
            "--i-own-this-server 192.0.2.1:26: not the host of",
        ),
        (
            "mx.example:25 --i-own-this-server example",
            "--i-own-this-server example: not the host of mx.example:25",
        ),
        ("127.0.0.1 --concurrency 10001", "--concurrency 10001: not between 1 and 10000"),
        ("127.0.0.1 --rate 0", "--rate 0: not between 1 and 100000"),
        ("127.0.0.1 --count 0", "--count 0: not between 1 and 10000000"),
        ("127.0.0.1 --duration 2h", "--duration: must be over 0 and at most 1h"),
        ("127.0.0.1 --tolerance 10 --baseline x", "invalid value '10' for '--tolerance <N%>'"),
        ("127.0.0.1 --save none/load.json", "--save none/load.json: No such file"),
        ("127.0.0.1 --save /proc/load.json", "--save /proc/load.json: "),
        ("127.0.0.1 --save kept.json", "--save kept.json: is there already; choose another name"),
    ] {
        let ran = folder.run(format!("bench --ehlo client.example {line}").split(' '));
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{line}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("mxray: {told}")), "{line}: {}", ran.stderr);
    }
}

/// What stands on standard output is not said on standard error, too; and a load that
/// takes its time is told while it goes on.
#[test]
fn a_load_is_told_once_and_while_it_goes_on() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let ran = bench(&lab.folder, server(&lab), "--duration 2500ms --concurrency 1");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        matches!(&said[..], [line] if line.starts_with("mxray: 2 s, ") && line.ends_with(" 0 failed")),
        "{said:?}"
    );
}

/// By name, as found in the lab's DNS.
#[test]
fn a_host_on_loopback_may_be_named() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let (host, port) = (lab.fleet.endpoints()[0].host.clone(), lab.fleet.smtp_port());
    let dns = lab.fleet.dns_addr();
    let line = format!("bench {host}:{port} --resolver {dns} --ehlo client.example --count 3");
    let ran = lab.folder.run(line.split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&format!("{host}:{port}, 8 sessions at a time")), "{}", ran.stdout);
    let address = lab.fleet.endpoints()[0].ip;
    assert_eq!(ran.stderr, format!("mxray: the address of {host}:{port} is {address}\n"));
}
