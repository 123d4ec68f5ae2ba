//! A certificate held against what its owner said of it, attribute by
//! attribute.

use super::names::same_ca;
use crate::model::expectation::{Expectation, ExpectationMatch, ExpectationStatus, ExpectedCertificate};
use crate::model::{CertificateFacts, TrustedRoot, text};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use std::fmt::Display;
use std::sync::Arc;

/// Longest [`ExpectationMatch::detail`], in bytes.
pub const DETAIL_BYTES_MAX: usize = 500;

/// What is known of a presented leaf.
#[derive(Clone, Copy, Debug)]
pub struct SeenLeaf<'a> {
    /// The certificate that is compared.
    pub leaf: &'a CertificateFacts,
    /// The root of its chain; `None` where the chain leads to none.
    pub root: Option<&'a TrustedRoot>,
    /// Why it leads to none: a point on the trust axis.
    pub chain: &'static str,
}

/// One row against the certificate.
struct Compared<'a> {
    row: &'a ExpectedCertificate,
    differs: Vec<String>,
    /// What cannot be told.
    open: Vec<String>,
}

/// What a leaf is by each expectation at a moment.
pub fn judge(
    expectations: &[Arc<Expectation>],
    seen: SeenLeaf<'_>,
    at: Timestamp,
) -> Arc<[ExpectationMatch]> {
    let today = Offset::UTC.to_datetime(at).date();
    expectations.iter().map(|expectation| one(expectation, seen, today)).collect()
}

fn one(expectation: &Arc<Expectation>, seen: SeenLeaf<'_>, today: Date) -> ExpectationMatch {
    let rows: Vec<Compared<'_>> = expectation.certificates.iter().map(|row| compare(row, seen)).collect();
    let equal = |row: &&Compared<'_>| row.differs.is_empty() && row.open.is_empty();
    let is = |wanted| move |row: &&Compared<'_>| status(row.row, today) == wanted;
    let matching = |wanted| rows.iter().filter(equal).find(is(wanted));
    let (status, mut detail) = if let Some(row) = matching(ExpectationStatus::Current) {
        (ExpectationStatus::Current, label(row.row))
    } else if let Some(row) = matching(ExpectationStatus::Deprecated) {
        (ExpectationStatus::Deprecated, format!("{}{}", label(row.row), until(row.row)))
    } else if let Some(row) = rows.iter().find(|row| row.differs.is_empty() && !row.open.is_empty()) {
        (ExpectationStatus::Undetermined, format!("{}: {}", label(row.row), row.open.join("; ")))
    } else if let Some(row) = matching(ExpectationStatus::Unexpected) {
        (ExpectationStatus::Unexpected, format!("{}, but only{}", label(row.row), since(row.row)))
    } else {
        (ExpectationStatus::Unexpected, nearest(&rows, today))
    };
    text::cut(&mut detail, DETAIL_BYTES_MAX);
    ExpectationMatch { expectation: expectation.clone(), status, detail }
}

/// What a certificate that is like the row is today.
fn status(row: &ExpectedCertificate, today: Date) -> ExpectationStatus {
    if row.valid_from.is_some_and(|from| today < from) {
        ExpectationStatus::Unexpected
    } else if row.deprecated || row.valid_until.is_some_and(|until| today >= until) {
        ExpectationStatus::Deprecated
    } else {
        ExpectationStatus::Current
    }
}

fn label(row: &ExpectedCertificate) -> String {
    let named = row.root.as_ref().or(row.issuer.as_ref()).or(row.name.as_ref()).or(row.organization.as_ref());
    named.cloned().unwrap_or_else(|| "the certificate".to_string())
}

fn until(row: &ExpectedCertificate) -> String {
    row.valid_until.map(|day| format!(", until {day}")).unwrap_or_default()
}

fn since(row: &ExpectedCertificate) -> String {
    row.valid_from.map(|day| format!(" from {day}")).unwrap_or_default()
}

