//! What clients make of forms, as a table: what OpenSSL 3.0, GnuTLS 3.7 and NSS
//! 3.87 did with each in TLS 1.3 and 1.2.

use super::*;
use crate::x509::terms::terms;

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => vec![short],
        Ok(long) => vec![0x81, long],
        Err(_) => [&[0x82][..], &u16::try_from(content.len()).unwrap().to_be_bytes()].concat(),
    };
    [&[tag], length.as_slice(), content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// The parts of a certificate, each as DER.
#[derive(Clone)]
struct CertificateParts {
    version: Vec<u8>,
    serial: Vec<u8>,
    inside: Vec<u8>,
    issuer: Vec<u8>,
    validity: Vec<u8>,
    subject: Vec<u8>,
    key: Vec<u8>,
    behind_key: Vec<u8>,
    outside: Vec<u8>,
    signature: Vec<u8>,
    behind: Vec<u8>,
}

const ALGORITHM: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const KEY: &[u8] = b"\x30\x0e\x30\x07\x06\x05\x2b\x81\x04\x00\x22\x03\x03\x00\x04\x05";

/// An extension as it stands in its list.
fn extension(oid: &[u8], middle: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&element(6, oid), middle, &element(4, value)])
}

fn extensions(list: &[Vec<u8>]) -> Vec<u8> {
    element(0xa3, &element(0x30, &list.concat()))
}

fn name(kind: u8, value: &[u8]) -> Vec<u8> {
    let attribute = sequence(&[&[6, 3, 0x55, 4, 3], &element(kind, value)]);
    element(0x30, &element(0x31, &attribute))
}

const NAMES: &[u8] = &[0x55, 0x1d, 0x11];

fn whole() -> CertificateParts {
    let date = |text: &[u8]| element(0x17, text);
    CertificateParts {
        version: vec![0xa0, 3, 2, 1, 2],
        serial: vec![2, 1, 5],
        inside: ALGORITHM.to_vec(),
        issuer: name(0x0c, b"issuer"),
        validity: sequence(&[&date(b"250101000000Z"), &date(b"350101000000Z")]),
        subject: name(0x0c, b"subject"),
        key: KEY.to_vec(),
        behind_key: extensions(&[extension(NAMES, &[], b"\x30\x03\x82\x01x")]),
        outside: ALGORITHM.to_vec(),
        signature: element(3, &[0, 1, 2]),
        behind: Vec::new(),
    }
}

impl CertificateParts {
    fn make(&self) -> Vec<u8> {
        let tbs = sequence(&[
            &self.version,
            &self.serial,
            &self.inside,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.key,
            &self.behind_key,
        ]);
        [sequence(&[&tbs, &self.outside, &self.signature]), self.behind.clone()].concat()
    }
}

fn told(change: impl FnOnce(&mut CertificateParts)) -> &'static str {
    let mut parts = whole();
    change(&mut parts);
    match of(&parts.make()) {
        CertificateForm::Sound => "sound",
        CertificateForm::Disputed(_) => "disputed",
        CertificateForm::Broken(_) => "broken",
    }
}

