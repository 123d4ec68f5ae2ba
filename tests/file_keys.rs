//! The keys of the files that users write: what the documents say of them is
//! what is read. A parser names its keys itself when it meets another.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use mxray::internals::sender::situation::Situation;
use mxray::internals::sender::{Sender, connector, expectation_file, inbound_connector};
use std::collections::BTreeSet;

const SENDERS: &str = include_str!("../docs/senders.md");
const CONNECTORS: &str = include_str!("../docs/connectors.md");
const RECEIVE: &str = include_str!("../docs/receive.md");
const EXPECTATIONS: &str = include_str!("../docs/expectations.md");

/// The keys that stand after "expected" in the refusal of one that is none.
fn known(refusal: &str) -> BTreeSet<String> {
    let (_, keys) = refusal.split_once("expected").unwrap();
    keys.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

/// The first column of the table below a comment.
fn documented(document: &str, comment: &str) -> BTreeSet<String> {
    let (_, below) = document.split_once(&format!("<!-- {comment} -->\n")).unwrap();
    let rows = below.lines().take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.split('`').nth(1).unwrap().to_string()).collect()
}

/// The TOML that a document shows.
fn example(document: &str) -> &str {
    let (_, below) = document.split_once("```toml\n").unwrap();
    below.split_once("```").unwrap().0
}

#[test]
fn of_a_sender() {
    let refusal = Sender::parse("nonsense = 1").unwrap_err().to_string();
    assert_eq!(documented(SENDERS, "keys of a sender"), known(&refusal));
    let situations = Situation::ALL.iter().map(|situation| situation.name().to_string());
    assert_eq!(documented(SENDERS, "situations"), situations.collect());
}

#[test]
fn of_a_connector() {
    let refusal = connector::parse_toml("[[connector]]\nnonsense = 1").unwrap_err().to_string();
    assert_eq!(documented(CONNECTORS, "keys of a connector"), known(&refusal));
    connector::parse_toml(example(CONNECTORS)).unwrap();
}

#[test]
fn of_an_inbound_connector() {
    let refusal =
        inbound_connector::parse_toml("[[inbound_connector]]\nnonsense = 1").unwrap_err().to_string();
    assert_eq!(documented(RECEIVE, "keys of an inbound connector"), known(&refusal));
    let list = inbound_connector::parse_toml(example(RECEIVE)).unwrap();
    assert_eq!((list.connectors.len(), list.reject_direct_send), (3, Some(true)));
}

#[test]
fn of_an_expectation() {
    let text = example(EXPECTATIONS);
    expectation_file::parse(text).unwrap();
    let example: toml::Table = text.parse().unwrap();
    let keys = |table: &toml::Table| table.keys().cloned().collect::<BTreeSet<_>>();
    let refusal = |text: &str| expectation_file::parse(text).unwrap_err().to_string();
    assert_eq!(keys(&example), known(&refusal("nonsense = 1")));
    let applies_to = example["applies_to"].as_table().unwrap();
    assert_eq!(keys(applies_to), known(&refusal("name = 'x'\n[applies_to]\nnonsense = 1")));
    let certificate = example["certificate"][0].as_table().unwrap();
    assert_eq!(keys(certificate), known(&refusal("name = 'x'\n[[certificate]]\nnonsense = 1")));
}
