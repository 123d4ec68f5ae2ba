//! What DANE demands of one host (RFC 7672 §2.2), and what comes of it at one
//! address.
//!
//! TLSA records are asked for below the host's own name, so each host has a
//! demand of its own. An answer that is bogus or not to be had never makes it
//! weaker: the host is not used, or nobody knows.

use super::certificate::REFUSED_FOR_NOW;
use super::no_starttls::says_no_starttls;
use super::policy_use::PolicyUse;
use crate::model::tlsa::{Authenticity, TlsaFacts, TlsaOutcome, TlsaRecord};
use crate::model::{
    Basis, Check, CheckFailure, DaneStand, DateStatus, Delivery, DomainFacts, Exchange, JudgedEndpoint, Kind,
    Phase, PolicyReason, Reason, Subject,
};
use crate::sender::{AfterUnusableTlsa, DaneUse, Sender};
use crate::trust::dane::{DaneFailure, DaneReference, DaneStatus, why_unusable};
use crate::trust::pkix::Judge;

/// What DANE demands of a host before it is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DaneDemand<'a> {
    /// Nothing, as nobody asked.
    NotAsked,
    /// Nothing.
    Nothing(DaneStand),
    /// TLS, whatever the certificate: no record is of use.
    Encryption,
    /// A certificate that fits one of the records.
    Match(&'a TlsaFacts),
    /// The host is not to be used.
    NotUsed(PolicyReason, DaneStand),
    /// Not known.
    Unknown(PolicyReason),
}

impl DaneDemand<'_> {
    /// Whether mail goes to the host in clear if it has no TLS.
    pub(super) fn allows_clear(self) -> bool {
        matches!(self, DaneDemand::NotAsked | DaneDemand::Nothing(_))
    }

    /// Whether it may do so, as far as is known. What nobody asked for beyond our
    /// own limit may not be there; where the DNS gave no answer the sender has none
    /// either.
    pub(super) fn may_allow_clear(self) -> bool {
        self.allows_clear() || self == DaneDemand::Unknown(PolicyReason::TlsaHostsExcess)
    }
}

/// Whether the MX records that name the hosts are such that TLSA records count;
/// `None` where no resolver that validates was asked. An endpoint or a smart
/// host is named by whoever set up the mail.
fn mx_counts(facts: &DomainFacts) -> Option<Authenticity> {
    let by_mx = matches!(facts.target.subject, Subject::Domain(_)) && !facts.smart_hosts;
    match facts.mx_authenticity {
        // Nobody asked for MX records where the hosts were named outright.
        None => Some(Authenticity::Secure),
        _ if !by_mx => Some(Authenticity::Secure),
        Some(Authenticity::NotValidated) => None,
        known => known,
    }
}

/// What DANE demands of a host of an opportunistic sender, for which TLSA
/// records count under insecure MX records or not.
pub(super) fn demand<'a>(
    facts: &DomainFacts,
    exchange: &'a Exchange,
    counts_under_insecure_mx: bool,
) -> DaneDemand<'a> {
    let Some(tlsa) = &exchange.tlsa else { return DaneDemand::NotAsked };
    let demand = match &tlsa.outcome {
        TlsaOutcome::Secure => of_records(tlsa),
        TlsaOutcome::Insecure => DaneDemand::Nothing(DaneStand::Insecure),
        TlsaOutcome::Absent => DaneDemand::Nothing(DaneStand::Absent),
        TlsaOutcome::InsecureAddresses => DaneDemand::Nothing(DaneStand::InsecureAddresses),
        TlsaOutcome::Bogus => DaneDemand::NotUsed(PolicyReason::TlsaBogus, DaneStand::Bogus),
        TlsaOutcome::Failed(failure) if failure.kind == Kind::TooMany => {
            DaneDemand::Unknown(PolicyReason::TlsaHostsExcess)
        }
        TlsaOutcome::Failed(_) => DaneDemand::Unknown(PolicyReason::TlsaLookupFailed),
        TlsaOutcome::NotValidated => DaneDemand::Nothing(not_validated()),
    };
    match mx_counts(facts) {
        Some(Authenticity::Secure) => demand,
        Some(Authenticity::Bogus) => DaneDemand::NotUsed(PolicyReason::MxBogus, DaneStand::Bogus),
        Some(Authenticity::Insecure) if counts_under_insecure_mx => demand,
        Some(Authenticity::Insecure) if demand.allows_clear() => demand,
        Some(Authenticity::Insecure) => DaneDemand::Nothing(DaneStand::InsecureMx),
        // Records are asked for only where a resolver is believed: that has failed.
        Some(Authenticity::NotValidated) | None if matches!(tlsa.outcome, TlsaOutcome::Failed(_)) => demand,
        Some(Authenticity::NotValidated) | None => DaneDemand::Nothing(not_validated()),
    }
}

