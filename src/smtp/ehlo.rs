//! What an EHLO reply says about STARTTLS.

use super::keyword_form::forms_of_line;
use crate::model::Reply;
use crate::model::text::unescape;

/// Whether a server lists STARTTLS (RFC 3207 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StarttlsKeyword<'a> {
    /// The keyword is there.
    Listed,
    /// Something on the way wrote over a keyword, which stands here as it
    /// came in: a sender sees no STARTTLS, whatever the server had said.
    Mangled(&'a str),
    /// Neither STARTTLS nor an overwritten keyword is there.
    Absent,
}

/// Looks for STARTTLS among the keyword lines of a 250 reply to EHLO. The
/// first line is the server's name and greeting and never counts
/// (RFC 5321 §4.1.1.1).
pub fn starttls_keyword(reply: &Reply) -> StarttlsKeyword<'_> {
    let mut mangled = None;
    for line in reply.lines.iter().skip(1) {
        if forms_of_line(line).is_some() {
            return StarttlsKeyword::Listed;
        }
        if let Some(keyword) = overwritten(line) {
            mangled.get_or_insert(keyword);
        }
    }
    mangled.map_or(StarttlsKeyword::Absent, StarttlsKeyword::Mangled)
}

/// The first word of a keyword line, by the bytes that came in, as
/// [`forms_of_line`] takes it.
fn keyword(line: &[u8]) -> &[u8] {
    let begins = line.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let line = line.get(begins..).unwrap_or_default();
    line.split(|byte| matches!(byte, b' ' | b'=') || byte.is_ascii_control()).next().unwrap_or_default()
}

/// Shortest overwritten keyword that may have been STARTTLS, in octets.
const MANGLED_BYTES_MIN: usize = 8;
/// Letters that may follow the X's: firewalls number what they write over
/// (`XXXXXXXA`, `XXXXXXXB`).
const MANGLED_SUFFIX_BYTES_MAX: usize = 2;

/// The keyword of a line, if it was replaced by X's, the mark of the SMTP
/// inspection of Cisco PIX and ASA firewalls.
fn overwritten(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(' ');
    if !line.starts_with(['X', 'x']) {
        return None;
    }
    let keyword = line.get(..keyword(&unescape(line)).len())?;
    let suffix = keyword.trim_start_matches(['X', 'x']);
    let is_overwritten = keyword.len() >= MANGLED_BYTES_MIN
        && suffix.len() <= MANGLED_SUFFIX_BYTES_MAX
        && suffix.bytes().all(|b| b.is_ascii_alphabetic());
    is_overwritten.then_some(keyword)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer_of(lines: &[&str]) -> String {
        let lines = lines.iter().map(ToString::to_string).collect();
        format!("{:?}", starttls_keyword(&Reply { code: 250, lines, deviations: Vec::new() }))
    }

    #[test]
    fn the_keyword_is_found_as_servers_write_it() {
        for line in [
            "STARTTLS",
            "starttls",
            "StartTLS ",
            "STARTTLS REQUIRED",
            " STARTTLS",
            r"\x09STARTTLS",
            r"STARTTLS\x0d",
            r"STARTTLS\x09REQUIRED",
            "STARTTLS=1",
        ] {
            assert_eq!(offer_of(&["mx.example", "SIZE 1", line]), "Listed", "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_it_does_not_count() {
        for line in [
            "STARTTLSX",
            "XSTARTTLS",
            "AUTH STARTTLS",
            "START TLS",
            "",
            "TLS",
            r"START\x00TLS",
            "XXXX",
            r"STARTTLS\\X",
            r"STARTTLS\\x0d",
            r"STARTTLS\xa0",
        ] {
            assert_eq!(offer_of(&["mx.example", line]), "Absent", "{line}");
        }
        assert_eq!(offer_of(&["STARTTLS"]), "Absent");
        assert_eq!(offer_of(&["mx.example STARTTLS", "SIZE"]), "Absent");
        assert_eq!(offer_of(&[]), "Absent");
    }

    #[test]
    fn overwritten_keywords_are_told_apart() {
        for line in ["XXXXXXXA", "XXXXXXXX", "XXXXXXXAB", "xxxxxxxa", "XXXXXXXXXXXXXXXXXXXXXXXC"] {
            assert_eq!(offer_of(&["mx", "SIZE", line]), format!("Mangled({line:?})"));
        }
        assert_eq!(offer_of(&["mx", r" XXXXXXXA\x0d"]), r#"Mangled("XXXXXXXA")"#);
        for line in ["XXXXXXX", "XCLIENTX", "XXXXABCD", "XXXXXXX1", "X-EXPS", r"XXXXXXXX\\"] {
            assert_eq!(offer_of(&["mx", line]), "Absent", "{line}");
        }
        assert_eq!(offer_of(&["mx", "XXXXXXXA", "STARTTLS"]), "Listed");
    }
}
