//! What the DNS was asked for, and what the domain publishes of DANE, MTA-STS and
//! TLS-RPT.

use crate::model::asked_question::AskedQuestion;
use crate::model::mta_sts::{Published, StsFacts, StsFetch};
use crate::model::tls_rpt::{TlsRptFault, TlsRptRecord};
use crate::model::tlsa::{Authenticity, TlsaFacts, TlsaOutcome};
use crate::model::{DomainFacts, StsStand, text};
use std::fmt::{self, Write};

/// The questions to the DNS, as many as are told.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuestionsTold<'a> {
    /// By what they are for, then by name.
    pub questions: &'a [AskedQuestion],
    /// How many there were beyond.
    pub excess: usize,
}

/// Most lines of a policy that are shown; the journal has it whole.
const POLICY_LINES_MAX: usize = 40;
/// Longest line of a policy that is shown, in bytes.
const POLICY_LINE_BYTES_MAX: usize = 300;

/// Each question, who vouches for the answer, and each record.
pub(super) fn write_questions(out: &mut String, asked: &QuestionsTold<'_>) -> fmt::Result {
    if asked.questions.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nDNS")?;
    for question in asked.questions {
        let vouched = question.authenticity.map_or("", who_vouches);
        writeln!(out, "  {} {}{vouched}", question.record_type, question.name)?;
        for line in &question.answer {
            writeln!(out, "    {line}")?;
        }
        if question.answer_excess > 0 {
            writeln!(out, "    (and {} more)", question.answer_excess)?;
        }
    }
    if asked.excess > 0 {
        writeln!(out, "  (and {} more {})", asked.excess, text::noun(asked.excess as u64, "question"))?;
    }
    Ok(())
}

fn who_vouches(authenticity: Authenticity) -> &'static str {
    match authenticity {
        Authenticity::Secure => "  [AD: validated]",
        Authenticity::Insecure => "  [no AD: insecure]",
        Authenticity::Bogus => "  [bogus]",
        Authenticity::NotValidated => "  [by no resolver that is believed to validate]",
    }
}

/// What follows from the answers; `stand` is how the domain stands to MTA-STS.
pub(super) fn write_policies(out: &mut String, facts: &DomainFacts, stand: Option<StsStand>) -> fmt::Result {
    for exchange in &facts.exchanges {
        if let (Some(host), Some(tlsa)) = (&exchange.host, &exchange.tlsa) {
            writeln!(out, "  DANE     {host}: {}", of_tlsa(tlsa))?;
        }
    }
    if let Some(mta_sts) = &facts.mta_sts {
        write_mta_sts(out, mta_sts, stand)?;
    }
    let Some(tls_rpt) = &facts.tls_rpt else { return Ok(()) };
    let place = format!("_smtp._tls.{}", policy_domain(facts));
    writeln!(out, "  TLS-RPT  {}", of_tls_rpt(tls_rpt, &place))
}

/// That of the mail, or the name of the first smart host that has one (RFC 8461
/// §3.4).
fn policy_domain(facts: &DomainFacts) -> String {
    let named = facts.exchanges.iter().find_map(|exchange| exchange.host.as_ref());
    match named.filter(|_| facts.smart_hosts) {
        Some(host) => host.to_string(),
        None => facts.target.subject.label(),
    }
}

fn of_tlsa(tlsa: &TlsaFacts) -> String {
    let base = tlsa.base.as_ref().map_or("", |base| base.as_str());
    let excess = match tlsa.records_excess {
        0 => String::new(),
        excess => format!(", and {excess} more that are not kept"),
    };
    let short = match tlsa.records_short {
        0 => String::new(),
        short => format!(", and {short} of no use, shorter than 3 octets"),
    };
    match &tlsa.outcome {
        TlsaOutcome::Secure => {
            format!("{} TLSA at _25._tcp.{base}, validated{excess}{short}", tlsa.records.len())
        }
        TlsaOutcome::Insecure => {
            format!("TLSA at _25._tcp.{base} that are insecure: no sender uses them{excess}")
        }
        TlsaOutcome::Absent => "no TLSA".to_owned(),
        TlsaOutcome::InsecureAddresses => "its addresses are insecure: no sender asks for TLSA".to_owned(),
        TlsaOutcome::Bogus => "its TLSA is bogus".to_owned(),
        TlsaOutcome::Failed(failure) => format!("no answer about TLSA: {failure}"),
        TlsaOutcome::NotValidated => "no resolver is believed that it validates: not known".to_owned(),
    }
}

