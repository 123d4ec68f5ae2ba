//! `mxray receive`: what it listens on, what it says of a session, what it leaves.

use crate::command::{Folder, PATIENCE};
use crate::stopping::send;
use crate::streams::end;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

fn words(further: &str) -> Vec<String> {
    let line = format!("receive --listen 127.0.0.1:0 --name mx.example -o run --greeting-delay 0 {further}");
    line.split_whitespace().map(str::to_string).collect()
}

/// Starts a listener on a free port; where it listens.
pub fn start(folder: &Folder, further: &str) -> (Child, SocketAddr) {
    listening(&mut folder.mxray(words(further)))
}

fn listening(command: &mut Command) -> (Child, SocketAddr) {
    let mut child = command.spawn().unwrap();
    let mut line = Vec::new();
    let stderr = child.stderr.as_mut().unwrap();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        stderr.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    let line = String::from_utf8(line).unwrap();
    let at = line.strip_prefix("mxray: listening on ").and_then(|rest| rest.split(' ').next());
    (child, at.unwrap_or_else(|| panic!("{line}")).parse().unwrap())
}

/// Says each line, and gives the code of what is answered, the greeting first.
fn talk(at: SocketAddr, lines: &[&str]) -> Vec<String> {
    let mut stream = BufReader::new(TcpStream::connect(at).unwrap());
    let mut codes = vec![code(&mut stream)];
    for line in lines {
        stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        codes.push(code(&mut stream));
    }
    codes
}

pub fn code(stream: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line.chars().take(3).collect();
        }
    }
}

