//! `mxray tlsrpt`: what a run saw, as RFC 8460 §4.4 shapes it.

use crate::fleet::Lab;
use serde_json::{Value, json};

fn report(lab: &Lab, words: &str) -> Value {
    let ran = lab.folder.run(words.split(' '));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn what_was_seen_of_a_domain_has_the_shape_of_a_report() {
    let lab = Lab::playing(&["starttls_absent"], 2);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!(run["summary"]["policies"]["dane"], json!({ "none: insecure_addresses": 2 }));
    assert!(!ran.stdout.contains("Not asked"), "{}", ran.stdout);
    let told = report(&lab, "tlsrpt run --domain D2.example");
    let expected = json!({
        "policy-type": "no-policy-found", "policy-string": [], "policy-domain": "d2.example", "mx-host": [],
    });
    assert_eq!(told["policies"][0]["policy"], expected);
    let counts = json!({ "total-successful-session-count": 0, "total-failure-session-count": 1 });
    assert_eq!(told["policies"][0]["summary"], counts);
    let failure = &told["policies"][0]["failure-details"][0];
    assert_eq!(failure["result-type"], "starttls-not-supported");
    assert_eq!(failure["receiving-mx-hostname"], "mx1.d2.example");
    assert_eq!(failure["failure-reason-code"], "starttls_not_offered");
    assert!(told["organization-name"].as_str().unwrap().contains("no mail was sent"), "{told}");
    let days = [&told["date-range"]["start-datetime"], &told["date-range"]["end-datetime"]];
    assert!(days.iter().all(|day| day.as_str().unwrap().parse::<jiff::Timestamp>().is_ok()), "{told}");
    assert_eq!(told["policies"].as_array().unwrap().len(), 1);
    assert_eq!(told["not-determined"], json!([]));
}

/// That there is no policy is a claim of its own.
#[test]
fn what_was_not_asked_is_no_policy_that_is_not_there() {
    for (flags, of_tlsa, of_sts) in
        [("--no-dane --no-mta-sts", true, true), ("--no-dane", true, false), ("--no-mta-sts", false, true)]
    {
        let lab = Lab::playing(&["starttls_absent"], 1);
        let ran =
            lab.folder.run(lab.args(&format!("scan list -o run --allow-private --summary full {flags}")));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let of_both = if of_tlsa && of_sts { ", TLS-RPT" } else { "" };
        let parts = [("DANE", of_tlsa), ("MTA-STS", of_sts)];
        let parts: Vec<&str> =
            parts.into_iter().filter(|(_, is_left_out)| *is_left_out).map(|(it, _)| it).collect();
        let line = format!("\nNot asked: {}{of_both}\n", parts.join(", "));
        assert!(ran.stdout.contains(&line), "{flags}: {}", ran.stdout);
        let told = report(&lab, "tlsrpt run --domain d1.example");
        assert_eq!(told["policies"], json!([]), "{flags}: {told}");
        let tlsa = of_tlsa.then_some("TLSA records of mx1.d1.example were not asked for.");
        let sts = of_sts.then_some("MTA-STS was not asked for.");
        let expected: Vec<&str> = tlsa.into_iter().chain(sts).collect();
        assert_eq!(told["not-determined"], json!(expected), "{flags}");
    }
}

/// Each scenario of a policy that fails, and what a report calls it.
#[test]
fn what_fails_under_tlsa_records_has_its_result() {
    for (scenario, result, reason) in [
        ("dane_mismatch", "tlsa-invalid", "dane mismatch"),
        ("dane_unusable_usage", "tlsa-invalid", "dane unusable"),
        ("dane_ta_other_name", "certificate-host-mismatch", "dane name_mismatch"),
        ("dane_ta_expired", "certificate-expired", "dane certificate_expired"),
        ("dane_no_tls", "starttls-not-supported", "dane no_tls: starttls_not_offered"),
        ("dane_handshake_failure", "validation-failure", "dane no_tls: offer_refused"),
        ("dane_bogus", "dnssec-invalid", "dane bogus"),
    ] {
        let lab = Lab::playing(&[scenario], 1);
        lab.folder.run(lab.args("scan list -o run --allow-private"));
        let told = report(&lab, "tlsrpt run --domain d1.example");
        let policy = &told["policies"][0];
        assert_eq!(policy["policy"]["policy-type"], "tlsa", "{scenario}: {told}");
        assert_eq!(policy["policy"]["policy-domain"], "mx1.d1.example", "{scenario}");
        assert_eq!(policy["summary"]["total-successful-session-count"], 0, "{scenario}");
        let failure = &policy["failure-details"][0];
        assert_eq!(
            (&failure["result-type"], &failure["failure-reason-code"]),
            (&result.into(), &reason.into())
        );
    }
    let lab = Lab::playing(&["dane_ee_key"], 1);
    lab.folder.run(lab.args("scan list -o run --allow-private"));
    let told = report(&lab, "tlsrpt run --domain d1.example");
    assert_eq!(told["policies"][0]["summary"]["total-successful-session-count"], 1, "{told}");
    assert_eq!(told["policies"][0]["failure-details"], json!([]));
    let record = told["policies"][0]["policy"]["policy-string"][0].as_str().unwrap();
    assert!(record.starts_with("3 1 1 ") && record.len() == 6 + 64, "{record}");
}

#[test]
fn a_domain_that_the_run_has_not_and_a_file_that_is_there_are_errors() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    lab.folder.run(lab.args("scan list -o run --allow-private"));
    let unknown = lab.folder.run("tlsrpt run --domain other.example".split(' '));
    assert_eq!(
        (unknown.code, unknown.stderr.as_str()),
        (Some(1), "mxray: the run has no domain other.example\n")
    );
    let written = lab.folder.run("tlsrpt run --domain d1.example -o report.json".split(' '));
    assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (Some(0), "", ""));
    let first = lab.folder.read("report.json");
    assert!(first.contains("\"total-successful-session-count\": 1"), "{first}");
    let again = lab.folder.run("tlsrpt run --domain d1.example -o report.json".split(' '));
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (Some(2), "mxray: report.json is there already; choose another with -o\n")
    );
    let nowhere = lab.folder.run("tlsrpt run --domain d1.example -o no/report.json".split(' '));
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.stderr);
    assert!(nowhere.stderr.starts_with("mxray: cannot write no/report.json: "), "{}", nowhere.stderr);
    assert_eq!(lab.folder.read("report.json"), first);
}
