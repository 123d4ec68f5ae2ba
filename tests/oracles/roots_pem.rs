//! Files of roots: every certificate of one is found again, whatever stands
//! around it, or is told by one line.

use super::x509_certificate::{INTERMEDIATE, ROOT};
use super::{Seed, crl, message};
use mxray::internals::trust::{FileRoots, Roots, Store};
use mxray::internals::x509::digest;

/// Begins of certificates, as RFC 7468 and OpenSSL have them.
const BEGINS: [&str; 3] = [
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN X509 CERTIFICATE-----",
    "-----BEGIN TRUSTED CERTIFICATE-----",
];

pub fn check(input: &[u8]) {
    let mut store = Store::new("file");
    let found = store.add_file(input);
    found.not_taken.iter().for_each(|not_taken| message::check(&not_taken.to_string()));
    assert!(found.not_taken.len() <= found.not_taken_count);
    assert_eq!(found.not_taken.is_empty(), found.not_taken_count == 0, "what is counted is told");
    assert_eq!(Store::new("file").add_whole_file(input).is_ok(), found.not_taken.is_empty());
    let kept: Vec<&[u8]> = store.certificates().collect();
    assert!(kept.len() <= found.taken && store.len() <= kept.len(), "{found:?}, {} kept", kept.len());
    assert_eq!(kept.is_empty(), found.taken == 0);
    assert!(kept.iter().map(|der| der.len()).sum::<usize>() <= input.len(), "PEM is longer than DER");
    assert!(kept.iter().all(|der| store.by_sha256(&digest(der)) == Some(der)));
    let mut again = store.clone();
    assert_eq!(again.add_file(input), found);
    assert_eq!(again.certificates().count(), kept.len(), "a root is added once");
    let roots = Roots::new(vec![store.clone(), again]);
    assert_eq!(roots.len(), store.len(), "a root of two stores counts once");
    if is_utf8_or_like_it(input) {
        check_none_is_lost(input, &found);
        check_in_company(input, &found);
    }
}

/// Whether it is neither UTF-16 nor has something in it that may be DER.
fn is_utf8_or_like_it(input: &[u8]) -> bool {
    let has_der = input.windows(2).any(|two| matches!(two, [0x30, 0x80..=0x84]));
    !has_der && !matches!(input, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// Whatever begins as a certificate is a root, refuses, or is told.
fn check_none_is_lost(input: &[u8], found: &FileRoots) {
    let text = String::from_utf8_lossy(input);
    let begun: usize = BEGINS.iter().map(|begin| text.matches(begin).count()).sum();
    let told = found.taken + found.refusing + found.not_taken_count;
    assert!(begun <= told, "{begun} begun, {found:?}");
    if found.not_taken_count == 0 {
        assert!(
            told <= begun + text.matches("-----BEGIN X.509 CERTIFICATE-----").count(),
            "{begun} begun, {found:?}"
        );
    }
}

/// Other certificates around it take nothing from it, nor it from them.
fn check_in_company(input: &[u8], alone: &FileRoots) {
    let before = ["\u{feff}".as_bytes(), pem(ROOT).trim_ascii_end(), &pem(INTERMEDIATE)].concat();
    for (file, more) in [([&before, input].concat(), 2), ([input, b"\n", &pem(ROOT)].concat(), 1)] {
        let found = Store::new("file").add_file(&file);
        let counts = (found.taken + found.refusing, found.not_taken_count);
        assert_eq!(
            counts,
            (alone.taken + alone.refusing + more, alone.not_taken_count),
            "{found:?}, {alone:?}"
        );
    }
    // DER behind it is found, too; what is no PEM is then told.
    let found = Store::new("file").add_file(&[input, b"\n", ROOT].concat());
    assert_eq!(found.taken + found.refusing, alone.taken + alone.refusing + 1, "{found:?}, {alone:?}");
    assert!(found.not_taken_count >= alone.not_taken_count, "{found:?}, {alone:?}");
}

/// `openssl x509 -trustout -addreject serverAuth`.
const REFUSES_SERVERS: &[u8] =
    &[0x30, 0x0c, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

fn labelled(label: &str, der: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(&pem(der)).replace("CERTIFICATE", label).into_bytes()
}

fn pem(der: &[u8]) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let lines: Vec<String> = STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")).into_bytes()
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("one", pem(ROOT)),
        ("three", [pem(ROOT), b"# a comment\n".to_vec(), pem(INTERMEDIATE), pem(ROOT)].concat()),
        ("version-1", pem(crl::LEAF)),
        ("no-certificate", pem(b"no DER")),
        ("no-base64", b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n".to_vec()),
        ("unfinished", pem(ROOT)[..200].to_vec()),
        ("mark-and-glue", ["\u{feff}".as_bytes(), pem(INTERMEDIATE).trim_ascii_end(), &pem(ROOT)].concat()),
        ("labels", labelled("X509 CERTIFICATE", ROOT)),
        ("trusted", labelled("TRUSTED CERTIFICATE", &[ROOT, REFUSES_SERVERS].concat())),
        ("der", [INTERMEDIATE, ROOT].concat()),
        ("der-behind-pem", [&pem(INTERMEDIATE)[..], ROOT].concat()),
        ("der-before-pem", [ROOT, &pem(INTERMEDIATE)].concat()),
        ("like-it", b"----BEGIN CERTIFICATE----\n-----END CERTIFICATE-----\n".to_vec()),
    ]
}
