//! MX, A, AAAA, TLSA, and what domains publish of MTA-STS and TLS-RPT: [`crate::stage::Lookup`] by recursive resolvers.
//!
//! A survey must see the DNS itself, so names are always absolute: no search
//! domain, no hosts file. What replies say is read in [`crate::dns`]; here they
//! are asked for, and what they say is put together. Four things are bounded: [`EXCHANGES_MAX`]
//! exchangers of a domain and [`ADDRESSES_PER_EXCHANGE_MAX`] addresses of each,
//! where the facts say how many there were beyond, [`ALIASES_MAX`] aliases of
//! a name, where more are a failure, and [`LookupConfig::queries_in_flight`]
//! over all, where full means waiting.
//!
//! Domains and hosts on the blocklist are not even looked up, and no alias is
//! followed to a name on it: whoever does not want to be asked is not asked
//! under another name.

mod answer;
mod believed;
mod cache;
mod candidate;
mod config;
mod health;
mod hosts;
mod names;
mod nameserver;
mod nameservers;
mod policies;
mod questions;
mod resolvers;
mod sending;
mod smart_hosts;
mod special;
mod tcp;
mod tlsa;
mod told;
mod trouble;
mod udp;
mod validation;
mod vigil;
mod vouched;

pub use crate::dns::ALIASES_MAX;
pub use believed::{AskedResolver, TrustedAd};
pub use config::{LookupConfig, LookupError};
pub use hosts::ADDRESSES_PER_EXCHANGE_MAX;
pub use smart_hosts::SmartHosts;
pub use tlsa::TLSA_HOSTS_MAX;
pub use vigil::ResolverState;

pub use crate::fetch::policy::{POLICY_PORT, PolicyHosts};

use crate::dns::{Name, RData, RecordType};
use crate::model::asked_question::AskedQuestion;
use crate::model::mta_sts::Fetching;
use crate::model::tlsa::Authenticity;
use crate::model::{
    DomainFacts, DomainName, Exchange, Failure, Kind, MxHost, Phase, SmartHost, Subject, Target,
};
use crate::stage::Lookup;
use answer::MailExchanger;
use futures_util::future::{OptionFuture, join_all};
use hosts::ResolvedHost;
use names::{Names, dns_name};
use policies::Policies;
use questions::Questions;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{Instrument, debug_span};
use trouble::unusable;
use vouched::{FoundRecords, NoRecords};

/// What is told of a host that is named outright and has no address: it may be
/// a domain, which nobody asked for its MX.
const HOST_WITHOUT_ADDRESS: &str = "no address; with a port the name is a host, whose MX is not asked for";

/// Most exchangers kept of one domain. Those of the best preference stay; what
/// is beyond is counted, and neither resolved nor probed.
pub const EXCHANGES_MAX: usize = 100;

/// Exchangers, and how many there are beyond; or why there are none.
type MailExchangers = Result<(Vec<MailExchanger>, usize), Failure>;

/// Who vouches for them, `None` where nobody said anything; or why that is not
/// known, where those that are believed failed and another answered.
type WhoVouches = Result<Option<Authenticity>, Failure>;

/// Asks a recursive resolver. Answers are cached for their TTL, the negative
/// ones too, and equal questions that are under way are asked once.
pub struct DnsLookup {
    names: Arc<Names>,
    smart_hosts: SmartHosts,
    dane: bool,
    policies: Option<Policies>,
    tls_rpt: bool,
}

impl DnsLookup {
    /// Sets up the resolver; nothing is sent yet.
    ///
    /// # Errors
    /// [`LookupError`] if no address family is wanted, or the system names no
    /// nameserver and the configuration neither.
    pub fn new(config: LookupConfig) -> Result<Self, LookupError> {
        if !(config.ipv4 || config.ipv6) {
            return Err(LookupError::NoFamily);
        }
        let questions = Questions::new(&config)?;
        let LookupConfig { ipv4, ipv6, blocklist, smart_hosts, dane, mta_sts, tls_rpt, .. } = config;
        let names = Arc::new(Names { questions, ipv4, ipv6, blocklist });
        let policies = mta_sts.map(|hosts| Policies::new(hosts, names.clone()));
        Ok(Self { names, smart_hosts, dane, policies, tls_rpt })
    }

    /// From now on waits, for `patience` at most, where all resolvers have fallen
    /// silent, instead of failing one lookup after the other; and sends nothing
    /// before one has answered once. What becomes of them is told.
    pub fn wait_out_silence(&self, patience: Duration) -> watch::Receiver<ResolverState> {
        self.names.questions.vigil.begin(patience)
    }

