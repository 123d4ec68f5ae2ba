//! Expectation files: within their limits or refused by one line, and a
//! certificate is judged the same each time.

use super::{Seed, message};
use jiff::Timestamp;
use mxray::internals::model::expectation::Expectation;
use mxray::internals::model::{CertificateFacts, Sha256, TrustedRoot};
use mxray::internals::sender::expectation_file::{
    APPLIES_TO_MAX, EXPECTATION_TEXT_BYTES_MAX, EXPECTED_CERTIFICATES_MAX, parse,
};
use mxray::internals::trust::expectation::{DETAIL_BYTES_MAX, SeenLeaf, judge};
use mxray::internals::x509;
use std::sync::Arc;

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match parse(text) {
        Err(error) => message::check(&error.to_string()),
        Ok(expectation) => {
            check_limits(&expectation);
            check_judged(Arc::new(expectation));
        }
    }
}

fn check_limits(expectation: &Expectation) {
    let rows = &expectation.certificates;
    assert!((1..=EXPECTED_CERTIFICATES_MAX).contains(&rows.len()));
    assert!(expectation.applies_to.mx.len().max(expectation.applies_to.domains.len()) <= APPLIES_TO_MAX);
    let texts = rows.iter().flat_map(|row| [&row.root, &row.issuer, &row.name, &row.organization, &row.unit]);
    for text in texts.flatten().chain([&expectation.name]) {
        assert!((1..=EXPECTATION_TEXT_BYTES_MAX).contains(&text.len()));
    }
}

/// Held against a certificate that nothing is known of, and one with a root.
fn check_judged(expectation: Arc<Expectation>) {
    let leaf: CertificateFacts = x509::read(b"no certificate");
    let root = TrustedRoot {
        subject: Some("CN=Root".into()),
        common_name: Some("Root".into()),
        sha256: Some(Sha256([7; 32])),
        trusted_by: Vec::new(),
    };
    let at: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    for root in [None, Some(&root)] {
        let seen = SeenLeaf { leaf: &leaf, root, chain: "invalid" };
        let judged = judge(std::slice::from_ref(&expectation), seen, at);
        assert_eq!(judged.len(), 1);
        assert!(judged[0].detail.len() <= DETAIL_BYTES_MAX);
        assert_eq!(judged, judge(std::slice::from_ref(&expectation), seen, at), "judged the same again");
    }
}

pub fn seeds() -> Vec<Seed> {
    let every_key = b"name = 'partner'\n[applies_to]\nmx = ['mx.example']\ndomains = ['*.example.com']\n\
        [[certificate]]\nstatus = 'current'\nvalid_from = '2020-01-02'\nvalid_until = '2030-01-02'\n\
        root = 'Root'\nissuer = 'CA'\nname = 'mx.example'\norganization = 'O'\nunit = 'U'\nkey_bits = 2048\n\
        root_sha256 = '0707070707070707070707070707070707070707070707070707070707070707'\n\
        source = 'a letter'\nnote = 'none'\n";
    let short = b"name = 'p'\n[[certificate]]\nstatus = 'deprecated'\nroot = 'R'\nsource = 's'\n";
    let unknown_key = b"name = 'p'\n[[certificate]]\nstatus = 'current'\n\"r\\u001bt\" = 'R'\nsource = 's'\n";
    let odd_name = b"name = 'p'\n[applies_to]\nmx = [\"a\\nb\"]\n[[certificate]]\nstatus = 'current'\n\
        root = 'R'\nsource = 's'\n";
    vec![
        ("every-key", every_key.to_vec()),
        ("short", short.to_vec()),
        ("unknown-key-with-an-escape", unknown_key.to_vec()),
        ("name-with-a-line-break", odd_name.to_vec()),
    ]
}
