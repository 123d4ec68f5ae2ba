//! What the errors of a TLS handshake mean.

use super::wire::TooManyBytes;
use crate::model::text::escape;
use crate::model::{AlertDescription, ClientCertificate, Failure, Kind, Phase, Reply};
use crate::smtp::reply;
use crate::tls::{Objection, TlsFault};
use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};
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

/// What ended TLS, if that is what an I/O error says.
pub(super) fn fault(error: &io::Error) -> Option<&TlsFault> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<TlsFault>())
}

/// Reads the error of a failed handshake.
pub(super) fn failure(error: &io::Error, certificate: ClientCertificate) -> Failure {
    match fault(error) {
        Some(fault) => from_fault(fault, certificate),
        // Our own deadline, to which its words add nothing.
        None if error.kind() == ErrorKind::TimedOut => Failure::new(Phase::Tls, Kind::Timeout),
        None => Failure::new(Phase::Tls, from_socket(error)).with_detail(error),
    }
}

/// Reads what ended TLS during a handshake.
fn from_fault(fault: &TlsFault, certificate: ClientCertificate) -> Failure {
    match fault {
        TlsFault::Library(error) => from_rustls(error, certificate),
        TlsFault::TooLong => Failure::new(Phase::Tls, Kind::TooLong).with_detail(fault),
        TlsFault::Objection(Objection::Illegal(_)) => {
            Failure::new(Phase::Tls, Kind::IllegalParameter).with_detail(fault)
        }
        TlsFault::Objection(Objection::Disputed(_)) => {
            Failure::new(Phase::Tls, Kind::Malformed).with_detail(fault)
        }
        TlsFault::InClear(_) => Failure::new(Phase::Tls, Kind::NotTls).with_detail(fault),
    }
}

/// Reads what ended TLS after the handshake. Only an alert still speaks of
/// that: TLS 1.3 servers refuse a client without a certificate only then (RFC
/// 8446 §4.4.2.4).
pub(super) fn after_handshake(fault: &TlsFault, certificate: ClientCertificate) -> Failure {
    match fault {
        TlsFault::Library(error @ Error::AlertReceived(_)) => from_rustls(error, certificate),
        TlsFault::TooLong => Failure::new(Phase::AfterTls, Kind::TooLong).with_detail(fault),
        TlsFault::Library(_) | TlsFault::Objection(_) | TlsFault::InClear(_) => {
            Failure::new(Phase::AfterTls, Kind::Malformed).with_detail(fault)
        }
    }
}

/// What a server says that goes on in SMTP where its ServerHello belongs.
/// `said` is what came in clear after its 220; `None` where that is no reply.
pub(super) fn in_clear(said: &[u8]) -> Option<Failure> {
    let line = said.split_inclusive(|byte| *byte == b'\n').next()?;
    let code = reply::code_of(line)?;
    let kind = if code == 421 { Kind::Throttled } else { Kind::NotTls };
    let quoted = escape(line.trim_ascii_end());
    Some(Failure::new(Phase::Tls, kind).with_reply(code).with_detail(format_args!("in clear: {quoted}")))
}

/// Whether a reply in clear announces that the server closes (RFC 5321 §3.8): it
/// needs no QUIT.
pub(super) fn hangs_up(in_clear: &Failure) -> bool {
    matches!(in_clear.reply_code, Some(221 | 421))
}

fn from_socket(error: &io::Error) -> Kind {
    if TooManyBytes::is_in(error) {
        return Kind::TooManyBytes;
    }
    match error.kind() {
        ErrorKind::TimedOut => Kind::Timeout,
        _ if is_end(error) => Kind::Closed,
        _ => Kind::LocalError,
    }
}

/// Whether an error of an open socket says that the peer ended the connection.
/// But for time and bytes without end, which are no errors of the socket, all
/// else is of this machine.
pub(super) fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
    )
}

/// Reads an error of rustls: an alert of the peer, or what we found wrong.
pub(super) fn from_rustls(error: &Error, certificate: ClientCertificate) -> Failure {
    let kind = match error {
        Error::AlertReceived(alert) => {
            return from_alert(AlertDescription(u8::from(*alert)), certificate);
        }
        Error::PeerIncompatible(reason) => incompatible(reason),
        Error::InvalidCertificate(CertificateError::BadSignature) => Kind::SignatureFailed,
        Error::InvalidCertificate(CertificateError::BadEncoding) | Error::NoCertificatesPresented => {
            Kind::BadCertificate
        }
        Error::PeerMisbehaved(reason) => misbehaved(reason),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) => Kind::NotTls,
        Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge,
        ) => Kind::TooLong,
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::InvalidMessage(_)
        | Error::InvalidCertificate(_)
        | Error::DecryptError
        | Error::PeerSentOversizedRecord
        | Error::NoApplicationProtocol => Kind::Malformed,
        // What this side lacks, or did itself, and what nobody knows of yet.
        _ => Kind::LocalError,
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
    let named = reply.lines.iter().any(|line| names_certificate(line, reply.code));
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

