//! Holds what a scanner wrote against what the fleet was told to play.

use super::expect::{CONNECTOR_WORDS, ExpectedSuites, USUAL_SENDER};
use super::fleet::Fleet;
use super::truth::TruthRow;
use crate::model::{CipherSuite, ProtocolVersion};
use std::collections::HashMap;
use std::fmt;
use std::io::Read;

/// One finding that is not what the scenario says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The domain, or the endpoint.
    pub subject: String,
    /// Name of the scenario that the domain plays.
    pub scenario: String,
    /// The column; empty where the row itself is missing or doubled.
    pub column: String,
    /// What the scenario says.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// What the row tells of its failure.
    pub detail: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, scenario, column, expected, found, detail } = self;
        let blank = if column.is_empty() { "" } else { " " };
        write!(f, "{subject} ({scenario}){blank}{column}: expected `{expected}`, found `{found}`")?;
        if detail.is_empty() { Ok(()) } else { write!(f, " ({detail})") }
    }
}

type Rows = HashMap<String, Vec<HashMap<String, String>>>;

/// Every finding in `domains_csv`, a scan for the sender of that name, that is
/// not what the fleet's truth says. Each domain of the fleet must have exactly
/// one row. For another sender than [`USUAL_SENDER`] only the columns that the
/// scenario names for it are compared. Domains under a connector
/// ([`Fleet::write_connectors`]) must have been scanned so.
///
/// # Errors
/// `domains_csv` cannot be read as CSV.
pub fn disagreements(fleet: &Fleet, sender: &str, domains_csv: impl Read) -> csv::Result<Vec<Disagreement>> {
    let rows = read(domains_csv, |row| row.get("domain").cloned().unwrap_or_default())?;
    let mut wrong = Vec::new();
    for truth in fleet.truth() {
        let subject = truth.domain.to_string();
        let columns = columns(truth, sender, fleet.smtp_port());
        compare(&rows, &subject, &truth.scenario.name, &columns, &mut wrong);
        if sender == USUAL_SENDER {
            compare_words(&rows, &subject, truth, &mut wrong);
        }
    }
    Ok(wrong)
}

/// What a lab played, as its `truth.csv` has it.
pub struct Truth {
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// Columns of `truth.csv` that say whose row it is, and are no findings.
const SUBJECT_COLUMNS: [&str; 2] = ["domain", "scenario"];

impl Truth {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, or is no such file: in words.
    pub fn read(text: impl Read) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(text);
        let columns: Vec<String> =
            reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_string).collect();
        if SUBJECT_COLUMNS.iter().any(|name| !columns.iter().any(|column| column == name)) {
            return Err("not the truth of a lab: it has no columns domain and scenario".to_string());
        }
        let rows = reader.records().collect::<csv::Result<Vec<_>>>().map_err(|error| error.to_string())?;
        if rows.is_empty() { Err("it has no domain".to_string()) } else { Ok(Self { columns, rows }) }
    }

    /// How many domains it has.
    pub fn domains(&self) -> usize {
        self.rows.len()
    }

    /// Every finding in `domains_csv` that is not what it says; each of its domains must
    /// have exactly one row, and nobody else.
    ///
    /// # Errors
    /// `domains_csv` cannot be read as CSV.
    pub fn disagreements(&self, domains_csv: impl Read) -> csv::Result<Vec<Disagreement>> {
        let mut rows = read(domains_csv, |row| row.get("domain").cloned().unwrap_or_default())?;
        let mut wrong = Vec::new();
        for truth in &self.rows {
            let cells = || self.columns.iter().zip(truth);
            let cell = |name: &str| cells().find(|(column, _)| *column == name).map_or("", |(_, cell)| cell);
            let expected: Vec<(String, String)> = cells()
                .filter(|(column, _)| !SUBJECT_COLUMNS.contains(&column.as_str()))
                .map(|(column, cell)| (column.clone(), cell.to_string()))
                .collect();
            compare(&rows, cell("domain"), cell("scenario"), &expected, &mut wrong);
            rows.remove(cell("domain"));
        }
        let mut others: Vec<(String, usize)> =
            rows.into_iter().map(|(domain, rows)| (domain, rows.len())).collect();
        others.sort();
        wrong.extend(others.into_iter().map(|(subject, count)| Disagreement {
            subject,
            scenario: "none: the truth lacks it".to_string(),
            column: String::new(),
            expected: "0 rows".to_string(),
            found: format!("{count} rows"),
            detail: String::new(),
        }));
        Ok(wrong)
    }
}

/// What is logged under the connector begins as the scenario says. That there
/// is one row has been looked at.
fn compare_words(rows: &Rows, subject: &str, truth: &TruthRow, wrong: &mut Vec<Disagreement>) {
    let expected = truth.scenario.expect.connector_words();
    let row = rows.get(subject).and_then(|rows| rows.first());
    let Some(found) = row.and_then(|row| row.get(CONNECTOR_WORDS)) else { return };
    if !found.starts_with(expected) || (expected.is_empty() && !found.is_empty()) {
        wrong.push(Disagreement {
            subject: subject.to_string(),
            scenario: truth.scenario.name.clone(),
            column: CONNECTOR_WORDS.to_string(),
            expected: expected.to_string(),
            found: found.clone(),
            detail: row.and_then(|row| row.get("detail")).cloned().unwrap_or_default(),
        });
    }
}

