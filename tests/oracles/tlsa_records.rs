//! TLSA records held against a chain (RFC 7671, RFC 7672 §3): their order says
//! nothing, nor does one more that is of no use, and a match is one for anybody
//! who compares by hand.
//!
//! Each record is four octets: usage, selector, matching type, and what its data
//! is: of the leaf, the intermediate or the root, as the others say, whole or
//! with its last octet changed; or so many octets that follow.

use super::Seed;
use super::x509_certificate::{INTERMEDIATE, ROOT, SERVER};
use jiff::Timestamp;
use mxray::internals::model::tlsa::{AssociationData, TlsaRecord};
use mxray::internals::trust::dane::{DaneReference, DaneStatus, why_unusable};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::x509::subject_public_key_info;
use std::sync::Arc;

/// Records of one input.
const RECORDS_MAX: usize = 8;

/// Values of the last octet up to which the data is made.
const MADE: u8 = 6;

const CERTIFICATES: [&[u8]; 3] = [SERVER, INTERMEDIATE, ROOT];

pub fn check(input: &[u8]) {
    let records = records(input);
    let at: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let judge = Judge::new(Roots::new(Vec::new()), at);
    let chain: Vec<Arc<[u8]>> = CERTIFICATES[..2].iter().map(|der| Arc::from(*der)).collect();
    let names = ["mail.example.com"];
    let reference = DaneReference { names: &names, leaf_dates_count: false, digest_agility: true };
    let judged = |records: &[TlsaRecord]| judge.dane(&chain, records, &reference);
    let status = judged(&records);
    let is_of_use = records.iter().any(|record| why_unusable(record).is_none());
    assert_eq!(status != DaneStatus::NoneUsable, is_of_use);
    let turned: Vec<_> = records.iter().rev().cloned().collect();
    assert_eq!(fits(&judged(&turned)), fits(&status), "their order says nothing");
    let unusable = TlsaRecord { usage: 1, selector: 0, matching_type: 1, data: AssociationData(vec![0; 32]) };
    let more: Vec<_> = records.iter().cloned().chain([unusable]).collect();
    assert_eq!(judged(&more), status, "one more that is of no use");
    if let DaneStatus::Matched { record, depth } = status {
        let record = &records[record];
        assert_eq!(why_unusable(record), None);
        assert_eq!(record.usage == 3, depth == 0, "{record}");
        let certificate = CERTIFICATES[depth.min(2)];
        assert_eq!(record.data.0, data(record, certificate), "{record} at {depth}");
    }
    for record in &records {
        let text = serde_json::to_string(record).unwrap();
        assert_eq!(serde_json::from_str::<TlsaRecord>(&text).unwrap(), *record);
    }
}

fn fits(status: &DaneStatus) -> bool {
    matches!(status, DaneStatus::Matched { .. })
}

fn records(mut input: &[u8]) -> Vec<TlsaRecord> {
    let mut records = Vec::new();
    while let [usage, selector, matching_type, kind, rest @ ..] = input
        && records.len() < RECORDS_MAX
    {
        let mut record = TlsaRecord {
            usage: *usage,
            selector: *selector,
            matching_type: *matching_type,
            data: AssociationData(Vec::new()),
        };
        (record.data.0, input) = if *kind < MADE {
            let mut data = data(&record, CERTIFICATES[usize::from(kind / 2)]);
            if let Some(last) = data.last_mut().filter(|_| kind % 2 == 1) {
                *last ^= 1;
            }
            (data, rest)
        } else {
            let (data, rest) = rest.split_at(usize::from(kind - MADE).min(rest.len()));
            (data.to_vec(), rest)
        };
        records.push(record);
    }
    records
}

/// What a record of these values has of a certificate (RFC 6698 §2.1).
fn data(record: &TlsaRecord, certificate: &[u8]) -> Vec<u8> {
    let selected =
        if record.selector == 0 { certificate } else { subject_public_key_info(certificate).unwrap() };
    let by = |algorithm| aws_lc_rs::digest::digest(algorithm, selected).as_ref().to_vec();
    match record.matching_type {
        0 => selected.to_vec(),
        1 => by(&aws_lc_rs::digest::SHA256),
        _ => by(&aws_lc_rs::digest::SHA512),
    }
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("none", vec![]),
        ("leaf", vec![3, 1, 1, 0]),
        ("leaf-of-three", vec![3, 1, 1, 1, 3, 0, 2, 0, 2, 1, 1, 5]),
        ("issuer", vec![2, 0, 1, 2]),
        ("root-unsent", vec![2, 0, 0, 4, 2, 1, 0, 4]),
        ("agility", vec![3, 1, 1, 0, 3, 1, 2, 1]),
        ("unusable", vec![0, 0, 1, 0, 3, 9, 1, 0, 3, 1, 9, 0]),
        ("raw", vec![3, 1, 1, 6 + 3, 1, 2, 3]),
    ]
}
