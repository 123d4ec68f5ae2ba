//! The columns of `certificates.csv`: each distinct certificate once.

use super::column::{Column, column, number, time, words, yes_no};
use super::value::Value;
use crate::model::CertificateFacts;
use std::net::IpAddr;
use std::sync::Arc;

/// A certificate that was seen for the first time.
pub struct CertificateRow {
    /// What could be read of the certificate.
    pub facts: Arc<CertificateFacts>,
    /// Its bytes.
    pub der: Arc<[u8]>,
}

fn list(parts: &[String]) -> Value<'_> {
    match parts {
        [] => Value::Absent,
        [one] => Value::Text(one.as_str().into()),
        many => Value::Text(many.join(" ").into()),
    }
}

fn addresses(parts: &[IpAddr]) -> Value<'static> {
    let texts: Vec<String> = parts.iter().map(IpAddr::to_string).collect();
    Value::name((!texts.is_empty()).then(|| texts.join(" ").into()))
}

/// The columns of `certificates.csv`, in order.
pub const CERTIFICATES: &[Column<CertificateRow>] = &[
    column("sha256", "SHA-256 of the DER.", |r| Value::Digest(&r.facts.sha256)),
    column("spki_sha256", "SHA-256 of the SubjectPublicKeyInfo.", |r| {
        r.facts.spki_sha256.as_ref().map_or(Value::Absent, Value::Digest)
    }),
    number("version", "X.509 version: 1, 2 or 3.", |r| Value::number(r.facts.version)),
    column("subject", "Subject as text.", |r| Value::text(r.facts.subject.as_deref())),
    column("issuer", "Issuer as text.", |r| Value::text(r.facts.issuer.as_deref())),
    column("common_name", "Last common name of the subject.", |r| {
        Value::text(r.facts.common_name.as_deref())
    }),
    words(column("dns_names", "DNS names of the subject alternative name, blanks between.", |r| {
        list(&r.facts.dns_names)
    })),
    words(column("ip_addresses", "IP addresses of the subject alternative name, blanks between.", |r| {
        addresses(&r.facts.ip_addresses)
    })),
    column("serial", "Serial number in hexadecimal.", |r| Value::text(r.facts.serial.as_deref())),
    time("not_before", "Start of validity (UTC).", |r| {
        r.facts.not_before.map_or(Value::Absent, |time| Value::Time(time, 0))
    }),
    time("not_after", "End of validity, inclusive (UTC).", |r| {
        r.facts.not_after.map_or(Value::Absent, |time| Value::Time(time, 0))
    }),
    column("key_algorithm", "Algorithm of the public key, or its OID.", |r| {
        Value::text(r.facts.key_algorithm.as_deref())
    }),
    number("key_bits", "Key size in bits.", |r| Value::number(r.facts.key_bits)),
    column("signature_algorithm", "Algorithm of the issuer's signature, or its OID.", |r| {
        Value::text(r.facts.signature_algorithm.as_deref())
    }),
    yes_no("is_ca", "CA flag of the basic constraints.", |r| Value::Bool(r.facts.is_ca)),
    yes_no("self_signed", "Whether it is signed by its own key.", |r| Value::Bool(r.facts.self_signed)),
    words(column("ocsp_urls", "OCSP responders, blanks between.", |r| list(&r.facts.ocsp_urls))),
    words(column("issuer_urls", "Where the issuer's certificate is, blanks between.", |r| {
        list(&r.facts.issuer_urls)
    })),
    words(column("crl_urls", "Where its revocation lists are, blanks between.", |r| list(&r.facts.crl_urls))),
    column("parse_error", "What could not be read; the columns of that part are empty.", |r| {
        Value::text(r.facts.defect.as_deref())
    }),
    column("der_base64", "The certificate itself, in Base64.", |r| Value::Base64(&r.der)),
    words(column(
        "extended_key_usages",
        "Usages that the extended key usage allows, or their OIDs, blanks between; empty for no such extension.",
        |r| list(&r.facts.extended_key_usages),
    )),
];
