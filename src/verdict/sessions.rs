//! What was found at the addresses of a domain, grouped by its policies as a
//! report on TLS has it (RFC 8460 §4.4): each address is one session.
//!
//! An address of which it is not known what comes of a policy is no session: a
//! report has no word for that. So is one where mail never comes to TLS for
//! another reason (RFC 8460 §4.3.4).

use super::domain::Domain;
use super::hosts::Member;
use super::policies::dane_stand;
use super::report_result::{of_certificate, of_dane, of_no_tls, of_sts_policy};
use super::sts::{StsAnswer, StsDemand, detail};
use crate::model::mta_sts::{StsFacts, StsMode};
use crate::model::tls_rpt::{FailedSession, PolicyKind, PolicySessions, ReportedPolicy, ReportedSessions};
use crate::model::tlsa::TlsaOutcome;
use crate::model::{Check, DaneStand, Exchange, PolicyReason, TlsRptResult};

/// What comes of a session.
type SessionEnd = Result<(), (TlsRptResult, String)>;

/// Groups them, as far as the sender applies policies: the records of each host,
/// then MTA-STS, and where there is neither, what TLS came to without. That there is
/// neither is told only where it was asked for and is known.
pub(super) fn of(domain: &Domain<'_>) -> ReportedSessions {
    let (facts, securing) = (domain.facts, &domain.securing);
    let hosts = facts.exchanges.iter().enumerate().filter(|_| securing.validates());
    let mut policies: Vec<PolicySessions> =
        hosts.filter_map(|(place, host)| by_tlsa(domain, place, host)).collect();
    let sts = facts.mta_sts.as_ref().filter(|_| securing.keeps_policies());
    policies.extend(sts.and_then(|sts| by_sts(domain, sts)));
    let not_determined = not_determined(domain);
    if policies.is_empty() && not_determined.is_empty() {
        policies.push(without(domain));
    }
    ReportedSessions { policies, not_determined }
}

/// What is not known of the policies that the sender applies.
fn not_determined(domain: &Domain<'_>) -> Vec<String> {
    let facts = domain.facts;
    let hosts = facts.exchanges.iter().filter(|_| domain.securing.validates());
    let mut told: Vec<String> = hosts.filter_map(tlsa_not_determined).collect();
    if facts.hosts_excess() != Some(0) && domain.securing.validates() {
        told.push(
            "There are more mail hosts than are kept: TLSA records of the others were not asked for.".into(),
        );
    }
    if facts.exchanges.is_empty() {
        let why = facts.failure.as_ref().map_or_else(String::new, |failure| format!(": {failure}"));
        told.push(format!("No mail host is known{why}."));
    }
    if !domain.securing.keeps_policies() {
        return told;
    }
    let of_sts = match (domain.securing.sts, &facts.mta_sts) {
        (StsDemand::Unknown(_), Some(sts)) => {
            let why = detail(sts, domain.securing.judge()).map_or_else(String::new, |why| format!(": {why}"));
            Some(format!("The policy of MTA-STS is not known{why}."))
        }
        (_, None) => Some("MTA-STS was not asked for.".to_string()),
        _ => None,
    };
    told.extend(of_sts);
    told
}

/// What is not known of the TLSA records of a host; of one without a name, or
/// that the DNS does not have, there are none.
fn tlsa_not_determined(exchange: &Exchange) -> Option<String> {
    let host = exchange.host.as_ref()?;
    let Some(tlsa) = &exchange.tlsa else {
        let is_none = exchange.failure.as_ref().is_some_and(|failure| failure.kind.says_no_host());
        let is_told = is_none || (exchange.failure.is_some() && exchange.addresses_bogus);
        return (!is_told).then(|| format!("TLSA records of {host} were not asked for."));
    };
    match &tlsa.outcome {
        TlsaOutcome::Failed(failure) => Some(format!("TLSA records of {host} are not known: {failure}.")),
        TlsaOutcome::NotValidated => {
            Some(format!("TLSA records of {host} are not known: no resolver that validates was asked."))
        }
        TlsaOutcome::Secure
        | TlsaOutcome::Bogus
        | TlsaOutcome::Absent
        | TlsaOutcome::Insecure
        | TlsaOutcome::InsecureAddresses => None,
    }
}

