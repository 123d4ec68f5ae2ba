//! MX, A and AAAA: [`crate::stage::Lookup`] by recursive resolvers.
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
mod cache;
mod config;
mod health;
mod questions;
mod resolvers;
mod smart_hosts;
mod special;
mod tcp;
mod trouble;
mod udp;
mod vigil;

pub use crate::dns::ALIASES_MAX;
pub use config::{LookupConfig, LookupError};
pub use smart_hosts::SmartHosts;
pub use vigil::ResolverState;

use crate::dns::{AliasChain, Answer, Name, RecordType};
use crate::model::{
    Blocklist, DomainFacts, DomainName, Exchange, Failure, Kind, MxHost, Phase, SmartHost, Subject, Target,
};
use crate::stage::Lookup;
use answer::MailExchanger;
use futures_util::future::join_all;
use questions::Questions;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{Instrument, debug_span};
use trouble::unusable;

/// What is told of a host that is named outright and has no address: it may be
/// a domain, which nobody asked for its MX.
const HOST_WITHOUT_ADDRESS: &str = "no address; with a port the name is a host, whose MX is not asked for";

/// Most exchangers kept of one domain. Those of the best preference stay; what
/// is beyond is counted, and neither resolved nor probed.
pub const EXCHANGES_MAX: usize = 100;
/// Most addresses kept of one exchanger, of both families if it has both. What
/// is beyond is counted, and not probed.
pub const ADDRESSES_PER_EXCHANGE_MAX: usize = 32;

