//! What a run of `mxray receive` says on the terminal.

mod session;

use crate::model::inbound::{InboundVerdictCounts, NamedCounts, SeenSender};
use crate::model::text::{counted, grouped};
use crate::report::received::{comeback_words, comebacks_words};
pub(in crate::command) use session::line;

/// What one sender did, for the end of a run.
pub(super) fn sender(sender: &SeenSender) -> String {
    let name = sender.name.as_deref().unwrap_or("(no EHLO)");
    let counts = [
        (sender.mail_in_tls, "with MAIL inside TLS"),
        (sender.mail_in_clear, "with MAIL in clear"),
        (sender.tls_without_mail, "with TLS and no MAIL"),
        (sender.handshakes_failed, "with a handshake that failed"),
    ];
    let parts = counts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, what)| format!("{} {what}", grouped(*number))).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let sessions = counted(sender.sessions, "session");
    let mut told = format!("mxray: {} {name}: {sessions}{parts}", sender.address);
    match sender.comebacks.as_slice() {
        [] => {}
        [one] => told.push_str(&format!("; after one without MAIL: {}", comeback_words(one))),
        more => told.push_str(&format!("; after those without MAIL: {}", comebacks_words(more))),
    }
    told
}

/// Whose certificate was the one that is named, for the end of a run.
pub(in crate::command) fn named(counts: NamedCounts) -> String {
    let NamedCounts { yes, no, not_determined } = counts;
    let (yes, no, open) = (grouped(yes), grouped(no), grouped(not_determined));
    format!("mxray: client certificates, the one that is named: {yes}; another: {no}; not determined: {open}")
}

/// What became of all mail, for the end of a run.
pub(in crate::command) fn verdicts(counts: InboundVerdictCounts) -> String {
    let InboundVerdictCounts { accepted, rejected, not_determined } = counts;
    let (accepted, rejected, open) = (grouped(accepted), grouped(rejected), grouped(not_determined));
    format!(
        "mxray: by the inbound connectors: {accepted} accepted, {rejected} rejected, {open} not determined"
    )
}
