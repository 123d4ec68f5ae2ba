//! What is looked at before a survey, each with an answer of its own.

use crate::command::{Folder, Ran};
use crate::dns::{DnsServer, Reply, address, txt};
use hickory_proto::rr::rdata::PTR;
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use tokio::runtime::Runtime;

const LISTED: &str = "2.0.0.127.bl.example";

fn pointer(name: &str) -> RData {
    RData::PTR(PTR(Name::from_ascii(name).unwrap()))
}

/// What `preflight` says of 192.0.2.10 and scanner.example, where the DNS says this.
fn checked(
    table: Vec<(&'static str, RecordType, Reply)>,
    words: &str,
) -> (Ran, Vec<(String, String, String)>) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(DnsServer::start(table));
    let dns = server.address.to_string();
    let words = words.split_whitespace();
    let fixed =
        ["preflight", "--ehlo", "scanner.example", "--resolver", &dns, "--format", "json", "--allow-private"];
    let ran = Folder::new().run(fixed.into_iter().chain(words));
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    assert_eq!((&told["schema_version"], &told["mxray"]), (&1.into(), &env!("CARGO_PKG_VERSION").into()));
    let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_string();
    let checks = told["checks"].as_array().unwrap();
    let checks = checks.iter().map(|it| (word(it, "check"), word(it, "state"), word(it, "cause"))).collect();
    (ran, checks)
}

fn state<'a>(checks: &'a [(String, String, String)], check: &str) -> (&'a str, &'a str) {
    let found = checks.iter().find(|(name, ..)| name == check).unwrap();
    (&found.1, &found.2)
}

fn records(record: RData) -> Reply {
    Reply::Records(vec![record])
}

fn good() -> Vec<(&'static str, RecordType, Reply)> {
    vec![
        ("10.2.0.192.in-addr.arpa", RecordType::PTR, records(pointer("Scanner.Example."))),
        ("scanner.example", RecordType::A, records(address("192.0.2.10"))),
        (LISTED, RecordType::A, records(address("127.0.0.2"))),
    ]
}

const WORDS: &str = "--source 192.0.2.10 --dnsbl bl.example";

#[test]
fn an_address_with_its_name_on_no_list_is_ok() {
    let (ran, checks) = checked(good(), WORDS);
    for check in ["reverse name", "EHLO name", "block list"] {
        assert_eq!(state(&checks, check).0, "ok", "{check}: {checks:?}");
    }
    // Nothing was named that could tell.
    assert_eq!(state(&checks, "port").0, "not_determined");
    assert_eq!(ran.code, Some(0), "{checks:?}");
}

#[test]
fn names_that_do_not_lead_back_are_a_fault() {
    for (at, reply, check, cause) in [
        (0, Reply::Code(hickory_proto::op::ResponseCode::NXDomain), "reverse name", "no name in the DNS"),
        (0, records(pointer("host-10.provider.example.")), "reverse name", "and EHLO says scanner.example"),
        (1, records(address("192.0.2.11")), "EHLO name", "it has 192.0.2.11"),
    ] {
        let mut table = good();
        table[at].2 = reply;
        let (ran, checks) = checked(table, WORDS);
        let (state, told) = state(&checks, check);
        assert_eq!((state, ran.code), ("fault", Some(1)), "{told}");
        assert!(told.contains(cause), "{told}");
    }
    let mut table = good();
    table[0].2 = Reply::Code(hickory_proto::op::ResponseCode::ServFail);
    let (ran, checks) = checked(table, WORDS);
    assert_eq!((state(&checks, "reverse name").0, ran.code), ("not_determined", Some(0)), "{checks:?}");
}

