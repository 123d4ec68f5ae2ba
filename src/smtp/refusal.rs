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
    /// The client: its name, address, rate or reputation.
    Client,
    /// Of how much is asked of the server.
    Load,
}

/// A row of the table; what is `None` may be anything.
#[derive(Debug, Deserialize)]
struct RefusalRow {
    code: Option<u16>,
    status: Option<String>,
    words: Option<String>,
    speaks_of: About,
    #[allow(dead_code, reason = "for whoever reads the table")]
    source: String,
}

/// None is unreadable, which a test holds.
static ROWS: LazyLock<Vec<RefusalRow>> =
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
    deciding(reply).map_or(About::Tls, |row| row.speaks_of)
}

/// The row by which that is so: the first that fits.
fn deciding(reply: &Reply) -> Option<&'static RefusalRow> {
    let (status, text) = (status(reply), spaced(&reply.lines.join(" ")));
    let fits = |row: &&RefusalRow| {
        row.code.is_none_or(|code| code == reply.code)
            && row.status.as_deref().is_none_or(|pattern| status.is_some_and(|status| is_of(status, pattern)))
            && row.words.as_deref().is_none_or(|words| text.contains(&spaced(words)))
    };
    ROWS.iter().find(fits)
}

/// The enhanced status code that the text begins with, as `5.7.1` (RFC 2034
/// §4); some write `#5.7.1`, `(5.7.1)` or `[5.7.1]`.
fn status(reply: &Reply) -> Option<&str> {
    let first = reply.words()?.split_whitespace().next()?;
    let status = first.trim_start_matches(['#', '(', '[']).trim_end_matches([':', ',', ';', ')', ']']);
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
#[path = "refusal_tests.rs"]
mod tests;
