//! Certificate facts: within their limits, the same each time, and nothing
//! less than what rustls-webpki reads of an end-entity certificate.

use super::{Seed, crl};
use mxray::internals::model::CertificateFacts;
use mxray::internals::x509::form::{self, CertificateForm};
use mxray::internals::x509::terms::terms;
use mxray::internals::x509::{
    CERTIFICATE_BYTES_MAX, DEFECT_BYTES_MAX, EXTENDED_KEY_USAGES_MAX, NAME_TEXT_BYTES_MAX, SERIAL_BYTES_MAX,
    URL_BYTES_MAX, URLS_MAX, USAGE_OID_BYTES_MAX, digest, read, read_with_terms, subject_public_key_info,
};
use rustls::pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use std::collections::BTreeSet;
use std::net::IpAddr;
use webpki::{EndEntityCert, Error, KeyUsage};

/// A server's certificate and its issuer, under a root; their keys are thrown
/// away (`testdata/certificates.sh`).
pub const SERVER: &[u8] = include_bytes!("testdata/server.der");
pub const INTERMEDIATE: &[u8] = include_bytes!("testdata/intermediate.der");
pub const ROOT: &[u8] = include_bytes!("testdata/root.der");

/// Most names of a certificate that are asked for one by one.
const NAMES_ASKED_MAX: usize = 16;

pub fn check(der: &[u8]) {
    let facts = read(der);
    assert_eq!(facts.sha256, digest(der));
    assert_eq!(read_with_terms(der, facts.sha256), (facts.clone(), terms(der)), "the same at once");
    check_limits(&facts, der.len());
    check_key(&facts, der);
    check_form(der);
    let certificate = CertificateDer::from(der);
    if let Ok(strict) = EndEntityCert::try_from(&certificate)
        && der.len() <= CERTIFICATE_BYTES_MAX
    {
        check_against(&strict, &facts);
    }
}

/// The quick answer is that of the whole one, and what was signed is sound.
fn check_form(der: &[u8]) {
    let told = terms(der).form_of_leaf();
    assert_eq!(matches!(told, CertificateForm::Broken(_)), form::why_broken(der).is_some());
    if [SERVER, INTERMEDIATE, ROOT].contains(&der) {
        assert_eq!(told, CertificateForm::Sound);
    }
    if told == CertificateForm::Sound {
        let followed = [der, &[0]].concat();
        assert!(form::why_broken(&followed).is_some(), "a certificate ends where it ends");
    }
}

/// Every text is one line and bounded; all together are no more than a few
/// times what came in.
fn check_limits(facts: &CertificateFacts, der_bytes: usize) {
    assert!(2 * (facts.dns_names.len() + facts.ip_addresses.len()) <= der_bytes, "tag and length each");
    let urls = [&facts.ocsp_urls, &facts.issuer_urls, &facts.crl_urls];
    for list in urls {
        assert!(list.len() <= URLS_MAX);
        // A byte that is escaped stands as four.
        assert!(list.iter().all(|url| url.len() <= 4 * URL_BYTES_MAX));
    }
    let usages = &facts.extended_key_usages;
    assert!(usages.len() <= EXTENDED_KEY_USAGES_MAX);
    // A byte of an OID is at most an arc of three digits and its point.
    assert!(usages.iter().all(|usage| usage.len() <= 4 * USAGE_OID_BYTES_MAX));
    let names = [&facts.subject, &facts.issuer, &facts.common_name];
    assert!(names.into_iter().flatten().all(|name| name.len() <= NAME_TEXT_BYTES_MAX));
    assert!(facts.serial.as_ref().is_none_or(|serial| serial.len() <= 2 * SERIAL_BYTES_MAX));
    assert!(facts.defect.as_ref().is_none_or(|defect| (1..=DEFECT_BYTES_MAX).contains(&defect.len())));
    let lists = urls.into_iter().chain([&facts.dns_names, usages]).flatten();
    let kept: usize = lists.clone().map(String::len).sum();
    assert!(kept <= 4 * der_bytes, "{kept} bytes of {der_bytes}");
    let texts = lists.chain(names.into_iter().flatten()).chain(&facts.defect).chain(&facts.key_algorithm);
    for text in texts.chain(&facts.signature_algorithm) {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    assert!(facts.dns_names.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase())));
}

fn check_key(facts: &CertificateFacts, der: &[u8]) {
    let key = subject_public_key_info(der);
    assert_eq!(facts.spki_sha256, key.map(digest), "one key, one digest");
    assert!(key.is_none_or(|key| der.windows(key.len()).any(|window| window == key)), "it is part of it");
    assert!(facts.key_bits.is_none_or(|bits| bits > 0));
}

/// What a strict parser reads, we read, too.
fn check_against(strict: &EndEntityCert<'_>, facts: &CertificateFacts) {
    assert_eq!(facts.version, Some(3), "{facts:?}");
    let key = strict.subject_public_key_info();
    assert_eq!(facts.spki_sha256, Some(digest(key.as_ref())), "{facts:?}");
    check_serial(strict.serial(), facts);
    check_names(strict, facts);
    check_dates(strict, facts);
}

