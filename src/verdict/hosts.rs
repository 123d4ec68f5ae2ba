//! The hosts of a domain as its mail meets them: each address, and each host
//! of which the addresses are not known, in the order of preference.
//!
//! - A host that the DNS does not have is none. One of which the DNS did not
//!   say (SERVFAIL, a timeout) is one, and unknown.
//! - An address to which this machine has no route, or over whose family its
//!   network seems to let nothing out, says nothing of the host.
//!   Where another of the host's answered, mail gets there by that; else the
//!   host is unknown. So it is with addresses of a family that nothing is asked
//!   over. An address of a family that the sender does not use is none for it.
//! - Hosts and addresses beyond the limits are unknown, and so are those of a
//!   family for which the DNS gave no answer.

use super::attempt::{self, Attempt, AttemptEnd};
use super::deliver::NO_ROUTE;
use super::profile::SenderProfile;
use super::requirement::Requirement;
use super::secured::{Effect, Secured};
use crate::model::{
    Basis, CheckCause, CheckFailure, Delivery, DomainFacts, Exchange, Failure, JudgedEndpoint, Kind, Phase,
    Reason,
};
use crate::sender::AddressFamily;
use std::net::IpAddr;
use std::sync::Arc;

/// More hosts or addresses than are looked at.
pub(super) const TOO_MANY: Reason = Reason::Ended { phase: Phase::Dns, kind: Kind::TooMany };

/// What was found at the addresses of a domain, each with the place of its
/// exchange in [`DomainFacts::exchanges`].
pub(super) type Probes = [(usize, Arc<JudgedEndpoint>)];

/// An address, or a host without one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    /// MX preference.
    pub preference: u16,
    /// Place of the host in [`DomainFacts::exchanges`].
    pub exchange: usize,
    pub standing: Standing<'a>,
    /// What DANE and MTA-STS do there; `None` where neither was asked for.
    pub secured: Option<Secured>,
}

/// What is known of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing<'a> {
    Address(&'a Arc<JudgedEndpoint>),
    /// An address on which nothing hangs.
    NotTried(&'a Arc<JudgedEndpoint>, Basis),
    /// A host whose addresses the DNS did not give.
    Unresolved(&'a Failure),
    /// The same, where they contradict their signatures: of the whole host, or of
    /// one family.
    Bogus {
        failure: &'a Failure,
        whole: bool,
    },
    /// Addresses of a family that nothing is asked over, or perhaps some.
    OtherFamily {
        /// Whether the host is unknown for them, or does there as elsewhere.
        is_unknown: bool,
    },
    /// Addresses of the host beyond the limit, or perhaps beyond it.
    MoreAddresses(CheckCause),
    /// Behind the last address that the sender tries.
    NotReached,
    /// Hosts beyond the limit, or perhaps beyond it.
    MoreHosts(CheckCause),
}

impl<'a> Member<'a> {
    /// What was found there; `None` where nobody was asked.
    pub fn endpoint(&self) -> Option<&'a Arc<JudgedEndpoint>> {
        match self.standing {
            Standing::Address(endpoint) | Standing::NotTried(endpoint, _) => Some(endpoint),
            _ => None,
        }
    }

    /// How mail ends there, in short; `None` where nobody was asked, and that was
    /// not for a policy.
    pub fn end(&self) -> Option<AttemptEnd> {
        let by_policy = || self.secured.as_ref().and_then(AttemptEnd::not_here);
        self.endpoint().map(|endpoint| AttemptEnd::of(endpoint, self.secured.as_ref())).or_else(by_policy)
    }

    /// Whether it is a host whose addresses are not known.
    pub fn is_unresolved(&self) -> bool {
        matches!(self.standing, Standing::Unresolved(_) | Standing::Bogus { .. })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.endpoint().map(|endpoint| endpoint.finding.key.endpoint.ip)
    }
}

/// All members. Those of one preference stand by address, so that no name of a
/// host decides between equals.
pub(super) fn members<'a>(
    profile: &SenderProfile,
    facts: &'a DomainFacts,
    probes: &'a Probes,
) -> Vec<Member<'a>> {
    let mut members = Vec::with_capacity(probes.len() + 1);
    members.extend(probes.iter().filter_map(|(exchange, endpoint)| {
        let preference = facts.exchanges.get(*exchange)?.preference;
        let answered = || probes.iter().any(|(of, other)| of == exchange && answered(other));
        let standing = standing(profile, endpoint, answered);
        Some(Member { preference, exchange: *exchange, standing, secured: None })
    }));
    for (exchange, host) in facts.exchanges.iter().enumerate() {
        let member = |standing| Member { preference: host.preference, exchange, standing, secured: None };
        let answered = || probes.iter().any(|(of, found)| *of == exchange && answered(found));
        members.extend(unresolved(profile, host).map(member));
        members.extend(other_family(profile, host, answered).map(member));
        members.extend(more_addresses(host).map(member));
    }
    if let (Some(cause), Some(last)) = (more_hosts(facts), facts.exchanges.len().checked_sub(1)) {
        let preference = facts.exchanges.get(last).map_or(u16::MAX, |host| host.preference);
        let standing = Standing::MoreHosts(cause);
        members.push(Member { preference, exchange: last, standing, secured: None });
    }
    let order =
        |member: &Member<'_>| (member.preference, member.ip().is_none(), member.ip(), member.exchange);
    if !members.is_sorted_by_key(order) {
        members.sort_by_key(order);
    }
    if let Some(max) = &profile.sender.addresses_max {
        leave_out(&mut members, max.value);
    }
    members
}

