//! Lists and answers made for it, each read back.

use super::*;
use crate::model::revocation::Revoked;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevocationReason, RevokedCertParams, SerialNumber,
    SigningKey, date_time_ymd,
};
use x509_cert::der::asn1::{BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString};
use x509_cert::der::{DateTime, Decode, Encode};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse, ResponderId, ResponseData,
    RevokedInfo, SingleResponse, Version,
};

type TestIssuer = CertifiedIssuer<'static, KeyPair>;

const URL: &str = "http://crl.example/ca.crl";

fn at() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn params(name: &str, serial: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(vec![0x81, serial]));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn ca(name: &str) -> TestIssuer {
    let mut params = params(name, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(issuer: &TestIssuer, serial: u8) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    params("mx.example", serial).signed_by(&key, issuer).unwrap().der().to_vec()
}

/// A list of `issuer`, made in May, which has the certificate 7, and 8 as
/// taken off again.
fn list(issuer: &TestIssuer, change: impl FnOnce(&mut CertificateRevocationListParams)) -> Vec<u8> {
    let entry = |serial: u8, reason| RevokedCertParams {
        serial_number: SerialNumber::from(vec![0x81, serial]),
        revocation_time: date_time_ymd(2026, 5, 1),
        reason_code: Some(reason),
        invalidity_date: None,
    };
    let mut params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 5, 20),
        next_update: date_time_ymd(2026, 6, 20),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![
            entry(7, RevocationReason::KeyCompromise),
            entry(8, RevocationReason::RemoveFromCrl),
        ],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    change(&mut params);
    params.signed_by(issuer).unwrap().der().to_vec()
}

fn looked_up(list: &[u8], certificate: &[u8], issuer: Option<&[u8]>) -> RevocationAnswer {
    crl::look_up(list, &CertificateId::new(certificate, issuer).unwrap(), URL, at())
}

fn why(answer: &RevocationAnswer) -> (RevocationStatus, &str) {
    (answer.status, answer.detail.as_deref().unwrap_or_default())
}

#[test]
fn a_certificate_is_looked_up_in_a_list() {
    let issuer = ca("Issuer");
    let whole = list(&issuer, |_| {});
    let good = looked_up(&whole, &leaf(&issuer, 6), Some(issuer.der()));
    assert!(good.is_proved_good(), "{good:?}");
    assert_eq!(good.next_update, "2026-06-20T00:00:00Z".parse().ok());
    let revoked = looked_up(&whole, &leaf(&issuer, 7), Some(issuer.der()));
    let at = "2026-05-01T00:00:00Z".parse().ok();
    assert_eq!(revoked.revoked, Some(Revoked { at, reason: Some("key_compromise") }));
    assert_eq!(
        (revoked.status, revoked.signature),
        (RevocationStatus::Revoked, Some(SignatureCheck::Verified))
    );
    assert!(looked_up(&whole, &leaf(&issuer, 8), Some(issuer.der())).is_proved_good());
    let read = crl::read(&whole).unwrap();
    assert_eq!((read.issuer.as_str(), read.entries), ("CN=Issuer", 2));
    let pem = format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(&whole)
    });
    assert!(looked_up(pem.as_bytes(), &leaf(&issuer, 6), Some(issuer.der())).is_proved_good());
}

