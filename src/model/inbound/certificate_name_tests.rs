//! The name of a certificate, in the forms in which it is written.

use super::*;
use crate::model::Sha256;
use proptest::collection::vec;
use proptest::prelude::*;

/// A certificate of these names, as mxray tells them.
fn certificate(issuer: &str, subject: &str) -> CertificateFacts {
    CertificateFacts {
        issuer: Some(issuer.to_string()),
        subject: Some(subject.to_string()),
        ..crate::model::inbound::fixtures::certificate(Sha256([0; 32]))
    }
}

const ISSUER: &str = "C=US, O=Example\\, Inc., CN=Example CA";
const SUBJECT: &str = "C=DE, ST=Bayern, O=Contoso, CN=mail.contoso.com";

#[test]
fn each_form_of_a_name_is_the_same_name() {
    let seen = certificate(ISSUER, SUBJECT);
    for text in [
        // As Exchange shows it.
        "<I>CN=Example CA, O=\"Example, Inc.\", C=US<S>CN=mail.contoso.com, O=Contoso, S=Bayern, C=DE",
        "<i>CN=Example CA,O=\"Example, Inc.\",C=US<s>CN=mail.contoso.com,O=Contoso,S=Bayern,C=DE",
        // As OpenSSL and mxray do.
        "<I>C=US, O=Example\\, Inc., CN=Example CA<S>C=DE, ST=Bayern, O=Contoso, CN=mail.contoso.com",
        "<I> C = US, O = \"Example, Inc.\", CN = example  ca <S>C=de, 2.5.4.8=Bayern, O=CONTOSO, OID.2.5.4.3=mail.contoso.com",
    ] {
        assert_eq!(CertificateName::parse(text).unwrap().names(&seen), Some(true), "{text}");
    }
}

#[test]
fn another_name_is_another_certificate() {
    let seen = certificate(ISSUER, SUBJECT);
    for (from, to) in [
        ("CN=Example CA", "CN=Other CA"),
        ("CN=mail.contoso.com", "CN=mail2.contoso.com"),
        ("O=Contoso, ", ""),
        ("O=Contoso, ST=Bayern", "ST=Bayern, O=Contoso"),
        ("O=Contoso, ", "O=Contoso + "),
        ("O=Contoso", "OU=Contoso"),
    ] {
        let text =
            "<I>CN=Example CA, O=\"Example, Inc.\", C=US<S>CN=mail.contoso.com, O=Contoso, ST=Bayern, C=DE";
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        assert_eq!(CertificateName::parse(&changed).unwrap().names(&seen), Some(false), "{changed}");
    }
}

#[test]
fn a_name_that_is_not_told_whole_names_nothing_for_sure() {
    let name = CertificateName::parse("<I>CN=a<S>CN=b").unwrap();
    assert_eq!(name.names(&certificate("CN=a", "CN=b")), Some(true));
    assert_eq!(name.names(&certificate("CN=a", "CN=b…")), None);
    assert_eq!(name.names(&certificate("CN=a\\x00", "CN=b")), None);
    assert_eq!(name.names(&CertificateFacts { subject: None, ..certificate("CN=a", "") }), None);
    assert_eq!(name.names(&certificate("CN=a", "")), Some(false));
    let parts = CertificateName::parse("<I>CN=a<S>OU=\"say \"\"x\"\"\" + CN=b").unwrap();
    assert_eq!(parts.names(&certificate("CN=a", "CN=b + OU=say \"x\"")), Some(true));
}

#[test]
fn what_names_no_certificate_is_refused() {
    use CertificateNameError::{Attribute, Form, Quote, TooLong};
    for (text, error) in [
        ("CN=a", Form),
        ("<I>CN=a", Form),
        ("<S>CN=a<I>CN=b", Form),
        ("<I><S>CN=b", Form),
        ("<I>CN=a<S> ", Form),
        ("<I>CN=a<S>mail.contoso.com", Attribute("mail.contoso.com".into())),
        ("<I>O=Example, Inc., C=US<S>CN=b", Attribute("Inc., C=US".into())),
        ("<I>O=\"Example<S>CN=b", Quote),
        ("<I>O=\"Example\" x<S>CN=b", Quote),
    ] {
        assert_eq!(CertificateName::parse(text).err(), Some(error), "{text}");
    }
    let long = format!("<I>CN=a<S>CN={}", "b".repeat(CERTIFICATE_NAME_BYTES_MAX));
    assert_eq!(CertificateName::parse(&long).err(), Some(TooLong));
}

/// A name as mxray tells it, and as Windows does: the last part first, in quotes where
/// something in the value needs them.
fn in_both_forms(parts: &[(usize, String)]) -> (String, String) {
    let own = |(kind, value): &(usize, String)| {
        let escaped = value.replace(',', "\\,").replace('+', "\\+");
        format!("{}={escaped}", TYPES[*kind].0)
    };
    let windows = |(kind, value): &(usize, String)| {
        let needs_quotes = value.contains([',', '+', '"', '=', ';', '#']);
        let value = if needs_quotes { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.clone() };
        format!("{}={value}", TYPES[*kind].1.last().unwrap_or(&TYPES[*kind].0))
    };
    let own: Vec<String> = parts.iter().map(own).collect();
    let windows: Vec<String> = parts.iter().rev().map(windows).collect();
    (own.join(", "), windows.join(", "))
}

proptest! {
    #[test]
    fn every_name_is_its_own_in_the_form_of_windows(
        issuer in vec((0..TYPES.len(), "[a-zA-Zäß0-9 ,+\"=;#.*-]{0,12}"), 1..5),
        subject in vec((0..TYPES.len(), "[a-zA-Zäß0-9 ,+\"=;#.*-]{0,12}"), 1..5),
    ) {
        let ((issuer, windows_issuer), (subject, windows_subject)) =
            (in_both_forms(&issuer), in_both_forms(&subject));
        let name = CertificateName::parse(&format!("<I>{windows_issuer}<S>{windows_subject}")).unwrap();
        prop_assert_eq!(name.names(&certificate(&issuer, &subject)), Some(true));
    }

    #[test]
    fn whatever_is_given_is_read_or_refused(text in "(<[IiSs]>)?.{0,40}(<[IiSs]>)?[A-Z=\",+\\\\ ]{0,40}", told in ".{0,60}") {
        if let Ok(name) = CertificateName::parse(&text) {
            name.names(&certificate(&told, &told));
        }
    }
}