/// In what the certificate differs from the row that is most like it; of
/// equals from one that is current.
fn nearest(rows: &[Compared<'_>], today: Date) -> String {
    let rank =
        |row: &&Compared<'_>| (row.differs.len(), status(row.row, today) != ExpectationStatus::Current);
    match rows.iter().min_by_key(rank) {
        Some(row) => format!("not {}: {}", label(row.row), row.differs.join("; ")),
        None => "the table is empty".to_string(),
    }
}

fn compare<'a>(row: &'a ExpectedCertificate, seen: SeenLeaf<'_>) -> Compared<'a> {
    let mut compared = Compared { row, differs: Vec::new(), open: Vec::new() };
    let leaf = seen.leaf;
    compared.root(seen);
    let issuer = leaf.issuer.as_deref().map(|issuer| attribute(issuer, "CN")).unwrap_or_default();
    compared.text("issuer", row.issuer.as_deref(), &issuer, same_ca);
    let names: Vec<String> = leaf.common_name.iter().chain(&leaf.dns_names).cloned().collect();
    compared.text("name", row.name.as_deref(), &names, str::eq_ignore_ascii_case);
    let of_subject = |key| leaf.subject.as_deref().map(|subject| attribute(subject, key)).unwrap_or_default();
    compared.text("organization", row.organization.as_deref(), &of_subject("O"), |a, b| a == b);
    compared.text("unit", row.unit.as_deref(), &of_subject("OU"), |a, b| a == b);
    if let Some(expected) = row.key_bits
        && leaf.key_bits != Some(expected)
    {
        match leaf.key_bits {
            Some(bits) => compared.differ("key_bits", bits, expected),
            None => compared.open.push("key_bits not known".into()),
        }
    }
    compared
}

impl Compared<'_> {
    fn differ(&mut self, what: &str, is: impl Display, expected: impl Display) {
        self.differs.push(format!("{what} is {is}, expected {expected}"));
    }

    /// One of the values has to be the expected one.
    fn text(&mut self, what: &str, expected: Option<&str>, values: &[String], same: fn(&str, &str) -> bool) {
        let Some(expected) = expected else { return };
        if values.iter().any(|value| same(value, expected)) {
            return;
        }
        match values.first() {
            Some(value) => self.differ(what, value, expected),
            None => self.differ(what, "missing", expected),
        }
    }

    /// The fingerprint counts where both are known, the name otherwise.
    fn root(&mut self, seen: SeenLeaf<'_>) {
        let row = self.row;
        if row.root.is_none() && row.root_sha256.is_none() {
            return;
        }
        let Some(root) = seen.root else {
            return self.open.push(format!("root not determined, chain {}", seen.chain));
        };
        let is = root.common_name.as_deref().or(root.subject.as_deref()).unwrap_or("?");
        match (row.root_sha256, root.sha256, row.root.as_deref()) {
            (Some(expected), Some(sha256), _) if expected == sha256 => {}
            (Some(expected), Some(_), name) => match name {
                Some(name) => self.differ("root", is, name),
                None => self.differ("root", is, expected),
            },
            (_, _, Some(name)) if same_ca(is, name) => {}
            (_, _, Some(name)) => self.differ("root", is, name),
            (Some(_), None, None) => self.open.push("root_sha256 not known".into()),
            (None, _, None) => {}
        }
    }
}

/// The values of one attribute of a distinguished name in the text form of
/// [`crate::x509`]: `, ` or ` + ` between attributes, a backslash before
/// commas and plus signs in values.
fn attribute(name: &str, key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if matches!(characters.peek(), Some(',' | '+')) => {
                let escaped = characters.next().unwrap_or_default();
                if let Some(part) = parts.last_mut() {
                    part.push(escaped);
                }
            }
            ',' | '+' => parts.push(String::new()),
            other => {
                if let Some(part) = parts.last_mut() {
                    part.push(other);
                }
            }
        }
    }
    let values = parts.iter().filter_map(|part| part.trim().split_once('='));
    values.filter(|(type_, _)| *type_ == key).map(|(_, value)| value.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_cut_out_of_a_name() {
        let name = "C=US, O=Example\\, Inc., OU=A\\+B + OU=C=D, CN=mx";
        assert_eq!(attribute(name, "O"), ["Example, Inc."]);
        assert_eq!(attribute(name, "OU"), ["A+B", "C=D"]);
        assert_eq!(attribute(name, "L"), [""; 0]);
        assert_eq!(attribute("", "CN"), [""; 0]);
    }
}
