//! Files of roots: every certificate of one is found again, or it is refused
//! by one line.

use super::x509_certificate::{INTERMEDIATE, ROOT};
use super::{Seed, crl, message};
use mxray::policy::{Roots, Store};
use mxray::x509::digest;

pub fn check(input: &[u8]) {
    let mut store = Store::new("file");
    match store.add_pem(input) {
        Err(error) => message::check(&error.to_string()),
        Ok(found) => {
            let kept: Vec<&[u8]> = store.certificates().collect();
            assert!(kept.len() <= found && store.len() <= kept.len(), "{found} found, {} kept", kept.len());
            assert_eq!(kept.is_empty(), found == 0);
            assert!(kept.iter().map(|der| der.len()).sum::<usize>() <= input.len(), "PEM is longer than DER");
            assert!(kept.iter().all(|der| store.by_sha256(&digest(der)) == Some(der)));
            let mut again = store.clone();
            assert_eq!(again.add_pem(input), Ok(found));
            assert_eq!(again.certificates().count(), kept.len(), "a root is added once");
            let roots = Roots::new(vec![store.clone(), again]);
            assert_eq!(roots.len(), store.len(), "a root of two stores counts once");
        }
    }
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
    ]
}
