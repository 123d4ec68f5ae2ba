//! DANE against OpenSSL: the same chain, the same TLSA records, the same names
//! at the same moment (RFC 7671, RFC 7672 §3). `s_server` shows the chain,
//! `s_client` says which record it fits.

use super::stack::{Stack, is_there};
use base64::Engine;
use jiff::Timestamp;
use mxray::internals::model::tlsa::{AssociationData, TlsaRecord};
use mxray::internals::trust::dane::{DaneFailure, DaneReference, DaneStatus};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::x509::{digest, subject_public_key_info};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use tempfile::TempDir;

const NAME: &str = "mx.mail.example";
/// The moment for which both judge, inside the dates of what is no shape of its
/// own.
const AT: &str = "2026-06-01T00:00:00Z";
const USAGES: [u8; 2] = [2, 3];
const SELECTORS: [u8; 2] = [0, 1];

type Der = Arc<[u8]>;

/// What a server shows, and other certificates that records may be of.
struct Shape {
    title: &'static str,
    chain: Vec<Der>,
    key: KeyPair,
    /// Certificates above the leaf, sent or not.
    above: Vec<Der>,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn parameters(title: &str, names: &[&str]) -> CertificateParams {
    let mut parameters =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, title);
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2027, 1, 1);
    parameters
}

fn authority(title: &str) -> CertificateParams {
    let mut parameters = parameters(title, &[]);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

/// A leaf under an intermediate under a root; so many certificates are sent.
fn family(title: &'static str, leaf: CertificateParams, sent: usize) -> Shape {
    let root = CertifiedIssuer::self_signed(authority("root"), key()).unwrap();
    let middle = CertifiedIssuer::signed_by(authority("intermediate"), key(), &root).unwrap();
    let leaf_key = key();
    let leaf = leaf.signed_by(&leaf_key, &middle).unwrap();
    let above: Vec<Der> = vec![Arc::from(middle.der().as_ref()), Arc::from(root.der().as_ref())];
    let all = std::iter::once(Arc::from(leaf.der().as_ref())).chain(above.iter().cloned());
    Shape { title, chain: all.take(sent).collect(), key: leaf_key, above }
}

fn self_signed() -> Shape {
    let key = key();
    let leaf = parameters(NAME, &[NAME]).self_signed(&key).unwrap();
    Shape { title: "self-signed", chain: vec![Arc::from(leaf.der().as_ref())], key, above: Vec::new() }
}

/// The intermediate that is sent did not issue the leaf.
fn strangers() -> Shape {
    let mut shape = family("strangers", parameters("leaf", &[NAME]), 1);
    let others = family("others", parameters("leaf", &[NAME]), 3);
    shape.chain.extend(others.above.iter().cloned());
    shape.above = others.above;
    shape
}

fn shapes() -> Vec<Shape> {
    let mut expired = parameters("leaf", &[NAME]);
    expired.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let mut to_come = parameters("leaf", &[NAME]);
    to_come.not_before = rcgen::date_time_ymd(2026, 12, 1);
    let without_names = {
        let mut named = parameters(NAME, &[]);
        named.distinguished_name.push(DnType::CommonName, NAME);
        named
    };
    vec![
        family("whole", parameters("leaf", &[NAME]), 3),
        family("without the root", parameters("leaf", &[NAME]), 2),
        family("the leaf alone", parameters("leaf", &[NAME]), 1),
        family("another name", parameters("leaf", &["mx2.mail.example"]), 3),
        family("a wildcard", parameters("leaf", &["*.mail.example"]), 3),
        family("a common name alone", without_names, 3),
        family("expired", expired, 3),
        family("to come", to_come, 3),
        self_signed(),
        strangers(),
    ]
}

pub fn record(usage: u8, selector: u8, matching_type: u8, der: &[u8]) -> TlsaRecord {
    let selected = if selector == 0 { der } else { subject_public_key_info(der).unwrap() };
    let data = match matching_type {
        0 => selected.to_vec(),
        1 => digest(selected).0.to_vec(),
        _ => aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, selected).as_ref().to_vec(),
    };
    TlsaRecord { usage, selector, matching_type, data: AssociationData(data) }
}

/// The same, spoilt, so that it fits nothing.
pub fn spoilt(mut record: TlsaRecord) -> TlsaRecord {
    if let Some(last) = record.data.0.last_mut() {
        *last ^= 1;
    }
    record
}

/// Sets of records to hold a shape against: every combination by itself, and
/// sets of several.
fn sets(shape: &Shape) -> Vec<Vec<TlsaRecord>> {
    let certificates: Vec<&Der> = shape.chain.first().into_iter().chain(&shape.above).collect();
    let mut sets = Vec::new();
    for der in &certificates {
        for usage in USAGES {
            for selector in SELECTORS {
                for matching_type in if shape.title == "whole" { 0..3 } else { 0..2 } {
                    sets.push(vec![record(usage, selector, matching_type, der)]);
                }
            }
        }
    }
    let leaf = certificates[0];
    // Digest agility: the stronger one counts alone.
    sets.push(vec![record(3, 1, 1, leaf), spoilt(record(3, 1, 2, leaf))]);
    sets.push(vec![spoilt(record(3, 1, 1, leaf)), record(3, 1, 2, leaf)]);
    sets.push(vec![record(3, 0, 1, leaf), spoilt(record(3, 1, 2, leaf))]);
    if let Some(root) = certificates.get(2) {
        // One that fails stops no other.
        sets.push(vec![spoilt(record(3, 1, 1, leaf)), record(2, 0, 1, root)]);
        sets.push(vec![spoilt(record(2, 0, 1, root)), record(3, 1, 1, leaf)]);
        sets.push(vec![spoilt(record(2, 0, 1, root)), record(2, 1, 1, root)]);
        // Agility is within one usage and one selector.
        sets.push(vec![record(2, 0, 1, root), spoilt(record(2, 0, 2, root))]);
        sets.push(vec![record(2, 1, 1, root), spoilt(record(2, 0, 2, root))]);
        sets.push(vec![record(2, 0, 1, root), spoilt(record(3, 0, 2, leaf))]);
    }
    sets
}

