//! Senders and their certificates on the page.

use super::figures::ReceivedFigures;
use super::senders::{ObservedSender, SenderFigures};
use super::words::{comeback_words, comebacks_words};
use crate::model::text::{counted, grouped, printable};
use crate::report::document::{
    CaptionedTable, CountedUnits, DocumentBlock, ReportCell, Section, counts, cut_note, paragraph,
};
use crate::report::received::{CertificateNamed, SeenCertificate};
use std::fmt::Display;

/// Senders that stand on the page.
const SENDERS_SHOWN_MAX: usize = 200;
/// Certificates that stand on the page.
const CERTIFICATES_SHOWN_MAX: usize = 100;

/// Columns of the CSV of senders.
pub const SENDERS_HEADER: [&str; 21] = [
    "address",
    "name",
    "sessions",
    "mail_in_tls",
    "mail_in_clear",
    "tls_without_mail",
    "handshakes_failed",
    "tls_versions",
    "cipher_suites",
    "key_exchange_groups",
    "fingerprints",
    "cert_sha256",
    "with_certificate",
    "key_proven",
    "client_certificate",
    "cert_named",
    "accepted",
    "rejected",
    "not_determined",
    "refusal_codes",
    "comebacks",
];

/// The row of the CSV of a sender.
pub fn sender_record(sender: &SenderFigures) -> [String; 21] {
    let SenderFigures { seen, observed } = sender;
    let [accepted, rejected, not_determined] = observed.verdicts.map(|count| count.to_string());
    let comebacks: Vec<String> = seen.comebacks.iter().map(comeback_words).collect();
    [
        seen.address.to_string(),
        shown(seen.name.as_deref().unwrap_or_default()),
        seen.sessions.to_string(),
        seen.mail_in_tls.to_string(),
        seen.mail_in_clear.to_string(),
        seen.tls_without_mail.to_string(),
        seen.handshakes_failed.to_string(),
        joined(&observed.versions, " "),
        joined(&observed.suites, " "),
        joined(&observed.groups, " "),
        shown(&joined(&observed.fingerprints, " ")),
        joined(&observed.certificates, " "),
        observed.with_certificate.to_string(),
        observed.key_proven.to_string(),
        observed.certificate_state.map_or_else(String::new, |state| state.name().to_string()),
        observed.certificate_named.map_or_else(String::new, |named| named.name().to_string()),
        accepted,
        rejected,
        not_determined,
        shown(&joined(&observed.refusal_codes, "; ")),
        comebacks.join("; "),
    ]
}

/// Columns of the CSV of client certificates.
pub const CLIENT_CERTIFICATES_HEADER: [&str; 12] = [
    "not_after",
    "cert_sha256",
    "subject",
    "issuer",
    "sessions",
    "key_proven",
    "cert_chain",
    "cert_dates",
    "cert_key",
    "cert_named",
    "first_address",
    "first_name",
];

/// The row of the CSV of a client certificate.
pub fn client_certificate_record(certificate: &SeenCertificate) -> [String; 12] {
    let text = |text: &Option<String>| shown(text.as_deref().unwrap_or_default());
    let [chain, dates, key] = certificate.axes.unwrap_or_default().map(str::to_string);
    [
        certificate.not_after.map_or_else(String::new, |at| at.to_string()),
        certificate.sha256.to_string(),
        text(&certificate.subject),
        text(&certificate.issuer),
        certificate.sessions.to_string(),
        certificate.key_proven.to_string(),
        chain,
        dates,
        key,
        certificate.named.map_or_else(String::new, |named| named.name().to_string()),
        certificate.first_sender.address.to_string(),
        text(&certificate.first_sender.name),
    ]
}

/// What a client or a file said, as text that steers nothing.
fn shown(text: &str) -> String {
    printable(text).into_owned()
}

fn joined<T: Display>(values: impl IntoIterator<Item = T>, between: &str) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(between)
}

pub(super) fn senders(figures: &ReceivedFigures, beside: Option<&str>) -> Section {
    let lead = "A sender is told apart by its address and the name after its first EHLO: one that comes again from another \
                address is another sender here. A listener sees neither a queue nor a bounce.";
    let mut blocks = vec![paragraph(lead)];
    let rows: Vec<Vec<ReportCell>> =
        figures.senders.iter().take(SENDERS_SHOWN_MAX).map(|sender| sender_row(figures, sender)).collect();
    let complete = match beside {
        Some(file) => format!("All of them are in {file}."),
        None => "The sessions of all are in sessions.jsonl.".to_string(),
    };
    if rows.is_empty() {
        blocks.push(paragraph("Nobody came."));
    } else {
        blocks.push(DocumentBlock::Table(CaptionedTable {
            caption: "Senders, the busiest first, in sessions".to_string(),
            columns: vec![
                "Sender",
                "Sessions",
                "MAIL inside TLS",
                "MAIL in clear",
                "TLS, no MAIL",
                "Handshake failed",
                "Agreed",
                "Client certificate",
                "After sessions without MAIL",
            ],
            note: cut_note(rows.len(), figures.senders.len() as u64, "sender", &complete),
            rows,
            wordy: true,
        }));
    }
    Section { id: "senders", part: None, title: "Who came, and what they did".to_string(), blocks }
}

