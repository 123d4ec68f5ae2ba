//! The server's side of a dialogue, by what a client says.

use super::*;
use crate::model::DomainName;
use proptest::prelude::*;

/// What the server says until it waits, and what it does then.
fn said(server: &mut SmtpServer) -> (String, &'static str) {
    let mut said = String::new();
    loop {
        let end = match server.next() {
            ServerAction::Write(bytes) => {
                said.push_str(str::from_utf8(bytes).unwrap());
                continue;
            }
            ServerAction::Read => "read",
            ServerAction::Upgrade => "upgrade",
            ServerAction::Done => "done",
        };
        return (said, end);
    }
}

fn started(manner: ServerManner) -> SmtpServer {
    let mut server = SmtpServer::new("mx.example", manner);
    assert_eq!(said(&mut server).1, "read");
    server
}

/// What is said to these lines.
fn answers(server: &mut SmtpServer, lines: &str) -> String {
    server.receive(lines.replace('\n', "\r\n").as_bytes());
    said(server).0
}

fn codes(answers: &str) -> Vec<&str> {
    let last = |line: &&str| line.as_bytes().get(3) == Some(&b' ');
    answers.lines().filter(last).map(|line| &line[..3]).collect()
}

fn in_tls(manner: ServerManner) -> SmtpServer {
    let mut server = started(manner);
    server.receive(b"EHLO client.example\r\nSTARTTLS\r\n");
    assert_eq!(said(&mut server).1, "upgrade");
    server.upgraded();
    server
}

#[test]
fn starttls_is_offered_in_clear_and_requiretls_inside_tls() {
    let mut server = started(ServerManner::default());
    let clear = answers(&mut server, "EHLO client.example\n");
    assert_eq!(
        clear,
        "250-mx.example\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n"
    );
    let inside = answers(&mut in_tls(ServerManner::default()), "EHLO client.example\n");
    assert_eq!(inside, clear.replace("STARTTLS", "REQUIRETLS"));
}

#[test]
fn no_sequence_of_commands_leads_to_a_message() {
    for (lines, expected) in [
        ("MAIL FROM:<a@a.example>\n", &["503"][..]),
        ("EHLO c\nRCPT TO:<b@b.example>\nDATA\n", &["250", "503", "503"]),
        (
            "EHLO c\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\nDATA\nBDAT 3 LAST\n",
            &["250", "250", "451", "503", "503"],
        ),
        ("EHLO c\nMAIL FROM:<>\nMAIL FROM:<>\nRSET\nMAIL FROM:<>\n", &["250", "250", "503", "250", "250"]),
        ("HELO c\nMAIL FROM:<a@a.example> REQUIRETLS\nDATA\n", &["250", "555", "503"]),
        ("EHLO c\nAUTH PLAIN AGEAYg==\nVRFY a\nEXPN b\nETRN c\n", &["250", "502", "500", "500", "500"]),
    ] {
        assert_eq!(codes(&answers(&mut started(ServerManner::default()), lines)), expected, "{lines}");
    }
}

#[test]
fn what_the_client_said_is_kept_without_local_parts() {
    let mut server = in_tls(ServerManner { refusal: 550, ..ServerManner::default() });
    let lines = "EHLO inside.example\nMAIL FROM:<secret@a.example> REQUIRETLS SMTPUTF8\n\
                 RCPT TO:<secret@b.example>\nRCPT TO:<other@b.example>\nRCPT TO:<secret@c.example>\nQUIT\n";
    let answered = answers(&mut server, lines);
    assert_eq!(codes(&answered), ["250", "250", "550", "550", "550", "221"]);
    assert!(answered.contains("550 5.7.1 This is a test by mxray and takes no mail\r\n"), "{answered}");
    let dialogue = server.into_dialogue();
    assert!(!format!("{dialogue:?}").contains("secret"));
    let domain = |text| PathDomain::Domain(DomainName::parse(text).unwrap());
    let [attempt] = dialogue.mail.as_slice() else { panic!("one MAIL") };
    assert!(attempt.in_tls && attempt.sender.requiretls && attempt.sender.smtputf8);
    assert_eq!(attempt.sender.domain, domain("a.example"));
    assert_eq!(attempt.recipients, [domain("b.example"), domain("c.example")]);
    assert_eq!(dialogue.ehlo_tls.unwrap().text, "inside.example");
    assert_eq!(dialogue.ehlo.unwrap().text, "client.example");
    assert_eq!((dialogue.starttls, dialogue.end), (StarttlsUse::Accepted, Some(InboundEnd::Quit)));
}

