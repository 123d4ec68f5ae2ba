//! Every value of a column with a closed set of values comes about: a scenario
//! of the lab must find it, or a test that is named here. A value without
//! either is dead: it promises what nobody has seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "columns/cells.rs"]
mod cells;
#[path = "columns/weakest.rs"]
mod weakest;

use mxray::internals::lab::{self, Fleet, FleetOptions, Scenario, Unresolved};
use mxray::internals::model::{CipherSuite, DomainName, Kind};
use mxray::internals::run_dir::{CERTIFICATES, Column, DOMAINS, ENDPOINTS, GROUPS, MX, REJECTS, SUITES};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A table and a column of it.
type Place = (&'static str, String);

/// Values that no scenario brings about, with a test in which each does: what
/// the lab cannot play (a fault of this machine), or plays only with an option.
const ELSEWHERE: &[Elsewhere] = &[
    ("domains.csv", "phase", &["input"], VERDICTS, "dns_failures_decide_without_a_probe"),
    (
        "domains.csv",
        "outcome",
        &["invalid_name", "blocklisted"],
        VERDICTS,
        "dns_failures_decide_without_a_probe",
    ),
    ("domains.csv", "outcome", &["special_use_name"], "tests/lookup.rs", SPECIAL_USE),
    ("mx.csv", "outcome", &["special_use_name"], "tests/lookup.rs", SPECIAL_USE),
    ("domains.csv", "outcome", &["private_address"], MANNERS, "a_private_address_is_never_connected_to"),
    ("domains.csv", "outcome", OF_THE_MACHINE, "src/net/dial.rs", DIAL),
    ("domains.csv", "outcome", &["client_certificate_refused"], CLIENT_CERTIFICATE, REFUSED),
    ("domains.csv", "exchange_online_promise", &["undetermined"], "src/verdict/promise.rs", PROMISE),
    ("domains.csv", "cert_expectation", &["current", "deprecated", "unexpected"], EXPECTATIONS, BY_DATES),
    (
        "domains.csv",
        "cert_expectation",
        &["undetermined"],
        EXPECTATIONS,
        "what_cannot_be_told_is_undetermined",
    ),
    (
        "domains.csv",
        "connector_delivery",
        &["undeliverable", "undetermined"],
        CONNECTORS,
        "what_the_dns_decides_is_decided",
    ),
    ("domains.csv", "outcome", &["not_asked"], SAMPLING, SAMPLED),
    ("endpoints.csv", "outcome", &["not_asked"], SAMPLING, SAMPLED),
    ("domains.csv", "weakest_phase", &["connect"], SAMPLING, SAMPLED),
    ("domains.csv", "weakest_outcome", &["not_asked"], SAMPLING, SAMPLED),
    ("domains.csv", "reason", &["not_asked"], INFERRED, STAND_IN_LOST),
    ("endpoints.csv", "reason", &["not_asked"], INFERRED, STAND_IN_LOST),
    ("endpoints.csv", "outcome", &["blocklisted"], MANNERS, "what_is_on_the_blocklist_is_left_alone"),
    ("endpoints.csv", "outcome", &["private_address"], MANNERS, "a_private_address_is_never_connected_to"),
    ("endpoints.csv", "outcome", OF_THE_MACHINE, "src/net/dial.rs", DIAL),
    ("endpoints.csv", "outcome", &["client_certificate_refused"], CLIENT_CERTIFICATE, REFUSED),
    ("endpoints.csv", "client_certificate", &["refused"], CLIENT_CERTIFICATE, REFUSED),
    (
        "endpoints.csv",
        "client_certificate",
        &["accepted"],
        CLIENT_CERTIFICATE,
        "one_that_is_trusted_is_accepted",
    ),
    ("endpoints.csv", "client_certificate", &["shown"], "src/net/tls_failure.rs", SHOWN),
    ("endpoints.csv", "session_id", NOT_RECORDED, "tests/old_runs.rs", OLD_RUN),
    ("domains.csv", "delivery_tls_version", &["SSLv3"], CELLS, OLD_SENDER),
    ("domains.csv", "weakest_tls_version", &["SSLv3"], CELLS, OLD_SENDER),
    ("endpoints.csv", "cert_expectation", &["current", "deprecated", "unexpected"], EXPECTATIONS, BY_DATES),
    (
        "endpoints.csv",
        "cert_expectation",
        &["undetermined"],
        EXPECTATIONS,
        "what_cannot_be_told_is_undetermined",
    ),
    (
        "domains.csv",
        "weakest_outcome",
        RARE_ENDS,
        "tests/columns/weakest.rs",
        "rare_ends_at_hosts_that_take_mail",
    ),
    ("domains.csv", "reason", &["no_second_look", "second_look_differs"], "tests/interrogate.rs", LOOKS),
    ("endpoints.csv", "reason", &["no_second_look", "second_look_differs"], "tests/interrogate.rs", LOOKS),
    ("domains.csv", "reason", &["network_suspect"], "tests/cli/exit_codes.rs", SUSPECT),
    ("endpoints.csv", "reason", &["network_suspect"], "tests/cli/exit_codes.rs", SUSPECT),
    (
        "domains.csv",
        "reason",
        &["dane_no_tls", "dane_mismatch", "dane_chain", "dane_name_mismatch", "dane_certificate_not_seen"],
        SECURED,
        RECORDS,
    ),
    ("domains.csv", "reason", &["dane_certificate_expired", "dane_not_yet_valid"], SECURED, DANE_DATES),
    ("domains.csv", "reason", &["dane_required", "no_validating_resolver"], SECURED, NO_RECORDS),
    (
        "domains.csv",
        "reason",
        &["mx_bogus", "tlsa_bogus", "address_bogus", "tlsa_lookup_failed", "tlsa_excess"],
        SECURED,
        NEVER_WEAKER,
    ),
    ("domains.csv", "otherwise", &["undeliverable"], SEVERAL_HOSTS, GIVEN_UP),
    ("domains.csv", "reason", &["tlsa_hosts_excess"], SEVERAL_HOSTS, HOSTS_EXCESS),
    ("domains.csv", "reason", &["dane_not_asked"], SECURED, NOT_ASKED),
    ("domains.csv", "reason", &["dane_unverifiable"], "src/verdict/dane.rs", OURS),
    ("domains.csv", "reason", &["sts_mx_not_listed", "sts_no_tls", "sts_certificate"], SECURED, IN_FORCE),
    ("domains.csv", "reason", &["sts_policy_unknown"], SECURED, NO_POLICY),
    ("domains.csv", "reason", &["sts_certificate_not_seen"], SECURED, UNSEEN),
    ("domains.csv", "authenticated", &["none", "undetermined", RESOLVER], SECURED, NO_RECORDS),
    ("domains.csv", "authenticated", &["dane"], SECURED, RECORDS),
    ("domains.csv", "authenticated", &["sts"], SECURED, IN_FORCE),
    ("domains.csv", "authenticated", &["undetermined:not_asked"], SECURED, NOT_ASKED),
    (
        "domains.csv",
        "dane",
        &["matched", "mismatch", "chain", "name_mismatch", "no_tls", "undetermined"],
        SECURED,
        RECORDS,
    ),
    ("domains.csv", "dane", &["undetermined:dane_certificate_not_seen"], SECURED, RECORDS),
    ("domains.csv", "dane", &["undetermined:tlsa_hosts_excess"], SEVERAL_HOSTS, HOSTS_EXCESS),
    (
        "domains.csv",
        "dane",
        &["rollover"],
        "tests/judge.rs",
        "records_of_a_certificate_that_was_seen_elsewhere_are_told_apart",
    ),
    ("domains.csv", "dane", &["certificate_expired", "not_yet_valid"], SECURED, DANE_DATES),
    (
        "domains.csv",
        "dane",
        &["unusable", "none", "insecure", "insecure_mx", "insecure_addresses", RESOLVER],
        SECURED,
        NO_RECORDS,
    ),
    (
        "domains.csv",
        "dane",
        &["bogus", "undetermined:tlsa_lookup_failed", "undetermined:tlsa_excess"],
        SECURED,
        NEVER_WEAKER,
    ),
    ("domains.csv", "dane", &["undetermined:dane_unverifiable"], "src/verdict/dane.rs", OURS),
    (
        "domains.csv",
        "mta_sts",
        &[
            "none",
            "record_several",
            "record_version",
            "record_syntax",
            "record_id",
            "undetermined",
            "undetermined:sts_policy_unknown",
        ],
        POLICIES,
        "each_fault_of_a_record_has_its_name",
    ),
    (
        "domains.csv",
        "mta_sts",
        &[
            "host_unresolved",
            "host_unreachable",
            "host_tls",
            "host_certificate",
            "http",
            "http_redirect",
            "http_status",
            "host_timeout",
            "policy_too_long",
        ],
        POLICIES,
        POLICY_HOST,
    ),
    (
        "domains.csv",
        "mta_sts",
        &["policy_syntax", "policy_version", "policy_mode", "policy_max_age", "policy_mx"],
        POLICIES,
        "each_fault_of_a_policy_has_its_name",
    ),
    (
        "domains.csv",
        "mta_sts",
        &["valid", "mx_not_listed", "mx_partly_listed", "mx_no_tls", "mx_certificate"],
        POLICIES,
        NO_FIT,
    ),
    ("domains.csv", "mta_sts_mode", &["enforce", "testing", "none"], SECURED, IN_FORCE),
    ("domains.csv", "tls_rpt_result", OF_DANE, POLICIES, "a_report_calls_what_fails_of_dane_by_its_name"),
    ("domains.csv", "tls_rpt_result", &["validation-failure"], POLICIES, NO_FIT),
    (
        "domains.csv",
        "tls_rpt_result",
        &["sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"],
        POLICIES,
        POLICY_HOST,
    ),
    (
        "domains.csv",
        "dnssec_mx",
        &["undetermined", RESOLVER],
        CELLS_OF_POLICIES,
        "who_vouches_for_the_mx_is_told",
    ),
    ("domains.csv", "encryption_only", NOT_RECORDED, ATTEMPTS, SIGNATURE),
    ("domains.csv", "certificate_validation", NOT_RECORDED, ATTEMPTS, SIGNATURE),
    ("domains.csv", "domain_validation", NOT_RECORDED, ATTEMPTS, SIGNATURE),
    ("domains.csv", "certificate_validation", &["fail:dates_unreadable"], ATTEMPTS, CHAINS_AND_DATES),
    ("domains.csv", "domain_validation", &["fail:dates_unreadable"], ATTEMPTS, CHAINS_AND_DATES),
    ("domains.csv", "certificate_validation", &["undetermined:certificate_not_seen"], ATTEMPTS, OPEN),
    ("domains.csv", "domain_validation", &["undetermined:certificate_not_seen"], ATTEMPTS, OPEN),
    (
        "domains.csv",
        "domain_validation",
        &["undetermined:no_domain"],
        ATTEMPTS,
        "an_endpoint_without_a_domain_has_no_name_to_expect",
    ),
    (
        "domains.csv",
        "connector_reason",
        &["not_probed"],
        CONNECTORS,
        "smart_hosts_count_only_where_they_were_probed",
    ),
    ("certificates.csv", "is_ca", YES_NO, "src/x509/tests.rs", SELF_SIGNED),
    ("certificates.csv", "self_signed", YES_NO, "src/x509/tests.rs", SELF_SIGNED),
    ("mx.csv", "phase", &["connect"], "tests/lookup.rs", FAMILY),
    ("mx.csv", "outcome", &["no_route"], "tests/lookup.rs", FAMILY),
    (
        "mx.csv",
        "outcome",
        &["blocklisted"],
        "tests/lookup/aliases.rs",
        "no_alias_leads_to_a_name_that_is_left_alone",
    ),
    ("mx.csv", "outcome", &["null_mx"], "tests/lookup.rs", "null_mx_alone_means_no_mail"),
    ("mx.csv", "outcome", &["mx_unusable"], "tests/lookup.rs", "exchangers_that_name_no_host_are_unusable"),
    ("mx.csv", "outcome", &["closed", "local_error"], "src/lookup/trouble.rs", TRANSPORT),
    ("suites.csv", "cipher_preference", &["undetermined"], ENUMERATION, "each_gap_names_its_cause"),
    ("suites.csv", "complete", &["no"], ENUMERATED, "what_may_be_missing_has_its_reason"),
    ("suites.csv", "incomplete_reason", GAPS, ENUMERATION, "each_gap_names_its_cause"),
    ("suites.csv", "incomplete_reason", &["budget"], ENUMERATED, "what_may_be_missing_has_its_reason"),
    ("groups.csv", "tls_version", VERSIONS, ENUMERATION, "every_version_with_groups_has_its_own"),
    ("groups.csv", "complete", YES_NO, ENUMERATED, "what_may_be_missing_has_its_reason"),
    ("groups.csv", "incomplete_reason", GAPS, ENUMERATION, "each_gap_names_its_cause"),
    ("groups.csv", "incomplete_reason", &["budget"], ENUMERATION, "the_budget_may_end_among_the_groups"),
    (
        "groups.csv",
        "incomplete_reason",
        &["certificate_curve"],
        ENUMERATED,
        "what_may_be_missing_has_its_reason",
    ),
];

/// Table, column, values, file and test.
type Elsewhere = (&'static str, &'static str, &'static [&'static str], &'static str, &'static str);

