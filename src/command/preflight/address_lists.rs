//! Whether a list of addresses in the DNS holds the address (RFC 5782).
//!
//! What a list says counts only where it holds the entry that every list has, and not
//! the one that none has (RFC 5782 §5): some answer nobody, or anything, to a resolver
//! that they do not like, and a zone that is no list any more may list everyone.

use super::check::PreflightCheck;
use crate::dns::{LISTED_V4, LISTED_V6, RData, RecordType, entry_name};
use crate::lookup::DnsLookup;
use crate::model::{DomainName, Failure, Kind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const CHECK: &str = "block list";

/// What no list holds (RFC 5782 §5).
const UNLISTED_V4: Ipv4Addr = Ipv4Addr::LOCALHOST;
const UNLISTED_V6: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 0x0001);

/// Asks the list for its test entries, then for the address.
pub(super) async fn check(lookup: &DnsLookup, source: IpAddr, zone: &DomainName) -> PreflightCheck {
    let about = format!("{source} in {zone}");
    let (listed, unlisted): (IpAddr, IpAddr) = match source {
        IpAddr::V4(_) => (LISTED_V4.into(), UNLISTED_V4.into()),
        IpAddr::V6(_) => (LISTED_V6.into(), UNLISTED_V6.into()),
    };
    let test = (entry(lookup, listed, zone).await, entry(lookup, unlisted, zone).await);
    if let Some(cause) = no_list(listed, unlisted, test) {
        return PreflightCheck::not_determined(CHECK, about, cause);
    }
    match entry(lookup, source, zone).await {
        ListEntry::Listed(code) => {
            let why = reason(lookup, source, zone).await.map(|why| format!(": {why}")).unwrap_or_default();
            PreflightCheck::fault(CHECK, about, format_args!("listed ({code}){why}"))
        }
        ListEntry::Unlisted => PreflightCheck::ok(CHECK, about, "not listed"),
        ListEntry::Unknown(cause) => PreflightCheck::not_determined(CHECK, about, cause),
    }
}

/// What a list says of an address.
#[derive(Debug, PartialEq, Eq)]
enum ListEntry {
    Listed(Ipv4Addr),
    Unlisted,
    Unknown(String),
}

/// Why the zone is not taken for a list, if that is so.
fn no_list(listed: IpAddr, unlisted: IpAddr, test: (ListEntry, ListEntry)) -> Option<String> {
    match test {
        (ListEntry::Listed(_), ListEntry::Unlisted) => None,
        (ListEntry::Unlisted, _) => Some(format!(
            "it does not hold its test entry {listed} (RFC 5782 §5): it has no such addresses, or answers this resolver nothing"
        )),
        (_, ListEntry::Listed(_)) => {
            Some(format!("it holds {unlisted}, too, which no list does (RFC 5782 §5)"))
        }
        (ListEntry::Unknown(cause), _) | (_, ListEntry::Unknown(cause)) => Some(cause),
    }
}

async fn entry(lookup: &DnsLookup, ip: IpAddr, zone: &DomainName) -> ListEntry {
    let Some(name) = entry_name(ip, zone.as_str()) else {
        return ListEntry::Unknown("the name of the entry is longer than a name can be".into());
    };
    read(lookup.records(&name, RecordType::A).await)
}

fn read(told: Result<Vec<RData>, Failure>) -> ListEntry {
    let records = match told {
        Ok(records) => records,
        Err(failure) if matches!(failure.kind, Kind::Nxdomain | Kind::NoData) => return ListEntry::Unlisted,
        Err(failure) => return ListEntry::Unknown(failure.to_string()),
    };
    let codes: Vec<Ipv4Addr> =
        records.iter().filter_map(|record| if let RData::A(a) = record { Some(a.0) } else { None }).collect();
    match codes.iter().find(|code| is_entry(**code)) {
        Some(code) => ListEntry::Listed(*code),
        None => match codes.first() {
            Some(code) => ListEntry::Unknown(format!("it answers {code}, which is no entry")),
            None => ListEntry::Unlisted,
        },
    }
}

/// Entries are in 127.0.0.0/8 (RFC 5782 §2.1). What lists answer to a resolver that
/// they refuse is in 127.255.255.0/24 by custom.
fn is_entry(code: Ipv4Addr) -> bool {
    code.is_loopback() && !matches!(code.octets(), [127, 255, 255, _])
}

/// What the list says of the reason (RFC 5782 §2.1).
async fn reason(lookup: &DnsLookup, ip: IpAddr, zone: &DomainName) -> Option<String> {
    let records = lookup.records(&entry_name(ip, zone.as_str())?, RecordType::TXT).await.ok()?;
    records.iter().find_map(|record| match record {
        RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Phase;
    use hickory_proto::rr::rdata::A;

    #[test]
    fn what_is_no_entry_is_not_taken_for_one() {
        let answer = |code: [u8; 4]| read(Ok(vec![RData::A(A(code.into()))]));
        assert_eq!(answer([127, 0, 0, 2]), ListEntry::Listed([127, 0, 0, 2].into()));
        for refused in [[127, 255, 255, 254], [192, 0, 2, 1]] {
            assert!(matches!(answer(refused), ListEntry::Unknown(_)), "{refused:?}");
        }
        let fails = |kind| read(Err(Failure::new(Phase::Dns, kind)));
        assert_eq!((fails(Kind::Nxdomain), fails(Kind::NoData)), (ListEntry::Unlisted, ListEntry::Unlisted));
        assert!(matches!(fails(Kind::Timeout), ListEntry::Unknown(_)));
    }

    #[test]
    fn a_list_holds_its_test_entry_and_not_the_other() {
        let of = |first, second| no_list(LISTED_V4.into(), UNLISTED_V4.into(), (first, second));
        let listed = || ListEntry::Listed(LISTED_V4);
        let unknown = || ListEntry::Unknown("silent".into());
        assert_eq!(of(listed(), ListEntry::Unlisted), None);
        assert!(of(listed(), listed()).is_some_and(|told| told.contains("127.0.0.1")));
        assert!(of(ListEntry::Unlisted, ListEntry::Unlisted).is_some_and(|told| told.contains("127.0.0.2")));
        assert_eq!(
            [of(unknown(), ListEntry::Unlisted), of(listed(), unknown())],
            [Some("silent".into()), Some("silent".into())]
        );
    }
}
