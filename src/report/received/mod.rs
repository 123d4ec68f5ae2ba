//! What is told of a run of `mxray receive`: its sessions, senders and client
//! certificates.

mod certificates;
pub mod diff;
mod document;
mod figures;
#[cfg(test)]
mod fixtures;
mod sender_tables;
mod senders;
mod tls_tables;
mod words;

#[cfg(test)]
mod tests;

pub use certificates::{
    CLIENT_CERTIFICATES_MAX, CertificateNamed, CertificateState, ReceivedCertificates, SeenCertificate,
};
pub use document::{AboutReceiveRun, received_document};
pub use figures::{ReceivedFigures, VERDICTS_MAX, VerdictKind};
pub use sender_tables::{
    CLIENT_CERTIFICATES_HEADER, SENDERS_HEADER, client_certificate_record, sender_record,
};
pub use senders::{ObservedSender, SENDER_VALUES_MAX, SenderFigures};
pub use words::{
    comeback_kind, comeback_words, comebacks_words, domain_words, end_words, failure_side, failure_words,
    result_words, verdict_text, verdict_title, verdict_why, verdict_words,
};
