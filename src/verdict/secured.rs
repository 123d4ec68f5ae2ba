//! One address of a domain under DANE and MTA-STS together: what they do to
//! what would become of the mail there without them.
//!
//! DANE comes first, and MTA-STS never makes good where it fails (RFC 8461 §2).
//! Where no usable TLSA record is, MTA-STS is asked.

use super::dane::{self, DaneAnswer, DaneAtAddress, DaneCase, DaneDemand};
use super::policy_use::PolicyUse;
use super::profile::SenderProfile;
use super::sts::{self, Shown, StsAnswer, StsDemand};
use crate::model::{
    Authenticated, Basis, Check, CheckCause, DaneStand, Delivery, DomainFacts, Exchange, JudgedEndpoint,
    PolicyReason, Reason,
};
use crate::sender::{DaneUse, Sender};
use crate::trust::pkix::Judge;

/// What the policies do to the mail at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing, but that it is known no better than this.
    None(Basis),
    /// The host does not get it.
    NotHere(PolicyReason, Basis),
    /// Nobody knows whether it does.
    Unknown(Reason),
}

/// An address under the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Secured {
    /// How the host stands to DANE.
    pub dane: Option<DaneStand>,
    /// What comes of the policy of MTA-STS, of one that says anything of hosts.
    pub sts: Option<StsAnswer>,
    /// What they do to the mail.
    pub effect: Effect,
    /// By what the sender knows the host if it gets the mail through TLS.
    pub authenticated: Authenticated,
    /// Whether the host gets no mail in clear, whatever is not known of it.
    pub never_in_clear: bool,
    /// Whether the host was called by the name that the sender calls it by (SNI):
    /// by another it may show another certificate.
    pub named: bool,
}

/// A domain, and who sends there.
#[derive(Clone, Copy)]
pub(super) struct Securing<'a> {
    judge: &'a Judge,
    sender: &'a Sender,
    facts: &'a DomainFacts,
    uses: PolicyUse,
    /// What the domain has of MTA-STS.
    pub(super) sts: StsDemand<'a>,
}

impl<'a> Securing<'a> {
    pub(super) fn new(
        profile: &'a SenderProfile,
        judge: &'a Judge,
        facts: &'a DomainFacts,
        uses: PolicyUse,
    ) -> Self {
        Self { judge, sender: &profile.sender, facts, uses, sts: StsDemand::of(judge, facts) }
    }

    /// Whether a policy of MTA-STS keeps mail from going in clear to any host.
    pub(super) fn enforces_sts(&self) -> bool {
        self.uses.mta_sts && self.sts.enforced().is_some()
    }

    /// Whether the sender looks at what bogus MX records contradict.
    pub(super) fn validates(&self) -> bool {
        self.uses.dane != DaneUse::No
    }

    /// Whether the sender keeps to policies of MTA-STS.
    pub(super) fn keeps_policies(&self) -> bool {
        self.uses.mta_sts
    }

    /// Whether it is not known if there is a policy of MTA-STS that the sender
    /// would keep to.
    pub(super) fn lacks_policy(&self) -> bool {
        self.uses.mta_sts && matches!(self.sts, StsDemand::Unknown(_))
    }

    /// What it keeps to where there is no policy of MTA-STS.
    pub(super) fn uses_without_policy(&self) -> PolicyUse {
        PolicyUse { mta_sts: false, mta_sts_basis: Basis::Observed, ..self.uses }
    }

    /// Whether the sender would ask for TLSA records of the host, and nobody did.
    /// Of an address without a name it cannot (RFC 7672 §2.2).
    fn tlsa_not_asked(&self, exchange: &Exchange) -> bool {
        self.uses.dane != DaneUse::No && exchange.tlsa.is_none() && exchange.host.is_some()
    }

    /// The same of a policy of MTA-STS. A host or an endpoint that was named
    /// outright has no policy domain, and no more have smart hosts without a name
    /// (RFC 8461 §3.4).
    fn policy_not_asked(&self) -> bool {
        let named = || self.facts.exchanges.iter().any(|exchange| exchange.host.is_some());
        let has_policy_domain =
            || self.facts.target.subject.domain().is_some() && (!self.facts.smart_hosts || named());
        self.uses.mta_sts && self.sts == StsDemand::NotAsked && has_policy_domain()
    }

    /// By what a host is known where neither was asked for.
    pub(super) fn unasked(&self) -> Authenticated {
        let goes_by_some = self.uses.dane != DaneUse::No || self.uses.mta_sts;
        if goes_by_some { Authenticated::NotAsked } else { Authenticated::None }
    }

