//! Files as people have them.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Made by `openssl`; what it says of each stands in the comment before it.
const TRUSTED: &str = include_str!("../testdata/trusted.pem");
const DER: &[u8] = include_bytes!("../testdata/version-1.der");
const OTHER: &[u8] = include_bytes!("../testdata/sha1.der");

fn armoured(label: &str, der: &[u8]) -> String {
    let digits = STANDARD.encode(der);
    let lines: Vec<&str> =
        digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Number and line of what is found, `!` and its line for what is not taken.
fn found(file: &[u8]) -> Vec<String> {
    let CertificateFile { certificates, not_taken, .. } = CertificateFile::read(file);
    let line = |line: Option<u64>| line.map(|line| line.to_string()).unwrap_or_default();
    let taken = certificates.iter().map(|certificate| {
        let number = [DER, OTHER].iter().position(|der| *der == certificate.der.as_ref());
        let number = number.map_or("?".to_string(), |number| number.to_string());
        format!("{number}@{}", line(certificate.line))
    });
    let refused = not_taken.iter().map(|not_taken| format!("!{not_taken}"));
    taken.chain(refused).collect()
}

#[test]
fn no_certificate_is_lost_however_the_file_is_written() {
    let (one, two) = (armoured("CERTIFICATE", DER), armoured("CERTIFICATE", OTHER));
    let lines = one.lines().count();
    let second = format!("1@{}", lines + 1);
    let both = |text: String| (text, vec!["0@1".to_string(), second.clone()]);
    let glued = (format!("{}{two}", one.trim_end()), vec!["0@1".to_string(), format!("1@{lines}")]);
    let indented = |text: &str| text.lines().map(|line| format!("   \t{line}\n")).collect::<String>();
    let in_one_line = one.trim_end().replace('\n', " ");
    for (text, expected) in [
        both(format!("{one}{two}")),
        both(format!("\u{feff}{one}\u{feff}{two}")),
        both(format!("{one}{two}").replace('\n', "\r\n")),
        both(format!("{one}{two}").replace('\n', "\r")),
        both(format!("{}{}", indented(&one), indented(&two))),
        both(format!("{one}{}", two.trim_end())),
        both(format!("{one}{}", two.replace("CERTIFICATE", "X509 CERTIFICATE"))),
        both(format!("{}{two}", one.replace("CERTIFICATE", "TRUSTED CERTIFICATE"))),
        both(format!("{one}{}", two.replace("CERTIFICATE", "X.509 CERTIFICATE"))),
        both(format!("{one}{}{}", two.replace('=', ""), armoured("X509 CRL", DER))),
        glued,
        (format!("ca = \"{in_one_line}\""), vec!["0@1".to_string()]),
        (format!("ca: |\n{}", indented(&one)), vec!["0@2".to_string()]),
        (format!("{}{one}", armoured("EC PRIVATE KEY", b"x")), vec!["0@4".to_string()]),
        (format!("-----BEGIN PRIVATE KEY-----\nMIIB\n{one}"), vec!["0@3".to_string()]),
        (one.replacen('\n', "\nComment: a header\nX: y\n\n", 1), vec!["0@1".to_string()]),
    ] {
        assert_eq!(found(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_file_in_utf_16_is_text_by_its_mark() {
    let text = format!("\u{feff}{}{}", armoured("CERTIFICATE", DER), armoured("CERTIFICATE", OTHER));
    let units = || text.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    assert_eq!(found(&little).len(), 2);
    assert_eq!(found(&little), found(text.as_bytes()));
    assert_eq!(found(&big), found(text.as_bytes()));
}

#[test]
fn der_is_read_one_behind_another() {
    assert_eq!(found(DER), ["0@"]);
    assert_eq!(found(&[DER, OTHER, DER].concat()), ["0@", "1@", "0@"]);
    // What is behind is not passed over: it is no certificate, and refused as one.
    assert_eq!(found(&[DER, b"\n"].concat()), ["0@", "?@"]);
    assert_eq!(found(&DER[..DER.len() - 1]), ["?@"]);
}

#[test]
fn what_looks_like_a_certificate_and_is_not_taken_is_told_with_its_line() {
    let one = armoured("CERTIFICATE", DER);
    let body = one.lines().nth(1).unwrap();
    let cut_off = "cut off before `-----END CERTIFICATE-----`";
    let lone = "`-----END CERTIFICATE-----` without its begin";
    for (text, expected) in [
        ("\n-----BEGIN CERTIFICATE-----\nAAAA\n".to_string(), vec![format!("!line 2: {cut_off}")]),
        (
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n{one}"),
            vec!["0@3".into(), format!("!line 1: {cut_off}")],
        ),
        (
            "#\n-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----\n".into(),
            vec!["!line 2: not base64: Invalid symbol 42, offset 1".into()],
        ),
        (
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".into(),
            vec!["!line 1: a certificate of no bytes".into()],
        ),
        ("\r\n\r\n-----END CERTIFICATE-----\r\n".into(), vec![format!("!line 3: {lone}")]),
        (
            format!("\n----BEGIN CERTIFICATE----\n{body}"),
            vec![
                "!line 2: no `-----BEGIN CERTIFICATE-----`, but like it".into(),
                "!line 3: base64 that no `-----BEGIN CERTIFICATE-----` stands before".into(),
            ],
        ),
        (
            "\u{2013}BEGIN CERTIFICATE\u{2013}".into(),
            vec!["!line 1: no `-----BEGIN CERTIFICATE-----`, but like it".into()],
        ),
        (
            "-----begin x509 certificate-----".into(),
            vec!["!line 1: no `-----BEGIN X509 CERTIFICATE-----`, but like it".into()],
        ),
        // Five dashes serve one boundary.
        (
            format!("{}BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", one.trim_end()),
            vec![
                "0@1".into(),
                format!("!line {}: no `-----BEGIN CERTIFICATE-----`, but like it", one.lines().count()),
                format!("!line {}: {lone}", one.lines().count() + 2),
            ],
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n".into(),
            vec!["!line 1: ends as `-----END TRUSTED CERTIFICATE-----`".into()],
        ),
        (
            armoured("PKCS7", DER),
            vec!["!line 1: `PKCS7` is not read; `openssl pkcs7 -print_certs` makes PEM of it".into()],
        ),
        (
            armoured("CERTIFICATE", &[DER, b"x"].concat()),
            vec!["!line 1: bytes behind the certificate that are no trust data".into()],
        ),
        (body.repeat(2), vec!["!line 1: base64 that no `-----BEGIN CERTIFICATE-----` stands before".into()]),
        // None of these looks like one.
        (
            format!(
                "{}-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n# begin certificates\n",
                armoured("X509 CRL", DER)
            ),
            vec![],
        ),
    ] {
        assert_eq!(found(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn reasons_are_bounded_and_counted() {
    let text = "-----END CERTIFICATE-----\n".repeat(3 * NOT_TAKEN_MAX);
    let file = CertificateFile::read(text.as_bytes());
    assert_eq!((file.not_taken.len(), file.not_taken_count), (NOT_TAKEN_MAX, 3 * NOT_TAKEN_MAX));
    assert_eq!(certificates(text.as_bytes()).unwrap_err().line, Some(1));
}

#[test]
fn trust_data_are_taken_as_openssl_takes_them() {
    let openssl: Vec<bool> = TRUSTED
        .lines()
        .filter_map(|line| line.split_once(": openssl"))
        .map(|(said, _)| said == "# refuses")
        .collect();
    let found: Vec<bool> = certificates(TRUSTED.as_bytes())
        .unwrap()
        .iter()
        .map(|certificate| certificate.refuses_servers)
        .collect();
    assert_eq!(found, openssl);
    assert!(openssl.contains(&true) && openssl.contains(&false));
}

#[test]
fn what_is_no_pem_of_a_key_is_told_in_words() {
    let end = Error::MissingSectionEnd { end_marker: b"PRIVATE KEY".to_vec() };
    assert_eq!(words(&end), "cut off before `-----END PRIVATE KEY-----`");
    let begin = Error::IllegalSectionStart { line: b"-----BEGIN X\n".to_vec() };
    assert_eq!(words(&begin), "no section begins with `-----BEGIN X`");
}
