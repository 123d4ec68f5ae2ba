//! What the errors of a TLS handshake mean.

use crate::model::{AlertDescription, ClientCertificate, Failure, Kind, Phase, Reply};
use rustls::{Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};
use std::io::{self, ErrorKind};

/// Alerts with which servers end a handshake when they asked for a client
/// certificate and got none: `handshake_failure` and `bad_certificate` up to
/// TLS 1.2 (RFC 5246 §7.4.6), `certificate_required` since (RFC 8446 §6.2).
const NO_CLIENT_CERTIFICATE: [u8; 3] = [40, 42, 116];

/// Alerts with which servers refuse a client certificate: `handshake_failure`,
/// those of the certificate itself, `access_denied`, and `decrypt_error` for
/// the signature under it (RFC 5246 §7.2.2, RFC 8446 §6.2).
const CERTIFICATE_REFUSED: [u8; 10] = [40, 42, 43, 44, 45, 46, 48, 49, 51, 116];

/// Whether a server may say by this alert that it does not take the client
/// certificate.
pub(super) fn refuses_certificate(alert: AlertDescription) -> bool {
    CERTIFICATE_REFUSED.contains(&alert.0)
}

/// The rustls error inside an I/O error, if that is what it is.
pub(super) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

/// Reads the error of a failed handshake.
pub(super) fn failure(error: &io::Error, certificate: ClientCertificate) -> Failure {
    match tls_error(error) {
        Some(error) => from_rustls(error, certificate),
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
pub(super) fn from_rustls(error: &Error, certificate: ClientCertificate) -> Failure {
    let kind = match error {
        Error::AlertReceived(alert) => {
            return from_alert(AlertDescription(u8::from(*alert)), certificate);
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

fn from_alert(alert: AlertDescription, certificate: ClientCertificate) -> Failure {
    let kind = match (alert, certificate) {
        (AlertDescription::PROTOCOL_VERSION, _) => Kind::NoCommonVersion,
        (AlertDescription::INSUFFICIENT_SECURITY, _) => Kind::NoCommonSuite,
        (alert, ClientCertificate::Shown) if refuses_certificate(alert) => Kind::ClientCertificateRefused,
        (AlertDescription::CERTIFICATE_REQUIRED, _) => Kind::ClientCertificateRequired,
        (alert, ClientCertificate::NotShown) if NO_CLIENT_CERTIFICATE.contains(&alert.0) => {
            Kind::ClientCertificateRequired
        }
        _ => Kind::Alert,
    };
    Failure::new(Phase::Tls, kind).with_alert(alert)
}

/// Reads a refusal that came as the first reply inside TLS, by what became of
/// the client certificate. A server may shake hands without one and say only
/// then that it wants it, as Postfix with `smtpd_tls_req_ccert` does; where its
/// words do not name it, that it was asked for is all that is known.
pub(super) fn after_tls(failure: Failure, first: Option<&Reply>, certificate: ClientCertificate) -> Failure {
    let refusal = first.filter(|reply| (400..=599).contains(&reply.code));
    let Some(reply) = refusal.filter(|_| failure.phase == Phase::AfterTls) else { return failure };
    let named = reply.lines.iter().any(|line| names_certificate(line));
    match certificate {
        ClientCertificate::NotShown if named => Failure { kind: Kind::ClientCertificateRequired, ..failure },
        ClientCertificate::Shown if named => Failure { kind: Kind::ClientCertificateRefused, ..failure },
        ClientCertificate::NotShown => {
            let words = failure.detail.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
            let told = format!("after a client certificate had been asked for{words}");
            failure.with_detail(told)
        }
        _ => failure,
    }
}

/// Whether words speak of a certificate, in the languages that write it alike.
fn names_certificate(words: &str) -> bool {
    let words = words.to_lowercase();
    let mut each = words.split(|letter: char| !letter.is_alphanumeric());
    each.any(|word| {
        word.contains("certif") || word.contains("zertifi") || matches!(word, "cert" | "certs" | "ccert")
    })
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
    fn words_inside_tls_tell_what_a_certificate_was_asked_for() {
        use ClientCertificate::{Accepted, NeverAsked, NotShown, Shown};
        let postfix = "4.7.1 mx.example Error: No client certificate presented";
        for (code, words, certificate, kind, told) in [
            (421, postfix, NotShown, Kind::ClientCertificateRequired, postfix),
            (
                554,
                "5.7.0 TLS cert needed",
                NotShown,
                Kind::ClientCertificateRequired,
                "5.7.0 TLS cert needed",
            ),
            (550, "Zertifikat fehlt", NotShown, Kind::ClientCertificateRequired, "Zertifikat fehlt"),
            (
                421,
                "Client certificate not trusted",
                Shown,
                Kind::ClientCertificateRefused,
                "Client certificate not trusted",
            ),
            (421, postfix, NeverAsked, Kind::Throttled, postfix),
            (421, postfix, Accepted, Kind::Throttled, postfix),
            (
                421,
                "4.7.0 certainly not",
                NotShown,
                Kind::Throttled,
                "after a client certificate had been asked for: 4.7.0 certainly not",
            ),
            (220, postfix, NotShown, Kind::Throttled, postfix),
        ] {
            let reply = Reply { code, lines: vec![words.into()], deviations: Vec::new() };
            let failure = Failure::new(Phase::AfterTls, Kind::Throttled).with_reply(code).with_detail(words);
            let failure = after_tls(failure, Some(&reply), certificate);
            assert_eq!(
                (failure.kind, failure.detail.as_deref()),
                (kind, Some(told)),
                "{code} {words} {certificate:?}"
            );
        }
        let closed = Failure::new(Phase::AfterTls, Kind::Closed);
        assert_eq!(after_tls(closed.clone(), None, NotShown), closed);
    }

    #[test]
    fn alerts_are_told_apart() {
        for (alert, asked, kind) in [
            (40, ClientCertificate::NeverAsked, Kind::Alert),
            (40, ClientCertificate::NotShown, Kind::ClientCertificateRequired),
            (40, ClientCertificate::Shown, Kind::ClientCertificateRefused),
            (42, ClientCertificate::NotShown, Kind::ClientCertificateRequired),
            (48, ClientCertificate::NotShown, Kind::Alert),
            (48, ClientCertificate::Shown, Kind::ClientCertificateRefused),
            (116, ClientCertificate::NeverAsked, Kind::ClientCertificateRequired),
            (70, ClientCertificate::Shown, Kind::NoCommonVersion),
            (71, ClientCertificate::NeverAsked, Kind::NoCommonSuite),
            (80, ClientCertificate::NotShown, Kind::Alert),
            (80, ClientCertificate::Shown, Kind::Alert),
            (199, ClientCertificate::NeverAsked, Kind::Alert),
        ] {
            let error = Error::AlertReceived(rustls::AlertDescription::from(alert));
            let failure = failure(&io::Error::other(error), asked);
            assert_eq!((failure.kind, failure.alert), (kind, Some(AlertDescription(alert))), "{alert}");
        }
    }

    #[test]
    fn sockets_and_garbage_are_told_apart() {
        let garbage = io::Error::other(Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_eq!(failure(&garbage, ClientCertificate::NeverAsked).kind, Kind::NotTls);
        assert_eq!(
            failure(&ErrorKind::UnexpectedEof.into(), ClientCertificate::NeverAsked).kind,
            Kind::Closed
        );
        assert_eq!(
            failure(&ErrorKind::ConnectionReset.into(), ClientCertificate::NeverAsked).kind,
            Kind::Closed
        );
        let old = io::Error::other(Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13));
        assert_eq!(failure(&old, ClientCertificate::NeverAsked).kind, Kind::NoCommonVersion);
    }
}
