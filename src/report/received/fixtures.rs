//! Figures for tests.

use super::{ObservedSender, ReceivedFigures, SenderFigures};
use crate::model::inbound::SeenSender;

/// A sender of that name with so many sessions with MAIL inside TLS and in clear.
pub(super) fn sender(name: &str, mail_in_tls: u64, mail_in_clear: u64) -> SenderFigures {
    let seen = SeenSender {
        address: [192, 0, 2, 1].into(),
        name: Some(name.to_string()),
        sessions: mail_in_tls + mail_in_clear,
        mail_in_tls,
        mail_in_clear,
        tls_without_mail: 0,
        handshakes_failed: 0,
        comebacks: Vec::new(),
    };
    SenderFigures { seen, observed: ObservedSender::default() }
}

/// A run of these.
pub(super) fn figures(senders: Vec<SenderFigures>) -> ReceivedFigures {
    let mut figures = ReceivedFigures::default();
    figures.senders = senders;
    figures
}
