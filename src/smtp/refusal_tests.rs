//! What refusals speak of, row by row.

use super::*;

fn reply(text: &str) -> Reply {
    let (code, text) = text.split_at(3);
    let lines = text.trim_start().split('|').map(str::to_string).collect();
    Reply { code: code.parse().unwrap(), lines, deviations: Vec::new() }
}

#[test]
fn every_row_of_the_table_can_be_read_and_bears_its_source() {
    assert_eq!(ROWS.len(), TABLE.lines().count() - 1);
    for row in ROWS.iter() {
        assert!(row.source.len() > 5, "{row:?}");
        assert!(row.code.is_some() || row.status.is_some() || row.words.is_some(), "{row:?}");
        let pattern = row.status.as_deref().unwrap_or("x.0.0");
        assert!(pattern.starts_with("x.") && pattern.split('.').count() == 3, "{row:?}");
        let words = row.words.as_deref().unwrap_or_default();
        assert_eq!(spaced(words).trim(), words, "words as they are compared");
    }
}

/// Each row decides something: no earlier one takes all that it would.
#[test]
fn no_row_stands_behind_one_that_takes_all_of_it() {
    for row in ROWS.iter() {
        let code = row.code.unwrap_or(554);
        let status = row.status.as_deref().unwrap_or_default().replace('x', "5").replace('*', "99");
        let text = format!("{code} {status} {}", row.words.as_deref().unwrap_or_default());
        assert_eq!(about(&reply(text.trim_end())), row.speaks_of, "{text}");
    }
}

#[test]
fn who_is_spoken_of_is_told_apart() {
    use About::{Client, Load, Tls, TlsRequired};
    for (text, expected) in [
        ("454 4.7.0 TLS not available due to local problem", Tls),
        ("454 4.3.3 TLS not available after start", Tls),
        ("454 TLS currently unavailable", Tls),
        ("454 4.7.0 Error: too many new TLS sessions from unknown[192.0.2.1]", Load),
        ("451 4.7.500 Server busy. Please try again later from [192.0.2.1]", Load),
        ("450 4.3.2 Service currently unavailable", Load),
        ("450 #4.4.5 Come back later", Load),
        ("451 4.7.1 Greylisting in action, please come back later", Client),
        ("450 4.7.25 Client host rejected: cannot find your hostname", Client),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", Client),
        ("554 5.7.1 Your IP is blocklisted, see http://bl.example", Client),
        ("554 No thanks|see https://example.com/?reason=BLACKLISTED", Client),
        ("554 5.7.1", Client),
        ("554 5.7.0 Go away", Client),
        ("502 5.5.1 Command not implemented", Tls),
        ("503 5.5.1 Bad sequence of commands", Tls),
        ("500 Syntax error, command unrecognised", Tls),
        ("554", Tls),
        ("504 5.7.4 Unrecognized parameter", Tls),
        ("530 5.7.0 Must issue a STARTTLS command first", TlsRequired),
        ("530", TlsRequired),
        ("502 5.7.0 Must issue a STARTTLS command first", TlsRequired),
        ("550 5.7.10 Encryption needed", TlsRequired),
        ("451 5.7.3 STARTTLS is required to send mail", TlsRequired),
        ("554 (5.7.1) Go away", Client),
        ("554 [5.7.1] Go away", Client),
        // A number that is no status, and a word within another.
        ("554 5.7 what", Tls),
        ("554 unlistedness", Tls),
    ] {
        assert_eq!(about(&reply(text)), expected, "{text}");
    }
}

