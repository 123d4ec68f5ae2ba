//! Whether the name of the address and the name said in EHLO are one, and lead back
//! to the address: what a mail server looks at first (RFC 5321 §4.1.4).

use super::check::PreflightCheck;
use crate::dns::{Name, RData, RecordType, reverse_name};
use crate::lookup::DnsLookup;
use crate::model::{DomainName, Failure, Kind};
use std::net::IpAddr;

/// Name of the check of the address's name.
pub(super) const REVERSE: &str = "reverse name";
/// Name of the check of the name's address.
pub(super) const FORWARD: &str = "EHLO name";

/// What the DNS said to one question.
type Told = Result<Vec<RData>, Failure>;

/// Asks for the names of `source` and the addresses of `ehlo`.
pub(super) async fn check(lookup: &DnsLookup, source: IpAddr, ehlo: &str) -> [PreflightCheck; 2] {
    let reverse = match reverse_name(source) {
        Some(name) => lookup.records(&name, RecordType::PTR).await,
        None => Ok(Vec::new()),
    };
    let family = if source.is_ipv4() { RecordType::A } else { RecordType::AAAA };
    let forward = match DomainName::parse(ehlo).ok().and_then(|name| Name::from_ascii(name.as_str()).ok()) {
        Some(mut name) => {
            name.set_fqdn(true);
            Some(lookup.records(&name, family).await)
        }
        None => None,
    };
    [reverse_check(source, ehlo, reverse), forward_check(source, ehlo, forward)]
}

fn says_none(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Nxdomain | Kind::NoData)
}

/// The name of the address should be the one that is said in EHLO.
fn reverse_check(source: IpAddr, ehlo: &str, told: Told) -> PreflightCheck {
    let names: Vec<String> = match told {
        Ok(records) => records.iter().filter_map(pointer).collect(),
        Err(failure) if says_none(&failure) => Vec::new(),
        Err(failure) => return PreflightCheck::not_determined(REVERSE, source, failure),
    };
    if names.is_empty() {
        return PreflightCheck::fault(REVERSE, source, "the address has no name in the DNS (PTR)");
    }
    let told = names.join(", ");
    if names.iter().any(|name| name.eq_ignore_ascii_case(ehlo.trim_end_matches('.'))) {
        return PreflightCheck::ok(REVERSE, source, told);
    }
    PreflightCheck::fault(
        REVERSE,
        source,
        format_args!("the name of the address is {told}, and EHLO says {ehlo}"),
    )
}

/// The name that is said in EHLO should have the address.
fn forward_check(source: IpAddr, ehlo: &str, told: Option<Told>) -> PreflightCheck {
    let Some(told) = told else {
        return PreflightCheck::fault(FORWARD, ehlo, "it is no domain name that others could look up");
    };
    let addresses: Vec<IpAddr> = match told {
        Ok(records) => records.iter().filter_map(address).collect(),
        Err(failure) if says_none(&failure) => Vec::new(),
        Err(failure) => return PreflightCheck::not_determined(FORWARD, ehlo, failure),
    };
    if addresses.contains(&source) {
        return PreflightCheck::ok(FORWARD, ehlo, format_args!("it has the address {source}"));
    }
    let others: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    let others = if others.is_empty() { "none".to_string() } else { others.join(", ") };
    PreflightCheck::fault(
        FORWARD,
        ehlo,
        format_args!("it does not have the address {source}; it has {others}"),
    )
}

fn pointer(record: &RData) -> Option<String> {
    match record {
        RData::PTR(name) => Some(name.to_ascii().trim_end_matches('.').to_string()),
        _ => None,
    }
}

fn address(record: &RData) -> Option<IpAddr> {
    match record {
        RData::A(a) => Some(a.0.into()),
        RData::AAAA(aaaa) => Some(aaaa.0.into()),
        _ => None,
    }
}
