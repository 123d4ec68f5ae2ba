//! `--expect`: certificates that were seen against those that a partner said
//! it would present.

use crate::fleet::Lab;

/// The two columns of the only row of a table of a run.
fn expectation(lab: &Lab, table: &str) -> [String; 2] {
    let mut reader = csv::Reader::from_path(lab.folder.path().join("run").join(table)).unwrap();
    let headers = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    ["cert_expectation", "cert_expectation_detail"].map(|name| {
        let place = headers.iter().position(|header| header == name).unwrap();
        row[place].to_string()
    })
}

fn file(applies_to: &str, root: &str) -> String {
    format!(
        "name = 'partner'\n[applies_to]\n{applies_to}\n[[certificate]]\nstatus = 'current'\n\
         source = 'the contract'\nroot = '{root}'\n"
    )
}

fn scanned(applies_to: &str, root: &str) -> [[String; 2]; 2] {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    std::fs::write(lab.folder.path().join("partner.toml"), file(applies_to, root)).unwrap();
    let words = "scan list --allow-private -o run --expect exchange-online --expect partner.toml";
    let ran = lab.folder.run(lab.args(words));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ["domains.csv", "endpoints.csv"].map(|table| expectation(&lab, table))
}

#[test]
fn a_partner_is_known_by_its_domain_or_its_mx() {
    let told = |status: &str, detail: &str| [status.to_string(), detail.to_string()];
    let current = told("current", "mxray lab root");
    let nothing = told("", "");
    // An endpoint is asked for no domain in particular.
    assert_eq!(scanned("domains = ['d1.example']", "mxray lab root"), [current.clone(), nothing.clone()]);
    assert_eq!(scanned("mx = ['d1.example']", "mxray lab root"), [current.clone(), current]);
    assert_eq!(scanned("mx = ['d2.example']", "mxray lab root"), [nothing.clone(), nothing]);
    let wrong = told("unexpected", "not Another Root: root is mxray lab root, expected Another Root");
    assert_eq!(scanned("mx = ['d1.example']", "Another Root"), [wrong.clone(), wrong]);
}

#[test]
fn a_transcript_tells_it() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let told = file("domains = ['d1.example']", "mxray lab root");
    std::fs::write(lab.folder.path().join("partner.toml"), told).unwrap();
    let ran = lab.folder.run(lab.args("probe d1.example --allow-private --expect partner.toml"));
    assert!(ran.stdout.contains("by expectation partner: current (mxray lab root)\n"), "{}", ran.stdout);
}
