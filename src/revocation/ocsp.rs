//! OCSP (RFC 6960): the request, and the answer read.

use super::certificate_id::unpadded;
use super::responder::{ResponderCheck, SignedResponse};
use super::{CertificateId, settle, unknown};
use crate::model::SignatureCheck;
use crate::model::revocation::{RevocationAnswer, RevocationStatus, Revoked, reason_name};
use aws_lc_rs::digest::{
    Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA3_256, SHA3_384, SHA3_512, SHA224, SHA256, SHA384, SHA512,
    SHA512_256, digest,
};
use jiff::Timestamp;
use x509_cert::der::asn1::{Null, ObjectIdentifier, OctetString};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extensions;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse,
    OcspResponseStatus, Request, SingleResponse, TbsRequest,
};
use x509_parser::asn1_rs::{Any, FromDer};
use x509_parser::prelude::AlgorithmIdentifier;

/// Longest answer that is read, in bytes. Answers have some kilobytes.
pub const OCSP_BYTES_MAX: usize = 256 * 1024;

/// Certificates in an answer that are tried as that of its signer.
pub const RESPONDER_CERTIFICATES_MAX: usize = 8;

/// SHA-1, which names issuers in OCSP and proves nothing there: every
/// responder knows it (RFC 5019 §2.1.1).
const ID_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// Digests by which an answer may name an issuer (RFC 5754 §2, RFC 8702 §2,
/// NIST's registry of hash algorithms).
const DIGESTS: [(ObjectIdentifier, &Algorithm); 9] = [
    (ID_SHA1, &SHA1_FOR_LEGACY_USE_ONLY),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), &SHA256),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), &SHA384),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), &SHA512),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4"), &SHA224),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.6"), &SHA512_256),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.8"), &SHA3_256),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.9"), &SHA3_384),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.10"), &SHA3_512),
];

/// The type of the only answer in use (RFC 6960 §4.2.1).
const ID_PKIX_OCSP_BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");

/// Why an answer, or a question, is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OcspError {
    /// The issuer's key is part of the question.
    #[error("cannot be asked: the issuer's certificate is missing")]
    NoIssuer,
    /// A name or number that does not fit.
    #[error("cannot be asked: {0}")]
    Unaskable(String),
    /// It is something else.
    #[error("the answer is not an OCSP response")]
    NoAnswer,
    /// The responder does not answer this.
    #[error("the responder says {0}")]
    Refused(&'static str),
}

/// The request for one certificate, DER; without a nonce, as responders serve
/// answers that were made before (RFC 5019).
///
/// # Errors
/// [`OcspError`] where the issuer is not known or the number does not fit.
pub fn request(question: &CertificateId<'_>) -> Result<Vec<u8>, OcspError> {
    let unaskable = |error: x509_cert::der::Error| OcspError::Unaskable(error.to_string());
    let key = question.issuer_key_bits.ok_or(OcspError::NoIssuer)?;
    let sha1 = |bytes: &[u8]| OctetString::new(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    let req_cert = CertId {
        hash_algorithm: AlgorithmIdentifierOwned { oid: ID_SHA1, parameters: Some(Null.into()) },
        issuer_name_hash: sha1(question.issuer_name).map_err(unaskable)?,
        issuer_key_hash: sha1(key).map_err(unaskable)?,
        serial_number: SerialNumber::new(question.serial).map_err(unaskable)?,
    };
    let one = Request { req_cert, single_request_extensions: None };
    let tbs_request = TbsRequest { request_list: vec![one], ..TbsRequest::default() };
    OcspRequest { tbs_request, optional_signature: None }.to_der().map_err(unaskable)
}

/// An answer taken apart.
pub struct ParsedResponse<'a> {
    basic: BasicOcspResponse,
    /// What the signature covers, as it came.
    signed: &'a [u8],
    algorithm: AlgorithmIdentifier<'a>,
    /// The certificates that came with it, as they came.
    certificates: Vec<&'a [u8]>,
}