/// Asks a recursive resolver. Answers are cached for their TTL, the negative
/// ones too, and equal questions that are under way are asked once.
pub struct DnsLookup {
    questions: Questions,
    ipv4: bool,
    ipv6: bool,
    smart_hosts: SmartHosts,
    blocklist: Arc<Blocklist>,
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
        Ok(Self {
            questions: Questions::new(&config)?,
            ipv4: config.ipv4,
            ipv6: config.ipv6,
            smart_hosts: config.smart_hosts,
            blocklist: config.blocklist,
        })
    }

    /// From now on waits, for `patience` at most, where all resolvers have fallen
    /// silent, instead of failing one lookup after the other; and sends nothing
    /// before one has answered once. What becomes of them is told.
    pub fn wait_out_silence(&self, patience: Duration) -> watch::Receiver<ResolverState> {
        self.questions.vigil.begin(patience)
    }

    /// Lets all end that wait so.
    pub fn give_up(&self) {
        self.questions.vigil.give_up();
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
        let mut exchange =
            self.exchange(MailExchanger { preference: 0, host: MxHost::from(host), name }).await;
        let failure = exchange.failure.take().map(|failure| match failure.kind {
            Kind::NoData => failure.with_detail(HOST_WITHOUT_ADDRESS),
            _ => failure,
        });
        exchange.failure.clone_from(&failure);
        facts(target, vec![exchange], failure)
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
        match self.mail_exchangers(&name).await {
            Ok((mx, excess)) => self.explicit(target, mx, excess).await,
            Err(failure) if failure.kind == Kind::NoData => self.implicit(target, &domain, &name).await,
            Err(failure) => DomainFacts::failed(target, failure),
        }
    }

    /// A domain with MX records, and `excess` more than are kept.
    async fn explicit(&self, target: Target, mx: Vec<MailExchanger>, excess: usize) -> DomainFacts {
        if let [only] = mx.as_slice()
            && only.is_null()
        {
            let failure = Failure::new(Phase::Dns, Kind::NullMx);
            let exchange = unreachable_exchange(only.preference, only.host.clone(), failure.clone());
            return facts(target, vec![exchange], Some(failure));
        }
        let exchanges = join_all(mx.into_iter().map(|mx| self.exchange(mx))).await;
        let failure = overall_failure(&exchanges, excess, "no MX names a host with an address");
        DomainFacts { exchanges_excess: Some(excess), ..facts(target, exchanges, failure) }
    }

    /// A domain without MX records is its own exchanger, if it has an address
    /// (RFC 5321 §5.1).
    async fn implicit(&self, target: Target, domain: &DomainName, name: &Name) -> DomainFacts {
        let own = MailExchanger { preference: 0, host: MxHost::from(domain), name: name.clone() };
        let exchange = self.exchange(own).await;
        match exchange.failure.clone() {
            Some(failure) => DomainFacts::failed(target, failure),
            None => DomainFacts { implicit_mx: true, ..facts(target, vec![exchange], None) },
        }
    }

    /// A domain whose mail a connector sends to hosts of its own. They are of
    /// equal preference, in the order of the connector; each address of a
    /// range is an address of one exchange without a name.
    async fn smart_hosts(&self, target: Target, hosts: &[SmartHost]) -> DomainFacts {
        let exchanges = join_all(hosts.iter().map(|host| self.smart_host(host))).await;
        let failure = overall_failure(&exchanges, 0, "no smart host has an address");
        DomainFacts { smart_hosts: true, ..facts(target, exchanges, failure) }
    }

    async fn smart_host(&self, host: &SmartHost) -> Exchange {
        match host {
            SmartHost::Name(name) => match dns_name(name) {
                Ok(asked) => {
                    self.exchange(MailExchanger { preference: 0, host: MxHost::from(name), name: asked })
                        .await
                }
                Err(failure) => unreachable_exchange(0, MxHost::from(name), failure),
            },
            SmartHost::Range(_) => named_outright(None, host.addresses()),
        }
    }

    async fn exchange(&self, mx: MailExchanger) -> Exchange {
        if let Err(failure) = mx.check() {
            return unreachable_exchange(mx.preference, mx.host, failure);
        }
        match self.addresses(&mx.name).await {
            Ok(Addresses { in_use, of_other_family, unresolved }) => {
                let (addresses, excess) = answer::cut(in_use, ADDRESSES_PER_EXCHANGE_MAX);
                Exchange {
                    addresses_excess: Some(excess),
                    addresses_of_other_family: of_other_family,
                    unresolved,
                    ..Exchange::whole(mx.preference, Some(mx.host), addresses)
                }
            }
            Err(failure) => unreachable_exchange(mx.preference, mx.host, failure),
        }
    }

    /// The exchangers, and how many there are beyond those that are kept.
    async fn mail_exchangers(&self, name: &Name) -> Result<(Vec<MailExchanger>, usize), Failure> {
        let answer = self.query(name, RecordType::MX).await.map_err(as_listed)?;
        let mut mx = answer::mail_exchangers(&answer.records);
        let excess = mx.len().saturating_sub(EXCHANGES_MAX);
        mx.truncate(EXCHANGES_MAX);
        if mx.is_empty() { Err(Failure::new(Phase::Dns, Kind::NoData)) } else { Ok((mx, excess)) }
    }

    /// That a host has no address in use says nothing of the host, and one that
    /// it has does not say that a sender goes there, so the family that is not in
    /// use is asked for too.
    async fn addresses(&self, name: &Name) -> Result<Addresses, Failure> {
        let (v4, v6) = tokio::join!(
            self.family(name, RecordType::A, self.ipv4),
            self.family(name, RecordType::AAAA, self.ipv6)
        );
        let unresolved = [&v4, &v6]
            .into_iter()
            .flatten()
            .find_map(|answer| answer.as_ref().err().filter(|failure| !failure.kind.says_no_host()).cloned());
        let found = answer::join_families(v4.into_iter().chain(v6));
        if let Err(failure) = &found
            && failure.kind != Kind::NoData
        {
            return Err(failure.clone());
        }
        let (v4, v6) = tokio::join!(
            self.family(name, RecordType::A, !self.ipv4),
            self.family(name, RecordType::AAAA, !self.ipv6)
        );
        let other = v4.or(v6);
        let is_open = matches!(&other, Some(Err(failure)) if !failure.kind.says_no_host());
        let (in_use, others) = self.in_use(answer::join_families(std::iter::once(found).chain(other))?)?;
        Ok(Addresses { in_use, of_other_family: (!is_open).then_some(others), unresolved })
    }

    async fn family(
        &self,
        name: &Name,
        family: RecordType,
        wanted: bool,
    ) -> Option<Result<Vec<IpAddr>, Failure>> {
        if !wanted {
            return None;
        }
        let answer = self.query(name, family).await;
        Some(answer.map(|answer| answer::addresses(&answer.records)))
    }

    /// Those of the families in use, and how many others there are.
    ///
    /// # Errors
    /// There is none.
    fn in_use(&self, addresses: Vec<IpAddr>) -> Result<(Vec<IpAddr>, usize), Failure> {
        let (kept, others): (Vec<_>, Vec<_>) =
            addresses.into_iter().partition(|address| if address.is_ipv4() { self.ipv4 } else { self.ipv6 });
        match others.first() {
            Some(other) if kept.is_empty() => {
                let family = if other.is_ipv4() { "IPv4" } else { "IPv6" };
                let detail = format_args!("{other}: {family} is not used");
                Err(Failure::new(Phase::Connect, Kind::NoRoute).with_detail(detail))
            }
            _ => Ok((kept, others.len())),
        }
    }

    /// Records of a type, which there are: those of the name, or of what it is
    /// an alias of.
    async fn query(&self, name: &Name, record_type: RecordType) -> Result<Arc<Answer>, Failure> {
        let none = |kind| Failure::new(Phase::Dns, kind);
        let mut chain = AliasChain::new(name.clone());
        while let Some(asked) = chain.end() {
            if let Some(failure) = special::failure(asked) {
                return Err(failure);
            }
            let answer = self.questions.ask(asked, record_type).await?;
            chain.follow(&answer.aliases)?;
            self.screen(name, &chain)?;
            if !answer.exists {
                return Err(none(Kind::Nxdomain));
            }
            if !answer.records.is_empty() {
                return Ok(answer);
            }
            if !answer.goes_on {
                break;
            }
        }
        Err(none(Kind::NoData))
    }

    /// Refuses aliases that are on the blocklist.
    fn screen(&self, name: &Name, chain: &AliasChain) -> Result<(), Failure> {
        let mut aliases = chain.aliases().map(|alias| MxHost::new(&alias.to_ascii()));
        let Some(listed) = aliases.find(|alias| self.blocklist.has_name(alias.as_str())) else {
            return Ok(());
        };
        let told = format_args!("{} is an alias of {listed}", MxHost::new(&name.to_ascii()));
        Err(Failure::new(Phase::Connect, Kind::Blocklisted).with_detail(told))
    }

    /// Whether a target is left alone, and not even looked up.
    fn leaves_alone(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Domain(name) | Subject::Host { name, .. } => self.blocklist.has_name(name.as_str()),
            Subject::Endpoint { .. } => false,
        }
    }
}