fn not_validated() -> DaneStand {
    DaneStand::Undetermined(PolicyReason::NoValidatingResolver.into())
}

/// What secure records demand. Where some were not kept, one of these may be of
/// use.
fn of_records(tlsa: &TlsaFacts) -> DaneDemand<'_> {
    if tlsa.records.iter().any(|record| why_unusable(record).is_none()) {
        DaneDemand::Match(tlsa)
    } else if tlsa.records_excess > 0 {
        DaneDemand::Unknown(PolicyReason::TlsaExcess)
    } else {
        DaneDemand::Encryption
    }
}

/// The same for a sender that sends nowhere without DANE (RFC 7672 §6).
pub(super) fn mandatory(demand: DaneDemand<'_>) -> DaneDemand<'_> {
    match demand {
        DaneDemand::Nothing(DaneStand::Undetermined(_)) => {
            DaneDemand::Unknown(PolicyReason::NoValidatingResolver)
        }
        DaneDemand::NotAsked => DaneDemand::Unknown(PolicyReason::DaneNotAsked),
        DaneDemand::Nothing(stand) => DaneDemand::NotUsed(PolicyReason::DaneRequired, stand),
        DaneDemand::Encryption => DaneDemand::NotUsed(PolicyReason::DaneRequired, DaneStand::Unusable),
        other => other,
    }
}

/// What comes of a demand at one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DaneAnswer {
    /// It lays nothing on the host; on what that rests.
    Free(Basis),
    /// TLS is there, and no more is demanded.
    Encrypted,
    /// A record fits.
    Matched(Basis),
    /// The host does not get the mail.
    NotHere(PolicyReason, Basis),
    /// Not known.
    Unknown(Reason),
}

/// How the host stands at an address, and what comes of the demand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DaneAtAddress {
    /// `None` where nobody asked.
    pub stand: Option<DaneStand>,
    /// What comes of it.
    pub answer: DaneAnswer,
}

/// Who looks, at which domain.
#[derive(Clone, Copy)]
pub(super) struct DaneCase<'a> {
    pub judge: &'a Judge,
    pub sender: &'a Sender,
    pub facts: &'a DomainFacts,
    pub exchange: &'a Exchange,
}

impl<'a> DaneCase<'a> {
    /// What comes of it at an address, whether the sender uses DANE or not.
    pub(super) fn at(&self, uses: PolicyUse, endpoint: &JudgedEndpoint) -> DaneAtAddress {
        let under_insecure_mx = &self.sender.dane_insecure_mx;
        let demanded = demand(self.facts, self.exchange, under_insecure_mx.value);
        let demanded = if uses.dane == DaneUse::Mandatory { mandatory(demanded) } else { demanded };
        let mut at_address = self.meet(demanded, endpoint);
        let other = demand(self.facts, self.exchange, !under_insecure_mx.value);
        if under_insecure_mx.is_assumed() && other != demanded && uses.dane != DaneUse::Mandatory {
            at_address.answer = at_address.answer.resting_on(Basis::Assumed);
        }
        at_address
    }

    fn meet(&self, demand: DaneDemand<'a>, endpoint: &JudgedEndpoint) -> DaneAtAddress {
        let (stand, answer) = match demand {
            DaneDemand::NotAsked => (None, DaneAnswer::Free(Basis::Observed)),
            DaneDemand::Nothing(stand @ DaneStand::Undetermined(_)) => {
                (Some(stand), DaneAnswer::Free(Basis::Inferred))
            }
            DaneDemand::Nothing(stand) => (Some(stand), DaneAnswer::Free(Basis::Observed)),
            DaneDemand::NotUsed(reason, stand) => (Some(stand), DaneAnswer::NotHere(reason, Basis::Observed)),
            DaneDemand::Unknown(reason @ PolicyReason::DaneNotAsked) => {
                (None, DaneAnswer::Unknown(reason.into()))
            }
            DaneDemand::Unknown(reason) => {
                (Some(DaneStand::Undetermined(reason.into())), DaneAnswer::Unknown(reason.into()))
            }
            DaneDemand::Encryption => {
                let answer = encryption(endpoint).unwrap_or(DaneAnswer::Encrypted);
                (Some(DaneStand::Unusable), self.without_use(answer, endpoint))
            }
            DaneDemand::Match(tlsa) => {
                let (stand, answer) = self.matched(tlsa, endpoint);
                (Some(stand), answer)
            }
        };
        DaneAtAddress { stand, answer }
    }

