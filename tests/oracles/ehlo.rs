//! What an EHLO reply says about STARTTLS: the keyword lines tell, in any order
//! and in any case, and the greeting line never does. And a name that may stand
//! after EHLO makes one line of a command.

use super::{Seed, smtp_reply};
use mxray::internals::model::Reply;
use mxray::internals::model::text::{escape, unescape};
use mxray::internals::smtp::EhloName;
use mxray::internals::smtp::command::{CommandLine, EHLO_NAME_BYTES_MAX};
use mxray::internals::smtp::ehlo::{StarttlsKeyword, starttls_keyword};
use mxray::internals::smtp::reply::ReplyReader;

/// Longest command line in octets, CRLF included (RFC 5321 §4.5.3.1.4).
const COMMAND_LINE_BYTES_MAX: usize = 512;

pub fn check(input: &[u8]) {
    let mut reader = ReplyReader::default();
    reader.receive(input);
    if let Some(Ok(reply)) = reader.next_reply() {
        check_offer(&reply);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        check_name(text.trim_end_matches(['\r', '\n']));
    }
}

fn check_offer(reply: &Reply) {
    let offer = starttls_keyword(reply);
    let keywords = reply.lines.get(1..).unwrap_or_default();
    let says = |line: &String| line.eq_ignore_ascii_case("STARTTLS");
    assert!(offer == StarttlsKeyword::Listed || !keywords.iter().any(says), "a line says so: {reply:?}");
    let begins = |line: &String| is_starttls(&unescape(line));
    assert_eq!(offer == StarttlsKeyword::Listed, keywords.iter().any(begins), "by the bytes: {reply:?}");
    if let StarttlsKeyword::Mangled(keyword) = offer {
        assert!(keywords.iter().any(|line| line.contains(keyword)), "as it came in: {keyword}");
        assert!(keyword.starts_with(['X', 'x']) && !keyword.contains(' '), "{keyword}");
    }
    check_changed(reply, offer);
    smtp_reply::check_reply(reply);
}

/// Whether the bytes of a line list it: the word, and then its end or what ends
/// a word.
fn is_starttls(line: &[u8]) -> bool {
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let Some((word, rest)) = line[blanks..].split_at_checked("STARTTLS".len()) else { return false };
    let ends = rest.first().is_none_or(|next| matches!(next, b' ' | b'=' | 0..=31 | 127));
    word.eq_ignore_ascii_case(b"STARTTLS") && ends
}

/// What must not change the answer, and what must.
fn check_changed(reply: &Reply, offer: StarttlsKeyword<'_>) {
    let with = |change: fn(&mut Vec<String>)| {
        let mut changed = reply.clone();
        change(&mut changed.lines);
        changed
    };
    let same = |changed: &Reply| {
        let now = starttls_keyword(changed);
        std::mem::discriminant(&now) == std::mem::discriminant(&offer)
    };
    assert!(same(&with(|lines| lines[1..].reverse())), "the order of the lines says nothing: {reply:?}");
    assert!(same(&with(|lines| lines[0] = "STARTTLS".into())), "the greeting line says nothing: {reply:?}");
    let upper =
        with(|lines| lines.iter_mut().for_each(|line| *line = escape(&unescape(line).to_ascii_uppercase())));
    assert!(same(&upper), "the case says nothing: {reply:?}");
    let more = with(|lines| lines.push("STARTTLS".into()));
    assert_eq!(starttls_keyword(&more), StarttlsKeyword::Listed, "one line is enough: {reply:?}");
}

fn check_name(text: &str) {
    let Ok(name) = EhloName::new(text) else { return };
    assert_eq!(name.as_str(), text, "it is sent as it was given");
    assert!((1..=EHLO_NAME_BYTES_MAX).contains(&text.len()));
    for (command, verb) in [(CommandLine::Ehlo(&name), "EHLO "), (CommandLine::Helo(&name), "HELO ")] {
        let mut line = Vec::new();
        command.write(&mut line);
        assert!(line.len() <= COMMAND_LINE_BYTES_MAX);
        assert_eq!(line, [verb, text, "\r\n"].concat().into_bytes());
        assert_eq!(
            line.iter().filter(|byte| byte.is_ascii_whitespace()).count(),
            3,
            "one blank, one line end"
        );
    }
}

pub fn seeds() -> Vec<Seed> {
    let reply = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "postfix",
            reply(
                "250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 CHUNKING\r\n",
            ),
        ),
        (
            "exchange",
            reply("250-mail.example.org Hello [192.0.2.7]\r\n250-DSN\r\n250-AUTH NTLM\r\n250 STARTTLS\r\n"),
        ),
        ("lower-case", reply("250-mail.example.org\r\n250 starttls\r\n")),
        ("mangled", reply("250-mail.example.org\r\n250-XXXXXXXA\r\n250 SIZE\r\n")),
        ("greeting-line", reply("250-mail.example.org STARTTLS\r\n250 SIZE\r\n")),
        ("parameter", reply("250-a\r\n250-STARTTLS REQUIRED\r\n250 AUTH=LOGIN\r\n")),
        ("backslash", reply("250-a\r\n250-STARTTLS\\X\r\n250 STARTTLS\\x0d\r\n")),
        ("second-cr", reply("250-a\r\n250 STARTTLS\r\r\n")),
        ("name", reply("scan.example.org")),
        ("literal", reply("[192.0.2.1]")),
        ("literal-of-six", reply("[IPv6:2001:db8::1]")),
    ]
}