    /// Lets all end that wait so, and whoever waits for a policy host; from now on
    /// no policy is fetched.
    pub fn give_up(&self) {
        self.names.questions.vigil.give_up();
        if let Some(policies) = &self.policies {
            policies.give_up();
        }
    }

    /// From now on keeps what is asked, so many questions at most, to be told by
    /// [`DnsLookup::take_questions`].
    pub fn tell_questions(&self, most: usize) {
        self.names.questions.told.keep(most);
    }

    /// What was asked since then or since the last call, and how many questions there
    /// were beyond.
    pub fn take_questions(&self) -> (Vec<AskedQuestion>, usize) {
        self.names.questions.told.take()
    }

    /// Records of a type at a name, or at what it is an alias of.
    ///
    /// # Errors
    /// Why there is none, or no answer.
    pub async fn records(&self, name: &Name, record_type: RecordType) -> Result<Vec<RData>, Failure> {
        let found = self.names.query(name, record_type).await;
        found.map(|found| found.answer.records.to_vec()).map_err(|none| none.failure)
    }

    /// Who is asked, and whose AD is believed, as far as that is known: it is
    /// looked for before the first question, if anybody wants to know.
    pub fn resolvers(&self) -> Vec<AskedResolver> {
        self.names.questions.resolvers().told()
    }

    /// The same once that is known: the first question brings it about, if anybody
    /// wants to know.
    pub async fn resolvers_looked_at(&self) -> Vec<AskedResolver> {
        self.names.questions.resolvers().looked_at().await;
        self.resolvers()
    }

    /// The same at the end of a run: those that are believed are looked at once more.
    pub async fn resolvers_looked_at_again(&self) -> Vec<AskedResolver> {
        self.names.questions.look_again().await;
        self.resolvers()
    }

    /// Finds the addresses of a host that is named outright, without asking
    /// for MX: the facts hold it as the only exchange.
    async fn host(&self, target: Target, host: &DomainName) -> DomainFacts {
        let name = match dns_name(host) {
            Ok(name) => name,
            Err(failure) => return DomainFacts::failed(target, failure),
        };
        if let Some(failure) = special::failure(&name) {
            return DomainFacts::failed(target, failure);
        }
        let mx = MailExchanger { preference: 0, host: MxHost::from(host), name };
        let mut found = self.names.host(mx).await;
        let failure = found.exchange.failure.take().map(|failure| match failure.kind {
            Kind::NoData => failure.with_detail(HOST_WITHOUT_ADDRESS),
            _ => failure,
        });
        found.exchange.failure.clone_from(&failure);
        facts(target, self.exchanges(vec![found]).await, failure)
    }

    async fn domain(&self, target: Target, domain: DomainName) -> DomainFacts {
        let smart_hosts = self.smart_hosts.of(&domain);
        if !smart_hosts.is_empty() {
            return self.smart_hosts(target, &smart_hosts).await;
        }
        let name = match dns_name(&domain) {
            Ok(name) => name,
            Err(failure) => return DomainFacts::failed(target, failure),
        };
        let (told, who_vouches, alias_end) = self.mail_exchangers(&name).await;
        let mut facts = match told {
            Ok((mx, excess)) => self.explicit(target, mx, excess).await,
            Err(failure) if failure.kind == Kind::NoData => self.implicit(target, &domain, &name).await,
            Err(failure) => DomainFacts::failed(target, failure),
        };
        match who_vouches {
            Ok(authenticity) => facts.mx_authenticity = authenticity.filter(|_| self.dane),
            Err(failure) => tlsa::leave_open(&mut facts.exchanges, &failure),
        }
        if facts.mx_authenticity == Some(Authenticity::Secure) {
            facts.mx_alias_end = alias_end.map(|end| MxHost::new(&end.to_ascii()));
        }
        self.with_policies(facts, &domain, &name).await
    }

    /// The same with what the policy domain publishes. Of one without a host that
    /// could be asked nothing follows from it, and nobody asks.
    async fn with_policies(&self, facts: DomainFacts, domain: &DomainName, name: &Name) -> DomainFacts {
        if facts.failure.is_some() {
            return facts;
        }
        let host = MxHost::from(domain);
        let mta_sts = OptionFuture::from(self.policies.as_ref().map(|it| it.of(&self.names, &host, name)));
        let tls_rpt = OptionFuture::from(self.tls_rpt.then(|| self.names.tls_rpt(name)));
        let (mta_sts, tls_rpt) = tokio::join!(mta_sts, tls_rpt);
        DomainFacts { mta_sts, tls_rpt, ..facts }
    }