#[test]
fn a_list_that_does_not_tell_is_unknown() {
    let (issuer, other) = (ca("Issuer"), ca("Issuer"));
    let certificate = leaf(&issuer, 6);
    let from = |list: &[u8]| looked_up(list, &certificate, Some(issuer.der()));
    let unknown = |why| (RevocationStatus::Unknown, why);
    // Same name, another key.
    assert_eq!(why(&from(&list(&other, |_| {}))), unknown("its signature does not verify"));
    assert_eq!(why(&from(&list(&ca("Other"), |_| {}))), unknown("a list of another issuer, CN=Other"));
    let old = list(&issuer, |params| params.next_update = date_time_ymd(2026, 5, 30));
    assert_eq!(why(&from(&old)), unknown("out of date since 2026-05-30T00:00:00Z"));
    let early = list(&issuer, |params| params.this_update = date_time_ymd(2026, 6, 10));
    assert_eq!(why(&from(&early)), unknown("made in the future, at 2026-06-10T00:00:00Z"));
    let endless = |der: &[u8]| {
        let mut list = x509_cert::crl::CertificateList::from_der(der).unwrap();
        list.tbs_cert_list.next_update = None;
        list.to_der().unwrap()
    };
    let endless = endless(&list(&issuer, |_| {}));
    assert_eq!(why(&from(&endless)), unknown("a list that does not say until when it holds"));
    assert_eq!(why(&from(b"<html>")), unknown("the answer is not a revocation list"));
    let mut cut = list(&issuer, |_| {});
    cut.truncate(cut.len() - 1);
    assert_eq!(why(&from(&cut)), unknown("the answer is not a revocation list"));
    let scoped = |scope, url: &str| {
        let point = CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint { uris: vec![url.to_string()] },
            scope,
        };
        list(&issuer, |params| params.issuing_distribution_point = Some(point))
    };
    assert!(from(&scoped(Some(CrlScope::UserCertsOnly), URL)).is_proved_good());
    assert_eq!(why(&from(&scoped(Some(CrlScope::CaCertsOnly), URL))), unknown("a list of CA certificates"));
    assert_eq!(
        why(&from(&scoped(None, "http://crl.example/other.crl"))),
        unknown("a list for another distribution point")
    );
}

/// The list with an extension in its first entry, signed again by `issuer`.
fn with_entry_extension(der: &[u8], issuer: &TestIssuer, oid: &str, value: &[u8]) -> Vec<u8> {
    let mut list = x509_cert::crl::CertificateList::from_der(der).unwrap();
    let entries = list.tbs_cert_list.revoked_certificates.as_mut().unwrap();
    entries[0].crl_entry_extensions.get_or_insert_default().push(x509_cert::ext::Extension {
        extn_id: ObjectIdentifier::new_unwrap(oid),
        critical: true,
        extn_value: OctetString::new(value).unwrap(),
    });
    let signature = issuer.key().sign(&list.tbs_cert_list.to_der().unwrap()).unwrap();
    list.signature = BitString::from_bytes(&signature).unwrap();
    list.to_der().unwrap()
}

#[test]
fn an_entry_is_about_certificates_of_the_issuer_that_it_names() {
    use x509_cert::ext::pkix::name::GeneralName;
    const CERTIFICATE_ISSUER: &str = "2.5.29.29";
    let issuer = ca("Issuer");
    // The second entry names no issuer: it is about the same as the first.
    let whole = list(&issuer, |params| params.revoked_certs[1].reason_code = None);
    let asked = |oid: &str, value: &[u8], serial: u8| {
        let list = with_entry_extension(&whole, &issuer, oid, value);
        let answer = looked_up(&list, &leaf(&issuer, serial), Some(issuer.der()));
        assert_ne!(answer.signature, Some(SignatureCheck::Failed));
        (answer.status, answer.detail.unwrap_or_default())
    };
    let named = |name: &str| {
        let name = name.parse::<x509_cert::name::Name>().unwrap();
        vec![GeneralName::DirectoryName(name)].to_der().unwrap()
    };
    for serial in [7, 8] {
        assert_eq!(asked(CERTIFICATE_ISSUER, &named("CN=Other"), serial).0, RevocationStatus::Good);
        for name in ["CN=Issuer", "CN=ISSUER"] {
            assert_eq!(asked(CERTIFICATE_ISSUER, &named(name), serial).0, RevocationStatus::Revoked);
        }
    }
    let whose = "an entry that does not say whose certificate it is about".to_string();
    let mail = vec![GeneralName::Rfc822Name("ca@example".to_string().try_into().unwrap())];
    for value in [b"\x30".to_vec(), b"\x30\x00".to_vec(), mail.to_der().unwrap()] {
        assert_eq!(asked(CERTIFICATE_ISSUER, &value, 6), (RevocationStatus::Unknown, whose.clone()));
    }
    let strange = "a critical extension 1.2.3 of an entry is not known".to_string();
    assert_eq!(asked("1.2.3", b"", 6), (RevocationStatus::Unknown, strange));
}

