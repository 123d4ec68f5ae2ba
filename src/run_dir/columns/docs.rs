//! Holds `docs/columns.md` to the column lists.

use super::certificates::CERTIFICATES;
use super::closed::YES_NO;
use super::column::{CellKind, Column};
use super::domains::DOMAINS;
use super::edges::{MX, REJECTS};
use super::endpoints::ENDPOINTS;
use super::enumeration::{GROUPS, SUITES};
use super::why::Why;
use std::fmt::Write;

const INTRODUCTION: &str = "\
# Columns

Every CSV file has a header with these names, in the order of the tables below. `--format jsonl` writes the columns of
`domains.csv` as the keys of one object a line. The [introduction](introduction.md#words) explains the terms.

## How to read a cell

An empty cell (in JSON `null`) means that the value is not known or does not apply. Yes and no are written `yes` and
`no` (in JSON `true` and `false`). Numbers are numbers in JSON, too. Everything else is text. The words of a list are
separated by blanks. A time is written as in RFC 3339, in UTC.

If the last field of a row below names values, a cell holds one of them, or is empty. If it names a reason or a cause,
the link leads to the list of them. Control characters, and bytes that are not UTF-8, are written as `\\xHH`, so a row is
always one line.

A text that is too long is cut, and then ends in `…`: `detail` and `cert_chain_detail` after 200 bytes; `parse_error`,
`cert_expectation_detail`, `dane_detail` and `mta_sts_detail` after 500; names in certificates and other text of servers
after 1,024.

Cells hold what other people's servers said. A spreadsheet may read a cell that begins with `=`, `+`, `-` or `@` as a
formula: import the columns as text.

## Which rows belong together

A row of `domains.csv` belongs to the row of `endpoints.csv` with the same `ip`, `port` and `sni` (for the weakest
endpoint, `weakest_ip`, `weakest_port` and `weakest_sni`). A row of `mx.csv` belongs to the row of `endpoints.csv` with
the same `ip` and `sni`. A certificate is in `certificates.csv` under its `cert_sha256`.

## The other files

Beside the tables, a run directory holds:

- `observations.jsonl`, the journal: one line for each probe, with everything that was seen, and every reply whole;
- `facts.jsonl`: one line for each target, with everything that the DNS said, in the order of `domains.csv` (a shard of
  a run has more of them);
- `run.json`: what was run, with which limits, what it was judged by, its counts and its summary.

`mxray judge` makes new verdicts from these, `certificates.csv` and `rejects.csv`. During a run there is also
`run.json.new`, which keeps room on the disk for `run.json`. While `--resume` writes the tables anew, each has the name
`….new`. `mxray demo` adds `demo-domains.txt` (its list), `truth.csv` (what the lab played), and `lab-roots.pem` and
`lab-connectors.toml` for `mxray judge`. `mxray report` and `mxray scan --report` add `report.html` (or `report.md`),
`report-partners.csv` and `report-certificates.csv`.

In `run.json`:

- `finished` is `null` as long as a run goes on, and stays `null` if the run is killed. The last second may then be
  missing, and the last line of each file may be cut short. `finished` is `false` if the run was stopped or broke off.
- `interrupted` and `error` say why a run was stopped or broke off. If the results could not be written, `error` says
  why, `finished` is `null` and nothing is counted.
- `counts.unfinished` is the number of targets of the list that have no row (`null` if the list is a pipe that was not
  read to its end).
- `counts.connections` of a run that was killed has the connections of the probes that were kept.
- `asked_by` has what `mxray scan --resume` must find again beside the command line: the list with its SHA-256, the
  folder, address families, client certificate. `resumed` has the moments at which the run went on.
- `network_suspect` has the address families over which TCP opened nowhere, so that our own network may be at fault.

The journal and `run.json` have `schema`, a number that grows when a column or a key changes its meaning or goes away.
Runs of schema 1 are still judged; what they lack is `undetermined:not_recorded`.

This file is made from the column lists in `src/run_dir/columns`; a test compares them.
";

/// Most values that a row names; more stand in a document of their own.
const VALUES_MAX: usize = 10;

/// Where the causes of a column are told.
fn causes(why: Why) -> Option<&'static str> {
    match why {
        Why::Nothing => None,
        Why::Reason | Why::ReasonAtEndpoint | Why::ReasonAgain | Why::Open(_) => {
            Some("a [reason](outcomes.md#reasons)")
        }
        Why::Check(_) | Why::Connector => Some("a [cause](connectors.md#always-three-columns)"),
    }
}