/// Shows the chain of a shape.
struct Server {
    stack: Stack,
    _files: TempDir,
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn serve(shape: &Shape) -> Server {
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(files.path().join(name), text).unwrap();
    write("leaf.pem", &pem(&shape.chain[0]));
    write("above.pem", &shape.chain[1..].iter().map(|der| pem(der)).collect::<String>());
    write("key.pem", &shape.key.serialize_pem());
    let has_issuers = shape.chain.len() > 1;
    let stack = Stack::start(|port| {
        let mut command = Command::new("openssl");
        command.current_dir(files.path()).args(["s_server", "-quiet", "-no_dhe", "-cert", "leaf.pem"]);
        command.args(["-key", "key.pem", "-no-CAfile", "-no-CApath", "-no-CAstore", "-accept"]);
        command.arg(format!("127.0.0.1:{port}"));
        if has_issuers {
            command.args(["-cert_chain", "above.pem"]);
        }
        command
    });
    Server { stack, _files: files }
}

/// The depth at which OpenSSL found a match, if it verified the chain.
fn by_openssl(server: &Server, records: &[TlsaRecord]) -> Option<usize> {
    let at: Timestamp = AT.parse().unwrap();
    let mut command = Command::new("openssl");
    command.args(["s_client", "-brief", "-verify_return_error", "-no-CAfile", "-no-CApath", "-no-CAstore"]);
    command.args(["-dane_ee_no_namechecks", "-dane_tlsa_domain", NAME, "-servername", NAME]);
    command.args(["-attime", &at.as_second().to_string(), "-connect", &server.stack.address.to_string()]);
    for record in records {
        command.args(["-dane_tlsa_rrdata", &record.to_string()]);
    }
    let output = command.env("OPENSSL_CONF", "/dev/null").stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("unusable") && !told.contains("errno"), "{told}");
    if !told.contains("Verification: OK") {
        assert!(told.contains("verif"), "{told}");
        return None;
    }
    let line = told.lines().find(|line| line.starts_with("DANE TLSA")).unwrap();
    // The key of an issuer that was not sent has signed the topmost certificate.
    if let Some((_, depth)) = line.rsplit_once("signed the certificate at depth ") {
        return Some(depth.parse::<usize>().unwrap() + 1);
    }
    Some(line.rsplit_once("at depth ").unwrap().1.trim().parse().unwrap())
}

#[test]
fn chains_fit_the_tlsa_records_that_openssl_finds_them_to_fit() {
    if !is_there("openssl", "version") {
        return;
    }
    let judge = Judge::new(Roots::new(Vec::new()), AT.parse().unwrap());
    let reference = DaneReference { names: &[NAME], leaf_dates_count: false, digest_agility: true };
    let compare = |shape: &Shape| {
        let server = serve(shape);
        let differ = |records: &Vec<TlsaRecord>| {
            let ours = judge.dane(&shape.chain, records, &reference);
            let depth = match &ours {
                DaneStatus::Matched { depth, .. } => Some(*depth),
                _ => None,
            };
            let theirs = by_openssl(&server, records);
            let records: Vec<String> =
                records.iter().map(|record| record.to_string().chars().take(30).collect()).collect();
            (depth != theirs).then(|| format!("{}: {records:?}: {ours:?}, OpenSSL {theirs:?}", shape.title))
        };
        sets(shape).iter().filter_map(differ).collect::<Vec<_>>()
    };
    let shapes = shapes();
    let differences: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = shapes.iter().map(|shape| scope.spawn(|| compare(shape))).collect();
        running.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn dates_of_a_leaf_count_for_a_sender_that_looks_at_them() {
    if !is_there("openssl", "version") {
        return;
    }
    let judge = Judge::new(Roots::new(Vec::new()), AT.parse().unwrap());
    let shapes = shapes();
    let expired = shapes.iter().find(|shape| shape.title == "expired").unwrap();
    let records = [record(3, 1, 1, &expired.chain[0])];
    for (leaf_dates_count, matches) in [(false, true), (true, false)] {
        let reference = DaneReference { names: &[], leaf_dates_count, digest_agility: true };
        let status = judge.dane(&expired.chain, &records, &reference);
        assert_eq!(matches!(status, DaneStatus::Matched { record: 0, depth: 0 }), matches, "{status:?}");
        assert_eq!(matches!(status, DaneStatus::Failed(DaneFailure::Dates(_))), !matches, "{status:?}");
    }
}