const SECURED: &str = "src/verdict/secured_tests.rs";
const RECORDS: &str = "usable_records_demand_tls_and_a_certificate_that_fits";
const DANE_DATES: &str = "dates_count_under_dane_ee_where_the_sender_says_so";
const NO_RECORDS: &str = "what_is_no_usable_record_demands_less_or_the_sender_keeps_the_mail";
const NEVER_WEAKER: &str = "what_the_dns_does_not_say_is_never_weaker";
const NOT_ASKED: &str = "what_nobody_asked_for_is_told_so_and_rests_on_an_assumption";
const SEVERAL_HOSTS: &str = "src/verdict/several_hosts_tests.rs";
const GIVEN_UP: &str = "mail_is_given_up_only_where_no_host_may_take_it_later";
const HOSTS_EXCESS: &str = "a_host_that_was_not_asked_for_records_may_get_mail_in_clear";
const OURS: &str = "what_our_verifiers_lack_is_told_as_open";
const IN_FORCE: &str = "a_policy_in_force_demands_a_host_of_its_own_and_a_certificate";
const NO_POLICY: &str = "a_policy_that_is_not_known_leaves_it_open";
const UNSEEN: &str = "a_certificate_that_nobody_saw_is_not_known_to_hold";
const RESOLVER: &str = "undetermined:no_validating_resolver";
const POLICIES: &str = "src/verdict/policies_tests.rs";
const POLICY_HOST: &str = "each_fault_of_a_policy_host_has_its_name";
const NO_FIT: &str = "hosts_that_do_not_fit_a_policy_have_their_names";
const OF_DANE: &[&str] = &[
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "tlsa-invalid",
    "dnssec-invalid",
    "dane-required",
];
const CELLS_OF_POLICIES: &str = "src/run_dir/columns/policies.rs";
const YES_NO: &[&str] = &["yes", "no"];
const VERSIONS: &[&str] = &["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3"];
const SPECIAL_USE: &str = "what_is_in_no_dns_is_told_as_ours_and_not_asked_for";
const OF_THE_MACHINE: &[&str] = &["no_route", "unreachable", "reset", "local_error"];
const RARE_ENDS: &[&str] = &[
    "malformed",
    "client_certificate_refused",
    "local_error",
    "throttled",
    "tempfail",
    "unexpected_code",
    "too_long",
    "too_many_bytes",
    "ehlo_rejected",
];
const GAPS: &[&str] = &["throttled", "timeout", "hang_up", "alert", "unreadable", "not_asked"];
const NOT_RECORDED: &[&str] = &["undetermined:not_recorded"];
const OLD_RUN: &str = "what_was_not_recorded_is_told_where_the_columns_say_so";
const CELLS: &str = "tests/columns/cells.rs";
const OLD_SENDER: &str = "a_sender_that_offers_sslv3_may_get_it";
const LOOKS: &str = "no_tls_is_looked_at_twice_before_it_is_believed";
const SUSPECT: &str = "a_network_that_lets_nothing_out_is_told_as_ours";
const ATTEMPTS: &str = "src/verdict/attempt_tests.rs";
const SIGNATURE: &str = "a_signature_that_cannot_be_checked_passes_nothing";
const CHAINS_AND_DATES: &str = "each_strength_stops_at_what_it_demands";
const OPEN: &str = "without_encryption_no_strength_passes_and_what_is_not_known_stays_open";
const VERDICTS: &str = "src/verdict/verdict_tests.rs";
const CONNECTORS: &str = "src/verdict/connector_tests.rs";
const MANNERS: &str = "tests/cli/manners.rs";
const SAMPLING: &str = "tests/sampling.rs";
const SAMPLED: &str = "the_files_tell_who_was_not_asked";
const INFERRED: &str = "src/verdict/inferred.rs";
const STAND_IN_LOST: &str = "where_the_answer_of_the_other_is_lost_nothing_is_known";
const DIAL: &str = "errors_of_this_machine_say_nothing_about_the_peer";
const PROMISE: &str = "the_promise_is_checked_at_hosts_of_exchange_online_only";
const SHOWN: &str = "words_inside_tls_tell_what_a_certificate_was_asked_for";
const SELF_SIGNED: &str = "a_ca_and_what_it_issues_are_no_self_signed_leaves";
const FAMILY: &str = "a_host_of_the_family_that_is_left_out_is_no_domain_without_mail";
const TRANSPORT: &str = "no_answers_are_told_by_whose_they_are";
const CLIENT_CERTIFICATE: &str = "tests/client_certificate.rs";
const REFUSED: &str = "one_that_is_not_trusted_is_refused_with_its_alert";
const EXPECTATIONS: &str = "src/sender/expectation_tests.rs";
const BY_DATES: &str = "the_published_table_goes_by_dates";
const ENUMERATION: &str = "src/ask/enumeration/tests.rs";
const ENUMERATED: &str = "tests/cli/enumerate.rs";

