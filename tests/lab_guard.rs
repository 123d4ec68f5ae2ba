//! How servers of the lab defend themselves, met by a client that is not the
//! scanner.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::lab::{self, ConnectionEnd, Fleet, FleetOptions};
use mxray::internals::model::DomainName;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A fleet of one server, and where it is.
async fn server(scenario: &str) -> (Fleet, SocketAddr) {
    let domains = vec![DomainName::parse("one.example").unwrap()];
    let scenarios = vec![lab::scenario(scenario).unwrap()];
    let options = FleetOptions { scenarios, hosts_per_scenario: 1, ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let at = SocketAddr::new(fleet.endpoints()[0].ip, fleet.smtp_port());
    (fleet, at)
}

/// A connection and what it was greeted with; nothing where it was reset.
fn greeted(at: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    let greeting = reply(&mut stream);
    (stream, greeting)
}

fn reply(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0; 512];
    loop {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(count) => text.extend_from_slice(&part[..count]),
        }
        let last = text.split(|byte| *byte == b'\n').rev().nth(1).unwrap_or_default();
        if text.ends_with(b"\n") && last.get(3) == Some(&b' ') {
            break;
        }
    }
    String::from_utf8(text).unwrap()
}

fn say(stream: &mut TcpStream, words: &str) -> String {
    stream.write_all(words.as_bytes()).unwrap();
    reply(stream)
}

fn quit((mut stream, greeting): (TcpStream, String)) -> String {
    assert!(say(&mut stream, "QUIT\r\n").starts_with("221"));
    greeting
}

/// Runs the client beside the servers.
async fn client<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_third_at_a_time_is_421_and_one_that_has_quit_does_not_count() {
    let (fleet, at) = server("guard_421_at_a_time").await;
    client(move || {
        for _ in 0..5 {
            assert!(quit(greeted(at)).starts_with("220"));
        }
        let first = greeted(at);
        let _second = greeted(at);
        assert!(greeted(at).1.starts_with("421 4.7.0"));
        quit(first);
        assert!(greeted(at).1.starts_with("220"));
    })
    .await;
    let refused: Vec<_> =
        fleet.log().connections().into_iter().filter(|one| one.end == ConnectionEnd::Refused).collect();
    assert_eq!(refused.iter().map(|one| one.detail.as_str()).collect::<Vec<_>>(), ["at_a_time"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sixth_in_the_window_is_421_and_later_all_is_well() {
    let (_fleet, at) = server("guard_421_in_window").await;
    client(move || {
        let begun = Instant::now();
        let answers: Vec<String> = (0..5).map(|_| quit(greeted(at))).collect();
        let sixth = greeted(at).1;
        // Only then is it known that all were in one window.
        if begun.elapsed() < Duration::from_secs(2) {
            assert!(answers.iter().all(|answer| answer.starts_with("220")), "{answers:?}");
            assert!(sixth.starts_with("421"), "{sixth}");
        }
        while !greeted(at).1.starts_with("220") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            // Those that are refused count, too, so that asking at once never helps.
            std::thread::sleep(Duration::from_millis(500));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starttls_is_not_offered_under_load() {
    let (_fleet, at) = server("guard_no_starttls_under_load").await;
    client(move || {
        let mut open: Vec<_> = (0..3).map(|_| greeted(at).0).collect();
        let offers: Vec<bool> =
            open.iter_mut().map(|stream| say(stream, "EHLO me.example\r\n").contains("STARTTLS")).collect();
        assert_eq!(offers, [true, true, false]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_without_quit_is_banned_for_a_while() {
    let (fleet, at) = server("guard_bans_after_drops").await;
    client(move || {
        for _ in 0..10 {
            assert!(quit(greeted(at)).starts_with("220"));
        }
        let begun = Instant::now();
        for _ in 0..4 {
            drop(greeted(at));
        }
        // The server may read the last end a little later.
        while greeted(at).1.starts_with("220") {
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
        while !quit_if_served(at) {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    })
    .await;
    let log = fleet.log().connections();
    assert!(log.iter().any(|one| one.end == ConnectionEnd::Refused && one.detail == "banned"), "{log:#?}");
}

fn quit_if_served(at: SocketAddr) -> bool {
    let (mut stream, greeting) = greeted(at);
    let served = greeting.starts_with("220");
    if served {
        say(&mut stream, "QUIT\r\n");
    }
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_first_contact_it_is_450_and_later_all_is_well() {
    let (_fleet, at) = server("guard_greylists").await;
    client(move || {
        let begun = Instant::now();
        assert!(greeted(at).1.starts_with("450 4.7.1"));
        while !greeted(at).1.starts_with("220") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_line_of_a_greeting_waits_and_a_slow_host_is_always_as_slow() {
    let (_fleet, at) = server("greeting_postscreen").await;
    client(move || {
        let begun = Instant::now();
        let (_stream, greeting) = greeted(at);
        assert_eq!(greeting, "220-mx1.one.example Please wait\r\n220 mx1.one.example ESMTP\r\n");
        assert!(begun.elapsed() >= Duration::from_millis(600), "{:?}", begun.elapsed());
    })
    .await;
    let (_fleet, at) = server("host_slow").await;
    client(move || {
        for _ in 0..2 {
            let begun = Instant::now();
            quit(greeted(at));
            assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
        }
    })
    .await;
}
