//! What is told of DANE and MTA-STS: how the host that decides, and the domain,
//! stand to them, and what a report on TLS would call it.

use super::domain::Domain;
use super::domain_outcome::DomainOutcome;
use super::hosts::{Member, Standing};
use super::report_result::{of_certificate, of_dane, of_no_tls, of_sts_policy};
use super::sts::{self, StsAnswer, StsDemand};
use crate::model::mta_sts::{StsMode, StsPolicy};
use crate::model::tlsa::{Authenticity, TlsaFacts, TlsaOutcome, TlsaRecord};
use crate::model::{
    CheckFailure, DaneStand, Exchange, Outcome, PolicyReason, PolicyVerdict, Reason, StsStand, TlsRptResult,
    text,
};
use crate::trust::dane::{DaneFailure, DaneStatus, why_unusable};

/// Longest detail, in bytes; what is longer ends in `…`.
const DETAIL_BYTES_MAX: usize = 500;
/// Most of the data of a record that is told, in hexadecimal digits.
const DATA_DIGITS_MAX: usize = 16;

/// What is told of them.
pub(super) fn of(domain: &Domain<'_>, whole: &DomainOutcome<'_>) -> PolicyVerdict {
    let member = whole.decides.as_ref();
    let exchange = member.and_then(|member| domain.facts.exchanges.get(member.exchange));
    let mx_bogus = domain.facts.mx_authenticity == Some(Authenticity::Bogus);
    let dane =
        if mx_bogus { Some(DaneStand::Bogus) } else { member.and_then(|member| dane_stand(domain, member)) };
    let mta_sts = sts_stand(domain);
    PolicyVerdict {
        authenticated: whole.authenticated,
        dane,
        dane_detail: exchange.and_then(|exchange| dane_detail(domain, member, exchange)).map(cut),
        tlsa_records: exchange.and_then(|exchange| exchange.tlsa.as_ref()).and_then(count),
        mta_sts,
        mta_sts_mode: match domain.securing.sts {
            StsDemand::Policy(policy) => Some(policy.mode),
            _ => None,
        },
        mta_sts_detail: mta_sts.and_then(|stand| sts_detail(domain, stand)).map(cut),
        tls_rpt_result: result(domain, whole, dane, mta_sts),
    }
}

fn cut(mut detail: String) -> String {
    text::cut(&mut detail, DETAIL_BYTES_MAX);
    detail
}

/// How the host stands; of one whose addresses are not known by what was asked.
pub(super) fn dane_stand(domain: &Domain<'_>, member: &Member<'_>) -> Option<DaneStand> {
    if let Some(secured) = member.secured {
        return secured.dane;
    }
    if matches!(member.standing, Standing::Bogus { .. }) {
        return Some(DaneStand::Bogus);
    }
    domain.facts.exchanges.get(member.exchange)?.tlsa.as_ref()?;
    let reason = member.end().and_then(|end| end.reason);
    reason.map(DaneStand::Undetermined)
}

fn count(tlsa: &TlsaFacts) -> Option<usize> {
    match tlsa.outcome {
        TlsaOutcome::Secure | TlsaOutcome::Insecure | TlsaOutcome::Absent => Some(tlsa.count()),
        _ => None,
    }
}

