//! What holds for the scenario files and the casting as a whole.

use super::assign::assign;
use super::cast::Cast;
use super::connector_file;
use super::embedded::FILES;
use super::expect::POLICY_COLUMNS;
use super::scenario::Scenario;
use super::truth;
use super::{Fleet, FleetOptions, LabError, scenarios};
use crate::model::DomainName;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

fn all() -> Vec<Arc<Scenario>> {
    scenarios().unwrap().into_iter().map(Arc::new).collect()
}

fn domains(count: usize) -> Vec<DomainName> {
    (0..count).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect()
}

fn parse(text: &str) -> Result<Scenario, LabError> {
    Scenario::parse("odd", text)
}

const GOOD: &str = r#"
name = "odd"
title = "A title"
weight = 1

[dns]
exchanges = [{ preference = 10, host = "mx1", server = "mx" }]

[server.mx]
greeting = "220 {host}"

[expect]
mx_count = 1
best = "mx"

[expect.endpoint.mx]
phase = "greeting"
outcome = "timeout"
delivery = "undetermined"
reason = "greeting_timeout"
"#;

#[test]
fn every_file_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/lab");
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_string))
        .collect();
    let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(there, listed);
    assert!(FILES.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn every_file_can_be_played() {
    let scenarios = all();
    assert!(scenarios.len() >= 45);
    let titles: HashSet<_> = scenarios.iter().map(|scenario| scenario.title.as_str()).collect();
    assert_eq!(titles.len(), scenarios.len(), "a title stands twice");
    let cast = Cast::new(&domains(2000), &scenarios, 1, 8).unwrap();
    let played: HashSet<_> = cast.truth.iter().map(|row| row.scenario.name.as_str()).collect();
    assert_eq!(played.len(), scenarios.iter().filter(|scenario| scenario.weight > 0).count());
}

#[test]
fn what_contradicts_the_schema_is_refused() {
    parse(GOOD).unwrap();
    for (from, to, cause) in [
        ("weight = 1", "wieght = 1", "wieght"),
        ("name = \"odd\"", "name = \"even\"", "even"),
        ("greeting = ", "greting = ", "greting"),
        ("\"220 {host}\"", "{ say = \"220\", then = \"explode\" }", "explode"),
        ("\"220 {host}\"", "{ say = \"220\", raw = \"220\" }", "not several"),
        ("\"220 {host}\"", "{ alert = \"red\" }", "red"),
        ("\"220 {host}\"", "\"220 \u{20ac}\"", "no byte"),
        ("server = \"mx\"", "server = \"my\"", "my"),
        ("host = \"mx1\"", "host = \"mx1\", buckets = 0", "bucket"),
        ("[dns]", "[dns]\nmode = \"nxdomain\"", "mode"),
        ("[dns]", "[dns]\nmode = \"implicit\"", "mode"),
        ("best = \"mx\"", "best = \"my\"", "my"),
        ("best = \"mx\"", "outcome = \"nxdomain\"", "the domain: phase"),
        ("best = \"mx\"", "", "decides"),
        ("phase = \"greeting\"", "phase = \"dinner\"", "dinner"),
        ("outcome = \"timeout\"", "outcome = \"tired\"", "tired"),
        ("\"undetermined\"", "\"encrypted\"", "contradict"),
        ("reason = \"greeting_timeout\"", "", "contradict"),
        ("reason =", "colour = \"red\"\nreason =", "colour"),
        ("[expect.endpoint.mx]", "[expect.endpoint.my]", "my"),
        ("[expect.endpoint.mx]", "[expect.sender.somebody]\nphase = \"tls\"\n[expect.endpoint.mx]", "phase"),
        (
            "[server.mx]",
            "[server.mx.tls.certificate]\nissuer = \"itself\"\nsignature = \"sha1\"\n[server.mx]",
            "SHA-1",
        ),
        (
            "[server.mx]",
            "[connector]\ntls_settings = \"EncryptionOnly\"\n[server.mx]",
            "connector_delivery \"\"",
        ),
        (
            "[expect.endpoint.mx]",
            "[expect.connector]\nconnector_code = 1\n[expect.endpoint.mx]",
            "there is none",
        ),
        ("server = \"mx\"", "server = \"mx\", smart_host = true", "no connector"),
        ("[server.mx]", "[server.mx.legacy]\nsuites = {}\n[server.mx]", "no version"),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from} is not there");
        match parse(&text) {
            Err(error) => assert!(error.to_string().contains(cause), "{to}: {error}"),
            Ok(_) => panic!("{to} was accepted"),
        }
    }
}

