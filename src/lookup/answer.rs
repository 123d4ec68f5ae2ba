//! What the records of an answer say: exchangers in order, addresses in order.
//!
//! Both orders are functions of the records alone, whatever order the server
//! shuffled them into, so that two runs give the same rows.

use super::special;
use super::trouble::unusable;
use crate::dns::{Name, RData};
use crate::model::tlsa::{AssociationData, TlsaRecord};
use crate::model::{Failure, Kind, MxHost, Phase};
use std::net::IpAddr;

/// One MX record, or a domain in the place of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailExchanger {
    pub(super) preference: u16,
    pub(super) host: MxHost,
    /// What to ask for, in lower case.
    pub(super) name: Name,
}

impl MailExchanger {
    /// Whether this record, standing alone, says "no mail" (RFC 7505 §3).
    pub(super) fn is_null(&self) -> bool {
        self.host.is_root() && self.preference == 0
    }

    /// Refuses what no sender could look up.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.host.is_root() {
            return Err(unusable("a null MX beside other records or with a preference"));
        }
        if let Some(why) = special::why(&self.host) {
            return Err(unusable(&format!("the MX names no host: {why}")));
        }
        if self.host.as_str().parse::<IpAddr>().is_ok() {
            return Err(unusable("the MX names no host, but an address (RFC 5321 §5.1)"));
        }
        if self.host.is_usable() { Ok(()) } else { Err(unusable("the MX names no host")) }
    }
}

/// The MX records among `records`, best preference first, equal preferences
/// by name, repeated records once.
pub(super) fn mail_exchangers(records: &[RData]) -> Vec<MailExchanger> {
    let mut mx: Vec<MailExchanger> = records
        .iter()
        .filter_map(|record| match record {
            RData::MX(mx) => Some(MailExchanger {
                preference: mx.preference,
                host: MxHost::new(&mx.exchange.to_ascii()),
                name: mx.exchange.to_lowercase(),
            }),
            _ => None,
        })
        .collect();
    mx.sort_by(|a, b| (a.preference, &a.host).cmp(&(b.preference, &b.host)));
    mx.dedup();
    mx
}

/// The addresses among `records`. One that is mapped into IPv6 (RFC 4291
/// §2.5.5.2) becomes the IPv4 address to which it connects, so that it is
/// paced, blocked and asked as that.
pub(super) fn addresses(records: &[RData]) -> Vec<IpAddr> {
    let address = |record: &RData| match record {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0).to_canonical()),
        _ => None,
    };
    records.iter().filter_map(address).collect()
}

/// The record in the model's words; `None` of another type.
pub(super) fn tlsa_record(data: &RData) -> Option<TlsaRecord> {
    let RData::TLSA(tlsa) = data else { return None };
    Some(TlsaRecord {
        usage: tlsa.cert_usage.into(),
        selector: tlsa.selector.into(),
        matching_type: tlsa.matching.into(),
        data: AssociationData(tlsa.cert_data.clone()),
    })
}

/// One list from the answers to the questions that were asked, each address
/// once: all of IPv4, then all of IPv6, both in numerical order. A question
/// that failed matters only where the other has no address either.
pub(super) fn join_families(
    answers: impl Iterator<Item = Result<Vec<IpAddr>, Failure>>,
) -> Result<Vec<IpAddr>, Failure> {
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for answer in answers {
        match answer {
            Ok(addresses) => all.extend(addresses),
            Err(failure) => failures.push(failure),
        }
    }
    all.sort_unstable();
    all.dedup();
    if all.is_empty() { Err(strongest(failures)) } else { Ok(all) }
}

/// At most `most` addresses of a list that [`join_families`] made, and how
/// many there were beyond. Each family keeps half of the room if it needs it.
pub(super) fn cut(mut addresses: Vec<IpAddr>, most: usize) -> (Vec<IpAddr>, usize) {
    let excess = addresses.len().saturating_sub(most);
    let mut v6 = addresses.split_off(addresses.partition_point(IpAddr::is_ipv4));
    let of_v6 = v6.len().min((most / 2).max(most.saturating_sub(addresses.len())));
    addresses.truncate(most - of_v6);
    v6.truncate(of_v6);
    addresses.append(&mut v6);
    (addresses, excess)
}