fn write_mta_sts(out: &mut String, mta_sts: &StsFacts, stand: Option<StsStand>) -> fmt::Result {
    let domain = &mta_sts.domain;
    match &mta_sts.record {
        Published::Absent => writeln!(out, "  MTA-STS  no record at _mta-sts.{domain}"),
        Published::Record(record) => {
            writeln!(out, "  MTA-STS  record at _mta-sts.{domain}, id {}", record.id)?;
            let counts = stand != Some(StsStand::HostCertificate);
            mta_sts.fetch.as_ref().map_or(Ok(()), |fetch| write_fetch(out, domain.as_str(), fetch, counts))
        }
        Published::Faulty(fault) => writeln!(out, "  MTA-STS  record at _mta-sts.{domain} is wrong: {fault}"),
        Published::Failed(failure) => {
            writeln!(out, "  MTA-STS  no answer about _mta-sts.{domain}: {failure}")
        }
    }
}

/// A policy does not count that came from a host whose certificate does not hold.
fn write_fetch(out: &mut String, domain: &str, fetch: &StsFetch, counts: bool) -> fmt::Result {
    if let Some(failure) = &fetch.failure {
        return writeln!(out, "           no policy from mta-sts.{domain}: {failure}");
    }
    let media = fetch.content_type.as_deref().unwrap_or("no media type");
    let void = if counts { "" } else { ", void, as the certificate of that host does not count" };
    writeln!(out, "           policy from mta-sts.{domain} ({media}){void}:")?;
    let body = fetch.body.as_deref().unwrap_or_default();
    for line in body.lines().take(POLICY_LINES_MAX) {
        let mut shown = text::printable(line).into_owned();
        text::cut(&mut shown, POLICY_LINE_BYTES_MAX);
        writeln!(out, "             {shown}")?;
    }
    let excess = body.lines().count().saturating_sub(POLICY_LINES_MAX);
    if excess > 0 {
        writeln!(out, "             (and {excess} more {})", text::noun(excess as u64, "line"))?;
    }
    match &fetch.policy {
        Some(Err(fault)) => writeln!(out, "           which is no policy: {fault}"),
        _ => Ok(()),
    }
}

fn of_tls_rpt(tls_rpt: &Published<TlsRptRecord, TlsRptFault>, place: &str) -> String {
    match tls_rpt {
        Published::Absent => format!("no record at {place}"),
        Published::Record(record) => {
            format!("record at {place}, reports to {}", text::printable(&record.rua.join(" ")))
        }
        Published::Faulty(fault) => format!("record at {place} is wrong: {fault}"),
        Published::Failed(failure) => format!("no answer about {place}: {failure}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DomainName, Exchange, MxHost, Subject, Target};

    #[test]
    fn the_record_for_reports_stands_at_the_policy_domain() {
        let subject = Subject::Domain(DomainName::parse("d.example").unwrap());
        let host = |name| Exchange::whole(0, Some(MxHost::new(name)), Vec::new());
        let range = Exchange::whole(0, None, Vec::new());
        let exchanges = vec![range, host("relay.example"), host("other.example")];
        let mut facts = DomainFacts::whole(Target { line: 1, subject }, exchanges);
        facts.tls_rpt = Some(Published::Absent);
        for (smart_hosts, domain) in [(false, "d.example"), (true, "relay.example")] {
            facts.smart_hosts = smart_hosts;
            let mut told = String::new();
            write_policies(&mut told, &facts, None).unwrap();
            assert_eq!(told, format!("  TLS-RPT  no record at _smtp._tls.{domain}\n"));
        }
    }
}