/// Parts of words that stand beside "certificate" where it is that of the client.
const SPEAK_OF_THE_CLIENT: [&str; 7] =
    ["client", "ccert", "present", "provide", "require", "verif", "trusted"];

/// Whether words speak of a certificate, in the languages that write it alike.
/// With a 421, which every server may say for its own reasons (RFC 5321 §3.8),
/// they have to speak of the client's, or of what became of it.
fn names_certificate(words: &str, code: u16) -> bool {
    let words = words.to_lowercase();
    let mut each = words.split(|letter: char| !letter.is_alphanumeric());
    let named = each.any(|word| {
        word.contains("certif") || word.contains("zertifi") || matches!(word, "cert" | "certs" | "ccert")
    });
    named && (code != 421 || SPEAK_OF_THE_CLIENT.iter().any(|part| words.contains(part)))
}

fn incompatible(reason: &PeerIncompatible) -> Kind {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => Kind::NoCommonVersion,
        PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon => {
            Kind::NoCommonSuite
        }
        PeerIncompatible::EcPointsExtensionRequired
        | PeerIncompatible::ExtendedMasterSecretExtensionRequired
        | PeerIncompatible::IncorrectCertificateTypeExtension
        | PeerIncompatible::KeyShareExtensionRequired
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NullCompressionRequired
        | PeerIncompatible::ServerSentHelloRetryRequestWithUnknownExtension
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::UncompressedEcPointsRequired
        | PeerIncompatible::UnsolicitedCertificateTypeExtension => Kind::Malformed,
        // Of clients, of QUIC, or not known yet.
        _ => Kind::LocalError,
    }
}

fn misbehaved(reason: &PeerMisbehaved) -> Kind {
    match reason {
        PeerMisbehaved::SelectedUnofferedCipherSuite | PeerMisbehaved::SelectedUnofferedKxGroup => {
            Kind::NoCommonSuite
        }
        PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme
        | PeerMisbehaved::SignedKxWithWrongAlgorithm => Kind::SignatureFailed,
        PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported => Kind::DowngradeDetected,
        // What RFC 8446 and RFC 5246 say must end the handshake, and what ends it
        // with OpenSSL and GnuTLS.
        PeerMisbehaved::SelectedUnofferedCompression
        | PeerMisbehaved::SelectedTls12UsingTls13VersionExtension
        | PeerMisbehaved::SelectedDifferentCipherSuiteAfterRetry
        | PeerMisbehaved::SelectedUnofferedPsk
        | PeerMisbehaved::SelectedInvalidPsk
        | PeerMisbehaved::IllegalHelloRetryRequestWithNoChanges
        | PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedCipherSuite
        | PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedNamedGroup
        | PeerMisbehaved::IllegalHelloRetryRequestWithUnsupportedVersion
        | PeerMisbehaved::InvalidKeyShare
        | PeerMisbehaved::MissingKeyShare
        | PeerMisbehaved::ServerHelloMustOfferUncompressedEcPoints
        | PeerMisbehaved::UnexpectedCleartextExtension
        | PeerMisbehaved::WrongGroupForKeyShare => Kind::IllegalParameter,
        reason if breaks_the_protocol(reason) => Kind::Malformed,
        // Of clients, of QUIC, or not known yet.
        _ => Kind::LocalError,
    }
}