    /// The same where no record is of use: a sender may give up what it cannot
    /// deliver through TLS.
    fn without_use(&self, answer: DaneAnswer, endpoint: &JudgedEndpoint) -> DaneAnswer {
        let after = &self.sender.after_unusable_tlsa;
        match answer {
            DaneAnswer::NotHere(_, basis)
                if after.value == AfterUnusableTlsa::Bounce && says_no_starttls(&endpoint.outcome) =>
            {
                let stated = if after.is_assumed() { Basis::Assumed } else { Basis::Observed };
                DaneAnswer::NotHere(PolicyReason::DaneUnusableNoTls, basis.max(stated))
            }
            answer => answer,
        }
    }

    /// What comes of usable records.
    fn matched(&self, tlsa: &TlsaFacts, endpoint: &JudgedEndpoint) -> (DaneStand, DaneAnswer) {
        match encryption(endpoint) {
            Some(DaneAnswer::Unknown(reason)) => {
                return (DaneStand::Undetermined(reason), DaneAnswer::Unknown(reason));
            }
            Some(answer @ DaneAnswer::NotHere(PolicyReason::DaneNoTls, _)) => {
                return (DaneStand::NoTls, answer);
            }
            Some(answer) => {
                let reason = endpoint.outcome.reason.unwrap_or(PolicyReason::DaneNoTls.into());
                return (DaneStand::Undetermined(reason), answer);
            }
            None => {}
        }
        let basis = endpoint.certificate_basis;
        let Some(status) = self.status(tlsa, endpoint) else {
            // A server without a certificate fits none.
            if endpoint.certificate == Check::Fail(CheckFailure::NoCertificate) {
                return (DaneStand::Mismatch, DaneAnswer::NotHere(PolicyReason::DaneMismatch, basis));
            }
            let unseen = PolicyReason::DaneCertificateNotSeen.into();
            return (DaneStand::Undetermined(unseen), DaneAnswer::Unknown(unseen));
        };
        let (stand, answer) = told(&status, tlsa.records_excess, basis);
        let stand = match stand {
            DaneStand::Mismatch if self.met(tlsa, endpoint).is_some() => DaneStand::Rollover,
            stand => stand,
        };
        (stand, answer.resting_on(self.basis_of_match(tlsa, endpoint, &status)))
    }

    /// A record that is about a certificate seen elsewhere.
    pub(super) fn met<'t>(&self, tlsa: &'t TlsaFacts, endpoint: &JudgedEndpoint) -> Option<&'t TlsaRecord> {
        let chain = endpoint.chain.as_deref().unwrap_or_default();
        tlsa.records.iter().find(|record| self.judge.has_met(record, chain))
    }

    /// What the chain that the sender is shown comes to under the records; `None`
    /// where there is none.
    pub(super) fn status(&self, tlsa: &TlsaFacts, endpoint: &JudgedEndpoint) -> Option<DaneStatus> {
        let Sender { dane_leaf_dates, dane_digest_agility, .. } = self.sender;
        self.status_by(tlsa, endpoint, dane_leaf_dates.value, dane_digest_agility.value)
    }

    fn status_by(
        &self,
        tlsa: &TlsaFacts,
        endpoint: &JudgedEndpoint,
        leaf_dates_count: bool,
        digest_agility: bool,
    ) -> Option<DaneStatus> {
        let chain = endpoint.chain.as_deref().filter(|chain| !chain.is_empty())?;
        let names = self.names(tlsa);
        let reference = DaneReference { names: &names, leaf_dates_count, digest_agility };
        Some(self.judge.dane(chain, &tlsa.records, &reference))
    }

    /// The names of which a certificate under DANE-TA bears one (RFC 7672
    /// §3.2.2).
    fn names(&self, tlsa: &'a TlsaFacts) -> Vec<&'a str> {
        let base = tlsa.base.as_ref().or(self.exchange.host.as_ref());
        let mut names: Vec<&str> = base.map(|base| base.as_str()).into_iter().collect();
        let facts = self.facts;
        let by_mx = facts.mx_authenticity.is_some() && !facts.smart_hosts && !facts.implicit_mx;
        match &facts.target.subject {
            Subject::Domain(domain) if by_mx => {
                if facts.mx_authenticity == Some(Authenticity::Secure) {
                    names.push(domain.as_str());
                    names.extend(facts.mx_alias_end.as_ref().map(|end| end.as_str()));
                }
            }
            // Without MX records the host is the next hop: it counts beside what it is
            // an alias of.
            _ => names.extend(self.exchange.host.as_ref().map(|host| host.as_str())),
        }
        names
    }

    /// Assumed where it hangs on what nobody publishes of digests or of dates.
    fn basis_of_match(&self, tlsa: &TlsaFacts, endpoint: &JudgedEndpoint, status: &DaneStatus) -> Basis {
        let (dates, agility) = (&self.sender.dane_leaf_dates, &self.sender.dane_digest_agility);
        let digests = |kind: u8| tlsa.records.iter().any(|record| record.matching_type == kind);
        let fits = |status: &DaneStatus| matches!(status, DaneStatus::Matched { .. });
        let same = |dates_count, agility| {
            let otherwise = self.status_by(tlsa, endpoint, dates_count, agility);
            otherwise.is_some_and(|otherwise| fits(&otherwise) == fits(status))
        };
        let of_dates = !dates.is_assumed() || same(!dates.value, agility.value);
        let hangs_on_digests = agility.is_assumed() && digests(1) && digests(2);
        let of_digests = !hangs_on_digests || same(dates.value, !agility.value);
        if of_dates && of_digests { Basis::Observed } else { Basis::Assumed }
    }
}

