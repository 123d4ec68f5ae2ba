//! As much of the scanner's session as a sender would get of the same server.

use super::alike;
use super::form::Form;
use super::profile::SenderProfile;
use crate::model::registry::ProtocolVersion;
use crate::model::{Basis, CipherSuite, NamedGroup, Reason, TlsFinding};

/// What carries over. What does not, and what is not known, is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    /// Observed where the server must answer the sender alike.
    pub basis: Basis,
    /// Version.
    pub version: Option<ProtocolVersion>,
    /// Suite.
    pub suite: Option<CipherSuite>,
    /// Group of the key exchange.
    pub group: Option<NamedGroup>,
}

impl Carried {
    fn inferred(version: Option<ProtocolVersion>, group: Option<NamedGroup>) -> Self {
        Self { basis: Basis::Inferred, version, suite: None, group }
    }
}

/// What the sender would get of the session.
///
/// # Errors
/// None of it: what the server showed and the sender does not offer. It may
/// have more than it showed.
pub(super) fn carried(profile: &SenderProfile, tls: &TlsFinding, form: Form) -> Result<Carried, Reason> {
    let (Some(version), Some(suite)) = (tls.version, tls.suite) else {
        return Err(Reason::NoPublishedSuite);
    };
    let offer = &profile.offer;
    if !profile.offers(version) {
        return carried_to_another_version(profile, tls, version);
    }
    if alike::key_signs_for(offer, tls, version) == Some(false) {
        return Err(Reason::NoPublishedSignatureScheme);
    }
    let group = tls.group.filter(|group| offer.groups.contains(group));
    if offer.rank(suite).is_some() {
        let certain = alike::must_be_answered_alike(profile, tls, form, version, suite);
        let basis = if certain { Basis::Observed } else { Basis::Inferred };
        return Ok(Carried { basis, version: Some(version), suite: Some(suite), group });
    }
    // Every server of TLS 1.3 has a suite of everybody's (RFC 8446 §9.1).
    let tls13 = version == ProtocolVersion::TLS13;
    if tls13 { Ok(Carried::inferred(Some(version), group)) } else { Err(Reason::NoPublishedSuite) }
}

/// The server takes the sender's newest version, one would think; whether with
/// a suite and a signature scheme of the sender's, its key tells.
fn carried_to_another_version(
    profile: &SenderProfile,
    tls: &TlsFinding,
    chosen: ProtocolVersion,
) -> Result<Carried, Reason> {
    // It was offered newer ones, and has none.
    if profile.offer.versions.iter().all(|version| *version > chosen) {
        return Err(Reason::NoPublishedVersion);
    }
    if !key_fits(profile, tls) {
        return Err(Reason::NoPublishedSuite);
    }
    let newest = profile.offer.versions.first();
    let signs = newest.and_then(|newest| alike::key_signs_for(&profile.offer, tls, *newest));
    if signs == Some(false) {
        return Err(Reason::NoPublishedSignatureScheme);
    }
    Ok(Carried::inferred(None, None))
}

/// Whether a suite of the sender's goes with the key that the server showed.
fn key_fits(profile: &SenderProfile, tls: &TlsFinding) -> bool {
    let key = tls.leaf.as_deref().and_then(|leaf| leaf.key_algorithm.as_deref());
    let Some(key) = key else { return false };
    profile.sender.suites.value.iter().any(|suite| authenticates_with(*suite, key))
}

/// Whether a suite of TLS 1.2 and before goes with a key of this algorithm.
fn authenticates_with(suite: CipherSuite, key: &str) -> bool {
    let name = suite.name();
    let method = name.split_once("_WITH_").map_or("", |(method, _)| method);
    match key {
        "RSA" => method.ends_with("_RSA"),
        "ECDSA" | "Ed25519" | "Ed448" => method.ends_with("_ECDSA"),
        "DSA" => method.ends_with("_DSS"),
        _ => false,
    }
}
