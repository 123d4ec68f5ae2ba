//! What one answer says to the question that was asked, and what it does not.

use crate::model::{
    AlertDescription, CipherSuite, Gap, HelloEnd, HelloObservation, Kind, NamedGroup, ProtocolVersion,
};

/// No common suite, or group.
const HANDSHAKE_FAILURE: AlertDescription = AlertDescription(40);

/// What one answer says to the question that was asked.
pub(super) enum OfferAnswer {
    /// This, out of what was offered.
    Chose { suite: CipherSuite, group: Option<NamedGroup>, dh_bits: Option<usize> },
    /// None of these.
    Refused,
    /// Perhaps none of these.
    HungUp,
    /// Nothing that can be taken for an answer.
    Lost(Gap),
}

/// What an answer says to a question of this version.
pub(super) fn read(asked: ProtocolVersion, hello: &HelloObservation) -> OfferAnswer {
    let nothing = matches!(hello.end, HelloEnd::Alert | HelloEnd::IllegalParameter);
    let chosen = hello.suite.filter(|_| !nothing);
    if let (Some(suite), Some(version)) = (chosen, hello.version) {
        if version != asked {
            return OfferAnswer::Refused;
        }
        return OfferAnswer::Chose { suite, group: hello.group, dh_bits: hello.dh_bits };
    }
    match hello.end {
        HelloEnd::Alert => match hello.alert {
            Some(
                HANDSHAKE_FAILURE
                | AlertDescription::PROTOCOL_VERSION
                | AlertDescription::INSUFFICIENT_SECURITY,
            ) => OfferAnswer::Refused,
            Some(AlertDescription::CLOSE_NOTIFY) => OfferAnswer::HungUp,
            _ => OfferAnswer::Lost(Gap::Alert),
        },
        HelloEnd::Closed => OfferAnswer::HungUp,
        HelloEnd::Sslv2 => OfferAnswer::Refused,
        HelloEnd::Timeout => OfferAnswer::Lost(Gap::Timeout),
        HelloEnd::NotAsked => OfferAnswer::Lost(why_not_asked(hello)),
        HelloEnd::Agreed
        | HelloEnd::BadCertificate
        | HelloEnd::IllegalParameter
        | HelloEnd::NotTls
        | HelloEnd::Malformed
        | HelloEnd::TooLong => OfferAnswer::Lost(Gap::Unreadable),
    }
}

fn why_not_asked(hello: &HelloObservation) -> Gap {
    match hello.failure.as_ref().map(|failure| failure.kind) {
        Some(Kind::Throttled) => Gap::Throttled,
        Some(Kind::Timeout) => Gap::Timeout,
        _ => Gap::NotAsked,
    }
}