/// What was said in clear behind STARTTLS is never taken for something that was said
/// inside TLS (RFC 3207 §4.2).
#[test]
fn what_follows_starttls_in_clear_ends_the_session() {
    let mut server = started(ServerManner::default());
    server.receive(b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<a@a.example>\r\n");
    let (answered, end) = said(&mut server);
    assert_eq!((codes(&answered).as_slice(), end), (&["250", "554"][..], "done"));
    let dialogue = server.dialogue();
    assert_eq!((dialogue.starttls, dialogue.mail.len()), (StarttlsUse::Pipelined, 0));
    assert_eq!(dialogue.end, Some(InboundEnd::Protocol));
}

/// What a client sends of a message that was refused is no command.
#[test]
fn the_lines_of_a_refused_message_are_not_taken_for_commands() {
    for message in ["DATA\n", "BDAT 20 LAST\n"] {
        let begin = "EHLO client.example\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\n";
        let mut server = started(ServerManner::default());
        let told = answers(
            &mut server,
            &format!("{begin}{message}RCPT TO:<c@c.example>\nSubject: x\nMAIL FROM:<>\n"),
        );
        assert_eq!(codes(&told), ["250", "250", "451", "503", "503", "554"], "{told}");
        let dialogue = server.into_dialogue();
        assert_eq!((dialogue.mail.len(), dialogue.mail[0].recipients.len()), (1, 1), "{dialogue:?}");
        assert_eq!(dialogue.end, Some(InboundEnd::Protocol));
        // Whoever begins anew goes on.
        let mut server = started(ServerManner::default());
        let told = answers(&mut server, &format!("{begin}{message}RSET\nFOO\nMAIL FROM:<>\nQUIT\n"));
        assert_eq!(codes(&told), ["250", "250", "451", "503", "250", "500", "250", "221"], "{told}");
    }
}

#[test]
fn a_client_that_begins_with_tls_is_told_so_and_left() {
    let hello = [0x16, 0x03, 0x01, 0x02, b'\n', b'E'];
    for cut in [1, 2, 6] {
        let mut server = started(ServerManner::default());
        let mut told = (String::new(), "read");
        for piece in hello.chunks(cut) {
            if told.1 == "done" {
                break;
            }
            server.receive(piece);
            told = said(&mut server);
        }
        assert_eq!((&told.0[..3], told.1), ("554", "done"));
        let dialogue = server.into_dialogue();
        assert!(dialogue.implicit_tls && !dialogue.bare_lf, "{dialogue:?}");
        assert_eq!((dialogue.commands, dialogue.end), (0, Some(InboundEnd::Protocol)));
    }
    let mut server = started(ServerManner::default());
    server.receive(b"\x16\x02\r\n");
    assert_eq!(&said(&mut server).0[..3], "500");
}

#[test]
fn each_manner_is_played() {
    for (starttls, keyword, code, used) in [
        (StarttlsManner::Offered, "250-STARTTLS\r\n", "220", StarttlsUse::Accepted),
        (StarttlsManner::RefusedForNow, "250-STARTTLS\r\n", "454", StarttlsUse::Refused),
        (StarttlsManner::Mangled, "250-XXXXXXXA\r\n", "502", StarttlsUse::Refused),
        (StarttlsManner::Absent, "", "502", StarttlsUse::Refused),
    ] {
        let mut server = started(ServerManner { starttls, ..ServerManner::default() });
        let ehlo = answers(&mut server, "EHLO c\n");
        assert_eq!(ehlo.contains("STARTTLS"), keyword.contains("STARTTLS"), "{starttls:?}");
        assert!(ehlo.contains(keyword), "{starttls:?}: {ehlo}");
        assert_eq!(codes(&answers(&mut server, "STARTTLS\n")), [code], "{starttls:?}");
        assert_eq!(server.dialogue().starttls, used);
    }
    let mut server =
        SmtpServer::new("mx.example", ServerManner { unavailable: true, ..ServerManner::default() });
    assert_eq!(said(&mut server), ("421 4.3.2 Service not available\r\n".to_string(), "done"));
    assert_eq!(server.dialogue().end, Some(InboundEnd::ByUs));
}

#[test]
fn whoever_speaks_before_the_greeting_is_seen() {
    let mut early = SmtpServer::new("mx.example", ServerManner::default());
    early.receive(b"EHLO c\r\n");
    assert_eq!(said(&mut early).1, "read");
    assert!(early.dialogue().spoke_first);
    let mut waits = started(ServerManner::default());
    answers(&mut waits, "EHLO c\nNOOP\n");
    assert!(!waits.dialogue().spoke_first);
}

#[test]
fn every_limit_ends_the_session() {
    let noop = || "NOOP\n".repeat(COMMANDS_MAX as usize);
    let wrong = || "nonsense\n".repeat(ERRORS_MAX as usize);
    for (lines, last) in [(noop() + "NOOP\n", "421"), (wrong() + "NOOP\n", "421"), ("x".repeat(4000), "500")]
    {
        let mut server = started(ServerManner::default());
        let answered = answers(&mut server, &lines);
        assert_eq!(codes(&answered).last(), Some(&last));
        assert_eq!(said(&mut server).1, "done");
    }
    for lines in [noop(), wrong()] {
        let mut server = started(ServerManner::default());
        answers(&mut server, &lines);
        assert_eq!(server.dialogue().end, None);
    }
    let many = "RSET\nMAIL FROM:<>\nRCPT TO:<a@a.example>\n".repeat(MAIL_ATTEMPTS_MAX + 1);
    let mut server = started(ServerManner::default());
    answers(&mut server, &("EHLO c\n".to_string() + &many));
    assert_eq!((server.dialogue().mail.len(), server.dialogue().more_mail), (MAIL_ATTEMPTS_MAX, true));
    let recipients: String =
        (0..=RECIPIENT_DOMAINS_MAX).map(|n| format!("RCPT TO:<a@d{n}.example>\n")).collect();
    let mut server = started(ServerManner::default());
    answers(&mut server, &("EHLO c\nMAIL FROM:<>\n".to_string() + &recipients));
    let attempt = &server.dialogue().mail[0];
    assert_eq!((attempt.recipients.len(), attempt.more_recipients), (RECIPIENT_DOMAINS_MAX, true));
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("EHLO c"),
        Just("HELO c"),
        Just("MAIL FROM:<a@a.example>"),
        Just("RCPT TO:<b@b.example>"),
        Just("DATA"),
        Just("BDAT 10 LAST"),
        Just("RSET"),
        Just("NOOP"),
        Just("AUTH LOGIN"),
        Just("."),
        Just("MAIL FROM:<a@a.example> REQUIRETLS"),
        Just("QUIT"),
        Just("nonsense"),
    ]
    .prop_map(|line| line.to_string() + "\r\n")
}

