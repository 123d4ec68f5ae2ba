//! Chains against a root: judged the same each time, valid only if the leaf is
//! what the issuer signed, and none the worse for what else came with it.

use super::Seed;
use super::x509_certificate::{INTERMEDIATE, ROOT, SERVER, refused};
use jiff::Timestamp;
use mxray::internals::model::observation::CHAIN_CERTIFICATES_MAX;
use mxray::internals::model::{CertificateFacts, ChainStatus, DateStatus, Sha256};
use mxray::internals::tls::CertificateMessage;
use mxray::internals::trust::{Assessed, Judge, Roots, Store};
use mxray::internals::x509::{read, thumbprint};
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, OnceLock};
use webpki::{EndEntityCert, Error};

/// Most certificates that come behind a chain that is valid: each may bear the
/// name of the issuer, and webpki tries a bounded number of keys.
const BESIDE_MAX: usize = 4;

/// The body of a Certificate message without the length of the whole: three
/// bytes of length before each certificate.
pub fn check(input: &[u8]) {
    let length = u32::try_from(input.len()).unwrap().to_be_bytes();
    if let Ok(chain) = CertificateMessage::decode(&[&length[1..], input].concat()) {
        check_chain(&chain.certificates);
    }
}

/// Inside the validity of everything that was signed.
fn at() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

fn judge() -> Judge {
    static ROOTS: OnceLock<Roots> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut store = Store::new("test");
        store.add_der(ROOT).unwrap();
        Roots::new(vec![store])
    });
    Judge::new(roots.clone(), at())
}

pub fn check_chain(chain: &[Arc<[u8]>]) {
    assert!(chain.len() <= CHAIN_CERTIFICATES_MAX);
    let judge = judge();
    let Some(assessed) = judge.assess(chain) else {
        assert!(chain.is_empty(), "every certificate is judged");
        return;
    };
    assert_eq!(judge.assess(chain).as_ref(), Some(&assessed), "remembered as it was judged");
    check_assessed(&assessed, chain);
    check_dates(&assessed, &chain[0]);
    if chain.len() <= BESIDE_MAX {
        let above: Vec<_> = chain[1..].iter().rev().cloned().collect();
        let turned = judge.assess(&[&[chain[0].clone()], above.as_slice()].concat()).unwrap();
        let valid = |assessed: &Assessed| assessed.assessment.chain == ChainStatus::Valid;
        assert_eq!(valid(&turned), valid(&assessed), "the order above the leaf says nothing");
        let beside = [&[Arc::from(SERVER), Arc::from(INTERMEDIATE)], chain].concat();
        assert!(valid(&judge.assess(&beside).unwrap()), "what comes beside takes nothing away");
    }
}

fn check_assessed(assessed: &Assessed, chain: &[Arc<[u8]>]) {
    let (assessment, leaf) = (&assessed.assessment, &assessed.leaf);
    assert_eq!(assessment.certificates.len(), chain.len());
    for (facts, der) in assessment.certificates.iter().zip(chain) {
        assert_eq!(**facts, read(der), "facts are those of the certificate at that place");
    }
    assert_eq!((leaf.sha256, leaf.thumbprint), (assessment.certificates[0].sha256, thumbprint(&chain[0])));
    let valid = assessment.chain == ChainStatus::Valid;
    assert_eq!(assessment.root.is_some(), valid);
    assert!(valid || assessment.chain_detail.is_some());
    let detail = assessment.chain_detail.iter().flat_map(|detail| detail.chars());
    assert!(!detail.clone().any(char::is_control) && detail.count() <= 200);
    if valid {
        let root = assessment.root.as_ref().unwrap();
        assert_eq!(root.sha256, Some(read(ROOT).sha256));
        let leaf = signed(&assessment.certificates[0]);
        assert!(
            [SERVER, INTERMEDIATE, ROOT].iter().any(|der| leaf == signed(&read(der))),
            "nothing else was signed"
        );
    }
}

/// What the issuer's signature covers.
fn signed(facts: &CertificateFacts) -> CertificateFacts {
    CertificateFacts { sha256: Sha256([0; 32]), ..facts.clone() }
}

/// The date axis is what webpki says of the same moment.
fn check_dates(assessed: &Assessed, der: &[u8]) {
    let certificate = CertificateDer::from(der);
    let Ok(strict) = EndEntityCert::try_from(&certificate) else { return };
    let dates = assessed.assessment.dates;
    match refused(&strict, u64::try_from(at().as_second()).unwrap()) {
        Some(Error::CertExpired { .. }) => assert_eq!(dates, DateStatus::Expired),
        Some(Error::CertNotValidYet { .. }) => assert_eq!(dates, DateStatus::NotYetValid),
        // It comes to the signatures only with dates that hold.
        Some(Error::UnknownIssuer) => assert_eq!(dates, DateStatus::Valid),
        _ => {}
    }
}

/// Certificates as [`check`] takes them.
pub fn message(chain: &[&[u8]]) -> Vec<u8> {
    let one = |der: &&[u8]| [&u32::try_from(der.len()).unwrap().to_be_bytes()[1..], der].concat();
    chain.iter().flat_map(one).collect()
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("valid", message(&[SERVER, INTERMEDIATE])),
        ("with-root", message(&[SERVER, INTERMEDIATE, ROOT])),
        ("incomplete", message(&[SERVER])),
        ("self-signed", message(&[ROOT])),
        ("ca-as-leaf", message(&[INTERMEDIATE, ROOT])),
        ("stranger", message(&[super::crl::LEAF, super::crl::ISSUER])),
        ("twice", message(&[SERVER, SERVER, INTERMEDIATE, INTERMEDIATE])),
        ("no-certificate", message(&[&[0x30, 0]])),
    ]
}

#[test]
fn the_chain_that_was_signed_is_valid() {
    let chain: [Arc<[u8]>; 2] = [SERVER.into(), INTERMEDIATE.into()];
    assert_eq!(judge().assess(&chain).unwrap().assessment.chain, ChainStatus::Valid);
}
