//! The name of a certificate, in the forms in which it is written.

use super::*;
use crate::model::Sha256;

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
