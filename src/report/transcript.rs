//! One target told as a dialogue that a person can read.

mod certificates;
mod enumeration;
mod hellos;
mod millis;
mod policies;
mod verdict;

pub use policies::QuestionsTold;
pub use verdict::Retrying;

use crate::model::text::{self, ELLIPSIS};
use crate::model::{
    AddressTls, Assessment, ClientCertificate, Deviation, DomainFacts, DomainRecord, EndpointRecord,
    Exchange, ExpectationMatch, Observation, Reply, SmtpCommand, TlsObservation,
};
use certificates::write_certificates;
use millis::millis;
use std::fmt::{self, Write};

/// Most that is shown of a reply that broke off, in bytes; the journal has it
/// whole.
const BROKEN_OFF_BYTES_MAX: usize = 512;

/// A probed target and how it was come by.
pub struct Probed<'a> {
    /// The target with its verdict.
    pub domain: &'a DomainRecord,
    /// What each endpoint said, in the order they were asked.
    pub endpoints: &'a [EndpointRecord],
    /// Whether its MX were asked for, and not just the addresses of a host.
    pub by_mx: bool,
    /// What was said in EHLO.
    pub ehlo_name: &'a str,
    /// What the DNS was asked.
    pub questions: QuestionsTold<'a>,
    /// How long the sender tries to deliver what it keeps.
    pub retrying: Retrying<'a>,
}

/// Renders a probed target: DNS, each endpoint's dialogue, verdict.
pub fn transcript(probed: &Probed<'_>) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_all(&mut out, probed);
    out
}

fn write_all(out: &mut String, probed: &Probed<'_>) -> fmt::Result {
    let facts = &probed.domain.facts;
    writeln!(out, "{}", facts.target.subject.label())?;
    for exchange in &facts.exchanges {
        match probed.by_mx {
            true => write_exchange(out, exchange, exchange_kind(facts))?,
            false => write_addresses(out, exchange)?,
        }
    }
    if let Some(failure) = &facts.failure {
        writeln!(out, "  {failure}")?;
    }
    policies::write_policies(out, facts, probed.domain.verdict.policies.mta_sts)?;
    policies::write_questions(out, &probed.questions)?;
    for endpoint in probed.endpoints {
        writeln!(out)?;
        write_endpoint(out, endpoint, probed)?;
    }
    writeln!(out)?;
    verdict::write_verdict(out, probed.domain, &probed.retrying)
}

fn exchange_kind(facts: &DomainFacts) -> &'static str {
    match (facts.smart_hosts, facts.implicit_mx) {
        (true, _) => "smart host",
        (false, true) => "implicit MX",
        (false, false) => "MX",
    }
}

fn write_exchange(out: &mut String, exchange: &Exchange, kind: &str) -> fmt::Result {
    let host =
        exchange.host.as_ref().map_or("(no name)", |host| if host.is_root() { "." } else { host.as_str() });
    write!(out, "  {kind} {} {host}", exchange.preference)?;
    if let Some(failure) = &exchange.failure {
        write!(out, "  {failure}")?;
    }
    for ip in &exchange.addresses {
        write!(out, "  {ip}")?;
    }
    match not_asked(exchange) {
        Some(told) => writeln!(out, "  {told}"),
        None => writeln!(out),
    }
}

/// Addresses over whose family nothing is asked.
fn not_asked(exchange: &Exchange) -> Option<String> {
    let count = exchange.of_other_family().filter(|count| *count > 0)?;
    Some(format!("(and {count} of the family that is not asked over)"))
}

/// Of a host or an address that was named outright.
fn write_addresses(out: &mut String, exchange: &Exchange) -> fmt::Result {
    exchange.addresses.iter().try_for_each(|ip| writeln!(out, "  address {ip}"))?;
    not_asked(exchange).map_or(Ok(()), |told| writeln!(out, "  {told}"))
}

