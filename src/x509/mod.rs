//! Certificate facts, read leniently and trusting nothing (RFC 5280).
//!
//! A strict parser is all or nothing: one bad date loses the whole
//! certificate. Here the frame is split first, then each field is
//! read for itself, so that an odd certificate keeps whatever can be read and
//! [`CertificateFacts::defect`] tells the rest.

mod defects;
mod der;
mod distinguished_name;
mod extensions;
mod fields;
pub mod form;
mod frame;
mod grammar;
pub mod handshake;
mod key;
mod oid;
pub mod old_dates;
pub mod pem;
mod signature;
pub mod terms;

pub use defects::DEFECT_BYTES_MAX;
pub use distinguished_name::NAME_TEXT_BYTES_MAX;
pub use extensions::{
    AddressesLeftOut, EXTENDED_KEY_USAGES_MAX, URL_BYTES_MAX, URLS_MAX, USAGE_OID_BYTES_MAX,
};

use crate::model::{CertificateFacts, Sha256};
use defects::Defects;
use distinguished_name::DistinguishedName;
use extensions::{ExtensionList, Extensions};
use fields::{CertificateFields, time};
use sha2::Digest;
use std::fmt::Write;
use terms::Terms;

/// Longest certificate that is read, in bytes; of a longer one only the
/// digest is kept. It bounds the alternative names too, each of which takes two
/// bytes at least: all of them are read, for one that is left out may be the
/// one that is asked for.
pub const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// Longest serial number kept, in bytes. RFC 5280 §4.1.2.2 allows 20.
pub const SERIAL_BYTES_MAX: usize = 64;

/// SHA-256 of a certificate or of any part of it.
pub fn digest(der: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(der).into())
}

/// SHA-1 of a certificate: a name for it, as Windows shows it, and no proof
/// of anything.
pub fn thumbprint(der: &[u8]) -> [u8; 20] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    digest.as_ref().try_into().unwrap_or_default()
}

/// Reads what a certificate says. Never fails: what cannot be read is `None`
/// or empty, and [`CertificateFacts::defect`] says why.
///
/// A validity that ends later than a [`Timestamp`](jiff::Timestamp) can tell (RFC 5280
/// §4.1.2.5: `99991231235959Z`, no end) is cut to [`Timestamp::MAX`](jiff::Timestamp::MAX).
pub fn read(der: &[u8]) -> CertificateFacts {
    let sha256 = digest(der);
    match split(der) {
        Ok((fields, key, defects)) => {
            let list = fields.extensions.and_then(ExtensionList::read);
            facts(&fields, key, list.as_ref(), sha256, defects)
        }
        Err(defects) => CertificateFacts { defect: defects.into_text(), ..nothing(sha256) },
    }
}

/// [`read`] and [`terms`](terms::terms) at once, for a caller that has the
/// [`digest`] of the certificate already. The public key and each extension are
/// looked at once.
pub fn read_with_terms(der: &[u8], sha256: Sha256) -> (CertificateFacts, Terms) {
    match split(der) {
        Ok((fields, key, defects)) => {
            let list = fields.extensions.and_then(ExtensionList::read);
            let terms = terms::of(der, &fields, &key, list.as_ref());
            (facts(&fields, key, list.as_ref(), sha256, defects), terms)
        }
        Err(defects) => {
            let facts = CertificateFacts { defect: defects.into_text(), ..nothing(sha256) };
            (facts, terms::terms(der))
        }
    }
}

/// The frame and the public key, or why it is not read.
fn split(der: &[u8]) -> Result<(CertificateFields<'_>, key::KeyReading, Defects), Defects> {
    let mut defects = Defects::default();
    if der.len() > CERTIFICATE_BYTES_MAX {
        defects.note(format_args!("over {CERTIFICATE_BYTES_MAX} bytes"));
        return Err(defects);
    }
    let fields = CertificateFields::split(der, &mut defects);
    let key = key::KeyReading::of(fields.public_key);
    Ok((fields, key, defects))
}