/// What is expected of a row, what is said of the sender before all else.
fn columns(truth: &TruthRow, sender: &str, smtp_port: u16) -> Vec<(String, String)> {
    let mut columns = if sender == USUAL_SENDER { truth.columns(smtp_port) } else { Vec::new() };
    for (column, cell) in truth.scenario.expect.sender(sender) {
        if !columns.iter().any(|(name, _)| name == column) {
            columns.push((column.to_string(), cell.to_string()));
        }
    }
    columns
}

/// The same for `endpoints.csv` of a scan for [`USUAL_SENDER`]. Each endpoint of the fleet that is connected
/// to must have exactly one row.
///
/// # Errors
/// `endpoints_csv` cannot be read as CSV.
pub fn endpoint_disagreements(fleet: &Fleet, endpoints_csv: impl Read) -> csv::Result<Vec<Disagreement>> {
    let cell = |row: &HashMap<String, String>, name: &str| row.get(name).cloned().unwrap_or_default();
    let rows = read(endpoints_csv, |row| format!("{} {}", cell(row, "ip"), cell(row, "sni")))?;
    let mut wrong = Vec::new();
    for truth in fleet.endpoints() {
        let subject = format!("{} {}", truth.ip, truth.host);
        compare(&rows, &subject, &truth.scenario.name, &truth.columns(), &mut wrong);
    }
    Ok(wrong)
}

/// The same for `suites.csv` of a scan with `--enumerate`: of each endpoint
/// whose scenario names its suites, those of every version, in their order.
///
/// # Errors
/// `suites_csv` cannot be read as CSV.
pub fn suite_disagreements(fleet: &Fleet, suites_csv: impl Read) -> csv::Result<Vec<Disagreement>> {
    let cell = |row: &HashMap<String, String>, name: &str| row.get(name).cloned().unwrap_or_default();
    let rows = read(suites_csv, |row| format!("{} {}", cell(row, "ip"), cell(row, "sni")))?;
    let mut wrong = Vec::new();
    for truth in fleet.endpoints() {
        let Some(enumerated) = truth.scenario.expect.enumerated.get(&truth.role) else { continue };
        let subject = format!("{} {}", truth.ip, truth.host);
        for version in VERSIONS {
            let of_version = |row: &&HashMap<String, String>| cell(row, "tls_version") == version.name();
            let of_version: Vec<_> = rows.get(&subject).into_iter().flatten().filter(of_version).collect();
            let told =
                |row: &&HashMap<String, String>| ENUMERATED_COLUMNS.map(|name| cell(row, name)).join(" ");
            let found: Vec<String> = of_version.iter().map(told).collect();
            let expected = suite_rows(enumerated.iter().find(|suites| suites.tls_version == version));
            if found != expected {
                wrong.push(Disagreement {
                    subject: subject.clone(),
                    scenario: truth.scenario.name.clone(),
                    column: format!("{} {}", version.name(), ENUMERATED_COLUMNS.join(" ")),
                    expected: expected.join(", "),
                    found: found.join(", "),
                    detail: of_version.first().map(|row| cell(row, "incomplete_reason")).unwrap_or_default(),
                });
            }
        }
    }
    Ok(wrong)
}

/// Versions that an enumeration asks for.
const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::TLS13,
    ProtocolVersion::TLS12,
    ProtocolVersion::TLS11,
    ProtocolVersion::TLS10,
    ProtocolVersion::SSL3,
];

/// Columns of `suites.csv` that a scenario speaks of.
const ENUMERATED_COLUMNS: [&str; 4] = ["position", "cipher_suite", "cipher_preference", "complete"];

/// What [`ENUMERATED_COLUMNS`] must hold; one row without a suite where none
/// is taken.
fn suite_rows(expected: Option<&ExpectedSuites>) -> Vec<String> {
    let Some(expected) = expected else { return vec!["   yes".to_string()] };
    let complete = if expected.incomplete { "no" } else { "yes" };
    if expected.cipher_suites.is_empty() {
        return vec![format!("   {complete}")];
    }
    let preference = &expected.preference;
    let row = |(place, suite): (usize, &CipherSuite)| format!("{place} {suite} {preference} {complete}");
    (1..).zip(&expected.cipher_suites).map(row).collect()
}

fn read(text: impl Read, subject: impl Fn(&HashMap<String, String>) -> String) -> csv::Result<Rows> {
    let mut rows = Rows::new();
    for row in csv::Reader::from_reader(text).deserialize() {
        let row: HashMap<String, String> = row?;
        rows.entry(subject(&row)).or_default().push(row);
    }
    Ok(rows)
}

fn compare(
    rows: &Rows,
    subject: &str,
    scenario: &str,
    expected: &[(String, String)],
    wrong: &mut Vec<Disagreement>,
) {
    let found = rows.get(subject).map_or(&[][..], Vec::as_slice);
    let detail = found.first().and_then(|row| row.get("detail")).cloned().unwrap_or_default();
    let mut note = |column: &str, expected: &str, found: &str| {
        wrong.push(Disagreement {
            subject: subject.to_string(),
            scenario: scenario.to_string(),
            column: column.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
            detail: detail.clone(),
        });
    };
    let [row] = found else {
        return note("", "1 row", &format!("{} rows", found.len()));
    };
    for (column, expected) in expected {
        let found = row.get(column).map_or("(no such column)", String::as_str);
        if found != expected {
            note(column, expected, found);
        }
    }
}
