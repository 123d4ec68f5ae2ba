//! The mail hosts of a target, each with its addresses and, where that is asked
//! for, what the DNS says of its TLSA records.

use super::answer::{self, MailExchanger};
use super::names::{AddressWay, Addresses, Names, NoAddresses};
use super::tlsa::{self, TLSA_HOSTS_MAX};
use crate::dns::Name;
use crate::model::tlsa::TlsaFacts;
use crate::model::{Exchange, Failure, MxHost};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::net::IpAddr;

/// Most addresses kept of one exchanger, of both families if it has both. What
/// is beyond is counted, and not probed.
pub const ADDRESSES_PER_EXCHANGE_MAX: usize = 32;

/// A host whose addresses were looked up, or need not be.
pub(super) struct ResolvedHost {
    pub(super) exchange: Exchange,
    /// By which way its addresses were found; `None` where it has none, or nobody
    /// had to look them up.
    way: Option<(Name, AddressWay)>,
}

impl ResolvedHost {
    /// One without an address.
    pub(super) fn unreachable(preference: u16, host: MxHost, failure: Failure) -> Self {
        let exchange = Exchange {
            addresses_of_other_family: None,
            failure: Some(failure),
            ..Exchange::whole(preference, Some(host), Vec::new())
        };
        Self { exchange, way: None }
    }

    /// Addresses that nobody had to look up.
    pub(super) fn named_outright(host: Option<MxHost>, addresses: Vec<IpAddr>) -> Self {
        Self { exchange: Exchange::whole(0, host, addresses), way: None }
    }
}

impl Names {
    /// The host of an MX record, or what stands for one.
    pub(super) async fn host(&self, mx: MailExchanger) -> ResolvedHost {
        if let Err(failure) = mx.check() {
            return ResolvedHost::unreachable(mx.preference, mx.host, failure);
        }
        match self.addresses(&mx.name).await {
            Ok(Addresses { in_use, of_other_family, unresolved, unresolved_is_bogus, way }) => {
                let (addresses, excess) = answer::cut(in_use, ADDRESSES_PER_EXCHANGE_MAX);
                let exchange = Exchange {
                    addresses_excess: Some(excess),
                    addresses_of_other_family: of_other_family,
                    unresolved,
                    addresses_bogus: unresolved_is_bogus,
                    ..Exchange::whole(mx.preference, Some(mx.host), addresses)
                };
                ResolvedHost { exchange, way: Some((mx.name, way)) }
            }
            Err(NoAddresses { failure, is_bogus }) => {
                let mut host = ResolvedHost::unreachable(mx.preference, mx.host, failure);
                host.exchange.addresses_bogus = is_bogus;
                host
            }
        }
    }

    /// The same hosts with their TLSA records: those of the first
    /// [`TLSA_HOSTS_MAX`] of which only a question tells.
    pub(super) async fn with_tlsa(&self, hosts: Vec<ResolvedHost>) -> Vec<Exchange> {
        let mut asked = HashSet::new();
        let hosts = hosts.into_iter().map(|ResolvedHost { exchange, way }| {
            let is_beyond = way.as_ref().is_some_and(|(name, way)| {
                let is_new = tlsa::needs_a_question(way) && !asked.contains(name);
                let has_room = asked.len() < TLSA_HOSTS_MAX;
                is_new && !(has_room && asked.insert(name.clone()))
            });
            self.host_with_tlsa(exchange, way, is_beyond)
        });
        join_all(hosts.collect::<Vec<_>>()).await
    }

    async fn host_with_tlsa(
        &self,
        exchange: Exchange,
        way: Option<(Name, AddressWay)>,
        is_beyond: bool,
    ) -> Exchange {
        let tlsa: Option<TlsaFacts> = match way {
            Some(_) if is_beyond => Some(tlsa::of_too_many()),
            Some((name, way)) => Some(self.tlsa(&name, &way).await),
            None => None,
        };
        Exchange { tlsa, ..exchange }
    }
}
