//! Single questions: answered from the cache or by a resolver, equal ones that
//! are under way asked once, never more at a time than was agreed.

use super::classify;
use super::connection::Connections;
use super::resolver::{self, LookupConfig, LookupError};
use crate::model::{Failure, Kind, Phase};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer, RetryDnsHandle};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsRequestOptions, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::domain::usage::{INVALID, LOCALHOST, ONION};
use hickory_resolver::proto::rr::rdata::{A, AAAA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{NameServerPool, ResponseCache};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Instant;
use tokio::sync::Semaphore;
use tracing::debug;

/// Asks recursive resolvers one question each.
pub(super) struct Questions {
    resolvers: RetryDnsHandle<NameServerPool<Connections>>,
    options: DnsRequestOptions,
    cache: ResponseCache,
    connections: Connections,
    permits: Semaphore,
}

impl Questions {
    /// Sets the resolvers up; nothing is sent yet.
    ///
    /// # Errors
    /// [`LookupError`] if the system names no nameserver and the configuration
    /// neither.
    pub(super) fn new(config: &LookupConfig) -> Result<Self, LookupError> {
        let connections = Connections::default();
        let pool = resolver::pool(config, connections.clone())?;
        let options = &pool.context().options;
        let mut asking = DnsRequestOptions::default();
        asking.use_edns = options.edns0;
        asking.edns_payload_len = options.edns_payload_len;
        Ok(Self {
            options: asking,
            cache: resolver::cache(options),
            resolvers: RetryDnsHandle::new(pool.clone(), options.attempts),
            connections,
            permits: Semaphore::new(config.queries_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
        })
    }

    /// The answer section: records of the type that was asked for, and aliases
    /// that lead from the name.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn ask(&self, name: &Name, record_type: RecordType) -> Result<Vec<Record>, Failure> {
        if let Some(known) = without_dns(name, record_type) {
            return known;
        }
        // The semaphore is never closed; without a permit the query would
        // only be unbounded, not wrong.
        let _permit = self.permits.acquire().await.ok();
        debug!(%name, %record_type, "question");
        let asked = Instant::now();
        let answer = self.answer(Query::query(name.clone(), record_type)).await;
        let answer = answer.map_err(|error| match self.connections.failure_over_tcp(name, record_type) {
            Some(cause) if matches!(error, NetError::Truncated) => classify::failure(&cause),
            _ => classify::failure(&error),
        });
        match &answer {
            Ok(records) => {
                debug!(%name, %record_type, records = records.len(), us = asked.elapsed().as_micros(), "answer")
            }
            Err(failure) => debug!(%name, %record_type, %failure, us = asked.elapsed().as_micros(), "answer"),
        }
        answer
    }

    async fn answer(&self, query: Query) -> Result<Vec<Record>, NetError> {
        if let Some(known) = self.cache.get(&query, Instant::now()) {
            return known.map(|message| message.answers);
        }
        let reply = self.resolvers.lookup(query.clone(), self.options).first_answer().await;
        let message = reply.map(|reply| reply.into_message()).and_then(with_known_code);
        let answers = message.as_ref().map(|message| message.answers.clone()).map_err(Clone::clone);
        self.cache.insert(query, message, Instant::now());
        answers
    }
}

/// Refuses a reply whose code says neither that there is an answer nor that
/// there is none: the library lets those pass that it has no name for.
fn with_known_code(reply: Message) -> Result<Message, NetError> {
    match reply.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(reply),
        code => Err(DnsError::ResponseCode(code).into()),
    }
}

/// What is known of names that are never asked for: `localhost` is this
/// machine, and there is no `invalid` and no `onion` (RFC 6761 §6.3, §6.4, RFC
/// 7686 §2).
fn without_dns(name: &Name, record_type: RecordType) -> Option<Result<Vec<Record>, Failure>> {
    let none = |kind| Some(Err(Failure::new(Phase::Dns, kind)));
    if INVALID.zone_of(name) || ONION.zone_of(name) {
        return none(Kind::Nxdomain);
    }
    if !LOCALHOST.zone_of(name) {
        return None;
    }
    let data = match record_type {
        RecordType::A => RData::A(A(Ipv4Addr::LOCALHOST)),
        RecordType::AAAA => RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)),
        _ => return none(Kind::NoData),
    };
    Some(Ok(vec![Record::from_rdata(name.clone(), 0, data)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, record_type: RecordType) -> Option<Result<String, Kind>> {
        let answer = without_dns(&Name::from_ascii(name).unwrap(), record_type)?;
        Some(answer.map(|records| records[0].data.to_string()).map_err(|failure| failure.kind))
    }

    #[test]
    fn names_that_are_not_of_the_dns_are_not_asked_for() {
        use RecordType::{A, AAAA, MX};
        for (name, record_type, expected) in [
            ("mx.LocalHost.", A, Some(Ok("127.0.0.1"))),
            ("localhost.", AAAA, Some(Ok("::1"))),
            ("localhost.", MX, Some(Err(Kind::NoData))),
            ("d.invalid.", MX, Some(Err(Kind::Nxdomain))),
            ("d.onion.", A, Some(Err(Kind::Nxdomain))),
            ("invalid.example.", A, None),
            ("notlocalhost.", A, None),
        ] {
            assert_eq!(known(name, record_type), expected.map(|told| told.map(str::to_owned)), "{name}");
        }
    }
}
