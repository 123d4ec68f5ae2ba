//! MX, A and AAAA: [`crate::engine::stage::Lookup`] on hickory-resolver.
//!
//! A survey must see the DNS itself, so names are always absolute: no search
//! domain, no hosts file. Three things are bounded here, the best kept first:
//! [`EXCHANGES_MAX`] exchangers of a domain, [`ADDRESSES_PER_EXCHANGE_MAX`]
//! addresses of each, and [`LookupConfig::queries_in_flight`] over all.

mod answer;
mod classify;
mod resolver;

pub use resolver::{LookupConfig, LookupError};

use crate::engine::stage::Lookup;
use crate::model::{
    Connectors, DomainFacts, DomainName, Exchange, Failure, Kind, MxHost, Phase, SmartHost, Subject, Target,
};
use answer::MailExchanger;
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RecordType};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most exchangers kept of one domain. Those of the best preference stay; what
/// is beyond is neither resolved nor probed.
pub const EXCHANGES_MAX: usize = 16;
/// Most addresses kept of one exchanger, in the order in which they are tried.
pub const ADDRESSES_PER_EXCHANGE_MAX: usize = 8;

/// Asks a recursive resolver. Answers are cached for their TTL, the negative
/// ones too, and equal questions that are under way are asked once.
pub struct DnsLookup {
    resolver: TokioResolver,
    ipv4: bool,
    ipv6: bool,
    permits: Semaphore,
    connectors: Arc<Connectors>,
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
            resolver: resolver::build(&config)?,
            ipv4: config.ipv4,
            ipv6: config.ipv6,
            permits: Semaphore::new(config.queries_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            connectors: config.connectors,
        })
    }

    /// Finds the addresses of a host that is named outright, without asking
    /// for MX: the facts hold it as the only exchange.
    async fn host(&self, target: Target, host: &DomainName) -> DomainFacts {
        let name = match dns_name(host) {
            Ok(name) => name,
            Err(failure) => return DomainFacts::failed(target, failure),
        };
        let exchange = self.exchange(MailExchanger { preference: 0, host: MxHost::from(host), name }).await;
        let failure = exchange.failure.clone();
        facts(target, vec![exchange], failure)
    }

    async fn domain(&self, target: Target, domain: DomainName) -> DomainFacts {
        if let Some(connector) = self.connectors.choose(&domain)
            && !connector.smart_hosts.is_empty()
        {
            return self.smart_hosts(target, &connector.smart_hosts).await;
        }
        let name = match dns_name(&domain) {
            Ok(name) => name,
            Err(failure) => return DomainFacts::failed(target, failure),
        };
        match self.mail_exchangers(&name).await {
            Ok(mx) => self.explicit(target, mx).await,
            Err(failure) if failure.kind == Kind::NoData => self.implicit(target, &domain, &name).await,
            Err(failure) => DomainFacts::failed(target, failure),
        }
    }

    /// A domain with MX records.
    async fn explicit(&self, target: Target, mx: Vec<MailExchanger>) -> DomainFacts {
        if let [only] = mx.as_slice()
            && only.is_null()
        {
            let failure = Failure::new(Phase::Dns, Kind::NullMx);
            let exchange = unreachable_exchange(only.preference, only.host.clone(), failure.clone());
            return facts(target, vec![exchange], Some(failure));
        }
        let exchanges = join_all(mx.into_iter().map(|mx| self.exchange(mx))).await;
        let failure = overall_failure(&exchanges, "no MX names a host with an address");
        facts(target, exchanges, failure)
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
        let failure = overall_failure(&exchanges, "no smart host has an address");
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
            SmartHost::Range(_) => {
                Exchange { preference: 0, host: None, addresses: host.addresses(), failure: None }
            }
        }
    }

    async fn exchange(&self, mx: MailExchanger) -> Exchange {
        if let Err(failure) = mx.check() {
            return unreachable_exchange(mx.preference, mx.host, failure);
        }
        match self.addresses(&mx.name).await {
            Ok(addresses) => {
                Exchange { preference: mx.preference, host: Some(mx.host), addresses, failure: None }
            }
            Err(failure) => unreachable_exchange(mx.preference, mx.host, failure),
        }
    }

    async fn mail_exchangers(&self, name: &Name) -> Result<Vec<MailExchanger>, Failure> {
        let answer = self.query(name, RecordType::MX).await?;
        let mut mx = answer::mail_exchangers(answer.answers());
        mx.truncate(EXCHANGES_MAX);
        if mx.is_empty() { Err(Failure::new(Phase::Dns, Kind::NoData)) } else { Ok(mx) }
    }

    async fn addresses(&self, name: &Name) -> Result<Vec<IpAddr>, Failure> {
        let (v4, v6) = tokio::join!(
            self.family(name, RecordType::A, self.ipv4),
            self.family(name, RecordType::AAAA, self.ipv6)
        );
        answer::join_families(v4.into_iter().chain(v6))
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
        Some(answer.map(|lookup| answer::addresses(lookup.answers())))
    }

    async fn query(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<hickory_resolver::lookup::Lookup, Failure> {
        // The semaphore is never closed; without a permit the query would
        // only be unbounded, not wrong.
        let _permit = self.permits.acquire().await.ok();
        self.resolver.lookup(name.clone(), record_type).await.map_err(|error| classify::failure(&error))
    }
}

