//! The published table of Exchange Online's codes against the scenarios: each
//! code that it logs when it sends must come of at least one of them, or stand
//! here with the reason why it does not. That a scan really finds what a
//! scenario says is for `tests/scenarios.rs`. Each code with which it refuses
//! mail must come of a session under inbound connectors in the same way.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::lab::{self, Scenario, USUAL_SENDER};
use mxray::internals::model::DomainName;
use mxray::internals::model::inbound::{
    InboundDialogue, InboundSession, InboundVerdict, MailAttempt, MailSender, PathDomain,
};
use mxray::internals::sender::inbound_connector;
use mxray::internals::verdict::inbound::{InboundCase, verdict};

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

/// The same of rows about mail that comes in.
const INBOUND_EXCEPTIONS: &[(&str, &str)] =
    &[("451 4.4.62", "a listener does not see which region of Exchange Online mail was meant for")];

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

/// The rows of one direction, `out` or `in`.
fn published(direction: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let header = reader.headers().unwrap().clone();
    let cell = |record: &csv::StringRecord, name: &str| {
        record[header.iter().position(|known| known == name).unwrap()].to_string()
    };
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of_direction = records.iter().filter(|record| cell(record, "direction").ends_with(direction));
    of_direction
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

/// What is said to mail in clear from this address, under one connector.
fn refused(address: &str, recipient: &str, connector: &str) -> Vec<Logged> {
    let organisation = format!(
        "accepted_domains = ['contoso.com']\nreject_direct_send = true\n\
        [[inbound_connector]]\nname = 'C'\n{connector}"
    );
    let organisation = inbound_connector::parse_toml(&organisation).unwrap();
    let domain = |name| PathDomain::Domain(DomainName::parse(name).unwrap());
    let sender = MailSender { domain: domain("contoso.com"), requiretls: false, smtputf8: false };
    let session = InboundSession {
        number: 1,
        began: jiff::Timestamp::UNIX_EPOCH,
        peer: address.parse().unwrap(),
        dialogue: InboundDialogue::default(),
        tls: None,
        over_us: None,
        total_us: 0,
        bytes_in: 0,
        bytes_out: 0,
    };
    let mail = MailAttempt { in_tls: false, sender, recipients: Vec::new(), more_recipients: false };
    let (session, mail, recipient) = (&session, &mail, &domain(recipient));
    let case = InboundCase { organisation: &organisation, session, chain: None, mail, recipient };
    let InboundVerdict::Rejected(refusals) = verdict(&case) else { return Vec::new() };
    let logged = refusals.into_iter();
    logged.map(|refusal| Logged { code: refusal.code.to_string(), words: refusal.text.to_string() }).collect()
}

/// What connectors refuse, each kind once.
fn refused_by_connectors() -> Vec<Logged> {
    let partner = "connector_type = 'Partner'\nsender_domains = ['*']\n";
    let restricted =
        "require_tls = false\nrestrict_domains_to_ip_addresses = true\nsender_ip_addresses = ['192.0.2.1']";
    let on_premises = "connector_type = 'OnPremises'\nsender_ip_addresses = ['192.0.2.1']";
    [
        refused("192.0.2.1:25", "contoso.com", &format!("{partner}require_tls = true")),
        refused("192.0.2.2:25", "contoso.com", &format!("{partner}{restricted}")),
        refused("192.0.2.2:25", "fabrikam.com", on_premises),
        refused("192.0.2.2:25", "contoso.com", on_premises),
    ]
    .concat()
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
    let (rows, expected) = (published("out"), expected(&lab::scenarios().unwrap()));
    assert_eq!(rows.len(), 19, "rows of the table about sending");
    let wrong = differences(&rows, &expected, EXCEPTIONS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_of_receiving_comes_of_a_connector_or_is_excused() {
    let (rows, refused) = (published("in"), refused_by_connectors());
    assert_eq!(rows.len(), 5, "rows of the table about mail that comes in");
    assert_eq!(refused.len(), 4, "{refused:?}");
    let wrong = differences(&rows, &refused, INBOUND_EXCEPTIONS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_code_without_a_scenario_is_told() {
    let scenarios = lab::scenarios().unwrap().into_iter();
    let fewer: Vec<Scenario> =
        scenarios.filter(|scenario| !scenario.name.starts_with("connector_subject")).collect();
    assert_eq!(
        differences(&published("out"), &expected(&fewer), EXCEPTIONS),
        ["(inner of 4.4.317) SubjectMismatch: no scenario, and no reason why not"]
    );
    assert_eq!(
        differences(&published("out"), &expected(&lab::scenarios().unwrap()), &EXCEPTIONS[1..]),
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
        differences(&published("out"), &expected, &exceptions),
        [
            "4.7.322 / 5.7.322: an exception, and yet there is a scenario",
            "4.4.9: an exception for a row that is not there",
            "4.4.9: an exception without reason",
        ]
    );
}
