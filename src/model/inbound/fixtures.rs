//! Sessions for tests.

use super::SessionResult::{self, HandshakeFailed, MailInClear, MailInTls, TlsWithoutMail};
use super::{
    ClientName, InboundDialogue, InboundSession, InboundTls, InboundTlsFailure, MailAttempt, MailSender,
    PathDomain,
};
use jiff::Timestamp;

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
        total_us: 0,
        bytes_in: 0,
        bytes_out: 0,
    }
}
