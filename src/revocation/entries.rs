//! The entries of a revocation list (RFC 5280 §5.3): which is that of a
//! certificate. In an indirect list entries are of several issuers, whose
//! certificates may have the same numbers.

use super::CertificateId;
use super::certificate_id::unpadded;
use crate::model::revocation::{Revoked, reason_name};
use jiff::Timestamp;
use x509_parser::prelude::{
    ASN1Time, CertificateRevocationList, FromDer, GeneralName, IssuerAlternativeName, ReasonCode,
    RevokedCertificate,
};

/// What entries may say and is understood, or changes nothing here: reason,
/// hold instruction, invalidity date, certificate issuer (RFC 5280 §5.3, and
/// RFC 3280 §5.3.2; the content of the object identifiers). Any other that is
/// critical forbids to rely on the list.
const KNOWN_EXTENSIONS: [[u8; 3]; 4] =
    [[0x55, 0x1d, 21], [0x55, 0x1d, 23], [0x55, 0x1d, 24], CERTIFICATE_ISSUER];

/// Says whose certificate the entry is about, and those that follow it
/// (RFC 5280 §5.3.3).
const CERTIFICATE_ISSUER: [u8; 3] = [0x55, 0x1d, 29];

/// Looks the certificate up among the entries of a list of its issuer.
///
/// # Errors
/// Why the list tells nothing, whatever else is in it.
pub(super) fn find(
    list: &CertificateRevocationList<'_>,
    question: &CertificateId<'_>,
) -> Result<Option<Revoked>, String> {
    // Whose an entry is that does not say so: the issuer's of the list, which
    // is that of the certificate.
    let mut of_our_issuer = true;
    let mut found = None;
    for entry in list.iter_revoked_certificates() {
        are_understood(entry)?;
        if let Some(names) = certificate_issuer(entry) {
            of_our_issuer = is_our_issuer(names, question)?;
        }
        if of_our_issuer && found.is_none() && unpadded(entry.raw_serial()) == question.serial {
            found = Some(entry);
        }
    }
    Ok(found.and_then(revoked))
}

fn are_understood(entry: &RevokedCertificate<'_>) -> Result<(), String> {
    let unknown = |oid: &[u8]| !KNOWN_EXTENSIONS.iter().any(|known| known == oid);
    match entry.extensions().iter().find(|extension| extension.critical && unknown(extension.oid.as_bytes()))
    {
        Some(extension) => Err(format!("a critical extension {} of an entry is not known", extension.oid)),
        None => Ok(()),
    }
}

fn certificate_issuer<'a>(entry: &'a RevokedCertificate<'_>) -> Option<&'a [u8]> {
    let mut extensions = entry.extensions().iter();
    extensions
        .find(|extension| extension.oid.as_bytes() == CERTIFICATE_ISSUER)
        .map(|extension| extension.value)
}

/// Whether one of these GeneralNames is the issuer of the certificate. Names
/// that differ only in how the strings are written are the same (RFC 5280
/// §7.1).
fn is_our_issuer(names: &[u8], question: &CertificateId<'_>) -> Result<bool, String> {
    let unreadable = || "an entry that does not say whose certificate it is about".to_string();
    let (_, names) = IssuerAlternativeName::from_der(names).map_err(|_| unreadable())?;
    let mut directory_names = names.general_names.iter().filter_map(|name| match name {
        GeneralName::DirectoryName(name) => Some(name),
        _ => None,
    });
    let first = directory_names.next().ok_or_else(unreadable)?;
    Ok(std::iter::once(first).chain(directory_names).any(|name| question.is_issued_as(name)))
}

fn revoked(entry: &RevokedCertificate<'_>) -> Option<Revoked> {
    let reason = entry.reason_code().map(|(_, code)| code);
    if reason == Some(ReasonCode::RemoveFromCRL) {
        return None;
    }
    Some(Revoked { at: time(entry.revocation_date), reason: reason.map(|code| reason_name(code.0)) })
}

pub(super) fn time(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}