fn sender_row(figures: &ReceivedFigures, sender: &SenderFigures) -> Vec<ReportCell> {
    let SenderFigures { seen, observed } = sender;
    let name = seen.name.as_deref().map_or_else(|| "(no EHLO)".to_string(), shown);
    vec![
        ReportCell::Titled(name, seen.address.to_string()),
        ReportCell::Count(seen.sessions),
        ReportCell::Count(seen.mail_in_tls),
        ReportCell::Count(seen.mail_in_clear),
        ReportCell::Count(seen.tls_without_mail),
        ReportCell::Count(seen.handshakes_failed),
        ReportCell::Titled(joined(&observed.versions, ", "), joined(&observed.suites, ", ")),
        certificate_cell(figures, observed),
        ReportCell::text(comebacks_words(&seen.comebacks)),
    ]
}

fn certificate_cell(figures: &ReceivedFigures, observed: &ObservedSender) -> ReportCell {
    let Some(first) = observed.certificates.first() else {
        let none = if observed.versions.is_empty() { "not asked: no TLS" } else { "none" };
        return ReportCell::text(none);
    };
    let found = figures.certificates.get(first);
    let name = match (observed.certificates.len(), found) {
        (1, Some(found)) => subject(found),
        (count, _) => counted(count as u64, "certificate"),
    };
    let proven = format!(
        "key proven in {} of {}",
        grouped(observed.key_proven),
        counted(observed.with_certificate, "session")
    );
    let axes = match (observed.certificates.len(), found.and_then(|found| found.axes)) {
        (1, Some([chain, dates, key])) => format!("; chain {chain}, dates {dates}, key {key}"),
        _ => String::new(),
    };
    ReportCell::Titled(name, format!("{proven}{axes}"))
}

fn subject(certificate: &SeenCertificate) -> String {
    certificate.subject.as_deref().map_or_else(|| "without a subject that can be read".to_string(), shown)
}

/// What came after sessions without MAIL.
pub(super) fn comebacks(figures: &ReceivedFigures) -> Option<Section> {
    let table = counts(
        "What came after a session without MAIL",
        "What came",
        &CountedUnits::Sessions(&figures.comebacks),
        "sessions.jsonl",
    )?;
    let lead = "What the sender did with the mail is not seen here: where nothing came, it may have kept it, sent it back, \
                or tried elsewhere.";
    Some(Section {
        id: "comebacks",
        part: None,
        title: "What came after a session without MAIL".to_string(),
        blocks: vec![paragraph(lead), table],
    })
}

pub(super) fn certificates(figures: &ReceivedFigures, beside: Option<&str>) -> Section {
    let all = figures.certificates.by_end();
    let lead = "Nothing may rest on a certificate whose key is not proven: whoever saw one can show it. Chains are judged \
                by the root certificates of the run, and no host name is compared, since nobody knows beforehand what a \
                client is called.";
    let mut blocks = vec![paragraph(lead)];
    if figures.certificates.not_kept > 0 {
        blocks.push(paragraph(format!(
            "{} with further certificates are not told here; certificates.csv of the run has all.",
            counted(figures.certificates.not_kept, "session")
        )));
    }
    let is_one_named = figures.certificates.is_one_named();
    if is_one_named {
        blocks.push(paragraph(
            "This run was told which certificate to look for (--tls-certificate-name); the last column says whether it is \
             the one.",
        ));
    }
    let shown = all.iter().take(CERTIFICATES_SHOWN_MAX);
    let rows: Vec<Vec<ReportCell>> = shown.map(|one| certificate_row(one, is_one_named)).collect();
    let complete = match beside {
        Some(file) => format!("All of them are in {file}."),
        None => "All of them are in certificates.csv.".to_string(),
    };
    if rows.is_empty() {
        blocks.push(paragraph("No client showed a certificate."));
    } else {
        blocks.push(DocumentBlock::Table(CaptionedTable {
            caption: "Client certificates, the one that ends first before the others".to_string(),
            columns: certificate_columns(is_one_named),
            note: cut_note(rows.len(), all.len() as u64, "certificate", &complete),
            rows,
            wordy: true,
        }));
    }
    Section { id: "certificates", part: None, title: "Client certificates".to_string(), blocks }
}

fn certificate_columns(is_one_named: bool) -> Vec<&'static str> {
    let mut columns =
        vec!["Subject", "Ends", "Sessions", "Key proven", "Chain", "Dates", "Key", "First shown by"];
    columns.extend(is_one_named.then_some("The one that is named"));
    columns
}

fn certificate_row(certificate: &SeenCertificate, is_one_named: bool) -> Vec<ReportCell> {
    let [chain, dates, key] = certificate.axes.unwrap_or(["not judged"; 3]);
    let issuer = certificate.issuer.as_deref().map(|issuer| format!("issued by {}", shown(issuer)));
    let first = &certificate.first_sender;
    let name = first.name.as_deref().map_or_else(|| "(no EHLO)".to_string(), shown);
    let mut row = vec![
        ReportCell::Titled(subject(certificate), issuer.unwrap_or_default()),
        ReportCell::text(certificate.not_after.map_or_else(|| "unreadable".to_string(), |at| at.to_string())),
        ReportCell::Count(certificate.sessions),
        ReportCell::Count(certificate.key_proven),
        ReportCell::text(chain),
        ReportCell::text(dates),
        ReportCell::text(key),
        ReportCell::Titled(name, first.address.to_string()),
    ];
    if is_one_named {
        row.push(ReportCell::text(certificate.named.map_or("", CertificateNamed::name)));
    }
    row
}