proptest! {
    /// However a client's bytes are cut up, it is told the same; and no message is ever
    /// asked for (354) nor taken: 250 stands for no RCPT and no DATA.
    #[test]
    fn a_session_depends_on_its_bytes_alone(lines in proptest::collection::vec(line(), 0..40), cut in 1_usize..50) {
        let bytes = lines.concat();
        let mut whole = started(ServerManner::default());
        whole.receive(bytes.as_bytes());
        let (answered, end) = said(&mut whole);
        let mut cut_up = started(ServerManner::default());
        let mut pieces = String::new();
        for piece in bytes.as_bytes().chunks(cut) {
            cut_up.receive(piece);
            pieces.push_str(&said(&mut cut_up).0);
        }
        prop_assert_eq!(&pieces, &answered);
        prop_assert_eq!(said(&mut cut_up).1, end);
        prop_assert_eq!(cut_up.dialogue(), whole.dialogue());
        prop_assert!(!answered.contains("354"), "{}", answered);
        for (line, code) in lines.iter().zip(codes(&answered)) {
            let taken = line.starts_with("RCPT") || line.starts_with("DATA") || line.starts_with("BDAT");
            prop_assert!(!taken || code != "250", "{line} {code}");
        }
    }

    #[test]
    fn any_bytes_are_consumed_or_end_it(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
        let mut server = started(ServerManner::default());
        server.receive(&bytes);
        let (answered, _) = said(&mut server);
        prop_assert!(codes(&answered).len() <= bytes.len());
    }
}
