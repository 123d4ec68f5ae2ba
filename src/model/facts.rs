//! What the DNS says about one domain.

use super::endpoint::{Endpoint, ProbeKey};
use super::failure::{Failure, Kind, Phase};
use super::mta_sts::{Published, StsFacts, StsFetch, StsFetchFailure};
use super::name::MxHost;
use super::target::Target;
use super::tls_rpt::{TlsRptFault, TlsRptRecord};
use super::tlsa::{Authenticity, TlsaFacts, TlsaOutcome};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// One mail exchanger of a domain with its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// MX preference, lowest first (RFC 5321 §5.1); 0 for an implicit MX.
    pub preference: u16,
    /// Host name; `None` only for an endpoint that was listed without a name.
    pub host: Option<MxHost>,
    /// Addresses in the order in which the DNS gave them.
    pub addresses: Vec<IpAddr>,
    /// Addresses beyond the limit, not kept; `None` in facts of a time when
    /// they were not counted.
    #[serde(default)]
    pub addresses_excess: Option<usize>,
    /// Addresses of the family that is not asked over, not kept; `None` where
    /// the DNS did not say, or nobody asked it, as in facts of a time when such
    /// addresses were left alone.
    #[serde(default)]
    pub addresses_of_other_family: Option<usize>,
    /// Why the DNS did not give the addresses of one family (phase `dns`), where
    /// those of the other are kept; `None` if it gave both, and in facts of a
    /// time when that was not written down.
    #[serde(default)]
    pub unresolved: Option<Failure>,
    /// Whether all addresses of which [`Exchange::failure`] or
    /// [`Exchange::unresolved`] says that they are not known contradict their
    /// signatures: no sender whose resolver validates gets them (RFC 4035 §5.5).
    /// Only a resolver that validates tells that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub addresses_bogus: bool,
    /// What the DNS says of its TLSA records; `None` where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlsa: Option<TlsaFacts>,
    /// Why there are no addresses (phase `dns`), or none that this machine has
    /// a route to (`connect: no_route`); `None` if there are some.
    pub failure: Option<Failure>,
}

/// What was kept at most, and what was beyond not counted, when facts had no
/// word for it.
const UNCOUNTED_EXCHANGES_MAX: usize = 16;
const UNCOUNTED_ADDRESSES_MAX: usize = 8;

/// How resolvers that validate answer what is bogus: zones are mended, and what
/// went wrong with a resolver passes.
static REFUSED: Failure = Failure::new(Phase::Dns, Kind::Servfail);

/// Whether a question to the DNS may be answered later.
fn may_pass(failure: &Failure) -> bool {
    failure.phase == Phase::Dns && failure.kind.is_transient()
}

