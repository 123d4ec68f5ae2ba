//! Which of several endpoints gives a sender least.
//!
//! The order is by what is lost: the whole encryption, the version, forward
//! secrecy, trust, dates, name; of the session and the certificate that this
//! sender would get, by a further hello too. What is not known counts as not
//! given, but for forward secrecy, where only the known lack counts.

use super::profile::SenderProfile;
use crate::model::registry::ProtocolVersion;
use crate::model::{
    ChainStatus, DateStatus, Delivery, JudgedEndpoint, MxHost, NameStatus, NegotiatedTls, Subject,
};
use crate::trust::names;
use std::cmp::Ordering;

/// An endpoint, under the name by which the domain calls it.
pub(super) struct HostEndpoint<'a> {
    pub(super) endpoint: &'a JudgedEndpoint,
    pub(super) host: Option<&'a MxHost>,
}

/// Orders by weakness, the weakest first.
pub(super) fn compare(
    profile: &SenderProfile,
    subject: &Subject,
    one: &HostEndpoint<'_>,
    other: &HostEndpoint<'_>,
) -> Ordering {
    let by_session = session(profile, one.endpoint).cmp(&session(profile, other.endpoint));
    // Names are compared only where all else is equal.
    by_session.then_with(|| is_named(subject, one).cmp(&is_named(subject, other)))
}

fn session(
    profile: &SenderProfile,
    endpoint: &JudgedEndpoint,
) -> (bool, Option<ProtocolVersion>, bool, bool, bool) {
    let session = endpoint.outcome.session.as_deref();
    let shown = endpoint.presented.as_ref();
    (
        endpoint.outcome.delivery == Delivery::Encrypted,
        session.and_then(|session| session.version).or_else(|| newest_in_common(profile, endpoint)),
        session.and_then(NegotiatedTls::forward_secrecy) != Some(false),
        shown.is_some_and(|shown| shown.chain == ChainStatus::Valid),
        shown.is_some_and(|shown| shown.dates == DateStatus::Valid),
    )
}

/// The best version that the sender may get where none is known: the one that
/// the scanner got, but none newer than the sender has.
fn newest_in_common(profile: &SenderProfile, endpoint: &JudgedEndpoint) -> Option<ProtocolVersion> {
    let seen = endpoint.finding.tls.as_ref()?.version?;
    profile.offer.versions.first().map(|newest| seen.min(*newest))
}

fn is_named(subject: &Subject, named: &HostEndpoint<'_>) -> bool {
    let leaf = named.endpoint.presented.as_ref().map(|shown| &*shown.leaf);
    leaf.is_some_and(|leaf| names::status(leaf, subject, named.host) != NameStatus::None)
}