fn by_tlsa(domain: &Domain<'_>, place: usize, exchange: &Exchange) -> Option<PolicySessions> {
    let tlsa = exchange.tlsa.as_ref().filter(|tlsa| {
        let outcome = &tlsa.outcome;
        matches!(outcome, TlsaOutcome::Secure | TlsaOutcome::Bogus)
    });
    // Addresses that are bogus leave no way to the records.
    let is_out = exchange.failure.is_some() && exchange.addresses_bogus;
    if tlsa.is_none() && !is_out {
        return None;
    }
    let host = exchange.host.as_ref();
    let base = tlsa.and_then(|tlsa| tlsa.base.as_ref()).or(host);
    let records = tlsa.map(|tlsa| &*tlsa.records).unwrap_or_default();
    let policy = ReportedPolicy {
        kind: PolicyKind::Tlsa,
        text: records.iter().map(ToString::to_string).collect(),
        domain: base.map(ToString::to_string).unwrap_or_default(),
        mx: host.map(ToString::to_string).into_iter().collect(),
    };
    let of_host = domain.members.iter().filter(|member| member.exchange == place);
    Some(sessions(domain, policy, of_host, |member| {
        let stand = dane_stand(domain, member)?;
        if stand == DaneStand::Matched {
            return Some(Ok(()));
        }
        let found = member.endpoint().map(|endpoint| &endpoint.outcome);
        let reason = found.filter(|_| stand == DaneStand::NoTls).and_then(|found| found.reason);
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        Some(Err((of_dane(stand, found)?, format!("dane {stand}{why}"))))
    }))
}

fn by_sts(domain: &Domain<'_>, sts: &StsFacts) -> Option<PolicySessions> {
    let empty = |text, mx| ReportedPolicy { kind: PolicyKind::Sts, text, domain: sts.domain.to_string(), mx };
    match domain.securing.sts {
        StsDemand::Policy(policy) if policy.mode != StsMode::None => {
            let lines =
                sts.fetch.as_ref().and_then(|fetch| fetch.body.as_deref()).unwrap_or_default().lines();
            let mx = policy.mx.iter().map(ToString::to_string).collect();
            let reported = empty(lines.map(str::to_owned).collect(), mx);
            Some(sessions(domain, reported, domain.members.iter(), under_sts))
        }
        StsDemand::NoPolicy(stand, _) => {
            let reason = detail(sts, domain.securing.judge()).unwrap_or_else(|| stand.to_string());
            let failed = FailedSession { result: of_sts_policy(stand)?, host: None, ip: None, reason };
            Some(PolicySessions {
                policy: empty(Vec::new(), Vec::new()),
                successful: 0,
                failed: vec![failed],
            })
        }
        _ => None,
    }
}

fn under_sts(member: &Member<'_>) -> Option<SessionEnd> {
    match member.secured?.sts? {
        StsAnswer::Passed(_) => Some(Ok(())),
        StsAnswer::Failed(PolicyReason::StsNoTls, ..) => {
            let found = &member.endpoint()?.outcome;
            Some(Err((of_no_tls(found)?, format!("{}: {}", PolicyReason::StsNoTls, found.reason?))))
        }
        StsAnswer::Failed(reason, why, _) => {
            let result = match reason {
                PolicyReason::StsCertificate => of_certificate(why),
                _ => TlsRptResult::ValidationFailure,
            };
            Some(Err((result, reason.to_string())))
        }
        StsAnswer::Gone | StsAnswer::Unknown(_) => None,
    }
}

fn without(domain: &Domain<'_>) -> PolicySessions {
    let name = domain.facts.target.subject.label().to_string();
    let policy = ReportedPolicy { kind: PolicyKind::None, text: Vec::new(), domain: name, mx: Vec::new() };
    sessions(domain, policy, domain.members.iter(), |member| {
        let endpoint = member.endpoint()?;
        match endpoint.encryption {
            Check::Pass => Some(Ok(())),
            Check::Undetermined(_) => None,
            Check::Fail(_) => {
                let reason = endpoint.outcome.reason?;
                Some(Err((of_no_tls(&endpoint.outcome)?, reason.to_string())))
            }
        }
    })
}

fn sessions<'a>(
    domain: &Domain<'_>,
    policy: ReportedPolicy,
    members: impl Iterator<Item = &'a Member<'a>>,
    end: impl Fn(&Member<'_>) -> Option<SessionEnd>,
) -> PolicySessions {
    let mut all = PolicySessions { policy, successful: 0, failed: Vec::new() };
    for member in members {
        match end(member) {
            Some(Ok(())) => all.successful += 1,
            Some(Err((result, reason))) => all.failed.push(FailedSession {
                result,
                host: domain.facts.exchanges.get(member.exchange).and_then(|exchange| exchange.host.clone()),
                ip: member.endpoint().map(|endpoint| endpoint.finding.key.endpoint.ip),
                reason,
            }),
            None => {}
        }
    }
    all
}
