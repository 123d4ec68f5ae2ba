//! A family of addresses that this machine has no route over.

use crate::command::Folder;
use std::io::ErrorKind;
use std::net::UdpSocket;

/// Whether the system knows a way there; nothing is sent.
fn has_route(from: &str, to: &str) -> bool {
    let connected = UdpSocket::bind(from).and_then(|socket| socket.connect(to));
    !connected.is_err_and(|error| error.kind() != ErrorKind::PermissionDenied)
}

/// Whatever routes this machine has: one line where it has one family only.
#[test]
fn a_missing_family_is_told_once_by_each_command() {
    let ipv4 = has_route("0.0.0.0:0", "193.0.14.129:25");
    let ipv6 = has_route("[::]:0", "[2001:7fd::1]:25");
    let folder = Folder::new().with("empty.txt", "");
    for command in ["scan empty.txt", "probe 127.0.0.1:1", "revocation 127.0.0.1:1 --chain-only"] {
        for (options, expected) in [("", ipv4 != ipv6), (" --ipv4 --ipv6", false)] {
            let line = format!("{command}{options} --resolver 127.0.0.1:1 --ehlo scanner.example");
            let ran = folder.run(line.split(' '));
            let told =
                ran.stderr.lines().filter(|line| line.contains("this machine has no route for")).count();
            assert_eq!(told, usize::from(expected), "{line}: {}", ran.stderr);
        }
    }
}
