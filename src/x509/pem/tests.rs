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
    let place = |place: FilePosition| match place {
        FilePosition::Line(line) => line.to_string(),
        FilePosition::Byte(byte) => format!("+{byte}"),
    };
    let taken = certificates.iter().map(|certificate| {
        let number = [DER, OTHER].iter().position(|der| *der == certificate.der.as_ref());
        let number = number.map_or("?".to_string(), |number| number.to_string());
        format!("{number}@{}", place(certificate.place))
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
    let (one, two) = (DER.len(), DER.len() + OTHER.len());
    assert_eq!(found(DER), ["0@+0"]);
    assert_eq!(
        found(&[DER, OTHER, DER].concat()),
        ["0@+0".to_string(), format!("1@+{one}"), format!("0@+{two}")]
    );
    assert_eq!(found(&[DER, b"\r\n"].concat()), ["0@+0"]);
}

#[test]
fn der_and_pem_in_one_file_are_both_read() {
    let (first, second) = (armoured("CERTIFICATE", DER), armoured("X509 CERTIFICATE", OTHER));
    let (pem, lines) = (first.as_bytes(), first.lines().count() as u64);
    let ends = |bytes: &[u8]| bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count() - 1;
    for (file, expected) in [
        ([pem, OTHER].concat(), vec!["0@1".to_string(), format!("1@+{}", pem.len())]),
        ([OTHER, pem].concat(), vec!["1@+0".to_string(), format!("0@{}", ends(OTHER) + 1)]),
        (
            [OTHER, b"\n", pem, OTHER, second.as_bytes()].concat(),
            vec![
                "1@+0".to_string(),
                format!("0@{}", ends(OTHER) + 2),
                format!("1@+{}", OTHER.len() + 1 + pem.len()),
                format!("1@{}", ends(OTHER) * 2 + 2 + lines as usize),
            ],
        ),
        (
            [b"Bag Attributes\n", pem, &long(&[2, 1, 0]), DER].concat(),
            vec!["0@2".to_string(), format!("0@+{}", 15 + pem.len() + 203)],
        ),
    ] {
        assert_eq!(found(&file), expected);
    }
}

/// A SEQUENCE of 203 bytes that begins like this.
fn long(start: &[u8]) -> Vec<u8> {
    let mut element = vec![0x30, 0x81, 200];
    element.extend_from_slice(start);
    element.resize(203, 0);
    element
}

#[test]
fn der_that_is_no_certificate_is_told_with_its_place() {
    let pem = armoured("CERTIFICATE", DER);
    let pkcs7 = long(&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]);
    let pkcs12 = long(&[0x02, 0x01, 0x03, 0x30, 0x00]);
    let broken = "DER that is not a certificate, or is cut off";
    for (file, expected) in [
        (DER[..DER.len() - 1].to_vec(), vec![format!("!byte 0: {broken}")]),
        (long(&[0x30, 0x00]), vec![format!("!byte 0: {broken}")]),
        ([&DER[..40], OTHER].concat(), vec![format!("!byte 0: {broken}")]),
        ([DER, &OTHER[..40]].concat(), vec!["0@+0".into(), format!("!byte {}: {broken}", DER.len())]),
        (
            [&DER[..40], pem.as_bytes()].concat(),
            vec![format!("0@{}", 1 + armour::line_ends(&DER[..40])), format!("!byte 0: {broken}")],
        ),
        ([pem.as_bytes(), &DER[..40]].concat(), vec!["0@1".into(), format!("!byte {}: {broken}", pem.len())]),
        (
            [DER, b"garbage"].concat(),
            vec!["0@+0".into(), format!("!byte {}: neither a certificate in DER nor PEM", DER.len())],
        ),
        (
            [pem.as_bytes(), &pkcs7].concat(),
            vec![
                "0@1".into(),
                format!("!byte {}: PKCS #7 in DER is not read; convert it to PEM with `openssl`", pem.len()),
            ],
        ),
        (pkcs12, vec!["!byte 0: PKCS #12 in DER is not read; convert it to PEM with `openssl`".into()]),
        (vec![0x30, 0x80, 0, 0], vec!["!byte 0: neither a certificate in DER nor PEM".into()]),
    ] {
        assert_eq!(found(&file), expected);
    }
}

#[test]
fn trust_data_behind_der_belong_to_it() {
    let data = [0x30, 0x0c, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    let file = [DER, &data, OTHER].concat();
    let read = CertificateFile::read(&file);
    let refuses: Vec<bool> = read.certificates.iter().map(|one| one.refuses_servers).collect();
    assert_eq!((refuses, read.not_taken_count), (vec![true, false], 0));
}

#[test]
fn bytes_that_are_no_utf_16_are_told() {
    let text = format!("\u{feff}{}", armoured("CERTIFICATE", DER));
    let mut file: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    file.push(0x30);
    let told = found(&file);
    assert_eq!(told.last().unwrap(), "!byte 0: not valid UTF-16, although its byte order mark says so");
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
    assert_eq!(certificates(text.as_bytes()).unwrap_err().place, FilePosition::Line(1));
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
