//! As much of the scanner's session as a sender would get of the same server.

use super::alike;
use super::form::HandshakeForm;
use super::profile::SenderProfile;
use crate::model::registry::ProtocolVersion;
use crate::model::{Basis, CipherSuite, NamedGroup, Reason, TlsFinding};
use crate::sender::offer::Offer;

/// What carries over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    /// Observed where the server must answer the sender alike.
    pub basis: Basis,
    pub version: ProtocolVersion,
    pub suite: CipherSuite,
    /// Group of the key exchange; `None` where there is none, or it is not known.
    pub group: Option<NamedGroup>,
}

/// What the sender would get of the session, where all that was chosen is in its
/// offer.
///
/// # Errors
/// None of it: what the server chose and the sender does not offer. The server
/// may have more than it showed, or nothing else. That every server of TLS 1.3
/// must know secp256r1 and a suite of AES-128 (RFC 8446 §9.1) binds who writes
/// it, not who sets it up: servers are seen that take X25519 alone.
pub(super) fn carried(
    profile: &SenderProfile,
    tls: &TlsFinding,
    form: HandshakeForm,
) -> Result<Carried, Reason> {
    let (Some(version), Some(suite)) = (tls.version, tls.suite) else {
        return Err(Reason::NoPublishedSuite);
    };
    let offer = &profile.offer;
    if !profile.offers(version) {
        return Err(lack_in_another_version(profile, tls, version));
    }
    if lacks_scheme(offer, tls) {
        return Err(Reason::NoPublishedSignatureScheme);
    }
    if offer.rank(suite).is_none() {
        return Err(Reason::NoPublishedSuite);
    }
    if lacks_group(offer, tls) {
        return Err(Reason::NoPublishedGroup);
    }
    let certain = alike::must_be_answered_alike(profile, tls, form, version, suite);
    let basis = if certain { Basis::Observed } else { Basis::Inferred };
    Ok(Carried { basis, version, suite, group: tls.group })
}

/// Whether the server signed under a scheme that the sender does not offer.
pub(super) fn lacks_scheme(offer: &Offer, tls: &TlsFinding) -> bool {
    tls.signature_scheme.is_some_and(|scheme| !offer.signature_schemes.contains(&scheme))
}

/// Whether it chose a group that the sender does not offer.
pub(super) fn lacks_group(offer: &Offer, tls: &TlsFinding) -> bool {
    tls.group.is_some_and(|group| !offer.groups.contains(&group))
}

/// What was not seen of a server that chose a version which the sender does not
/// offer. Its key tells more than that: whether a suite and a signature scheme
/// of the sender's go with it.
fn lack_in_another_version(profile: &SenderProfile, tls: &TlsFinding, chosen: ProtocolVersion) -> Reason {
    // It was offered newer ones, and has none.
    if profile.offer.versions.iter().all(|version| *version > chosen) {
        return Reason::NoPublishedVersion;
    }
    if !key_fits(profile, tls) {
        return Reason::NoPublishedSuite;
    }
    let newest = profile.offer.versions.first();
    match newest.and_then(|newest| alike::key_signs_for(&profile.offer, tls, *newest)) {
        Some(false) => Reason::NoPublishedSignatureScheme,
        _ => Reason::NoPublishedVersion,
    }
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
