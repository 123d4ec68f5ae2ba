//! Certificates against the published table and against one of a partner.

use super::expectation_file::{named, parse};
use crate::model::{CertificateFacts, Expectation, Sha256, TrustedRoot};
use crate::trust::expectation::{SeenLeaf, judge};
use crate::x509;
use jiff::Timestamp;
use std::sync::Arc;

const G2: &str = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f";
const BALTIMORE: &str = "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb";

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn leaf(subject: &str, name: &str, bits: u32) -> CertificateFacts {
    CertificateFacts {
        subject: Some(subject.to_string()),
        issuer: Some("C=US, O=DigiCert Inc, CN=DigiCert Cloud Services CA-1".into()),
        common_name: Some(name.to_string()),
        key_bits: Some(bits),
        ..x509::read(b"")
    }
}

fn microsoft() -> CertificateFacts {
    let name = "mail.protection.outlook.com";
    leaf(&format!("C=US, O=Microsoft Corporation, OU=Microsoft Corporation, CN={name}"), name, 2048)
}

fn root(name: &str, sha256: Option<&str>) -> TrustedRoot {
    TrustedRoot {
        subject: Some(format!("CN={name}")),
        common_name: Some(name.to_string()),
        sha256: sha256.map(|hex| Sha256::parse(hex).unwrap()),
        trusted_by: vec!["microsoft".into()],
    }
}

fn told(expectation: &Expectation, leaf: &CertificateFacts, root: Option<&TrustedRoot>, day: &str) -> String {
    let expectations = [Arc::new(expectation.clone())];
    let judged = judge(&expectations, SeenLeaf { leaf, root, chain: "untrusted_root" }, at(day));
    format!("{}: {}", judged[0].status, judged[0].detail)
}

#[test]
fn the_published_table_goes_by_dates() {
    let table = named("exchange-online").unwrap();
    let (g2, ca) = (root("DigiCert Global Root G2", Some(G2)), root("DigiCert Global Root CA", None));
    let baltimore = root("Baltimore CyberTrust Root", Some(BALTIMORE));
    for (root, day, expected) in [
        (&g2, "2026-11-24", "current: DigiCert Global Root G2"),
        (&g2, "2026-03-15", "current: DigiCert Global Root G2"),
        (&g2, "2026-03-14", "unexpected: DigiCert Global Root G2, but only from 2026-03-15"),
        (&ca, "2026-11-24", "current: DigiCert Global Root CA"),
        (&ca, "2020-09-23", "unexpected: DigiCert Global Root CA, but only from 2020-09-24"),
        (&baltimore, "2026-11-24", "deprecated: Baltimore CyberTrust Root, until 2018-09-03"),
    ] {
        assert_eq!(told(&table, &microsoft(), Some(root), day), expected, "{day}");
    }
}

#[test]
fn a_difference_is_named_attribute_by_attribute() {
    let table = named("exchange-online").unwrap();
    let other = root("ISRG Root X1", Some(&"ab".repeat(32)));
    assert_eq!(
        told(&table, &microsoft(), Some(&other), "2026-11-24"),
        "unexpected: not DigiCert Global Root CA: root is ISRG Root X1, expected DigiCert Global Root CA"
    );
    // A fingerprint that differs is not made good by the name.
    let forged = root("DigiCert Global Root G2", Some(&"ab".repeat(32)));
    assert!(told(&table, &microsoft(), Some(&forged), "2026-11-24").starts_with("unexpected: "));
    let text = "name = 'p'\n[[certificate]]\nstatus = 'current'\nsource = 'x'\nroot = 'R'\nissuer = 'Sub CA'\n\
        name = 'mx.p.example'\norganization = 'P, Inc.'\nunit = 'Mail'\nkey_bits = 3072\n";
    let partner = parse(text).unwrap();
    let mut seen = leaf("O=P\\, Inc., OU=Post + OU=Mail, CN=old", "old", 3072);
    seen.issuer = Some("CN=Sub CA".into());
    seen.dns_names = vec!["MX.p.example".into()];
    let right = root("R", None);
    assert_eq!(told(&partner, &seen, Some(&right), "2026-11-24"), "current: R");
    let wrong = leaf("O=P, CN=old", "old", 2048);
    assert_eq!(
        told(&partner, &wrong, Some(&right), "2026-11-24"),
        "unexpected: not R: issuer is DigiCert Cloud Services CA-1, expected Sub CA; name is old, expected \
         mx.p.example; organization is P, expected P, Inc.; unit is missing, expected Mail; key_bits is 2048, \
         expected 3072"
    );
}

#[test]
fn what_cannot_be_told_is_undetermined() {
    let table = named("exchange-online").unwrap();
    let open = told(&table, &microsoft(), None, "2026-11-24");
    assert!(
        open.starts_with("undetermined: ") && open.ends_with("root not determined, chain untrusted_root"),
        "{open}"
    );
    // What differs anyway is told as such.
    let other = leaf("O=Other, CN=mx.other.example", "mx.other.example", 2048);
    assert!(told(&table, &other, None, "2026-11-24").starts_with("unexpected: "));
}
