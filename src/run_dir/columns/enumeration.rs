//! The columns of `suites.csv` and `groups.csv`: what an enumeration found.

use super::closed;
use super::column::{Column, column, number, one_of, yes_no};
use super::value::Value;
use crate::model::{
    AcceptedSuite, CipherSuite, Enumeration, Gap, NamedGroup, Preference, ProbeKey, ProtocolVersion,
};

/// One suite that an endpoint takes in one version, or that it takes none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteRow {
    key: ProbeKey,
    version: ProtocolVersion,
    /// Its place from 1, and the suite.
    accepted: Option<(usize, AcceptedSuite)>,
    preference: Option<Preference>,
    gap: Option<Gap>,
    connections: usize,
}

/// One group that an endpoint takes in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    key: ProbeKey,
    version: ProtocolVersion,
    /// Its place from 1, and the group.
    accepted: Option<(usize, NamedGroup)>,
    gap: Option<Gap>,
}

/// Each with its place from 1; `None` once if there are none.
fn places<T: Copy>(all: &[T]) -> impl Iterator<Item = Option<(usize, T)>> {
    let nothing = all.is_empty().then_some(None);
    (1..).zip(all.iter().copied()).map(Some).chain(nothing)
}

/// The rows of `suites.csv` for one endpoint.
pub(in crate::run_dir) fn suite_rows(key: &ProbeKey, found: &Enumeration) -> impl Iterator<Item = SuiteRow> {
    found.versions.iter().flat_map(move |version| {
        places(&version.suites).map(move |accepted| SuiteRow {
            key: key.clone(),
            version: version.version,
            accepted,
            preference: version.preference,
            gap: version.gap,
            connections: found.connections,
        })
    })
}

/// The rows of `groups.csv` for one endpoint.
pub(in crate::run_dir) fn group_rows(key: &ProbeKey, found: &Enumeration) -> impl Iterator<Item = GroupRow> {
    let asked = found.versions.iter().filter_map(|version| Some((version.version, version.groups.as_ref()?)));
    asked.flat_map(move |(version, found)| {
        places(&found.groups).map(move |accepted| GroupRow {
            key: key.clone(),
            version,
            accepted,
            gap: found.gap,
        })
    })
}

fn suite(row: &SuiteRow) -> Option<CipherSuite> {
    row.accepted.map(|(_, accepted)| accepted.suite)
}

/// The columns of `suites.csv`, in order.
pub const SUITES: &[Column<SuiteRow>] = &[
    column("ip", "Address.", |r| Value::Ip(r.key.endpoint.ip)),
    number("port", "TCP port.", |r| Value::Number(r.key.endpoint.port.into())),
    column("sni", "Name sent as SNI; empty if none was sent.", |r| {
        Value::text(r.key.sni.as_ref().map(|name| name.as_str()))
    }),
    one_of(closed::ALL_VERSIONS, "tls_version", "Version that was asked for.", |r| {
        Value::name(Some(r.version.name()))
    }),
    number(
        "position",
        "When the server chose the suite: 1 for its first choice, 2 if the first is not offered, and so on.",
        |r| r.accepted.map_or(Value::Absent, |(place, _)| Value::count(place)),
    ),
    column("cipher_suite", "Suite by its IANA name; empty: none is taken, or none is known.", |r| {
        Value::name(suite(r).map(|suite| suite.name()))
    }),
    one_of(closed::SUITE_CLASSES, "cipher_suite_class", "How good the suite is.", |r| {
        Value::text(suite(r).and_then(|suite| suite.class()).map(|class| class.name()))
    }),
    yes_no("forward_secrecy", "Whether the key exchange is ephemeral.", |r| {
        Value::flag(suite(r).and_then(|suite| suite.forward_secrecy()))
    }),
    number("dh_bits", "Bits of the server's own Diffie-Hellman prime, for a suite of DHE.", |r| {
        let bits = r.accepted.and_then(|(_, accepted)| accepted.dh_bits);
        bits.map_or(Value::Absent, Value::count)
    }),
    one_of(
        closed::PREFERENCES,
        "cipher_preference",
        "Whose order of suites decides; empty with less than two suites.",
        |r| Value::text(r.preference.map(Preference::name)),
    ),
    yes_no("complete", "Whether these are all the suites of this version.", |r| Value::Bool(r.gap.is_none())),
    one_of(
        closed::SUITE_GAPS,
        "incomplete_reason",
        "Why they may not be all; `budget`: `--enumerate-connections` was used up.",
        |r| Value::text(r.gap.map(Gap::name)),
    ),
    number("connections", "Connections that the enumeration of this endpoint took.", |r| {
        Value::count(r.connections)
    }),
];

/// The columns of `groups.csv`, in order.
pub const GROUPS: &[Column<GroupRow>] = &[
    column("ip", "Address.", |r| Value::Ip(r.key.endpoint.ip)),
    number("port", "TCP port.", |r| Value::Number(r.key.endpoint.port.into())),
    column("sni", "Name sent as SNI; empty if none was sent.", |r| {
        Value::text(r.key.sni.as_ref().map(|name| name.as_str()))
    }),
    one_of(closed::ALL_VERSIONS, "tls_version", "Version that was asked for.", |r| {
        Value::name(Some(r.version.name()))
    }),
    number(
        "position",
        "When the server chose the group: 1 for its first choice, 2 if the first is not offered, and so on.",
        |r| r.accepted.map_or(Value::Absent, |(place, _)| Value::count(place)),
    ),
    column("key_exchange_group", "Group by its IANA name; empty: none is known.", |r| {
        Value::name(r.accepted.map(|(_, group)| group.name()))
    }),
    yes_no("complete", "Whether these are all the groups of this version.", |r| Value::Bool(r.gap.is_none())),
    one_of(
        closed::GROUP_GAPS,
        "incomplete_reason",
        "Why they may not be all: as in `suites.csv`. `certificate_curve`: only ECDSA suites are left, whose \
         certificate needs its own curve in every offer.",
        |r| Value::text(r.gap.map(Gap::name)),
    ),
];
