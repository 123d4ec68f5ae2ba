//! The choice among connectors, as tables.

use super::*;
use crate::model::connector::{MtaStsMode, SmtpDaneMode};
use crate::model::{SmartHost, TlsDomain, TlsSettings};

fn connector(name: &str, recipients: &[&str]) -> Connector {
    Connector {
        name: name.into(),
        recipients: recipients.iter().map(|text| Recipients::parse(text).unwrap()).collect(),
        all_accepted_domains: false,
        tls_settings: TlsSettings::None,
        tls_domain: None,
        smart_hosts: Vec::new(),
        smtp_dane_mode: SmtpDaneMode::default(),
        mta_sts_mode: MtaStsMode::default(),
    }
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

#[test]
fn exact_comes_before_accepted_before_the_longest_wildcard() {
    let all = vec![
        connector("any", &["*"]),
        connector("gov", &["*.gov"]),
        connector("below", &["*.contoso.com"]),
        connector("deeper", &["*.mail.contoso.com"]),
        connector("exact", &["contoso.com", "a.mail.contoso.com"]),
        Connector { all_accepted_domains: true, ..connector("accepted", &[]) },
    ];
    let accepted = ["contoso.com", "b.mail.contoso.com", "fabrikam.com"].map(domain);
    let connectors = Connectors::new(all, accepted.to_vec()).unwrap();
    for (name, expected) in [
        ("contoso.com", "exact"),
        ("a.mail.contoso.com", "exact"),
        ("b.mail.contoso.com", "accepted"),
        ("fabrikam.com", "accepted"),
        ("c.mail.contoso.com", "deeper"),
        ("d.c.mail.contoso.com", "deeper"),
        ("mail.contoso.com", "below"),
        ("xcontoso.com", "any"),
        ("example.gov", "gov"),
        ("example.com", "any"),
    ] {
        assert_eq!(&*connectors.choose(&domain(name)).unwrap().name, expected, "{name}");
    }
}

#[test]
fn a_wildcard_does_not_take_its_own_parent() {
    let connectors = Connectors::new(vec![connector("below", &["*.contoso.com"])], Vec::new()).unwrap();
    assert!(connectors.choose(&domain("contoso.com")).is_none());
    assert!(connectors.choose(&domain("a.contoso.com")).is_some());
    assert!(Connectors::default().choose(&domain("contoso.com")).is_none());
}

#[test]
fn two_that_take_the_same_mail_are_refused() {
    for (recipients, accepted, expected) in [
        ("contoso.com", false, "connectors `a` and `b` both take contoso.com"),
        ("*.Contoso.com", false, "connectors `a` and `b` both take *.contoso.com"),
        ("*", false, "connectors `a` and `b` both take *"),
        ("*.a.example", true, "connectors `a` and `b` both take *.a.example"),
    ] {
        let one = |name: &str| Connector { all_accepted_domains: accepted, ..connector(name, &[recipients]) };
        let error = Connectors::new(vec![one("a"), one("b")], Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let one = |name: &str| Connector { all_accepted_domains: true, ..connector(name, &[]) };
    let error = Connectors::new(vec![one("a"), one("b")], Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "connectors `a` and `b` both take all accepted domains");
    assert!(Connectors::new(vec![connector("a", &["b.example", "B.example."])], Vec::new()).is_ok());
}

#[test]
fn wildcards_stand_for_whole_labels_on_the_left() {
    for (text, expected) in [
        ("*.contoso.com", Some("*.contoso.com")),
        ("Contoso.COM.", Some("contoso.com")),
        ("*.gov", Some("*.gov")),
        ("mail.*.contoso.com", None),
        ("*contoso.com", None),
        ("*.*.contoso.com", None),
        ("*.", None),
        ("*..com", None),
        ("", None),
        ("contoso", None),
    ] {
        assert_eq!(
            TlsDomain::parse(text).ok().map(|parsed| parsed.to_string()).as_deref(),
            expected,
            "{text}"
        );
        let recipients = Recipients::parse(text).ok().map(|parsed| parsed.to_string());
        assert_eq!(recipients.as_deref(), expected, "{text}");
    }
    assert!(TlsDomain::parse("*").is_err());
    assert_eq!(Recipients::parse("*"), Ok(Recipients::Any));
}

#[test]
fn a_range_stands_for_its_addresses() {
    for (text, expected) in
        [("192.0.2.7/32", 1), ("192.0.2.0/30", 2), ("192.0.2.0/24", 254), ("2001:db8::/120", 256)]
    {
        let host = SmartHost::Range(text.parse().unwrap());
        assert_eq!(host.addresses().len(), expected, "{text}");
    }
    assert_eq!(SmartHost::Range("192.0.2.7/32".parse().unwrap()).to_string(), "192.0.2.7");
}
