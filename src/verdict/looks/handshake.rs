//! Whether what ends a handshake is of the server, over all connections that
//! named the host alike.
//!
//! What ends it with everyone is contradicted by any that went well. What may be
//! of the offer is contradicted by another answer to the same offer alone: a
//! server that went through with one need not take another. That is so, too,
//! where it refuses a long hello and takes a shorter one: some stumble over the
//! length.

use super::super::profile::SenderProfile;
use super::look::{EndpointLook, LookEnd, Made, all};
use crate::model::{HelloObservation, HelloPurpose, Kind, Observation, Reason};

/// Why it is open how handshakes end there.
pub(super) fn open(profile: &SenderProfile, seen: &Observation) -> Option<Reason> {
    let failed = || all(seen).filter(|made| made.answer.is_some_and(|answer| answer != LookEnd::Good));
    if failed().any(|failed| all(seen).any(|other| contradicts(&other, &failed))) {
        return Some(Reason::SecondLookDiffers);
    }
    let alone = |failed: &EndpointLook<'_>| all(seen).filter(|other| is_seen_by(other, failed)).count() < 2;
    let lacks_a_look = failed().any(|failed| takes_two_looks(profile, seen, &failed) && alone(&failed));
    lacks_a_look.then_some(Reason::NoSecondLook)
}

/// Whether no server answers both so.
fn contradicts(other: &EndpointLook<'_>, failed: &EndpointLook<'_>) -> bool {
    let otherwise = || other.answer.is_some() && other.answer != failed.answer && other.offers_as(failed);
    let rules_out = || matches!(failed.answer, Some(LookEnd::Fails(kind)) if other.rules_out(kind));
    other.named == failed.named && (rules_out() || otherwise())
}

/// Whether it brought the same as one that failed.
fn is_seen_by(other: &EndpointLook<'_>, failed: &EndpointLook<'_>) -> bool {
    let over_offer = matches!(failed.answer, Some(LookEnd::FailsOverOffer(_)));
    other.named == failed.named && other.answer == failed.answer && (!over_offer || other.offers_as(failed))
}

/// Whether the sender's mail hangs on how this one failed, and it takes two looks
/// to be believed. What was written before there were second looks at its kind
/// is believed at one.
fn takes_two_looks(profile: &SenderProfile, seen: &Observation, failed: &EndpointLook<'_>) -> bool {
    let Some(answer) = failed.answer else { return false };
    let is_fault = matches!(answer, LookEnd::Fails(_) | LookEnd::FailsOverOffer(Kind::SignatureFailed));
    // After a handshake that failed so, the answer to the sender's hello decides.
    let decides = is_fault && answer != LookEnd::Fails(Kind::IllegalParameter);
    match failed.made {
        Made::ForProbe => decides && seen.other_attempts.is_some(),
        Made::ForHello(hello) if hello.look.is_none() => false,
        Made::ForHello(hello) if hello.purpose == HelloPurpose::Handshake => decides,
        Made::ForHello(hello) if is_fault => counts(profile, seen, hello),
        Made::ForHello(hello) => is_refusal_after_all(profile, seen, failed, hello),
    }
}

/// Whether a hello tells what becomes of the sender's: it has its offer, or none
/// that has was sent.
fn counts(profile: &SenderProfile, seen: &Observation, hello: &HelloObservation) -> bool {
    let own = |hello: &HelloObservation| hello.offer.as_deref() == Some(&*profile.offer_id);
    let authenticated = hello.offer.is_some() && hello.offer == profile.authenticated_id;
    own(hello) || authenticated || !seen.extra_client_hellos.iter().any(own)
}

/// Whether the sender's own offer was refused, by a server that went through a
/// whole handshake before.
fn is_refusal_after_all(
    profile: &SenderProfile,
    seen: &Observation,
    failed: &EndpointLook<'_>,
    hello: &HelloObservation,
) -> bool {
    let refused = LookEnd::FailsOverOffer(Kind::Alert);
    let refused = [refused, LookEnd::FailsOverOffer(Kind::NoCommonVersion)].map(Some);
    hello.purpose == HelloPurpose::Sender
        && hello.offer.as_deref() == Some(&*profile.offer_id)
        && refused.contains(&failed.answer)
        && all(seen).any(|other| other.named == failed.named && other.is_whole())
}