/// What is so rarely true that it is written only then.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Exchange {
    /// A host with all its addresses.
    pub fn whole(preference: u16, host: Option<MxHost>, addresses: Vec<IpAddr>) -> Self {
        Self {
            preference,
            host,
            addresses,
            addresses_excess: Some(0),
            addresses_of_other_family: Some(0),
            unresolved: None,
            addresses_bogus: false,
            tlsa: None,
            failure: None,
        }
    }

    /// The name that a sender gives as SNI: the TLSA base domain where that
    /// counts (RFC 7672 §8.1), else the name of the host.
    pub fn tls_name(&self) -> Option<&MxHost> {
        let secure = self.tlsa.as_ref().filter(|tlsa| tlsa.outcome == TlsaOutcome::Secure);
        secure.and_then(|tlsa| tlsa.base.as_ref()).or(self.host.as_ref())
    }

    /// Whether it has TLSA records for which a resolver that validates vouches, or
    /// may have some: the certificate that it shows is held against them. Where the
    /// question failed, or was one too many for this domain, another domain that
    /// names the host may have the answer.
    pub fn may_have_tlsa(&self) -> bool {
        self.tlsa.as_ref().is_some_and(|tlsa| match tlsa.outcome {
            TlsaOutcome::Secure => !tlsa.records.is_empty(),
            TlsaOutcome::Failed(_) => true,
            _ => false,
        })
    }

    /// Why its addresses are not known, or not those of one family.
    pub fn why_unresolved(&self) -> Option<&Failure> {
        self.failure.as_ref().or(self.unresolved.as_ref())
    }

    /// Why a question about it has no answer.
    fn failures(&self) -> impl Iterator<Item = &Failure> {
        let of_tlsa = self.tlsa.as_ref().and_then(|tlsa| match &tlsa.outcome {
            TlsaOutcome::Failed(failure) => Some(failure),
            TlsaOutcome::Bogus => Some(&REFUSED),
            _ => None,
        });
        self.why_unresolved().into_iter().chain(of_tlsa)
    }

    /// As [`DomainFacts::addresses_excess`], of this host.
    pub fn excess(&self) -> Option<usize> {
        // The addresses of a host without a name were listed, not looked up.
        let whole = self.host.is_none() || self.addresses.len() < UNCOUNTED_ADDRESSES_MAX;
        self.addresses_excess.or(whole.then_some(0))
    }

    /// As [`Exchange::addresses_of_other_family`], and 0 where both families are
    /// asked over.
    pub fn of_other_family(&self) -> Option<usize> {
        let v4 = self.addresses.iter().filter(|address| address.is_ipv4()).count();
        let both = v4 > 0 && v4 < self.addresses.len();
        // The addresses of a host without a name were listed, not looked up.
        self.addresses_of_other_family.or((both || self.host.is_none()).then_some(0))
    }
}

/// A question that may have another answer later; what came instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenQuestion<'a> {
    /// The DNS gave none.
    Dns(&'a Failure),
    /// The policy host did not give the policy.
    Policy(&'a StsFetchFailure),
}

impl fmt::Display for OpenQuestion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenQuestion::Dns(Failure { phase, kind, .. }) => write!(f, "{phase}: {kind}"),
            OpenQuestion::Policy(failure) => write!(f, "MTA-STS policy: {failure}"),
        }
    }
}

/// What the DNS says about one target: the join of its MX set and addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainFacts {
    /// The input line this answers.
    #[serde(flatten)]
    pub target: Target,
    /// Mail exchangers, best preference first; equal preferences side by side
    /// in a stable order. Kept even where none is usable: they are evidence.
    pub exchanges: Vec<Exchange>,
    /// No MX record, but an address: the domain is its own exchanger with
    /// preference 0 (RFC 5321 §5.1).
    pub implicit_mx: bool,
    /// The exchanges are the smart hosts of a connector, which takes the
    /// domain's mail past its MX: none was asked for, and all have preference
    /// 0.
    pub smart_hosts: bool,
    /// Mail hosts beyond the limit, not kept; `None` in facts of a time when
    /// they were not counted.
    #[serde(default)]
    pub exchanges_excess: Option<usize>,
    /// Whether anybody vouches for the MX records, or that there are none; `None`
    /// where that was not asked, or has no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mx_authenticity: Option<Authenticity>,
    /// What the domain is an alias of, where its MX records stand: a name by which
    /// a certificate under DANE-TA may know it (RFC 7672 §3.2.2). `None` where it
    /// is no alias, or not all of the way there is secure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mx_alias_end: Option<MxHost>,
    /// MTA-STS of the domain; `None` where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mta_sts: Option<StsFacts>,
    /// What stands at `_smtp._tls.DOMAIN`; `None` where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_rpt: Option<Published<TlsRptRecord, TlsRptFault>>,
    /// Why there is nothing to probe (phases `input` and `dns`, and `connect`
    /// where this machine has no route to any host). Exactly when it is `None`
    /// some exchange has an address.
    pub failure: Option<Failure>,
}

impl DomainFacts {
    /// A domain with all its mail hosts.
    pub fn whole(target: Target, exchanges: Vec<Exchange>) -> Self {
        Self {
            target,
            exchanges,
            implicit_mx: false,
            smart_hosts: false,
            exchanges_excess: Some(0),
            mx_authenticity: None,
            mx_alias_end: None,
            mta_sts: None,
            tls_rpt: None,
            failure: None,
        }
    }

