//! Where an enumeration stands after the answers so far.

use super::EnumerationPlan;
use super::answer::{OfferAnswer, read};
use super::offer::{self, CHUNK_SUITES, Elimination};
use crate::model::{
    AcceptedGroups, AcceptedSuite, CipherSuite, ClientHelloSpec, Enumeration, Gap, HelloEnd,
    HelloObservation, HelloPurpose, NamedGroup, Preference, ProtocolVersion, VersionSuites,
};

/// How often in a row a hello may not come to be asked, or stay without an
/// answer, before the server is left alone.
const SILENCES_MAX: usize = 2;

/// What is being asked.
#[derive(Debug)]
enum Stage {
    Suites(Elimination<CipherSuite>),
    Rank(Elimination<CipherSuite>),
    Order,
    Groups { suites: Vec<CipherSuite>, groups: Elimination<NamedGroup> },
    Finished,
}

/// What is asked once more before a hang-up is taken for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HangUpCheck {
    /// The question at which the server hung up: a server that is ill, or one
    /// of several behind an address, answers it now.
    Again,
    /// The control: what it last agreed to.
    Control,
}

/// An offer that the server agreed to.
#[derive(Debug)]
struct Agreed {
    version: ProtocolVersion,
    suites: Vec<CipherSuite>,
}

#[derive(Debug)]
pub(super) struct EnumerationState<'p> {
    plan: &'p EnumerationPlan,
    /// Versions done, and last the one that is being asked for.
    versions: Vec<VersionSuites>,
    stage: Stage,
    /// Whether the server hung up in this stage, and it is not known why.
    hung_up: bool,
    /// How a hang-up is being looked into.
    check: Option<HangUpCheck>,
    /// Whether it has answered what it had hung up at. From then on a hang-up
    /// says nothing.
    unsteady: bool,
    agreed: Option<Agreed>,
    /// The longest list of suites that was answered.
    answered_suites: usize,
    /// The group chosen first in this version with all on offer.
    first_group: Option<NamedGroup>,
    /// Whether groups were asked for in a version before TLS 1.3.
    curves_asked: bool,
    silences: usize,
    /// Why the server was left alone.
    given_up: Option<Gap>,
    sslv2: bool,
    connections: usize,
}

impl<'p> EnumerationState<'p> {
    pub(super) fn new(plan: &'p EnumerationPlan) -> Self {
        let mut state = Self {
            plan,
            versions: Vec::with_capacity(plan.versions.len()),
            stage: Stage::Finished,
            hung_up: false,
            check: None,
            unsteady: false,
            agreed: None,
            answered_suites: 0,
            first_group: None,
            curves_asked: false,
            silences: 0,
            given_up: None,
            sslv2: false,
            connections: 0,
        };
        state.next_version();
        state
    }

    fn next_version(&mut self) {
        self.first_group = None;
        self.stage = match self.plan.versions.get(self.versions.len()) {
            None => Stage::Finished,
            Some(version) => {
                self.versions.push(untouched(*version));
                Stage::Suites(Elimination::new(offer::suites(*version).to_vec()))
            }
        };
    }

    /// The hello to send now.
    pub(super) fn spec(&self) -> Option<ClientHelloSpec> {
        let spent = self.connections >= self.plan.connections_max;
        if spent || self.given_up.is_some() {
            return None;
        }
        if self.check == Some(HangUpCheck::Control) {
            let Agreed { version, suites } = self.agreed.as_ref()?;
            let groups = offer::groups(*version);
            return Some(spec(HelloPurpose::Suites, *version, suites.clone(), groups));
        }
        let current = self.versions.last()?;
        let all_groups = || offer::groups(current.version);
        let (purpose, suites, groups) = match &self.stage {
            Stage::Suites(list) | Stage::Rank(list) => {
                (HelloPurpose::Suites, list.offered.clone(), all_groups())
            }
            Stage::Order => {
                let reversed = current.suites.iter().rev().map(|accepted| accepted.suite).collect();
                (HelloPurpose::Order, reversed, all_groups())
            }
            Stage::Groups { suites, groups } => {
                (HelloPurpose::Groups, suites.clone(), groups.offered.clone())
            }
            Stage::Finished => return None,
        };
        Some(spec(purpose, current.version, suites, groups))
    }

    /// Takes the answer to the question of this state.
    pub(super) fn take(&mut self, hello: &HelloObservation) {
        self.connections += 1;
        self.sslv2 |= hello.end == HelloEnd::Sslv2;
        let asked = if self.check == Some(HangUpCheck::Control) {
            self.agreed.as_ref().map(|agreed| agreed.version)
        } else {
            self.versions.last().map(|current| current.version)
        };
        let answer = asked.map_or(OfferAnswer::Refused, |version| read(version, hello));
        if self.gives_up(hello, &answer) {
            return;
        }
        if hello.end == HelloEnd::NotAsked {
            return;
        }
        if self.check == Some(HangUpCheck::Control) {
            return self.pass_over(!matches!(answer, OfferAnswer::Chose { .. }));
        }
        if self.check.is_some() && !matches!(answer, OfferAnswer::HungUp) {
            self.check = None;
            self.unsteady = true;
        }
        match &self.stage {
            Stage::Suites(_) => self.take_suites(answer),
            Stage::Rank(_) => self.take_rank(&answer),
            Stage::Order => self.take_order(&answer),
            Stage::Groups { .. } => self.take_groups(answer),
            Stage::Finished => {}
        }
    }