fn facts(
    fields: &CertificateFields<'_>,
    key: key::KeyReading,
    list: Option<&ExtensionList<'_>>,
    sha256: Sha256,
    mut defects: Defects,
) -> CertificateFacts {
    let subject = fields.subject.and_then(|raw| DistinguishedName::read(raw, "subject", &mut defects));
    let issuer = fields.issuer.and_then(|raw| DistinguishedName::read(raw, "issuer", &mut defects));
    if let Some(defect) = &key.defect {
        defects.note(defect);
    }
    let key = key.key;
    let extensions = fields.extensions.map(|_| Extensions::read(list, &mut defects)).unwrap_or_default();
    CertificateFacts {
        spki_sha256: fields.public_key.map(digest),
        version: fields.version(&mut defects),
        common_name: subject.as_ref().and_then(|name| name.common_name.clone()),
        subject: subject.map(|name| name.text),
        issuer: issuer.map(|name| name.text),
        serial: fields.serial.and_then(|raw| serial(raw, &mut defects)),
        not_before: fields.not_before.and_then(|raw| time(raw, "notBefore", &mut defects)),
        not_after: fields.not_after.and_then(|raw| time(raw, "notAfter", &mut defects)),
        key_algorithm: key.as_ref().map(|key| key.algorithm.clone()),
        key_bits: key.as_ref().and_then(|key| key.bits),
        signature_algorithm: fields.signature_algorithm.and_then(signature::algorithm),
        self_signed: signature::is_self_signed(fields, key.as_ref(), &extensions),
        extended_key_usages: extensions.extended_key_usages,
        is_ca: extensions.is_ca,
        dns_names: extensions.dns_names,
        ip_addresses: extensions.ip_addresses,
        ocsp_urls: extensions.ocsp_urls,
        issuer_urls: extensions.issuer_urls,
        crl_urls: extensions.crl_urls,
        sha256,
        defect: defects.into_text(),
    }
}

/// The SubjectPublicKeyInfo of a certificate as DER, for those who have to
/// verify under a key whose certificate a strict parser refuses. `None` where
/// there is none to be found, or the certificate is over
/// [`CERTIFICATE_BYTES_MAX`].
pub fn subject_public_key_info(der: &[u8]) -> Option<&[u8]> {
    let bounded = der.get(..CERTIFICATE_BYTES_MAX).is_none_or(|head| head.len() == der.len());
    if bounded { CertificateFields::split(der, &mut Defects::default()).public_key } else { None }
}

/// Algorithm and size in bits of a SubjectPublicKeyInfo, as
/// [`CertificateFacts`] tells them; `None` where it cannot be read.
pub fn key_size(info: &[u8]) -> Option<(String, Option<u32>)> {
    key::KeyReading::of(Some(info)).key.map(|key| (key.algorithm, key.bits))
}

/// Name of a signature algorithm, by its OID; `None` for one that is not known.
pub fn signature_algorithm_name(oid: &str) -> Option<&'static str> {
    signature::registered(oid)
}

/// What [`read`] leaves out of the addresses of revocation lists and OCSP
/// responders: nobody may say that all of them were asked then.
pub fn addresses_left_out(der: &[u8]) -> AddressesLeftOut {
    let unread = |why: String| AddressesLeftOut { over: 0, unread: Some(why) };
    if der.len() > CERTIFICATE_BYTES_MAX {
        return unread(format!("the certificate is too large to read, over {CERTIFICATE_BYTES_MAX} bytes"));
    }
    let mut defects = Defects::default();
    match (CertificateFields::split(der, &mut defects).extensions, defects.into_text()) {
        (Some(raw), _) => {
            Extensions::read(ExtensionList::read(raw).as_ref(), &mut Defects::default()).left_out
        }
        (None, Some(defect)) => unread(format!("the certificate is {defect}")),
        (None, None) => AddressesLeftOut::default(),
    }
}

fn nothing(sha256: Sha256) -> CertificateFacts {
    CertificateFacts {
        sha256,
        spki_sha256: None,
        version: None,
        subject: None,
        issuer: None,
        common_name: None,
        dns_names: Vec::new(),
        ip_addresses: Vec::new(),
        serial: None,
        not_before: None,
        not_after: None,
        key_algorithm: None,
        key_bits: None,
        signature_algorithm: None,
        extended_key_usages: Vec::new(),
        is_ca: false,
        self_signed: false,
        ocsp_urls: Vec::new(),
        issuer_urls: Vec::new(),
        crl_urls: Vec::new(),
        defect: None,
    }
}

/// A serial number in hexadecimal, without the zero that only keeps its sign.
fn serial(content: &[u8], defects: &mut Defects) -> Option<String> {
    let digits = match content {
        [0, digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    };
    if digits.is_empty() || digits.len() > SERIAL_BYTES_MAX {
        defects.note(format_args!("serial number of {} bytes", digits.len()));
        return None;
    }
    let mut text = String::with_capacity(2 * digits.len());
    for byte in digits {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

#[cfg(test)]
mod tests;
