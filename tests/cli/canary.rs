//! A mail server of the user's own tells a scan when to pause.

use crate::fleet::{Lab, until};
use crate::streams::end;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Greets, and serves until the client leaves; or turns everybody away.
fn server(refuses: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = serve(stream, refuses.load(SeqCst));
        }
    });
    port
}

fn serve(mut stream: TcpStream, refuses: bool) -> std::io::Result<()> {
    let greeting: &[u8] = if refuses { b"554 5.7.1 go away\r\n" } else { b"220 mx.example ESMTP\r\n" };
    stream.write_all(greeting)?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let reply: &[u8] = if line? == "QUIT" { b"221 bye\r\n" } else { b"250 mx.example\r\n" };
        stream.write_all(reply)?;
    }
    Ok(())
}

#[test]
fn a_scan_pauses_while_its_canary_refuses() {
    let lab = Lab::playing(&["tls13_ecdsa"], 120);
    let refuses = Arc::new(AtomicBool::new(false));
    let canary = format!("127.0.0.1:{}", server(refuses.clone()));
    let words = format!(
        "scan list --allow-private -o run --rate 20 --extra-client-hellos 0 --log json --canary {canary} --canary-interval 600ms"
    );
    let mut child = lab.folder.mxray(lab.args(&words)).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line_with = |words: &str| {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(told.read_line(&mut line).unwrap() > 0, "waited in vain for `{words}`");
        }
        serde_json::from_str::<Value>(&line).unwrap()
    };
    // The canary answered: the first round is over before anything is done.
    line_with(", ok ");
    refuses.store(true, SeqCst);
    let line = line_with("the run pauses");
    assert_eq!(line["level"], "WARN", "{line}");
    let message = line["fields"]["message"].as_str().unwrap();
    assert!(message.contains(&canary) && message.contains("greeting: rejected"), "{message}");
    let line = line_with("0 in flight");
    let message = line["fields"]["message"].as_str().unwrap();
    let paused = message.split_once(" domains, paused since ").unwrap_or_else(|| panic!("{message}")).1;
    assert!(paused.contains(&format!("Z for canary {canary}: greeting: rejected")), "{message}");
    assert!(!message.contains("ETA"), "{message}");
    let then = lab.connections();
    line_with("0 in flight");
    // Whoever is killed now leaves it behind.
    let written = || {
        let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
        run["canary_pauses"].clone()
    };
    until("the pause in run.json", || written()[0]["began"].is_string() && written()[0]["ended"].is_null());
    assert_eq!(lab.connections(), then, "a connection began in the pause");
    refuses.store(false, SeqCst);
    line_with("canaries answer again after");
    until("its end in run.json", || written()[0]["ended"].is_string());
    std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
    assert_eq!(end(child).code, Some(0));
    assert_eq!(lab.connections(), 120);
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    let pauses = run["canary_pauses"].as_array().unwrap();
    assert_eq!(pauses.len(), 1, "{pauses:?}");
    assert!(pauses[0]["began"].is_string() && pauses[0]["ended"].is_string(), "{pauses:?}");
    assert!(pauses[0]["refused"][0].as_str().unwrap().starts_with(&canary), "{pauses:?}");
}

#[test]
fn a_canary_that_does_not_answer_at_first_is_told() {
    let lab = Lab::playing(&["tls13_ecdsa"], 20);
    // A port that was free a moment ago: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let words = format!("scan list --allow-private -o run --rate 20 --canary 127.0.0.77:{port}");
    let ran = end(lab.folder.mxray(lab.args(&words)).spawn().unwrap());
    let told = format!(
        "mxray: warning: a canary does not answer, and tells nothing until it does: 127.0.0.77:{port}"
    );
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
}

#[test]
fn an_interval_without_a_canary_is_refused() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let ran = lab.folder.run(lab.args("scan list -o run --canary-interval 5s"));
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("--canary <HOST"), "{}", ran.stderr);
}

#[test]
fn a_canary_that_is_named_twice_is_refused() {
    let folder = crate::command::Folder::new().with("list", "a.example\n");
    let line = "scan list -o run --ehlo scanner.example --allow-private --canary 127.0.0.9:2525 --canary 127.0.0.9 --port 2525";
    let ran = folder.run(line.split(' '));
    let told = "mxray: --canary 127.0.0.9: 127.0.0.9:2525 is named twice\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), told));
    assert_eq!(folder.names(), ["list"]);
}

#[test]
fn a_canary_that_cannot_be_asked_is_refused_before_anything_is_done() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    for (canary, cause) in [("127.0.0.1:25", "private_address"), ("nowhere.invalid", ""), ("a b", "")] {
        let mut args = lab.args("scan list -o run --timeout dns=2s");
        args.extend(["--canary".to_string(), canary.to_string()]);
        let ran = lab.folder.run(args);
        assert_eq!(ran.code, Some(2), "{canary}: {}", ran.stderr);
        assert!(ran.stderr.contains(canary) && ran.stderr.contains(cause), "{}", ran.stderr);
        assert!(!lab.folder.path().join("run").exists());
    }
}
