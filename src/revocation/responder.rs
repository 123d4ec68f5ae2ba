//! Who signed an OCSP answer, and whether the issuer lets him: the issuer
//! itself, or a responder whom it has charged (RFC 6960 §4.2.2.2).

use super::{CertificateId, signature};
use crate::model::SignatureCheck;
use crate::x509::terms::terms;
use jiff::Timestamp;
use x509_ocsp::ResponderId;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::{AlgorithmIdentifier, FromDer};

/// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
const NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";

/// The signature of an answer and what it needs to be checked.
pub(super) struct SignedResponse<'a> {
    /// What it covers.
    pub(super) bytes: &'a [u8],
    pub(super) algorithm: &'a AlgorithmIdentifier<'a>,
    pub(super) value: &'a [u8],
    /// Whom the answer names as its signer.
    pub(super) responder: &'a ResponderId,
    /// The certificates that came with it.
    pub(super) certificates: &'a [&'a [u8]],
}

/// What is known of the signer.
pub(super) struct ResponderCheck {
    pub(super) check: SignatureCheck,
    /// What was not looked at.
    pub(super) note: Option<String>,
}

impl From<SignatureCheck> for ResponderCheck {
    fn from(check: SignatureCheck) -> Self {
        Self { check, note: None }
    }
}

impl SignedResponse<'_> {
    /// Verifies it under the issuer's key, or under that of a responder.
    ///
    /// # Errors
    /// It is signed by somebody whom the issuer has not charged; why.
    pub(super) fn check(
        &self,
        question: &CertificateId<'_>,
        at: Timestamp,
    ) -> Result<ResponderCheck, String> {
        let Some(issuer) = question.issuer_key else {
            return Ok(signature::unverifiable("the issuer's certificate is not at hand").into());
        };
        let own = self.under(issuer);
        if own == SignatureCheck::Verified {
            return Ok(own.into());
        }
        let mut refused = None;
        for der in self.certificates {
            let Ok((_, certificate)) = X509Certificate::from_der(der) else { continue };
            let check = self.under(certificate.tbs_certificate.subject_pki.raw);
            if check == SignatureCheck::Failed {
                continue;
            }
            match charge(der, &certificate, issuer, question, at) {
                Ok(signer) if signer.check == SignatureCheck::Verified => {
                    return Ok(ResponderCheck { check, ..signer });
                }
                Ok(signer) => return Ok(signer),
                Err(why) if check == SignatureCheck::Verified => drop(refused.get_or_insert(why)),
                Err(_) => {}
            }
        }
        match refused {
            Some(why) => Err(why),
            None if self.certificates.is_empty() && own == SignatureCheck::Failed => self.unshown(question),
            None => Ok(own.into()),
        }
    }

    fn under(&self, key: &[u8]) -> SignatureCheck {
        signature::check(key, self.algorithm, self.value, self.bytes)
    }

    /// The issuer's key does not verify it, and no other came.
    fn unshown(&self, question: &CertificateId<'_>) -> Result<ResponderCheck, String> {
        if question.is_responder(self.responder) {
            return Ok(SignatureCheck::Failed.into());
        }
        Err("it is signed by a responder whose certificate it does not have".into())
    }
}

/// Whether the issuer has charged the signer with answers: by a certificate
/// that it has issued itself, for that use and in its time.
fn charge(
    der: &[u8],
    certificate: &X509Certificate<'_>,
    issuer: &[u8],
    question: &CertificateId<'_>,
    at: Timestamp,
) -> Result<ResponderCheck, String> {
    let (algorithm, value) = (&certificate.signature_algorithm, &certificate.signature_value.data);
    let issued = match question.is_issued_as(certificate.issuer()) {
        true => signature::check(issuer, algorithm, value, certificate.tbs_certificate.as_ref()),
        false => SignatureCheck::Failed,
    };
    if issued == SignatureCheck::Failed {
        return Err("its signer's certificate is not issued by this certificate's issuer".into());
    }
    let usage = certificate.extended_key_usage();
    let usage = usage.map_err(|_| "the extended key usage of its signer's certificate cannot be read")?;
    if !usage.is_some_and(|usage| usage.value.ocsp_signing) {
        return Err("its signer's certificate is not for OCSP: it lacks id-kp-OCSPSigning".into());
    }
    in_time(certificate, at)?;
    if terms(der).unknown_critical {
        return Err("a critical extension of its signer's certificate is not known".into());
    }
    let marked = certificate.extensions().iter().any(|extension| extension.oid.to_id_string() == NO_CHECK);
    let note =
        "its signer's certificate has no id-pkix-ocsp-nocheck, and whether it is revoked was not asked";
    Ok(ResponderCheck { check: issued, note: (!marked).then(|| note.to_string()) })
}

fn in_time(certificate: &X509Certificate<'_>, at: Timestamp) -> Result<(), String> {
    let validity = certificate.validity();
    let (start, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let told = |seconds| Timestamp::from_second(seconds).map_or_else(|_| "?".into(), |at| at.to_string());
    if at.as_second() > end {
        Err(format!("its signer's certificate has expired, on {}", told(end)))
    } else if at.as_second() < start {
        Err(format!("its signer's certificate is not valid before {}", told(start)))
    } else {
        Ok(())
    }
}
