//! A session in one line, for whoever watches.

use crate::model::SignatureCheck;
use crate::model::inbound::{
    ClientChain, InboundDialogue, InboundEnd, InboundSession, InboundTls, InboundTlsFailure, InboundVerdict,
    JudgedSession, MailVerdict, NamedCause, StarttlsUse,
};
use crate::report::received::{domain_words, end_words, failure_words, verdict_words};
use crate::x509;
use std::time::Duration;

/// Most verdicts of one session that its line tells.
const VERDICTS_TOLD_MAX: usize = 3;
/// A session that took as long has its duration in its line.
const LONG: Duration = Duration::from_secs(10);

/// The line of one session of a listener that did this on purpose, a word of `--behave`.
pub(in crate::command) fn line(
    session: &InboundSession,
    judged: &JudgedSession,
    behave: Option<&str>,
) -> String {
    let dialogue = &session.dialogue;
    let moment = session.began.strftime("%H:%M:%SZ");
    let (number, address, name) = (session.number, session.peer.ip(), name(dialogue));
    let mut line = format!("{moment} #{number} {address} {name}: {}", security(session, judged, behave));
    let mut add = |part: String| {
        line.push_str("; ");
        line.push_str(&part);
    };
    add(mail(dialogue));
    verdicts(session, judged.verdicts.as_deref().unwrap_or_default()).into_iter().for_each(&mut add);
    remarks(session).into_iter().for_each(&mut add);
    line.push('\n');
    line
}

/// The name by which a sender is known, that of its first EHLO or HELO.
fn name(dialogue: &InboundDialogue) -> &str {
    let name = [&dialogue.ehlo, &dialogue.helo, &dialogue.ehlo_tls].into_iter().flatten().next();
    name.map_or("(no EHLO)", |name| name.text.as_str())
}

fn security(session: &InboundSession, judged: &JudgedSession, behave: Option<&str>) -> String {
    match (&session.tls, session.dialogue.starttls, behave) {
        (Some(tls), ..) => tls_words(tls, judged, behave),
        (None, _, Some("421")) => "421 in place of the greeting, on purpose".to_string(),
        (None, StarttlsUse::NotAsked, Some("no-starttls")) => {
            "in clear, STARTTLS not offered, on purpose".to_string()
        }
        (None, StarttlsUse::NotAsked, Some("mangled")) => {
            "in clear, STARTTLS written over, on purpose".to_string()
        }
        (None, StarttlsUse::NotAsked, _) => "in clear, STARTTLS not asked for".to_string(),
        (None, StarttlsUse::Refused, Some("454")) => {
            "in clear, STARTTLS refused by 454, on purpose".to_string()
        }
        (None, StarttlsUse::Refused, _) => "in clear, STARTTLS refused".to_string(),
        (None, StarttlsUse::Pipelined, _) => "in clear, went on talking behind STARTTLS".to_string(),
        (None, StarttlsUse::Accepted, _) => "no TLS after STARTTLS was accepted".to_string(),
    }
}

