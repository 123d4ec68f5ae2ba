//! The server's side of a dialogue: whatever a client says, however it is cut up, it is
//! answered the same, no message is ever asked for, and nothing of an address but its
//! domain is kept.

use super::Seed;
use mxray::internals::model::inbound::InboundDialogue;
use mxray::internals::smtp::server::{COMMANDS_MAX, ERRORS_MAX, MAIL_ATTEMPTS_MAX};
use mxray::internals::smtp::{ServerAction, ServerManner, SmtpServer};

/// Begins the line that stands for a handshake that holds, as it begins its records.
const HANDSHAKE: u8 = 0x16;

pub fn check(input: &[u8]) {
    let whole = played(input, input.len().max(1));
    for cut in [1, 3, 64] {
        assert_eq!(played(input, cut), whole, "cut into {cut}");
    }
    let (said, dialogue) = whole;
    let said = String::from_utf8(said).expect("ASCII is said");
    assert!(said.starts_with("220 mx.example "));
    // No reply asks for a message, and each stands on lines of its own.
    let codes: Vec<&str> = said.lines().filter_map(|line| line.get(..3)).collect();
    assert!(!codes.contains(&"354"), "{said}");
    assert!(said.ends_with("\r\n"));
    assert!(dialogue.commands <= COMMANDS_MAX + 1 && dialogue.errors <= ERRORS_MAX);
    assert!(dialogue.mail.len() <= MAIL_ATTEMPTS_MAX);
    let clear = dialogue.mail.iter().filter(|attempt| !attempt.in_tls);
    assert!(dialogue.ehlo.is_some() || dialogue.helo.is_some() || clear.count() == 0, "MAIL without EHLO");
}

/// What is said to a client whose bytes come in pieces of this length, and what is kept.
fn played(input: &[u8], cut: usize) -> (Vec<u8>, InboundDialogue) {
    let mut server = SmtpServer::new("mx.example", ServerManner::default());
    let mut said = Vec::new();
    let mut in_handshake = drive(&mut server, &mut said);
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        // Only what stands behind the line of a handshake was said inside TLS.
        if in_handshake {
            if line.first() != Some(&HANDSHAKE) {
                break;
            }
            server.upgraded();
            in_handshake = drive(&mut server, &mut said);
            continue;
        }
        for piece in line.chunks(cut) {
            server.receive(piece);
            in_handshake |= drive(&mut server, &mut said);
        }
    }
    (said, server.into_dialogue())
}

/// Goes on until the server waits; whether it waits for a handshake.
fn drive(server: &mut SmtpServer, said: &mut Vec<u8>) -> bool {
    loop {
        match server.next() {
            ServerAction::Write(bytes) => said.extend_from_slice(bytes),
            ServerAction::Read | ServerAction::Done => return false,
            ServerAction::Upgrade => return true,
        }
    }
}

pub fn seeds() -> Vec<Seed> {
    let inside = "EHLO inside.example\r\nMAIL FROM:<a@a.example> REQUIRETLS SMTPUTF8\r\nRCPT TO:<b@b.example>\r\nDATA\r\nQUIT\r\n";
    vec![
        (
            "in_clear",
            b"EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nQUIT\r\n"
                .to_vec(),
        ),
        ("inside", [b"EHLO c.example\r\nSTARTTLS\r\n\x16\n".as_slice(), inside.as_bytes()].concat()),
        ("pipelined", b"EHLO c.example\r\nSTARTTLS\r\nMAIL FROM:<>\r\n".to_vec()),
        (
            "source_route",
            b"HELO c\nMAIL FROM:<@a.example,@b.example:\"x>\\\"\"@c.example> SIZE=1\nRSET\n".to_vec(),
        ),
        ("nonsense", b"GET / HTTP/1.1\r\n\r\nAUTH PLAIN AGEAYg==\r\nBDAT 3 LAST\r\nabc\r\nNOOP\r\n".to_vec()),
    ]
}
