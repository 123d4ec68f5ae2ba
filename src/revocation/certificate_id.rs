//! Which certificate it is about, cut out of the certificate and that of its
//! issuer.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use jiff::Timestamp;
use x509_cert::der::Encode;
use x509_ocsp::ResponderId;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::{FromDer, X509Name};

/// Why nothing can be asked about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateIdError {
    /// The certificate is broken.
    #[error("the certificate cannot be read")]
    Certificate,
    /// That of its issuer is.
    #[error("the issuer's certificate cannot be read")]
    Issuer,
}

/// A certificate to ask about.
#[derive(Clone, Debug)]
pub struct CertificateId<'a> {
    /// The serial number: content of the INTEGER, big-endian.
    pub(super) serial: &'a [u8],
    /// The issuer's distinguished name as DER.
    pub(super) issuer_name: &'a [u8],
    /// The issuer's SubjectPublicKeyInfo as DER; `None` where its certificate
    /// is not at hand.
    pub(super) issuer_key: Option<&'a [u8]>,
    /// The bits of the issuer's key, which OCSP takes a digest of.
    pub(super) issuer_key_bits: Option<&'a [u8]>,
    /// Whether it is that of a CA.
    pub(super) is_ca: bool,
    /// When it expires; `None` for a date beyond all clocks.
    pub(super) not_after: Option<Timestamp>,
}

impl<'a> CertificateId<'a> {
    /// Asks about `certificate`, issued by `issuer`; both are DER.
    ///
    /// # Errors
    /// [`CertificateIdError`] for one that cannot be read.
    pub fn new(certificate: &'a [u8], issuer: Option<&'a [u8]>) -> Result<Self, CertificateIdError> {
        let (_, read) =
            X509Certificate::from_der(certificate).map_err(|_| CertificateIdError::Certificate)?;
        let issuer = issuer.map(|der| X509Certificate::from_der(der).map_err(|_| CertificateIdError::Issuer));
        let issuer = issuer.transpose()?.map(|(_, issuer)| issuer);
        Ok(Self {
            serial: unpadded(read.tbs_certificate.raw_serial()),
            issuer_name: read.tbs_certificate.issuer.as_raw(),
            issuer_key: issuer.as_ref().map(|issuer| issuer.tbs_certificate.subject_pki.raw),
            issuer_key_bits: issuer.as_ref().map(|issuer| bits(issuer)),
            is_ca: read.is_ca(),
            not_after: Timestamp::from_second(read.validity().not_after.timestamp()).ok(),
        })
    }

    /// Whether a responder calls itself as the issuer would (RFC 6960 §4.2.1).
    pub(super) fn is_responder(&self, id: &ResponderId) -> bool {
        match id {
            ResponderId::ByName(name) => name.to_der().is_ok_and(|name| name == self.issuer_name),
            ResponderId::ByKey(hash) => self
                .issuer_key_bits
                .is_some_and(|key| hash.as_bytes() == digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref()),
        }
    }

    /// Whether `name` is that of the issuer, maybe in strings of another kind
    /// or case (RFC 5280 §7.1).
    pub(super) fn is_issued_as(&self, name: &X509Name<'_>) -> bool {
        let same_text =
            |(_, issuer): (&[u8], X509Name<'_>)| issuer.to_string().eq_ignore_ascii_case(&name.to_string());
        name.as_raw() == self.issuer_name || X509Name::from_der(self.issuer_name).is_ok_and(same_text)
    }
}

/// Whether `issuer` bears the name that `certificate` says it is issued by.
pub fn is_issued_by(certificate: &[u8], issuer: &[u8]) -> bool {
    let read = |der| X509Certificate::from_der(der).ok().map(|(_, read)| read);
    match (read(certificate), read(issuer)) {
        (Some(certificate), Some(issuer)) => {
            certificate.issuer().as_raw() == issuer.subject().as_raw()
                && certificate.verify_signature(Some(issuer.public_key())).is_ok()
        }
        _ => false,
    }
}

fn bits<'a>(issuer: &X509Certificate<'a>) -> &'a [u8] {
    // The field borrows from the DER, which outlives the parsed certificate.
    let raw = issuer.tbs_certificate.subject_pki.raw;
    let length = issuer.tbs_certificate.subject_pki.subject_public_key.data.len();
    raw.get(raw.len().saturating_sub(length)..).unwrap_or_default()
}

/// A serial number without the zeros that only keep its sign.
pub(super) fn unpadded(mut serial: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = serial
        && !rest.is_empty()
    {
        serial = rest;
    }
    serial
}