#[test]
fn without_the_issuer_nothing_is_proved() {
    let issuer = ca("Issuer");
    let answer = looked_up(&list(&issuer, |_| {}), &leaf(&issuer, 6), None);
    assert_eq!(answer.status, RevocationStatus::Good);
    assert!(matches!(answer.signature, Some(SignatureCheck::Unverifiable(_))) && !answer.is_proved_good());
    let certificate = leaf(&issuer, 6);
    let question = CertificateId::new(&certificate, None).unwrap();
    assert_eq!(ocsp::request(&question), Err(ocsp::OcspError::NoIssuer));
    assert!(CertificateId::new(b"no DER", None).is_err());
}

fn moment(month: u8, day: u8) -> OcspGeneralizedTime {
    GeneralizedTime::from_date_time(DateTime::new(2026, month, day, 0, 0, 0).unwrap()).into()
}

/// The answer of `signer` to the request for `certificate`.
fn answer(
    certificate: &[u8],
    issuer: &TestIssuer,
    status: CertStatus,
    signer: &KeyPair,
    certificates: Option<&[u8]>,
) -> Vec<u8> {
    answer_until(certificate, issuer, status, signer, certificates, Some(moment(6, 7)))
}

/// The same, which holds until `next_update`.
fn answer_until(
    certificate: &[u8],
    issuer: &TestIssuer,
    status: CertStatus,
    signer: &KeyPair,
    certificates: Option<&[u8]>,
    next_update: Option<OcspGeneralizedTime>,
) -> Vec<u8> {
    let question = CertificateId::new(certificate, Some(issuer.der())).unwrap();
    let request = OcspRequest::from_der(&ocsp::request(&question).unwrap()).unwrap();
    let cert_id = request.tbs_request.request_list[0].req_cert.clone();
    let key_hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, signer.der_bytes());
    let tbs_response_data = ResponseData {
        version: Version::V1,
        responder_id: ResponderId::ByKey(OctetString::new(key_hash.as_ref()).unwrap()),
        produced_at: moment(5, 31),
        responses: vec![SingleResponse {
            cert_id,
            cert_status: status,
            this_update: moment(5, 31),
            next_update,
            single_extensions: None,
        }],
        response_extensions: None,
    };
    let signature = signer.sign(&tbs_response_data.to_der().unwrap()).unwrap();
    let ecdsa_with_sha256 = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
    let basic = BasicOcspResponse {
        tbs_response_data,
        signature_algorithm: AlgorithmIdentifierOwned { oid: ecdsa_with_sha256, parameters: None },
        signature: BitString::from_bytes(&signature).unwrap(),
        certs: certificates.map(|der| vec![x509_cert::Certificate::from_der(der).unwrap()]),
    };
    OcspResponse::successful(basic).unwrap().to_der().unwrap()
}

#[test]
fn a_responder_is_read() {
    let issuer = ca("Issuer");
    let certificate = leaf(&issuer, 6);
    let question = CertificateId::new(&certificate, Some(issuer.der())).unwrap();
    let told =
        |status| ocsp::look_up(&answer(&certificate, &issuer, status, issuer.key(), None), &question, at());
    let good = told(CertStatus::good());
    assert!(good.is_proved_good(), "{good:?}");
    assert_eq!(good.next_update, "2026-06-07T00:00:00Z".parse().ok());
    let info = RevokedInfo {
        revocation_time: moment(5, 1),
        revocation_reason: Some(x509_cert::ext::pkix::CrlReason::Superseded),
    };
    let revoked = told(CertStatus::revoked(info));
    assert_eq!(revoked.status, RevocationStatus::Revoked);
    assert_eq!(revoked.revoked.unwrap().reason, Some("superseded"));
    assert_eq!(
        why(&told(CertStatus::Unknown(Null))),
        (RevocationStatus::Unknown, "the responder does not know it")
    );
}