    /// Facts that end before any probe.
    pub fn failed(target: Target, failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::whole(target, Vec::new()) }
    }

    /// Mail hosts that the DNS names beyond those that are kept; `None` where
    /// nobody counted and there may be some.
    pub fn hosts_excess(&self) -> Option<usize> {
        self.exchanges_excess.or((self.exchanges.len() < UNCOUNTED_EXCHANGES_MAX).then_some(0))
    }

    /// The same for addresses, of all hosts that are kept.
    pub fn addresses_excess(&self) -> Option<usize> {
        self.exchanges.iter().try_fold(0usize, |sum, exchange| Some(sum.saturating_add(exchange.excess()?)))
    }

    /// Whether there may be hosts or addresses that nobody looked at.
    pub fn is_cut(&self) -> bool {
        self.hosts_excess() != Some(0) || self.addresses_excess() != Some(0)
    }

    /// Whether there is a question of theirs to which the DNS, or the policy host,
    /// may give another answer later.
    pub fn may_be_known_later(&self) -> bool {
        self.open_question().is_some()
    }

    /// That question, if there is one.
    pub fn open_question(&self) -> Option<OpenQuestion<'_>> {
        let of_hosts = self.exchanges.iter().flat_map(Exchange::failures);
        let records = [
            self.mta_sts.as_ref().and_then(|sts| sts.record.unanswered()),
            self.tls_rpt.as_ref().and_then(Published::unanswered),
        ];
        let of_names = self.failure.iter().chain(of_hosts).chain(records.into_iter().flatten());
        let of_names = of_names.filter(|failure| may_pass(failure)).map(OpenQuestion::Dns);
        let of_policy = self.policy_fetch().and_then(|fetch| fetch.failure.as_ref());
        let of_policy = of_policy.filter(|failure| failure.may_pass()).map(OpenQuestion::Policy);
        of_names.chain(of_policy).next()
    }

    /// What the policy host gave, if one was asked.
    pub fn policy_fetch(&self) -> Option<&Arc<StsFetch>> {
        self.mta_sts.as_ref()?.fetch.as_ref()
    }

    /// The same, where an earlier look at the policy host that told more stands in
    /// place of this one.
    #[must_use]
    pub fn with_earlier_fetch(mut self, earlier: Option<Arc<StsFetch>>) -> Self {
        let fetch = self.mta_sts.as_mut().and_then(|sts| sts.fetch.as_mut());
        if let (Some(fetch), Some(earlier)) = (fetch, earlier)
            && earlier.tells_more_than(fetch)
        {
            *fetch = earlier;
        }
        self
    }

    /// The endpoints to probe in the order in which a sender tries them, each
    /// with the index of its exchange; `port` where the input names none.
    pub fn probe_keys(&self, port: u16) -> impl Iterator<Item = (usize, ProbeKey)> {
        let port = self.target.subject.port().unwrap_or(port);
        self.exchanges.iter().enumerate().flat_map(move |(index, exchange)| {
            exchange.addresses.iter().map(move |ip| {
                let endpoint = Endpoint { ip: *ip, port };
                (index, ProbeKey { endpoint, sni: exchange.tls_name().cloned() })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Exchange {
        Exchange::whole(10, Some(MxHost::new("mx.example")), Vec::new())
    }

    #[test]
    fn a_host_may_have_records_where_nobody_said_that_it_has_none() {
        let failed = TlsaOutcome::Failed(Failure::new(Phase::Dns, Kind::TooMany));
        for (outcome, may_have) in [
            (failed, true),
            (TlsaOutcome::Absent, false),
            (TlsaOutcome::Insecure, false),
            (TlsaOutcome::Secure, false),
        ] {
            let tlsa = Some(TlsaFacts::without(outcome.clone()));
            let exchange = Exchange { tlsa, ..whole() };
            assert_eq!(exchange.may_have_tlsa(), may_have, "{outcome:?}");
        }
        assert!(!whole().may_have_tlsa(), "nobody asked");
    }
}
