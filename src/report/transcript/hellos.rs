//! Further hellos, a line each.

use super::certificates::write_certificates;
use super::millis::millis;
use crate::model::{EndpointRecord, HelloEnd, HelloObservation, HelloPurpose, SignatureCheck};
use std::fmt::{self, Write};

/// Tells what was asked and answered; the questions of an enumeration are
/// too many for that.
pub(super) fn write(out: &mut String, endpoint: &EndpointRecord) -> fmt::Result {
    for hello in &endpoint.observation.hellos {
        let asked = match hello.purpose {
            HelloPurpose::Sender => format!("the sender's offer, {}", hello.offered_version),
            HelloPurpose::Authenticated => {
                format!("the sender's offer without anonymous suites, {}", hello.offered_version)
            }
            HelloPurpose::Version => format!("everything of {}", hello.offered_version),
            HelloPurpose::Suites | HelloPurpose::Order | HelloPurpose::Groups => continue,
        };
        let (suites, answer) = (hello.offered_suites, answer(hello));
        writeln!(out, "  hello  {asked} ({suites} suites): {answer}   [{}]", millis(hello.total_us))?;
    }
    // What the handshake showed is told already.
    let first = endpoint.hello_assessments.iter().flatten().next();
    match first.filter(|_| endpoint.assessment.is_none()) {
        Some(assessment) => write_certificates(out, assessment),
        None => Ok(()),
    }
}

/// What became of the signature, where one was shown.
fn signature(hello: &HelloObservation) -> Option<String> {
    let check = hello.signature.as_ref()?;
    match check {
        SignatureCheck::None | SignatureCheck::NotShown => None,
        SignatureCheck::Unverifiable(limit) => Some(format!("signature unverifiable ({limit})")),
        _ => Some(format!("signature {}", check.name())),
    }
}

fn answer(hello: &HelloObservation) -> String {
    let chosen = [
        hello.version.map(|version| version.to_string()),
        hello.suite.map(|suite| suite.to_string()),
        hello.group.map(|group| group.to_string()),
        hello.dh_bits.map(|bits| format!("DH {bits} bits")),
    ];
    let chosen = chosen.into_iter().flatten().collect::<Vec<_>>().join("  ");
    match (hello.end, hello.alert, &hello.failure) {
        (HelloEnd::BadCertificate, ..) => format!("{chosen}  no certificate that can be read"),
        (HelloEnd::Agreed, ..) => match signature(hello) {
            Some(told) => format!("{chosen}  {told}"),
            None => chosen,
        },
        (HelloEnd::Alert, Some(alert), _) if alert.refuses_the_hello() => format!("refused ({alert})"),
        (HelloEnd::Alert, Some(alert), _) => format!("broken off ({alert})"),
        (HelloEnd::NotAsked, _, Some(failure)) => format!("not asked, {failure}"),
        (HelloEnd::IllegalParameter | HelloEnd::Malformed, ..) => match &hello.fault {
            Some(fault) => format!("{} ({fault})", hello.end.name()),
            None => hello.end.name().to_string(),
        },
        (end, ..) => end.name().to_string(),
    }
}
