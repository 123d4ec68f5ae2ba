//! A session in one line, for whoever watches.

use crate::model::SignatureCheck;
use crate::model::inbound::{
    ClientChain, InboundEnd, InboundSession, InboundTls, InboundVerdictCounts, JudgedSession, MailAttempt,
    MailVerdict, NamedCause, NamedCounts, SeenSender, StarttlsUse,
};
use crate::model::text::{counted, grouped};
use crate::report::received::{comeback_words, domain_words, end_words, failure_words, verdict_words};
use crate::x509;

/// The line of one session.
pub(in crate::command) fn line(session: &InboundSession, judged: &JudgedSession) -> String {
    let dialogue = &session.dialogue;
    let name = [&dialogue.ehlo_tls, &dialogue.ehlo, &dialogue.helo].into_iter().flatten().next();
    let name = name.map_or("(no EHLO)", |name| name.text.as_str());
    let moment = session.began.strftime("%H:%M:%SZ");
    let (tls, mail) = (security(session, judged), mail(&dialogue.mail));
    let mut line = format!("{moment} {} {name}: {tls}; {mail}", session.peer.ip());
    line.push_str(&verdict(judged.verdicts.as_deref().unwrap_or_default()));
    for (is_so, words) in [
        (dialogue.spoke_first, "spoke before the greeting"),
        (dialogue.bare_lf, "ends lines by LF alone"),
        (dialogue.auth, "tried AUTH"),
    ] {
        if is_so {
            line.push_str("; ");
            line.push_str(words);
        }
    }
    if let Some(end) = dialogue.end.filter(|end| *end != InboundEnd::Quit) {
        line.push_str("; ");
        line.push_str(end_words(end));
    }
    line.push('\n');
    line
}

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
    if let Some(last) = sender.comebacks.last() {
        told.push_str(&format!("; after one without TLS: {}", comeback_words(last)));
    }
    told
}

fn security(session: &InboundSession, judged: &JudgedSession) -> String {
    match (&session.tls, session.dialogue.starttls) {
        (Some(tls), _) => tls_words(tls, judged),
        (None, StarttlsUse::NotAsked) => "in clear, STARTTLS not asked for".to_string(),
        (None, StarttlsUse::Refused) => "in clear, STARTTLS refused".to_string(),
        (None, StarttlsUse::Pipelined) => "in clear, went on talking behind STARTTLS".to_string(),
        (None, StarttlsUse::Accepted) => "no TLS after STARTTLS was accepted".to_string(),
    }
}

fn tls_words(tls: &InboundTls, judged: &JudgedSession) -> String {
    if let Some(failure) = &tls.failure
        && !tls.established
    {
        let agreed = match (tls.version, tls.suite) {
            (Some(version), Some(suite)) => format!("{version} {suite} agreed; "),
            _ => String::new(),
        };
        return format!("{agreed}handshake failed: {}", failure_words(failure));
    }
    let part = |part: Option<String>| part.unwrap_or_else(|| "?".to_string());
    let version = part(tls.version.map(|version| version.to_string()));
    let suite = part(tls.suite.map(|suite| suite.to_string()));
    let group = tls.group.map(|group| format!(" {group}")).unwrap_or_default();
    format!("{version} {suite}{group}, {}", certificate(tls, judged.client_certificate.as_ref()))
}

fn certificate(tls: &InboundTls, judged: Option<&ClientChain>) -> String {
    let Some(leaf) = tls.chain.first() else { return "no client certificate".to_string() };
    let facts = x509::read(leaf);
    let subject = facts.subject.as_deref().unwrap_or("without a subject that can be read");
    let proof = match &tls.signature {
        Some(SignatureCheck::Verified) => "key proven",
        Some(SignatureCheck::Unverifiable(_)) => "key not proven: mxray cannot check its signature",
        _ => "key not proven",
    };
    let axes = |axes: &ClientChain| format!("; chain {}, dates {}{}", axes.chain, axes.dates, is_named(axes));
    let axes = judged.map(axes).unwrap_or_default();
    format!("client certificate {subject} ({proof}{axes})")
}

/// Whether it is the certificate that `--tls-certificate-name` names, if that was given.
fn is_named(certificate: &ClientChain) -> &'static str {
    match (certificate.named, certificate.named_cause) {
        (Some(true), _) => "; the one that is named",
        (Some(false), _) => "; not the one that is named",
        (None, Some(NamedCause::KeyNotProven)) => "; it has the names, and its key is not proven",
        (None, Some(_)) => "; its names cannot be read whole",
        (None, None) => "",
    }
}

fn mail(attempts: &[MailAttempt]) -> String {
    let Some(first) = attempts.first() else { return "no MAIL".to_string() };
    let place = if first.in_tls { "inside TLS" } else { "in clear" };
    let asks = if first.sender.requiretls { " with REQUIRETLS" } else { "" };
    let more = if attempts.len() > 1 { format!(", and {} more", attempts.len() - 1) } else { String::new() };
    format!("MAIL from {} {place}{asks}{more}, refused", domain_words(&first.sender.domain))
}

/// The first verdict of a session, and how many more there are.
fn verdict(verdicts: &[MailVerdict]) -> String {
    let Some((first, more)) = verdicts.split_first() else { return String::new() };
    let others = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    format!("; to {}: {}{others}", domain_words(&first.recipient), verdict_words(&first.verdict))
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