/// A reply for each row, in the order of the table, as servers word them. What
/// each speaks of is said here once more, so that a row that is lost, moved or
/// changed shows.
const REPLIES: &[(&str, About)] = &[
    ("530 5.7.0 Authentication required", About::TlsRequired),
    ("550 5.7.10 Needed", About::TlsRequired),
    ("538 5.7.11 Not in the open", About::TlsRequired),
    ("502 Must issue a STARTTLS command", About::TlsRequired),
    ("554 You must issue STARTTLS", About::TlsRequired),
    ("503 Send the STARTTLS command first, please", About::TlsRequired),
    ("451 5.7.3 STARTTLS is required to send mail", About::TlsRequired),
    ("554 5.7.0 STARTTLS required", About::TlsRequired),
    ("554 5.7.1 Encryption required", About::TlsRequired),
    ("550 Encryption is required by this host", About::TlsRequired),
    ("454 4.7.0 Error: too many new TLS sessions from unknown[192.0.2.1]", About::Load),
    ("451 Too much mail from you today", About::Load),
    ("450 You connect too fast", About::Load),
    ("450 The server is too busy", About::Load),
    ("451 4.7.500 Server busy. Please try again later from [192.0.2.1]", About::Load),
    ("450 4.7.1 Error: rate limit reached", About::Load),
    ("450 Your address is rate limited", About::Load),
    ("450 Rate limiting is in force", About::Load),
    ("450 4.7.28 Our system has detected an unusual rate of mail", About::Load),
    ("450 Connection limit exceeded", About::Load),
    ("450 The number of connections has exceeded a limit", About::Load),
    ("450 You are being throttled", About::Load),
    ("450 Throttling of new connections", About::Load),
    ("450 Host overloaded", About::Load),
    ("450 Mail system congestion", About::Load),
    ("452 4.3.1 Insufficient system resources", About::Load),
    ("554 No SMTP service here", About::Load),
    ("554 Service unavailable", About::Load),
    ("554 Service not available, closing transmission channel", About::Load),
    ("450 Slow down", About::Load),
    ("452 Insufficient system storage", About::Load),
    ("450 Greylist: come back", About::Client),
    ("450 You have been greylisted", About::Client),
    ("450 Greylisting in action, please come back later", About::Client),
    ("450 Graylist: come back", About::Client),
    ("450 You have been graylisted", About::Client),
    ("450 Graylisting in action", About::Client),
    ("554 On our blocklist", About::Client),
    ("554 Blocklisted", About::Client),
    ("554 On our blacklist", About::Client),
    ("554 No thanks|see https://example.com/?reason=BLACKLISTED", About::Client),
    ("554 On a block list", About::Client),
    ("554 On a black list", About::Client),
    ("554 Found by dnsbl.example", About::Client),
    ("554 Found by rbl.example", About::Client),
    ("554 See www.spamhaus.org", About::Client),
    ("550 Host blocked", About::Client),
    ("550 The HELO domain is listed", About::Client),
    ("550 Banned sender", About::Client),
    ("554 Poor reputation of the sender", About::Client),
    ("554 Access denied", About::Client),
    ("550 Not authorized", About::Client),
    ("550 Command not allowed to you", About::Client),
    ("550 Not permitted", About::Client),
    ("550 Rejected for policy reasons", About::Client),
    ("550 Your IP is unknown here", About::Client),
    ("550 Your host has no name", About::Client),
    ("450 Client host rejected: cannot find your hostname", About::Client),
    ("550 No reverse DNS", About::Client),
    ("550 Bad rDNS", About::Client),
    ("550 No PTR record", About::Client),
    ("554 Helo command rejected: Host not found", About::Client),
    ("550 Invalid HELO", About::Client),
    ("501 Syntactically invalid EHLO argument(s)", About::Client),
    ("550 Sender address rejected: unknown", About::Client),
    ("550 Sender rejected", About::Client),
    ("554 Your access to this mail system has been rejected", About::Client),
    ("500 Line too long", About::Client),
    ("550 A source of spam", About::Client),
    ("550 Sent to abuse@example.com", About::Client),
    ("454 4.7.0 TLS not available due to local problem", About::Tls),
    ("554 5.7.3 Not possible", About::Tls),
    ("504 5.7.4 Unrecognized parameter", About::Tls),
    ("451 4.7.5 Our TLS engine is unavailable", About::Tls),
    ("550 5.7.6 No such algorithm", About::Tls),
    ("535 Authentication credentials invalid", About::Client),
    ("550 5.1.8 Who are you", About::Client),
    ("554 5.7.1 Go away", About::Client),
    ("521 host does not accept mail", About::Load),
    ("556 Domain does not accept mail", About::Load),
    ("450 4.3.2 Service currently unavailable", About::Load),
    ("450 #4.4.5 Come back later", About::Load),
];

#[test]
fn each_row_decides_a_reply() {
    assert_eq!(REPLIES.len(), ROWS.len());
    for (row, (text, expected)) in ROWS.iter().zip(REPLIES) {
        let reply = reply(text);
        let deciding = deciding(&reply);
        assert!(
            deciding.is_some_and(|deciding| std::ptr::eq(deciding, row)),
            "{text}: {deciding:?}\n{row:?}"
        );
        assert_eq!(about(&reply), *expected, "{text}");
    }
}
