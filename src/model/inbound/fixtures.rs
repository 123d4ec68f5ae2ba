//! Sessions for tests.

use super::SessionResult::{self, HandshakeFailed, MailInClear, MailInTls, TlsWithoutMail};
use super::{
    ClientName, InboundDialogue, InboundSession, InboundTls, InboundTlsFailure, MailAttempt, MailSender,
    PathDomain, ReceivedOffer,
};
use crate::model::ProtocolVersion;
use crate::model::{CertificateFacts, Sha256};
use jiff::Timestamp;

/// A certificate of which nothing is told.
pub(crate) fn certificate(sha256: Sha256) -> CertificateFacts {
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
        is_ca: false,
        extended_key_usages: Vec::new(),
        self_signed: false,
        ocsp_urls: Vec::new(),
        issuer_urls: Vec::new(),
        crl_urls: Vec::new(),
        defect: None,
    }
}

/// A session that began then and came to this.
pub(crate) fn session(second: i64, address: [u8; 4], name: &str, result: SessionResult) -> InboundSession {
    let attempt = |in_tls| MailAttempt {
        in_tls,
        sender: MailSender { domain: PathDomain::Null, requiretls: false, smtputf8: false },
        recipients: Vec::new(),
        more_recipients: false,
    };
    let failure = (result == HandshakeFailed).then_some(InboundTlsFailure::ClientLeft);
    let tls = InboundTls { established: failure.is_none(), failure, ..InboundTls::default() };
    InboundSession {
        number: 1,
        began: Timestamp::from_second(second).unwrap(),
        peer: (address, 4000).into(),
        dialogue: InboundDialogue {
            ehlo: Some(ClientName { text: name.to_string(), cut: false }),
            mail: match result {
                MailInTls => vec![attempt(true)],
                MailInClear => vec![attempt(false)],
                _ => Vec::new(),
            },
            ..InboundDialogue::default()
        },
        tls: matches!(result, MailInTls | TlsWithoutMail | HandshakeFailed).then_some(tls),
        over_us: None,
        total_us: 0,
        bytes_in: 0,
        bytes_out: 0,
    }
}

/// A ClientHello.
pub(crate) fn offer() -> ReceivedOffer {
    ReceivedOffer {
        legacy_version: ProtocolVersion::TLS12,
        versions: Vec::new(),
        suites: Vec::new(),
        groups: Vec::new(),
        key_shares: Vec::new(),
        signature_schemes: Vec::new(),
        sni: None,
        alpn: Vec::new(),
        extensions: Vec::new(),
        resumes: false,
        fingerprint: String::new(),
        bytes: 0,
    }
}