    /// Whether the server is to be left alone from now on.
    fn gives_up(&mut self, hello: &HelloObservation, answer: &OfferAnswer) -> bool {
        let silent = matches!(hello.end, HelloEnd::NotAsked | HelloEnd::Timeout);
        self.silences = if silent { self.silences + 1 } else { 0 };
        if let OfferAnswer::Lost(gap) = answer
            && (*gap == Gap::Throttled || self.silences >= SILENCES_MAX)
        {
            self.given_up = Some(*gap);
        }
        self.given_up.is_some()
    }

    fn take_suites(&mut self, answer: OfferAnswer) {
        let Stage::Suites(list) = &mut self.stage else { return };
        let length = list.offered.len();
        let is_first = list.found.is_empty() && !list.is_cut;
        match answer {
            OfferAnswer::Chose { suite, group, dh_bits } => {
                self.answered_suites = self.answered_suites.max(length);
                let Some(current) = self.versions.last_mut() else { return };
                let version = current.version;
                if !list.offered.contains(&suite) {
                    return self.end_suites(Some(Gap::Unreadable));
                }
                // An answer is taken again with every later one: no new list.
                let agreed = self.agreed.get_or_insert_with(|| Agreed { version, suites: Vec::new() });
                agreed.version = version;
                agreed.suites.clone_from(&list.offered);
                list.choose(suite);
                current.suites.push(AcceptedSuite { suite, dh_bits });
                self.first_group = self.first_group.or(group);
                if list.offered.is_empty() && !list.next_part() {
                    self.end_suites(None);
                }
            }
            OfferAnswer::Refused => {
                self.answered_suites = self.answered_suites.max(length);
                if !list.next_part() {
                    self.end_suites(None);
                }
            }
            // Perhaps the list was too long for it.
            OfferAnswer::HungUp | OfferAnswer::Lost(_)
                if is_first && length > CHUNK_SUITES.max(self.answered_suites) =>
            {
                list.cut(CHUNK_SUITES);
            }
            OfferAnswer::HungUp => self.doubt(),
            OfferAnswer::Lost(gap) => self.end_suites(Some(gap)),
        }
    }

    /// The suites of a version are known, or as many as can be.
    fn end_suites(&mut self, gap: Option<Gap>) {
        if let Some(current) = self.versions.last_mut() {
            current.gap = gap;
        }
        self.leave_stage();
    }

    /// Looks into a hang-up: it is a refusal only if the server hangs up again,
    /// and still agrees to what it did. One that never agreed to anything, or
    /// hangs up at one time and not at another, cannot be asked.
    fn doubt(&mut self) {
        match self.check {
            None if self.agreed.is_some() => self.check = Some(HangUpCheck::Again),
            Some(_) if !self.unsteady => self.check = Some(HangUpCheck::Control),
            _ => self.pass_over(true),
        }
    }

    /// Goes on behind a hang-up; `unsure` if it may be no refusal.
    fn pass_over(&mut self, unsure: bool) {
        self.check = None;
        self.hung_up |= unsure;
        let goes_on = match &mut self.stage {
            Stage::Suites(list) => list.next_part(),
            _ => false,
        };
        if !goes_on {
            self.leave_stage();
        }
    }

