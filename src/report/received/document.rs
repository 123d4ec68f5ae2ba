//! The report of a run of `mxray receive` as a document.

use super::figures::{ReceivedFigures, VERDICTS_MAX};
use super::words::result_words;
use super::{sender_tables, tls_tables};
use crate::model::inbound::{SENDERS_MAX, SessionResult};
use crate::model::text::{counted, grouped};
use crate::report::document::{
    COUNT_ROWS_MAX, CaptionedTable, Document, DocumentBlock, PartShare, PartsUnit, ReportCell, Section, Tone,
    paragraph,
};

/// What a session came to, in the order of the page, with what that means.
const RESULTS: [(SessionResult, &str, &str, Tone); 5] = [
    (SessionResult::MailInTls, "MAIL inside TLS", "The client encrypts.", Tone::Good),
    (SessionResult::MailInClear, "MAIL in clear", "Anybody on the way can read it.", Tone::Bad),
    (
        SessionResult::TlsWithoutMail,
        "TLS, no MAIL",
        "It left once it had seen the certificate, or had no mail.",
        Tone::Plain,
    ),
    (SessionResult::HandshakeFailed, "Handshake failed", "And no MAIL in that session.", Tone::Held),
    (SessionResult::Nothing, "Neither", "No TLS, and no MAIL.", Tone::Plain),
];

/// What is known of a run besides its sessions, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AboutReceiveRun {
    /// Where it listened, when, and what it did on purpose.
    pub subtitle: Vec<String>,
    /// What must be known before any figure is read.
    pub notices: Vec<String>,
    /// Whether it did something wrong on purpose.
    pub has_fault: bool,
    /// Name and value of all that the figures depend on.
    pub settings: Vec<(&'static str, String)>,
    /// One sentence that names the run, for whoever cites a figure.
    pub citation: String,
    /// Names of the tables of senders and of certificates that are written beside the page.
    pub beside: Option<[String; 2]>,
}

/// All of a report.
pub fn received_document(figures: &ReceivedFigures, about: &AboutReceiveRun) -> Document {
    let [senders, certificates] = about.beside.clone().map(|names| names.map(Some)).unwrap_or_default();
    let mut sections = vec![sender_tables::senders(figures, senders.as_deref())];
    sections.extend(sender_tables::comebacks(figures));
    sections.extend(verdicts(figures));
    sections.push(sender_tables::certificates(figures, certificates.as_deref()));
    sections.push(tls_tables::agreed(figures));
    sections.extend(tls_tables::failures(figures, about.has_fault));
    sections.extend(tls_tables::sessions(figures));
    sections.push(how(about));
    let senders = figures.senders.len() as u64;
    let most = if figures.senders_not_kept > 0 { "at least " } else { "" };
    Document {
        title: format!(
            "What clients did: {} of {most}{}",
            counted(figures.sessions, "session"),
            counted(senders, "sender")
        ),
        subtitle: about.subtitle.clone(),
        notices: notices(figures, about),
        unit: PartsUnit { row: "Session", one: "session", column: "Sessions" },
        parts: RESULTS.map(|result| part(figures, result)).to_vec(),
        sections,
    }
}

fn part(
    figures: &ReceivedFigures,
    (result, name, means, tone): (SessionResult, &str, &'static str, Tone),
) -> PartShare {
    PartShare {
        name: name.to_string(),
        means,
        part: figures.results.get(result_words(result)),
        whole: figures.sessions,
        tone,
    }
}

fn notices(figures: &ReceivedFigures, about: &AboutReceiveRun) -> Vec<String> {
    let mut notices = vec![
        "TLS encrypts the connection, not the message. What a client did here says nothing of the next hop, which is \
         not seen."
            .to_string(),
    ];
    notices.extend(about.notices.iter().cloned());
    if figures.incomplete > 0 {
        notices.push(format!(
            "{} left out: the run lost their certificates when it was killed.",
            counted(figures.incomplete, "session")
        ));
    }
    if figures.senders_not_kept > 0 {
        notices.push(format!(
            "The first {} senders are told apart; {} of others are counted among the sessions only.",
            grouped(SENDERS_MAX as u64),
            counted(figures.senders_not_kept, "session"),
        ));
    }
    notices
}

/// What connectors make of it, where the run was held against some.
fn verdicts(figures: &ReceivedFigures) -> Option<Section> {
    if !figures.has_verdicts {
        return None;
    }
    let total: u64 = figures.verdicts.values().sum::<u64>() + figures.verdicts_not_kept;
    let mut sorted: Vec<_> = figures.verdicts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let (shown, rest) = sorted.split_at(sorted.len().min(COUNT_ROWS_MAX));
    let tone = |title: &str| match title {
        "accepted" => Tone::Good,
        "rejected" => Tone::Held,
        _ => Tone::Open,
    };
    let rows = shown.iter().map(|(kind, count)| {
        vec![
            ReportCell::text(kind.title),
            ReportCell::Titled(kind.why.clone(), kind.text.clone()),
            ReportCell::Count(**count),
            ReportCell::Share(**count, total, tone(kind.title)),
        ]
    });
    let beyond: u64 = rest.iter().map(|(_, count)| **count).sum::<u64>() + figures.verdicts_not_kept;
    let note = (beyond > 0).then(|| {
        format!(
            "{} more of further kinds, of which at most {VERDICTS_MAX} are told apart; all of them are in \
             sessions.jsonl: verdicts.",
            counted(beyond, "verdict")
        )
    });
    let lead = "What Exchange Online would make of each MAIL to each recipient domain, as far as inbound connectors go; \
                what filters make of the message is not in it. Nothing was delivered: mxray refused every recipient. \
                Where Microsoft does not publish what happens, it is not determined.";
    Some(Section {
        id: "verdicts",
        part: None,
        title: "What inbound connectors make of it".to_string(),
        blocks: vec![
            paragraph(lead),
            DocumentBlock::Table(CaptionedTable {
                caption: "Verdicts, one for each MAIL and recipient domain".to_string(),
                columns: vec!["Verdict", "By what, or why", "Verdicts", "Share"],
                rows: rows.collect(),
                note,
                wordy: true,
            }),
        ],
    })
}

/// How the run was made, so that its figures can be cited.
fn how(about: &AboutReceiveRun) -> Section {
    let rows =
        about.settings.iter().map(|(name, value)| vec![ReportCell::text(*name), ReportCell::text(value)]);
    let table = CaptionedTable {
        caption: "The run".to_string(),
        columns: vec!["What", "Value"],
        rows: rows.collect(),
        note: None,
        wordy: true,
    };
    Section {
        id: "run",
        part: None,
        title: "How it was run".to_string(),
        blocks: vec![paragraph(format!("To cite this run: {}", about.citation)), DocumentBlock::Table(table)],
    }
}