/// Whether a server has done what ends the handshake here, and does not with
/// everyone.
fn breaks_the_protocol(reason: &PeerMisbehaved) -> bool {
    matches!(
        reason,
        PeerMisbehaved::BadCertChainExtensions
            | PeerMisbehaved::CipherSuiteDifferedOnRetry
            | PeerMisbehaved::DisallowedEncryptedExtension
            | PeerMisbehaved::DuplicateEncryptedExtensions
            | PeerMisbehaved::DuplicateHelloRetryRequestExtensions
            | PeerMisbehaved::DuplicateNewSessionTicketExtensions
            | PeerMisbehaved::DuplicateServerHelloExtensions
            | PeerMisbehaved::HandshakeHashVariedAfterRetry
            | PeerMisbehaved::IllegalHelloRetryRequestWithEmptyCookie
            | PeerMisbehaved::IllegalHelloRetryRequestWithOfferedGroup
            | PeerMisbehaved::IllegalHelloRetryRequestWithWrongSessionId
            | PeerMisbehaved::IllegalMiddleboxChangeCipherSpec
            | PeerMisbehaved::IllegalTlsInnerPlaintext
            | PeerMisbehaved::InvalidCertCompression
            | PeerMisbehaved::InvalidMaxEarlyDataSize
            | PeerMisbehaved::KeyEpochWithPendingFragment
            | PeerMisbehaved::MessageInterleavedWithHandshakeMessage
            | PeerMisbehaved::ResumptionOfferedWithIncompatibleCipherSuite
            | PeerMisbehaved::ResumptionOfferedWithVariedCipherSuite
            | PeerMisbehaved::ResumptionOfferedWithVariedEms
            | PeerMisbehaved::SelectedUnofferedApplicationProtocol
            | PeerMisbehaved::SelectedUnofferedCertCompression
            | PeerMisbehaved::SelectedUnusableCipherSuiteForVersion
            | PeerMisbehaved::ServerEchoedCompatibilitySessionId
            | PeerMisbehaved::TooManyEmptyFragments
            | PeerMisbehaved::TooManyKeyUpdateRequests
            | PeerMisbehaved::TooManyRenegotiationRequests
            | PeerMisbehaved::TooManyWarningAlertsReceived
            | PeerMisbehaved::UnsolicitedCertExtension
            | PeerMisbehaved::UnsolicitedEchExtension
            | PeerMisbehaved::UnsolicitedEncryptedExtension
            | PeerMisbehaved::UnsolicitedSctList
            | PeerMisbehaved::UnsolicitedServerHelloExtension
    )
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
            (
                421,
                "4.7.1 No certificate presented",
                NotShown,
                Kind::ClientCertificateRequired,
                "4.7.1 No certificate presented",
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
            (
                421,
                "4.3.2 certificate of deposit desk is closed",
                NotShown,
                Kind::Throttled,
                "after a client certificate had been asked for: 4.3.2 certificate of deposit desk is closed",
            ),
            (421, "4.3.2 certificate of deposit", Shown, Kind::Throttled, "4.3.2 certificate of deposit"),
            (
                421,
                "Client-Zertifikat fehlt",
                NotShown,
                Kind::ClientCertificateRequired,
                "Client-Zertifikat fehlt",
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
            let failure = failure(&io::Error::other(TlsFault::from(error)), asked);
            assert_eq!((failure.kind, failure.alert), (kind, Some(AlertDescription(alert))), "{alert}");
        }
    }

    #[test]
    fn sockets_and_garbage_are_told_apart() {
        let garbage =
            io::Error::other(TlsFault::from(Error::InvalidMessage(InvalidMessage::InvalidContentType)));
        assert_eq!(failure(&garbage, ClientCertificate::NeverAsked).kind, Kind::NotTls);
        assert_eq!(
            failure(&ErrorKind::UnexpectedEof.into(), ClientCertificate::NeverAsked).kind,
            Kind::Closed
        );
        assert_eq!(
            failure(&ErrorKind::ConnectionReset.into(), ClientCertificate::NeverAsked).kind,
            Kind::Closed
        );
        // ENOBUFS, and what a firewall of this machine says.
        for ours in [io::Error::from_raw_os_error(105), ErrorKind::PermissionDenied.into()] {
            assert_eq!(failure(&ours, ClientCertificate::NeverAsked).kind, Kind::LocalError, "{ours}");
        }
        for ours in [
            Error::FailedToGetRandomBytes,
            Error::General("key generation failed".into()),
            Error::PeerIncompatible(PeerIncompatible::Tls13RequiredForQuic),
            Error::PeerMisbehaved(PeerMisbehaved::OfferedDuplicateKeyShares),
        ] {
            assert_eq!(from_rustls(&ours, ClientCertificate::NeverAsked).kind, Kind::LocalError, "{ours}");
        }
        for theirs in [
            Error::DecryptError,
            Error::InvalidMessage(InvalidMessage::MissingKeyExchange),
            Error::PeerIncompatible(PeerIncompatible::NoEcPointFormatsInCommon),
            Error::PeerMisbehaved(PeerMisbehaved::TooManyEmptyFragments),
        ] {
            assert_eq!(from_rustls(&theirs, ClientCertificate::NeverAsked).kind, Kind::Malformed, "{theirs}");
        }
        let old = PeerIncompatible::ServerDoesNotSupportTls12Or13;
        let old = io::Error::other(TlsFault::from(Error::PeerIncompatible(old)));
        assert_eq!(failure(&old, ClientCertificate::NeverAsked).kind, Kind::NoCommonVersion);
    }

    #[test]
    fn a_server_that_goes_on_in_smtp_is_quoted() {
        let failure = in_clear(b"421 4.7.0 Too busy\r\n500 What?\r\n").unwrap();
        assert_eq!((failure.kind, failure.reply_code), (Kind::Throttled, Some(421)));
        assert_eq!(failure.detail.as_deref(), Some("in clear: 421 4.7.0 Too busy"));
        let failure = in_clear(b"500-Command unrecogn").unwrap();
        assert_eq!((failure.kind, failure.reply_code), (Kind::NotTls, Some(500)));
        for said in [&b""[..], b"\r\n", b"42", b"4211 x\r\n", b"SSH-2.0-x\r\n", b"\x15\x03\x01"] {
            assert_eq!(in_clear(said), None, "{}", said.escape_ascii());
        }
    }

    #[test]
    fn after_the_handshake_only_an_alert_speaks_of_it() {
        let asked = ClientCertificate::NotShown;
        let phase_and_kind = |fault: TlsFault| {
            let failure = after_handshake(&fault, asked);
            (failure.phase, failure.kind)
        };
        let alert = Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        assert_eq!(phase_and_kind(alert.into()), (Phase::Tls, Kind::ClientCertificateRequired));
        for fault in [TlsFault::InClear(b"250 x\r\n"[..].into()), Error::DecryptError.into()] {
            assert_eq!(phase_and_kind(fault), (Phase::AfterTls, Kind::Malformed));
        }
    }
}