impl Lookup for DnsLookup {
    async fn lookup(&self, target: Target) -> DomainFacts {
        match target.subject.clone() {
            Subject::Domain(domain) => self.domain(target, domain).await,
            Subject::Host { name, .. } => self.host(target, &name).await,
            Subject::Endpoint { ip, name, .. } => {
                let exchange = Exchange { preference: 0, host: name, addresses: vec![ip], failure: None };
                facts(target, vec![exchange], None)
            }
        }
    }
}

fn dns_name(domain: &DomainName) -> Result<Name, Failure> {
    Name::from_labels(domain.as_str().split('.').map(str::as_bytes))
        .map_err(|error| Failure::new(Phase::Input, Kind::InvalidName).with_detail(error))
}

fn facts(target: Target, exchanges: Vec<Exchange>, failure: Option<Failure>) -> DomainFacts {
    DomainFacts { target, exchanges, implicit_mx: false, smart_hosts: false, failure }
}

fn unreachable_exchange(preference: u16, host: MxHost, failure: Failure) -> Exchange {
    Exchange { preference, host: Some(host), addresses: Vec::new(), failure: Some(failure) }
}

/// Why no exchanger of a domain has an address: a failure that may pass leaves
/// the question open, so it comes before the verdict that none is usable.
fn overall_failure(exchanges: &[Exchange], unusable_because: &str) -> Option<Failure> {
    let failures: Option<Vec<&Failure>> =
        exchanges.iter().map(|exchange| exchange.failure.as_ref()).collect();
    let failures = failures?;
    let open = failures.iter().find(|failure| failure.kind.is_transient());
    Some(open.map_or_else(|| unusable(unusable_because), |failure| (*failure).clone()))
}

fn unusable(detail: &str) -> Failure {
    Failure::new(Phase::Dns, Kind::MxUnusable).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: Kind) -> Exchange {
        unreachable_exchange(10, MxHost::new("mx.example"), Failure::new(Phase::Dns, kind))
    }

    fn overall(exchanges: &[Exchange]) -> Option<Kind> {
        overall_failure(exchanges, "none").map(|failure| failure.kind)
    }

    #[test]
    fn one_address_is_enough() {
        let good = Exchange {
            preference: 20,
            host: Some(MxHost::new("mx2.example")),
            addresses: vec![IpAddr::from([192, 0, 2, 1])],
            failure: None,
        };
        assert_eq!(overall(&[failed(Kind::Servfail), good]), None);
    }

    #[test]
    fn what_may_pass_comes_before_unusable() {
        assert_eq!(overall(&[failed(Kind::Nxdomain), failed(Kind::Timeout)]), Some(Kind::Timeout));
        assert_eq!(overall(&[failed(Kind::Servfail), failed(Kind::Timeout)]), Some(Kind::Servfail));
        assert_eq!(overall(&[failed(Kind::Nxdomain), failed(Kind::NoData)]), Some(Kind::MxUnusable));
    }

    #[test]
    fn a_lookup_without_a_family_is_refused() {
        let config = LookupConfig { ipv4: false, ipv6: false, ..LookupConfig::default() };
        assert!(matches!(DnsLookup::new(config), Err(LookupError::NoFamily)));
    }
}
