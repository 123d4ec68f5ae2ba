//! What a refusal speaks of: of TLS, or of whoever asks. The table is
//! `datasets/smtp-replies/refusals.csv`.

use crate::model::Reply;
use serde::Deserialize;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../datasets/smtp-replies/refusals.csv");

/// What it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Of TLS, or of the command that it answers.
    Tls,
    /// Of TLS, which the server wants first.
    TlsRequired,
    /// Of the client.
    Client,
    /// Of how much is asked of the server.
    Load,
}

/// A row of the table; what is `None` may be anything.
#[derive(Debug, Deserialize)]
struct Row {
    code: Option<u16>,
    status: Option<String>,
    words: Option<String>,
    speaks_of: About,
    #[allow(dead_code, reason = "for whoever reads the table")]
    source: String,
}

/// None is unreadable, which a test holds.
static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| csv::Reader::from_reader(TABLE.as_bytes()).deserialize().flatten().collect());

/// What a 4xx or 5xx speaks of.
///
/// ```
/// use mxray::Reply;
/// use mxray::internals::smtp::refusal::{About, about};
/// let reply = |code, text: &str| Reply { code, lines: vec![text.into()], deviations: vec![] };
/// assert_eq!(about(&reply(454, "4.7.0 TLS not available due to temporary reason")), About::Tls);
/// assert_eq!(about(&reply(554, "5.7.0 Your address is on a blocklist")), About::Client);
/// assert_eq!(about(&reply(502, "5.7.0 Must issue a STARTTLS command first")), About::TlsRequired);
/// ```
pub fn about(reply: &Reply) -> About {
    let (status, text) = (status(reply), spaced(&reply.lines.join(" ")));
    let fits = |row: &&Row| {
        row.code.is_none_or(|code| code == reply.code)
            && row.status.as_deref().is_none_or(|pattern| status.is_some_and(|status| is_of(status, pattern)))
            && row.words.as_deref().is_none_or(|words| text.contains(&spaced(words)))
    };
    ROWS.iter().find(fits).map_or(About::Tls, |row| row.speaks_of)
}

/// The enhanced status code that the text begins with, as `5.7.1` (RFC 2034
/// §4); some write `#5.7.1`.
fn status(reply: &Reply) -> Option<&str> {
    let first = reply.words()?.split_whitespace().next()?;
    let status = first.trim_start_matches('#').trim_end_matches([':', ',', ';']);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_status = status.split('.').count() == 3 && status.split('.').all(is_number);
    is_status.then_some(status)
}

/// Whether a status code is of a pattern, as `x.7.*`.
fn is_of(status: &str, pattern: &str) -> bool {
    status.split('.').zip(pattern.split('.')).all(|(part, pattern)| match pattern {
        "x" | "*" => true,
        pattern => part == pattern,
    })
}

/// The words of a text in lower case, a blank before each and behind the last.
fn spaced(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut spaced = String::from(" ");
    words.for_each(|word| spaced.extend([word, " "]));
    spaced
}

#[cfg(test)]
mod tests {
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
            // A number that is no status, and a word within another.
            ("554 5.7 what", Tls),
            ("554 unlistedness", Tls),
        ] {
            assert_eq!(about(&reply(text)), expected, "{text}");
        }
    }
}