#[test]
fn an_answer_without_an_end_is_good_for_seven_days() {
    let issuer = ca("Issuer");
    let certificate = leaf(&issuer, 6);
    let question = CertificateId::new(&certificate, Some(issuer.der())).unwrap();
    let endless = |status| answer_until(&certificate, &issuer, status, issuer.key(), None, None);
    let bytes = endless(CertStatus::good());
    for (at, status, told) in [
        ("2026-05-31T00:00:00Z", RevocationStatus::Good, "counts for seven days, until 2026-06-07T00:00:00Z"),
        ("2026-06-07T00:00:00Z", RevocationStatus::Good, "counts for seven days, until 2026-06-07T00:00:00Z"),
        (
            "2026-06-07T00:00:01Z",
            RevocationStatus::Unknown,
            "counted for seven days, until 2026-06-07T00:00:00Z",
        ),
    ] {
        let answer = ocsp::look_up(&bytes, &question, at.parse().unwrap());
        let detail = answer.detail.unwrap_or_default();
        assert!(answer.status == status && detail.ends_with(told), "{at}: {detail}");
        assert!(detail.starts_with("it names no next update, and "), "{detail}");
    }
    // A revocation stays.
    let info = RevokedInfo { revocation_time: moment(5, 1), revocation_reason: None };
    let late = "2026-12-01T00:00:00Z".parse().unwrap();
    let revoked = ocsp::look_up(&endless(CertStatus::revoked(info)), &question, late);
    assert_eq!(why(&revoked), (RevocationStatus::Revoked, ""));
}

#[test]
fn nothing_good_is_told_of_a_certificate_that_had_expired() {
    let issuer = ca("Issuer");
    let expired = |serial: u8, day: u8| {
        let mut params = params("mx.example", serial);
        params.not_after = date_time_ymd(2026, 5, day);
        params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec()
    };
    let whole = list(&issuer, |_| {});
    let why_of = |day: &str| {
        format!(
            "made after the certificate expired, at 2026-05-{day}T00:00:00Z: its revocation need not be told then"
        )
    };
    let listed = |certificate: &[u8]| looked_up(&whole, certificate, Some(issuer.der()));
    assert_eq!(why(&listed(&expired(6, 19))), (RevocationStatus::Unknown, &*why_of("19")));
    assert_eq!(listed(&expired(7, 19)).status, RevocationStatus::Revoked);
    // A list that was made before has it.
    assert!(listed(&expired(6, 21)).is_proved_good());
    let answered = |certificate: &[u8]| {
        let question = CertificateId::new(certificate, Some(issuer.der())).unwrap();
        ocsp::look_up(&answer(certificate, &issuer, CertStatus::good(), issuer.key(), None), &question, at())
    };
    assert_eq!(why(&answered(&expired(6, 30))), (RevocationStatus::Unknown, &*why_of("30")));
    assert!(answered(&expired(6, 31)).is_proved_good());
}

#[test]
fn only_the_issuer_or_whom_it_charged_may_answer() {
    let issuer = ca("Issuer");
    let certificate = leaf(&issuer, 6);
    let question = CertificateId::new(&certificate, Some(issuer.der())).unwrap();
    let key = KeyPair::generate().unwrap();
    let responder = |usage, by: &TestIssuer| {
        let mut params = params("Responder", 9);
        params.extended_key_usages = vec![usage];
        params.signed_by(&key, by).unwrap().der().to_vec()
    };
    let told = |der: Option<&[u8]>| {
        ocsp::look_up(&answer(&certificate, &issuer, CertStatus::good(), &key, der), &question, at())
    };
    assert!(told(Some(&responder(ExtendedKeyUsagePurpose::OcspSigning, &issuer))).is_proved_good());
    let unknown = |why| (RevocationStatus::Unknown, why);
    let unshown = unknown("it is signed by a responder whose certificate it does not have");
    assert_eq!(why(&told(None)), unshown);
    let other_use = told(Some(&responder(ExtendedKeyUsagePurpose::ServerAuth, &issuer)));
    let lacks = "its signer's certificate is not for OCSP: it lacks id-kp-OCSPSigning";
    assert_eq!(why(&other_use), unknown(lacks));
    let other_ca = told(Some(&responder(ExtendedKeyUsagePurpose::OcspSigning, &ca("Issuer"))));
    let not_issued = "its signer's certificate is not issued by this certificate's issuer";
    assert_eq!(why(&other_ca), unknown(not_issued));
    for told in [told(None), other_use, other_ca] {
        assert_eq!(told.signature, Some(SignatureCheck::Failed));
    }
    // A certificate that came along and is not the signer's says nothing.
    let mut params = params("Responder", 9);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    let stranger = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    assert_eq!(why(&told(Some(&stranger.der()[..]))), unknown("its signature does not verify"));
}