#[test]
fn who_plays_what_follows_from_seed_and_names_alone() {
    let (domains, scenarios) = (domains(500), all());
    let cast = |domains: &[DomainName], seed| -> BTreeMap<DomainName, usize> {
        domains.iter().cloned().zip(assign(domains, &scenarios, seed)).collect()
    };
    let mut backwards = domains.clone();
    backwards.reverse();
    assert_eq!(cast(&domains, 7), cast(&backwards, 7));
    assert_ne!(cast(&domains, 7), cast(&domains, 8));
}

#[test]
fn shares_follow_the_weights_and_nobody_is_left_out() {
    let mut scenarios = scenarios().unwrap();
    scenarios.truncate(4);
    for (scenario, weight) in scenarios.iter_mut().zip([900, 99, 1, 0]) {
        scenario.weight = weight;
    }
    let scenarios: Vec<_> = scenarios.into_iter().map(Arc::new).collect();
    let count = |domains: usize| {
        let cast = assign(&self::domains(domains), &scenarios, 3);
        [0, 1, 2, 3].map(|index| cast.iter().filter(|played| **played == index).count())
    };
    let [most, some, few, none] = count(10_000);
    assert!((8_800..9_200).contains(&most) && (850..1_150).contains(&some), "{most} {some}");
    assert!((1..40).contains(&few) && none == 0, "{few} {none}");
    assert_eq!(count(3), [1, 1, 1, 0]);
    assert_eq!(count(1).iter().sum::<usize>(), 1);
}

#[test]
fn a_scenario_of_weight_0_can_be_played_alone() {
    let mut alone = parse(GOOD).unwrap();
    alone.weight = 0;
    assert_eq!(assign(&domains(3), &[Arc::new(alone)], 0), [0, 0, 0]);
}

#[test]
fn a_domain_listed_twice_is_cast_once() {
    let twice = [domains(3), domains(3)].concat();
    assert_eq!(Cast::new(&twice, &all(), 0, 8).unwrap().truth.len(), 3);
}

#[test]
fn a_name_needed_twice_is_an_error() {
    let scenario = Arc::new(parse(GOOD).unwrap());
    let names = ["a.example", "mx1.a.example"].map(|name| DomainName::parse(name).unwrap());
    let collision = Cast::new(&names, &[scenario], 0, 8).err().unwrap();
    assert!(matches!(&collision, LabError::NameCollision(name) if name == "mx1.a.example"), "{collision}");
}

#[test]
fn endpoints_are_listed_once_and_shared_hosts_are_shared() {
    let scenarios = all();
    let cast = Cast::new(&domains(5000), &scenarios, 1, 8).unwrap();
    let keys: HashSet<_> = cast.endpoints.iter().map(|endpoint| (endpoint.ip, &endpoint.host)).collect();
    assert_eq!(keys.len(), cast.endpoints.len());
    let playing = |name: &str| cast.truth.iter().filter(|row| row.scenario.name == name).count();
    let seats = |name: &str| cast.endpoints.iter().filter(|seat| seat.scenario.name == name).count();
    assert!(playing("provider_one_host") > 100 && seats("provider_one_host") == 1);
    assert!(playing("provider_pool") > 100 && seats("provider_pool") == 8);
    assert!(playing("tls13_ecdsa") == seats("tls13_ecdsa"));
}

