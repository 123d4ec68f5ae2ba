//! What a run comes to, in counts.

use super::connectors::ConnectorTally;
use super::enumerated::EnumeratedTally;
use super::policies::PolicyTally;
use super::sending::{ForcedTally, SendingTally};
use super::tally::{OTHER, Tally};
use crate::model::{
    Assessment, CipherSuite, DomainRecord, EndpointRecord, Exchange, ExpectationMatch, Failure, MxHost,
    NamedGroup, Phase, ProtocolVersion, Reason, Record, ServerBest, TlsFinding,
};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// Most MX operators that are told apart; the rest is counted as `(other)`.
pub const OPERATORS_MAX: usize = 100_000;

/// MX operators that the summary names.
pub(super) const OPERATORS_SHOWN: usize = 10;

/// MX operators that `run.json` names; the domains of all others stand as `(other)`.
pub const OPERATORS_TOLD_MAX: usize = 1000;

/// The counts that domains and endpoints have in common. Outcomes add up to
/// `total`; what concerns TLS and certificates is counted where it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Domains, or endpoints.
    pub total: u64,
    /// `ok`, `not_asked`, or phase and kind: `connect_timeout`.
    pub outcomes: Tally,
    /// Negotiated versions.
    pub versions: Tally,
    /// Negotiated suites.
    pub suites: Tally,
    /// Key exchange groups.
    pub groups: Tally,
    /// `yes`, `no` or `unknown`, wherever the server agreed to a suite in the
    /// handshake or in a further hello.
    pub forward_secrecy: Tally,
    /// Chain axis.
    pub cert_chain: Tally,
    /// Date axis.
    pub cert_dates: Tally,
    /// Key axis.
    pub cert_key: Tally,
    /// The leaf by the expectation that is about its host, as
    /// `exchange-online: current`.
    pub cert_expectation: Tally,
}

/// The summary of a run. Summaries of parts merge into that of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Lines of the list that were no targets.
    pub rejected: u64,
    /// What becomes of mail, by domain: what the best endpoint gives.
    pub deliveries: Tally,
    /// How the sender sends it, and why not encrypted.
    pub sending: SendingTally,
    /// Deliveries through the weakest endpoint, where any answers.
    pub weakest_deliveries: Tally,
    /// By domain, of the best endpoint.
    pub domains: Counts,
    /// Name axis, by domain, of the best endpoint.
    pub cert_name: Tally,
    /// Outcomes counted once for each probed endpoint.
    pub endpoints: Counts,
    /// What domains publish of DANE, MTA-STS and TLS-RPT, and by what the sender
    /// knows their hosts.
    pub policies: PolicyTally,
    /// With how many partners TLS could be forced, and what stops the rest.
    pub forced_tls: ForcedTally,
    /// What becomes of mail that connectors take, by connector and partner.
    pub under_connectors: ConnectorTally,
    /// What enumerations found, by endpoint.
    pub enumerated: EnumeratedTally,
    /// Endpoints that were not asked, for a sample of the names of their address stands
    /// for them.
    pub endpoints_not_asked: u64,
    /// Domains whose best endpoint is one of these.
    pub domains_not_asked: u64,
    /// Domains by the registrable domain of their best MX host.
    pub mx_operators: Operators,
}

/// A tally of MX operators, of which at most [`OPERATORS_TOLD_MAX`] are written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operators(pub Tally);

impl Default for Operators {
    fn default() -> Self {
        Self(Tally::bounded(OPERATORS_MAX))
    }
}

impl Operators {
    /// The commonest, most first, and how many domains are of others.
    pub fn top(&self, most: usize) -> (Vec<(&str, u64)>, u64) {
        let mut all = self.0.sorted();
        all.retain(|(name, _)| *name != OTHER);
        all.truncate(most);
        let rest = self.0.total() - all.iter().map(|(_, count)| count).sum::<u64>();
        (all, rest)
    }

    /// How many are told apart.
    pub fn count(&self) -> usize {
        self.0.names().saturating_sub(usize::from(self.0.get(OTHER) > 0))
    }
}

impl Serialize for Operators {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (top, rest) = self.top(OPERATORS_TOLD_MAX);
        serializer.collect_map(top.into_iter().chain((rest > 0).then_some((OTHER, rest))))
    }
}

