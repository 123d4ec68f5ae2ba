//! What MTA-STS demands of the hosts of a domain (RFC 8461), as a sender finds
//! it that has no policy in its cache, and what comes of it at one address.

use super::certificate::certificate_validation;
use crate::model::failure::Failure;
use crate::model::mta_sts::{
    Published, StsFacts, StsFetch, StsFetchFailure, StsMode, StsPolicy, StsPolicyFault, StsRecordFault,
};
use crate::model::{
    Basis, ChainStatus, Check, CheckCause, CheckFailure, DateStatus, DomainFacts, Exchange, JudgedEndpoint,
    PolicyReason, PresentedCertificate, Reason, StsStand, TlsFinding,
};
use crate::trust::names::covers;
use crate::trust::pkix::Judge;

/// Before the policy domain in the name of the policy host (RFC 8461 §3.3).
const POLICY_HOST_LABEL: &str = "mta-sts.";

/// What a domain has of MTA-STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StsDemand<'a> {
    /// Nobody asked.
    NotAsked,
    /// No policy holds; on what that rests.
    NoPolicy(StsStand, Basis),
    /// There is one.
    Policy(&'a StsPolicy),
    /// Not known whether there is one.
    Unknown(PolicyReason),
}

impl<'a> StsDemand<'a> {
    /// Of a domain, by what its policy host showed.
    pub(super) fn of(judge: &Judge, facts: &'a DomainFacts) -> Self {
        let Some(sts) = &facts.mta_sts else { return StsDemand::NotAsked };
        match &sts.record {
            Published::Absent => StsDemand::NoPolicy(StsStand::Absent, Basis::Observed),
            Published::Faulty(fault) => StsDemand::NoPolicy(of_record(fault), Basis::Observed),
            Published::Failed(_) => StsDemand::Unknown(PolicyReason::StsPolicyUnknown),
            Published::Record(_) => match &sts.fetch {
                Some(fetch) => of_fetch(judge, sts, fetch),
                None => StsDemand::Unknown(PolicyReason::StsPolicyUnknown),
            },
        }
    }

    /// The policy, if hosts that do not fit it get no mail.
    pub(super) fn enforced(self) -> Option<&'a StsPolicy> {
        match self {
            StsDemand::Policy(policy) if policy.mode == StsMode::Enforce => Some(policy),
            _ => None,
        }
    }

    /// The policy, if it says anything of hosts.
    pub(super) fn naming_hosts(self) -> Option<&'a StsPolicy> {
        match self {
            StsDemand::Policy(policy) if policy.mode != StsMode::None => Some(policy),
            _ => None,
        }
    }
}

fn of_record(fault: &StsRecordFault) -> StsStand {
    match fault {
        StsRecordFault::Several(_) => StsStand::RecordSeveral,
        StsRecordFault::Version => StsStand::RecordVersion,
        StsRecordFault::Field(_) => StsStand::RecordSyntax,
        StsRecordFault::NoId | StsRecordFault::Id(_) => StsStand::RecordId,
    }
}

/// What the policy host gave. Its certificate counts only where it came to
/// HTTP.
fn of_fetch<'a>(judge: &Judge, sts: &StsFacts, fetch: &'a StsFetch) -> StsDemand<'a> {
    let none = |stand| StsDemand::NoPolicy(stand, Basis::Observed);
    // As with mail hosts: what does not open for us does not for others. A sender
    // that comes at another time may get the policy.
    let away = |stand| StsDemand::NoPolicy(stand, Basis::Inferred);
    match &fetch.failure {
        Some(StsFetchFailure::Unresolved(failure)) if failure.kind.says_no_host() => {
            return none(StsStand::HostUnresolved);
        }
        // The DNS said nothing, and may say it to others.
        Some(StsFetchFailure::Unresolved(_)) => {
            return StsDemand::Unknown(PolicyReason::StsPolicyUnknown);
        }
        Some(StsFetchFailure::Connect(_)) => return away(StsStand::HostUnreachable),
        Some(StsFetchFailure::Timeout(_)) => return away(StsStand::HostTimeout),
        Some(StsFetchFailure::TlsClosed(_)) => return away(StsStand::HostTls),
        Some(StsFetchFailure::Tls(_)) => return none(StsStand::HostTls),
        _ => {}
    }
    match host_certificate(judge, sts, fetch) {
        Check::Pass => {}
        Check::Fail(_) => return none(StsStand::HostCertificate),
        Check::Undetermined(_) => return StsDemand::Unknown(PolicyReason::StsPolicyUnknown),
    }
    match (&fetch.failure, &fetch.policy) {
        (Some(StsFetchFailure::Http(_)), _) => none(StsStand::Http),
        (Some(StsFetchFailure::Redirect(_)), _) => none(StsStand::HttpRedirect),
        (Some(StsFetchFailure::HttpClosed(_)), _) => away(StsStand::Http),
        (Some(failure @ StsFetchFailure::Status(_)), _) if failure.may_pass() => away(StsStand::HttpStatus),
        (Some(StsFetchFailure::Status(_)), _) => none(StsStand::HttpStatus),
        (Some(StsFetchFailure::TooLong(_)), _) => none(StsStand::PolicyTooLong),
        (Some(StsFetchFailure::Encoding), _) => none(StsStand::PolicySyntax),
        (None, Some(Ok(policy))) => StsDemand::Policy(policy),
        (None, Some(Err(fault))) => none(of_policy(fault)),
        // What this machine was not allowed, or did not write down.
        _ => StsDemand::Unknown(PolicyReason::StsPolicyUnknown),
    }
}

