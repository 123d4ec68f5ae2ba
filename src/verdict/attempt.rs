//! What comes of a sender's attempt at one endpoint, by what it demands there.

use super::case::{Case, with_case};
use super::certificate::{REFUSED_FOR_NOW, certificate_validation, domain_validation, encryption_only};
use super::outcome;
use super::profile::SenderProfile;
use super::requirement::Requirement;
use super::secured::{Effect, Secured};
use crate::model::{
    Basis, Check, CheckCause, CheckFailure, Delivery, Finding, JudgedEndpoint, Outcome, Phase, PolicyReason,
    PresentedCertificate, Reason, Unproven,
};
use crate::sender::AfterTlsFailure;
use crate::sender::situation::Situation;

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The host takes the mail.
    Delivered {
        /// Through TLS.
        encrypted: bool,
        basis: Basis,
    },
    /// It does not, and the sender goes on to the next.
    NotHere { why: CheckFailure, basis: Basis },
    /// Nobody knows: it speaks to the scanner of rate, policy or reputation, or
    /// its dialogue or lookup broke off.
    Unknown {
        cause: CheckCause,
        /// On what it rests that mail never goes there in clear; `None` where
        /// it may.
        never_in_clear: Option<Basis>,
    },
    /// The sender does not try it, or nothing hangs on it.
    NotTried { basis: Basis },
}

/// What was found at an endpoint, with all that it comes to for a sender.
pub(super) fn judged(profile: &SenderProfile, finding: Finding) -> JudgedEndpoint {
    let verdict = with_case(profile, &finding, CaseVerdict::of);
    let encryption = encryption_only(verdict.outcome.delivery, verdict.outcome.reason);
    if verdict.anonymous {
        return JudgedEndpoint {
            encryption,
            certificate: Check::Fail(CheckFailure::NoCertificate),
            certificate_basis: Basis::Observed,
            unproven: Unproven::default(),
            presented: None,
            chain: None,
            second_handshake: verdict.second,
            stand_in: None,
            outcome: verdict.outcome,
            finding,
        };
    }
    let (presented, shown_by) = verdict.presented.unzip();
    let mut judged = of_parts(finding, verdict.outcome, presented);
    judged.certificate_basis = judged.certificate_basis.max(shown_by.unwrap_or(Basis::Inferred));
    judged.unproven.certificate = verdict.unproven_certificate;
    judged.second_handshake = verdict.second;
    judged
}

/// What an endpoint comes to as the sender meets it.
struct CaseVerdict {
    outcome: Outcome,
    /// Whether mail goes there encrypted, and the server has no certificate.
    anonymous: bool,
    presented: Option<(PresentedCertificate, Basis)>,
    unproven_certificate: Option<CheckCause>,
    second: Option<u16>,
}

impl CaseVerdict {
    fn of(case: &Case<'_>) -> Self {
        let outcome = outcome::of_case(case);
        let encrypted = encryption_only(outcome.delivery, outcome.reason) == Check::Pass;
        Self {
            anonymous: encrypted && case.is_anonymous(),
            presented: if encrypted { case.presented() } else { None },
            unproven_certificate: case.unproven_on_demand(),
            second: case.second,
            outcome,
        }
    }
}

/// An endpoint of which nothing is known, for this reason.
pub(super) fn judged_open(profile: &SenderProfile, finding: Finding, reason: Reason) -> JudgedEndpoint {
    let logged = Situation::of(reason).and_then(|situation| profile.logged(situation));
    of_parts(finding, Outcome { logged, ..Outcome::undetermined(reason) }, None)
}

/// An endpoint with this outcome, which shows the sender this certificate.
pub(super) fn of_parts(
    finding: Finding,
    outcome: Outcome,
    presented: Option<PresentedCertificate>,
) -> JudgedEndpoint {
    let encryption = encryption_only(outcome.delivery, outcome.reason);
    JudgedEndpoint {
        encryption,
        certificate: encryption.and(|| certificate_validation(presented.as_ref())),
        certificate_basis: outcome.basis.unwrap_or(Basis::Inferred),
        unproven: Unproven { session: outcome.unproven, certificate: None },
        presented,
        chain: None,
        second_handshake: None,
        stand_in: None,
        outcome,
        finding,
    }
}

/// How mail to an endpoint ends, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptEnd {
    pub delivery: Delivery,
    pub reason: Option<Reason>,
    pub basis: Option<Basis>,
    /// Whether what is not known of it is no mail in clear.
    pub never_in_clear: bool,
}

impl AttemptEnd {
    /// Where the policies keep mail from a host that nobody was asked about.
    pub(super) fn not_here(secured: &Secured) -> Option<Self> {
        let Effect::NotHere(reason, basis) = secured.effect else { return None };
        let gives_up = reason == PolicyReason::DaneUnusableNoTls;
        Some(Self {
            delivery: if gives_up { Delivery::Undeliverable } else { Delivery::Deferred },
            reason: Some(reason.into()),
            basis: Some(basis),
            never_in_clear: secured.never_in_clear,
        })
    }

    /// Under the policies of the domain, if there are some.
    pub(super) fn of(endpoint: &JudgedEndpoint, secured: Option<&Secured>) -> Self {
        let Outcome { delivery, reason, basis, .. } = endpoint.outcome;
        let never_in_clear = secured.is_some_and(|secured| secured.never_in_clear);
        let own = Self { delivery, reason, basis, never_in_clear };
        match secured.map(|secured| secured.effect) {
            None => own,
            Some(Effect::None(rests_on)) => Self { basis: basis.map(|basis| basis.max(rests_on)), ..own },
            Some(Effect::NotHere(..)) => secured.and_then(Self::not_here).unwrap_or(own),
            // What the host leaves open by itself says more.
            Some(Effect::Unknown(_)) if delivery == Delivery::Undetermined => own,
            Some(Effect::Unknown(reason)) => {
                Self { delivery: Delivery::Undetermined, reason: Some(reason), basis: None, never_in_clear }
            }
        }
    }
}