/// Which record fits what, why none does, and which are of no use.
fn dane_detail(domain: &Domain<'_>, member: Option<&Member<'_>>, exchange: &Exchange) -> Option<String> {
    let tlsa = exchange.tlsa.as_ref()?;
    if let TlsaOutcome::Failed(failure) = &tlsa.outcome {
        return Some(format!("{} {}", failure.phase, failure.kind));
    }
    let case = domain.securing.dane_case(domain.facts.exchanges.get(member?.exchange)?);
    let status = member
        .and_then(|member| member.endpoint())
        .filter(|_| tlsa.outcome == TlsaOutcome::Secure)
        .and_then(|endpoint| case.status(tlsa, endpoint));
    let unusable = tlsa.records.iter().filter_map(|record| {
        let why = why_unusable(record)?;
        Some(format!("{} is of no use: {why}", short(record)))
    });
    let is_mismatch = status == Some(DaneStatus::Failed(DaneFailure::NoMatch));
    let endpoint = member.and_then(|member| member.endpoint()).filter(|_| is_mismatch);
    let met = endpoint.and_then(|endpoint| case.met(tlsa, endpoint));
    let met = met.map(|record| format!("{} is about a certificate seen elsewhere", short(record)));
    let of_status = status.and_then(|status| of_status(tlsa, &status));
    let too_short = match tlsa.records_short {
        0 => None,
        1 => Some("a record shorter than 3 octets is of no use".to_owned()),
        count => Some(format!("{count} records shorter than 3 octets are of no use")),
    };
    let parts: Vec<String> = of_status.into_iter().chain(met).chain(unusable).chain(too_short).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn of_status(tlsa: &TlsaFacts, status: &DaneStatus) -> Option<String> {
    match status {
        DaneStatus::Matched { record, depth: 0 } => {
            Some(format!("{} fits the leaf", short(tlsa.records.get(*record)?)))
        }
        DaneStatus::Matched { record, depth } => {
            Some(format!("{} fits the issuer at depth {depth}", short(tlsa.records.get(*record)?)))
        }
        DaneStatus::Failed(DaneFailure::NoMatch) => {
            Some("no record is about a certificate of the host".into())
        }
        DaneStatus::Failed(DaneFailure::Chain(detail)) => {
            Some(format!("the leaf does not lead to the issuer: {detail}"))
        }
        DaneStatus::Failed(DaneFailure::Name) => Some("the leaf bears none of the names".into()),
        DaneStatus::Failed(DaneFailure::Dates(dates)) => Some(format!("the leaf is {dates}")),
        DaneStatus::Unverifiable(detail) => Some(detail.clone()),
        DaneStatus::NoneUsable => None,
    }
}

/// A record with the beginning of its data.
fn short(record: &TlsaRecord) -> String {
    let digits = record.data.to_string();
    let numbers = format!("{} {} {}", record.usage, record.selector, record.matching_type);
    match digits.get(..DATA_DIGITS_MAX).filter(|begin| begin.len() < digits.len()) {
        Some(begin) => format!("{numbers} {begin}…"),
        None => format!("{numbers} {digits}"),
    }
}

fn sts_stand(domain: &Domain<'_>) -> Option<StsStand> {
    match domain.securing.sts {
        StsDemand::NotAsked => None,
        StsDemand::NoPolicy(stand, _) => Some(stand),
        StsDemand::Unknown(reason) => Some(StsStand::Undetermined(reason.into())),
        StsDemand::Policy(policy) if policy.mode == StsMode::None => Some(StsStand::Valid),
        StsDemand::Policy(policy) => Some(by_hosts(domain, policy)),
    }
}

/// Hosts that the policy does not name.
fn not_listed<'a>(domain: &Domain<'a>, policy: &StsPolicy) -> impl Iterator<Item = &'a Exchange> {
    domain.facts.exchanges.iter().filter(move |exchange| {
        exchange.host.as_ref().is_none_or(|host| !policy.mx.iter().any(|pattern| pattern.covers(host)))
    })
}

fn by_hosts(domain: &Domain<'_>, policy: &StsPolicy) -> StsStand {
    match (not_listed(domain, policy).count(), domain.facts.exchanges.len()) {
        (0, _) => {}
        (missing, all) if missing == all => return StsStand::MxNotListed,
        _ => return StsStand::MxPartlyListed,
    }
    let failed = |why: PolicyReason| {
        domain.members.iter().any(|member| {
            let answer = member.secured.and_then(|secured| secured.sts);
            matches!(answer, Some(StsAnswer::Failed(reason, ..)) if reason == why)
        })
    };
    if failed(PolicyReason::StsNoTls) {
        StsStand::MxNoTls
    } else if failed(PolicyReason::StsCertificate) {
        StsStand::MxCertificate
    } else {
        StsStand::Valid
    }
}