fn of_policy(fault: &StsPolicyFault) -> StsStand {
    match fault {
        StsPolicyFault::TooLong(_) => StsStand::PolicyTooLong,
        StsPolicyFault::Encoding | StsPolicyFault::EmptyLine(_) | StsPolicyFault::Field(..) => {
            StsStand::PolicySyntax
        }
        StsPolicyFault::NoVersion | StsPolicyFault::Version(_) => StsStand::PolicyVersion,
        StsPolicyFault::NoMode | StsPolicyFault::Mode(_) => StsStand::PolicyMode,
        StsPolicyFault::NoMaxAge | StsPolicyFault::MaxAge(_) => StsStand::PolicyMaxAge,
        StsPolicyFault::NoMx | StsPolicyFault::Mx(..) => StsStand::PolicyMx,
    }
}

/// Whether the certificate of the policy host holds and bears its name (RFC 8461
/// §3.3).
fn host_certificate(judge: &Judge, sts: &StsFacts, fetch: &StsFetch) -> Check {
    let Some(assessed) = judge.assess(&fetch.chain) else {
        return Check::Undetermined(CheckCause::CertificateNotSeen);
    };
    let host = format!("{POLICY_HOST_LABEL}{}", sts.domain);
    if !covers(&assessed.leaf, &host) {
        return Check::Fail(CheckFailure::NameMismatch);
    }
    match (assessed.assessment.chain, assessed.assessment.dates) {
        (ChainStatus::Valid, DateStatus::Valid) => Check::Pass,
        (ChainStatus::Unverifiable, DateStatus::Valid) => Check::Undetermined(CheckCause::ChainUnverifiable),
        (ChainStatus::Valid, DateStatus::Expired) => Check::Fail(CheckFailure::Expired),
        _ => Check::Fail(CheckFailure::InvalidChain),
    }
}

