//! `mxray scan --enumerate`: suites and groups in tables of their own.

use crate::fleet::Lab;
use std::collections::BTreeMap;

fn rows(lab: &Lab, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = lab.folder.read(&format!("run/{file}"));
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.unwrap()).collect()
}

/// The values of one column in the rows of one version.
fn of(rows: &[BTreeMap<String, String>], version: &str, column: &str) -> Vec<String> {
    rows.iter().filter(|row| row["tls_version"] == version).map(|row| row[column].clone()).collect()
}

#[test]
fn suites_and_groups_have_their_tables() {
    let lab = Lab::playing(&["tls12_rsa"], 1);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private --enumerate"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let (suites, groups) = (rows(&lab, "suites.csv"), rows(&lab, "groups.csv"));
    let tls12 = of(&suites, "TLSv1.2", "cipher_suite");
    assert!(tls12.contains(&"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".to_string()), "{tls12:?}");
    assert_eq!(of(&suites, "TLSv1.2", "position")[0], "1");
    assert_eq!(of(&suites, "TLSv1.3", "cipher_suite"), [""]);
    assert_eq!(of(&suites, "SSLv3", "complete"), ["yes"]);
    assert!(of(&groups, "TLSv1.2", "key_exchange_group").contains(&"secp256r1".to_string()), "{groups:?}");
    let connections: u64 = suites[0]["connections"].parse().unwrap();
    assert_eq!(lab.connections(), connections + 2, "the scanner's own handshake, and the sender's own hello");
}

#[test]
fn what_may_be_missing_has_its_reason() {
    let lab = Lab::playing(&["tls12_ecdsa"], 1);
    let scan = |more: &str| {
        let ran = lab.folder.run(lab.args(&format!("scan list --allow-private --enumerate {more}")));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    };
    scan("-o run");
    let groups = rows(&lab, "groups.csv");
    let told = |row: &BTreeMap<String, String>| [row["complete"].clone(), row["incomplete_reason"].clone()];
    assert!(groups.iter().any(|row| told(row) == ["no", "certificate_curve"]), "{groups:?}");
    scan("-o short --enumerate-connections 3");
    let suites = rows(&lab, "../short/suites.csv");
    assert!(suites.iter().any(|row| told(row) == ["no", "budget"]), "{suites:?}");
}

#[test]
fn without_the_option_nothing_is_enumerated() {
    let lab = Lab::playing(&["tls12_rsa"], 1);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private --extra-client-hellos 0"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(lab.connections(), 1);
    for table in ["suites", "groups"] {
        assert!(!lab.folder.path().join(format!("run/{table}.csv")).exists(), "{table}");
        let ran = lab.folder.run(["export", "run", "--tables", table]);
        assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.lines().count()), (Some(0), "", 1), "{table}");
    }
    let report = || lab.folder.run(["report", "run", "-o", "-"]);
    let without = report();
    assert_eq!((without.code, without.stderr.as_str()), (Some(0), ""));
    // As an older version wrote them.
    lab.folder.write("run/suites.csv", "ip,port\n");
    lab.folder.write("run/groups.csv", "");
    let ran = lab.folder.run(["judge", "run", "-o", "again"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(!lab.folder.path().join("again/suites.csv").exists());
}

#[test]
fn a_run_that_enumerates_has_its_tables() {
    let lab = Lab::playing(&["tls12_rsa"], 1);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private --enumerate"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for table in ["suites", "groups"] {
        let name = format!("run/{table}.csv");
        let text = lab.folder.read(&name);
        std::fs::remove_file(lab.folder.path().join(&name)).unwrap();
        for words in ["report run -o -", &format!("export run --tables {table}")] {
            let ran = lab.folder.run(words.split(' '));
            assert_eq!(ran.code, Some(2), "{words}: {}", ran.stdout);
            let told = format!("mxray: cannot read {name}: No such file");
            assert!(ran.stderr.starts_with(&told), "{words}: {}", ran.stderr);
        }
        lab.folder.write(&name, text);
    }
}

/// It hangs up on hellos of over 255 bytes; a part of the list fits into less.
#[test]
fn a_server_that_stands_short_hellos_only_is_asked_in_parts() {
    let lab = Lab::playing(&["intolerant_long_hello"], 1);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private --enumerate"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let suites = rows(&lab, "suites.csv");
    let expected = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    assert_eq!(of(&suites, "TLSv1.2", "cipher_suite"), expected);
    assert_eq!(of(&suites, "TLSv1.2", "complete"), ["yes", "yes"]);
}

/// The summary counted while the run went on, and the page from the tables.
#[test]
fn what_enumerations_found_stands_on_the_page() {
    let lab = Lab::playing(&["tls12_rsa", "tls13_ecdsa", "starttls_absent"], 12);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private --enumerate"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run: serde_json::Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    let found = &run["summary"]["enumerated"];
    let page = lab.folder.run("report run -o - --format md".split(' ')).stdout;
    let total = found["total"].as_u64().unwrap();
    assert!(
        total > 1 && page.contains(&format!("The suites and groups of {total} endpoints were enumerated"))
    );
    let section = page.split("### TLS: everything that servers take").nth(1).unwrap();
    let section = section.split("\n### ").next().unwrap();
    let mut told = 0;
    for part in ["versions", "classes", "suites", "groups", "preference"] {
        for (name, count) in found[part].as_object().unwrap() {
            assert!(section.contains(&format!("| {name} | {count} | ")), "{part}: {name} {count}\n{section}");
            told += 1;
        }
    }
    // The lists of suites; of the summary's the lists of groups are a part, and one of those
    // cannot be complete beside a certificate of ECDSA.
    let lists = section.split("Lists of suites: whether they are complete").nth(1).unwrap();
    assert!(lists.contains(&format!("| complete | {total} | ")), "{lists}");
    assert!(lists.contains("| incomplete: certificate_curve |"));
    assert!(told > 8, "{told}");
    let ran = lab.folder.run(lab.args("scan list -o plain --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let page = lab.folder.run("report plain -o - --format md".split(' ')).stdout;
    assert!(!page.contains("everything that servers take"));
}
