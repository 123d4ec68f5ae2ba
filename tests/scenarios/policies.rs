//! What the files of the scenarios cannot say of DANE and MTA-STS: a resolver
//! that does not validate, and how often a policy is fetched.

use super::{domains, list_of, scan, scan_with};
use mxray::internals::lab::{Fleet, FleetOptions, scenario};

async fn fleet(name: &str, count: usize, validating: bool) -> Fleet {
    let options = FleetOptions::new(domains(count, "example")).unwrap();
    let scenarios = vec![scenario(name).unwrap()];
    Fleet::start(FleetOptions { scenarios, validating, ..options }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_resolver_validates_nothing_is_told_of_dane() {
    const OPEN: &str = "undetermined:no_validating_resolver";
    // What would be bogus, wrong and right comes to the same.
    for name in ["dane_ee_key", "dane_mismatch", "dane_bogus", "dane_none"] {
        let fleet = fleet(name, 1, false).await;
        let run = scan(&fleet, list_of(&domains(1, "example"))).await;
        let rows = run.rows("domains.csv");
        let told = ["delivery", "authenticated", "dane", "dnssec_mx"].map(|name| rows[0][name].as_str());
        assert_eq!(told, ["encrypted", OPEN, OPEN, OPEN], "{name}");
        assert_eq!(rows[0]["basis"], "inferred", "{name}");
        assert_eq!(rows[0]["tls_rpt_result"], "", "{name}");
        let asked = fleet.counters().queries;
        assert!(asked.keys().all(|(_, kind)| kind != "TLSA"), "{name}: {asked:?}");
        fleet.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mta_sts_needs_no_resolver_that_validates() {
    let fleet = fleet("sts_old_mx", 1, false).await;
    let run = scan(&fleet, list_of(&domains(1, "example"))).await;
    let rows = run.rows("domains.csv");
    let told = ["delivery", "reason", "mta_sts"].map(|name| rows[0][name].as_str());
    assert_eq!(told, ["deferred", "sts_mx_not_listed", "mx_not_listed"]);
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_is_fetched_once_and_none_where_nobody_wants_it() {
    for (options, times) in [(&[][..], Some(&1)), (&[("--no-mta-sts", "")], None)] {
        let fleet = fleet("sts_enforce", 5, true).await;
        let domains = domains(5, "example");
        let run = scan_with(&fleet, list_of(&[domains.clone(), domains.clone()].concat()), options).await;
        assert_eq!(run.rows("domains.csv").len(), 10);
        let counted = fleet.counters().policies;
        for domain in domains {
            assert_eq!(counted.get(&format!("mta-sts.{domain}")), times, "{domain} {options:?}");
        }
        fleet.shutdown().await;
    }
}

/// A failure that may pass is no last word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_host_that_may_do_otherwise_later_is_asked_again() {
    let again = [("--retries", "2"), ("--retry-delay", "10ms")];
    for (name, times) in [("sts_http_500", 3), ("sts_http_404", 1)] {
        let fleet = fleet(name, 1, true).await;
        let domains = domains(1, "example");
        let run = scan_with(&fleet, list_of(&domains), &again).await;
        let rows = run.rows("domains.csv");
        let told = ["delivery", "mta_sts"].map(|column| rows[0][column].as_str());
        assert_eq!(told, ["encrypted", "http_status"], "{name}");
        assert_eq!(fleet.counters().policies.get("mta-sts.d0.example"), Some(&times), "{name}");
        fleet.shutdown().await;
    }
}