/// What stands behind the most addresses that the sender tries is never reached.
/// Of a set that goes over that number chance decides which are tried.
fn leave_out(members: &mut [Member<'_>], addresses_max: usize) {
    let mut before = 0;
    for set in members.chunk_by_mut(|one, other| one.preference == other.preference) {
        if before >= addresses_max {
            set.iter_mut().for_each(|member| {
                member.standing = match member.standing {
                    Standing::Address(endpoint) => Standing::NotTried(endpoint, Basis::Inferred),
                    Standing::NotTried(endpoint, basis) => Standing::NotTried(endpoint, basis),
                    _ => Standing::NotReached,
                }
            });
        }
        before += set.iter().filter(|member| matches!(member.standing, Standing::Address(_))).count();
    }
}

/// Whether the host spoke there, and it is known what comes of it.
fn answered(endpoint: &JudgedEndpoint) -> bool {
    let failure = endpoint.finding.failure.as_ref();
    let spoke = failure.is_none_or(|failure| failure.phase > Phase::Connect);
    spoke && endpoint.outcome.delivery != Delivery::Undetermined
}

fn standing<'a>(
    profile: &SenderProfile,
    endpoint: &'a Arc<JudgedEndpoint>,
    answered: impl FnOnce() -> bool,
) -> Standing<'a> {
    let families = &profile.sender.address_families;
    if !families.value.contains(&AddressFamily::of(endpoint.finding.key.endpoint.ip)) {
        let basis = if families.is_assumed() { Basis::Assumed } else { Basis::Observed };
        return Standing::NotTried(endpoint, basis);
    }
    let failure = endpoint.finding.failure.as_ref();
    let no_route = failure.is_some_and(|failure| Reason::from(failure) == NO_ROUTE);
    let suspect = endpoint.outcome.reason == Some(Reason::NetworkSuspect);
    if (no_route || suspect) && answered() {
        Standing::NotTried(endpoint, Basis::Inferred)
    } else {
        Standing::Address(endpoint)
    }
}

/// A host whose addresses the DNS did not give, or not those of a family that
/// the sender has.
fn unresolved<'a>(profile: &SenderProfile, host: &'a Exchange) -> Option<Standing<'a>> {
    let whole = host.failure.as_ref().filter(|failure| !failure.kind.says_no_host());
    let in_part = || host.unresolved.as_ref().filter(|_| goes_elsewhere(profile, host));
    let failure = whole.or_else(in_part)?;
    Some(if host.addresses_bogus {
        Standing::Bogus { failure, whole: whole.is_some() }
    } else {
        Standing::Unresolved(failure)
    })
}