impl DaneAnswer {
    /// The same on a basis that is no better than this.
    fn resting_on(self, rests_on: Basis) -> Self {
        match self {
            Self::Free(basis) => Self::Free(basis.max(rests_on)),
            Self::Matched(basis) => Self::Matched(basis.max(rests_on)),
            Self::NotHere(reason, basis) => Self::NotHere(reason, basis.max(rests_on)),
            other => other,
        }
    }
}

/// What stands in the way of TLS at an address; `None` where it is there. Where
/// mail never came to STARTTLS, the end of the attempt says more than the
/// demand.
fn encryption(endpoint: &JudgedEndpoint) -> Option<DaneAnswer> {
    let outcome = &endpoint.outcome;
    let basis = outcome.basis.unwrap_or(Basis::Inferred).min(Basis::Inferred);
    match endpoint.encryption {
        Check::Pass => None,
        Check::Undetermined(cause) => {
            let reason = outcome.reason.or(cause.no_answer());
            Some(DaneAnswer::Unknown(reason.unwrap_or(PolicyReason::DaneCertificateNotSeen.into())))
        }
        Check::Fail(_) if is_gone(endpoint) => Some(DaneAnswer::Free(Basis::Observed)),
        Check::Fail(_) => Some(DaneAnswer::NotHere(PolicyReason::DaneNoTls, basis)),
    }
}

/// Whether the host takes no mail, with TLS or without.
pub(super) fn is_gone(endpoint: &JudgedEndpoint) -> bool {
    let early = endpoint.outcome.reason.is_some_and(|reason| reason.phase() < Phase::Starttls);
    endpoint.outcome.delivery == Delivery::Deferred
        && early
        && endpoint.outcome.reason != Some(REFUSED_FOR_NOW)
}

fn told(status: &DaneStatus, records_excess: usize, basis: Basis) -> (DaneStand, DaneAnswer) {
    let open =
        |reason: PolicyReason| (DaneStand::Undetermined(reason.into()), DaneAnswer::Unknown(reason.into()));
    let (stand, reason) = match status {
        DaneStatus::Matched { .. } => return (DaneStand::Matched, DaneAnswer::Matched(basis)),
        DaneStatus::NoneUsable => return (DaneStand::Unusable, DaneAnswer::Encrypted),
        DaneStatus::Unverifiable(_) => return open(PolicyReason::DaneUnverifiable),
        DaneStatus::Failed(_) if records_excess > 0 => return open(PolicyReason::TlsaExcess),
        DaneStatus::Failed(DaneFailure::NoMatch) => (DaneStand::Mismatch, PolicyReason::DaneMismatch),
        DaneStatus::Failed(DaneFailure::Chain(_)) => (DaneStand::Chain, PolicyReason::DaneChain),
        DaneStatus::Failed(DaneFailure::Name) => (DaneStand::NameMismatch, PolicyReason::DaneNameMismatch),
        DaneStatus::Failed(DaneFailure::Dates(DateStatus::Expired)) => {
            (DaneStand::CertificateExpired, PolicyReason::DaneCertificateExpired)
        }
        DaneStatus::Failed(DaneFailure::Dates(_)) => (DaneStand::NotYetValid, PolicyReason::DaneNotYetValid),
    };
    (stand, DaneAnswer::NotHere(reason, basis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_verifiers_lack_is_told_as_open() {
        let status = DaneStatus::Unverifiable("an algorithm".to_string());
        let (stand, answer) = told(&status, 0, Basis::Observed);
        assert_eq!(stand.to_string(), "undetermined:dane_unverifiable");
        assert_eq!(answer, DaneAnswer::Unknown(PolicyReason::DaneUnverifiable.into()));
    }
}