fn check_serial(serial: &[u8], facts: &CertificateFacts) {
    let digits = if serial.len() > 1 { serial.strip_prefix(&[0]).unwrap_or(serial) } else { serial };
    let text: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    let due = (1..=SERIAL_BYTES_MAX).contains(&digits.len()).then_some(text);
    assert_eq!(facts.serial, due);
}

fn check_names(strict: &EndEntityCert<'_>, facts: &CertificateFacts) {
    let valid: BTreeSet<String> = strict.valid_dns_names().map(str::to_ascii_lowercase).collect();
    let read: BTreeSet<String> = facts.dns_names.iter().cloned().collect();
    assert!(valid.is_subset(&read), "lost: {:?} of {facts:?}", valid.difference(&read));
    // What only we read is either no name for webpki, or came after a name
    // that it could not read.
    if facts.defect.is_none() {
        let more: Vec<_> =
            read.difference(&valid).filter(|name| DnsName::try_from(&***name).is_ok()).collect();
        assert!(more.is_empty(), "made up: {more:?}");
        for name in valid.iter().take(NAMES_ASKED_MAX) {
            check_match(strict, name);
        }
        for address in facts.ip_addresses.iter().take(NAMES_ASKED_MAX) {
            check_address(strict, *address);
        }
    }
}

/// A name that stands there serves a client that asks for it.
fn check_match(strict: &EndEntityCert<'_>, name: &str) {
    let asked = name.replacen('*', "any", usize::from(name.starts_with("*.")));
    if let Ok(wanted) = DnsName::try_from(asked.as_str()) {
        assert_eq!(strict.verify_is_valid_for_subject_name(&ServerName::DnsName(wanted)), Ok(()), "{name}");
    }
}

fn check_address(strict: &EndEntityCert<'_>, address: IpAddr) {
    let wanted = ServerName::IpAddress(address.into());
    assert_eq!(strict.verify_is_valid_for_subject_name(&wanted), Ok(()), "{address}");
}

/// The bounds as webpki tells them when it refuses a moment outside of them.
fn check_dates(strict: &EndEntityCert<'_>, facts: &CertificateFacts) {
    let second = |time: UnixTime| i64::try_from(time.as_secs()).unwrap();
    if let Some(Error::CertNotValidYet { not_before, .. }) = refused(strict, 0) {
        let read = facts.not_before.map(|time| time.as_second());
        assert_eq!(read, Some(second(not_before).min(jiff::Timestamp::MAX.as_second())), "{facts:?}");
    }
    if let Some(Error::CertExpired { not_after, .. }) = refused(strict, u64::MAX) {
        let read = facts.not_after.map(|time| time.as_second());
        assert_eq!(read, Some(second(not_after).min(jiff::Timestamp::MAX.as_second())), "{facts:?}");
    }
}

/// Why webpki does not take the certificate at a moment. Without a root it
/// never does, but it looks at the dates first.
pub fn refused(strict: &EndEntityCert<'_>, second: u64) -> Option<Error> {
    let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(second));
    strict.verify_for_usage(&[], &[], &[], moment, KeyUsage::server_auth(), None, None).err()
}

pub fn seeds() -> Vec<Seed> {
    let text = include_bytes!("../../src/x509/testdata/rsa-1024.der");
    vec![
        ("server", SERVER.to_vec()),
        ("address-before-names", address_first()),
        ("intermediate", INTERMEDIATE.to_vec()),
        ("root", ROOT.to_vec()),
        ("version-1", crl::LEAF.to_vec()),
        ("rsa-1024", text.to_vec()),
        ("sha-1", include_bytes!("../../src/x509/testdata/sha1.der").to_vec()),
        ("dsa", include_bytes!("../../src/x509/testdata/dsa.der").to_vec()),
        ("unfinished", SERVER[..SERVER.len() / 2].to_vec()),
    ]
}

/// The server's certificate with its first address before its names.
fn address_first() -> Vec<u8> {
    let mut der = SERVER.to_vec();
    let place = |part: &[u8]| SERVER.windows(part.len()).position(|window| window == part).unwrap();
    let (names, address) = (place(b"\x82\x0amx.example"), b"\x87\x04\xc0\x00\x02\x01");
    der[names..place(address) + address.len()].rotate_right(address.len());
    der
}

#[test]
fn the_strict_parser_takes_the_server_and_tells_its_dates() {
    let certificate = CertificateDer::from(SERVER);
    let strict = EndEntityCert::try_from(&certificate).unwrap();
    assert!(matches!(refused(&strict, 0), Some(Error::CertNotValidYet { .. })));
    assert!(matches!(refused(&strict, u64::MAX), Some(Error::CertExpired { .. })));
    assert_eq!(read(SERVER).dns_names, ["mx.example", "*.mail.example"]);
    assert_eq!(read(SERVER).extended_key_usages, ["serverAuth"]);
}
