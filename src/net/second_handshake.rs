//! A whole handshake made once more in the form of a sender's, told as the
//! answer to a further hello.

use super::handshake::SUITES_OFFERED;
use crate::model::{
    ClientCertificate, ClientHelloSpec, Failure, HelloEnd, HelloObservation, Kind, Observation, Phase,
    SignatureCheck,
};

/// What a probe that answers `spec` saw.
pub(super) fn told(spec: &ClientHelloSpec, seen: Observation) -> HelloObservation {
    let Observation { started, failure, dialogue, tls, timings, .. } = seen;
    let mut told = HelloObservation::not_asked(spec, started, failure);
    told.offered_suites = SUITES_OFFERED;
    told.total_us = timings.total_us;
    told.dialogue = Some(Box::new(dialogue));
    let Some(tls) = tls else { return told };
    told.end = end(told.failure.as_ref(), tls.established);
    told.fault = match told.end {
        HelloEnd::IllegalParameter | HelloEnd::Malformed => {
            told.failure.as_ref().and_then(|failure| failure.detail.clone())
        }
        _ => None,
    };
    told.client_certificate = Some(tls.client_certificate);
    told.client_certificate_requested = tls.client_certificate != ClientCertificate::NeverAsked;
    told.version = tls.version;
    told.suite = tls.suite;
    told.group = tls.group;
    told.signature_scheme = tls.signature_scheme;
    told.signature = Some(tls.signature.unwrap_or(SignatureCheck::NotShown));
    told.renegotiation_info = tls.renegotiation_info;
    told.downgrade_mark = tls.downgrade_mark;
    told.hello_retry = tls.hello_retry;
    told.alert = tls.alert;
    told.chain = tls.chain;
    told
}

/// How a handshake ended, in the words of a hello's answer. What comes after it
/// is none of that.
fn end(failure: Option<&Failure>, established: bool) -> HelloEnd {
    let Some(failure) = failure.filter(|failure| failure.phase == Phase::Tls) else {
        return if established { HelloEnd::Agreed } else { HelloEnd::NotAsked };
    };
    match failure.kind {
        _ if failure.alert.is_some() => HelloEnd::Alert,
        // The server chose all that there is to choose.
        Kind::SignatureFailed => HelloEnd::Agreed,
        Kind::BadCertificate => HelloEnd::BadCertificate,
        Kind::Closed => HelloEnd::Closed,
        Kind::Timeout => HelloEnd::Timeout,
        Kind::NotTls => HelloEnd::NotTls,
        Kind::TooLong | Kind::TooManyBytes => HelloEnd::TooLong,
        Kind::IllegalParameter | Kind::DowngradeDetected => HelloEnd::IllegalParameter,
        Kind::Throttled | Kind::LocalError => HelloEnd::NotAsked,
        _ => HelloEnd::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AlertDescription;

    #[test]
    fn a_handshake_ends_as_a_hello_does() {
        let failure = |kind| Failure::new(Phase::Tls, kind);
        for (failure, established, expected) in [
            (None, true, HelloEnd::Agreed),
            (Some(Failure::new(Phase::AfterTls, Kind::Throttled)), true, HelloEnd::Agreed),
            (Some(failure(Kind::Alert).with_alert(AlertDescription(112))), false, HelloEnd::Alert),
            (
                Some(failure(Kind::ClientCertificateRequired).with_alert(AlertDescription(116))),
                true,
                HelloEnd::Alert,
            ),
            (Some(failure(Kind::Closed)), false, HelloEnd::Closed),
            (Some(failure(Kind::Timeout)), false, HelloEnd::Timeout),
            (Some(failure(Kind::SignatureFailed)), false, HelloEnd::Agreed),
            (Some(failure(Kind::NoCommonSuite)), false, HelloEnd::Malformed),
            (Some(failure(Kind::Throttled).with_reply(421)), false, HelloEnd::NotAsked),
        ] {
            assert_eq!(end(failure.as_ref(), established), expected, "{failure:?}");
        }
    }
}