fn values(values: &[&str], why: Why) -> String {
    match (names(values), causes(why)) {
        (values, None) => values,
        (values, Some(causes)) if values.is_empty() => causes.to_string(),
        (values, Some(causes)) => format!("{values}; behind the colon {causes}"),
    }
}

fn names(values: &[&str]) -> String {
    match values.len() {
        0 => String::new(),
        1..=VALUES_MAX => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
        _ => "see [outcomes.md](outcomes.md)".to_string(),
    }
}

fn section<R>(out: &mut String, file: &str, about: &str, columns: &[Column<R>]) {
    let rows = columns.iter().map(|column| {
        let (name, doc, values) = (column.name, column.doc, values(column.values, column.why));
        let kind = column.kind.name();
        format!("| `{name}` | {kind} | {doc} | {values} |\n")
    });
    let rows: String = rows.collect();
    write!(out, "\n## {file}\n\n{about}\n\n| column | type | meaning | values |\n|---|---|---|---|\n{rows}")
        .unwrap();
}

fn rendered() -> String {
    let mut out = INTRODUCTION.to_string();
    section(
        &mut out,
        "domains.csv",
        "One row for each target. Columns of an endpoint without a prefix are about the endpoint that \
         decides `delivery`: of those that take mail, the first in order of preference (of several, the worst); or the one that leaves \
         `delivery` undetermined; or, if no endpoint takes mail, the one that got furthest. If the DNS \
         gave no address of that host, `ip` is empty. Columns with `weakest_` are about the weakest of \
         all endpoints that take mail.",
        DOMAINS,
    );
    section(
        &mut out,
        "endpoints.csv",
        "One row for each address, port and SNI that was probed, however many domains share it.",
        ENDPOINTS,
    );
    section(&mut out, "certificates.csv", "Each distinct certificate once.", CERTIFICATES);
    section(
        &mut out,
        "mx.csv",
        "One row for each step from a domain over a mail host to an address; a host without an address \
         has one row. Endpoints of `--input endpoints` have none.",
        MX,
    );
    section(
        &mut out,
        "suites.csv",
        "Only with `--enumerate`: one row for each endpoint, version and suite that the endpoint accepts; a \
         version without any suite has one row without a suite.",
        SUITES,
    );
    section(
        &mut out,
        "groups.csv",
        "Only with `--enumerate`: one row for each endpoint and group that the endpoint accepts: in TLS 1.3, \
         and in the newest version before it that has suites with ECDHE.",
        GROUPS,
    );
    section(&mut out, "rejects.csv", "One row for each line of the list that is not a target.", REJECTS);
    out
}

#[test]
fn the_document_is_that_of_the_columns() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/columns.md");
    if std::env::var_os("MXRAY_RENEW").is_some() {
        std::fs::write(path, rendered()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == rendered(),
        "docs/columns.md is behind the column lists; renew it: MXRAY_RENEW=1 cargo test --lib columns::docs"
    );
}

#[test]
fn names_are_unique_and_meanings_are_sentences() {
    fn check<R>(columns: &[Column<R>]) {
        for (at, column) in columns.iter().enumerate() {
            assert!(columns[..at].iter().all(|before| before.name != column.name), "{}", column.name);
            assert!(column.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            let is_list = column.doc.contains("blanks between");
            assert!(!is_list || column.kind == CellKind::List, "{}", column.name);
            assert_eq!(column.kind == CellKind::Flag, column.values == YES_NO, "{}", column.name);
            assert!(column.doc.ends_with('.') && !column.doc.contains('\n'), "{}", column.name);
        }
    }
    check(DOMAINS);
    check(ENDPOINTS);
    check(CERTIFICATES);
    check(MX);
    check(REJECTS);
    check(SUITES);
    check(GROUPS);
}
