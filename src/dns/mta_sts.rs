//! The record that announces an MTA-STS policy, and the text of the policy,
//! read strictly (RFC 8461 §3.1, §3.2).
//!
//! Who sends mail may be lenient with either. What is passed over there is not
//! the same from sender to sender, so here everything that the grammar does not
//! have is told.

use super::txt::{self, Versioned, quoted, versioned};
use crate::model::mta_sts::{
    MxPattern, POLICY_BYTES_MAX, StsMode, StsPolicy, StsPolicyFault, StsRecord, StsRecordFault,
};
use crate::model::name::{LABEL_BYTES_MAX, NAME_BYTES_MAX};
use std::net::IpAddr;

/// Most seconds that a policy may ask to be kept (RFC 8461 §3.2).
const MAX_AGE_S_MAX: u32 = 31_557_600;
/// Most digits of `max_age` (RFC 8461 §3.2).
const MAX_AGE_DIGITS_MAX: usize = 10;
/// Most characters of an `id` (RFC 8461 §3.1).
const ID_CHARACTERS_MAX: usize = 32;

/// The record among the TXT records of `_mta-sts.DOMAIN`, the strings of each
/// joined; `None` where none is meant as one.
///
/// # Errors
/// [`StsRecordFault`] where what is meant as one announces no policy.
pub fn record(texts: &[Vec<u8>]) -> Result<Option<StsRecord>, StsRecordFault> {
    let fields = match versioned(texts, "v=STSv1") {
        Versioned::Absent => return Ok(None),
        Versioned::Nearly => return Err(StsRecordFault::Version),
        Versioned::Several(count) => return Err(StsRecordFault::Several(count)),
        Versioned::One(fields) => fields,
    };
    let mut id = None;
    for field in txt::fields(fields) {
        let (name, value) = field.map_err(|piece| StsRecordFault::Field(quoted(piece)))?;
        let is_id = name == "id";
        if is_id && id.is_none() {
            id = Some(value);
        } else if !is_id && !txt::is_value(value) {
            return Err(StsRecordFault::Field(quoted(format!("{name}={value}").as_bytes())));
        }
    }
    let id = id.ok_or(StsRecordFault::NoId)?;
    let holds = (1..=ID_CHARACTERS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if holds {
        Ok(Some(StsRecord { id: id.to_owned() }))
    } else {
        Err(StsRecordFault::Id(quoted(id.as_bytes())))
    }
}

/// The policy in a text. Of a field that stands twice the first counts, `mx`
/// apart; fields that are not known are passed over.
///
/// # Errors
/// [`StsPolicyFault`]: the first thing that is wrong with it.
pub fn policy(text: &[u8]) -> Result<StsPolicy, StsPolicyFault> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(StsPolicyFault::TooLong(POLICY_BYTES_MAX));
    }
    let text = std::str::from_utf8(text).map_err(|_| StsPolicyFault::Encoding)?;
    let mut read = PolicyFields::default();
    // The end of the last line may be left out.
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    for (number, line) in (1..).zip(lines) {
        read.take(number, line.strip_suffix('\r').unwrap_or(line))?;
    }
    read.finish()
}

/// What a policy said so far.
#[derive(Default)]
struct PolicyFields<'a> {
    version: Option<&'a str>,
    mode: Option<&'a str>,
    max_age: Option<&'a str>,
    mx: Vec<MxPattern>,
}

