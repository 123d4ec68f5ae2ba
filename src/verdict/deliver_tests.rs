//! The roll-up by itself, without hosts.

use super::*;
use crate::model::{Kind, Reason};

fn reason(phase: Phase, kind: Kind) -> Reason {
    Reason::Ended { phase, kind }
}

fn fails(why: CheckFailure) -> Attempt {
    Attempt::NotHere { why, basis: Basis::Observed }
}

fn open(cause: CheckCause) -> Attempt {
    Attempt::Unknown { cause, never_in_clear: Some(Basis::Inferred) }
}

const PASSES: Attempt = Attempt::Delivered { encrypted: true, basis: Basis::Observed };

fn rolled(sets: &[&[Attempt]]) -> RollUp {
    let members: Vec<(u16, Attempt)> = (1..)
        .zip(sets)
        .flat_map(|(preference, set)| set.iter().map(move |attempt| (preference, *attempt)))
        .collect();
    deliver(&members, |member| member.0, |member| member.1)
}

#[test]
fn one_that_passes_is_enough_and_one_that_is_open_keeps_it_open() {
    let (fail, other) = (fails(CheckFailure::SelfSigned), fails(CheckFailure::Expired));
    let unseen = open(CheckCause::CertificateNotSeen);
    for (sets, expected, basis) in [
        (&[&[fail, other][..]][..], "fail:self_signed", Basis::Observed),
        (&[&[other], &[fail]], "fail:expired", Basis::Observed),
        (&[&[fail, PASSES]], "pass", Basis::Inferred),
        (&[&[fail], &[PASSES]], "pass", Basis::Inferred),
        (&[&[unseen], &[PASSES]], "pass", Basis::Inferred),
        (&[&[PASSES], &[unseen]], "pass", Basis::Observed),
        (&[&[unseen, fail]], "undetermined:certificate_not_seen", Basis::Observed),
        (&[&[fail], &[unseen]], "undetermined:certificate_not_seen", Basis::Observed),
    ] {
        let roll = rolled(sets);
        assert_eq!((roll.check().to_string().as_str(), roll.basis), (expected, basis), "{sets:?}");
    }
    assert_eq!(rolled(&[]).end, RollUpEnd::NotTaken(None));
}

#[test]
fn the_one_that_came_furthest_says_why() {
    let no_tls = |phase, kind| fails(CheckFailure::NoTls(reason(phase, kind)));
    let refused = no_tls(Phase::Connect, Kind::Refused);
    let in_clear = no_tls(Phase::Starttls, Kind::NotOffered);
    let (expired, unnamed) = (fails(CheckFailure::Expired), fails(CheckFailure::NameMismatch));
    let silent = open(CheckCause::NoAnswer(reason(Phase::Greeting, Kind::Timeout)));
    let unseen = open(CheckCause::CertificateNotSeen);
    for (sets, expected) in [
        (&[&[refused, in_clear, refused][..]][..], "fail:starttls_not_offered"),
        (&[&[in_clear], &[unnamed], &[expired]], "fail:name_mismatch"),
        // In a set it is not the place that decides.
        (&[&[unnamed, expired]], "fail:expired"),
        (&[&[expired, unnamed]], "fail:expired"),
        (&[&[silent, unseen, expired]], "undetermined:certificate_not_seen"),
        // Of several sets the first that is open leaves it open.
        (&[&[silent], &[unseen]], "undetermined:greeting_timeout"),
    ] {
        assert_eq!(rolled(sets).check().to_string(), expected, "{sets:?}");
    }
}
