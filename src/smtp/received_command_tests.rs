//! Commands as clients write them, and what is kept of them.

use super::*;
use proptest::prelude::*;

fn name(text: &str) -> ClientName {
    ClientName { text: text.to_string(), cut: false }
}

fn of(domain: &str) -> PathDomain {
    PathDomain::Domain(DomainName::parse(domain).unwrap())
}

fn mail(domain: PathDomain, requiretls: bool, smtputf8: bool) -> ReceivedCommand {
    ReceivedCommand::Mail(MailSender { domain, requiretls, smtputf8 })
}

#[test]
fn commands_are_read_as_rfc_5321_writes_them() {
    use ReceivedCommand::*;
    for (line, read) in [
        (&b"EHLO mail.example.com"[..], Ehlo(name("mail.example.com"))),
        (b"ehlo [192.0.2.1] ", Ehlo(name("[192.0.2.1]"))),
        (b"HELO a b", Helo(name("a"))),
        (b"EHLO", Malformed),
        (b"EHLO  ", Malformed),
        (b"EHLO a\x1b[2J", Ehlo(name("a\\x1b[2J"))),
        (b"EHLO secret@host.example", Ehlo(name("@host.example"))),
        (b"STARTTLS", Starttls),
        (b"StartTls  ", Starttls),
        (b"STARTTLS now", Malformed),
        (b"MAIL FROM:<a@example.com>", mail(of("example.com"), false, false)),
        (b"mail from: <a@Example.COM> SIZE=100 REQUIRETLS", mail(of("example.com"), true, false)),
        (b"MAIL FROM:<a@example.com> smtputf8 body=8BITMIME", mail(of("example.com"), false, true)),
        (b"MAIL FROM:<>", mail(PathDomain::Null, false, false)),
        (b"MAIL FROM:<postmaster>", mail(PathDomain::Missing, false, false)),
        (b"MAIL FROM:<a@[192.0.2.1]>", mail(PathDomain::Unreadable, false, false)),
        (b"MAIL FROM:<\"a> REQUIRETLS\"@example.com>", mail(of("example.com"), false, false)),
        (b"MAIL FROM:<\"a\\\">\"@example.com> REQUIRETLS", mail(of("example.com"), true, false)),
        (b"MAIL FROM:<@a.example,@b.example:c@d.example>", mail(of("d.example"), false, false)),
        (b"MAIL FROM:a@example.com", Malformed),
        (b"MAIL FROM:<a@example.com", Malformed),
        (b"MAIL TO:<a@example.com>", Malformed),
        (b"MAIL", Malformed),
        (b"RCPT TO:<b@example.net> NOTIFY=NEVER", Rcpt(of("example.net"))),
        (b"RCPT TO:<>", Rcpt(PathDomain::Null)),
        (b"DATA", Message),
        (b"BDAT 100 LAST", Message),
        (b"RSET", Rset),
        (b"NOOP anything", Noop),
        (b"AUTH PLAIN AGEAYg==", Auth),
        (b"QUIT", Quit),
        (b"QUIT now", Malformed),
        (b"", Unknown),
        (b"GET / HTTP/1.1", Unknown),
        (b"\x16\x03\x01", Unknown),
    ] {
        assert_eq!(ReceivedCommand::read(line), read, "{}", line.escape_ascii());
    }
}

#[test]
fn a_name_that_is_too_long_is_cut_and_said_to_be() {
    let line = [b"EHLO ".as_slice(), &[b'a'; CLIENT_NAME_BYTES_MAX + 1]].concat();
    let ReceivedCommand::Ehlo(name) = ReceivedCommand::read(&line) else { panic!("no EHLO") };
    assert!(name.cut);
    assert_eq!(name.text.len(), CLIENT_NAME_BYTES_MAX);
    let whole = ReceivedCommand::read(&line[..line.len() - 1]);
    assert!(matches!(whole, ReceivedCommand::Ehlo(name) if !name.cut));
}

proptest! {
    /// Whatever a local part is, no command that was read bears any of it.
    #[test]
    fn no_local_part_is_kept(local in "[Zz]{4,40}", verb in "(MAIL FROM|RCPT TO):") {
        let line = format!("{verb}<{local}@example.com> {local}");
        let told = format!("{:?}", ReceivedCommand::read(line.as_bytes()));
        prop_assert!(!told.contains(&local), "{told}");
        prop_assert!(told.contains("example.com"), "{told}");
    }

    #[test]
    fn any_line_is_read(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ReceivedCommand::read(&line);
    }
}