/// What the scenarios say must stand in each column.
#[derive(Default)]
struct Truth(BTreeMap<Place, BTreeSet<String>>);

impl Truth {
    fn add(&mut self, table: &'static str, column: &str, cell: &str) {
        self.0.entry((table, column.to_string())).or_default().insert(cell.to_string());
    }

    fn add_all(
        &mut self,
        table: &'static str,
        cells: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) {
        cells.into_iter().for_each(|(column, cell)| self.add(table, column.as_ref(), cell.as_ref()));
    }

    /// Class and forward secrecy follow from the suite.
    fn add_suite(&mut self, suite: CipherSuite) {
        self.add("suites.csv", "cipher_suite_class", suite.class().map_or("", |class| class.name()));
        let secrecy = suite.forward_secrecy().map_or("", |known| if known { "yes" } else { "no" });
        self.add("suites.csv", "forward_secrecy", secrecy);
    }

    fn add_enumerated(&mut self, scenario: &Scenario) {
        for version in scenario.expect.enumerated.values().flatten() {
            self.add("suites.csv", "tls_version", &version.tls_version.name());
            self.add("suites.csv", "cipher_preference", &version.preference);
            self.add("suites.csv", "complete", "yes");
            version.cipher_suites.iter().for_each(|suite| self.add_suite(*suite));
        }
    }

