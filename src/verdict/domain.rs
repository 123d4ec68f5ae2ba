//! A domain before one sender, ready to be rolled up for any demand.

use super::attempt::Attempt;
use super::certificate::encryption_only;
use super::deliver::{RollUp, RollUpEnd, deliver};
use super::hosts::{self, Member, PolicyBounds, Probes, Standing};
use super::policy_use::PolicyUse;
use super::profile::SenderProfile;
use super::requirement::{self, Requirement};
use super::secured::Securing;
use super::weakness::{self, HostEndpoint};
use crate::model::{
    Authenticated, Check, CheckFailure, Delivery, DomainFacts, ForcedBasis, ForcedTls, Kind, Logged,
    NameStatus, Outcome, Phase, PossibleDelivery, Reason, TlsFinding, TlsSettings, View,
};
use crate::sender::connector::ReferenceIdentifier;
use crate::sender::log_text;
use crate::sender::situation::Situation;
use crate::trust::names;
use crate::trust::pkix::Judge;
use std::cmp::Ordering;
use std::ops::Range;

/// What the DNS said of a domain, what was found at its hosts, and for whom it
/// is judged.
pub(super) struct Domain<'a> {
    pub(super) profile: &'a SenderProfile,
    pub(super) facts: &'a DomainFacts,
    pub(super) members: Vec<Member<'a>>,
    /// DANE and MTA-STS, as far as the sender uses them.
    pub(super) securing: Securing<'a>,
    /// Whether they bind mail, too, for which a connector demands TLS.
    binds_forced: bool,
}

impl<'a> Domain<'a> {
    pub(super) fn new(
        profile: &'a SenderProfile,
        judge: &'a Judge,
        facts: &'a DomainFacts,
        probes: &'a Probes,
    ) -> Self {
        let securing = Securing::new(profile, judge, facts, PolicyUse::of(&profile.sender));
        // Where the DNS left it open, the hosts say by which of them.
        let decided = facts.failure.as_ref().is_some_and(|failure| failure.kind.says_no_host());
        let members = if decided { Vec::new() } else { hosts::members(profile, facts, probes) };
        Self { profile, facts, members, securing, binds_forced: false }.secured()
    }

    fn secured(mut self) -> Self {
        for member in &mut self.members {
            let exchange = self.facts.exchanges.get(member.exchange);
            member.secured = match (member.standing, exchange) {
                (Standing::Address(endpoint), Some(exchange)) => self.securing.at(exchange, endpoint),
                (Standing::Bogus { whole, .. }, _) => self.securing.at_bogus(whole),
                _ => None,
            };
        }
        self
    }

    /// The same, for mail that is sent under other policies than the sender's
    /// own.
    pub(super) fn with_uses(&self, uses: PolicyUse) -> Self {
        let securing = Securing::new(self.profile, self.securing.judge(), self.facts, uses);
        let members = self.members.clone();
        Self { profile: self.profile, facts: self.facts, members, securing, binds_forced: false }.secured()
    }

    /// The same without the policy of MTA-STS of which it is not known whether
    /// there is one; `None` where that is known, or nothing to the sender.
    pub(super) fn without_unknown_policy(&self) -> Option<Self> {
        self.securing.lacks_policy().then(|| self.with_uses(self.securing.uses_without_policy()))
    }

    /// The same, with policies that bind all mail.
    pub(super) fn binding_forced(self) -> Self {
        Self { binds_forced: true, ..self }
    }

    /// By what the sender knows a member to which mail goes through TLS.
    pub(super) fn authenticated(&self, member: &Member<'_>) -> Authenticated {
        member.secured.map_or(self.securing.unasked(), |secured| secured.authenticated)
    }