#[test]
fn a_frame_that_breaks_ends_every_handshake() {
    assert_eq!(told(|_| {}), "sound");
    let changes: [fn(&mut CertificateParts); 16] = [
        |it| it.behind = vec![0],
        |it| it.version = vec![0xa0, 3, 4, 1, 2],
        |it| it.version = vec![0xa0, 2, 2, 0],
        |it| it.serial = vec![4, 1, 5],
        |it| it.outside = vec![0x30, 2, 5, 0],
        |it| it.outside = [&[0x30, 14][..], &ALGORITHM[2..], &[5, 0, 5, 0]].concat(),
        |it| it.issuer = vec![0x30, 1, 1],
        |it| it.subject = sequence(&[&element(0x31, &sequence(&[&element(0x0c, b"x")]))]),
        |it| it.subject = sequence(&[&element(0x31, &sequence(&[&[6, 3, 0x55, 4, 3]]))]),
        |it| it.validity = sequence(&[]),
        |it| it.validity = sequence(&[&element(0x0c, b"250101000000Z"), &element(0x0c, b"350101000000Z")]),
        |it| it.key = vec![0x30, 2, 1, 2],
        |it| it.key = [&[0x30, 0x10][..], &KEY[2..], &[5, 0]].concat(),
        |it| it.behind_key = extensions(&[sequence(&[&element(6, NAMES), &[5, 0]])]),
        |it| it.behind_key = element(0xa3, &extension(NAMES, &[], b"x")[2..]),
        |it| it.behind_key = element(0xa7, &[5, 0]),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        assert_eq!(told(change), "broken", "change {place}");
    }
    let der = whole().make();
    for end in 0..der.len() {
        assert!(why_broken(&der[..end]).is_some(), "cut after {end}");
    }
}

#[test]
fn over_some_forms_clients_differ() {
    let changes: [fn(&mut CertificateParts); 20] = [
        |it| it.serial = vec![2, 0],
        |it| it.serial = vec![2, 2, 0, 5],
        |it| it.version = vec![0xa0, 4, 2, 2, 0, 2],
        |it| it.version = vec![0xa0, 6, 2, 1, 2, 2, 1, 2],
        |it| it.version.clear(),
        |it| it.version = vec![0xa0, 3, 2, 1, 1],
        |it| it.inside[11] = 3,
        |it| it.outside[11] = 3,
        |it| it.subject = name(0x0c, &[0xff]),
        |it| it.subject = name(0x1e, b"abc"),
        |it| it.subject = name(0x01, &[0xff]),
        |it| it.key[13] = 3,
        |it| it.signature = element(3, &[]),
        |it| it.signature = element(3, &[9, 1]),
        |it| it.signature = element(0x23, &element(3, &[0, 1])),
        |it| it.serial = vec![2, 0x81, 1, 5],
        |it| it.behind_key = extensions(&[extension(NAMES, &[1, 2, 0, 0], b"\x30\x00")]),
        |it| it.behind_key = extensions(&[extension(&[0x80, 1], &[], b"\x05\x00")]),
        |it| it.behind_key = extensions(&[extension(NAMES, &[], b"\x30\x04\xa4\x02\x05\x00")]),
        |it| {
            let names = extension(NAMES, &[], b"\x30\x03\x82\x01x");
            it.behind_key = extensions(&[names.clone(), names]);
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        assert_eq!(told(change), "disputed", "change {place}");
    }
    let unread =
        |it: &mut CertificateParts| it.validity = sequence(&[&element(0x17, b"x"), &element(0x17, b"y")]);
    assert_eq!(told(unread), "disputed");
}

#[test]
fn what_else_is_odd_no_client_minds() {
    let changes: [fn(&mut CertificateParts); 7] = [
        |it| it.serial = vec![2, 2, 0xff, 1],
        |it| it.subject = sequence(&[]),
        |it| it.subject = name(0x30, &[5, 0]),
        |it| it.outside = [&[0x30, 12][..], &ALGORITHM[2..], &[5, 0]].concat(),
        |it| it.behind_key = extensions(&[extension(NAMES, &[1, 1, 1], b"\x30\x00")]),
        |it| it.behind_key = extensions(&[]),
        |it| {
            it.version.clear();
            it.behind_key.clear();
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        assert_eq!(told(change), "sound", "change {place}");
    }
}

#[test]
fn above_the_leaf_clients_differ_at_most() {
    let whole = whole().make();
    let broken = [&whole[..], &[0]].concat();
    assert_eq!(terms(&whole).form_above_leaf(), CertificateForm::Sound);
    assert!(matches!(terms(&broken).form_above_leaf(), CertificateForm::Disputed(_)));
    assert!(matches!(of(&broken), CertificateForm::Broken(_)));
}

fn of(der: &[u8]) -> CertificateForm {
    terms(der).form_of_leaf()
}