#[test]
fn a_list_counts_only_if_it_holds_its_test_entry() {
    let entry = ("10.2.0.192.bl.example", RecordType::A, records(address("127.0.0.4")));
    let reason = ("10.2.0.192.bl.example", RecordType::TXT, records(txt(&["seen ", "scanning"])));
    let with =
        |more: Vec<(&'static str, RecordType, Reply)>| good().into_iter().chain(more).collect::<Vec<_>>();
    let (ran, checks) = checked(with(vec![entry.clone(), reason.clone()]), WORDS);
    assert_eq!(state(&checks, "block list"), ("fault", "listed (127.0.0.4): seen scanning"));
    assert_eq!(ran.code, Some(1));

    let no_test: Vec<_> =
        with(vec![entry.clone()]).into_iter().filter(|(name, ..)| *name != LISTED).collect();
    let (ran, checks) = checked(no_test, WORDS);
    let (told, cause) = state(&checks, "block list");
    assert!(told == "not_determined" && cause.contains("RFC 5782"), "{cause}");
    assert_eq!(ran.code, Some(0));

    let anything = ("1.0.0.127.bl.example", RecordType::A, records(address("127.0.0.2")));
    let (_, checks) = checked(with(vec![entry, anything]), WORDS);
    assert_eq!(state(&checks, "block list").0, "not_determined");
}

#[test]
fn an_ipv6_address_is_looked_for_by_its_nibbles() {
    let zone = |nibbles: &str| -> &'static str { format!("{nibbles}.bl.example").leak() };
    let test = "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0";
    let source = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2";
    let table = vec![
        (zone(test), RecordType::A, records(address("127.0.0.2"))),
        (zone(source), RecordType::A, records(address("127.0.0.3"))),
    ];
    let (_, checks) = checked(table, "--source 2001:db8::1 --dnsbl bl.example");
    assert_eq!(state(&checks, "block list"), ("fault", "listed (127.0.0.3)"));
}

/// Greets once, and answers what it is asked until the client leaves.
fn server(greeting: &'static str) -> (u16, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(greeting.as_bytes()).unwrap();
        let mut heard = Vec::new();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            let Ok(line) = line else { break };
            let reply = if line == "QUIT" { "221 bye\r\n" } else { "250 mx.example\r\n" };
            heard.push(line);
            if stream.write_all(reply.as_bytes()).is_err() {
                break;
            }
        }
        heard
    });
    (port, serving)
}

#[test]
fn a_host_of_ones_own_tells_whether_the_port_is_open() {
    let (port, serving) = server("220 mx.example ESMTP\r\n");
    let (ran, checks) = checked(good(), &format!("{WORDS} --egress-host 127.0.0.1:{port}"));
    assert_eq!((state(&checks, "port").0, ran.code), ("ok", Some(0)), "{checks:?}");
    assert_eq!(serving.join().unwrap(), ["EHLO scanner.example", "QUIT"]);

    let (port, serving) = server("554 5.7.1 go away\r\n");
    let (ran, checks) = checked(good(), &format!("{WORDS} --egress-host 127.0.0.1:{port}"));
    assert_eq!((state(&checks, "port").0, ran.code), ("fault", Some(1)), "{checks:?}");
    serving.join().unwrap();

    // A port at which nobody listens any more.
    let (ran, checks) = checked(good(), &format!("{WORDS} --egress-host 127.0.0.1:{port}"));
    assert_eq!((state(&checks, "port").0, ran.code), ("fault", Some(1)), "{checks:?}");
}

#[test]
fn without_an_address_both_names_are_not_determined() {
    let (runtime, table) = (Runtime::new().unwrap(), good());
    let dns = runtime.block_on(DnsServer::start(table)).address.to_string();
    let words = format!("preflight --ehlo scanner.example --resolver {dns}");
    let ran = Folder::new().run(words.split_whitespace());
    // A machine with a public address of its own is told of that one.
    for check in ["reverse name", "EHLO name"] {
        assert!(ran.stdout.contains(check), "{check}: {}", ran.stdout);
    }
    let port = "not determined  port          25: no host of your own was named; use --egress-host HOST\n";
    assert!(ran.stdout.contains(port), "{}", ran.stdout);
}

#[test]
fn the_probing_file_is_written_once() {
    let folder = Folder::new();
    let words = "preflight --source 192.0.2.10 --ehlo scanner.example --resolver 127.0.0.1:9 --timeout dns=1ms \
         --contact a@example.org --probing-file probing.txt";
    let ran = folder.run(words.split_whitespace());
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.contains("https://scanner.example/.well-known/probing.txt"), "{}", ran.stdout);
    let text = folder.read("probing.txt");
    assert!(text.contains("\nContact: mailto:a@example.org\n"), "{text}");
    let again = folder.run(words.split_whitespace());
    assert_eq!((again.code, again.stdout.as_str()), (Some(2), ""), "{}", again.stderr);
    assert_eq!(folder.read("probing.txt"), text);
    let ran = folder.run(words.replace("a@example.org", "http://example.org").split_whitespace());
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}
