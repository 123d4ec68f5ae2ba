//! Expectation files: TOML that a person writes about a partner, read with
//! bounds (`docs/expectations.md`).

use super::toml_fault;
use crate::model::expectation::{AppliesTo, Expectation, ExpectedCertificate};
use crate::model::{DomainName, Sha256, text};
use jiff::civil::Date;
use serde::Deserialize;

/// Longest expectation file, in bytes.
pub const EXPECTATION_BYTES_MAX: usize = 1 << 20;
/// Most certificates of one expectation.
pub const EXPECTED_CERTIFICATES_MAX: usize = 256;
/// Most MX names, and most domains, that one expectation applies to.
pub const APPLIES_TO_MAX: usize = 10_000;
/// Longest text in an expectation, in bytes.
pub const EXPECTATION_TEXT_BYTES_MAX: usize = 1000;

/// The expectations that come with mxray, by name.
const BUILT_IN: &[(&str, &str)] =
    &[("exchange-online", include_str!("../../datasets/expectations/exchange-online.toml"))];

/// Why a text is no expectation. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpectationError(String);

impl ExpectationError {
    /// Messages quote what the file says.
    fn new(message: &str) -> Self {
        Self(text::one_line(message))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectationFile {
    name: String,
    #[serde(default)]
    applies_to: AppliesToTable,
    #[serde(default)]
    certificate: Vec<CertificateTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AppliesToTable {
    mx: Vec<String>,
    domains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Current,
    Deprecated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateTable {
    status: Status,
    valid_from: Option<Date>,
    valid_until: Option<Date>,
    root: Option<String>,
    root_sha256: Option<String>,
    issuer: Option<String>,
    name: Option<String>,
    organization: Option<String>,
    unit: Option<String>,
    key_bits: Option<u32>,
    source: String,
    note: Option<String>,
}

/// An expectation that comes with mxray.
///
/// # Errors
/// None has this name; the message lists those that there are.
pub fn named(name: &str) -> Result<Expectation, ExpectationError> {
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => parse(text),
        None => {
            let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            Err(ExpectationError(format!("neither a file nor one that is built in ({})", known.join(", "))))
        }
    }
}

/// Whether one that comes with mxray has this name.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// Reads an expectation file.
///
/// # Errors
/// The first thing in it that cannot be followed, with its line where one is
/// at fault.
pub fn parse(file: &str) -> Result<Expectation, ExpectationError> {
    if file.len() > EXPECTATION_BYTES_MAX {
        return Err(ExpectationError(format!("over {EXPECTATION_BYTES_MAX} bytes")));
    }
    let read: ExpectationFile = toml::from_str(file).map_err(|error| {
        let (line, what) = toml_fault::told(file, &error);
        let place = line.map_or(String::new(), |line| format!("line {line}: "));
        ExpectationError::new(&format!("{place}{what}"))
    })?;
    expectation(read).map_err(|message| ExpectationError::new(&message))
}

fn expectation(file: ExpectationFile) -> Result<Expectation, String> {
    short("name", Some(&file.name))?;
    if file.certificate.is_empty() {
        return Err("no [[certificate]] in it".into());
    }
    if file.certificate.len() > EXPECTED_CERTIFICATES_MAX {
        return Err(format!("over {EXPECTED_CERTIFICATES_MAX} certificates"));
    }
    let rows = file.certificate.into_iter().enumerate();
    let rows = rows.map(|(at, row)| certificate(row).map_err(|e| format!("certificate {}: {e}", at + 1)));
    Ok(Expectation {
        name: file.name,
        applies_to: AppliesTo {
            mx: names("mx", file.applies_to.mx, false)?,
            domains: names("domains", file.applies_to.domains, true)?,
        },
        certificates: rows.collect::<Result<_, _>>()?,
    })
}

fn names(what: &str, given: Vec<String>, wildcard: bool) -> Result<Vec<String>, String> {
    if given.len() > APPLIES_TO_MAX {
        return Err(format!("applies_to.{what}: over {APPLIES_TO_MAX} names"));
    }
    let read = |text: String| {
        let (star, rest) = match text.strip_prefix("*.") {
            Some(rest) if wildcard => ("*.", rest),
            _ => ("", text.as_str()),
        };
        let name = DomainName::parse(rest).map_err(|error| format!("applies_to.{what} `{text}`: {error}"))?;
        Ok(format!("{star}{}", name.as_str()))
    };
    given.into_iter().map(read).collect()
}

fn certificate(row: CertificateTable) -> Result<ExpectedCertificate, String> {
    let texts = [
        ("root", &row.root),
        ("issuer", &row.issuer),
        ("name", &row.name),
        ("organization", &row.organization),
        ("unit", &row.unit),
    ];
    for (what, text) in texts {
        short(what, text.as_ref())?;
    }
    short("source", Some(&row.source))?;
    short("note", row.note.as_ref())?;
    let attributes = texts.iter().any(|(_, text)| text.is_some());
    if !attributes && row.root_sha256.is_none() && row.key_bits.is_none() {
        return Err("expects nothing; give root, name or another attribute".into());
    }
    if matches!((row.valid_from, row.valid_until), (Some(from), Some(until)) if from >= until) {
        return Err("valid_until is not after valid_from".into());
    }
    let root_sha256 = row
        .root_sha256
        .as_deref()
        .map(|text| Sha256::parse(text).ok_or_else(|| "root_sha256: not 64 hexadecimal digits".to_string()));
    Ok(ExpectedCertificate {
        deprecated: matches!(row.status, Status::Deprecated),
        valid_from: row.valid_from,
        valid_until: row.valid_until,
        root: row.root,
        root_sha256: root_sha256.transpose()?,
        issuer: row.issuer,
        name: row.name,
        organization: row.organization,
        unit: row.unit,
        key_bits: row.key_bits,
    })
}

fn short(what: &str, text: Option<&String>) -> Result<(), String> {
    match text {
        Some(text) if text.trim().is_empty() => Err(format!("{what} is empty")),
        Some(text) if text.len() > EXPECTATION_TEXT_BYTES_MAX => {
            Err(format!("{what} of over {EXPECTATION_TEXT_BYTES_MAX} bytes"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = 'partner'\n";
    const ROW: &str = "[[certificate]]\nstatus = 'current'\nsource = 'the contract'\n";

    #[test]
    fn what_is_built_in_is_read() {
        let read = named("exchange-online").unwrap();
        assert_eq!(read.name, "exchange-online");
        assert!(read.applies_to.covers(None, Some("a-example.mail.protection.outlook.com")));
        assert!(!read.applies_to.covers(Some("a.example"), Some("mx.a.example")));
        assert_eq!(read.certificates.len(), 4);
        assert_eq!(read.certificates.iter().filter(|row| row.deprecated).count(), 2);
        assert!(named("nobody").unwrap_err().to_string().contains("exchange-online"));
    }

    #[test]
    fn names_are_read_as_names() {
        let text = format!(
            "{HEAD}[applies_to]\nmx = ['MX.Example.']\ndomains = ['*.Example.com']\n{ROW}name = 'mx'"
        );
        let read = parse(&text).unwrap();
        assert_eq!((&*read.applies_to.mx[0], &*read.applies_to.domains[0]), ("mx.example", "*.example.com"));
    }

    #[test]
    fn what_cannot_be_followed_is_one_line() {
        let row = |rest: &str| format!("{HEAD}{ROW}{rest}");
        for (text, told) in [
            (String::new(), "missing key `name`"),
            (HEAD.to_string(), "no [[certificate]] in it"),
            (row(""), "certificate 1: expects nothing"),
            (row("rot = 'X'"), "line 5: unknown key `rot`"),
            (row("root = ''"), "certificate 1: root is empty"),
            (row(&format!("root = '{}'", "x".repeat(1001))), "certificate 1: root of over 1000 bytes"),
            (row("root_sha256 = 'ab'"), "certificate 1: root_sha256: not 64"),
            (row("key_bits = -1"), "line 5: "),
            (row("valid_from = '2020-13-01'"), "line 5: "),
            (
                row("name = 'a'\nvalid_from = '2020-01-02'\nvalid_until = '2020-01-02'"),
                "certificate 1: valid_until",
            ),
            (
                format!("{HEAD}[applies_to]\nmx = ['*.a.example']\n{ROW}name = 'a'"),
                "applies_to.mx `*.a.example`",
            ),
            (format!("{HEAD}[applies_to]\ndomains = ['a b']\n{ROW}name = 'a'"), "applies_to.domains `a b`"),
            (
                format!("{HEAD}[[certificate]]\nname = 'a'\nstatus = 'current'"),
                "line 2: missing key `source`",
            ),
            (format!("{HEAD}{}", format!("{ROW}name = 'a'\n").repeat(257)), "over 256 certificates"),
            ("#".repeat(EXPECTATION_BYTES_MAX + 1), "over 1048576 bytes"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(
                error.starts_with(told) || error.contains(told) && text.is_empty(),
                "{error}, not {told}"
            );
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
