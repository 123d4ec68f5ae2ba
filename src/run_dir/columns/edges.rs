//! The columns of `mx.csv` and of `rejects.csv`.

use super::closed;
use super::column::{Column, column, number, one_of};
use super::domains::label;
use super::value::Value;
use crate::model::{DomainFacts, Failure, MxHost, Rejected, Subject, Target};
use std::net::IpAddr;

/// One edge from a domain over a mail host to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MxRow {
    target: Target,
    preference: u16,
    host: Option<MxHost>,
    ip: Option<IpAddr>,
    sni: Option<MxHost>,
    address_excess: Option<usize>,
    failure: Option<Failure>,
}

/// The edges of a domain. A mail host without address has one edge that leads
/// nowhere. An endpoint that was listed outright has none: no DNS was asked.
pub(in crate::run_dir) fn edges(facts: &DomainFacts) -> impl Iterator<Item = MxRow> {
    let listed = !matches!(facts.target.subject, Subject::Domain(_));
    let exchanges = if listed { &[][..] } else { &facts.exchanges[..] };
    exchanges.iter().flat_map(move |exchange| {
        let nowhere = exchange.addresses.is_empty().then_some(None);
        exchange.addresses.iter().copied().map(Some).chain(nowhere).map(move |ip| MxRow {
            target: facts.target.clone(),
            preference: exchange.preference,
            host: exchange.host.clone(),
            ip,
            sni: ip.and_then(|_| exchange.tls_name().cloned()),
            address_excess: exchange.excess(),
            failure: exchange.failure.clone(),
        })
    })
}

/// The columns of `mx.csv`, in order.
pub const MX: &[Column<MxRow>] = &[
    number("line", "Line number of the domain in the input.", |r| Value::Number(r.target.line)),
    column("domain", "The domain.", |r| label(&r.target.subject)),
    number("preference", "MX preference; 0 for an implicit MX, and for a smart host.", |r| {
        Value::Number(r.preference.into())
    }),
    column(
        "mx_host",
        "MX host, or smart host of a connector; empty for the root of a null MX, and for a smart host without a name.",
        |r| Value::text(r.host.as_ref().map(|host| host.as_str())),
    ),
    column("ip", "One address of the host; empty if it has none.", |r| r.ip.map_or(Value::Absent, Value::Ip)),
    column("sni", "Name sent there as SNI, as in `endpoints.csv`.", |r| {
        Value::text(r.sni.as_ref().map(MxHost::as_str))
    }),
    number(
        "address_excess",
        "How many addresses the host has beyond the first 32, which alone are kept.",
        |r| r.address_excess.map_or(Value::Absent, Value::count),
    ),
    one_of(
        closed::MX_PHASES,
        "phase",
        "Why the host was not contacted: the DNS gave no address for it, or this machine has no route to it.",
        |r| Value::text(r.failure.as_ref().map(|failure| failure.phase.name())),
    ),
    one_of(closed::MX_OUTCOMES, "outcome", "Why the host has no address that can be asked.", |r| {
        Value::text(r.failure.as_ref().map(|failure| failure.kind.name()))
    }),
];

/// The columns of `rejects.csv`, in order.
pub const REJECTS: &[Column<Rejected>] = &[
    number("line", "Line number in the input, from 1.", |r| Value::Number(r.line)),
    column(
        "text",
        "The line, or its column, cut to 256 bytes and escaped; `…` stands for what may be the local part of a mail address.",
        |r| Value::Text(r.text.as_str().into()),
    ),
    column("cause", "What is wrong with it.", |r| Value::Text(r.cause.as_str().into())),
];
