//! Further hellos, a line each.

use super::certificates::write_certificates;
use super::millis::millis;
use crate::model::{EndpointRecord, HelloEnd, HelloObservation, HelloPurpose, SignatureCheck};
use std::fmt::{self, Write};

/// Tells what was asked and answered; the questions of an enumeration are
/// too many for that.
pub(super) fn write(out: &mut String, endpoint: &EndpointRecord) -> fmt::Result {
    for hello in &endpoint.observation.extra_client_hellos {
        let asked = match hello.purpose {
            HelloPurpose::Sender => format!("the sender's ClientHello, {}", hello.offered_version),
            HelloPurpose::Authenticated => {
                format!("the sender's ClientHello without anonymous suites, {}", hello.offered_version)
            }
            HelloPurpose::Version => format!("all suites of {}", hello.offered_version),
            HelloPurpose::Handshake if hello.names_host == Some(false) => {
                "a whole handshake without the host's name".to_string()
            }
            HelloPurpose::Handshake => "a whole short handshake".to_string(),
            HelloPurpose::Suites | HelloPurpose::Order | HelloPurpose::Groups => continue,
        };
        let (suites, answer) = (hello.offered_suites, answer(hello));
        let again = if hello.is_second_look() { ", once more" } else { "" };
        writeln!(out, "  hello  {asked}{again} ({suites} suites): {answer}   [{}]", millis(hello.total_us))?;
        if hello.client_certificate_requested {
            writeln!(out, "       client certificate asked for")?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::registry::{CipherSuite, ProtocolVersion};
    use crate::model::{Endpoint, Failure, Kind, Observation, Outcome, Phase, ProbeKey};
    use jiff::Timestamp;

    #[test]
    fn a_server_that_asks_a_further_hello_for_a_certificate_is_told_to_ask() {
        let (started, version) = (Timestamp::UNIX_EPOCH, ProtocolVersion::TLS10);
        let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
        let failure = Failure::new(Phase::Tls, Kind::Alert);
        let mut observation = Observation::failed(key, started, 0, failure.clone());
        observation.extra_client_hellos = [false, true]
            .map(|client_certificate_requested| HelloObservation {
                version: Some(version),
                suite: Some(CipherSuite(0x002f)),
                client_certificate_requested,
                ..HelloObservation::new(HelloPurpose::Version, version, started, HelloEnd::Agreed)
            })
            .to_vec();
        let record = EndpointRecord {
            observation,
            assessment: None,
            hello_assessments: Vec::new(),
            enumeration: None,
            name: None,
            outcome: Outcome::undetermined(&failure),
        };
        let mut told = String::new();
        write(&mut told, &record).unwrap();
        let hello =
            "  hello  all suites of TLSv1.0 (0 suites): TLSv1.0  TLS_RSA_WITH_AES_128_CBC_SHA   [0.00 ms]\n";
        assert_eq!(told, format!("{hello}{hello}       client certificate asked for\n"));
    }
}
