//! `--connectors`: what becomes of mail under forced TLS, from file to row.

use crate::fleet::Lab;
use serde_json::Value;

const COLUMNS: [&str; 5] =
    ["connector", "connector_delivery", "connector_reason", "connector_code", "connector_detail"];

/// Scans the fleet under these connectors; gives the row of `d1.example`.
fn row(lab: &Lab, name: &str, connectors: &str) -> Value {
    lab.folder.write(name, connectors);
    let args = lab.args(&format!("scan list --allow-private --connectors {name} --format jsonl"));
    let ran = lab.folder.run(args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let rows = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.into_iter().find(|row| row["domain"] == "d1.example").unwrap()
}

fn texts<'a>(row: &'a Value, columns: &[&str]) -> Vec<&'a str> {
    columns.iter().map(|column| row[*column].as_str().unwrap_or("-")).collect()
}

#[test]
fn a_name_that_was_not_agreed_defers_the_mail() {
    let lab = Lab::playing(&["cert_recipient_name"], 1);
    let csv = "\"Name\",\"RecipientDomains\",\"TlsSettings\",\"TlsDomain\"\r\n\
        \"To D1\",\"d1.example;*.d1.example\",\"DomainValidation\",\"*.contoso.com\"\r\n";
    let row = row(&lab, "export.csv", csv);
    let forced = ["encryption_only", "certificate_validation", "domain_validation"];
    assert_eq!(texts(&row, &forced), ["pass"; 3], "its own name would do");
    let found = texts(&row, &COLUMNS);
    assert_eq!(found[..4], ["To D1", "deferred", "name_mismatch", "450 4.4.317"]);
    let words = "SubjectMismatch Expected Subject: *.contoso.com. Presented Subject: ";
    assert!(found[4].starts_with(words) && found[4].contains(". Thumbprint: "), "{}", found[4]);
}

#[test]
fn without_starttls_mail_is_deferred_and_a_run_says_what_stops_the_rest() {
    let lab = Lab::playing(&["starttls_absent"], 1);
    let toml = "[[connector]]\nname = 'Forced'\ndomains = ['*']\ntls_settings = 'EncryptionOnly'\n\
        [[connector]]\nname = 'Old'\nenabled = false\ndomains = ['d1.example']\n";
    let row = row(&lab, "connectors.toml", toml);
    assert_eq!(
        texts(&row, &COLUMNS),
        [
            "Forced",
            "deferred",
            "starttls_not_offered",
            "450 4.4.317",
            "451 5.7.3 STARTTLS is required to send mail"
        ]
    );
    let ran = lab.folder.run(lab.args("scan list --allow-private --connectors connectors.toml -o run"));
    for line in [
        "\nForced TLS fails EncryptionOnly: starttls_not_offered 1\n",
        "\nYour connectors  Forced: deferred 1\n",
        "d1.example by Forced: deferred, starttls_not_offered\n",
    ] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!(run["summary"]["forced_tls"]["strengths"]["none"], 1);
    assert_eq!(run["judged_by"]["connectors_left_out"], serde_json::json!(["Old"]));
    let ran = lab.folder.run(lab.args("probe d1.example --allow-private --connectors connectors.toml"));
    assert!(ran.stdout.contains("connector `Forced`: deferred (starttls_not_offered)"), "{}", ran.stdout);
}

#[test]
fn smart_hosts_are_probed_instead_of_the_mx() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let toml = "[[connector]]\nname = 'Relay'\ndomains = ['d1.example']\ntls_settings = 'EncryptionOnly'\n\
        use_mx_record = false\nsmart_hosts = ['mx1.d2.example']\n";
    let row = row(&lab, "connectors.toml", toml);
    assert_eq!(
        texts(&row, &["mx_host", "connector", "connector_delivery"]),
        ["mx1.d2.example", "Relay", "delivered"]
    );
    assert_eq!(row["smart_hosts"], true);
}

/// An export of no connector at all is no mistake that ends a run, but is told.
#[test]
fn a_file_without_a_connector_is_told() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    for (name, text) in [
        ("empty.toml", ""),
        ("header.csv", "Name,RecipientDomains,TlsSettings\n"),
        ("accepted.toml", "accepted_domains = ['a.example']\n"),
    ] {
        lab.folder.write(name, text);
        let words = format!("probe d1.example --allow-private --connectors {name}");
        let ran = lab.folder.run(lab.args(&words));
        let told = format!(
            "mxray: warning: --connectors {name}: there is no connector in it, so no mail goes by one\n"
        );
        assert_eq!((ran.code, ran.stderr), (Some(0), told));
    }
}