    /// Goes on to the next stage.
    fn leave_stage(&mut self) {
        let unsure = std::mem::take(&mut self.hung_up);
        let gap = unsure.then_some(Gap::HangUp);
        match std::mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Suites(list) => {
                if let Some(current) = self.versions.last_mut() {
                    current.gap = current.gap.or(gap);
                }
                self.after_suites(&list);
            }
            Stage::Groups { groups, suites } => {
                let refused = !groups.offered.is_empty();
                let bound = refused && self.is_bound(&suites);
                let gap = gap.or(bound.then_some(Gap::CertificateCurve));
                self.end_groups(groups.found, gap);
            }
            Stage::Rank(_) | Stage::Order | Stage::Finished => {}
        }
    }

    fn is_bound(&self, suites: &[CipherSuite]) -> bool {
        let old = self.versions.last().is_some_and(|current| current.version < ProtocolVersion::TLS13);
        old && suites.iter().all(offer::needs_ecdsa)
    }

    fn after_suites(&mut self, list: &Elimination<CipherSuite>) {
        let found = list.found.len();
        if found < 2 {
            self.begin_groups();
        } else if list.is_cut {
            self.stage = Stage::Rank(Elimination::new(list.found.clone()));
        } else {
            self.stage = Stage::Order;
        }
    }

    fn take_rank(&mut self, answer: &OfferAnswer) {
        let Stage::Rank(list) = &mut self.stage else { return };
        let Some(current) = self.versions.last_mut() else { return };
        let chosen = match answer {
            OfferAnswer::Chose { suite, .. } => list.choose(*suite),
            _ => false,
        };
        if chosen && list.offered.len() > 1 {
            return;
        }
        // One left is the last; after a refusal the order is none of ours.
        let left = std::mem::take(&mut list.offered);
        let order: Vec<_> = list.found.iter().copied().chain(left).collect();
        current.suites.sort_by_key(|accepted| order.iter().position(|suite| *suite == accepted.suite));
        if chosen {
            self.stage = Stage::Order;
        } else {
            current.preference = Some(Preference::Undetermined);
            self.begin_groups();
        }
    }

    fn take_order(&mut self, answer: &OfferAnswer) {
        let Some(current) = self.versions.last_mut() else { return };
        let (first, last) = (current.suites.first(), current.suites.last());
        let is = |accepted: Option<&AcceptedSuite>, suite| accepted.is_some_and(|found| found.suite == suite);
        current.preference = Some(match answer {
            OfferAnswer::Chose { suite, .. } if is(first, *suite) => Preference::Server,
            OfferAnswer::Chose { suite, .. } if is(last, *suite) => Preference::Client,
            _ => Preference::Undetermined,
        });
        self.begin_groups();
    }

    /// Asks for groups, if this version is one for which they are. What was
    /// chosen with all on offer needs no asking.
    fn begin_groups(&mut self) {
        let Some(current) = self.versions.last() else { return };
        let version = current.version;
        let accepted: Vec<_> = current.suites.iter().map(|accepted| accepted.suite).collect();
        let suites = offer::suites_for_groups(version, &accepted);
        let is_old = version < ProtocolVersion::TLS13;
        if suites.is_empty() || (is_old && self.curves_asked) {
            return self.next_version();
        }
        self.curves_asked |= is_old;
        let mut groups = Elimination::new(offer::groups(version));
        if let Some(first) = self.first_group {
            groups.choose(first);
        }
        self.stage = Stage::Groups { suites, groups };
    }

    fn take_groups(&mut self, answer: OfferAnswer) {
        let Stage::Groups { groups, .. } = &mut self.stage else { return };
        match answer {
            OfferAnswer::Chose { group: Some(group), .. } if groups.choose(group) => {
                if groups.offered.is_empty() {
                    self.leave_stage();
                }
            }
            OfferAnswer::Refused => self.leave_stage(),
            OfferAnswer::HungUp => self.doubt(),
            OfferAnswer::Chose { .. } => {
                let found = std::mem::take(&mut groups.found);
                self.end_groups(found, Some(Gap::Unreadable));
            }
            OfferAnswer::Lost(gap) => {
                let found = std::mem::take(&mut groups.found);
                self.end_groups(found, Some(gap));
            }
        }
    }

    fn end_groups(&mut self, groups: Vec<NamedGroup>, gap: Option<Gap>) {
        if let Some(current) = self.versions.last_mut() {
            current.groups = Some(AcceptedGroups { groups, gap });
        }
        self.next_version();
    }

    /// What is known. What was still to be asked has a gap.
    pub(super) fn into_enumeration(mut self) -> Enumeration {
        let gap = Some(self.given_up.unwrap_or(Gap::Budget));
        if let Some(current) = self.versions.last_mut() {
            match self.stage {
                Stage::Suites(_) => current.gap = current.gap.or(gap),
                Stage::Rank(_) | Stage::Order => current.preference = Some(Preference::Undetermined),
                Stage::Groups { groups, .. } => {
                    current.groups = Some(AcceptedGroups { groups: groups.found, gap });
                }
                Stage::Finished => {}
            }
        }
        let missing = self.plan.versions.iter().skip(self.versions.len());
        let missing: Vec<_> = missing.map(|version| VersionSuites { gap, ..untouched(*version) }).collect();
        self.versions.extend(missing);
        Enumeration { versions: self.versions, sslv2: self.sslv2, connections: self.connections }
    }
}

fn untouched(version: ProtocolVersion) -> VersionSuites {
    VersionSuites { version, suites: Vec::new(), preference: None, gap: None, groups: None }
}

fn spec(
    purpose: HelloPurpose,
    version: ProtocolVersion,
    suites: Vec<CipherSuite>,
    groups: Vec<NamedGroup>,
) -> ClientHelloSpec {
    let modern = version >= ProtocolVersion::TLS12;
    let signature_schemes = if modern { offer::schemes() } else { Vec::new() };
    ClientHelloSpec {
        versions: vec![version],
        suites,
        groups,
        signature_schemes,
        ..ClientHelloSpec::of(purpose)
    }
}
