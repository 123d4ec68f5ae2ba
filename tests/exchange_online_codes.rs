//! The published table of Exchange Online's codes against the scenarios: each
//! code that it logs when it sends must come of at least one of them, or stand
//! here with the reason why it does not. That a scan really finds what a
//! scenario says is for `tests/scenarios.rs`.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::lab::{self, Scenario, USUAL_SENDER};

const TABLE: &str = include_str!("../datasets/exchange-online/smtp-codes.csv");

const DANE: &str = "TLSA records are not looked up, and DNSSEC is not validated";
const MTA_STS: &str = "policies of MTA-STS are not fetched";

/// Rows that no scenario produces, by the cell `code`, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("454 4.7.5 (on-prem sender)", "logged by Exchange Server on premises, which is none of the senders"),
    ("4.4.7 / 5.4.300", "comes when the time for trying is over, a day after the scan"),
    ("4.4.8 / 5.4.8", MTA_STS),
    ("4.7.5 / 5.7.5", MTA_STS),
    ("4.7.321 / 5.7.321", DANE),
    ("4.7.322 / 5.7.322", DANE),
    ("4.7.323 / 5.7.323", DANE),
    ("4.7.324 / 5.7.324", DANE),
    ("4.7.325 / 5.7.325", DANE),
];

/// What is logged: a code, as `450 4.4.317`, and the words beside it.
#[derive(Clone, Debug)]
struct Logged {
    code: String,
    words: String,
}

/// A row of the table about sending.
#[derive(Clone, Debug)]
struct Row {
    /// The cell `code`.
    code: String,
    /// The cell `text` as far as it is the same for every host.
    words: String,
}

impl Row {
    /// Whether this is what the row is about: the code, or one of several, and
    /// the beginning of the words.
    fn is_produced_by(&self, logged: &Logged) -> bool {
        let (codes, words) = match self.code.strip_prefix("(inner of ") {
            None => (self.code.as_str(), self.words.clone()),
            Some(inner) => {
                let (outer, code) = inner.split_once(") ").unwrap();
                // An inner error without a code is its words alone.
                let named = self.words.starts_with(code);
                (outer, if named { self.words.clone() } else { format!("{code} {}", self.words) })
            }
        };
        let is_code = |code: &str| logged.code == code || logged.code.ends_with(&format!(" {code}"));
        codes.split(" / ").any(is_code) && logged.words.starts_with(&words)
    }
}

/// The text up to where another wording, or what differs from host to host,
/// begins.
fn fixed_words(text: &str) -> String {
    let ends = [" (", " | ", "CN=", "<"].into_iter().filter_map(|sign| text.find(sign));
    text[..ends.min().unwrap_or(text.len())].to_string()
}

fn published() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let header = reader.headers().unwrap().clone();
    let cell = |record: &csv::StringRecord, name: &str| {
        record[header.iter().position(|known| known == name).unwrap()].to_string()
    };
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let sending = records.iter().filter(|record| cell(record, "direction").ends_with("out"));
    sending
        .map(|record| Row { code: cell(record, "code"), words: fixed_words(&cell(record, "text")) })
        .collect()
}

/// What the scenarios expect of Exchange Online, connectors included.
fn expected(scenarios: &[Scenario]) -> Vec<Logged> {
    let mut all = Vec::new();
    for scenario in scenarios {
        let expect = &scenario.expect;
        let sender: std::collections::BTreeMap<_, _> = expect.sender(USUAL_SENDER).collect();
        let connector: std::collections::BTreeMap<_, _> = expect.connector().collect();
        let of_sender = (sender.get("enhanced_code"), sender.get("enhanced_text").copied());
        let of_connector = (connector.get("connector_code"), Some(expect.connector_words()));
        for (code, words) in [of_sender, of_connector] {
            if let (Some(code), Some(words)) = (code.filter(|code| !code.is_empty()), words) {
                all.push(Logged { code: code.to_string(), words: words.to_string() });
            }
        }
    }
    all
}

/// What is wrong with the list of exceptions.
fn differences(rows: &[Row], expected: &[Logged], exceptions: &[(&str, &str)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        let produced = expected.iter().any(|logged| row.is_produced_by(logged));
        let excused = exceptions.iter().any(|(code, _)| *code == row.code);
        match (produced, excused) {
            (false, false) => wrong.push(format!("{}: no scenario, and no reason why not", row.code)),
            (true, true) => wrong.push(format!("{}: an exception, and yet there is a scenario", row.code)),
            _ => {}
        }
    }
    for (code, reason) in exceptions {
        if !rows.iter().any(|row| row.code == *code) {
            wrong.push(format!("{code}: an exception for a row that is not there"));
        }
        if reason.is_empty() {
            wrong.push(format!("{code}: an exception without reason"));
        }
    }
    wrong
}

#[test]
fn every_code_of_sending_comes_of_a_scenario_or_is_excused() {
    let (rows, expected) = (published(), expected(&lab::scenarios().unwrap()));
    assert_eq!(rows.len(), 19, "rows of the table about sending");
    let wrong = differences(&rows, &expected, EXCEPTIONS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_code_without_a_scenario_is_told() {
    let scenarios = lab::scenarios().unwrap().into_iter();
    let fewer: Vec<Scenario> =
        scenarios.filter(|scenario| !scenario.name.starts_with("connector_subject")).collect();
    assert_eq!(
        differences(&published(), &expected(&fewer), EXCEPTIONS),
        ["(inner of 4.4.317) SubjectMismatch: no scenario, and no reason why not"]
    );
    assert_eq!(
        differences(&published(), &expected(&lab::scenarios().unwrap()), &EXCEPTIONS[1..]),
        ["454 4.7.5 (on-prem sender): no scenario, and no reason why not"]
    );
}

#[test]
fn an_exception_that_is_produced_after_all_is_told() {
    let mut expected = expected(&lab::scenarios().unwrap());
    let words = "certificate-expired: Destination mail server's certificate is expired.";
    expected.push(Logged { code: "450 4.7.322".to_string(), words: words.to_string() });
    let exceptions = [EXCEPTIONS, &[("4.4.9", "")]].concat();
    assert_eq!(
        differences(&published(), &expected, &exceptions),
        [
            "4.7.322 / 5.7.322: an exception, and yet there is a scenario",
            "4.4.9: an exception for a row that is not there",
            "4.4.9: an exception without reason",
        ]
    );
}