    /// Why a mail host has no address.
    fn add_unresolved(&mut self, scenario: &Scenario) {
        for exchange in scenario.dns.exchanges.iter().filter(|exchange| exchange.server.is_none()) {
            let outcome = match exchange.resolves {
                Unresolved::Nxdomain => "nxdomain",
                Unresolved::NoData => "no_data",
                Unresolved::Servfail => "servfail",
                Unresolved::Timeout => "timeout",
            };
            self.add_all("mx.csv", [("phase", "dns"), ("outcome", outcome)]);
        }
    }

    /// Without the domain a leaf carries the name of the host, or none.
    fn add_names(&mut self, scenario: &Scenario) {
        let names = scenario.expect.endpoint.values().filter_map(|cells| cells.get("cert_name"));
        for name in names {
            self.add("endpoints.csv", "cert_name", if name.0 == "mx_host" { "mx_host" } else { "none" });
        }
    }

    /// Whether `value` stands in a cell, alone or among others.
    fn has(&self, place: &Place, value: &str) -> bool {
        let is_value = |word: &str| word == value || word.split(':').next() == Some(value);
        self.0.get(place).is_some_and(|cells| cells.iter().any(|cell| cell.split(' ').any(is_value)))
    }
}

/// All that the files in `datasets/lab` say.
async fn truth() -> Truth {
    let mut scenarios = lab::scenarios().unwrap();
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    let domains =
        (0..scenarios.len()).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect();
    let options = FleetOptions { scenarios, ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let mut truth = Truth::default();
    for row in fleet.truth() {
        truth.add_all("domains.csv", row.columns(fleet.smtp_port()));
        row.scenario.expect.sender.values().for_each(|cells| {
            truth.add_all("domains.csv", cells.iter().map(|(column, cell)| (column, &cell.0)));
            // What the server agrees to is told of the endpoint, too.
            let of_server = cells.iter().filter(|(column, _)| column.starts_with("server_best_"));
            // What a sender comes to is that of an endpoint, where it is no end of a lookup.
            let of_server = of_server.chain(cells.iter().filter(|(column, _)| *column == "reason"));
            truth.add_all("endpoints.csv", of_server.map(|(column, cell)| (column, &cell.0)));
        });
        truth.add_enumerated(&row.scenario);
        truth.add_unresolved(&row.scenario);
        truth.add_names(&row.scenario);
    }
    fleet.endpoints().iter().for_each(|endpoint| truth.add_all("endpoints.csv", endpoint.columns()));
    fleet.shutdown().await;
    truth
}

/// The closed sets of every table.
fn closed() -> Vec<(Place, Vec<String>)> {
    fn of<R>(table: &'static str, columns: &'static [Column<R>]) -> Vec<(Place, Vec<String>)> {
        let sets = columns.iter().map(|column| ((table, column.name.to_string()), column.closed_set()));
        sets.filter(|(_, values)| !values.is_empty()).collect()
    }
    [
        of("domains.csv", DOMAINS),
        of("endpoints.csv", ENDPOINTS),
        of("certificates.csv", CERTIFICATES),
        of("mx.csv", MX),
        of("suites.csv", SUITES),
        of("groups.csv", GROUPS),
        of("rejects.csv", REJECTS),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_comes_about() {
    let truth = truth().await;
    let listed = |(table, column): &Place, value: &str| {
        let named = |(t, c, values, ..): &&(&str, &str, &[&str], &str, &str)| {
            t == table && c == column && values.contains(&value)
        };
        ELSEWHERE.iter().any(|entry| named(&entry))
    };
    let mut dead = Vec::new();
    for (place, values) in closed() {
        let missing = values.iter().filter(|value| !truth.has(&place, value) && !listed(&place, value));
        dead.extend(missing.map(|value| format!("{} {} {value}", place.0, place.1)));
    }
    assert!(dead.is_empty(), "in no scenario and in no test that is named here:\n{}", dead.join("\n"));
}

/// The source of a test, from its name to the line that ends it.
fn source<'a>(file: &'a str, test: &str) -> Option<&'a str> {
    let (before, body) = file.split_once(&format!("fn {test}("))?;
    let indent = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    body.split_once(&format!("\n{indent}}}\n")).map(|(body, _)| body)
}

/// `no_data` as `NoData`.
fn in_camel_case(value: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    value.split('_').map(capital).collect()
}

#[test]
fn the_tests_that_are_named_are_there() {
    let closed = closed();
    for (table, column, values, path, test) in ELSEWHERE {
        let place = closed.iter().find(|((t, c), _)| t == table && c == column);
        let (_, known) = place.unwrap_or_else(|| panic!("{table} has no column {column} of closed values"));
        let file = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
        let file = file.unwrap_or_else(|error| panic!("{path}: {error}"));
        let source = source(&file, test).unwrap_or_else(|| panic!("{path} has no test {test}"));
        for value in *values {
            assert!(known.iter().any(|known| known == value), "{table}: {column} is never {value}");
            let value = &value.rsplit(':').next().unwrap_or(value);
            let words: BTreeSet<&str> = source
                .split(|c: char| !c.is_alphanumeric() && !['_', '.', '-'].contains(&c))
                .flat_map(|word| word.split("::"))
                .collect();
            // A yes or no is often no word of its own.
            let named = YES_NO.contains(value) && source.contains(column);
            let there = named || words.contains(*value) || words.contains(in_camel_case(value).as_str());
            assert!(there, "{path}: {test} says nothing of {value}");
        }
    }
}

#[test]
fn the_weakest_ends_as_the_attempts_do_at_hosts_that_take_mail() {
    let closed = closed();
    let column = closed.iter().find(|((_, column), _)| column == "weakest_outcome").unwrap();
    let told: BTreeSet<&str> = column.1.iter().map(String::as_str).collect();
    let mut expected = weakest::outcomes();
    // Nothing was attempted under a name for which a sample stands.
    expected.insert(Kind::NotAsked.name());
    assert_eq!(told, expected);
}