#[test]
fn a_session_is_heard_out_refused_told_and_written() {
    let folder = Folder::new();
    let (child, at) = start(&folder, "--sessions 2");
    let said = [
        "EHLO out.partner.example",
        "MAIL FROM:<secret@partner.example>",
        "RCPT TO:<hidden@contoso.example>",
        "DATA",
        "QUIT",
    ];
    assert_eq!(talk(at, &said), ["220", "250", "250", "451", "503", "221"]);
    assert_eq!(talk(at, &["EHLO \u{1b}[2Jx", "QUIT"]), ["220", "250", "221"]);
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told: Vec<&str> =
        ran.stdout.lines().filter_map(|line| line.split_once(" 127.0.0.1 ")).map(|l| l.1).collect();
    let first = "out.partner.example: in clear, STARTTLS not asked for; MAIL from partner.example in clear, recipients refused";
    assert!(told.contains(&first), "{}", ran.stdout);
    assert!(told.contains(&"\\x1b[2Jx: in clear, STARTTLS not asked for; no MAIL"), "{}", ran.stdout);
    assert!(ran.stderr.ends_with("mxray: 2 sessions, written to run\n"), "{}", ran.stderr);

    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!((&run["kind"], &run["sessions"]), (&"receive".into(), &2.into()));
    let sessions = folder.read("run/sessions.jsonl");
    assert_eq!(sessions.lines().count(), 2);
    for name in ["run.json", "sessions.jsonl", "certificates.csv"] {
        let text = folder.read(&format!("run/{name}"));
        assert!(!text.contains("secret") && !text.contains("hidden"), "{name} has a local part");
    }
    let line = sessions.lines().find(|line| line.contains("partner.example")).unwrap();
    let session: Value = serde_json::from_str(line).unwrap();
    let mail = &session["dialogue"]["mail"][0];
    assert_eq!(mail["sender"]["domain"]["domain"], "partner.example");
    assert_eq!(mail["recipients"][0]["domain"], "contoso.example");
    assert_eq!(session["tls"], Value::Null);

    for command in ["export run", "merge run -o other", "scan --resume run", "tlsrpt run --domain a.example"]
    {
        let ran = folder.run(command.split(' '));
        assert_eq!(ran.code, Some(2), "{command}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("a run of mxray receive, which this command does not read"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_signal_ends_the_sessions_under_way_and_writes_them() {
    let folder = Folder::new();
    let (child, at) = start(&folder, "--quiet");
    let mut open = BufReader::new(TcpStream::connect(at).unwrap());
    assert_eq!(code(&mut open), "220");
    send("TERM", &child);
    let ran = end(child);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let session: Value = serde_json::from_str(folder.read("run/sessions.jsonl").trim_end()).unwrap();
    assert_eq!(session["dialogue"]["end"], "by_us");
}

/// A client may leave a connection open that comes to nothing, and send over the next.
#[test]
fn what_comes_over_the_next_connection_came_after_one_that_is_left_open() {
    let folder = Folder::new();
    let (child, at) =
        start(&folder, "--sessions 2 --behave 454 --learn partner --learn-of ::ffff:127.0.0.1/c.example");
    let mut open = BufReader::new(TcpStream::connect(at).unwrap());
    assert_eq!(code(&mut open), "220");
    for (line, expected) in [("EHLO c.example", "250"), ("STARTTLS", "454")] {
        open.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        assert_eq!(code(&mut open), expected);
    }
    let said = ["EHLO c.example", "MAIL FROM:<a@partner.example>", "RCPT TO:<b@contoso.example>", "QUIT"];
    assert_eq!(talk(at, &said), ["220", "250", "250", "451", "221"]);
    open.get_mut().write_all(b"QUIT\r\n").unwrap();
    assert_eq!(code(&mut open), "221");
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("c.example: 2 sessions: 1 with MAIL in clear; after one without MAIL: MAIL in clear ")
    );
    let learnt: toml::Table = toml::from_str(&folder.read("run/partner.toml")).unwrap();
    assert_eq!(learnt["after_starttls_4xx"]["value"].as_str(), Some("plaintext"));
    assert!(learnt["after_starttls_4xx"]["source"].as_str().unwrap().starts_with("Seen by mxray receive "));
}

#[test]
fn each_behaviour_in_smtp_is_played_and_written() {
    for (behave, lines, codes) in [
        ("no-starttls", &["EHLO c.example", "STARTTLS"][..], &["220", "250", "502"][..]),
        ("mangled", &["EHLO c.example", "STARTTLS"], &["220", "250", "502"]),
        ("454", &["EHLO c.example", "STARTTLS"], &["220", "250", "454"]),
        ("421", &[], &["421"]),
    ] {
        let folder = Folder::new();
        let (child, at) = start(&folder, &format!("--sessions 1 --behave {behave}"));
        assert_eq!(talk(at, lines), codes, "{behave}");
        assert_eq!(end(child).code, Some(0));
        let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
        assert_eq!(run["behave"], behave);
    }
}

/// A certificate over which a client may well leave is named before anybody comes, and the
/// run says which was shown.
#[test]
fn a_certificate_that_is_not_in_order_is_told_at_the_start() {
    let mut params = rcgen::CertificateParams::new(vec!["other.example".to_string()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2025, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let folder = Folder::new().with("cert.pem", made.pem()).with("key.pem", key.serialize_pem());
    let (child, at) = start(&folder, "--sessions 1 --cert cert.pem --key key.pem");
    assert_eq!(talk(at, &["QUIT"]), ["220", "221"]);
    let ran = end(child);
    for told in ["has ended, on 2025-01-01T00:00:00Z", "is not for mx.example, the name of --name"] {
        let line = format!("mxray: warning: --cert cert.pem: the certificate {told}\n");
        assert!(ran.stderr.contains(&line), "{told}: {}", ran.stderr);
    }
    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!(run["certificate"]["sha256"], mxray::internals::x509::digest(made.der()).to_string());
    assert_eq!(run["certificate"]["not_after"], "2025-01-01T00:00:00Z");
    let folder = Folder::new();
    let (child, at) = start(&folder, "--sessions 1");
    assert_eq!(talk(at, &["QUIT"]), ["220", "221"]);
    let ran = end(child);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_used_is_refused_before_anybody_is_heard() {
    let folder = Folder::new().with("file.pem", "nothing");
    std::fs::create_dir(folder.path().join("full")).unwrap();
    folder.write("full/file", "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (words, told) in [
        ("--listen 0.0.0.0:0", "--listen 0.0.0.0:0: others can connect there; add --public"),
        ("--listen mx.example:25", "not ADDR:PORT"),
        (&format!("--listen {taken}"), &format!("--listen {taken}: ")),
        ("--name a_b", "--name `a_b`: an EHLO name is"),
        ("--cert file.pem", "--key"),
        ("--cert file.pem --key file.pem", "--cert file.pem: it holds no certificate"),
        (
            "--cert file.pem --key file.pem --behave expired",
            "--behave expired makes a certificate of its own",
        ),
        ("--cert no.pem --key no.pem --behave handshake-failure", "--cert no.pem: "),
        (
            "--greeting-delay 3s --silence 1s",
            "--silence 1s: it has to be longer than --greeting-delay, which is 3s",
        ),
        (
            "--greeting-delay 3s --session-time 1s",
            "--session-time 1s: it has to be longer than --greeting-delay",
        ),
        (
            "--behave slow --session-time 10s",
            "--session-time 10s: with --behave slow it has to be longer than 141s",
        ),
        ("--learn Partner", "a name begins with a letter and has small letters"),
        ("--learn ../partner", "a name begins with a letter and has small letters"),
        ("--learn partner --learn-from nobody", "--learn-from nobody: no such sender; there are "),
        ("--learn partner --learn-from ./nothing", "--learn-from ./nothing: "),
        ("--learn partner --learn-from file.pem", "--learn-from file.pem: "),
        ("--learn-of 127.0.0.1", "--learn"),
        ("--refuse 250", "one of 450, 451, 452, 550 and 554"),
        ("--behave nothing", "handshake-failure"),
        ("--user nosuch-user", "--user nosuch-user: "),
        (&format!("--listen {taken} --user nosuch-user"), "--user nosuch-user: "),
        ("-o full", "the directory full is not empty"),
        ("-o -", "-o -: a directory is written"),
    ] {
        let listen = if words.contains("--listen") { "" } else { "--listen 127.0.0.1:0 " };
        let ran = folder.run(format!("receive {listen}{words}").split_whitespace());
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words}: {}", ran.stderr);
        assert_eq!(folder.names(), ["file.pem", "full"], "{words}: something is left");
    }
}

/// Only root becomes another user; as whom else the tests run, there is nothing to see.
#[cfg(unix)]
fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

#[cfg(unix)]
#[test]
fn a_directory_that_the_other_user_cannot_write_to_is_refused_before_anybody_is_heard() {
    use std::os::unix::fs::PermissionsExt;
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let ran = folder.run("receive --listen 127.0.0.1:0 -o run --sessions 1".split(' '));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("--user nobody: cannot write to run: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("name a directory with -o that this user can get to"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("listening"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_directory_may_be_named_by_a_link() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("there")).unwrap();
    std::os::unix::fs::symlink("there", folder.path().join("run")).unwrap();
    let (child, at) = start(&folder, "--sessions 1");
    assert_eq!(talk(at, &["QUIT"]), ["220", "221"]);
    let ran = end(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&folder.read("there/run.json")).unwrap();
    assert_eq!(run["sessions"], 1);
}

#[test]
fn after_as_many_sessions_as_were_asked_for_nobody_is_let_in() {
    let folder = Folder::new();
    let (child, at) = start(&folder, "--sessions 1");
    let mut first = BufReader::new(TcpStream::connect(at).unwrap());
    assert_eq!(code(&mut first), "220");
    // Refused, or let in by the system before the port was closed and left alone then.
    if let Ok(mut second) = TcpStream::connect(at) {
        second.set_read_timeout(Some(PATIENCE)).unwrap();
        let read = second.read(&mut [0]);
        let is_over = matches!(&read, Err(error) if error.kind() == ErrorKind::ConnectionReset);
        assert!(is_over || matches!(read, Ok(0)), "{read:?}");
    }
    first.get_mut().write_all(b"QUIT\r\n").unwrap();
    assert_eq!(code(&mut first), "221");
    drop(first);
    assert_eq!(end(child).code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_takes_nothing_ends_the_run_and_what_is_under_way_is_written() {
    let folder = Folder::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (child, at) = listening(folder.mxray(words("")).stdout(full));
    let mut open = BufReader::new(TcpStream::connect(at).unwrap());
    assert_eq!(code(&mut open), "220");
    assert_eq!(talk(at, &["QUIT"]), ["220", "221"]);
    let ran = end(child);
    let told = "cannot write to standard output: No space left on device (os error 28)";
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!((&run["error"], &run["sessions"]), (&told.into(), &2.into()));
    assert!(run["ended"].is_string() && run["senders"].is_array(), "{run}");
    assert!(folder.read("run/sessions.jsonl").contains("by_us"));
}

/// A file that must not grow over 64 blocks is as one on a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_takes_no_more_ends_the_sessions_and_has_whole_lines() {
    let folder = Folder::new();
    let line = format!("ulimit -f 64; exec {} \"$@\"", env!("CARGO_BIN_EXE_mxray"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &line, "mxray"]).args(words("--quiet")).current_dir(folder.path());
    let (child, at) = listening(shell.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut open = BufReader::new(TcpStream::connect(at).unwrap());
    assert_eq!(code(&mut open), "220");
    let domain = format!("{0}.{0}.{0}.example", "d".repeat(60));
    let said: Vec<String> = (0..15).map(|number| format!("RCPT TO:<b@{number}.{domain}>")).collect();
    let said: Vec<&str> =
        ["EHLO c.example", "MAIL FROM:<>"].into_iter().chain(said.iter().map(|l| &**l)).collect();
    while let Ok(stream) = TcpStream::connect(at) {
        let mut stream = BufReader::new(stream);
        // The listener may end at any of them.
        let _ = said.iter().try_for_each(|line| stream.get_mut().write_all(format!("{line}\r\n").as_bytes()));
        let _ = stream.get_mut().write_all(b"QUIT\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let ran = end(child);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write sessions.jsonl: File too large"), "{}", ran.stderr);
    let sessions = folder.read("run/sessions.jsonl");
    assert!(sessions.ends_with('\n') && sessions.len() <= 64 << 10, "{}", sessions.len());
    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    assert_eq!(run["sessions"], sessions.lines().count());
    assert!(run["error"].is_string() && run["senders"].is_array(), "{run}");
}