fn write_endpoint(out: &mut String, endpoint: &EndpointRecord, probed: &Probed<'_>) -> fmt::Result {
    let (ehlo_name, domain) = (probed.ehlo_name, probed.domain.facts.target.subject.domain());
    let seen = &endpoint.observation;
    writeln!(out, "{}", seen.key)?;
    if let Some(us) = seen.timings.connect_us {
        writeln!(out, "  connected in {}", millis(us))?;
    }
    let dialogue = &seen.dialogue;
    write_reply(out, dialogue.greeting.as_ref(), seen.timings.greeting_us)?;
    let unanswered = |asked| dialogue.unanswered == Some(asked);
    let ehlo = format!("EHLO {ehlo_name}");
    let helo = format!("HELO {ehlo_name}");
    write_exchanged(out, &ehlo, unanswered(SmtpCommand::Ehlo), dialogue.ehlo.as_ref(), seen.timings.ehlo_us)?;
    write_exchanged(out, &helo, unanswered(SmtpCommand::Helo), dialogue.helo.as_ref(), None)?;
    let starttls = dialogue.starttls.as_ref();
    write_exchanged(out, "STARTTLS", unanswered(SmtpCommand::Starttls), starttls, seen.timings.starttls_us)?;
    if !dialogue.plaintext_after_starttls.is_empty() {
        let cut = if dialogue.plaintext_after_starttls_cut == Some(true) { ELLIPSIS } else { "" };
        writeln!(out, "  ! plaintext before the handshake: {}{cut}", dialogue.plaintext_after_starttls)?;
    }
    if let Some(tls) = &seen.tls {
        write_tls(out, tls, seen)?;
    }
    if let Some(assessment) = &endpoint.assessment {
        write_certificates(out, assessment)?;
        write_expectation(out, assessment, domain, seen)?;
    }
    let ehlo_tls = dialogue.ehlo_tls.as_ref();
    write_exchanged(out, &ehlo, unanswered(SmtpCommand::EhloTls), ehlo_tls, seen.timings.ehlo_tls_us)?;
    write_leave(out, seen)?;
    match &seen.failure {
        Some(failure) => writeln!(out, "  outcome  {failure}")?,
        None => writeln!(out, "  outcome  ok, in {}", millis(seen.timings.total_us))?,
    }
    write_other_attempts(out, seen)?;
    if seen.tls_at_address == Some(AddressTls::Both) {
        writeln!(out, "  address  came to TLS on some connections, and said on others that there is none")?;
    }
    hellos::write(out, endpoint)?;
    endpoint.enumeration.as_ref().map_or(Ok(()), |found| enumeration::write(out, found))
}

/// How the connections ended that are not told in full, a line each.
fn write_other_attempts(out: &mut String, seen: &Observation) -> fmt::Result {
    for other in seen.other_attempts.iter().flatten() {
        let end = other.failure.as_ref().map_or("ok".to_string(), ToString::to_string);
        let (number, of) = (other.number, seen.attempts);
        writeln!(out, "  attempt {number} of {of}  {end}   [{}]", millis(other.total_us))?;
    }
    Ok(())
}

/// QUIT and all that came then.
fn write_leave(out: &mut String, seen: &Observation) -> fmt::Result {
    let dialogue = &seen.dialogue;
    if dialogue.quit.is_some() || dialogue.unanswered == Some(SmtpCommand::Quit) {
        writeln!(out, "  C: QUIT")?;
    }
    for reply in dialogue.unsolicited.iter().flatten() {
        write_reply(out, Some(reply), None)?;
    }
    write_reply(out, dialogue.quit.as_ref(), seen.timings.quit_us)?;
    let Some(text) = &dialogue.broken_off else {
        let silent = dialogue.unanswered == Some(SmtpCommand::Quit) && dialogue.quit.is_none();
        return if silent { writeln!(out, "  ! no answer to QUIT") } else { Ok(()) };
    };
    let mut shown = text.to_string();
    text::cut(&mut shown, BROKEN_OFF_BYTES_MAX);
    writeln!(out, "  ! no whole reply: {shown}")?;
    write_deviations(out, dialogue.broken_off_deviations.as_deref().unwrap_or_default())
}