impl Lookup for DnsLookup {
    async fn lookup(&self, target: Target) -> DomainFacts {
        if self.leaves_alone(&target.subject) {
            return DomainFacts::failed(target, Failure::new(Phase::Input, Kind::Blocklisted));
        }
        let span = debug_span!("lookup", target = target.subject.label());
        self.facts(target).instrument(span).await
    }
}

impl DnsLookup {
    async fn facts(&self, target: Target) -> DomainFacts {
        match target.subject.clone() {
            Subject::Domain(domain) => self.domain(target, domain).await,
            Subject::Host { name, .. } => self.host(target, &name).await,
            Subject::Endpoint { ip, name, .. } => facts(target, vec![named_outright(name, vec![ip])], None),
        }
    }
}

/// What the DNS says of the addresses of a host that has some.
struct Addresses {
    /// Those of the families in use.
    in_use: Vec<IpAddr>,
    /// How many there are of the family that is not; `None` where the DNS did not
    /// say.
    of_other_family: Option<usize>,
    /// Why those of one family in use are not known.
    unresolved: Option<Failure>,
}

fn dns_name(domain: &DomainName) -> Result<Name, Failure> {
    Name::from_labels(domain.as_str().split('.').map(str::as_bytes))
        .map_err(|error| Failure::new(Phase::Input, Kind::InvalidName).with_detail(error))
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

fn unreachable_exchange(preference: u16, host: MxHost, failure: Failure) -> Exchange {
    Exchange {
        addresses_of_other_family: None,
        failure: Some(failure),
        ..Exchange::whole(preference, Some(host), Vec::new())
    }
}

/// Addresses that nobody had to look up.
fn named_outright(host: Option<MxHost>, addresses: Vec<IpAddr>) -> Exchange {
    Exchange::whole(0, host, addresses)
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

    fn failed(kind: Kind) -> Exchange {
        unreachable_exchange(10, MxHost::new("mx.example"), Failure::new(Phase::Dns, kind))
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