/// What comes of the attempt at an endpoint. `bound` is what the policies do to
/// mail for which more than that is demanded, if they bind it.
pub(super) fn attempt(
    profile: &SenderProfile,
    requirement: Requirement<'_>,
    endpoint: &JudgedEndpoint,
    secured: Option<&Secured>,
    bound: bool,
) -> Attempt {
    if requirement == Requirement::Opportunistic {
        return opportunistic(profile, AttemptEnd::of(endpoint, secured));
    }
    let check = match requirement {
        Requirement::PkixChain | Requirement::PkixName(_)
            if endpoint.encryption == Check::Pass && secured.is_some_and(|secured| !secured.named) =>
        {
            Check::Undetermined(CheckCause::CertificateNotSeen)
        }
        _ => check(requirement, endpoint),
    };
    let attempt = by_check(check, requirement, endpoint);
    match secured.filter(|_| bound) {
        Some(secured) => under_policies(attempt, secured.effect),
        None => attempt,
    }
}

/// What the policies leave of an attempt that passes by itself.
fn under_policies(attempt: Attempt, effect: Effect) -> Attempt {
    match (attempt, effect) {
        (Attempt::Delivered { encrypted, basis }, Effect::None(rests_on)) => {
            Attempt::Delivered { encrypted, basis: basis.max(rests_on) }
        }
        (Attempt::Delivered { .. }, Effect::NotHere(reason, basis)) => {
            Attempt::NotHere { why: CheckFailure::NoTls(reason.into()), basis }
        }
        (Attempt::Delivered { .. }, Effect::Unknown(reason)) => {
            Attempt::Unknown { cause: CheckCause::NoAnswer(reason), never_in_clear: Some(Basis::Inferred) }
        }
        (attempt, _) => attempt,
    }
}

fn opportunistic(profile: &SenderProfile, end: AttemptEnd) -> Attempt {
    let basis = end.basis.unwrap_or(Basis::Inferred);
    let cause = || end.reason.map_or(CheckCause::NotProbed, CheckCause::NoAnswer);
    match (end.delivery, end.reason) {
        (Delivery::Encrypted, _) => Attempt::Delivered { encrypted: true, basis },
        (Delivery::Plaintext, _) => Attempt::Delivered { encrypted: false, basis },
        (Delivery::Deferred | Delivery::Undeliverable, Some(reason)) => {
            Attempt::NotHere { why: CheckFailure::NoTls(reason), basis }
        }
        _ if end.never_in_clear => Attempt::Unknown { cause: cause(), never_in_clear: Some(Basis::Inferred) },
        _ => Attempt::Unknown { cause: cause(), never_in_clear: never_in_clear(profile, end.reason) },
    }
}

/// On what it rests that a host, of which only this is known, gets no mail in
/// clear. It came to STARTTLS and took it, or refused it for now; whatever then
/// goes wrong with TLS, a sender that defers sends nothing in clear.
fn never_in_clear(profile: &SenderProfile, reason: Option<Reason>) -> Option<Basis> {
    let sender = &profile.sender;
    if sender.requires_tls.value {
        return Some(Basis::Inferred);
    }
    let after = match reason? {
        REFUSED_FOR_NOW => &sender.after_starttls_4xx,
        reason if reason.phase() >= Phase::Tls => &sender.after_tls_failure,
        _ => return None,
    };
    let basis = if after.is_assumed() { Basis::Assumed } else { Basis::Inferred };
    (after.value == AfterTlsFailure::Defer).then_some(basis)
}

/// Whether the endpoint is as it is demanded. A signature that cannot be
/// checked leaves a pass open, and no failure.
pub(super) fn check(requirement: Requirement<'_>, endpoint: &JudgedEndpoint) -> Check {
    let Unproven { session, certificate } = endpoint.unproven;
    let proven =
        |check: Check, lack: Option<CheckCause>| check.and(|| lack.map_or(Check::Pass, Check::Undetermined));
    match requirement {
        Requirement::Opportunistic | Requirement::Tls => proven(endpoint.encryption, session),
        Requirement::PkixChain => proven(endpoint.certificate, session.or(certificate)),
        Requirement::PkixName(name) => {
            let leaf = endpoint.presented.as_ref().map(|presented| &*presented.leaf);
            proven(domain_validation(endpoint.certificate, leaf, name), session.or(certificate))
        }
    }
}

fn by_check(check: Check, requirement: Requirement<'_>, endpoint: &JudgedEndpoint) -> Attempt {
    let session = endpoint.outcome.basis.unwrap_or(Basis::Inferred);
    let basis = match check {
        // That the handshake fails does not rest on what the sender does then.
        Check::Fail(CheckFailure::NoTls(_)) => session.min(Basis::Inferred),
        _ if matches!(requirement, Requirement::Tls) => session,
        _ => endpoint.certificate_basis,
    };
    match check {
        Check::Pass => Attempt::Delivered { encrypted: true, basis },
        Check::Fail(why) => Attempt::NotHere { why, basis },
        Check::Undetermined(cause) => Attempt::Unknown { cause, never_in_clear: Some(Basis::Inferred) },
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