fn write_deviations(out: &mut String, deviations: &[Deviation]) -> fmt::Result {
    for deviation in deviations {
        writeln!(out, "  ! {}", deviation.name())?;
    }
    Ok(())
}

/// A command that was sent, and its reply if it has one.
fn write_exchanged(
    out: &mut String,
    command: &str,
    unanswered: bool,
    reply: Option<&Reply>,
    spent_us: Option<u64>,
) -> fmt::Result {
    if unanswered || reply.is_some() {
        writeln!(out, "  C: {command}")?;
    }
    write_reply(out, reply, spent_us)
}

fn write_reply(out: &mut String, reply: Option<&Reply>, spent_us: Option<u64>) -> fmt::Result {
    let Some(reply) = reply else { return Ok(()) };
    let last = reply.lines.len().saturating_sub(1);
    for (index, line) in reply.lines.iter().enumerate() {
        let separator = if index < last { '-' } else { ' ' };
        write!(out, "  S: {}{separator}{line}", reply.code)?;
        match spent_us {
            Some(us) if index == last => writeln!(out, "   [{}]", millis(us))?,
            _ => writeln!(out)?,
        }
    }
    write_deviations(out, &reply.deviations)
}

fn write_tls(out: &mut String, tls: &TlsObservation, seen: &Observation) -> fmt::Result {
    let negotiated = [
        tls.version.map(|version| version.to_string()),
        tls.suite.map(|suite| suite.to_string()),
        tls.group.map(|group| group.to_string()),
    ];
    let negotiated = negotiated.into_iter().flatten().collect::<Vec<_>>().join("  ");
    match seen.timings.handshake_us {
        Some(us) => writeln!(out, "  TLS  {negotiated}   [{}]", millis(us))?,
        None if negotiated.is_empty() => writeln!(out, "  TLS  not established")?,
        None => writeln!(out, "  TLS  not established, after {negotiated}")?,
    }
    if let (Some(scheme), Some(check)) = (tls.signature_scheme, &tls.signature) {
        write!(out, "       signature {scheme}: {}", check.name())?;
        match check.limit() {
            Some(limit) => writeln!(out, " ({limit})")?,
            None => writeln!(out)?,
        }
    }
    let mut notes = Vec::new();
    if tls.hello_retry {
        notes.push("another key share was requested".to_string());
    }
    notes.extend(client_certificate(tls));
    if tls.ocsp_stapled {
        notes.push("OCSP response stapled".to_string());
    }
    if let Some(tickets @ 1..) = tls.tickets {
        notes.push(format!("resumption tickets: {tickets}"));
    }
    if tls.session_id == Some(true) {
        notes.push("session id (resuming was not tried)".to_string());
    }
    if !notes.is_empty() {
        writeln!(out, "       {}", notes.join(", "))?;
    }
    Ok(())
}

/// What was asked of a client certificate, and what became of ours.
fn client_certificate(tls: &TlsObservation) -> Option<String> {
    match tls.client_certificate {
        ClientCertificate::NeverAsked => None,
        ClientCertificate::NotShown => Some("client certificate asked for".to_string()),
        ClientCertificate::Shown => Some("client certificate shown, accepted or not".to_string()),
        ClientCertificate::Accepted => Some("client certificate accepted".to_string()),
        ClientCertificate::Refused(alert) => Some(format!("client certificate refused ({alert})")),
    }
}

fn write_expectation(
    out: &mut String,
    assessment: &Assessment,
    domain: Option<&str>,
    seen: &Observation,
) -> fmt::Result {
    let host = seen.key.sni.as_ref().map(|host| host.as_str());
    match ExpectationMatch::for_host(&assessment.expectations, domain, host) {
        Some(ExpectationMatch { expectation, status, detail }) => {
            writeln!(out, "       by expectation {}: {status} ({detail})", expectation.name)
        }
        None => Ok(()),
    }
}