impl<'a> PolicyFields<'a> {
    fn take(&mut self, number: usize, line: &'a str) -> Result<(), StsPolicyFault> {
        if line.trim_matches(BLANKS).is_empty() {
            return Err(StsPolicyFault::EmptyLine(number));
        }
        let odd = || StsPolicyFault::Field(number, quoted(line.as_bytes()));
        let (name, value) = line.split_once(':').ok_or_else(odd)?;
        let value = value.trim_matches(BLANKS);
        if !txt::is_name(name) || !is_policy_value(value) {
            return Err(odd());
        }
        match name {
            "version" => _ = self.version.get_or_insert(value),
            "mode" => _ = self.mode.get_or_insert(value),
            "max_age" => _ = self.max_age.get_or_insert(value),
            "mx" if is_pattern(value) => self.mx.push(MxPattern::new(value)),
            "mx" => return Err(StsPolicyFault::Mx(number, quoted(value.as_bytes()))),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<StsPolicy, StsPolicyFault> {
        match self.version {
            None => return Err(StsPolicyFault::NoVersion),
            Some("STSv1") => {}
            Some(other) => return Err(StsPolicyFault::Version(quoted(other.as_bytes()))),
        }
        let mode = self.mode.ok_or(StsPolicyFault::NoMode)?;
        let mode = StsMode::named(mode).ok_or_else(|| StsPolicyFault::Mode(quoted(mode.as_bytes())))?;
        let max_age = self.max_age.ok_or(StsPolicyFault::NoMaxAge)?;
        let max_age_s = seconds(max_age).ok_or_else(|| StsPolicyFault::MaxAge(quoted(max_age.as_bytes())))?;
        if self.mx.is_empty() && mode != StsMode::None {
            return Err(StsPolicyFault::NoMx);
        }
        Ok(StsPolicy { mode, max_age_s, mx: self.mx })
    }
}

/// Blanks as the grammar has them: WSP of RFC 5234.
const BLANKS: [char; 2] = [' ', '\t'];

/// Whether a text may be the value of an extension, which any field may be:
/// visible characters, with spaces between them.
fn is_policy_value(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|character| character.is_ascii_control())
}

fn seconds(text: &str) -> Option<u32> {
    let digits = (1..=MAX_AGE_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.filter(|seconds| *seconds <= MAX_AGE_S_MAX)
}

/// Whether a text is a host name, or a domain behind `*.` (Domain of RFC 5321
/// §4.1.2). An address is none, though its digits would pass for labels.
fn is_pattern(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(records: &[&str]) -> Vec<Vec<u8>> {
        records.iter().map(|record| record.as_bytes().to_vec()).collect()
    }

    #[test]
    fn records_are_read_by_the_grammar() {
        use StsRecordFault::{Field, Id, NoId, Several, Version};
        let id = |id: &str| Ok(Some(StsRecord { id: id.to_owned() }));
        let long = "a".repeat(33);
        let long_id = format!("v=STSv1; id={long};");
        for (records, expected) in [
            (&["v=STSv1; id=20260101T000000;"][..], id("20260101T000000")),
            (&["v=STSv1;id=1"], id("1")),
            (&["v=STSv1 ;\tid=1 ; "], id("1")),
            (&["v=STSv1; ext=a:b/c; id=1"], id("1")),
            (&["v=STSv1; id=1; id=2"], id("1")),
            // Whatever else a wildcard brings is passed over.
            (&["v=spf1 -all", "v=STSv1; id=1"], id("1")),
            (&[], Ok(None)),
            (&["v=spf1 -all"], Ok(None)),
            (&[""], Ok(None)),
            (&["v=STSv1; id=1", "v=STSv1; id=1"], Err(Several(2))),
            (&["v=STSv1"], Err(Version)),
            (&["v=STSv1 id=1"], Err(Version)),
            (&["V=STSV1; id=1"], Err(Version)),
            (&[" v=STSv1; id=1"], Err(Version)),
            (&["v=STSv11; id=1"], Err(Version)),
            (&["v=STSv1;"], Err(Field(String::new()))),
            (&["v=STSv1; ext=1"], Err(NoId)),
            (&["v=STSv1; ID=1"], Err(NoId)),
            (&["v=STSv1; id=2026-01-01"], Err(Id("2026-01-01".to_owned()))),
            (&["v=STSv1; id="], Err(Id(String::new()))),
            (&["v=STSv1; id=1 "], Err(Id("1 ".to_owned()))),
            (&["v=STSv1; id= 1"], Err(Id(" 1".to_owned()))),
            (&[&long_id], Err(Id(long.clone()))),
            (&["v=STSv1; id"], Err(Field("id".to_owned()))),
            (&["v=STSv1;; id=1"], Err(Field(String::new()))),
            (&["v=STSv1; id=1;;"], Err(Field(String::new()))),
            (&["v=STSv1; id=1; a b=1"], Err(Field("a b=1".to_owned()))),
            (&["v=STSv1; id=1; e=a=b"], Err(Field("e=a=b".to_owned()))),
            (&["v=STSv1; id=1; e="], Err(Field("e=".to_owned()))),
        ] {
            assert_eq!(record(&texts(records)), expected, "{records:?}");
        }
        assert_eq!(record(&[b"v=STSv1; id=\xff".to_vec()]), Err(Field("id=\u{fffd}".to_owned())));
    }

    #[test]
    fn a_policy_is_read_by_the_grammar() {
        let text = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx:*.example.net \t\r\nmax_age: 604800\r\n";
        let mx = vec![MxPattern::new("mail.example.com"), MxPattern::new("*.example.net")];
        let expected = StsPolicy { mode: StsMode::Enforce, max_age_s: 604_800, mx };
        assert_eq!(policy(text.as_bytes()), Ok(expected.clone()));
        // LF, no end of the last line, another order, fields that nobody knows.
        let text = "max_age: 604800\nmx: mail.example.com\nmx: *.example.net\nx-note: ä: b c\nversion: STSv1\nmode: enforce";
        assert_eq!(policy(text.as_bytes()), Ok(expected));
        let none = policy(b"version: STSv1\nmode: none\nmax_age: 0\nmode: enforce\n").unwrap();
        assert_eq!(none, StsPolicy { mode: StsMode::None, max_age_s: 0, mx: Vec::new() });
    }

    #[test]
    fn what_is_wrong_with_a_policy_is_told() {
        use StsPolicyFault::*;
        let text = |text: &str| text.to_owned();
        for (given, expected) in [
            ("", EmptyLine(1)),
            ("mode: enforce\nmx: a.example\nmax_age: 1\n", NoVersion),
            ("version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1\n", Version(text("STSv2"))),
            ("version: stsv1\nmode: enforce\nmx: a.example\nmax_age: 1\n", Version(text("stsv1"))),
            ("version: STSv1\nmx: a.example\nmax_age: 1\n", NoMode),
            ("version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n", Mode(text("Enforce"))),
            ("version: STSv1\nmode: enforce\nmx: a.example\n", NoMaxAge),
            ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 31557601\n", MaxAge(text("31557601"))),
            ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1d\n", MaxAge(text("1d"))),
            ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: +1\n", MaxAge(text("+1"))),
            ("version: STSv1\nmode: enforce\nmax_age: 1\n", NoMx),
            ("version: STSv1\nmode: testing\nmax_age: 1\n", NoMx),
            ("version: STSv1\n\nmode: none\nmax_age: 1\n", EmptyLine(2)),
            ("version: STSv1\nmode: none\nmax_age: 1\n\n", EmptyLine(4)),
            ("version: STSv1\nmode none\nmax_age: 1\n", Field(2, text("mode none"))),
            (" version: STSv1\nmode: none\nmax_age: 1\n", Field(1, text(" version: STSv1"))),
            ("version : STSv1\nmode: none\nmax_age: 1\n", Field(1, text("version : STSv1"))),
            ("version: STSv1\nmode:\nmax_age: 1\n", Field(2, text("mode:"))),
            ("version: STSv1\nnmx: a.example\nmode: enforce\nmax_age: 1\n", NoMx),
            ("version: STSv1\nmx: a.example.\nmode: none\nmax_age: 1\n", Mx(2, text("a.example."))),
            ("version: STSv1\nmx: 192.0.2.1\nmode: none\nmax_age: 1\n", Mx(2, text("192.0.2.1"))),
            ("version: STSv1\nmx: *.*.example\nmode: none\nmax_age: 1\n", Mx(2, text("*.*.example"))),
            ("version: STSv1\nmx: .a.example\nmode: none\nmax_age: 1\n", Mx(2, text(".a.example"))),
            ("version: STSv1\nmx: a_b.example\nmode: none\nmax_age: 1\n", Mx(2, text("a_b.example"))),
            ("version: STSv1\nmx: bücher.example\nmode: none\nmax_age: 1\n", Mx(2, text("bücher.example"))),
        ] {
            assert_eq!(policy(given.as_bytes()), Err(expected), "{given}");
        }
        assert_eq!(policy(b"version: STSv1\nx: \xff\n"), Err(Encoding));
        assert_eq!(policy(&vec![b'a'; POLICY_BYTES_MAX + 1]), Err(TooLong(POLICY_BYTES_MAX)));
    }
}