/// Why a policy is not known, or not to be had, in words.
pub(super) fn detail(sts: &StsFacts, judge: &Judge) -> Option<String> {
    match (&sts.record, &sts.fetch) {
        (Published::Faulty(fault), _) => Some(fault.to_string()),
        (Published::Failed(failure), _) => Some(of_failure(failure)),
        (Published::Record(_), Some(fetch)) => match (&fetch.failure, &fetch.policy) {
            (Some(failure), _) if came_to_no_http(failure) && !fails_by_certificate(judge, sts, fetch) => {
                Some(failure.to_string())
            }
            _ if host_certificate(judge, sts, fetch) != Check::Pass => {
                Some(of_certificate(judge, sts, fetch))
            }
            (Some(failure), _) => Some(failure.to_string()),
            (None, Some(Err(fault))) => Some(fault.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the certificate counts though the handshake came to nothing: one that this
/// program could not end shows it, and that is wrong.
fn fails_by_certificate(judge: &Judge, sts: &StsFacts, fetch: &StsFetch) -> bool {
    matches!(fetch.failure, Some(StsFetchFailure::NotAllowed(_)))
        && matches!(host_certificate(judge, sts, fetch), Check::Fail(_))
}

/// Whether what failed comes before the certificate counts.
fn came_to_no_http(failure: &StsFetchFailure) -> bool {
    match failure {
        StsFetchFailure::Unresolved(_)
        | StsFetchFailure::NotAllowed(_)
        | StsFetchFailure::Unfinished(_)
        | StsFetchFailure::OtherShard
        | StsFetchFailure::Connect(_)
        | StsFetchFailure::Timeout(_)
        | StsFetchFailure::Tls(_)
        | StsFetchFailure::TlsClosed(_) => true,
        StsFetchFailure::Http(_)
        | StsFetchFailure::HttpClosed(_)
        | StsFetchFailure::Redirect(_)
        | StsFetchFailure::Status(_)
        | StsFetchFailure::TooLong(_)
        | StsFetchFailure::Encoding => false,
    }
}

/// What is wrong with the certificate of the policy host.
fn of_certificate(judge: &Judge, sts: &StsFacts, fetch: &StsFetch) -> String {
    match (host_certificate(judge, sts, fetch), judge.assess(&fetch.chain)) {
        (Check::Fail(CheckFailure::NameMismatch), Some(assessed)) => {
            format!("certificate for {}", assessed.leaf.dns_names.join(" "))
        }
        (_, Some(assessed)) => {
            let (chain, dates) = (assessed.assessment.chain, assessed.assessment.dates);
            format!("certificate: chain {chain}, dates {dates}")
        }
        _ => "no certificate was kept".to_owned(),
    }
}

fn of_failure(failure: &Failure) -> String {
    format!("{} {}", failure.phase, failure.kind)
}

/// What comes of a policy at one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StsAnswer {
    /// The host is one of the policy's, and has a certificate for its name.
    Passed(Basis),
    /// It fails, for this reason; beside it which part of the certificate, if it
    /// is that.
    Failed(PolicyReason, Option<CheckFailure>, Basis),
    /// It takes no mail anyway.
    Gone,
    /// Not known.
    Unknown(Reason),
}

/// The certificate of a host, and how it stands to the roots.
pub(super) struct Shown {
    presented: Option<PresentedCertificate>,
    certificate: Check,
}

impl Shown {
    /// To whom the endpoint is judged for.
    pub(super) fn to_sender(endpoint: &JudgedEndpoint) -> Self {
        Self { presented: endpoint.presented.clone(), certificate: endpoint.certificate }
    }

    /// To whom names the host, as everybody does who keeps to a policy (RFC 8461
    /// §5.1), and as the scanner's first handshake does.
    pub(super) fn by_name(endpoint: &JudgedEndpoint) -> Self {
        let presented = endpoint.finding.tls.as_ref().and_then(TlsFinding::presented);
        let certificate = certificate_validation(presented.as_ref());
        Self { presented, certificate }
    }
}

/// What comes of it (RFC 8461 §4); `shown` is `None` where what the host shows to
/// the sender was not seen.
pub(super) fn at(
    policy: &StsPolicy,
    exchange: &Exchange,
    endpoint: &JudgedEndpoint,
    shown: Option<&Shown>,
    is_gone: bool,
) -> StsAnswer {
    let host = exchange.host.as_ref().filter(|host| policy.mx.iter().any(|pattern| pattern.covers(host)));
    let Some(host) = host else {
        return StsAnswer::Failed(PolicyReason::StsMxNotListed, None, Basis::Observed);
    };
    let session = endpoint.outcome.basis.unwrap_or(Basis::Inferred);
    match endpoint.encryption {
        Check::Fail(_) if is_gone => return StsAnswer::Gone,
        Check::Fail(_) => {
            return StsAnswer::Failed(PolicyReason::StsNoTls, None, session.min(Basis::Inferred));
        }
        Check::Undetermined(CheckCause::NoAnswer(reason)) => return StsAnswer::Unknown(reason),
        _ => {}
    }
    let Some(shown) = shown else {
        return StsAnswer::Unknown(PolicyReason::StsCertificateNotSeen.into());
    };
    let named = || match shown.presented.as_ref() {
        None => Check::Undetermined(CheckCause::CertificateNotSeen),
        Some(presented) if covers(&presented.leaf, host.as_str()) => Check::Pass,
        Some(_) => Check::Fail(CheckFailure::NameMismatch),
    };
    let basis = endpoint.certificate_basis;
    match shown.certificate.and(named) {
        Check::Pass => StsAnswer::Passed(basis.max(session)),
        Check::Fail(why) => StsAnswer::Failed(PolicyReason::StsCertificate, Some(why), basis),
        Check::Undetermined(CheckCause::NoAnswer(reason)) => StsAnswer::Unknown(reason),
        Check::Undetermined(_) => StsAnswer::Unknown(PolicyReason::StsCertificateNotSeen.into()),
    }
}
