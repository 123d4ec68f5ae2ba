//! Revocation lists (RFC 5280 §5).

use super::entries::{self, time};
use super::{CertificateId, settle, signature};
use crate::model::revocation::{RevocationAnswer, RevocationStatus};
use crate::model::text::escape;
use jiff::Timestamp;
use x509_parser::asn1_rs::Any;
use x509_parser::pem::Pem;
use x509_parser::prelude::{
    CertificateRevocationList, DistributionPointName, FromDer, GeneralName, IssuingDistributionPoint,
    ParsedExtension, X509Extension,
};

/// Longest list that is read, in bytes. The largest in use have some 10 MiB.
pub const CRL_BYTES_MAX: usize = 32 << 20;

/// Extensions of a list that change nothing here: issuer's other names, CRL
/// number, authority key (RFC 5280 §5.2). Any other that is critical and not
/// understood forbids to rely on the list.
const KNOWN_EXTENSIONS: [&str; 3] = ["2.5.29.18", "2.5.29.20", "2.5.29.35"];

/// Marks a list that only holds what changed (RFC 5280 §5.2.4).
const DELTA_CRL_INDICATOR: &str = "2.5.29.27";

/// Why bytes are no revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// There are more entries than are read.
    #[error("a revocation list of over {CRL_BYTES_MAX} bytes")]
    TooLong,
    /// They are something else.
    #[error("the answer is not a revocation list")]
    NoList,
}

/// What a revocation list says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlFacts {
    /// Who issued it, as text.
    pub issuer: String,
    /// Certificates that it lists.
    pub entries: usize,
    /// When it was made.
    pub this_update: Option<Timestamp>,
    /// When the next one comes.
    pub next_update: Option<Timestamp>,
}

/// Reads a list, DER or PEM, for what it says of itself.
///
/// # Errors
/// [`CrlError`] if it is none.
pub fn read(bytes: &[u8]) -> Result<CrlFacts, CrlError> {
    let der = der(bytes)?;
    let list = parse(&der)?;
    Ok(CrlFacts {
        issuer: escape(list.issuer().to_string().as_bytes()),
        entries: list.iter_revoked_certificates().count(),
        this_update: time(list.last_update()),
        next_update: list.next_update().and_then(time),
    })
}

/// Looks a certificate up in the list that came from `url`.
pub fn look_up(bytes: &[u8], question: &CertificateId<'_>, url: &str, at: Timestamp) -> RevocationAnswer {
    let parsed = der(bytes).map_err(|error| error.to_string());
    let der = match parsed {
        Ok(der) => der,
        Err(why) => return RevocationAnswer::unknown(why),
    };
    let list = match parse(&der) {
        Ok(list) => list,
        Err(error) => return RevocationAnswer::unknown(error.to_string()),
    };
    let found = is_about(&list, question, url).and_then(|()| entries::find(&list, question));
    let revoked = match found {
        Ok(revoked) => revoked,
        Err(why) => return RevocationAnswer::unknown(why),
    };
    let entries = list.iter_revoked_certificates().count();
    let check = match question.issuer_key {
        Some(key) => {
            let (value, signed) = (&list.signature_value.data, list.tbs_cert_list.as_ref());
            signature::check(key, &list.signature_algorithm, value, signed)
        }
        None => signature::unverifiable("the issuer's certificate is not at hand"),
    };
    let answer = RevocationAnswer {
        status: if revoked.is_some() { RevocationStatus::Revoked } else { RevocationStatus::Good },
        revoked,
        signature: Some(check),
        this_update: time(list.last_update()),
        next_update: list.next_update().and_then(time),
        detail: Some(format!("a list of {entries}")),
    };
    if answer.status == RevocationStatus::Good && answer.next_update.is_none() {
        return RevocationAnswer::unknown("a list that does not say until when it holds");
    }
    settle(answer, question, at)
}

/// The bytes as DER: RFC 5280 §4.2.1.13 wants DER, some serve PEM.
fn der(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, CrlError> {
    if bytes.len() > CRL_BYTES_MAX {
        return Err(CrlError::TooLong);
    }
    if bytes.starts_with(b"-----BEGIN") {
        let (pem, _) = Pem::read(std::io::Cursor::new(bytes)).map_err(|_| CrlError::NoList)?;
        return Ok(pem.contents.into());
    }
    Ok(bytes.into())
}

/// Parses a list, and sees to it that nothing in it was left unread: an entry
/// that cannot be read must not make the list shorter.
fn parse(der: &[u8]) -> Result<CertificateRevocationList<'_>, CrlError> {
    let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| CrlError::NoList)?;
    let (_, outer) = Any::from_der(der).map_err(|_| CrlError::NoList)?;
    let (after, _) = Any::from_der(outer.data).map_err(|_| CrlError::NoList)?;
    let tbs_length = outer.data.len() - after.len();
    if !rest.is_empty() || list.tbs_cert_list.as_ref().len() != tbs_length {
        return Err(CrlError::NoList);
    }
    Ok(list)
}

/// Whether the list is one that the certificate would be in.
fn is_about(
    list: &CertificateRevocationList<'_>,
    question: &CertificateId<'_>,
    url: &str,
) -> Result<(), String> {
    if list.issuer().as_raw() != question.issuer_name {
        return Err(format!("a list of another issuer, {}", escape(list.issuer().to_string().as_bytes())));
    }
    list.extensions().iter().try_for_each(|extension| understood(extension, question, url))
}

fn understood(extension: &X509Extension<'_>, question: &CertificateId<'_>, url: &str) -> Result<(), String> {
    let oid = extension.oid.to_id_string();
    if oid == DELTA_CRL_INDICATOR {
        return Err("a list of changes only".into());
    }
    if let ParsedExtension::IssuingDistributionPoint(point) = extension.parsed_extension() {
        return in_scope(point, question, url);
    }
    let known = KNOWN_EXTENSIONS.contains(&oid.as_str());
    if extension.critical && !known {
        Err(format!("a critical extension {oid} is not known"))
    } else {
        Ok(())
    }
}

/// Whether a list for a part of the certificates is for this one
/// (RFC 5280 §6.3.3 (b)).
fn in_scope(
    point: &IssuingDistributionPoint<'_>,
    question: &CertificateId<'_>,
    url: &str,
) -> Result<(), String> {
    let why = if point.only_contains_attribute_certs {
        "a list of attribute certificates"
    } else if point.only_contains_user_certs && question.is_ca {
        "a list of certificates that are no CA's"
    } else if point.only_contains_ca_certs && !question.is_ca {
        "a list of CA certificates"
    } else if point.only_some_reasons.is_some() {
        "a list for some reasons only"
    } else if point.distribution_point.as_ref().is_some_and(|name| !names(name, url)) {
        "a list for another distribution point"
    } else {
        return Ok(());
    };
    Err(why.into())
}

fn names(point: &DistributionPointName<'_>, url: &str) -> bool {
    match point {
        DistributionPointName::FullName(names) => {
            names.iter().any(|name| matches!(name, GeneralName::URI(uri) if *uri == url))
        }
        DistributionPointName::NameRelativeToCRLIssuer(_) => false,
    }
}
