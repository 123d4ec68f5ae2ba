//! A pool of servers behind one address: `scan` and `probe` look twice at a "no
//! TLS", and say what they saw.

use crate::command::Folder;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A server that offers STARTTLS on some of its connections, and hangs up at the
/// ClientHello. Serves until the test ends.
struct Pool {
    address: SocketAddr,
    begun: Arc<Mutex<Vec<Instant>>>,
}

impl Pool {
    /// `offers` says so by the number of the connection, from 1.
    fn start(offers: fn(usize) -> bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let begun: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let noted = begun.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = {
                    let mut begun = noted.lock().unwrap();
                    begun.push(Instant::now());
                    begun.len()
                };
                serve(stream, offers(number));
            }
        });
        Self { address, begun }
    }

    fn begun(&self) -> Vec<Instant> {
        self.begun.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, offers: bool) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let ehlo = if offers { "250-mx.example\r\n250 STARTTLS\r\n" } else { "250 mx.example\r\n" };
    let _ = stream.write_all(b"220 mx.example\r\n");
    for line in lines {
        let (reply, ends) = match line.get(..4) {
            Some("EHLO") => (ehlo, false),
            Some("STAR") => ("220 go\r\n", true),
            _ => ("221 bye\r\n", true),
        };
        let _ = stream.write_all(reply.as_bytes());
        if ends {
            break;
        }
    }
}

const ASKING: [&str; 9] = [
    "--allow-private",
    "--ehlo",
    "scanner.example",
    "--per-ip-interval",
    "0",
    "--retries",
    "0",
    "--extra-client-hellos",
    "0",
];

/// Reason and other attempts by a scan, and the transcript of a probe with what
/// it said meanwhile.
fn told(pool: &Pool, delay: &str) -> ([String; 2], String, String) {
    let folder = Folder::new().with("list", format!("{}\n", pool.address));
    let scan = ["scan", "list", "--input", "endpoints", "-o", "run", "--second-look-delay", delay];
    let ran = folder.run(scan.iter().chain(&ASKING));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let endpoints = folder.read("run/endpoints.csv");
    let mut rows = csv::Reader::from_reader(endpoints.as_bytes());
    let row: std::collections::BTreeMap<String, String> = rows.deserialize().next().unwrap().unwrap();
    let target = pool.address.to_string();
    let ran = folder.run(["probe", &target, "--second-look-delay", delay].iter().chain(&ASKING));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    (["reason", "other_attempts"].map(|name| row[name].clone()), ran.stdout, ran.stderr)
}

#[test]
fn of_a_pool_whose_servers_differ_nothing_is_believed() {
    // Both meet the one that offers none first.
    let pool = Pool::start(|number| number % 2 == 0);
    let (row, transcript, _) = told(&pool, "0");
    assert_eq!(row, ["second_look_differs", "starttls_not_offered"]);
    assert!(transcript.contains("undetermined (second_look_differs)"), "{transcript}");
    assert!(transcript.contains("  attempt 1 of 2  starttls: not_offered"), "{transcript}");
    assert_eq!(pool.begun().len(), 4);
}

#[test]
fn a_second_look_comes_later_and_whoever_waits_is_told() {
    const DELAY: Duration = Duration::from_millis(300);
    let pool = Pool::start(|_| false);
    let (row, transcript, said) = told(&pool, "300ms");
    assert_eq!(row, ["starttls_not_offered", "starttls_not_offered"]);
    assert!(transcript.contains("plaintext (starttls_not_offered), observed"), "{transcript}");
    assert!(said.contains(": starttls: not_offered; looked at once more in 300ms (--second-look"), "{said}");
    let begun = pool.begun();
    assert_eq!(begun.len(), 4);
    for pair in begun.chunks(2) {
        assert!(pair[1] - pair[0] >= DELAY, "{:?}", pair[1] - pair[0]);
    }
}

/// Delivery and reason of each name of a run.
fn by_name(folder: &Folder, run: &str) -> BTreeMap<String, String> {
    let domains = folder.read(&format!("{run}/domains.csv"));
    let mut rows = csv::Reader::from_reader(domains.as_bytes());
    let rows = rows.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    rows.map(|row| (row["mx_host"].clone(), format!("{} {}", row["delivery"], row["reason"]))).collect()
}

/// Five names of one address: it comes to TLS under one and says "no TLS" under the
/// others, or the other way round. One answer at most is told as one.
#[test]
fn names_of_one_address_that_differ_are_open_and_are_judged_again_alike() {
    for offers in [|number: usize| number == 1, |number: usize| number > 2] {
        let pool = Pool::start(offers);
        let (ip, port) = (pool.address.ip(), pool.address.port());
        let list: String = (0..5).map(|name| format!("{ip},mx{name}.example,,{port}\n")).collect();
        let folder = Folder::new().with("list", list);
        let scan = ["scan", "list", "--input", "endpoints", "-o", "run", "--second-look-delay", "0"];
        let ran = folder.run(scan.iter().chain(&ASKING));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let scanned = by_name(&folder, "run");
        let open = scanned.values().filter(|told| *told == "undetermined second_look_differs").count();
        assert!(scanned.len() == 5 && open >= 4, "{scanned:?}");
        folder.run(["judge", "run", "-o", "again"]);
        assert_eq!(by_name(&folder, "again"), scanned);
        let journal = folder.read("run/observations.jsonl");
        let backwards: String = journal.lines().rev().map(|line| format!("{line}\n")).collect();
        folder.write("run/observations.jsonl", backwards);
        folder.run(["judge", "run", "-o", "backwards"]);
        assert_eq!(by_name(&folder, "backwards"), scanned);
    }
}
