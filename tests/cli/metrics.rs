//! The counters of a scan over HTTP: what Prometheus would read, and what nobody can
//! do to the scan by asking.

use crate::fleet::Lab;
use crate::stopping::send;
use crate::streams::end;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A scan that takes a while, and where its counters are.
fn scan(lab: &Lab) -> (Child, SocketAddr) {
    let words = "scan list --allow-private -o run --rate 10 --extra-client-hellos 0 --metrics 0";
    let mut child = lab.folder.mxray(lab.args(words)).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it does not say where the metrics are");
        if let Some(url) = line.trim_end().strip_prefix("mxray: metrics at http://") {
            break url.strip_suffix("/metrics").unwrap().parse().unwrap();
        }
    };
    // Whoever writes there must be read.
    std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
    (child, address)
}

/// Status line, header and body of the answer to these octets.
fn asked(address: SocketAddr, request: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A server that has enough may close before all is written.
    let _ = stream.write_all(request);
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    let text = String::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_string(), body.to_string())
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    asked(address, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
}

/// The values by name and labels, as they are written.
fn values(text: &str) -> BTreeMap<&str, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

fn with_some_done(address: SocketAddr) -> String {
    for _ in 0..200 {
        let (head, body) = get(address, "/metrics");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        let done = "mxray_connections_total{phase=\"quit\",outcome=\"ok\"}";
        if values(&body).get(done).is_some_and(|count| *count >= 5.0) {
            return body;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing is counted");
}

#[test]
fn a_running_scan_tells_prometheus_how_it_stands() {
    let lab = Lab::playing(&["tls13_ecdsa"], 200);
    let (child, address) = scan(&lab);
    assert!(address.ip().is_loopback());
    let text = with_some_done(address);
    let told = values(&text);
    let served = told["mxray_connections_total{phase=\"quit\",outcome=\"ok\"}"];
    assert!(served <= lab.connections() as f64, "{text}");
    assert!(told["mxray_handshakes_total"] >= 5.0 && told["mxray_targets"] == 200.0, "{text}");
    assert_eq!(told["mxray_dns_lookup_seconds_count"], told["mxray_dns_lookup_seconds_bucket{le=\"+Inf\"}"]);
    assert!(told["mxray_dns_lookup_seconds_count"] >= 5.0, "{text}");
    assert!(told["process_open_fds"] > 3.0 && told["process_open_fds"] < told["process_max_fds"], "{text}");
    for name in ["mxray_connections_in_flight", "mxray_hosts_queued", "mxray_bucket_wait_seconds"] {
        assert!(told.contains_key(name), "{name}: {text}");
    }
    check_with_promtool(&text);
    assert!(get(address, "/").0.starts_with("HTTP/1.1 404 "));
    let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    assert!(asked(address, post.as_bytes()).0.starts_with("HTTP/1.1 405 "));
    send("TERM", &child);
    assert_eq!(end(child).code, Some(143));
    assert!(TcpStream::connect(address).is_err(), "nobody listens after the end");
}

/// The judge of Prometheus itself, where it is installed.
fn check_with_promtool(text: &str) {
    let tool = std::env::var_os("MXRAY_PROMTOOL").unwrap_or_else(|| "promtool".into());
    let checking = Command::new(tool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut checking) = checking else {
        eprintln!("skipped: promtool is not installed");
        return;
    };
    checking.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = checking.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr) + String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn who_asks_for_too_much_gets_nothing_and_the_scan_goes_on() {
    let lab = Lab::playing(&["tls13_ecdsa"], 400);
    let (child, address) = scan(&lab);
    let long = format!("GET /metrics?{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(100_000));
    let (head, _) = asked(address, long.as_bytes());
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 4"), "{head}");
    let fields = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    let (head, _) = asked(address, fields.as_bytes());
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 4"), "{head}");
    // As many as are served at a time, and more, say nothing. They are closed in time,
    // and then the next is served.
    let silent: Vec<_> = (0..6).map(|_| TcpStream::connect(address).unwrap()).collect();
    let (head, _) = get(address, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    drop(silent);
    send("TERM", &child);
    assert_eq!(end(child).code, Some(143));
}

#[test]
fn a_port_that_is_taken_is_an_error_before_anything_is_done() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let before = lab.folder.names();
    let ran = lab.folder.run(lab.args(&format!("scan list --allow-private -o run --metrics {address}")));
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("--metrics {address}: ")), "{}", ran.stderr);
    assert_eq!((lab.folder.names(), lab.connections()), (before, 0));
}