impl Summary {
    /// Counts one record.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::Rejected(_) => self.rejected += 1,
            Record::Endpoint(record) => self.add_endpoint(record),
            Record::Domain(record) => self.add_domain(record),
            Record::Part(_) => {}
        }
    }

    fn add_endpoint(&mut self, record: &EndpointRecord) {
        self.endpoints.add_outcome(record.observation.failure.as_ref());
        self.endpoints_not_asked += u64::from(record.observation.stand_in().is_some());
        if let Some(tls) = record.observation.tls.as_ref().filter(|tls| tls.established) {
            self.endpoints.add_negotiated(tls.version, tls.suite, tls.group);
        }
        let own = record.observation.tls.as_ref().and_then(|tls| tls.suite);
        self.endpoints.add_suite(own.or_else(|| ServerBest::of(&record.observation)?.suite));
        if let Some(assessment) = &record.assessment {
            let host = record.observation.key.sni.as_ref().map(MxHost::as_str);
            self.endpoints.add_assessed(assessment);
            self.endpoints.add_expected(&assessment.expectations, None, host);
        }
        if let Some(found) = &record.enumeration {
            self.enumerated.add(found);
        }
    }

    fn add_domain(&mut self, record: &DomainRecord) {
        let (facts, verdict) = (&record.facts, &record.verdict);
        self.deliveries.add(verdict.outcome.delivery.name().into());
        self.sending.add(&verdict.outcome);
        self.policies.add(record);
        self.forced_tls.add(verdict);
        self.under_connectors.add(record);
        if let Some(weakest) = &verdict.weakest {
            self.weakest_deliveries.add(weakest.outcome().delivery.name().into());
        }
        let Some(best) = &verdict.best else {
            let unresolved = verdict.unresolved.and_then(|exchange| facts.exchanges.get(exchange));
            let failure = unresolved.map_or(facts.failure.as_ref(), Exchange::why_unresolved);
            return self.domains.add_outcome(failure);
        };
        self.domains.add_outcome(best.finding().failure.as_ref());
        self.domains_not_asked += u64::from(best.endpoint.is_sampled());
        self.domains.add_suite(best.finding().suite());
        if let Some(tls) = &best.finding().tls {
            let host = best.host.as_ref().map(MxHost::as_str);
            if best.finding().failure.as_ref().is_none_or(|failure| failure.phase > Phase::Tls) {
                self.domains.add_negotiated(tls.version, tls.suite, tls.group);
            }
            self.domains.add_found(tls);
            self.domains.add_expected(&tls.expectations, facts.target.subject.domain(), host);
        }
        if let Some(name) = best.name {
            self.cert_name.add(name.name().into());
        }
        if let Some(operator) = best.host.as_ref().and_then(MxHost::operator) {
            self.mx_operators.0.add_borrowed(operator);
        }
    }

    /// Adds the counts of another part of the run.
    pub fn merge(&mut self, other: &Summary) {
        self.rejected += other.rejected;
        self.deliveries.merge(&other.deliveries);
        self.sending.merge(&other.sending);
        self.weakest_deliveries.merge(&other.weakest_deliveries);
        self.policies.merge(&other.policies);
        self.forced_tls.merge(&other.forced_tls);
        self.under_connectors.merge(&other.under_connectors);
        self.domains.merge(&other.domains);
        self.cert_name.merge(&other.cert_name);
        self.endpoints.merge(&other.endpoints);
        self.enumerated.merge(&other.enumerated);
        self.endpoints_not_asked += other.endpoints_not_asked;
        self.domains_not_asked += other.domains_not_asked;
        self.mx_operators.0.merge(&other.mx_operators.0);
    }
}

impl Counts {
    fn add_outcome(&mut self, failure: Option<&Failure>) {
        self.total += 1;
        let outcome = failure.map(|failure| Reason::from(failure).to_string());
        self.outcomes.add(outcome.map_or(Cow::Borrowed("ok"), Cow::Owned));
    }

    fn add_found(&mut self, tls: &TlsFinding) {
        add_if(&mut self.cert_chain, tls.chain.map(|status| status.name().into()));
        add_if(&mut self.cert_dates, tls.dates.map(|status| status.name().into()));
        add_if(&mut self.cert_key, tls.key.map(|status| status.name().into()));
    }

    /// What an established session has; a handshake that fails negotiates
    /// nothing.
    fn add_negotiated(
        &mut self,
        version: Option<ProtocolVersion>,
        suite: Option<CipherSuite>,
        group: Option<NamedGroup>,
    ) {
        add_if(&mut self.versions, version.map(|version| version.name()));
        add_if(&mut self.suites, suite.map(|suite| suite.name()));
        add_if(&mut self.groups, group.map(|group| group.name()));
    }

    /// Counts the forward secrecy of the handshake, or else of the best that the
    /// server agreed to.
    fn add_suite(&mut self, suite: Option<CipherSuite>) {
        add_if(&mut self.forward_secrecy, suite.map(|suite| secrecy(suite.forward_secrecy())));
    }

    fn add_assessed(&mut self, assessment: &Assessment) {
        self.cert_chain.add(assessment.chain.name().into());
        self.cert_dates.add(assessment.dates.name().into());
        self.cert_key.add(assessment.key.name().into());
    }

    fn add_expected(&mut self, judged: &[ExpectationMatch], domain: Option<&str>, host: Option<&str>) {
        if let Some(expected) = ExpectationMatch::for_host(judged, domain, host) {
            self.cert_expectation.add(format!("{}: {}", expected.expectation.name, expected.status).into());
        }
    }

    fn merge(&mut self, other: &Counts) {
        self.total += other.total;
        for (own, others) in [
            (&mut self.outcomes, &other.outcomes),
            (&mut self.versions, &other.versions),
            (&mut self.suites, &other.suites),
            (&mut self.groups, &other.groups),
            (&mut self.forward_secrecy, &other.forward_secrecy),
            (&mut self.cert_chain, &other.cert_chain),
            (&mut self.cert_dates, &other.cert_dates),
            (&mut self.cert_key, &other.cert_key),
            (&mut self.cert_expectation, &other.cert_expectation),
        ] {
            own.merge(others);
        }
    }
}

fn add_if(tally: &mut Tally, name: Option<Cow<'static, str>>) {
    if let Some(name) = name {
        tally.add(name);
    }
}

fn secrecy(forward: Option<bool>) -> Cow<'static, str> {
    Cow::Borrowed(match forward {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    })
}
