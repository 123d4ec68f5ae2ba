//! The whole process stands still for a while, as a suspended machine does, or one
//! that `SIGSTOP` holds: what servers do meanwhile is no answer of theirs.

use crate::command::Folder;
use crate::streams::end;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Child;
use std::thread;
use std::time::Duration;

/// How long the process is stopped; longer than any deadline of the servers.
const STANDSTILL: Duration = Duration::from_secs(3);

/// How long a server waits for a command.
const SERVER_PATIENCE: Duration = Duration::from_secs(1);

/// What it answers to EHLO.
const OFFERS: &[u8] = b"250-mx.example\r\n250 STARTTLS\r\n";

fn scan_of(listener: &TcpListener, folder: &Folder, words: &str) -> Child {
    let port = listener.local_addr().unwrap().port();
    folder.write("endpoints", format!("127.0.0.1,mx.example,,{port}\n"));
    let args = "scan endpoints --input endpoints --allow-private -o run --ehlo scanner.example \
                --second-look-delay 0 --retry-delay 100ms --per-ip-interval 0 --cool-down 0";
    folder.mxray(args.split_ascii_whitespace().chain(words.split(' '))).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// Greets, and hears EHLO.
fn greet(listener: &TcpListener) -> (TcpStream, BufReader<TcpStream>) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"220 mx.example ESMTP\r\n").unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    (stream, lines)
}

/// Answers EHLO without STARTTLS, and QUIT.
fn serve(listener: &TcpListener) {
    let (mut stream, mut lines) = greet(listener);
    stream.write_all(b"250 mx.example\r\n").unwrap();
    lines.read_line(&mut String::new()).unwrap();
    stream.write_all(b"221 bye\r\n").unwrap();
}

/// A client that is stopped before it hears the answer to its EHLO is too slow for the
/// server, which says so and hangs up.
fn stop_within_a_session(listener: &TcpListener, child: &Child, says: &[u8]) {
    let (mut stream, _lines) = greet(listener);
    signal(child, Signal::SIGSTOP);
    stream.write_all(says).unwrap();
    thread::sleep(SERVER_PATIENCE);
    stream.write_all(b"421 4.4.2 mx.example Error: timeout exceeded\r\n").unwrap();
    drop(stream);
    thread::sleep(STANDSTILL - SERVER_PATIENCE);
    signal(child, Signal::SIGCONT);
}

/// The one row of `endpoints.csv`.
fn row(folder: &Folder) -> BTreeMap<String, String> {
    let text = folder.read("run/endpoints.csv");
    csv::Reader::from_reader(text.as_bytes()).deserialize().next().unwrap().unwrap()
}

#[test]
fn what_ends_while_the_process_is_stopped_is_asked_again() {
    let (listener, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), Folder::new());
    let child = scan_of(&listener, &folder, "--retries 1");
    stop_within_a_session(&listener, &child, OFFERS);
    // The retry, and the second look at a "no TLS".
    serve(&listener);
    serve(&listener);
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let row = row(&folder);
    assert_eq!(row["outcome"], "not_offered", "{row:?}");
    assert!(row["other_attempts"].contains("local_error"), "{row:?}");
}

#[test]
fn what_ends_while_the_process_is_stopped_is_told_as_its_own() {
    let (listener, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), Folder::new());
    let child = scan_of(&listener, &folder, "--retries 0");
    stop_within_a_session(&listener, &child, OFFERS);
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let row = row(&folder);
    assert_eq!((&*row["outcome"], &*row["delivery"]), ("local_error", "undetermined"), "{row:?}");
    assert!(row["detail"].contains("this machine stood still"), "{row:?}");
}

/// The look that would have confirmed a "no TLS" is lost in it, and none comes after: the
/// "no TLS" was seen once, and nobody contradicted it.
#[test]
fn a_second_look_that_is_lost_while_the_process_is_stopped_is_told_as_none() {
    let (listener, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), Folder::new());
    let child = scan_of(&listener, &folder, "--retries 0");
    serve(&listener);
    stop_within_a_session(&listener, &child, b"");
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let row = row(&folder);
    assert_eq!((&*row["outcome"], &*row["delivery"]), ("not_offered", "undetermined"), "{row:?}");
    assert!(row["other_attempts"].contains("local_error"), "{row:?}");
    assert_eq!(row["reason"], "no_second_look", "{row:?}");
}

/// A server that speaks meanwhile has spoken in time: it is heard, or asked again where
/// the process was stopped between two waits.
#[test]
fn what_was_said_while_the_process_is_stopped_is_no_timeout() {
    let (listener, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), Folder::new());
    let mut child = scan_of(&listener, &folder, "--retries 1 --timeout 2s");
    let (mut stream, _) = listener.accept().unwrap();
    signal(&child, Signal::SIGSTOP);
    thread::sleep(SERVER_PATIENCE);
    stream.write_all(b"220 mx.example ESMTP\r\n").unwrap();
    thread::sleep(STANDSTILL - SERVER_PATIENCE);
    signal(&child, Signal::SIGCONT);
    let _ = go_on(stream);
    listener.set_nonblocking(true).unwrap();
    while child.try_wait().unwrap().is_none() {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        stream.set_nonblocking(false).unwrap();
        stream.write_all(b"220 mx.example ESMTP\r\n").unwrap();
        let _ = go_on(stream);
    }
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let row = row(&folder);
    assert_eq!(row["outcome"], "not_offered");
    assert!(!row["other_attempts"].contains("timeout"), "{row:?}");
}

/// What comes after the greeting, as [`serve`] says it.
fn go_on(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    lines.read_line(&mut String::new())?;
    stream.write_all(b"250 mx.example\r\n")?;
    lines.read_line(&mut String::new())?;
    stream.write_all(b"221 bye\r\n")
}

/// A resolver that knows no name, and stops the process where it is asked for one
/// before it answers.
fn resolve(socket: &UdpSocket, child: &mut Child) {
    let mut stopped = false;
    let mut message = [0; 512];
    while child.try_wait().unwrap().is_none() {
        let Ok((length, from)) = socket.recv_from(&mut message) else { continue };
        let asks = message[..length].windows(7).any(|part| part == b"example");
        let stopped_now = asks && !stopped;
        if stopped_now {
            stopped = true;
            signal(child, Signal::SIGSTOP);
            thread::sleep(SERVER_PATIENCE);
        }
        // QR, RA, and that there is no such name.
        message[2] |= 0x80;
        message[3] = if asks { 0x83 } else { 0x80 };
        socket.send_to(&message[..length], from).unwrap();
        if stopped_now {
            thread::sleep(STANDSTILL - SERVER_PATIENCE);
            signal(child, Signal::SIGCONT);
        }
    }
}

#[test]
fn what_a_resolver_said_while_the_process_is_stopped_is_heard() {
    let (socket, folder) =
        (UdpSocket::bind("127.0.0.1:0").unwrap(), Folder::new().with("list", "d.example\n"));
    let resolver = socket.local_addr().unwrap().to_string();
    let args = "scan list -o run --ehlo scanner.example --no-dane --no-mta-sts --retries 0 --timeout dns=2s";
    let mut child = folder.mxray(args.split(' ').chain(["--resolver", &resolver])).spawn().unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    resolve(&socket, &mut child);
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let text = folder.read("run/domains.csv");
    let row: BTreeMap<String, String> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().next().unwrap().unwrap();
    assert_eq!(row["outcome"], "nxdomain", "{row:?}");
}