fn sts_detail(domain: &Domain<'_>, stand: StsStand) -> Option<String> {
    let sts = domain.facts.mta_sts.as_ref()?;
    let StsDemand::Policy(policy) = domain.securing.sts else {
        return sts::detail(sts, domain.securing.judge());
    };
    let names = |hosts: Vec<&str>| (!hosts.is_empty()).then(|| hosts.join(" "));
    let host = |exchange: &Exchange| exchange.host.as_ref().map_or_else(String::new, |host| host.to_string());
    match stand {
        StsStand::MxNotListed | StsStand::MxPartlyListed => {
            let missing: Vec<String> = not_listed(domain, policy).map(host).collect();
            let patterns: Vec<String> = policy.mx.iter().map(ToString::to_string).collect();
            let missing = names(missing.iter().map(String::as_str).collect())?;
            Some(format!("{missing} not among {}", patterns.join(" ")))
        }
        StsStand::MxNoTls | StsStand::MxCertificate => {
            let failing = domain.members.iter().find_map(|member| {
                let StsAnswer::Failed(_, why, _) = member.secured?.sts? else { return None };
                let exchange = domain.facts.exchanges.get(member.exchange)?;
                Some((host(exchange), why))
            })?;
            Some(match failing {
                (host, Some(why)) => format!("{host}: {why}"),
                (host, None) => host,
            })
        }
        _ => None,
    }
}

/// What a report would call what fails first, DANE before MTA-STS.
fn result(
    domain: &Domain<'_>,
    whole: &DomainOutcome<'_>,
    dane: Option<DaneStand>,
    mta_sts: Option<StsStand>,
) -> Option<TlsRptResult> {
    if whole.outcome.reason == Some(Reason::Policy(PolicyReason::DaneRequired)) {
        return Some(TlsRptResult::DaneRequired);
    }
    let decides = whole.decides.as_ref().and_then(Member::endpoint).map(|endpoint| &endpoint.outcome);
    // A report is the sender's, about the policies that it applies.
    let dane = dane.filter(|_| domain.securing.validates());
    let mta_sts = mta_sts.filter(|_| domain.securing.keeps_policies());
    dane.and_then(|stand| of_dane(stand, decides)).or_else(|| mta_sts.and_then(|stand| of_sts(domain, stand)))
}

fn of_sts(domain: &Domain<'_>, stand: StsStand) -> Option<TlsRptResult> {
    match stand {
        // No result is about that; some senders report it so.
        StsStand::MxNotListed | StsStand::MxPartlyListed => Some(TlsRptResult::ValidationFailure),
        StsStand::MxNoTls => failed_tls(domain).and_then(of_no_tls),
        StsStand::MxCertificate => Some(of_certificate(failed_certificate(domain))),
        _ => of_sts_policy(stand),
    }
}

/// What was found at the first host that has no TLS as the policy demands it.
fn failed_tls<'a>(domain: &Domain<'a>) -> Option<&'a Outcome> {
    domain.members.iter().find_map(|member| match member.secured?.sts? {
        StsAnswer::Failed(PolicyReason::StsNoTls, ..) => member.endpoint().map(|endpoint| &endpoint.outcome),
        _ => None,
    })
}

/// Which part of a certificate fails under the policy, at the first host where
/// one does.
fn failed_certificate(domain: &Domain<'_>) -> Option<CheckFailure> {
    domain.members.iter().find_map(|member| match member.secured?.sts? {
        StsAnswer::Failed(PolicyReason::StsCertificate, why, _) => why,
        _ => None,
    })
}

#[cfg(test)]
#[path = "policies_tests.rs"]
mod tests;
