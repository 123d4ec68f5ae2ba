//! What the queries of the page must answer, counted from the CSV files without any of
//! the tools.

use super::Rows;
use super::runs::{Row, TwoRuns};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// All that the page asks.
pub const HEADINGS: [&str; 9] = [
    "What becomes of mail",
    "STARTTLS and certificates, as Durumeric and others count them",
    "Ciphers per domain",
    "Operators and their weakest configuration",
    "TLS by top-level domain",
    "What changed since last month",
    "Certificates that end soon",
    "Share of mail by TLS version",
    "What is not determined, and why",
];

/// The answer under a heading.
pub fn of(heading: &str, runs: &TwoRuns) -> Rows {
    let place = HEADINGS.iter().position(|known| *known == heading);
    let domains = runs.rows("november", "domains");
    match place.unwrap_or_else(|| panic!("nothing is counted for `{heading}`")) {
        0 => tallied(domains.iter().map(|row| vec![some(&row["delivery"])])),
        1 => vec![starttls_and_certificates(&domains)],
        2 => {
            let with_suite = domains.iter().filter(|row| !row["cipher_suite"].is_empty());
            shares(with_suite.map(|row| vec![some(&row["tls_version"]), some(&row["cipher_suite"])]))
        }
        3 => operators(&domains),
        4 => top_level_domains(&domains),
        5 => moves(&runs.rows("october", "domains"), &domains),
        6 => certificates(&domains, &runs.rows("november", "certificates")),
        7 => {
            let encrypted = domains.iter().filter(|row| row["delivery"] == "encrypted");
            shares(encrypted.map(|row| vec![some(&row["delivery_tls_version"])]))
        }
        _ => {
            let open = domains.iter().filter(|row| row["delivery"] == "undetermined");
            tallied(open.map(|row| vec![some(&row["reason"])]))
        }
    }
}

fn some(cell: &str) -> Option<String> {
    (!cell.is_empty()).then(|| cell.to_string())
}

fn number(count: usize) -> Option<String> {
    Some(count.to_string())
}

/// Each of `keys`, and how often it is there.
fn tallied(keys: impl Iterator<Item = Vec<Option<String>>>) -> Rows {
    let mut counts: BTreeMap<Vec<Option<String>>, usize> = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts.into_iter().map(|(key, count)| [key, vec![number(count)]].concat()).collect()
}

fn groups<'a>(domains: &'a [Row], column: &str) -> BTreeMap<&'a str, Vec<&'a Row>> {
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in domains.iter().filter(|row| !row[column].is_empty()) {
        groups.entry(&row[column]).or_default().push(row);
    }
    groups
}

fn count(rows: &[&Row], is_one: impl Fn(&Row) -> bool) -> Option<String> {
    number(rows.iter().filter(|row| is_one(row)).count())
}

fn starttls_and_certificates(domains: &[Row]) -> Vec<Option<String>> {
    let all: Vec<&Row> = domains.iter().collect();
    let is_trusted = |row: &Row| row["cert_chain"] == "valid" && row["cert_dates"] == "valid";
    vec![
        number(all.len()),
        count(&all, |row| !row["starttls_offered"].is_empty()),
        count(&all, |row| row["starttls_offered"] == "yes"),
        count(&all, |row| !row["cert_chain"].is_empty()),
        count(&all, is_trusted),
        count(&all, |row| is_trusted(row) && row["cert_name"] == "mx_host"),
        count(&all, |row| is_trusted(row) && row["cert_name"] == "domain"),
        count(&all, |row| row["cert_chain"] == "unverifiable" || row["cert_dates"] == "unreadable"),
    ]
}

/// The same, and how much of all in percent.
fn shares(keys: impl Iterator<Item = Vec<Option<String>>>) -> Rows {
    let mut rows = tallied(keys);
    let counted: Vec<f64> =
        rows.iter().map(|row| row.last().unwrap().as_ref().unwrap().parse().unwrap()).collect();
    let total: f64 = counted.iter().sum();
    for (row, count) in rows.iter_mut().zip(counted) {
        row.push(Some(format!("{:.3}", 100.0 * count / total)));
    }
    rows
}

fn operators(domains: &[Row]) -> Rows {
    let of_operator = |(operator, rows): (&str, Vec<&Row>)| {
        let is_own = |row: &Row| {
            let host = row["weakest_mx_host"].as_str();
            host == operator || host.ends_with(&format!(".{operator}"))
        };
        let encrypted = rows.iter().filter(|row| is_own(row) && row["weakest_delivery"] == "encrypted");
        let age = |version: &str| {
            ["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"].iter().position(|known| *known == version)
        };
        let lowest = encrypted
            .map(|row| row["weakest_tls_version"].as_str())
            .filter(|version| !version.is_empty())
            .min_by_key(|version| age(version).unwrap());
        vec![
            some(operator),
            number(rows.len()),
            count(&rows, |row| is_own(row) && row["weakest_delivery"] == "plaintext"),
            lowest.and_then(some),
            count(&rows, |row| row["delivery"] == "undetermined"),
        ]
    };
    groups(domains, "mx_operator").into_iter().filter(|(_, rows)| rows.len() > 1).map(of_operator).collect()
}

fn top_level_domains(domains: &[Row]) -> Rows {
    let groups = groups(domains, "tld").into_iter();
    let of_tld = |(tld, rows): (&str, Vec<&Row>)| {
        let delivered = |how: &'static str| count(&rows, move |row| row["delivery"] == how);
        vec![
            some(tld),
            number(rows.len()),
            delivered("encrypted"),
            delivered("plaintext"),
            delivered("undetermined"),
            count(&rows, |row| row["delivery_tls_version"] == "TLSv1.3"),
        ]
    };
    groups.map(of_tld).collect()
}

/// The first time that a list has a domain goes with the first time that the other has it.
fn moves(before: &[Row], after: &[Row]) -> Rows {
    let mut pairs: BTreeMap<(&str, usize), [&str; 2]> = BTreeMap::new();
    for (side, rows) in [before, after].into_iter().enumerate() {
        let mut rows: Vec<&Row> = rows.iter().collect();
        rows.sort_by_key(|row| row["line"].parse::<u64>().unwrap());
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows {
            let nth = seen.entry(&row["domain"]).or_default();
            pairs.entry((&row["domain"], *nth)).or_default()[side] = &row["delivery"];
            *nth += 1;
        }
    }
    let moved = pairs.into_values().filter(|[before, after]| before != after);
    tallied(moved.map(|pair| pair.map(some).to_vec()))
}

fn certificates(domains: &[Row], certificates: &[Row]) -> Rows {
    let soon = Timestamp::now() + SignedDuration::from_hours(30 * 24);
    let ends: BTreeMap<&str, &str> =
        certificates.iter().map(|row| (row["sha256"].as_str(), row["not_after"].as_str())).collect();
    let ended = domains.iter().filter_map(|row| {
        let not_after = ends.get(row["cert_sha256"].as_str()).filter(|end| !end.is_empty())?;
        (not_after.parse::<Timestamp>().unwrap() < soon).then(|| vec![some(&row["domain"]), some(not_after)])
    });
    ended.collect()
}
