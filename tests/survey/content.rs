//! All that a run says, without what differs from one run to the next: to hold two
//! runs against each other.

use super::{Row, rows as rows_of};
use std::collections::BTreeMap;
use std::path::Path;

/// Tables, with what names a row of each.
const TABLES: [&str; 7] =
    ["domains.csv", "endpoints.csv", "certificates.csv", "mx.csv", "rejects.csv", "suites.csv", "groups.csv"];

/// What a list plays whose runs are held against each other: hosts alone, in pairs and
/// shared, hosts that are not there, DANE and MTA-STS, certificates by name.
pub const SCENARIOS: [&str; 13] = [
    "tls13_ecdsa",
    "tls12_rsa",
    "cert_self_signed",
    "cert_by_sni",
    "starttls_absent",
    "best_dead",
    "provider_pair",
    "dns_nxdomain",
    "null_mx",
    "dane_ee_key",
    "dane_ta_issuer",
    "sts_enforce",
    "sts_mx_untrusted",
];

/// Lines of it that are no targets.
pub const REJECTS: &str = "no domain, \"at\" all\n-\n";

/// Whether a cell may be another in the next run: times, and what hangs on them.
fn is_of_time(column: &str) -> bool {
    column.ends_with("_us")
        || ["started", "bytes_in", "tickets", "cert_trusted_by", "trusted_by"].contains(&column)
}

/// All that a run says, without its times, in an order of its own.
pub fn content(run: &Path) -> BTreeMap<&'static str, Vec<Row>> {
    let rows = |name| {
        let mut rows = rows_of(&run.join(name));
        rows.iter_mut().for_each(|row| row.retain(|column, _| !is_of_time(column)));
        rows.sort();
        rows
    };
    TABLES.map(|name| (name, rows(name))).into()
}

pub fn assert_same(found: &Path, expected: &BTreeMap<&'static str, Vec<Row>>) {
    for (name, rows) in content(found) {
        let expected = &expected[name];
        for (found, expected) in rows.iter().zip(expected) {
            let differing: Vec<_> = found
                .iter()
                .filter(|(column, cell)| expected.get(*column) != Some(cell))
                .map(|(column, cell)| (column, cell, &expected[column]))
                .collect();
            assert!(differing.is_empty(), "{name}: {differing:?} of {found:?}");
        }
        assert_eq!(rows.len(), expected.len(), "{name}");
    }
}