/// What two families without addresses come to: open as long as one of them
/// is; and a name that has no data of one type exists.
fn strongest(failures: Vec<Failure>) -> Failure {
    let rank = |failure: &Failure| match failure.kind {
        kind if !kind.says_no_host() => 0,
        Kind::NoData => 1,
        _ => 2,
    };
    failures.into_iter().min_by_key(rank).unwrap_or_else(|| Failure::new(Phase::Dns, Kind::NoData))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::{A, AAAA, MX};
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn mx(preference: u16, exchange: &str) -> RData {
        RData::MX(MX::new(preference, Name::from_ascii(exchange).unwrap()))
    }

    fn failed(kind: Kind) -> Result<Vec<IpAddr>, Failure> {
        Err(Failure::new(Phase::Dns, kind))
    }

    #[test]
    fn exchangers_are_ordered_by_preference_then_name() {
        let records =
            [mx(20, "z.example."), mx(10, "b.example."), mx(10, "A.Example."), mx(10, "a.example.")];
        let found: Vec<_> =
            mail_exchangers(&records).into_iter().map(|mx| (mx.preference, mx.host.to_string())).collect();
        let expected = [(10, "a.example"), (10, "b.example"), (20, "z.example")];
        assert_eq!(found, expected.map(|(preference, host)| (preference, host.to_string())));
    }

    #[test]
    fn only_the_root_at_preference_0_is_null() {
        for (preference, exchange, null) in [(0, ".", true), (10, ".", false), (0, "mx.example.", false)] {
            let found = mail_exchangers(&[mx(preference, exchange)]);
            assert_eq!(found[0].is_null(), null, "{preference} {exchange}");
        }
    }

    #[test]
    fn what_no_sender_could_look_up_is_refused() {
        for (exchange, usable) in [
            ("mx.example.", true),
            ("_mx.example.", true),
            ("192.0.2.1.", false),
            ("localhost.", false),
            (".", false),
        ] {
            let found = mail_exchangers(&[mx(10, exchange)]);
            assert_eq!(found[0].check().is_ok(), usable, "{exchange}");
        }
        // On the wire a label is any bytes at all (RFC 2181 §11).
        let odd = Name::from_labels([b"m \xffx.".as_slice(), b"example"]).unwrap();
        let found = mail_exchangers(&[RData::MX(MX::new(10, odd))]);
        assert!(found[0].check().is_err(), "{}", found[0].host);
    }

    #[test]
    fn addresses_are_sorted_and_unique() {
        let v4 = |last| RData::A(A(Ipv4Addr::new(192, 0, 2, last)));
        let v6 = |text: &str| RData::AAAA(AAAA(text.parse().unwrap()));
        let of_v4 = addresses(&[v4(10), v4(9), v4(10), mx(1, "mx.example.")]);
        // The second is 192.0.2.9, the last none that an MX host should have.
        let of_v6 =
            addresses(&[v6("::1"), v6("::ffff:192.0.2.9"), v6("::ffff:192.0.2.11"), v6("::192.0.2.9")]);
        let found = join_families([Ok(of_v6), Ok(of_v4)].into_iter()).unwrap();
        assert_eq!(
            found.iter().map(IpAddr::to_string).collect::<Vec<_>>(),
            ["192.0.2.9", "192.0.2.10", "192.0.2.11", "::1", "::c000:209"]
        );
    }

    #[test]
    fn a_family_that_answers_outweighs_one_that_fails() {
        let v6 = vec![IpAddr::from(Ipv6Addr::LOCALHOST)];
        assert_eq!(join_families([failed(Kind::Servfail), Ok(v6.clone())].into_iter()), Ok(v6));
    }

    #[test]
    fn the_address_list_is_bounded_and_both_families_stay() {
        let v4 = |last: u8| IpAddr::from([192, 0, 2, last]);
        let v6 = |last: u8| IpAddr::from(Ipv6Addr::from_bits(u128::from(last)));
        for (of_v4, of_v6, kept_v4, kept_v6) in [
            (40, 0, 8, 0),
            (0, 40, 0, 8),
            (40, 40, 4, 4),
            (40, 3, 5, 3),
            (2, 40, 2, 6),
            (4, 4, 4, 4),
            (1, 2, 1, 2),
        ] {
            let both = (0..of_v4).map(v4).chain((0..of_v6).map(v6)).collect();
            let kept: Vec<IpAddr> = (0..kept_v4).map(v4).chain((0..kept_v6).map(v6)).collect();
            let excess = usize::from(of_v4 + of_v6 - kept_v4 - kept_v6);
            assert_eq!(cut(both, 8), (kept, excess), "{of_v4} {of_v6}");
        }
    }

    #[test]
    fn without_addresses_the_open_question_wins() {
        for (v4, v6, expected) in [
            (Kind::Nxdomain, Kind::Nxdomain, Kind::Nxdomain),
            (Kind::Nxdomain, Kind::NoData, Kind::NoData),
            (Kind::NoData, Kind::Timeout, Kind::Timeout),
            (Kind::Servfail, Kind::Timeout, Kind::Servfail),
        ] {
            let joined = join_families([failed(v4), failed(v6)].into_iter());
            assert_eq!(joined.map_err(|failure| failure.kind), Err(expected), "{v4} {v6}");
        }
    }
}