#[test]
fn a_row_of_truth_has_every_column_that_a_scenario_can_know() {
    let row_of = |name: &str| {
        let scenario = Arc::new(super::scenario(name).unwrap());
        let cast = Cast::new(&domains(1), &[scenario], 0, 8).unwrap();
        let mut csv = Vec::new();
        truth::write(&cast.truth, 2525, &mut csv).unwrap();
        String::from_utf8(csv).unwrap()
    };
    let second_older = row_of("second_older");
    let (head, body) = second_older.split_once('\n').unwrap();
    assert_eq!(
        head,
        "domain,scenario,tld,mx_operator,mx_host,mx_preference,ip,port,starttls_offered,implicit_mx,phase,outcome,reply_code,alert,delivery,\
         reason,tls_version,cipher_suite,key_exchange_group,forward_secrecy,cert_chain,cert_dates,cert_name,\
         cert_key,mx_count,weakest_mx_host,weakest_mx_preference,weakest_ip,weakest_port,weakest_phase,\
         weakest_outcome,weakest_reply_code,weakest_alert,weakest_delivery,weakest_reason,\
         weakest_tls_version,weakest_cipher_suite,weakest_key_exchange_group,weakest_forward_secrecy,\
         weakest_cert_chain,weakest_cert_dates,weakest_cert_name,weakest_cert_key,smart_hosts,connector,\
         connector_delivery,connector_reason,connector_code,authenticated,dnssec_mx,dane,tlsa_records,mta_sts,\
         mta_sts_mode,tls_rpt,tls_rpt_result"
    );
    let best = "2525,yes,no,after_tls,ok,,,encrypted,,TLSv1.3,TLS_AES_256_GCM_SHA384,X25519MLKEM768,yes,";
    assert!(
        body.starts_with("d0.example,second_older,example,d0.example,mx1.d0.example,10,127.1.0."),
        "{body}"
    );
    assert!(body.contains(best), "{body}");
    assert!(body.contains(",2,mx2.d0.example,20,127.1.0."), "{body}");
    assert!(body.contains(",TLSv1.2,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,x25519,yes,"), "{body}");
    let nxdomain = row_of("dns_nxdomain");
    let body = nxdomain.lines().nth(1).unwrap();
    let start = "d0.example,dns_nxdomain,example,,,,,,,no,dns,nxdomain,,,undeliverable,dns_nxdomain,,";
    assert!(body.starts_with(start), "{body}");
    for (name, policies) in [
        ("second_older", "none,insecure,insecure_addresses,,none,,none,"),
        ("dane_mismatch", ",secure,mismatch,1,none,,none,tlsa-invalid"),
        ("sts_old_mx", ",insecure,insecure_addresses,,mx_not_listed,enforce,none,validation-failure"),
    ] {
        let row = row_of(name);
        assert!(row.trim_end().ends_with(&format!(",{policies}")), "{row}");
    }
}

#[test]
fn every_file_says_what_is_found_of_dane_and_mta_sts() {
    for scenario in all() {
        let name = scenario.name.clone();
        let cast = Cast::new(&domains(1), &[scenario], 0, 8).unwrap();
        let said: BTreeSet<String> =
            cast.truth[0].columns(2525).into_iter().map(|(column, _)| column).collect();
        let unsaid: Vec<_> = POLICY_COLUMNS.iter().filter(|column| !said.contains(**column)).collect();
        assert!(unsaid.is_empty(), "{name} says nothing of {unsaid:?}");
    }
}

#[test]
fn a_smart_host_is_no_mx_and_stands_in_the_file_of_connectors() {
    let scenarios: Vec<_> = ["connector_smart_host", "connector_subject_mismatch", "null_mx"]
        .map(|name| Arc::new(super::scenario(name).unwrap()))
        .into();
    let cast = Cast::new(&domains(30), &scenarios, 1, 8).unwrap();
    let mut text = Vec::new();
    connector_file::write(&cast.truth, &mut text).unwrap();
    let file: toml::Table = String::from_utf8(text).unwrap().parse().unwrap();
    let tables = file["connector"].as_array().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["connector_smart_host", "connector_subject_mismatch"]);
    assert_eq!(tables[0]["smart_hosts"].as_array().unwrap()[0].as_str(), Some("relay.smarthost.example"));
    assert_eq!(tables[1]["tls_domain"].as_str(), Some("*.contoso.com"));
    let under: usize = tables.iter().map(|table| table["domains"].as_array().unwrap().len()).sum();
    let played = cast.truth.iter().filter(|row| row.scenario.connector.is_some()).count();
    assert!(under == played && played > 5, "{under} {played}");
    let nobody = cast.truth.iter().filter(|row| row.scenario.connector.is_none()).cloned();
    let mut empty = Vec::new();
    connector_file::write(&nobody.collect::<Vec<_>>(), &mut empty).unwrap();
    assert!(empty.is_empty());
}

#[tokio::test]
async fn a_fleet_without_scenarios_does_not_start() {
    let options = FleetOptions { scenarios: Vec::new(), ..FleetOptions::new(domains(1)).unwrap() };
    assert!(matches!(Fleet::start(options).await, Err(LabError::NoScenario)));
}