fn tls_words(tls: &InboundTls, judged: &JudgedSession, behave: Option<&str>) -> String {
    if let Some(failure) = &tls.failure
        && !tls.established
    {
        let agreed = match (tls.version, tls.suite) {
            (Some(version), Some(suite)) => format!("{version} {suite} agreed; "),
            _ => String::new(),
        };
        let lacks = match (behave, failure) {
            (Some("tls10-only"), InboundTlsFailure::OnPurpose(_)) => "the client offers no TLS 1.0; ",
            _ => "",
        };
        return format!("{agreed}handshake failed: {lacks}{}", failure_words(failure));
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

fn mail(dialogue: &InboundDialogue) -> String {
    let Some(first) = dialogue.mail.first() else { return "no MAIL".to_string() };
    let place = if first.in_tls { "inside TLS" } else { "in clear" };
    let asks = if first.sender.requiretls { " with REQUIRETLS" } else { "" };
    let more = match (dialogue.mail.len() - 1, dialogue.more_mail) {
        (0, false) => String::new(),
        (more, false) => format!(", and {more} more MAIL"),
        (more, true) => format!(", and more than {more} more MAIL"),
    };
    let named = dialogue.mail.iter().any(|attempt| !attempt.recipients.is_empty());
    let refused = if named { "recipients refused" } else { "no recipient named" };
    format!("MAIL from {} {place}{asks}{more}, {refused}", domain_words(&first.sender.domain))
}

/// The verdicts of a session, those that refuse before the others.
fn verdicts(session: &InboundSession, verdicts: &[MailVerdict]) -> Vec<String> {
    let mut sorted: Vec<&MailVerdict> = verdicts.iter().collect();
    sorted.sort_by_key(|verdict| rank(&verdict.verdict));
    let (told, others) = sorted.split_at(sorted.len().min(VERDICTS_TOLD_MAX));
    let mut parts: Vec<String> = told.iter().map(|verdict| one_verdict(session, verdict)).collect();
    if !others.is_empty() {
        parts.push(format!("{} more verdicts in sessions.jsonl", others.len()));
    }
    let dialogue = &session.dialogue;
    let is_cut = dialogue.more_mail || dialogue.mail.iter().any(|attempt| attempt.more_recipients);
    if is_cut && !verdicts.is_empty() {
        parts.push("no verdict on what is beyond our limits".to_string());
    }
    parts
}

fn rank(verdict: &InboundVerdict) -> u8 {
    match verdict {
        InboundVerdict::Rejected(_) => 0,
        InboundVerdict::NotDetermined(_) => 1,
        InboundVerdict::Accepted(_) => 2,
    }
}

fn one_verdict(session: &InboundSession, verdict: &MailVerdict) -> String {
    let mail = &session.dialogue.mail;
    let from = match mail.get(verdict.mail.saturating_sub(1)) {
        Some(attempt) if mail.len() > 1 => format!("from {} ", domain_words(&attempt.sender.domain)),
        _ => String::new(),
    };
    format!("{from}to {}: {}", domain_words(&verdict.recipient), verdict_words(&verdict.verdict))
}

fn remarks(session: &InboundSession) -> Vec<String> {
    let dialogue = &session.dialogue;
    let mut remarks = Vec::new();
    for (is_so, words) in [
        (
            dialogue.implicit_tls,
            "sent a TLS ClientHello in place of SMTP: it expects TLS at once, as on port 465",
        ),
        (dialogue.spoke_first, "spoke before the greeting"),
        (dialogue.bare_lf, "ends lines by LF alone"),
        (dialogue.auth, "tried AUTH"),
    ] {
        if is_so {
            remarks.push(words.to_string());
        }
    }
    if let Some(end) = dialogue.end.filter(|end| *end != InboundEnd::Quit) {
        remarks.push(end_words(end).to_string());
    }
    let took = Duration::from_micros(session.total_us);
    if took >= LONG {
        remarks.push(format!("took {} s", took.as_secs()));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DomainName;
    use crate::model::inbound::{InboundCause, MailAttempt, MailSender, PathDomain};

    fn domain(text: &str) -> PathDomain {
        PathDomain::Domain(DomainName::parse(text).unwrap())
    }

    fn mail_from(text: &str, recipients: &[&str]) -> MailAttempt {
        MailAttempt {
            in_tls: false,
            sender: MailSender { domain: domain(text), requiretls: false, smtputf8: false },
            recipients: recipients.iter().map(|text| domain(text)).collect(),
            more_recipients: false,
        }
    }

    fn session(mail: Vec<MailAttempt>) -> InboundSession {
        InboundSession {
            number: 7,
            began: "2026-11-28T05:51:39Z".parse().unwrap(),
            peer: "192.0.2.1:2500".parse().unwrap(),
            dialogue: InboundDialogue { mail, end: Some(InboundEnd::Quit), ..InboundDialogue::default() },
            tls: None,
            over_us: None,
            total_us: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    fn told(session: &InboundSession, judged: &JudgedSession, behave: Option<&str>) -> String {
        let line = line(session, judged, behave);
        line.strip_prefix("05:51:39Z #7 192.0.2.1 (no EHLO): ").unwrap().trim_end().to_string()
    }

    /// Each verdict with its MAIL, what refuses first; what was not told is counted.
    #[test]
    fn a_verdict_stands_with_the_mail_that_it_is_about() {
        let verdict = |mail, verdict| MailVerdict { mail, recipient: domain("contoso.com"), verdict };
        let open = || InboundVerdict::NotDetermined(InboundCause::SenderDomain);
        let mail =
            vec![mail_from("fabrikam.com", &["contoso.com"]), mail_from("other.example", &["contoso.com"])];
        let verdicts = vec![verdict(1, open()), verdict(2, InboundVerdict::Rejected(Vec::new()))];
        let judged = JudgedSession { verdicts: Some(verdicts), ..JudgedSession::default() };
        assert_eq!(
            told(&session(mail.clone()), &judged, None),
            "in clear, STARTTLS not asked for; MAIL from fabrikam.com in clear, and 1 more MAIL, recipients refused; \
             from other.example to contoso.com: rejected: ; from fabrikam.com to contoso.com: not determined: the \
             domain of the sender is empty or cannot be read"
        );
        let many = JudgedSession {
            verdicts: Some((0..5).map(|_| verdict(1, open())).collect()),
            ..JudgedSession::default()
        };
        assert!(told(&session(mail), &many, None).ends_with("; 2 more verdicts in sessions.jsonl"));
        let mut cut = mail_from("fabrikam.com", &["contoso.com"]);
        cut.more_recipients = true;
        let one = JudgedSession { verdicts: Some(vec![verdict(1, open())]), ..JudgedSession::default() };
        assert!(told(&session(vec![cut]), &one, None).ends_with("; no verdict on what is beyond our limits"));
    }

    #[test]
    fn what_was_done_on_purpose_is_told_as_ours() {
        let none = JudgedSession::default();
        let bare = session(vec![mail_from("fabrikam.com", &[])]);
        let rest = "; MAIL from fabrikam.com in clear, no recipient named";
        for (behave, expected) in [
            (None, "in clear, STARTTLS not asked for"),
            (Some("no-starttls"), "in clear, STARTTLS not offered, on purpose"),
            (Some("mangled"), "in clear, STARTTLS written over, on purpose"),
            (Some("421"), "421 in place of the greeting, on purpose"),
            (Some("expired"), "in clear, STARTTLS not asked for"),
        ] {
            assert_eq!(told(&bare, &none, behave), format!("{expected}{rest}"), "{behave:?}");
        }
        let mut refused = bare;
        refused.dialogue.starttls = StarttlsUse::Refused;
        refused.total_us = 92_500_000;
        assert_eq!(
            told(&refused, &none, Some("454")),
            format!("in clear, STARTTLS refused by 454, on purpose{rest}; took 92 s")
        );
    }
}