    /// A domain with MX records, and `excess` more than are kept.
    async fn explicit(&self, target: Target, mx: Vec<MailExchanger>, excess: usize) -> DomainFacts {
        if let [only] = mx.as_slice()
            && only.is_null()
        {
            let failure = Failure::new(Phase::Dns, Kind::NullMx);
            let host = ResolvedHost::unreachable(only.preference, only.host.clone(), failure.clone());
            return facts(target, vec![host.exchange], Some(failure));
        }
        let hosts = join_all(mx.into_iter().map(|mx| self.names.host(mx))).await;
        let exchanges = self.exchanges(hosts).await;
        let failure = overall_failure(&exchanges, excess, "no MX names a host with an address");
        DomainFacts { exchanges_excess: Some(excess), ..facts(target, exchanges, failure) }
    }

    /// A domain without MX records is its own exchanger, if it has an address
    /// (RFC 5321 §5.1).
    async fn implicit(&self, target: Target, domain: &DomainName, name: &Name) -> DomainFacts {
        let own = MailExchanger { preference: 0, host: MxHost::from(domain), name: name.clone() };
        let host = self.names.host(own).await;
        match host.exchange.failure.clone() {
            // To who validates it is a host that is out, to others one that is not.
            Some(failure) if host.exchange.addresses_bogus => {
                DomainFacts { implicit_mx: true, ..facts(target, vec![host.exchange], Some(failure)) }
            }
            Some(failure) => DomainFacts::failed(target, failure),
            None => {
                let exchanges = self.exchanges(vec![host]).await;
                DomainFacts { implicit_mx: true, ..facts(target, exchanges, None) }
            }
        }
    }

    /// A domain whose mail a connector sends to hosts of its own. They are of
    /// equal preference, in the order of the connector; each address of a
    /// range is an address of one exchange without a name. Their name is the
    /// policy domain (RFC 8461 §3.4): that of the first that has one, for all.
    async fn smart_hosts(&self, target: Target, named: &[SmartHost]) -> DomainFacts {
        let hosts = join_all(named.iter().map(|host| self.smart_host(host))).await;
        let exchanges = self.exchanges(hosts).await;
        let failure = overall_failure(&exchanges, 0, "no smart host has an address");
        let facts = DomainFacts { smart_hosts: true, ..facts(target, exchanges, failure) };
        let mut policy_domains = named.iter().filter_map(|host| match host {
            SmartHost::Name(host) => dns_name(host).ok().map(|name| (host, name)),
            SmartHost::Range(_) => None,
        });
        match policy_domains.next() {
            Some((host, name)) => self.with_policies(facts, host, &name).await,
            None => facts,
        }
    }

    async fn smart_host(&self, host: &SmartHost) -> ResolvedHost {
        match host {
            SmartHost::Name(name) => match dns_name(name) {
                Ok(asked) => {
                    let mx = MailExchanger { preference: 0, host: MxHost::from(name), name: asked };
                    self.names.host(mx).await
                }
                Err(failure) => ResolvedHost::unreachable(0, MxHost::from(name), failure),
            },
            SmartHost::Range(_) => ResolvedHost::named_outright(None, host.addresses()),
        }
    }

    /// The hosts as the facts have them.
    async fn exchanges(&self, hosts: Vec<ResolvedHost>) -> Vec<Exchange> {
        if self.dane {
            self.names.with_tlsa(hosts).await
        } else {
            hosts.into_iter().map(|host| host.exchange).collect()
        }
    }

    /// The exchangers, and how many there are beyond those that are kept; beside
    /// that, who vouches for it, and what the domain is an alias of.
    async fn mail_exchangers(&self, name: &Name) -> (MailExchangers, WhoVouches, Option<Name>) {
        let found = match self.names.query(name, RecordType::MX).await {
            Ok(found) => found,
            Err(NoRecords { failure, authenticity, unvouched }) => {
                return (Err(as_listed(failure)), unvouched.map_or(Ok(authenticity), Err), None);
            }
        };
        let FoundRecords { answer, authenticity, unvouched, end } = found;
        let mut mx = answer::mail_exchangers(&answer.records);
        let excess = mx.len().saturating_sub(EXCHANGES_MAX);
        mx.truncate(EXCHANGES_MAX);
        let told = if mx.is_empty() { Err(Failure::new(Phase::Dns, Kind::NoData)) } else { Ok((mx, excess)) };
        (told, unvouched.map_or(Ok(Some(authenticity)), Err), end)
    }

