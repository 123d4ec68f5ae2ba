//! What the errors of a TLS handshake mean.

use crate::model::{AlertDescription, Failure, Kind, Phase};
use rustls::{Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};
use std::io::{self, ErrorKind};

/// Alerts with which servers end a handshake when they asked for a client
/// certificate and got none: `handshake_failure` and `bad_certificate` up to
/// TLS 1.2 (RFC 5246 §7.4.6), `certificate_required` since (RFC 8446 §6.2).
const NO_CLIENT_CERTIFICATE: [u8; 3] = [40, 42, 116];

/// The rustls error inside an I/O error, if that is what it is.
pub(super) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

/// Reads the error of a failed handshake.
pub(super) fn failure(error: &io::Error, client_certificate_requested: bool) -> Failure {
    match tls_error(error) {
        Some(error) => from_rustls(error, client_certificate_requested),
        None => Failure::new(Phase::Tls, from_socket(error)).with_detail(error),
    }
}

fn from_socket(error: &io::Error) -> Kind {
    match error.kind() {
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected => Kind::Closed,
        ErrorKind::TimedOut => Kind::Timeout,
        _ => Kind::Malformed,
    }
}

/// Reads an error of rustls: an alert of the peer, or what we found wrong.
pub(super) fn from_rustls(error: &Error, client_certificate_requested: bool) -> Failure {
    let kind = match error {
        Error::AlertReceived(alert) => {
            return from_alert(AlertDescription(u8::from(*alert)), client_certificate_requested);
        }
        Error::PeerIncompatible(reason) => incompatible(reason),
        Error::PeerMisbehaved(reason) => misbehaved(reason),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => Kind::NotTls,
        _ => Kind::Malformed,
    };
    Failure::new(Phase::Tls, kind).with_detail(error)
}

fn from_alert(alert: AlertDescription, client_certificate_requested: bool) -> Failure {
    let kind = match alert {
        AlertDescription::PROTOCOL_VERSION => Kind::NoCommonVersion,
        AlertDescription::INSUFFICIENT_SECURITY => Kind::NoCommonSuite,
        AlertDescription::CERTIFICATE_REQUIRED => Kind::ClientCertificateRequired,
        alert if client_certificate_requested && NO_CLIENT_CERTIFICATE.contains(&alert.0) => {
            Kind::ClientCertificateRequired
        }
        _ => Kind::Alert,
    };
    Failure::new(Phase::Tls, kind).with_alert(alert)
}

fn incompatible(reason: &PeerIncompatible) -> Kind {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => Kind::NoCommonVersion,
        PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon => {
            Kind::NoCommonSuite
        }
        _ => Kind::Malformed,
    }
}

fn misbehaved(reason: &PeerMisbehaved) -> Kind {
    match reason {
        PeerMisbehaved::SelectedUnofferedCipherSuite | PeerMisbehaved::SelectedUnofferedKxGroup => {
            Kind::NoCommonSuite
        }
        _ => Kind::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_told_apart() {
        for (alert, asked, kind) in [
            (40, false, Kind::Alert),
            (40, true, Kind::ClientCertificateRequired),
            (42, true, Kind::ClientCertificateRequired),
            (116, false, Kind::ClientCertificateRequired),
            (70, false, Kind::NoCommonVersion),
            (71, false, Kind::NoCommonSuite),
            (80, true, Kind::Alert),
            (199, false, Kind::Alert),
        ] {
            let error = Error::AlertReceived(rustls::AlertDescription::from(alert));
            let failure = failure(&io::Error::other(error), asked);
            assert_eq!((failure.kind, failure.alert), (kind, Some(AlertDescription(alert))), "{alert}");
        }
    }

    #[test]
    fn sockets_and_garbage_are_told_apart() {
        let garbage = io::Error::other(Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_eq!(failure(&garbage, false).kind, Kind::NotTls);
        assert_eq!(failure(&ErrorKind::UnexpectedEof.into(), false).kind, Kind::Closed);
        assert_eq!(failure(&ErrorKind::ConnectionReset.into(), false).kind, Kind::Closed);
        let old = io::Error::other(Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13));
        assert_eq!(failure(&old, false).kind, Kind::NoCommonVersion);
    }
}