    /// Who judges chains.
    pub(super) fn judge(&self) -> &'a Judge {
        self.judge
    }

    pub(super) fn dane_case(&self, exchange: &'a Exchange) -> DaneCase<'a> {
        DaneCase { judge: self.judge, sender: self.sender, facts: self.facts, exchange }
    }

    /// What comes of both at an address; `None` where neither was asked for, and
    /// the sender would not ask.
    pub(super) fn at(&self, exchange: &'a Exchange, endpoint: &JudgedEndpoint) -> Option<Secured> {
        let asked = exchange.tlsa.is_some() || self.sts != StsDemand::NotAsked;
        let would_ask = self.tlsa_not_asked(exchange) || self.policy_not_asked();
        if !asked && !would_ask && self.uses.dane != DaneUse::Mandatory {
            return None;
        }
        let dane = self.dane_case(exchange).at(self.uses, endpoint);
        let is_gone = dane::is_gone(endpoint);
        let demanded = dane::demand(self.facts, exchange, self.sender.dane_insecure_mx.value);
        let named = self.is_named(exchange, demanded, endpoint);
        let sts = self.sts.naming_hosts().map(|policy| {
            let shown = if self.uses.mta_sts { Shown::to_sender(endpoint) } else { Shown::by_name(endpoint) };
            sts::at(policy, exchange, endpoint, named.then_some(&shown), is_gone)
        });
        let by_dane = self.by_dane(dane, exchange, endpoint);
        let by_sts = self.by_sts(sts, endpoint);
        let (effect, authenticated) = self.both(dane.answer, by_dane, by_sts);
        let effect = match effect {
            Effect::None(basis) if !named && takes_mail(endpoint) => Effect::None(basis.max(Basis::Inferred)),
            effect => effect,
        };
        let by_records = self.uses.dane != DaneUse::No && !demanded.may_allow_clear();
        // Whatever a policy or records say, mail goes there through TLS or not at all.
        let is_unknown = self.lacks_policy() || demanded.may_allow_clear() != demanded.allows_clear();
        let by_policy = self.enforces_sts() || (is_unknown && endpoint.encryption == Check::Pass);
        Some(Secured {
            dane: dane.stand,
            sts,
            effect,
            authenticated,
            never_in_clear: by_records || self.uses.dane == DaneUse::Mandatory || by_policy,
            named,
        })
    }

    /// Whether the host was called by the name that the sender calls it by: the TLSA
    /// base domain only where it uses the records (RFC 7672 §8.1).
    fn is_named(&self, exchange: &Exchange, demanded: DaneDemand<'_>, endpoint: &JudgedEndpoint) -> bool {
        let uses_records = self.uses.dane != DaneUse::No && !demanded.allows_clear();
        let name = if uses_records { exchange.tls_name() } else { exchange.host.as_ref() };
        let sent = endpoint.finding.key.sni.as_ref();
        // Of who names nobody the handshakes without a name are looked for.
        let names_nobody = !uses_records && !self.uses.mta_sts && !self.sender.sends_sni.value;
        sent.is_none() || sent == name || names_nobody
    }

    /// What DANE does at addresses that contradict their signatures, of a whole host or of
    /// one family. A sender with DANE has a resolver that validates, and gets none
    /// of them (RFC 7672 §2.2.2); of others that is not known.
    pub(super) fn at_bogus(&self, whole: bool) -> Option<Secured> {
        let not_here = Effect::NotHere(PolicyReason::AddressBogus, Basis::Inferred);
        self.validates().then_some(Secured {
            dane: Some(DaneStand::Bogus),
            sts: None,
            effect: if whole { not_here } else { Effect::None(Basis::Inferred) },
            authenticated: Authenticated::None,
            never_in_clear: true,
            named: true,
        })
    }

    /// What DANE does, and by what the host is known then.
    fn by_dane(
        &self,
        at_address: DaneAtAddress,
        exchange: &Exchange,
        endpoint: &JudgedEndpoint,
    ) -> (Effect, Authenticated) {
        let DaneAtAddress { stand, answer } = at_address;
        if self.uses.dane == DaneUse::No {
            let matters = matches!(answer, DaneAnswer::NotHere(..) | DaneAnswer::Unknown(_));
            let basis = if matters { self.uses.dane_basis } else { Basis::Observed };
            return (Effect::None(basis), Authenticated::None);
        }
        let stated = self.uses.dane_basis;
        match answer {
            DaneAnswer::Free(basis) => {
                let unvalidated = Reason::Policy(PolicyReason::NoValidatingResolver);
                let authenticated = match stand {
                    Some(DaneStand::Undetermined(reason)) if reason == unvalidated => {
                        Authenticated::Undetermined(CheckCause::NoAnswer(reason))
                    }
                    None => Authenticated::NotAsked,
                    _ => Authenticated::None,
                };
                let not_asked = self.tlsa_not_asked(exchange) && takes_mail(endpoint);
                let rests_on = if not_asked { Basis::Assumed } else { basis };
                (Effect::None(rests_on), authenticated)
            }
            DaneAnswer::Encrypted => (Effect::None(Basis::Observed), Authenticated::None),
            DaneAnswer::Matched(basis) => {
                (Effect::None(basis.max(stated)), proven(Authenticated::Dane, endpoint))
            }
            DaneAnswer::NotHere(reason, basis) => {
                (Effect::NotHere(reason, basis.max(stated)), Authenticated::None)
            }
            DaneAnswer::Unknown(reason) => {
                (Effect::Unknown(reason), Authenticated::Undetermined(CheckCause::NoAnswer(reason)))
            }
        }
    }

    /// The same of MTA-STS.
    fn by_sts(&self, answer: Option<StsAnswer>, endpoint: &JudgedEndpoint) -> (Effect, Authenticated) {
        let failing = matches!(answer, Some(StsAnswer::Failed(..) | StsAnswer::Unknown(_)));
        if !self.uses.mta_sts {
            let matters = failing && self.sts.enforced().is_some();
            let basis = if matters { self.uses.mta_sts_basis } else { Basis::Observed };
            return (Effect::None(basis), Authenticated::None);
        }
        let stated = self.uses.mta_sts_basis;
        match (self.sts, answer) {
            (StsDemand::NotAsked, _) => {
                let assumed = self.policy_not_asked() && takes_mail(endpoint);
                let rests_on = if assumed { Basis::Assumed } else { Basis::Observed };
                (Effect::None(rests_on), Authenticated::NotAsked)
            }
            (StsDemand::Unknown(reason), _) => {
                // A policy may not name the host, or demand what it lacks. What is
                // not taken there is not taken with a policy either.
                let effect = if takes_mail(endpoint) {
                    Effect::Unknown(reason.into())
                } else {
                    Effect::None(Basis::Inferred)
                };
                (effect, Authenticated::open(reason))
            }
            (StsDemand::NoPolicy(_, basis), _) => (Effect::None(basis), Authenticated::None),
            (StsDemand::Policy(_), _) if self.sts.enforced().is_none() => {
                (Effect::None(Basis::Observed), Authenticated::None)
            }
            (StsDemand::Policy(_), Some(StsAnswer::Passed(basis))) => {
                (Effect::None(basis.max(stated)), proven(Authenticated::Sts, endpoint))
            }
            (StsDemand::Policy(_), Some(StsAnswer::Failed(reason, _, basis))) => {
                (Effect::NotHere(reason, basis.max(stated)), Authenticated::None)
            }
            (StsDemand::Policy(_), Some(StsAnswer::Unknown(reason))) => {
                (Effect::Unknown(reason), Authenticated::Undetermined(CheckCause::NoAnswer(reason)))
            }
            (StsDemand::Policy(_), Some(StsAnswer::Gone) | None) => {
                (Effect::None(Basis::Observed), Authenticated::None)
            }
        }
    }

    /// DANE first. Where usable records decide, MTA-STS is asked only by senders
    /// that ask for both.
    fn both(
        &self,
        answer: DaneAnswer,
        (by_dane, known_by): (Effect, Authenticated),
        (by_sts, listed): (Effect, Authenticated),
    ) -> (Effect, Authenticated) {
        let Effect::None(basis) = by_dane else { return (by_dane, known_by) };
        let beside = &self.sender.mta_sts_beside_dane;
        if matches!(answer, DaneAnswer::Matched(_)) && self.uses.dane != DaneUse::No && !beside.value {
            let may_fail = !matches!(by_sts, Effect::None(_)) || self.policy_not_asked();
            let matters = may_fail && beside.is_assumed();
            let assumed = if matters { Basis::Assumed } else { Basis::Observed };
            return (Effect::None(basis.max(assumed)), known_by);
        }
        // Where it is not known whether there are records, these may say otherwise.
        let open = matches!(known_by, Authenticated::NotAsked | Authenticated::Undetermined(_));
        let together = if open { known_by } else { stronger(known_by, listed) };
        match by_sts {
            Effect::None(other) => (Effect::None(basis.max(other)), together),
            Effect::NotHere(reason, other) => (Effect::NotHere(reason, basis.max(other)), listed),
            Effect::Unknown(reason) => (Effect::Unknown(reason), listed),
        }
    }
}

/// Whether the host takes the mail, as far as it is known without policies.
fn takes_mail(endpoint: &JudgedEndpoint) -> bool {
    matches!(endpoint.outcome.delivery, Delivery::Encrypted | Delivery::Plaintext)
}

/// What both together come to: what is known holds, whatever the other leaves
/// open.
fn stronger(one: Authenticated, other: Authenticated) -> Authenticated {
    let first = one.weakest(other);
    if first == one { other } else { one }
}

/// The same, unless it is not known whether the server holds its key.
fn proven(known_by: Authenticated, endpoint: &JudgedEndpoint) -> Authenticated {
    let lack = endpoint.unproven.session.or(endpoint.unproven.certificate);
    lack.map_or(known_by, Authenticated::Undetermined)
}

#[cfg(test)]
#[path = "policy_properties_tests.rs"]
mod properties;
#[cfg(test)]
#[path = "several_hosts_tests.rs"]
mod several_hosts;
#[cfg(test)]
#[path = "secured_tests.rs"]
mod tests;
