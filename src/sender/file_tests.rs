//! The senders that come with mxray, held to the facts; and files that are none.

use super::*;
use crate::model::{CipherSuite, ProtocolVersion};
use crate::sender::AfterTlsFailure;

fn all() -> Vec<Sender> {
    Sender::names().into_iter().map(|name| Sender::named(name).unwrap()).collect()
}

#[test]
fn each_is_named_as_its_file() {
    for name in Sender::names() {
        assert_eq!(&*Sender::named(name).unwrap().name, name);
    }
    let error = Sender::named("exchange").unwrap_err().to_string();
    assert!(error.contains("exchange-online-2018, exchange-online-2020"), "{error}");
}

/// Rows of a CSV file with a header, some columns of each.
fn rows(text: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let places: Vec<usize> =
        columns.iter().map(|name| header.iter().position(|known| known == *name).unwrap()).collect();
    let row = |row: csv::StringRecord| places.iter().map(|place| row[*place].to_string()).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[test]
fn exchange_online_offers_the_published_lists_in_their_order() {
    let published = rows(
        include_str!("../../datasets/exchange-online/cipher-suites.csv"),
        &["table", "suite", "iana_code"],
    );
    let list = |table: &str| -> Vec<String> {
        let of_table = published.iter().filter(|row| row[0].contains(table));
        of_table.map(|row| row[1].clone()).collect()
    };
    let offered = |name: &str| -> Vec<String> {
        Sender::named(name).unwrap().suites.value.iter().map(|suite| suite.to_string()).collect()
    };
    assert_eq!(offered("exchange-online"), list("table 1"));
    assert_eq!(offered("exchange-online-2020"), list("table 1"));
    assert_eq!(offered("exchange-online-2018"), list("2019-2020"));
    for row in &published {
        let code = u16::from_str_radix(&row[2][2..], 16).unwrap();
        assert_eq!(CipherSuite(code).to_string(), row[1]);
    }
}

#[test]
fn no_sender_of_exchange_online_offers_old_versions_or_ecdsa_suites_after_2018() {
    for name in ["exchange-online", "exchange-online-2020"] {
        let sender = Sender::named(name).unwrap();
        assert!(sender.versions.value.iter().all(|version| *version >= ProtocolVersion::TLS12));
        assert!(sender.suites.value.iter().all(|suite| !suite.name().contains("ECDSA")));
    }
    let old = Sender::named("exchange-online-2018").unwrap();
    assert_eq!(old.versions.value.last(), Some(&ProtocolVersion::TLS10));
}

#[test]
fn the_codes_of_exchange_online_stand_in_the_published_table() {
    let published = rows(include_str!("../../datasets/exchange-online/smtp-codes.csv"), &["code", "text"]);
    // The code of an inner error stands in the words that are logged.
    let published: Vec<String> = published.iter().map(|row| row.join(" ")).collect();
    let sender = Sender::named("exchange-online").unwrap();
    for (situation, code) in &sender.codes {
        let enhanced = code.code.split(' ').next_back().unwrap();
        let words = code.text.split('{').next().unwrap();
        for part in [enhanced, words] {
            assert!(published.iter().any(|row| row.contains(part)), "{situation:?}: {part}");
        }
    }
}

#[test]
fn what_is_not_published_says_what_is_assumed() {
    for sender in all() {
        assert!(sender.after_tls_failure.source.is_some() || sender.after_tls_failure.assumption.is_some());
        if sender.name.starts_with("exchange-online") {
            assert!(sender.after_tls_failure.is_assumed(), "{}", sender.name);
            assert!(sender.wildcard_covers_apex.is_assumed(), "{}", sender.name);
        }
    }
}

#[test]
fn an_override_is_a_source_of_its_own() {
    let sender = Sender::named("exchange-online").unwrap().with_after_tls_failure(AfterTlsFailure::Plaintext);
    assert_eq!(sender.after_tls_failure.value, AfterTlsFailure::Plaintext);
    assert!(!sender.after_tls_failure.is_assumed());
}

#[test]
fn offers_are_told_apart_by_every_list() {
    let mut ids: Vec<String> = all().iter().map(|sender| sender.offer().id()).collect();
    // All levels of Postfix say the same in their hello.
    for level in ["postfix-may", "postfix-encrypt", "postfix-dane"] {
        let again = Sender::named(level).unwrap().offer().id();
        let place = ids.iter().position(|id| *id == again).unwrap();
        ids.remove(place);
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn files_that_are_no_senders_say_why_in_a_line() {
    let text = include_str!("../../datasets/senders/exchange-online.toml");
    for (from, to, cause) in [
        ("requires_tls", "requires_TLS", "requires_TLS"),
        ("\"TLSv1.3\", \"TLSv1.2\"", "\"TLSv1.2\", \"TLSv1.3\"", "versions: not newest first"),
        ("\"TLSv1.3\", \"TLSv1.2\"", "\"TLSv1.2\"", "suites_tls13: needed if "),
        ("\"TLSv1.3\", \"TLSv1.2\"", "\"TLSv1.4\"", "versions.value: no TLS version is named `TLSv1.4`"),
        ("\"secp384r1\", \"secp256r1\"", "\"secp256r1\", \"secp256r1\"", "groups: secp256r1 occurs twice"),
        ("\"defer\"", "\"bounce\"", "after_tls_failure.value: unknown value `bounce`"),
        ("[codes.expired]", "[codes.perished]", "unknown value `perished`"),
        ("value = 24", "value = 0", "retry_hours: not between 1 and 8760"),
        ("value = 24", "value = -24", "retry_hours.value: "),
        ("value = 24", "value = \"a day\"", "expected a whole number, 0 or more"),
        ("title = \"Ex", "title = \"A\\nEx", "title: a line break"),
        (
            "[requires_tls]\nvalue = false",
            "[requires_tls]\nvalue = true",
            "after_starttls_5xx: plaintext, and ",
        ),
        ("[groups]\n", "[groups]\nvalues = []\n", "unknown key `values`"),
        ("[groups]\n", "[groups]\nvalue = []\n", "value: duplicate key"),
        ("[groups]\nvalue", "[groups]\n#", "missing key `value`"),
        ("Message expired", " ", "codes.expired: an empty text"),
        (
            "source = '''Microsoft: certificates",
            "assumption = ''' '''#",
            "refuses_sha1_certificates: an empty text",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Sender::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(cause) && !error.contains('\n'), "{error}");
    }
    let bare = text.replacen("source = '''Microsoft: certificates", "# '''", 1);
    let error = Sender::parse(&bare).unwrap_err().to_string();
    assert_eq!(error, "line 38: refuses_sha1_certificates: neither source nor assumption");
}

/// The file of Exchange Online with `to` for each `from` in it.
fn refusal(from: &str, to: &str) -> String {
    let text = include_str!("../../datasets/senders/exchange-online.toml");
    assert!(text.contains(from), "{from}");
    let error = Sender::parse(&text.replace(from, to)).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn a_hello_that_nobody_can_send_is_refused_with_key_and_line() {
    let groups = r#"["secp384r1", "secp256r1"]"#;
    let schemes = "signature_schemes]\nvalue = [";
    for (from, to, expected) in [
        (
            "    \"TLS_AES_128_GCM_SHA256\",\n",
            "    \"TLS_RSA_WITH_AES_128_GCM_SHA256\",\n",
            "line 9: suites_tls13: TLS_RSA_WITH_AES_128_GCM_SHA256 is not a suite of TLS 1.3",
        ),
        (
            "\"TLS_RSA_WITH_AES_128_GCM_SHA256\"",
            "\"TLS_AES_128_GCM_SHA256\"",
            "line 16: suites: TLS_AES_128_GCM_SHA256 is for TLS 1.3 only",
        ),
        (
            "\"TLS_RSA_WITH_AES_128_GCM_SHA256\"",
            "\"TLS_FALLBACK_SCSV\"",
            "line 16: suites: TLS_FALLBACK_SCSV is a signal, not a suite",
        ),
        (groups, "[]", "line 29: groups: there are none, and TLS_AES_256_GCM_SHA384 needs one"),
        (
            schemes,
            "signature_schemes]\nvalue = [] #",
            "line 34: signature_schemes: there are none, and TLSv1.3 needs one",
        ),
        (
            "code = \"450 4.7.320\"",
            "code = \"450 5.7.320\"",
            "line 149: codes.certificate_invalid: `450 5.7.320` is not the code of a failure",
        ),
        ("{thumbprint}", "{thumb}", "nothing is known for {thumb}"),
        ("value = 24", "value = 24.5", "line 111: retry_hours.value: invalid type: floating point"),
    ] {
        let found = refusal(from, to);
        assert!(found.contains(expected), "{found}, not {expected}");
        assert!(found.starts_with("line "), "{found}");
    }
}

#[test]
fn what_older_versions_do_without_may_be_missing() {
    let text = include_str!("../../datasets/senders/exchange-online-2018.toml");
    let sender = Sender::parse(text).unwrap();
    let offers = |versions: &[ProtocolVersion], suites: &[u16]| {
        let mut sender = sender.clone();
        sender.versions.value = versions.to_vec();
        sender.suites_tls13.value.clear();
        sender.suites.value = suites.iter().copied().map(CipherSuite).collect();
        sender.groups.value.clear();
        sender.signature_schemes.value.clear();
        super::super::check::check(&sender).map_err(|fault| fault.in_file(""))
    };
    let (rsa, ecdhe) = (0x002f, 0xc013);
    assert_eq!(offers(&[ProtocolVersion::TLS10], &[rsa]), Ok(()));
    let told = "groups: there are none, and TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA needs one";
    assert_eq!(offers(&[ProtocolVersion::TLS10], &[rsa, ecdhe]), Err(told.to_string()));
    let told = "signature_schemes: there are none, and TLSv1.2 needs one";
    assert_eq!(offers(&[ProtocolVersion::TLS12], &[rsa]), Err(told.to_string()));
}