/// Whether the sender has a family beside that of the first address.
fn goes_elsewhere(profile: &SenderProfile, host: &Exchange) -> bool {
    let families = &profile.sender.address_families.value;
    host.addresses.first().is_some_and(|ip| families.iter().any(|family| *family != AddressFamily::of(*ip)))
}

/// What is known of the addresses that the sender has beside those that are
/// asked. That there may be some makes nothing unknown by itself, unless the
/// sender has no other.
fn other_family<'a>(
    profile: &SenderProfile,
    host: &Exchange,
    answered: impl FnOnce() -> bool,
) -> Option<Standing<'a>> {
    let there = host.of_other_family();
    let families = &profile.sender.address_families.value;
    let has_own = || host.addresses.iter().any(|ip| families.contains(&AddressFamily::of(*ip)));
    let is_unknown = || if there.is_some() { !answered() } else { !has_own() };
    (goes_elsewhere(profile, host) && there != Some(0))
        .then(|| Standing::OtherFamily { is_unknown: is_unknown() })
}

fn more_addresses(host: &Exchange) -> Option<Standing<'_>> {
    match host.excess() {
        Some(0) => None,
        excess => Some(Standing::MoreAddresses(beyond(excess))),
    }
}

fn more_hosts(facts: &DomainFacts) -> Option<CheckCause> {
    match facts.hosts_excess() {
        Some(0) => None,
        excess => Some(beyond(excess)),
    }
}

/// Why nothing is known of what is beyond a limit: `None` where nobody counted.
fn beyond(excess: Option<usize>) -> CheckCause {
    excess.map_or(CheckCause::NotRecorded, |_| CheckCause::NoAnswer(TOO_MANY))
}

/// What the policies of a domain do to all of its hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PolicyBounds {
    /// Whether none of them gets mail in clear.
    pub never_in_clear: bool,
    /// Whether they bind mail, too, for which TLS is demanded.
    pub bind_forced: bool,
}

/// What comes of the attempt at a member.
pub(super) fn attempt(
    profile: &SenderProfile,
    requirement: Requirement<'_>,
    member: &Member<'_>,
    bounds: PolicyBounds,
) -> Attempt {
    let unknown = |cause| unknown(profile, requirement, cause, bounds.never_in_clear);
    match member.standing {
        Standing::Address(endpoint) => {
            attempt::attempt(profile, requirement, endpoint, member.secured.as_ref(), bounds.bind_forced)
        }
        Standing::NotTried(_, basis) => Attempt::NotTried { basis },
        Standing::Unresolved(failure) => unknown(CheckCause::NoAnswer(failure.into())),
        Standing::Bogus { failure, .. } => match member.secured.map(|secured| secured.effect) {
            Some(Effect::NotHere(reason, basis)) => {
                Attempt::NotHere { why: CheckFailure::NoTls(reason.into()), basis }
            }
            Some(Effect::None(basis)) => Attempt::NotTried { basis },
            _ => unknown(CheckCause::NoAnswer(failure.into())),
        },
        Standing::OtherFamily { is_unknown: false } | Standing::NotReached => {
            Attempt::NotTried { basis: Basis::Inferred }
        }
        Standing::OtherFamily { is_unknown: true } => unknown(CheckCause::NoAnswer(NO_ROUTE)),
        Standing::MoreAddresses(cause) | Standing::MoreHosts(cause) => unknown(cause),
    }
}

/// A host of which nothing is known.
fn unknown(
    profile: &SenderProfile,
    requirement: Requirement<'_>,
    cause: CheckCause,
    never_in_clear: bool,
) -> Attempt {
    let demands =
        never_in_clear || requirement != Requirement::Opportunistic || profile.sender.requires_tls.value;
    Attempt::Unknown { cause, never_in_clear: demands.then_some(Basis::Inferred) }
}