    /// Whether a target is left alone, and not even looked up.
    fn leaves_alone(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Domain(name) | Subject::Host { name, .. } => {
                self.names.blocklist.has_name(name.as_str())
            }
            Subject::Endpoint { .. } => false,
        }
    }
}

impl Lookup for DnsLookup {
    async fn lookup(&self, target: Target) -> DomainFacts {
        if let Err(failure) = self.permit(&target) {
            return DomainFacts::failed(target, failure);
        }
        let span = debug_span!("lookup", target = target.subject.label());
        self.facts(target).instrument(span).await
    }

    fn permit(&self, target: &Target) -> Result<(), Failure> {
        if self.leaves_alone(&target.subject) {
            return Err(Failure::new(Phase::Input, Kind::Blocklisted));
        }
        Ok(())
    }

    fn aside(&self) -> Option<watch::Receiver<usize>> {
        self.policies.as_ref().map(Policies::aside)
    }

    fn set_fetching(&self, fetching: Fetching) {
        if let Some(policies) = &self.policies {
            policies.set_fetching(fetching);
        }
    }
}

impl DnsLookup {
    async fn facts(&self, target: Target) -> DomainFacts {
        match target.subject.clone() {
            Subject::Domain(domain) => self.domain(target, domain).await,
            Subject::Host { name, .. } => self.host(target, &name).await,
            Subject::Endpoint { ip, name, .. } => {
                let host = ResolvedHost::named_outright(name, vec![ip]);
                facts(target, vec![host.exchange], None)
            }
        }
    }
}

/// A domain that is an alias of a name on the blocklist is as one that stands
/// there itself.
fn as_listed(failure: Failure) -> Failure {
    let phase = if failure.kind == Kind::Blocklisted { Phase::Input } else { failure.phase };
    Failure { phase, ..failure }
}

fn facts(target: Target, exchanges: Vec<Exchange>, failure: Option<Failure>) -> DomainFacts {
    DomainFacts { failure, ..DomainFacts::whole(target, exchanges) }
}

/// Why no exchanger of a domain has an address: a failure that leaves the
/// question open comes before the verdict that none is usable, and so do
/// exchangers that nobody looked at, `excess` of them.
fn overall_failure(exchanges: &[Exchange], excess: usize, unusable_because: &str) -> Option<Failure> {
    let failures: Option<Vec<&Failure>> =
        exchanges.iter().map(|exchange| exchange.failure.as_ref()).collect();
    let failures = failures?;
    let open = failures.into_iter().find(|failure| !failure.kind.says_no_host());
    let too_many = || {
        let detail = format_args!("{unusable_because}, and {excess} were not looked up");
        Failure::new(Phase::Dns, Kind::TooMany).with_detail(detail)
    };
    let none = || if excess > 0 { too_many() } else { unusable(unusable_because) };
    Some(open.cloned().unwrap_or_else(none))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn failed(kind: Kind) -> Exchange {
        ResolvedHost::unreachable(10, MxHost::new("mx.example"), Failure::new(Phase::Dns, kind)).exchange
    }

    fn overall(exchanges: &[Exchange]) -> Option<Kind> {
        overall_failure(exchanges, 0, "none").map(|failure| failure.kind)
    }

    #[test]
    fn one_address_is_enough() {
        let good = Exchange::whole(20, Some(MxHost::new("mx2.example")), vec![IpAddr::from([192, 0, 2, 1])]);
        assert_eq!(overall(&[failed(Kind::Servfail), good]), None);
    }

    #[test]
    fn what_may_pass_comes_before_unusable() {
        assert_eq!(overall(&[failed(Kind::Nxdomain), failed(Kind::Timeout)]), Some(Kind::Timeout));
        assert_eq!(overall(&[failed(Kind::Servfail), failed(Kind::Timeout)]), Some(Kind::Servfail));
        for open in [Kind::NoRoute, Kind::LocalError, Kind::Closed] {
            assert_eq!(overall(&[failed(Kind::Nxdomain), failed(open)]), Some(open));
        }
        let dead = [failed(Kind::Nxdomain), failed(Kind::NoData)];
        assert_eq!(overall(&dead), Some(Kind::MxUnusable));
        let cut = overall_failure(&dead, 1, "none").unwrap();
        assert_eq!((cut.phase, cut.kind), (Phase::Dns, Kind::TooMany));
    }

    #[test]
    fn a_lookup_without_a_family_is_refused() {
        let config = LookupConfig { ipv4: false, ipv6: false, ..LookupConfig::default() };
        assert!(matches!(DnsLookup::new(config), Err(LookupError::NoFamily)));
    }
}