/// Takes an answer apart; the bytes inside it, which [`ParsedResponse`] looks into,
/// are put into `room`.
///
/// # Errors
/// [`OcspError`] for what is no answer, and for one that is a refusal.
pub fn read<'a>(bytes: &[u8], room: &'a mut Vec<u8>) -> Result<ParsedResponse<'a>, OcspError> {
    if bytes.len() > OCSP_BYTES_MAX {
        return Err(OcspError::NoAnswer);
    }
    let response = OcspResponse::from_der(bytes).map_err(|_| OcspError::NoAnswer)?;
    match response.response_status {
        OcspResponseStatus::Successful => {}
        OcspResponseStatus::MalformedRequest => return Err(OcspError::Refused("malformed_request")),
        OcspResponseStatus::InternalError => return Err(OcspError::Refused("internal_error")),
        OcspResponseStatus::TryLater => return Err(OcspError::Refused("try_later")),
        OcspResponseStatus::SigRequired => return Err(OcspError::Refused("sig_required")),
        OcspResponseStatus::Unauthorized => return Err(OcspError::Refused("unauthorized")),
    }
    let inner = response.response_bytes.ok_or(OcspError::NoAnswer)?;
    if inner.response_type != ID_PKIX_OCSP_BASIC {
        return Err(OcspError::NoAnswer);
    }
    *room = inner.response.as_bytes().to_vec();
    let basic = BasicOcspResponse::from_der(room).map_err(|_| OcspError::NoAnswer)?;
    take_apart(basic, room).ok_or(OcspError::NoAnswer)
}

/// Finds the signed bytes and the certificates in the DER of the answer:
/// what was decoded and encoded again need not be what was signed.
fn take_apart(basic: BasicOcspResponse, der: &[u8]) -> Option<ParsedResponse<'_>> {
    let (_, outer) = Any::from_der(der).ok()?;
    let (after, _) = Any::from_der(outer.data).ok()?;
    let signed = outer.data.get(..outer.data.len() - after.len())?;
    let (after, algorithm) = AlgorithmIdentifier::from_der(after).ok()?;
    let (after, _signature) = Any::from_der(after).ok()?;
    let mut certificates = Vec::new();
    if !after.is_empty() {
        let (_, explicit) = Any::from_der(after).ok()?;
        let (_, list) = Any::from_der(explicit.data).ok()?;
        let mut rest = list.data;
        while !rest.is_empty() && certificates.len() < RESPONDER_CERTIFICATES_MAX {
            let (next, _) = Any::from_der(rest).ok()?;
            certificates.push(rest.get(..rest.len() - next.len())?);
            rest = next;
        }
    }
    Some(ParsedResponse { basic, signed, algorithm, certificates })
}

/// What an answer says of a certificate.
pub fn look_up(bytes: &[u8], question: &CertificateId<'_>, at: Timestamp) -> RevocationAnswer {
    let mut room = Vec::new();
    match read(bytes, &mut room) {
        Ok(answer) => answer.of(question, at),
        Err(error) => RevocationAnswer::unknown(error.to_string()),
    }
}