#[test]
fn an_answer_may_name_the_issuer_by_another_digest() {
    let issuer = ca("Issuer");
    let certificate = leaf(&issuer, 6);
    let question = CertificateId::new(&certificate, Some(issuer.der())).unwrap();
    let bytes = answer(&certificate, &issuer, CertStatus::good(), issuer.key(), None);
    let told = |change: &dyn Fn(&mut SingleResponse)| {
        let response = OcspResponse::from_der(&bytes).unwrap();
        let mut basic =
            BasicOcspResponse::from_der(response.response_bytes.unwrap().response.as_bytes()).unwrap();
        change(&mut basic.tbs_response_data.responses[0]);
        let signed = issuer.key().sign(&basic.tbs_response_data.to_der().unwrap()).unwrap();
        basic.signature = BitString::from_bytes(&signed).unwrap();
        ocsp::look_up(&OcspResponse::successful(basic).unwrap().to_der().unwrap(), &question, at())
    };
    let by = |oid: &'static str, name: Vec<u8>, key: Vec<u8>| {
        told(&move |single| {
            single.cert_id.hash_algorithm.oid = ObjectIdentifier::new_unwrap(oid);
            single.cert_id.issuer_name_hash = OctetString::new(name.clone()).unwrap();
            single.cert_id.issuer_key_hash = OctetString::new(key.clone()).unwrap();
        })
    };
    let sha256 = |bytes: &[u8]| digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec();
    let (name, key) = (sha256(question.issuer_name), sha256(question.issuer_key_bits.unwrap()));
    const SHA256: &str = "2.16.840.1.101.3.4.2.1";
    assert!(by(SHA256, name.clone(), key.clone()).is_proved_good());
    let another = (RevocationStatus::Unknown, "the answer is about another certificate");
    assert_eq!(why(&by(SHA256, key.clone(), name.clone())), another);
    let unknown = by("1.2.840.113549.2.5", name, key);
    assert_eq!(
        why(&unknown),
        (
            RevocationStatus::Unknown,
            "the answer names the issuer by a digest that is not known here, 1.2.840.113549.2.5"
        )
    );
    let critical = told(&|single| {
        let extn_id = ObjectIdentifier::new_unwrap("1.2.3.4");
        let extn_value = OctetString::new([]).unwrap();
        single.single_extensions =
            Some(vec![x509_cert::ext::Extension { extn_id, critical: true, extn_value }]);
    });
    assert_eq!(
        why(&critical),
        (RevocationStatus::Unknown, "a critical extension 1.2.3.4 of the answer is not known")
    );
}

#[test]
fn an_answer_that_does_not_tell_is_unknown() {
    let issuer = ca("Issuer");
    let (certificate, other) = (leaf(&issuer, 6), leaf(&issuer, 5));
    let question = CertificateId::new(&certificate, Some(issuer.der())).unwrap();
    let told = |bytes: &[u8]| {
        let answer = ocsp::look_up(bytes, &question, at());
        (answer.status, answer.detail.unwrap_or_default())
    };
    let unknown = |why: &str| (RevocationStatus::Unknown, why.to_string());
    let about_other = answer(&other, &issuer, CertStatus::good(), issuer.key(), None);
    assert_eq!(told(&about_other), unknown("the answer is about another certificate"));
    let try_later = OcspResponse::try_later().to_der().unwrap();
    assert_eq!(told(&try_later), unknown("the responder says try_later"));
    assert_eq!(told(b"<html>"), unknown("the answer is not an OCSP response"));
    let late: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
    let own = answer(&certificate, &issuer, CertStatus::good(), issuer.key(), None);
    assert_eq!(
        why(&ocsp::look_up(&own, &question, late)),
        (RevocationStatus::Unknown, "out of date since 2026-06-07T00:00:00Z")
    );
}