    /// What becomes of the mail at a member, in full.
    pub(super) fn outcome(&self, member: &Member<'_>) -> Option<Outcome> {
        let end = member.end()?;
        let own = member.endpoint().map(|endpoint| &endpoint.outcome);
        if let Some(own) = own.filter(|own| (own.delivery, own.reason) == (end.delivery, end.reason)) {
            return Some(Outcome { basis: end.basis, ..own.clone() });
        }
        let reason = end.reason?;
        Some(Outcome { logged: self.logged(reason), ..Outcome::without_tls(end.delivery, reason, end.basis) })
    }

    /// What the sender logs over this, with the name of the domain in it.
    pub(super) fn logged(&self, reason: Reason) -> Option<Logged> {
        let logged = Situation::of(reason).and_then(|situation| self.profile.logged(situation))?;
        let domain = self.facts.target.subject.label();
        let value = |place: &str| (place == "domain").then(|| domain.to_string());
        Some(Logged { text: log_text::fill(&logged.text, value).into(), ..logged })
    }

    /// Whether there is nobody to whom mail could go.
    pub(super) fn is_unprobed(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn attempt(&self, requirement: Requirement<'_>, member: &Member<'_>) -> Attempt {
        let bounds =
            PolicyBounds { never_in_clear: self.securing.enforces_sts(), bind_forced: self.binds_forced };
        hosts::attempt(self.profile, requirement, member, bounds)
    }

    /// What becomes of mail for which this is demanded. A sender that takes it to
    /// other hosts before it goes in clear where a handshake failed comes back to
    /// that where nobody else takes it.
    pub(super) fn deliver(&self, requirement: Requirement<'_>) -> RollUp {
        let attempt = |member: &Member<'_>| self.attempt(requirement, member);
        let by = |attempt: &dyn Fn(&Member<'_>) -> Attempt| {
            deliver(&self.members, |member| member.preference, attempt)
        };
        let returns = self.comes_back() && matches!(requirement, Requirement::Opportunistic);
        if !returns || !self.members.iter().any(|member| self.failed_first(member).is_some()) {
            return by(&attempt);
        }
        let first = by(&|member| match (attempt(member), self.failed_first(member)) {
            (Attempt::Delivered { basis, .. }, Some(reason)) => {
                Attempt::NotHere { why: CheckFailure::NoTls(reason), basis }
            }
            (attempt, _) => attempt,
        });
        if matches!(first.end, RollUpEnd::Taken(_)) {
            return first;
        }
        let later = by(&attempt);
        RollUp { open: first.open, end: later.end, basis: first.basis.max(later.basis) }
    }

    /// Whether the sender tries the other hosts before it sends in clear where a
    /// handshake failed.
    fn comes_back(&self) -> bool {
        self.profile.sender.other_hosts_before_plaintext.value
    }

    /// Why a host gets mail in clear only once the other hosts were tried; `None`
    /// where it does not, or gets it at once.
    fn failed_first(&self, member: &Member<'_>) -> Option<Reason> {
        let end = member.end().filter(|_| self.comes_back())?;
        let reason = end.reason.filter(|reason| reason.phase() >= Phase::Tls)?;
        (end.delivery == Delivery::Plaintext).then_some(reason)
    }

    /// The members of a set that take its mail, with what delivery through each
    /// would be: those to which it comes back only where no other does.
    pub(super) fn taking(&self, set: Range<usize>) -> Vec<(PossibleDelivery, &Member<'a>)> {
        let members = self.members.get(set).unwrap_or_default();
        let mut all: Vec<_> =
            members.iter().filter_map(|member| Some((self.possible(member)?, member))).collect();
        if self.comes_back() && all.iter().any(|(_, member)| self.failed_first(member).is_none()) {
            all.retain(|(_, member)| self.failed_first(member).is_none());
        }
        all
    }

    /// The three strengths, as if a connector without TlsDomain demanded each.
    pub(super) fn forced(&self, whole: &Outcome) -> (ForcedTls, ForcedBasis) {
        if self.is_unprobed() {
            let check = self.unprobed(whole);
            let basis = whole.basis.filter(|_| !matches!(check, Check::Undetermined(_)));
            let all = ForcedBasis {
                encryption_only: basis,
                certificate_validation: basis,
                domain_validation: basis,
            };
            return (ForcedTls::all(check), all);
        }
        let expected = requirement::domain(self.facts).map(ReferenceIdentifier::Recipient);
        let [encryption, certificate, domain] = TlsSettings::FORCED.map(|settings| {
            let roll = self.deliver(Requirement::of(&self.profile.sender, settings, expected));
            (roll.check(), roll.open.is_none().then_some(roll.basis))
        });
        let checks = ForcedTls {
            encryption_only: encryption.0,
            certificate_validation: certificate.0,
            domain_validation: domain.0,
        };
        let basis = ForcedBasis {
            encryption_only: encryption.1,
            certificate_validation: certificate.1,
            domain_validation: domain.1,
        };
        (checks, basis)
    }

    /// Where nothing was probed the DNS has decided, or nothing has. Smart hosts
    /// that are not to be found may be mended by whoever wrote the connector, but
    /// mail waits until then.
    pub(super) fn unprobed(&self, whole: &Outcome) -> Check {
        match (whole.reason, self.facts.smart_hosts) {
            (Some(reason), true) if reason.kind() == Some(Kind::MxUnusable) => {
                Check::Fail(CheckFailure::NoTls(reason))
            }
            _ => encryption_only(whole.delivery, whole.reason),
        }
    }

    /// What delivery through a member would be, where it takes mail.
    fn possible(&self, member: &Member<'_>) -> Option<PossibleDelivery> {
        let taken = matches!(self.attempt(Requirement::Opportunistic, member), Attempt::Delivered { .. });
        let end = member.end().filter(|_| taken)?;
        Some(PossibleDelivery { delivery: end.delivery, reason: end.reason })
    }

    /// Orders members that take mail by what they give, the worst first, and
    /// among equals by their places.
    pub(super) fn compare(&self, one: &Member<'a>, other: &Member<'a>) -> Ordering {
        let (Some(first), Some(second)) = (self.named(one), self.named(other)) else {
            return Ordering::Equal;
        };
        weakness::compare(self.profile, &self.facts.target.subject, &first, &second)
    }

    fn named(&self, member: &Member<'a>) -> Option<HostEndpoint<'a>> {
        let host = self.facts.exchanges.get(member.exchange).and_then(|exchange| exchange.host.as_ref());
        Some(HostEndpoint { endpoint: member.endpoint()?, host })
    }

    /// The weakest of those that take mail.
    pub(super) fn weakest(&self) -> Option<&Member<'a>> {
        let takes = |member: &&Member<'a>| {
            // Under the policies it may get no mail, whatever it gives by itself.
            let delivery = member.end().map(|end| end.delivery);
            let tried = matches!(member.standing, Standing::Address(_));
            tried && matches!(delivery, Some(Delivery::Encrypted | Delivery::Plaintext))
        };
        self.members.iter().filter(takes).min_by(|one, other| self.compare(one, other))
    }

    /// A member as it is told, with what the scanner's first handshake showed.
    pub(super) fn view(&self, member: &Member<'a>) -> Option<View> {
        self.view_by(member, member.endpoint()?.finding.tls.as_ref())
    }

    /// The same with what the handshake showed by which the sender is judged.
    pub(super) fn view_as_judged(&self, member: &Member<'a>) -> Option<View> {
        self.view_by(member, member.endpoint()?.handshake())
    }

    fn view_by(&self, member: &Member<'a>, tls: Option<&TlsFinding>) -> Option<View> {
        let endpoint = member.endpoint()?;
        let exchange = self.facts.exchanges.get(member.exchange)?;
        let leaf = tls.and_then(|tls| tls.leaf.as_deref());
        let name =
            |leaf| -> NameStatus { names::status(leaf, &self.facts.target.subject, exchange.host.as_ref()) };
        Some(View {
            preference: exchange.preference,
            host: exchange.host.clone(),
            name: leaf.map(name),
            endpoint: endpoint.clone(),
        })
    }
}
