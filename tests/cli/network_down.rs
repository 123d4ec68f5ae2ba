//! The network of this machine goes down in the middle of a run, in a network of the
//! test's own, and comes back: nobody is blamed, and what can be asked again is.

use crate::command::Folder;
use crate::streams::end;
use nix::sched::{CloneFlags, unshare};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// How long the network is down.
const OUTAGE: Duration = Duration::from_secs(2);

/// Runs a test in a network of its own, which has loopback and nothing else; says so
/// where the system does not let it.
fn in_own_network(test: fn()) {
    let run = thread::spawn(move || {
        if unshare(CloneFlags::CLONE_NEWNET).is_err() || !ip("link set lo up") {
            let _ =
                writeln!(std::io::stderr(), "left out: a network of its own (root, and `ip` of iproute2)");
            return;
        }
        test();
    });
    run.join().unwrap();
}

/// What a thread starts is in its network; whether `ip` did that.
fn ip(words: &str) -> bool {
    Command::new("ip").args(words.split(' ')).status().is_ok_and(|status| status.success())
}

/// There is a way to loopback, or none.
fn route(there: bool) {
    assert!(ip(&format!("addr {} 127.0.0.1/8 dev lo", if there { "add" } else { "del" })));
}

fn rows(folder: &Folder, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = folder.read(&format!("run/{file}"));
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_host_is_asked_again_that_could_not_be_reached_for_a_while() {
    in_own_network(|| {
        let (listener, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), Folder::new());
        let port = listener.local_addr().unwrap().port();
        folder.write("endpoints", format!("127.0.0.1,mx.example,,{port}\n"));
        let args = "scan endpoints --input endpoints --allow-private -o run --ehlo scanner.example \
                    --second-look-delay 0 --retries 2 --retry-delay 1s --per-ip-interval 0 --cool-down 0";
        let mut child = folder.mxray(args.split_ascii_whitespace()).spawn().unwrap();
        // The first breaks off, the second finds no way, the third is served.
        drop(listener.accept().unwrap());
        route(false);
        thread::sleep(OUTAGE);
        route(true);
        // The retry, and the second look at a "no TLS".
        listener.set_nonblocking(true).unwrap();
        while child.try_wait().unwrap().is_none() {
            let Ok((mut stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            stream.set_nonblocking(false).unwrap();
            stream.write_all(b"220 mx.example ESMTP\r\n").unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            lines.read_line(&mut String::new()).unwrap();
            stream.write_all(b"250 mx.example\r\n").unwrap();
            lines.read_line(&mut String::new()).unwrap();
            stream.write_all(b"221 bye\r\n").unwrap();
        }
        let ran = end(child);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let row = &rows(&folder, "endpoints.csv")[0];
        assert_eq!(row["outcome"], "not_offered", "{row:?}");
        assert!(row["other_attempts"].contains("connect_local_error"), "{row:?}");
    });
}

#[test]
fn domains_wait_while_no_resolver_can_be_reached() {
    in_own_network(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let folder = Folder::new().with("list", "a.example\nb.example\nc.example\n");
        let resolver = socket.local_addr().unwrap().to_string();
        let args = "scan list -o run --ehlo scanner.example --no-dane --no-mta-sts --retries 0 \
                    --timeout dns=1s --lookups-in-flight 1";
        let args = args.split_ascii_whitespace().chain(["--resolver", &resolver]);
        let mut child = folder.mxray(args).spawn().unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (mut message, mut down) = ([0; 512], false);
        while child.try_wait().unwrap().is_none() {
            let Ok((length, from)) = socket.recv_from(&mut message) else { continue };
            let asks = message[..length].windows(7).any(|part| part == b"example");
            // QR, RA, and that there is no such name.
            message[2] |= 0x80;
            message[3] = if asks { 0x83 } else { 0x80 };
            let _ = socket.send_to(&message[..length], from);
            if asks && !down {
                down = true;
                route(false);
                thread::sleep(OUTAGE);
                route(true);
            }
        }
        let ran = end(child);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        for row in rows(&folder, "domains.csv") {
            assert_eq!(row["outcome"], "nxdomain", "{row:?}");
        }
    });
}