impl ParsedResponse<'_> {
    fn of(&self, question: &CertificateId<'_>, at: Timestamp) -> RevocationAnswer {
        let data = &self.basic.tbs_response_data;
        let single = match self.about(question) {
            Ok(single) => single,
            Err(why) => return RevocationAnswer::unknown(why),
        };
        let critical =
            critical(data.response_extensions.as_ref()).or(critical(single.single_extensions.as_ref()));
        if let Some(oid) = critical {
            return RevocationAnswer::unknown(format!(
                "a critical extension {oid} of the answer is not known"
            ));
        }
        let (status, revoked, detail) = match &single.cert_status {
            CertStatus::Good(_) => (RevocationStatus::Good, None, None),
            CertStatus::Revoked(info) => {
                let reason = info.revocation_reason.map(|reason| reason_name(reason as u8));
                let revoked = Revoked { at: time(&info.revocation_time), reason };
                (RevocationStatus::Revoked, Some(revoked), None)
            }
            CertStatus::Unknown(_) => {
                (RevocationStatus::Unknown, None, Some("the responder does not know it".to_string()))
            }
        };
        let answer = RevocationAnswer {
            status,
            revoked,
            signature: None,
            this_update: time(&single.this_update),
            next_update: single.next_update.as_ref().and_then(time),
            detail,
        };
        match self.signed().check(question, at) {
            Ok(ResponderCheck { check, note }) => {
                let told = settle(RevocationAnswer { signature: Some(check), ..answer }, question, at);
                noted(told, note)
            }
            Err(why) => unknown(RevocationAnswer { signature: Some(SignatureCheck::Failed), ..answer }, why),
        }
    }

    /// The part about a certificate; of several one that says that it is
    /// revoked.
    fn about(&self, question: &CertificateId<'_>) -> Result<&SingleResponse, String> {
        let responses = &self.basic.tbs_response_data.responses;
        let is_it = |single: &&SingleResponse| about(single, question) == CertIdMatch::It;
        let is_revoked = |single: &&SingleResponse| matches!(single.cert_status, CertStatus::Revoked(_));
        let revoked = responses.iter().filter(is_it).find(is_revoked);
        if let Some(single) = revoked.or_else(|| responses.iter().find(is_it)) {
            return Ok(single);
        }
        let unknown = responses.iter().find_map(|single| match about(single, question) {
            CertIdMatch::UnknownDigest(oid) => Some(oid),
            CertIdMatch::It | CertIdMatch::Another => None,
        });
        Err(match unknown {
            Some(oid) => format!("the answer names the issuer by a digest that is not known here, {oid}"),
            None => "the answer is about another certificate".into(),
        })
    }

    fn signed(&self) -> SignedResponse<'_> {
        SignedResponse {
            bytes: self.signed,
            algorithm: &self.algorithm,
            value: self.basic.signature.raw_bytes(),
            responder: &self.basic.tbs_response_data.responder_id,
            certificates: &self.certificates,
        }
    }
}

/// The answer with one thing more behind it.
fn noted(answer: RevocationAnswer, note: Option<String>) -> RevocationAnswer {
    let detail = match (answer.detail, note) {
        (Some(detail), Some(note)) => Some(format!("{detail}; {note}")),
        (detail, note) => detail.or(note),
    };
    RevocationAnswer { detail, ..answer }
}

/// Whom a part of an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CertIdMatch {
    /// The certificate that was asked about.
    It,
    /// A certificate of its number, whose issuer is named by a digest that is
    /// not known here.
    UnknownDigest(ObjectIdentifier),
    Another,
}

/// Whether a part of an answer is about this serial number of this issuer, by
/// whatever digest it names it: a responder need not take the one that was
/// asked with.
fn about(single: &SingleResponse, question: &CertificateId<'_>) -> CertIdMatch {
    let id = &single.cert_id;
    if unpadded(id.serial_number.as_bytes()) != question.serial {
        return CertIdMatch::Another;
    }
    let oid = id.hash_algorithm.oid;
    let Some((_, algorithm)) = DIGESTS.iter().find(|(known, _)| *known == oid) else {
        return CertIdMatch::UnknownDigest(oid);
    };
    let same =
        |digested: &OctetString, bytes: &[u8]| digested.as_bytes() == digest(algorithm, bytes).as_ref();
    let is_it = same(&id.issuer_name_hash, question.issuer_name)
        && question.issuer_key_bits.is_none_or(|key| same(&id.issuer_key_hash, key));
    if is_it { CertIdMatch::It } else { CertIdMatch::Another }
}

/// The first critical extension of an answer: none is known here that changes
/// what it says.
fn critical(extensions: Option<&Extensions>) -> Option<ObjectIdentifier> {
    extensions?.iter().find(|extension| extension.critical).map(|extension| extension.extn_id)
}

fn time(time: &OcspGeneralizedTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.0.to_unix_duration().as_secs()).ok()?).ok()
}
